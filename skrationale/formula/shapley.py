"""Exact Shapley values of a formula, term by term."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import sympy as sp

from .._callers import outside
from ._coalitions import CELLS_AT_ONCE, TermGame, contributions
from ._formula import Formula
from .program import symbols

ROUNDING = 1e-12
"""What contributions lack of a score is rounding up to this share of the numbers that were added up."""


class TermsShapley:
    """The interventional Shapley values of a sum of terms, made ready once for any number of rows.

    Columns are the players. A coalition is worth the mean of the formula over the background rows,
    with the coalition's columns taken from the row that is explained. Shapley values of a sum are the
    sum of those of its terms, and a term with s columns has 2^s coalitions only. A term that is a
    product costs less still: a factor whose columns are all inside, or all outside, a coalition is
    evaluated on the rows, or the background, alone.

    Parameters
    ----------
    terms : sequence of M sympy.Expr
        Summands of the formula.
    variables : sequence of p sympy.Symbol
        Symbols in the order of the columns of the background.
    players : ndarray of int of shape (p,)
        Original column that each variable belongs to; variables of one column switch together.
    n_players : int
        Number d of original columns.
    background : ndarray of shape (b, p)
        Rows that columns outside a coalition are taken from.
    max_players : int, default=10
        A term with more columns is not summed over all coalitions, but over 100 seeded permutations,
        the same for all rows. Additivity stays exact.
    random_state : int, default=0
        Seed of the permutations.

    Attributes
    ----------
    base : float
        Mean score of the background.
    rows_at_once : int
        So many rows are evaluated together in a few dozen MB.

    Examples
    --------
    >>> x, y = symbols(2)
    >>> shapley = TermsShapley([x * y, 2 * x], (x, y), np.array([0, 1]), 2, np.zeros((1, 2)))
    >>> shapley.shapley_values(np.array([[2.0, 3.0]]))[0]
    array([[7., 3.]])
    """

    def __init__(
        self,
        terms: Sequence[sp.Expr],
        variables: Sequence[sp.Symbol],
        players: np.ndarray,
        n_players: int,
        background: np.ndarray,
        max_players: int = 10,
        random_state: int = 0,
    ) -> None:
        self._terms, self._variables, self._n_players = list(terms), variables, n_players
        self._max_players, self._random_state = max_players, random_state
        self._games = [TermGame(term, variables, players, background) for term in self._terms]
        self.base = float(sum((game.base for game in self._games), 0.0))
        sizes = [game.rows_at_once(max_players) for game in self._games]
        self.rows_at_once = min(sizes, default=CELLS_AT_ONCE)

    def shapley_values(self, rows: np.ndarray) -> list[np.ndarray]:
        """Say what each column adds to the scores of rows (B, p).

        Returns
        -------
        list of ndarray
            Values (B, d), which with the base add up to the score, and are NaN for the columns of a term that
            has no finite value where columns of a row meet those of the background; their largest standard
            errors (B,), 0 where no term was sampled; which terms have no value (B, M); and how large the
            numbers are that were added up (B,).
        """
        values, variance = np.zeros((2, len(rows), self._n_players))
        undefined = np.zeros((len(rows), len(self._games)), dtype=bool)
        magnitude = np.zeros(len(rows))
        for m, game in enumerate(self._games):
            found, error, undefined[:, m] = contributions(game, rows, self._max_players, self._random_state)
            values[:, game.players] += found
            variance[:, game.players] += error**2
            magnitude += np.abs(found).sum(axis=1) + abs(game.base)
        return [values, np.sqrt(variance.max(axis=1, initial=0.0)), undefined, magnitude]

    def warn(self, undefined: np.ndarray, labels: Sequence[str]) -> None:
        """Tell the user which terms have no value in some rows (n, M)."""
        names = {v: sp.Symbol(label) for v, label in zip(self._variables, labels, strict=False)}
        for term, nowhere in zip(self._terms, undefined.T, strict=True):
            if nowhere.any():
                warnings.warn(
                    f"The contributions of the term {term.xreplace(names)} are NaN in {nowhere.sum()} of "
                    f"{len(nowhere)} rows: the term has no finite value if columns of these rows are "
                    "combined with columns of background rows.",
                    RuntimeWarning,
                    stacklevel=outside(),
                )


class FormulaShapley:
    """The Shapley values of K formulas over the same p variables.

    Parameters
    ----------
    formulas : sequence of K Formula
        One for each output.
    n_players : int
        Number d of columns of the table.
    background : ndarray of shape (b, p)
        Variables in the rows that other columns are taken from.

    Attributes
    ----------
    base : ndarray of shape (K,)
        Mean scores of the background.
    rows_at_once : int
        So many rows are evaluated together in a few dozen MB.
    """

    def __init__(self, formulas: Sequence[Formula], n_players: int, background: np.ndarray) -> None:
        self._formulas, variables = formulas, symbols(background.shape[1])
        self._games = []
        for formula in formulas:
            players = np.array([variable.column for variable in formula.all_variables], dtype=int)
            self._games.append(TermsShapley(formula.terms, variables, players, n_players, background))
        bases = [game.base for game in self._games]
        self.base = np.add([formula.intercept for formula in formulas], bases)
        self.rows_at_once = min(game.rows_at_once for game in self._games)

    def shapley_values(self, rows: np.ndarray) -> list[np.ndarray]:
        """Give values (B, d, K) of rows (B, p), standard errors (B, K), and terms without any (B, M)."""
        found, errors, undefined, magnitude = zip(
            *(game.shapley_values(rows) for game in self._games), strict=True
        )
        values = np.stack(found, axis=2)
        for k, formula in enumerate(self._formulas):
            largest = magnitude[k] + abs(formula.intercept)
            restore_additivity(values[:, :, k], self.base[k], formula._program(rows), largest)
        return [values, np.stack(errors, axis=1), np.hstack(undefined)]

    def warn(self, undefined: np.ndarray) -> None:
        """Warn of terms that have no value in some rows; `undefined` (n, M) is of all formulas."""
        ends = np.cumsum([len(formula.terms) for formula in self._formulas])[:-1]
        for game, formula, own in zip(self._games, self._formulas, np.hsplit(undefined, ends), strict=True):
            game.warn(own, [variable.label for variable in formula.all_variables])


def restore_additivity(values: np.ndarray, base: float, scores: np.ndarray, magnitude: np.ndarray) -> None:
    """Give what rounding lost of scores to the largest contribution of each row.

    Where large terms cancel, as around rows with huge outliers, sums of contributions miss a score by the
    rounding of all that was added up. After this they miss it by that of the largest contribution alone.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Contributions; changed in place, in rows that lack no more than rounding explains.
    base : float
        What they are added to.
    scores : ndarray of shape (n,)
        What they should add up to.
    magnitude : ndarray of shape (n,)
        How large the numbers are that were added up.

    Examples
    --------
    >>> values = np.array([[1e16, -1e16], [0.1, 0.2]])
    >>> restore_additivity(values, 0.0, np.array([4.0, 0.3]), np.array([2e16, 0.3]))
    >>> values.sum(axis=1)
    array([4. , 0.3])
    """
    if not values.shape[1]:
        return
    with np.errstate(all="ignore"):
        lacking = _exact_sum([scores, -base, *-values.T])
        some = (base + values.sum(axis=1) != scores) & (np.abs(lacking) <= ROUNDING * magnitude)
    rows = np.flatnonzero(some)
    values[rows, np.abs(values[rows]).argmax(axis=1)] += lacking[rows]


def _exact_sum(parts: Sequence[np.ndarray | float]) -> np.ndarray:
    """Add arrays up as if with twice the digits, by Knuth's sums of two; NaN where a part is not finite."""
    total: np.ndarray | float = 0.0
    lost: np.ndarray | float = 0.0
    for part in parts:
        new = total + part
        own = new - total
        lost = lost + (total - (new - own)) + (part - own)
        total = new
    return np.asarray(total + lost)
