"""Exact Shapley values of a formula, term by term."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import reduce
from operator import mul, or_

import numpy as np
import sympy as sp
from scipy.special import comb

from .._batches import in_batches
from .._callers import outside
from ._formula import Formula
from ._program import Program, symbols

CELLS_AT_ONCE = 2**17
"""Rows times background rows that are evaluated together: one array of this size is 1 MB."""
PLAYERS_KEPT = 4
"""A factor of up to so many players keeps its values for all coalitions: 14 arrays at most."""
N_PERMUTATIONS = 100
ROUNDING = 1e-12
"""What contributions lack of a score is rounding up to this share of the numbers that were added up."""


def term_values(terms: Sequence[sp.Expr], variables: Sequence[sp.Symbol], values: np.ndarray) -> np.ndarray:
    """Evaluate the terms of a formula one by one.

    Parameters
    ----------
    terms : sequence of M sympy.Expr
        Summands of the formula.
    variables : sequence of p sympy.Symbol
        Symbols in the order of the columns.
    values : ndarray of shape (n, p)
        Rows.

    Returns
    -------
    ndarray of shape (n, M)
        What each term adds to the score of each row; NaN or infinite where it has no value.

    Examples
    --------
    >>> from skrationale.formula._program import symbols
    >>> x, y = symbols(2)
    >>> term_values([x * y, 2 * x], (x, y), np.array([[2.0, 3.0]]))
    array([[6., 4.]])
    """
    return np.column_stack([np.empty((len(values), 0)), *(Program(t, variables)(values) for t in terms)])


def shapley_values(
    terms: Sequence[sp.Expr],
    variables: Sequence[sp.Symbol],
    players: np.ndarray,
    n_players: int,
    values: np.ndarray,
    background: np.ndarray,
    *,
    batch_size: int | None = None,
    max_players: int = 10,
    random_state: int = 0,
    labels: Sequence[str] = (),
) -> tuple[np.ndarray, float, float]:
    """Compute interventional Shapley values of a sum of terms.

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
        Symbols in the order of the columns of `values`.
    players : ndarray of int of shape (p,)
        Original column that each variable belongs to; variables of one column switch together.
    n_players : int
        Number of original columns.
    values : ndarray of shape (n, p)
        Rows to explain.
    background : ndarray of shape (b, p)
        Rows that columns outside a coalition are taken from.
    batch_size : int, default=None
        Rows evaluated together; None chooses so that a few dozen MB suffice. Results are the same.
    max_players : int, default=10
        A term with more columns is not summed over all coalitions, but over 100 seeded permutations,
        the same for all rows. Additivity stays exact.
    random_state : int, default=0
        Seed of the permutations.
    labels : sequence of p str, default=()
        What a warning calls the variables.

    Returns
    -------
    values : ndarray of shape (n, n_players)
        Contributions; with the base they add up to the score. NaN for the columns of a term that has
        no finite value where columns of a row meet those of the background.
    base : float
        Mean score of the background.
    standard_error : float
        Largest standard error of a contribution; 0 when no term was sampled.

    Warns
    -----
    RuntimeWarning
        When contributions are NaN; it names the term.

    Examples
    --------
    >>> from skrationale.formula._program import symbols
    >>> x, y = symbols(2)
    >>> rows, background = np.array([[2.0, 3.0]]), np.zeros((1, 2))
    >>> shapley_values([x * y, 2 * x], (x, y), np.array([0, 1]), 2, rows, background)
    (array([[7., 3.]]), 0.0, 0.0)
    """
    games = Games(terms, variables, players, n_players, background, max_players, random_state)
    size = batch_size or games.rows_at_once
    result, error, undefined, _ = in_batches(lambda rows: games.shares(values[rows]), len(values), size)
    games.warn(undefined, labels)
    return result, games.base, float(error.max(initial=0.0))


class Games:
    """The terms of a formula as games, made ready once for any number of rows; see `shapley_values`.

    Attributes
    ----------
    base : float
        Mean score of the background.
    rows_at_once : int
        So many rows are evaluated together in a few dozen MB.
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
        self._games = [_Game(term, variables, players, background) for term in self._terms]
        self.base = float(sum((game.base for game in self._games), 0.0))
        sizes = [game.rows_at_once(max_players) for game in self._games]
        self.rows_at_once = min(sizes, default=CELLS_AT_ONCE)

    def shares(self, rows: np.ndarray) -> list[np.ndarray]:
        """Say what each column adds to the scores of rows (B, p).

        Returns
        -------
        list of ndarray
            Values (B, d), their largest standard errors (B,), which terms have none (B, M), and how large the
            numbers are that were added up (B,).
        """
        values, variance = np.zeros((2, len(rows), self._n_players))
        undefined = np.zeros((len(rows), len(self._games)), dtype=bool)
        reach = np.zeros(len(rows))
        for m, game in enumerate(self._games):
            found, error, undefined[:, m] = _contributions(game, rows, self._max_players, self._random_state)
            values[:, game.players] += found
            variance[:, game.players] += error**2
            reach += np.abs(found).sum(axis=1) + abs(game.base)
        return [values, np.sqrt(variance.max(axis=1, initial=0.0)), undefined, reach]

    def warn(self, undefined: np.ndarray, labels: Sequence[str]) -> None:
        """Tell the user which terms have no value in some rows (n, M)."""
        names = {v: sp.Symbol(label) for v, label in zip(self._variables, labels, strict=False)}
        for term, nowhere in zip(self._terms, undefined.T, strict=True):
            if nowhere.any():
                warnings.warn(
                    f"The contributions of the term {term.xreplace(names)} are NaN in {nowhere.sum()} of "
                    f"{len(nowhere)} rows: it has no finite value where columns of these rows are combined "
                    "with columns of the background.",
                    RuntimeWarning,
                    stacklevel=outside(),
                )


