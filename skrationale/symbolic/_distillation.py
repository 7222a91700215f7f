"""From a teacher's scores to a front of formulas for each output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import sympy as sp

from .._task import Task
from ..explanation.ruler import on_ruler
from ..formula import Formula
from ..formula.program import symbols
from ..formula.tree import complexity
from ..formula.variables import Variable
from ..tabular import TableReader
from ..teachers import Teacher
from ..training import mean_and_std
from ._front import ScoredFormula, pareto
from ._refit import refit_constants, round_constants
from ._search import Searcher
from ._targets import Target
from ._terms import finite_values

N_HYBRIDS = 2000
"""Rows with one column exchanged, on which formulas may not leave the range of the target. Not measured."""
POLE_LOSS_RATIO = 2.0
"""A formula that leaves the range of the target is kept when all others have so many times its loss. Not
measured."""


@dataclass(frozen=True, eq=False)
class Data:
    """The rows of a distillation.

    Parameters
    ----------
    V : ndarray of shape (n, p)
        Variables in their own units.
    scores : ndarray of shape (n, K)
        Scores of the teacher.
    truth : ndarray of shape (n, K)
        What `y` says in the same units; rows made by us have NaN.
    weights : ndarray of shape (n,)
        Weights of the rows.
    """

    V: np.ndarray
    scores: np.ndarray
    truth: np.ndarray
    weights: np.ndarray

    def __add__(self, other: Data) -> Data:
        return Data(*(np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)))

    def standardised(self, k: int, teacher_weight: float) -> Target | None:
        """Give what a formula of output k shall say, in standard units; None where it does not vary."""
        standard = _StandardisedTarget(*self.target(k, teacher_weight))
        return standard.target if standard.scale > 0 else None

    def part(self, rows: np.ndarray) -> Data:
        """Take some of the rows."""
        return Data(self.V[rows], self.scores[rows], self.truth[rows], self.weights[rows])

    def target(self, k: int, teacher_weight: float) -> tuple[np.ndarray, np.ndarray]:
        """Mix the teacher's score k with `y`: values (n,) and weights; made rows have the teacher alone."""
        made = np.isnan(self.truth[:, k])
        mixed = teacher_weight * self.scores[:, k] + (1 - teacher_weight) * self.truth[:, k]
        values = np.where(made, self.scores[:, k], mixed)
        return values, self.weights * ~made if teacher_weight == 0 else self.weights


def label_rows(teachers: Sequence[Teacher], table: Any, V: np.ndarray) -> list[Data]:
    """Let each teacher label made rows, of which `y` says nothing.

    Parameters
    ----------
    teachers : sequence of Teacher
    table : DataFrame or ndarray of shape (n, d)
        The rows, as teachers take them.
    V : ndarray of shape (n, p)
        Their variables.

    Returns
    -------
    list of Data
        An entry for each teacher.
    """
    scores = [teacher.scores(table) for teacher in teachers]
    return [Data(V, score, np.full(score.shape, np.nan), np.ones(len(V))) for score in scores]


def empty_formulas(
    variables: tuple[Variable, ...], V: np.ndarray, reader: TableReader, task: Task
) -> list[Formula]:
    """Make an empty formula for each output.

    Parameters
    ----------
    variables : tuple of p Variable
        What formulas may use.
    V : ndarray of shape (n, p)
        Their values in training rows.
    reader : TableReader
        Reads the table that they come from.
    task : Task
        What is predicted.

    Returns
    -------
    list of K Formula
    """
    box = [V.min(axis=0), V.max(axis=0)]
    zero, link = sp.Integer(0), task.link
    return [
        Formula(zero, variables, reader=reader, output_name=name, link=link, box=box)
        for name in task.output_names
    ]


def predict_best_sum(
    searcher: Searcher, data: Data, valid: Data, k: int, teacher_weight: float
) -> np.ndarray:
    """Give what the best sum of found terms says on validation rows (m,)."""
    standard = _StandardisedTarget(*data.target(k, teacher_weight))
    target, weights = valid.target(k, teacher_weight)
    predictions = [np.full(len(target), standard.shift)]
    if standard.scale > 0:
        found = searcher.predictions(standard.target, valid.V)
        predictions += [standard.shift + standard.scale * values for values in found]
    return min(predictions, key=lambda value: float(np.average((value - target) ** 2, weights=weights)))


def make_fronts(
    searcher: Searcher,
    data: Data,
    valid: Data,
    template: Formula,
    k: int,
    teacher_weights: Sequence[float],
    rng: np.random.RandomState,
) -> dict[float, tuple[ScoredFormula, ...]]:
    """Make a front of found terms for each share of the teacher in the target.

    Formulas that leave the range of the target by its width, on rows with one column exchanged, are left out
    if others are nearly as good: reasons are computed from such rows, and new rows may be like them.

    Parameters
    ----------
    searcher : Searcher
        Has searched.
    data, valid : Data
        Rows to fit on, and rows to judge on.
    template : Formula
        Any formula over the same variables.
    k : int
        The output.
    teacher_weights : sequence of float
        Shares of the teacher.
    rng : RandomState
        Exchanges columns.

    Returns
    -------
    dict of float to tuple of ScoredFormula
    """
    fronts, hybrids = {}, with_exchanged_column(data.V[data.weights > 0], rng)
    for weight in teacher_weights:
        standard = _StandardisedTarget(*data.target(k, weight))
        candidates: list[sp.Expr] = [sp.Float(0.0)]
        if standard.scale > 0:
            candidates = searcher.candidates(standard.target, hybrids, standard.are_tame)
        judge = _Judge(standard, searcher.variables, data.V, valid, template, k, weight)
        measured = judge.measured(candidates)
        said = [(row, finite_values(row[2], searcher.variables, hybrids)) for row in measured]
        tame = [row for row, values in said if values is not None and standard.are_tame(values)]
        best, best_tame = _undominated(measured), _undominated(tame)
        fronts[weight] = judge.front(best)
        if best_tame and best_tame != best:
            front = judge.front(best_tame)
            if front[-1].loss <= POLE_LOSS_RATIO * fronts[weight][-1].loss:
                fronts[weight] = front
    return fronts


