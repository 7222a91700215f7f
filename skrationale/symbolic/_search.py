"""From a target to candidate formulas: searches that build on each other, and what is made of their terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
import sympy as sp

from ..formula.program import symbols
from ..formula.tree import complexity
from ._refit import refit_constants
from ._terms import TermPool, finite_values, split_terms
from .engines import resolve_engine
from .engines._base import Engine

FEWEST_ROWS = 10
"""Below this many distinct rows nothing is searched: sums of variables and their products are fitted. Not
measured."""
MAX_PAIRED = 20
"""Products of pairs are tried without a search for so many variables. Not measured."""
FAR_FROM_ZERO = 10.0
"""A column whose mean is so many standard deviations from zero is always centred, for float32 engines. Not
measured."""
NEARLY = 1.05
"""A formula is refitted when its loss is at most so many times that of the best smaller one. Not measured."""
FLAT = 1e-9
"""A target of a smaller standard deviation, in standard units, leaves nothing to search for. Not measured."""


@dataclass(frozen=True, eq=False)
class Target:
    """What a formula shall say on the training rows.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Mean 0 and variance 1, or nearly so.
    weights : ndarray of shape (n,)
        Weights of the rows; those of weight 0 do not count.
    """

    values: np.ndarray
    weights: np.ndarray

    def loss(self, predictions: np.ndarray | None) -> float:
        """Mean squared error; infinite for no predictions."""
        if predictions is None:
            return np.inf
        return float(np.average((self.values - predictions) ** 2, weights=self.weights))


@dataclass(frozen=True)
class SearchBudget:
    """What a search may cost.

    Parameters
    ----------
    maxsize : int
        Largest complexity of a formula.
    n_searches : int
        Number of searches that share `niterations` and the time.
    niterations : int
        Rounds of the engine, over all searches.
    population_size : int
        Number of expressions that compete.
    max_rows : int
        Most rows that the engine sees.
    timeout_in_seconds : float or None
        Wall clock of all searches.
    """

    maxsize: int
    n_searches: int
    niterations: int
    population_size: int
    max_rows: int
    timeout_in_seconds: float | None = None

    @classmethod
    def of(cls, distiller: Any, engine: Engine) -> SearchBudget:
        """Read the settings of a distiller; what it leaves open is the engine's default."""
        return cls(
            maxsize=distiller.maxsize,
            n_searches=distiller.n_searches,
            niterations=distiller.niterations or engine.default_niterations,
            population_size=distiller.population_size or engine.default_population_size,
            max_rows=distiller.max_search_rows,
            timeout_in_seconds=distiller.timeout_in_seconds,
        )