class GamesOfFormulas:
    """The games of K formulas over the same p variables.

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
        self._programs = [Program(formula.expr, variables) for formula in formulas]
        self._games = []
        for formula in formulas:
            players = np.array([variable.column for variable in formula.all_variables], dtype=int)
            self._games.append(Games(formula.terms, variables, players, n_players, background))
        bases = [game.base for game in self._games]
        self.base = np.add([formula.intercept for formula in formulas], bases)
        self.rows_at_once = min(game.rows_at_once for game in self._games)

    def shares(self, rows: np.ndarray) -> list[np.ndarray]:
        """Give values (B, d, K) of rows (B, p), standard errors (B, K), and terms without any (B, M)."""
        found, errors, undefined, reach = zip(*(game.shares(rows) for game in self._games), strict=True)
        values = np.stack(found, axis=2)
        for k, (formula, program) in enumerate(zip(self._formulas, self._programs, strict=True)):
            complete(values[:, :, k], self.base[k], program(rows), reach[k] + abs(formula.intercept))
        return [values, np.stack(errors, axis=1), np.hstack(undefined)]

    def warn(self, undefined: np.ndarray) -> None:
        """Warn of terms that have no value in some rows; `undefined` (n, M) is of all formulas."""
        ends = np.cumsum([len(formula.terms) for formula in self._formulas])[:-1]
        for game, formula, own in zip(self._games, self._formulas, np.hsplit(undefined, ends), strict=True):
            game.warn(own, [variable.label for variable in formula.all_variables])


def complete(values: np.ndarray, base: float, scores: np.ndarray, reach: np.ndarray) -> None:
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
    reach : ndarray of shape (n,)
        How large the numbers are that were added up.

    Examples
    --------
    >>> values = np.array([[1e16, -1e16], [0.1, 0.2]])
    >>> complete(values, 0.0, np.array([4.0, 0.3]), np.array([2e16, 0.3]))
    >>> values.sum(axis=1)
    array([4. , 0.3])
    """
    if not values.shape[1]:
        return
    with np.errstate(all="ignore"):
        lacking = _exact_sum([scores, -base, *-values.T])
        some = (base + values.sum(axis=1) != scores) & (np.abs(lacking) <= ROUNDING * reach)
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


