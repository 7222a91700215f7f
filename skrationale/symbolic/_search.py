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
from ._budget import SearchBudget, SearchClock
from ._operators import holds_only
from ._product_laws import product_law
from ._refit import refit_constants
from ._sum_laws import sum_law
from ._targets import Target
from ._terms import TermPool, WeightedSum, finite_values, split_terms, values_of
from ._views import View
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
LAW_ROWS = 2000
"""Laws are looked for without the engine on so many rows: they bear as many terms as a third of that. Not
measured."""
ROUGH = 1e-5
"""Candidates are refitted until a step lowers their squared error by at most this share; what is taken is
fitted to the end. Not measured."""
TEACHER_SHARE = 0.25
"""Share of the time that training a smooth teacher may take. Not measured."""
SEARCH_SHARE = 0.85
"""Share of the time left that searches may take; what they found is then put together. Not measured."""
FLAT = 1e-9
"""A target of a smaller standard deviation, in standard units, leaves nothing to search for. Not measured."""


class Begun(NamedTuple):
    """A search that has begun: its variables in units of the columns, its target, and a factor of all."""

    running: RunningSearch
    units: dict[sp.Symbol, sp.Expr]
    target: Target
    factor: sp.Expr = sp.S.One

    def in_own_units(self, found: sp.Expr) -> list[sp.Expr]:
        """Write what was found in the columns' own units; with a factor as a product and as a sum."""
        return times(self.factor, found.xreplace(self.units))


