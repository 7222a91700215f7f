"""Terms of found expressions, pooled: new formulas from them by least squares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp

from ..formula.program import Program
from ..formula.tree import complexity

MAX_TERMS = 12
"""Most terms of a sum. Not measured."""
COLLINEAR = 1e-6
"""A term is no longer usable when what other terms leave of its square is below this share. Not measured."""
WELL_APART = 1e-3
"""Terms are weighted by their products where the least eigenvalue of their correlations, and how much each
varies as a share of its largest value, are above this: little is then lost by rounding. Not measured."""
WORTHLESS = 1e-6
"""No term is added that explains less than this share of the target's variance. Not measured."""


def split_terms(expr: sp.Expr) -> list[sp.Expr]:
    """Give the top-level terms of an expression without their coefficients; its constant is left out.

    Examples
    --------
    >>> x, y = sp.symbols("x y")
    >>> split_terms(2.0 * x - sp.sin(y) / 3 + 1)
    [sin(y), x]
    """
    terms = [term.as_coeff_Mul()[1] for term in sp.Add.make_args(expr)]
    return [term for term in terms if not term.is_number]


def finite_values(expr: sp.Expr, variables: Sequence[sp.Symbol], V: np.ndarray) -> np.ndarray | None:
    """Evaluate an expression on rows (n, p); None when it is not a finite real number on all of them."""
    try:
        values = Program(expr, variables)(V)
    except (TypeError, ValueError, OverflowError):  # complex numbers, other functions, too large numbers
        return None
    return values if np.isfinite(values).all() else None


def values_of(
    expressions: Sequence[sp.Expr], variables: Sequence[sp.Symbol], V: np.ndarray
) -> np.ndarray | None:
    """Evaluate expressions on rows (n, p): (n, m); None where one of them is not finite on all rows."""
    columns = []
    for expression in expressions:
        column = finite_values(expression, variables, V)
        if column is None:
            return None
        columns.append(column)
    return np.column_stack(columns)


@dataclass(frozen=True, eq=False)
class WeightedSum:
    """A constant and weighted terms, which becomes an expression only where one is asked for.

    Parameters
    ----------
    terms : sequence of m sympy.Expr
        Terms without their coefficients.
    coefficients : ndarray of shape (m + 1,)
        The constant, then a coefficient for each term.
    complexity : int
        That of the expression.
    """

    terms: Sequence[sp.Expr]
    coefficients: np.ndarray
    complexity: int

    def expression(self) -> sp.Expr:
        """Write it as an expression."""
        constant, *rest = self.coefficients.tolist()
        parts = [sp.Float(c) * term for c, term in zip(rest, self.terms, strict=True)]
        return sp.Add(sp.Float(constant), *parts)


