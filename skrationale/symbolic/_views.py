"""Fewer variables for a law: slopes of a smooth teacher tell which columns matter through a product or a sum.

If a function depends on two columns by their product alone, its slopes have a fixed ratio in each row, and
so for quotients, sums and differences. If a column multiplies the whole, its relative slope is the same in
all rows. Networks as guides to such symmetries are those of Udrescu et al., "AI Feynman 2.0", 2020,
arXiv:2006.10782, section 2.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from ..formula.program import symbols
from ..formula.variables import Variable, variable_values
from ..teachers import Teacher
from ._smooth_teacher import is_smooth

ALIKE, CLEARLY_ALIKE = 0.08, 0.03
"""Two slopes stand for a symmetry when they differ by at most this share of their sizes, both in the median.
Measured on 39 laws with 1,000 rows: true ones differ by .003 to .077; false ones, where a function is nearly
a power, by .008 and more. So both limits are tried, and the higher one without factors."""
STEP = 0.01
"""Slopes are differences over so many standard deviations to each side. Not measured."""
POWERS = (-3.0, -2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Exponents of what may multiply the whole. Not measured."""
MAX_ROWS = 2000
"""Rows on which slopes are compared. Not measured."""


@dataclass(frozen=True)
class View:
    """Says that a target is a factor times an unknown function of arguments.

    Parameters
    ----------
    factor : sympy.Expr
        In the variables.
    arguments : tuple of m sympy.Expr
        In the variables, each of which is in one of them or in the factor.
    """

    factor: sp.Expr
    arguments: tuple[sp.Expr, ...]


class _Step(NamedTuple):
    """From a view to one with an argument less.

    Parameters
    ----------
    wrong : float
        How far slopes are from what they must be, see `_unlike`.
    first, second : int
        Positions of the arguments; a factor has no second one.
    how : float or str
        The power of a factor, or what joins two arguments.
    """

    wrong: float
    first: int
    second: int | None
    how: Any


@dataclass(frozen=True, eq=False)
class _Slopes:
    """A view with values on n rows: of its arguments (n, m), of the function (n,) and its slopes (n, m)."""

    view: View
    Z: np.ndarray
    values: np.ndarray
    slopes: np.ndarray

    def factors(self, operators: Sequence[str]) -> Iterator[_Step]:
        """Give steps that take an argument, to some power, out of the function."""
        names = set(operators)
        for j, (z, slope) in enumerate(zip(self.Z.T, self.slopes.T, strict=True)):
            if not (z.all() and self.values.all()):
                continue
            has_roots = bool(names & {"sqrt", "sqrtabs"}) and bool((z > 0).all())
            for power in POWERS:
                if (power.is_integer() or has_roots) and ("*" if power > 0 else "/") in names:
                    yield _Step(_unlike(z * slope, power * self.values), j, None, power)

    def pairs(self, operators: Sequence[str]) -> Iterator[_Step]:
        """Give steps that put one argument in the place of two."""
        for j, i in combinations(range(self.Z.shape[1]), 2):
            a, b = self.Z[:, i], self.Z[:, j]
            ways = {"*": (a, -b), "/": (a, b), "-": (1.0, 1.0), "+": (1.0, -1.0)}
            for sign, (by_a, by_b) in ways.items():
                if sign in operators and (sign != "/" or b.all()):
                    wrong = _unlike(self.slopes[:, i] * by_a, -self.slopes[:, j] * by_b)
                    yield _Step(wrong, i, j, sign)

    def after(self, step: _Step, operators: Sequence[str]) -> _Slopes:
        """Take a step."""
        if step.second is None:
            return self._without(step.first, step.how, "sqrt" in operators)
        return self._joined(step.first, step.second, step.how)

    def _without(self, j: int, power: float, has_sqrt: bool) -> _Slopes:
        """Divide by a power of an argument."""
        by, argument = self.Z[:, j] ** power, self.view.arguments[j]
        if not power.is_integer() and not has_sqrt:
            argument = sp.Abs(argument)
        rest = [m for m in range(self.Z.shape[1]) if m != j]
        arguments = tuple(self.view.arguments[m] for m in rest)
        view = View(self.view.factor * argument ** sp.Rational(int(2 * power), 2), arguments)
        return _Slopes(view, self.Z[:, rest], self.values / by, self.slopes[:, rest] / by[:, None])

    def _joined(self, i: int, j: int, sign: str) -> _Slopes:
        """Put one argument in the place of two; its slope is that by which both are met best."""
        first, second, a, b = *(self.view.arguments[m] for m in (i, j)), self.Z[:, i], self.Z[:, j]
        one = np.ones(len(a))
        argument, values, by_a, by_b = {
            "*": (first * second, a * b, b, a),
            "/": (first / second, a / b, 1 / b, -a / b**2),
            "-": (first - second, a - b, one, -one),
            "+": (first + second, a + b, one, one),
        }[sign]
        size = np.maximum(by_a**2 + by_b**2, np.finfo(float).tiny)
        slope = (self.slopes[:, i] * by_a + self.slopes[:, j] * by_b) / size
        rest = [m for m in range(self.Z.shape[1]) if m not in (i, j)]
        arguments = (*(self.view.arguments[m] for m in rest), argument)
        Z = np.column_stack([self.Z[:, rest], values])
        slopes = np.column_stack([self.slopes[:, rest], slope])
        return replace(self, view=View(self.view.factor, arguments), Z=Z, slopes=slopes)