def times(factor: sp.Expr, expr: sp.Expr) -> list[sp.Expr]:
    """Multiply an expression as a whole, and term by term; with 1 it stays as it is."""
    if factor == 1:
        return [expr]
    return [factor * expr, sp.Add(*(factor * term for term in sp.Add.make_args(expr)))]


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
        self._last: tuple[tuple[Target, int, int], WeightedSum | None] | None = None
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

    @property
    def operators(self) -> list[str]:
        """Names of all that formulas may hold."""
        return [name for each in self._operators.values() for name in each]

    def begin(
        self, target: Target, turn: int, rng: np.random.RandomState, *, centre: bool | None = None
    ) -> Begun | None:
        """Begin a search for a target, on scaled columns.

        Parameters
        ----------
        target : Target
            What a formula shall say.
        turn : int
            0 for a search for the whole of it; later ones look for what the terms found so far leave open.
        rng : RandomState
            Source of seeds.
        centre : bool, default=None
            Whether the mean of each column becomes 0; None: in every other turn, from the first one on.

        Returns
        -------
        Begun or None
            None where nothing is left, no time is left, or there are few distinct rows.
        """
        budget = self.budget
        if not self._can_search(target):
            return None
        size = budget.maxsize * turn // budget.n_searches or budget.maxsize
        left = target.values - self._explained(target, size)
        sought = left if turn else target.values
        rows, weights = self._rows(target.weights, sought, rng)
        t = sought[rows]
        if min(t.std(), left[rows].std()) <= FLAT:
            return None
        shift, scale = _scaling(self._V[rows], centre=turn % 2 == 0 if centre is None else centre)
        maxsize = max(budget.maxsize * 2 // 3, 3) if turn else budget.maxsize
        running = self._run((self._V[rows] - shift) / scale, t, weights, maxsize, rng)
        return Begun(running, _units(self.variables, shift, scale), target)

    def begin_view(self, target: Target, view: View, rng: np.random.RandomState) -> Begun | None:
        """Begin a search for a target as a view shows it: for its function of few arguments.

        Parameters
        ----------
        target : Target
            What a formula shall say.
        view : View
            How it depends on the variables.
        rng : RandomState
            Source of seeds.

        Returns
        -------
        Begun or None
            None as for `begin`, or where the view has no value in some row.
        """
        seen = self._seen(view)
        if seen is None or not self._can_search(target):
            return None
        Z, factor = seen
        rows, weights = self._rows(target.weights, target.values, rng)
        t = (target.values[rows] - target.zero) / factor[rows]
        if t.std() <= FLAT * np.abs(t).max():
            return None
        if view.factor != 1:
            self._keep([view.factor])
        shift, scale = _scaling(Z[rows], centre=False)
        running = self._run((Z[rows] - shift) / scale, t, weights, self.budget.maxsize, rng)
        return Begun(running, _units(view.arguments, shift, scale), target, view.factor)

    def add_product(self, target: Target) -> None:
        """Keep the product of powers that says a target, if there is one."""
        rows = self._different_rows(target)
        t = target.values[rows] - target.zero
        law = product_law(self._V[rows], t, self.variables, self.operators)
        self._keep([] if law is None else [law])

    def add_sum(self, target: Target, view: View) -> None:
        """Keep the law of few terms that says a target as a view shows it, if there is one."""
        seen, rows = self._seen(view), self._different_rows(target)
        if seen is not None:
            Z, factor = seen
            t = (target.values[rows] - target.zero) / factor[rows]
            law = sum_law(dict(zip(view.arguments, Z[rows].T, strict=True)), t, self.operators)
            written = [] if law is None else times(view.factor, law)
            self._keep([each for each in written if holds_only(each, self.operators)])

    def is_late(self) -> bool:
        """Whether the time to search is over."""
        return self._clock.is_over()

    def _different_rows(self, target: Target) -> np.ndarray:
        """Give rows that count and differ; if there are many some of all parts of the table."""
        rows = np.flatnonzero(target.weights > 0)
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), LAW_ROWS)).astype(int)]
        return rows[np.sort(np.unique(self._V[rows], axis=0, return_index=True)[1])]

    def _seen(self, view: View) -> tuple[np.ndarray, np.ndarray] | None:
        """Evaluate the arguments (n, m) and the factor (n,) of a view; None where they are not of use."""
        if not all(holds_only(part, self.operators) for part in (*view.arguments, view.factor)):
            return None
        values = values_of((*view.arguments, view.factor), self.variables, self._V)
        return None if values is None or not values[:, -1].all() else (values[:, :-1], values[:, -1])

    def _can_search(self, target: Target) -> bool:
        """Whether there are time and distinct rows enough."""
        some = self._V[target.weights > 0]
        return not self.is_late() and len(np.unique(some, axis=0)) >= FEWEST_ROWS

    def _run(
        self,
        Z: np.ndarray,
        t: np.ndarray,
        weights: np.ndarray | None,
        maxsize: int,
        rng: np.random.RandomState,
    ) -> RunningSearch:
        """Let the engine begin with scaled columns (n, p) and any target (n,)."""
        return self._engine.begin(
            Z,
            (t - t.mean()) / t.std(),
            weights=weights,
            **self._operators,
            maxsize=maxsize,
            population_size=self.budget.population_size,
            random_state=int(rng.randint(2**31 - 1)),
        )

    def go_on(self, begun: Begun | None, share: float) -> list[sp.Expr]:
        """Run a part of a search, and keep what it finds, in the columns' own units.

        Parameters
        ----------
        begun : Begun or None
            What `begin` gave.
        share : float
            Share of the effort for this output.

        Returns
        -------
        list of sympy.Expr
            What was found; nothing where no time is left.
        """
        seconds, rounds = self._clock.seconds(share), max(int(self.budget.niterations * share), 1)
        if begun is None or not (seconds is None or seconds > 0):
            return []
        found = [each for expr in begun.running.run(rounds, seconds) for each in begun.in_own_units(expr)]
        self._keep(found)
        return found

    def least_loss(self, found: Sequence[sp.Expr], target: Target) -> float:
        """Give the least mean squared error of what was found, with coefficients by least squares."""
        pool, t, weights = self._pool, target.values, target.weights
        known = [self._expressions[expr].terms for expr in found if expr in self._expressions]
        sums = pool.fit([terms for terms in known if pool.covers(terms)], t, weights)
        return min((target.loss(pool.values(each)) for each in sums), default=np.inf)

    def polish(self, target: Target) -> None:
        """Fit all constants of the best sum of what was found, and keep it."""
        best = self._best_sum(target, self.budget.maxsize)
        if best is not None:
            expr, t, weights = best.expression(), target.values, target.weights
            self._keep([refit_constants(expr, self.variables, self._V, t, weights)])

    def is_said(self, target: Target) -> bool:
        """Whether a sum of what was found says a target, up to rounding."""
        left = target.values - self._explained(target, self.budget.maxsize)
        return bool(left[target.weights > 0].std() <= FLAT)

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
                out.append(refit_constants(out[-1], self.variables, self._V, t, weights, ROUGH))
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
        best = self._best_sum(target, maxsize)
        values = None if best is None else self._pool.values(best)
        return np.zeros(len(self._V)) if values is None else values

    def _best_sum(self, target: Target, maxsize: int) -> WeightedSum | None:
        """Give the best sum of known terms; what was given last is remembered while nothing new is known."""
        asked = (target, maxsize, len(self._expressions))
        if self._last is None or self._last[0] != asked:
            self._last = asked, self._search_sum(target, maxsize)
        return self._last[1]

    def _search_sum(self, target: Target, maxsize: int) -> WeightedSum | None:
        sums = self.sums(target, maxsize)
        return min(sums, key=lambda found: target.loss(self._pool.values(found)), default=None)

    def sums(self, target: Target, maxsize: int | None = None) -> list[WeightedSum]:
        """Give sums of found terms, weighted by least squares for a target."""
        maxsize = self.budget.maxsize if maxsize is None else maxsize
        t, weights, pool = target.values, target.weights, self._pool
        choices: list[Sequence[sp.Expr]] = [*pool.pursue(t, weights, maxsize)]
        choices += pool.pursue(t, weights, maxsize, cost_aware=True)
        choices += [known.terms for known in self._expressions.values() if pool.covers(known.terms)]
        different = {frozenset(terms): terms for terms in reversed(choices)}
        chosen = [terms for terms in reversed(different.values()) if pool.complexity(terms) <= maxsize]
        return pool.fit(chosen, t, weights)

    def _rows(
        self, weights: np.ndarray, sought: np.ndarray, rng: np.random.RandomState
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Rows for the engine: all or a random part; where it knows no weights, rows stand for them.

        These are in an order of their own, whatever that of the table is.
        """
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
        rows = rng.permutation(rows)[:limit] if len(rows) > limit else rows
        return rows[np.lexsort((sought[rows], *self._V[rows].T))], None


def _no_worse(scored: Sequence[tuple[int, float, int, Any]]) -> list[Any]:
    """Keep, of rows sorted by size and loss, the best of each size that is nearly as good as smaller ones."""
    kept, least, last = [], np.inf, 0
    for size, loss, _, found in scored:
        if loss <= NEARLY * least and size > last:
            kept.append(found)
            least, last = min(least, loss), size
    return kept


def _units(expressions: Sequence[sp.Expr], shift: np.ndarray, scale: np.ndarray) -> dict[sp.Symbol, sp.Expr]:
    """Say what an engine's variables are: expressions less a shift (m,), divided by a scale (m,)."""
    scaled = [
        expr * sp.Float(1 / s) - sp.Float(m / s) if m else expr * sp.Float(1 / s)
        for expr, m, s in zip(expressions, shift.tolist(), scale.tolist(), strict=True)
    ]
    return dict(zip(symbols(len(scaled)), scaled, strict=True))


def _scaling(V: np.ndarray, centre: bool) -> tuple[np.ndarray, np.ndarray]:
    """Give what is subtracted from columns (n, p) and what divides them; 0 and 1 for indicators."""
    mean, sd = V.mean(axis=0), V.std(axis=0)
    indicator = ((V == 0) | (V == 1)).all(axis=0)
    shift = np.where((centre | (np.abs(mean) > FAR_FROM_ZERO * sd)) & ~indicator, mean, 0.0)
    scale = np.sqrt(np.mean((V - shift) ** 2, axis=0))
    return shift, np.where(indicator | (scale == 0), 1.0, scale)