class Searcher:
    """Searches for one output, on one set of rows.

    Parameters
    ----------
    engine : Engine
        Runs the searches.
    operators : dict
        ``binary_operators`` and ``unary_operators``.
    budget : SearchBudget
        What the searches may cost.
    V : ndarray of shape (n, p)
        Variables on the training rows, in their own units.
    """

    def __init__(
        self,
        engine: Engine,
        operators: Mapping[str, Sequence[str]],
        budget: SearchBudget,
        V: np.ndarray,
    ) -> None:
        self._engine, self._operators, self._budget, self._V = engine, operators, budget, V
        self.variables = symbols(V.shape[1])
        self._pool = TermPool(self.variables, V)
        self._expressions: dict[sp.Expr, None] = {}
        self._seconds, self._n_done = budget.timeout_in_seconds, 0
        self._keep(self._first_terms())

    @classmethod
    def of(cls, distiller: Any, V: np.ndarray) -> Searcher:
        """Make one with the settings of a distiller, for training rows (n, p)."""
        engine = resolve_engine(distiller.engine)
        operators = {
            "binary_operators": list(distiller.binary_operators),
            "unary_operators": list(distiller.unary_operators),
        }
        return cls(engine, operators, SearchBudget.of(distiller, engine), V)

    def run(self, targets: Sequence[Target], n_searches: int, rng: np.random.RandomState) -> None:
        """Search for targets in turn, each time for what the terms found so far leave open.

        Parameters
        ----------
        targets : sequence of Target
            None, or targets with the same weights.
        n_searches : int
            Number of searches, out of those of the budget; none where there are few distinct rows.
        rng : RandomState
            Source of seeds.
        """
        budget = self._budget
        if not len(targets) or len(np.unique(self._V[targets[0].weights > 0], axis=0)) < FEWEST_ROWS:
            return
        for turn in range(n_searches):
            target, start, i, timeout = targets[turn % len(targets)], monotonic(), self._n_done, None
            rest = target.values - self._explained(target, budget.maxsize * i // budget.n_searches)
            if self._seconds is not None:
                timeout = (self._seconds - (monotonic() - start)) / (budget.n_searches - i)
                if timeout <= 0:
                    return
            self._keep(self._search(Target(rest, target.weights), i % 2 == 0, timeout, rng))
            self._n_done += 1
            if self._seconds is not None:
                self._seconds -= monotonic() - start

    def _first_terms(self) -> list[sp.Expr]:
        """Give what needs no search: variables and, where operators allow them, products of two."""
        terms = list(self.variables)
        if "*" in self._operators["binary_operators"]:
            few = self.variables[:MAX_PAIRED]
            terms += [v * other for i, v in enumerate(few) for other in few[: i + 1]]
        elif "square" in self._operators["unary_operators"]:
            terms += [v**2 for v in self.variables]
        return terms

    def candidates(self, target: Target) -> list[sp.Expr]:
        """Give formulas for a target: those that no smaller one beats on the training rows, refitted.

        Parameters
        ----------
        target : Target
            What the formulas shall say.

        Returns
        -------
        list of sympy.Expr
            In the units of the columns; a constant is among them.
        """
        maxsize = self._budget.maxsize
        scored: list[tuple[int, float, int, sp.Expr]] = []
        for expr in [*self.sums(target, maxsize), *self._expressions]:
            size = complexity(expr)
            loss = target.loss(self._values(expr)) if size <= maxsize else np.inf
            if np.isfinite(loss):
                scored.append((size, loss, len(scored), expr))
        kept: list[sp.Expr] = [sp.Float(float(np.average(target.values, weights=target.weights)))]
        least = np.inf
        for _, loss, _, expr in sorted(scored, key=lambda row: row[:3]):
            if loss <= NEARLY * least:
                kept += [expr, refit_constants(expr, self.variables, self._V, target.values, target.weights)]
                least = min(least, loss)
        return list(dict.fromkeys(kept))

    def _values(self, expr: sp.Expr) -> np.ndarray | None:
        return finite_values(expr, self.variables, self._V)

    def _keep(self, expressions: Sequence[sp.Expr]) -> None:
        for expr in expressions:
            if self._values(expr) is not None:
                self._expressions[expr] = None
                self._pool.add([expr])

    def _explained(self, target: Target, maxsize: int) -> np.ndarray:
        """Give what the best sum of known terms, of at most some complexity, says of a target."""
        sums = [self._values(expr) for expr in self.sums(target, maxsize)]
        best = min(sums, key=target.loss, default=None)
        return np.zeros(len(self._V)) if best is None else best

    def sums(self, target: Target, maxsize: int | None = None) -> list[sp.Expr]:
        """Give sums of found terms, weighted by least squares for a target."""
        maxsize = self._budget.maxsize if maxsize is None else maxsize
        t, weights, pool = target.values, target.weights, self._pool
        choices = pool.pursue(t, weights, maxsize) + pool.pursue(t, weights, maxsize, cost_aware=True)
        choices += [terms for terms in map(split_terms, self._expressions) if pool.covers(terms)]
        sums = dict.fromkeys(pool.fit(terms, t, weights) for terms in choices)
        return [expr for expr in sums if complexity(expr) <= maxsize]

    def _search(
        self, target: Target, centre: bool, timeout: float | None, rng: np.random.RandomState
    ) -> list[sp.Expr]:
        """Let the engine search, on scaled columns; give its expressions in the columns' own units."""
        budget = self._budget
        rows, weights = self._rows(target.weights, rng)
        if weights is None:
            rows = rows[np.lexsort((target.values[rows], *self._V[rows].T))]  # whatever the order of the rows
        V, t = self._V[rows], target.values[rows]
        if t.std() <= FLAT:
            return []
        shift, scale = _scaling(V, centre)
        expressions = self._engine.search(
            (V - shift) / scale,
            (t - t.mean()) / t.std(),
            weights=weights,
            **self._operators,
            maxsize=budget.maxsize if budget.n_searches == 1 else max(budget.maxsize * 2 // 3, 3),
            niterations=max(budget.niterations // budget.n_searches, 1),
            population_size=budget.population_size,
            timeout_in_seconds=timeout,
            random_state=int(rng.randint(2**31 - 1)),
        )
        units = {
            v: v * sp.Float(1 / s) - sp.Float(m / s) if m else v * sp.Float(1 / s)
            for v, m, s in zip(self.variables, shift.tolist(), scale.tolist(), strict=True)
        }
        return [expr.xreplace(units) for expr in expressions]

    def _rows(self, weights: np.ndarray, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray | None]:
        """Rows for the engine: all or a random part; where it knows no weights, rows stand for them."""
        limit = self._budget.max_rows
        rows = np.flatnonzero(weights > 0)
        weights = weights[rows]
        copies = weights / weights.min()
        if self._engine.supports_weights and (copies > 1).any():
            chosen = rng.permutation(len(rows))[:limit]
            return rows[chosen], weights[chosen] / weights[chosen].mean()
        if np.allclose(copies, copies.round()) and copies.sum() <= max(limit, len(rows)):
            rows = np.repeat(rows, copies.round().astype(int))
        else:
            rows = rng.choice(rows, min(len(rows), limit), p=weights / weights.sum())
        return rng.permutation(rows)[:limit] if len(rows) > limit else rows, None


def _scaling(V: np.ndarray, centre: bool) -> tuple[np.ndarray, np.ndarray]:
    """Give what is subtracted from columns (n, p) and what divides them; 0 and 1 for indicators."""
    mean, sd = V.mean(axis=0), V.std(axis=0)
    indicator = ((V == 0) | (V == 1)).all(axis=0)
    shift = np.where((centre | (np.abs(mean) > FAR_FROM_ZERO * sd)) & ~indicator, mean, 0.0)
    scale = np.sqrt(np.mean((V - shift) ** 2, axis=0))
    return shift, np.where(indicator | (scale == 0), 1.0, scale)
