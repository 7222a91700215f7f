"""From a target to candidate formulas: searches that build on each other, and what is made of their terms."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from .._deadline import Deadline
from ..formula.program import symbols
from ..formula.tree import complexity
from ._refit import refit_constants
from ._terms import TermPool, WeightedSum, finite_values, split_terms
from .engines import resolve_engine
from .engines._base import Engine, RunningSearch

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
ENDLESS = 10**7
"""Rounds of the engine where the clock alone shall end a search. Not measured."""
TEACHER_SHARE = 0.25
"""Share of the time that training a smooth teacher may take. Not measured."""
SEARCH_SHARE = 0.9
"""Share of the time left that searches may take; what they found is then put together. Not measured."""
WHOLE_SHARE = 0.85
"""Share of the effort that the search for a whole formula has; the others look for what is left. Not
measured."""
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
        Number of searches: the first one looks for a whole formula, the others for what it leaves open.
    niterations : int
        Rounds of the engine, over all searches of an output.
    population_size : int
        Number of expressions that compete.
    max_rows : int
        Most rows that the engine sees.
    """

    maxsize: int
    n_searches: int
    niterations: int
    population_size: int
    max_rows: int

    @classmethod
    def of(cls, distiller: Any, engine: Engine, n_outputs: int) -> SearchBudget:
        """Read the settings of a distiller; what it leaves open is the engine's default."""
        iterations = distiller.niterations
        if iterations is None:
            timed = distiller.timeout_in_seconds is not None
            iterations = ENDLESS if timed else engine.default_niterations
        return cls(
            maxsize=distiller.maxsize,
            n_searches=distiller.n_searches,
            niterations=max(iterations // n_outputs, 1),
            population_size=distiller.population_size or engine.default_population_size,
            max_rows=distiller.max_search_rows,
        )

    @property
    def whole(self) -> float:
        """Share of the first search in the effort."""
        return WHOLE_SHARE if self.n_searches > 1 else 1.0

    @property
    def rest(self) -> float:
        """Share of each other search in the effort."""
        return (1 - self.whole) / max(self.n_searches - 1, 1)


class SearchClock:
    """Shares the time that is left among searches, of whatever output.

    Parameters
    ----------
    deadline : Deadline
        When the last search ends.
    n_outputs : int, default=1
        Number of outputs, each with all searches of a budget.
    """

    def __init__(self, deadline: Deadline, n_outputs: int = 1) -> None:
        self._deadline, self._to_come = deadline, float(n_outputs)

    def seconds(self, share: float) -> float | None:
        """Give the time of the next search, which has a share of the effort of its output; None: no limit."""
        part, self._to_come = share / self._to_come, self._to_come - share
        left = self._deadline.left()
        return None if np.isinf(left) else left * min(part, 1.0)


class Begun(NamedTuple):
    """A search that has begun, and what its variables are in the columns' own units."""

    running: RunningSearch
    units: dict[sp.Symbol, sp.Expr]


@dataclass(frozen=True, eq=False)
class _Known:
    """What is known of an expression: its values on the training rows (n,), its complexity and its terms."""

    values: np.ndarray
    complexity: int
    terms: tuple[sp.Expr, ...]


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
    clock : SearchClock, default=None
        Tells how long a search may take; None: as long as it takes.
    deadline : Deadline, default=None
        After it constants are no longer fitted.
    """

    def __init__(
        self,
        engine: Engine,
        operators: Mapping[str, Sequence[str]],
        budget: SearchBudget,
        V: np.ndarray,
        clock: SearchClock | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        self._engine, self._operators, self.budget, self._V = engine, operators, budget, V
        self._deadline = deadline or Deadline(None)
        self._clock = clock or SearchClock(self._deadline)
        self.variables = symbols(V.shape[1])
        self._pool = TermPool(self.variables, V)
        self._expressions: dict[sp.Expr, _Known] = {}
        self._keep(self._first_terms())

    @classmethod
    def all_of(cls, distiller: Any, V: np.ndarray, n_outputs: int, deadline: Deadline) -> list[Searcher]:
        """Make one for each output with the settings of a distiller, for training rows (n, p)."""
        engine = resolve_engine(distiller.engine)
        operators = {
            "binary_operators": list(distiller.binary_operators),
            "unary_operators": list(distiller.unary_operators),
        }
        budget = SearchBudget.of(distiller, engine, n_outputs)
        clock = SearchClock(deadline.part(SEARCH_SHARE), n_outputs)
        first = cls(engine, operators, budget, V, clock, deadline)
        return [first, *(copy.copy(first) for _ in range(n_outputs - 1))]  # terms are found for all of them

    def begin(self, target: Target, turn: int, rng: np.random.RandomState) -> Begun | None:
        """Begin a search for a target, on scaled columns.

        Parameters
        ----------
        target : Target
            What a formula shall say.
        turn : int
            0 for a search for the whole of it; later ones look for what the terms found so far leave open.
        rng : RandomState
            Source of seeds.

        Returns
        -------
        Begun or None
            None where nothing is left, or there are few distinct rows.
        """
        budget = self.budget
        if len(np.unique(self._V[target.weights > 0], axis=0)) < FEWEST_ROWS:
            return None
        size = budget.maxsize * turn // budget.n_searches or budget.maxsize
        left = target.values - self._explained(target, size)
        rows, weights = self._rows(target.weights, rng)
        sought = left if turn else target.values
        if weights is None:
            rows = rows[np.lexsort((sought[rows], *self._V[rows].T))]  # whatever the order of the rows
        V, t = self._V[rows], sought[rows]
        if min(t.std(), left[rows].std()) <= FLAT:
            return None
        shift, scale = _scaling(V, centre=turn % 2 == 0)
        running = self._engine.begin(
            (V - shift) / scale,
            (t - t.mean()) / t.std(),
            weights=weights,
            **self._operators,
            maxsize=max(budget.maxsize * 2 // 3, 3) if turn else budget.maxsize,
            population_size=budget.population_size,
            random_state=int(rng.randint(2**31 - 1)),
        )
        units = {
            v: v * sp.Float(1 / s) - sp.Float(m / s) if m else v * sp.Float(1 / s)
            for v, m, s in zip(self.variables, shift.tolist(), scale.tolist(), strict=True)
        }
        return Begun(running, units)

    def go_on(self, begun: Begun | None, share: float) -> None:
        """Run a part of a search, and keep what it finds, in the columns' own units.

        Parameters
        ----------
        begun : Begun or None
            What `begin` gave.
        share : float
            Share of the effort for this output.
        """
        seconds, rounds = self._clock.seconds(share), max(int(self.budget.niterations * share), 1)
        if begun is not None and (seconds is None or seconds > 0):
            found = begun.running.run(rounds, seconds)
            self._keep([expr.xreplace(begun.units) for expr in found])

    def _first_terms(self) -> list[sp.Expr]:
        """Give what needs no search: variables and, where operators allow them, products of two."""
        terms = list(self.variables)
        if "*" in self._operators["binary_operators"]:
            few = self.variables[:MAX_PAIRED]
            terms += [v * other for i, v in enumerate(few) for other in few[: i + 1]]
        elif "square" in self._operators["unary_operators"]:
            terms += [v**2 for v in self.variables]
        return terms

    def candidates(
        self, target: Target, V: np.ndarray | None = None, is_good: Callable[[np.ndarray], bool] | None = None
    ) -> list[sp.Expr]:
        """Give formulas for a target: those that no smaller one beats on the training rows, refitted.

        Parameters
        ----------
        target : Target
            What the formulas shall say.
        V : ndarray of shape (m, p), default=None
            Other rows.
        is_good : callable, default=None
            Says of values (m,) on the other rows whether they will do. Those formulas that no smaller one
            beats, of those for which they do, are among the result too.

        Returns
        -------
        list of sympy.Expr
            In the units of the columns; a constant is among them.
        """
        maxsize, pool = self.budget.maxsize, self._pool
        scored: list[tuple[int, float, int, WeightedSum | sp.Expr]] = []
        for found in self.sums(target, maxsize):
            scored.append((found.complexity, target.loss(pool.values(found)), len(scored), found))
        for expr, known in self._expressions.items():
            if known.complexity <= maxsize:
                scored.append((known.complexity, target.loss(known.values), len(scored), expr))
        scored.sort(key=lambda row: row[:3])
        kept = _no_worse(scored)
        if V is not None and is_good is not None:
            good = []
            for row in scored:
                found = row[3]
                sum_of_terms = isinstance(found, WeightedSum)
                values = pool.values(found, V) if sum_of_terms else pool.values_on(found, V)
                if values is not None and is_good(values):
                    good.append(row)
            kept = [*kept, *_no_worse(good)]
        out: list[sp.Expr] = [sp.Float(float(np.average(target.values, weights=target.weights)))]
        for found in dict.fromkeys(kept):
            out.append(found.expression() if isinstance(found, WeightedSum) else found)
            if not self._deadline.is_over():
                t, weights = target.values, target.weights
                out.append(refit_constants(out[-1], self.variables, self._V, t, weights))
        return list(dict.fromkeys(out))

    def predictions(self, target: Target, V: np.ndarray) -> list[np.ndarray]:
        """Give what each sum of `sums` says of other rows (m, p); those without a value are left out."""
        values = [self._pool.values(found, V) for found in self.sums(target)]
        return [each for each in values if each is not None]

    def _keep(self, expressions: Sequence[sp.Expr]) -> None:
        for expr in expressions:
            values = finite_values(expr, self.variables, self._V)
            if values is not None:
                self._expressions[expr] = _Known(values, complexity(expr), tuple(split_terms(expr)))
                self._pool.add([expr])

    def _explained(self, target: Target, maxsize: int) -> np.ndarray:
        """Give what the best sum of known terms, of at most some complexity, says of a target."""
        sums = [self._pool.values(found) for found in self.sums(target, maxsize)]
        best = min(sums, key=target.loss, default=None)
        return np.zeros(len(self._V)) if best is None else best

    def sums(self, target: Target, maxsize: int | None = None) -> list[WeightedSum]:
        """Give sums of found terms, weighted by least squares for a target."""
        maxsize = self.budget.maxsize if maxsize is None else maxsize
        t, weights, pool = target.values, target.weights, self._pool
        choices: list[Sequence[sp.Expr]] = [*pool.pursue(t, weights, maxsize)]
        choices += pool.pursue(t, weights, maxsize, cost_aware=True)
        choices += [known.terms for known in self._expressions.values() if pool.covers(known.terms)]
        different = {frozenset(terms): terms for terms in reversed(choices)}
        sums = [pool.fit(terms, t, weights) for terms in reversed(different.values())]
        return [found for found in sums if found.complexity <= maxsize]

    def _rows(self, weights: np.ndarray, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray | None]:
        """Rows for the engine: all or a random part; where it knows no weights, rows stand for them."""
        limit = self.budget.max_rows
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


def _no_worse(scored: Sequence[tuple[int, float, int, Any]]) -> list[Any]:
    """Keep, of rows sorted by size and loss, the best of each size that is nearly as good as smaller ones."""
    kept, least, last = [], np.inf, 0
    for size, loss, _, found in scored:
        if loss <= NEARLY * least and size > last:
            kept.append(found)
            least, last = min(least, loss), size
    return kept


def _scaling(V: np.ndarray, centre: bool) -> tuple[np.ndarray, np.ndarray]:
    """Give what is subtracted from columns (n, p) and what divides them; 0 and 1 for indicators."""
    mean, sd = V.mean(axis=0), V.std(axis=0)
    indicator = ((V == 0) | (V == 1)).all(axis=0)
    shift = np.where((centre | (np.abs(mean) > FAR_FROM_ZERO * sd)) & ~indicator, mean, 0.0)
    scale = np.sqrt(np.mean((V - shift) ** 2, axis=0))
    return shift, np.where(indicator | (scale == 0), 1.0, scale)