class TermPool:
    """Distinct terms with their values on the training rows.

    Parameters
    ----------
    variables : sequence of p sympy.Symbol
        Symbols in the order of the columns.
    V : ndarray of shape (n, p)
        Training rows.
    """

    def __init__(self, variables: Sequence[sp.Symbol], V: np.ndarray) -> None:
        self._variables, self._V = variables, V
        self._columns: dict[sp.Expr, np.ndarray] = {}
        self._scaled: dict[sp.Expr, tuple[np.ndarray, float]] = {}
        self._sizes: dict[sp.Expr, int] = {}
        self._unusable: set[sp.Expr] = set()
        self._last: tuple[int, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]] | None = None
        self._elsewhere: dict[int, tuple[np.ndarray, dict[sp.Expr, np.ndarray | None]]] = {}

    def add(self, expressions: Iterable[sp.Expr]) -> None:
        """Add the terms of expressions; those that are not finite or huge on a row are left out."""
        for term in (term for expr in expressions for term in split_terms(expr)):
            if term in self._columns or term in self._unusable:
                continue
            values = finite_values(term, self._variables, self._V)
            if values is None:
                self._unusable.add(term)
            else:
                self._columns[term], self._sizes[term] = values, complexity(term)
                scale = float(np.abs(values).max()) or 1.0
                self._scaled[term] = values / scale, scale

    def covers(self, terms: Sequence[sp.Expr]) -> bool:
        """Tell whether all terms are in the pool."""
        return all(term in self._columns for term in terms)

    def values(self, found: WeightedSum, V: np.ndarray | None = None) -> np.ndarray | None:
        """Evaluate a sum of terms of the pool.

        Parameters
        ----------
        found : WeightedSum
            The sum.
        V : ndarray of shape (m, p), default=None
            Rows; None: the training rows.

        Returns
        -------
        ndarray of shape (m,) or None
            None where a term is not finite on all rows.
        """
        columns = [self._columns[term] if V is None else self.values_on(term, V) for term in found.terms]
        total = np.full(len(self._V if V is None else V), found.coefficients[0])
        for column, coefficient in zip(columns, found.coefficients[1:], strict=True):
            if column is None:
                return None
            total += coefficient * column
        return total

    def values_on(self, expr: sp.Expr, V: np.ndarray) -> np.ndarray | None:
        """Give what `finite_values` gives, and remember it, for rows (m, p) other than the training rows."""
        _, known = self._elsewhere.setdefault(id(V), (V, {}))
        if expr not in known:
            known[expr] = finite_values(expr, self._variables, V)
        return known[expr]

    def fit(
        self, choices: Sequence[Sequence[sp.Expr]], t: np.ndarray, weights: np.ndarray
    ) -> list[WeightedSum]:
        """Weight terms of each choice, and a constant, by least squares.

        Terms that are not nearly dependent are weighted by means of the products of all terms, many choices
        at once.

        Parameters
        ----------
        choices : sequence of sequence of sympy.Expr
            Terms of the pool.
        t : ndarray of shape (n,)
            Target.
        weights : ndarray of shape (n,)
            Non-negative weights of the rows.

        Returns
        -------
        list of WeightedSum
            One for each choice.
        """
        by_length: dict[int, list[int]] = {}
        for i, terms in enumerate(choices):
            by_length.setdefault(len(terms), []).append(i)
        by_length.pop(0, None)
        found: dict[int, np.ndarray] = {}
        if by_length:
            place = {term: i for i, term in enumerate(self._scaled)}
            scales = np.array([scale for _, scale in self._scaled.values()])
            left, products, means = self._centred(weights)
            mean = np.average(t, weights=weights)
            along = ((t - mean) * np.sqrt(weights)) @ left
            least = WELL_APART * np.sqrt(weights.sum())
        for members in by_length.values():
            chosen = np.array([[place[term] for term in choices[i]] for i in members])
            solved = _solved(products, along, chosen, least)
            for i, own, part in zip(members, chosen, solved, strict=True):
                if np.isfinite(part).all():
                    found[i] = np.array([mean - part @ means[own], *(part / scales[own])])
        return [
            WeightedSum(tuple(terms), found[i], self.complexity(terms))
            if i in found
            else self._fit_dependent(terms, t, weights)
            for i, terms in enumerate(choices)
        ]

    def _fit_dependent(self, terms: Sequence[sp.Expr], t: np.ndarray, weights: np.ndarray) -> WeightedSum:
        """Weight terms that may be nearly dependent."""
        root = np.sqrt(weights)
        columns, scales = zip((np.ones(len(t)), 1.0), *(self._scaled[term] for term in terms), strict=True)
        A = np.column_stack(columns) * root[:, None]
        solution = np.linalg.lstsq(A, t * root, rcond=1e-10)[0] / np.array(scales)
        return WeightedSum(tuple(terms), solution, self.complexity(terms))

    def complexity(self, terms: Sequence[sp.Expr]) -> int:
        """Give the complexity of a sum of terms of the pool."""
        return max(sum(self._sizes[term] + 1 for term in terms) - 1, 1)

    def pursue(
        self, t: np.ndarray, weights: np.ndarray, maxsize: int, *, cost_aware: bool = False
    ) -> list[list[sp.Expr]]:
        """Choose terms one by one, each time the one that explains most of what is left (OMP).

        Parameters
        ----------
        t : ndarray of shape (n,)
            Target.
        weights : ndarray of shape (n,)
            Non-negative weights of the rows.
        maxsize : int
            Largest complexity of the sum.
        cost_aware : bool, default=False
            Weigh what a term explains against the root of its complexity.

        Returns
        -------
        list of list of sympy.Expr
            The choice after one term, after two, ...
        """
        pool = list(self._columns)
        if not pool:
            return []
        cost = np.array([self._sizes[term] + 1 for term in pool], dtype=float)
        left, products, _ = self._centred(weights)
        residual = (t - np.average(t, weights=weights)) * np.sqrt(weights)
        total, explained = residual @ residual, residual @ left
        norms, products = np.diag(products), products.copy()
        chosen: list[int] = []
        choices = []
        while len(chosen) < MAX_TERMS:
            remaining = np.diag(products)
            usable = (remaining > COLLINEAR * norms) & (cost[chosen].sum() + cost - 1 <= maxsize)
            usable[chosen] = False
            gain = np.where(usable, explained**2 / np.where(usable, remaining, 1.0), 0.0)
            if gain.max() <= WORTHLESS * total:
                break
            best = int(np.argmax(gain / np.sqrt(cost) if cost_aware else gain))
            # what the others share with this term, whose part is taken out of them and of what is left
            shared = products[best] / remaining[best]
            explained = explained - explained[best] * shared
            products -= np.outer(products[best].copy(), shared)
            chosen.append(best)
            choices.append([pool[i] for i in chosen])
        return choices

    def _centred(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give m scaled terms, centred and weighted by roots (n, m), their products (m, m), and means."""
        m = len(self._scaled)
        if self._last is None or self._last[0] != m or self._last[1] is not weights:
            left = np.column_stack([scaled for scaled, _ in self._scaled.values()])
            means = np.average(left, axis=0, weights=weights)
            left = (left - means) * np.sqrt(weights)[:, None]
            self._last = m, weights, (left, left.T @ left, means)
        return self._last[2]


def _solved(products: np.ndarray, along: np.ndarray, chosen: np.ndarray, least: float) -> np.ndarray:
    """Solve for weights (c, k) of choices (c, k) of m terms; NaN where a choice is nearly dependent.

    The products (m, m) of centred terms and those with the target (m,) are given, and the least length of a
    centred term that is not nearly constant.
    """
    solved = np.full(chosen.shape, np.nan)
    lengths = np.sqrt(np.diag(products))[chosen]
    vary = np.flatnonzero((lengths > least).all(axis=1))
    chosen, lengths = chosen[vary], lengths[vary]
    alike = products[chosen[:, :, None], chosen[:, None, :]] / (lengths[:, :, None] * lengths[:, None, :])
    apart = np.linalg.eigvalsh(alike)[:, 0] > WELL_APART
    right = along[chosen[apart]] / lengths[apart]
    solved[vary[apart]] = np.linalg.solve(alike[apart], right[:, :, None])[:, :, 0] / lengths[apart]
    return solved