def _unlike(a: np.ndarray, b: np.ndarray) -> float:
    """How far slopes (n,) are from each other, as a share of their sizes, in the median."""
    size = float(np.median(np.abs(a) + np.abs(b)))
    wrong = float(np.median(np.abs(a - b))) / size if size > 0 else np.inf
    return np.inf if np.isnan(wrong) else wrong


@np.errstate(all="ignore")
def find_views(
    V: np.ndarray,
    values: np.ndarray,
    slopes: np.ndarray,
    variables: Sequence[sp.Symbol],
    operators: Sequence[str],
) -> tuple[list[View], list[View]]:
    """Look for views of a function with fewer arguments than it has variables.

    Parameters
    ----------
    V : ndarray of shape (n, p)
        Rows.
    values : ndarray of shape (n,)
        The function, which need only be known nearly.
    slopes : ndarray of shape (n, p)
        Its derivatives.
    variables : sequence of p sympy.Symbol
    operators : sequence of str
        What formulas may hold.

    Returns
    -------
    ends : list of View
        At most three, those with the fewest arguments first.
    between : list of View
        Others on the way to them, in the same order.

    Examples
    --------
    >>> V = np.random.RandomState(0).uniform(1, 2, (50, 3))
    >>> y = V[:, 2] * np.exp(V[:, 0] * V[:, 1])
    >>> slopes = np.column_stack([V[:, 1] * y, V[:, 0] * y, y / V[:, 2]])
    >>> find_views(V, y, slopes, sp.symbols("a:c"), ["*"])
    ([View(factor=c, arguments=(a*b,)), View(factor=1, arguments=(c, a*b))], [])
    """
    start = _Slopes(View(sp.S.One, tuple(variables)), V, values, slopes)
    ends: list[View] = []
    way: list[View] = []
    for limit, with_factors in ((ALIKE, True), (CLEARLY_ALIKE, True), (ALIKE, False)):
        state = start
        while len(state.view.arguments) > 1:
            steps = [*state.pairs(operators), *(state.factors(operators) if with_factors else ())]
            step = min(steps, key=lambda step: step.wrong, default=None)
            if step is None or step.wrong > limit:
                break
            state = state.after(step, operators)
            way.append(state.view)
        if state is not start:
            ends.append(state.view)
    ends = sorted(dict.fromkeys(ends), key=lambda view: len(view.arguments))
    between = sorted(dict.fromkeys(way), key=lambda view: len(view.arguments))
    return ends, [view for view in between if view not in ends]


def views_of(
    teachers: Sequence[Teacher],
    variables: tuple[Variable, ...],
    matrix: np.ndarray,
    operators: Sequence[str],
    position: int,
) -> tuple[list[View], list[View]]:
    """Look for views of what a smooth network of one output says, see `find_views`; none for other teachers.

    Parameters
    ----------
    teachers : sequence of Teacher
        One of them is asked about rows next to those of `matrix`.
    variables : tuple of p Variable
        What formulas may use; columns with missing cells, and levels, stay as they are.
    matrix : ndarray of shape (n, d)
        Rows, as the reader of the teacher's table gives them.
    operators : sequence of str
        What formulas may hold.
    position : int
        That of the teacher.

    Returns
    -------
    ends, between : list of View
    """
    teacher = teachers[position]
    model = teacher.model
    if not is_smooth(model) or teacher.task.n_outputs > 1 or not len(matrix):
        return [], []
    matrix = matrix[np.linspace(0, len(matrix) - 1, min(len(matrix), MAX_ROWS)).astype(int)]
    own, order = model._reader.transform(teacher.form.of_matrix(matrix)), teacher.form.order
    V = variable_values(variables, matrix)
    slopes = np.full(V.shape, np.nan)
    for j, variable in enumerate(variables):
        step, column = STEP * V[:, j].std(), variable.column
        if variable.kind != "number" or not step > 0 or np.isnan(matrix[:, column]).any():
            continue
        if order is not None:
            column = int(np.flatnonzero(np.asarray(order) == column)[0])
        ends = []
        for change in (step, -step):
            changed = own.copy()
            changed[:, column] += change
            ends.append(model._scores(changed)[:, 0])
        slopes[:, j] = (ends[0] - ends[1]) / (2 * step)
    return find_views(V, model._scores(own)[:, 0], slopes, symbols(len(variables)), operators)