@dataclass(frozen=True, eq=False)
class _Judge:
    """Makes a front of expressions in standard units, judged on validation rows."""

    standard: _StandardisedTarget
    variables: Sequence[sp.Symbol]
    V: np.ndarray
    valid: Data
    template: Formula
    k: int
    teacher_weight: float

    def measured(self, expressions: Sequence[sp.Expr]) -> list[tuple[int, float, sp.Expr]]:
        """Give complexity and loss of those that have a value for each validation row."""
        target, weights = self.valid.target(self.k, self.teacher_weight)
        found = []
        for expr in expressions:
            values = finite_values(expr, self.variables, self.valid.V)
            if values is not None:
                off = target - (self.standard.shift + (self.standard.scale or 1.0) * values)
                found.append((complexity(expr), float(np.average(off**2, weights=weights)), expr))
        return found

    def front(self, expressions: Sequence[sp.Expr]) -> tuple[ScoredFormula, ...]:
        """Write expressions in the units of the target, with few digits, and measure them."""
        standard = self.standard
        rounded = [
            round_constants(standard.restore(e), self.variables, self.V, standard.values, standard.weights)
            for e in expressions
        ]
        return measured_front(rounded, self.valid, self.template, self.k, self.teacher_weight)


def _undominated(measured: Sequence[tuple[int, float, sp.Expr]]) -> list[sp.Expr]:
    """Keep those that no smaller or equal one beats: to write all of them nicely would take long."""
    kept, least = [], np.inf
    for _, loss, expr in sorted(measured, key=lambda row: row[:2]):
        if loss < least:
            kept.append(expr)
            least = loss
    return kept


def with_exchanged_column(V: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Make 2000 rows out of distinct rows (n, p), each with one column of another row."""
    V = np.unique(V, axis=0)  # weights and repeated rows then mean the same
    made = V[rng.randint(len(V), size=N_HYBRIDS)]
    if V.shape[1]:
        rows, columns = np.arange(N_HYBRIDS), rng.randint(V.shape[1], size=N_HYBRIDS)
        made[rows, columns] = V[rng.randint(len(V), size=N_HYBRIDS), columns]
    return made


class _StandardisedTarget:
    """A target in standard units, and the way back."""

    def __init__(self, values: np.ndarray, weights: np.ndarray) -> None:
        self.values, self.weights = values, weights
        self.shift, self.scale = mean_and_std(values, weights)
        scale = self.scale or 1.0
        self.target = Target((values - self.shift) / scale, weights, zero=-self.shift / scale)

    def restore(self, expr: sp.Expr) -> sp.Expr:
        scale = sp.Float(self.scale or 1.0)
        return sp.Add(*(scale * term for term in sp.Add.make_args(expr)), sp.Float(self.shift))

    def are_tame(self, values: np.ndarray) -> bool:
        """Whether values (m,), in standard units, stay near the target's: outside by their range at most."""
        known = (self.values - self.shift) / (self.scale or 1.0)
        low, high = known.min(), known.max()
        width = high - low
        return bool(values.min() >= low - width and values.max() <= high + width)


def measured_front(
    expressions: Iterable[sp.Expr], valid: Data, template: Formula, k: int, teacher_weight: float
) -> tuple[ScoredFormula, ...]:
    """Measure expressions on validation rows and keep the front."""
    from sklearn.metrics import r2_score

    values, weights = valid.target(k, teacher_weight)
    rows = []
    for expr in expressions:
        predictions = finite_values(expr, symbols(valid.V.shape[1]), valid.V)
        if predictions is not None:
            loss = float(np.average((predictions - values) ** 2, weights=weights))
            teacher, own = valid.scores[:, k], predictions
            if template.link == "logit":  # one of several classes alone has no log-odds
                teacher, own = (on_ruler(score[:, None], "logit", 2)[:, 0] for score in (teacher, own))
            fidelity = r2_score(teacher, own, sample_weight=valid.weights)
            formula = template.with_expr(expr)
            r2 = np.nan
            if formula.link == "identity":
                r2 = r2_score(valid.truth[:, k], predictions, sample_weight=valid.weights)
            rows.append(ScoredFormula(formula, loss, float(fidelity), float(r2)))
    return pareto(rows)


def refit_front(
    front: tuple[ScoredFormula, ...], data: Data, k: int, teacher_weight: float
) -> tuple[ScoredFormula, ...]:
    """Fit the constants of a front once more, to all rows; what was measured on validation rows is kept."""
    standard = _StandardisedTarget(*data.target(k, teacher_weight))
    if standard.scale == 0:
        return front
    rows, variables = [], symbols(data.V.shape[1])
    for row in front:
        fitted = refit_constants(row.formula.expr, variables, data.V, standard.values, standard.weights)
        if finite_values(fitted, variables, data.V) is not None:
            fitted = round_constants(fitted, variables, data.V, standard.values, standard.weights)
            row = replace(row, formula=row.formula.with_expr(fitted))
        rows.append(row)
    return tuple(rows)