def _contributions(
    game: _Game, rows: np.ndarray, max_players: int, random_state: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shapley values (n, s) of one term, their standard errors, and rows (n,) where they are NaN."""
    with np.errstate(all="ignore"):
        coalitions = _Coalitions(game, rows)
        if len(game.players) <= max_players:
            values, errors = _sum_over_all(coalitions), np.zeros(1)
        else:
            values, errors = _sum_over_permutations(coalitions, random_state)
    undefined = ~np.isfinite(values).all(axis=1)
    nowhere = undefined[:, None]
    return np.where(nowhere, np.nan, values), np.where(nowhere, 0.0, errors), undefined


class _Factor:
    """A factor of a term, none of whose players occur in another factor.

    Coalitions are integers: bit i is set when the term's i-th player takes part.
    """

    def __init__(
        self,
        expr: sp.Expr,
        variables: Sequence[sp.Symbol],
        bits: dict[sp.Symbol, int],
        background: np.ndarray,
    ) -> None:
        self._columns = [j for j, symbol in enumerate(variables) if expr.has(symbol)]
        self._bits = [bits[variables[j]] for j in self._columns]
        self.everyone = reduce(or_, self._bits, 0)
        self._program = Program(expr, [variables[j] for j in self._columns])
        self._background = background[:, self._columns]
        self.outside = self._program(self._background)

    def inside(self, rows: np.ndarray) -> np.ndarray:
        """Values (n,) with all players from the rows (n, p)."""
        return self._program(rows[:, self._columns])

    def between(self, coalition: int, rows: np.ndarray) -> np.ndarray:
        """Values (n, b) with the coalition from each row and the other players from each background row."""
        n, b = len(rows), len(self._background)
        cells = np.empty((len(self._columns), n, b))
        for j, (column, bit) in enumerate(zip(self._columns, self._bits, strict=True)):
            cells[j] = rows[:, [column]] if coalition & bit else self._background[:, j]
        return self._program(cells.reshape(len(cells), n * b).T).reshape(n, b)


class _Game:
    """A term as a game: who plays, and the factors that are evaluated apart."""

    def __init__(
        self, term: sp.Expr, variables: Sequence[sp.Symbol], players: np.ndarray, background: np.ndarray
    ) -> None:
        owners = {symbol: int(player) for symbol, player in zip(variables, players, strict=True)}
        self.players = sorted({owners[symbol] for symbol in variables if term.has(symbol)})
        bits = {s: 1 << self.players.index(owner) for s, owner in owners.items() if owner in self.players}
        parts = _independent_factors(term, owners)
        self.factors = [_Factor(part, variables, bits, background) for part in parts]
        self.n_background = len(background)
        with np.errstate(all="ignore"):
            self.base = float(reduce(mul, [factor.outside for factor in self.factors]).mean())

    def rows_at_once(self, max_players: int) -> int:
        """Rows whose worths of all coalitions that are asked for fit into memory together."""
        s = len(self.players)
        n_coalitions = 2**s if s <= max_players else N_PERMUTATIONS * s
        return max(1, CELLS_AT_ONCE // max(self.n_background, n_coalitions))


def _independent_factors(term: sp.Expr, owners: dict[sp.Symbol, int]) -> list[sp.Expr]:
    """Split a product into factors that have no player in common."""
    parts: list[tuple[set[int], sp.Expr]] = []
    for factor in sp.Mul.make_args(term):
        mine = {owners[symbol] for symbol in factor.free_symbols}
        common = [part for part in parts if part[0] & mine]
        parts = [part for part in parts if not part[0] & mine]
        parts.append(
            (mine.union(*(part[0] for part in common)), sp.Mul(factor, *(part[1] for part in common)))
        )
    return [part[1] for part in parts]


class _Coalitions:
    """What coalitions of a game are worth to some rows."""

    def __init__(self, game: _Game, rows: np.ndarray) -> None:
        self.game = game
        self._rows = rows
        self._inside = [factor.inside(rows) for factor in game.factors]
        self._between: dict[tuple[int, int], np.ndarray] = {}
        self._worths: dict[int, np.ndarray] = {}

    def worth(self, coalition: int) -> np.ndarray:
        """Mean of the term over the background, for each row (n,)."""
        if coalition not in self._worths:
            self._worths[coalition] = self._worth(coalition)
        return self._worths[coalition]

    def _worth(self, coalition: int) -> np.ndarray:
        inside, outside = np.ones(len(self._rows)), np.ones(self.game.n_background)
        between: np.ndarray | None = None
        for i, factor in enumerate(self.game.factors):
            part = coalition & factor.everyone
            if part == factor.everyone:
                inside = inside * self._inside[i]
            elif part == 0:
                outside = outside * factor.outside
            else:
                cells = self._cells(i, part)
                between = cells if between is None else between * cells
        return inside * (outside.mean() if between is None else between @ outside / len(outside))

    def _cells(self, i: int, part: int) -> np.ndarray:
        if (i, part) in self._between:
            return self._between[i, part]
        factor = self.game.factors[i]
        cells = factor.between(part, self._rows)
        if len(self.game.factors) > 1 and factor.everyone.bit_count() <= PLAYERS_KEPT:
            self._between[i, part] = cells
        return cells


def _sum_over_all(coalitions: _Coalitions) -> np.ndarray:
    """Shapley values (n, s) from all 2^s coalitions."""
    s = len(coalitions.game.players)
    masks = np.arange(2**s)
    takes_part = (masks >> np.arange(s)[:, None]) & 1
    others = takes_part.sum(axis=0) - takes_part
    weights = np.where(takes_part, 1.0, -1.0) / (s * comb(s - 1, others))
    return (weights @ [coalitions.worth(int(mask)) for mask in masks]).T


def _sum_over_permutations(coalitions: _Coalitions, random_state: int) -> tuple[np.ndarray, np.ndarray]:
    """Estimates (n, s) and their standard errors, from permutations that are also walked backwards."""
    game = coalitions.game
    rng = np.random.RandomState(random_state)
    nobody = coalitions.worth(0)
    estimates = np.zeros((N_PERMUTATIONS // 2, len(nobody), len(game.players)))
    for estimate in estimates:
        order = rng.permutation(len(game.players))
        for direction in (order, order[::-1]):
            coalition, before = 0, nobody
            for player in direction:
                coalition |= 1 << int(player)
                after = coalitions.worth(coalition)
                estimate[:, player] += (after - before) / 2
                before = after
    return estimates.mean(axis=0), estimates.std(axis=0, ddof=1) / np.sqrt(len(estimates))
