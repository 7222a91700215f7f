"""Search terms, and leave to validation rows which teacher is taken, and how much of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from .._task import Task
from ..formula.program import Program, symbols
from ._distillation import Data, predict_best_sum
from ._front import ScoredFormula, choose
from ._laws import NO_NOISE, START_SHARE, search_law
from ._search import Begun, Searcher
from ._targets import constant_loss, row_losses
from ._views import View

TOLERANCE = 0.02
"""What a faithful formula may lose, as a share of the loss of the most accurate one. Not measured."""
MOST_ALIKE = 2.0
"""A loss of so many times the least is not as good, however large its standard error is. Not measured."""
ROUNDING = 1e-12
"""Losses below this share of that of a constant are alike: they are rounding. Not measured."""


def search_terms(
    searchers: Sequence[Searcher],
    fits: Sequence[Data],
    valids: Sequence[Data],
    y: np.ndarray,
    task: Task,
    shares: Sequence[float],
    rng: np.random.RandomState,
    views: Callable[[int], tuple[list[View], list[View]]],
) -> tuple[int, list[dict[str, float]]]:
    """Search terms for each output; choose what is searched for on the way, and a teacher of several.

    Where `y` and the teacher compete, each is searched for a while; the search with the better formula for
    `y` on validation rows goes on. Where the teacher is nearly exact, all effort is for `y`: it may be a law
    without noise, which views of the teacher with fewer arguments show.

    Parameters
    ----------
    searchers : sequence of K Searcher
        Keep what is found, one for each output.
    fits, valids : sequence of Data
        Rows to fit on and to judge on, an entry for each teacher.
    y : ndarray of shape (m,)
        Targets of the latter, as the task encodes them.
    task : Task
        What is predicted.
    shares : sequence of float
        Shares of the teacher in the target that are tried.
    rng : RandomState
        Source of seeds.
    views : callable
        Gives the views of the teacher at a position, see :func:`~._views.find_views`.

    Returns
    -------
    chosen : int
        Position of the teacher.
    measured : list of dict
        What was measured of each teacher, see `choose_teacher`; empty where there is one.
    """
    budget, least, is_number = searchers[0].budget, min(shares), not task.is_classification
    middle = chosen = len(fits) // 2
    left_open = [_left_open(valid, y, task) for valid in valids]
    nearest = int(np.argmin(left_open)) if is_number else middle
    labels = fits[nearest].standardised(0, 0.0) if is_number and not least else None
    find_views = partial(views, nearest)
    if labels is not None and search_law(searchers[0], labels, left_open[nearest], find_views, rng):
        share = least
    else:
        tried = (least,) if left_open[nearest] <= NO_NOISE else (least, max(shares))
        share = _race(searchers, fits[middle], valids[middle], y, task, tried, rng)
    if len(fits) > 1:
        chosen, _ = choose_teacher(searchers, fits, valids, y, task, max(shares))
    targets = [fits[chosen].standardised(k, share) for k in range(len(searchers))]
    is_said = is_number and targets[0] is not None and searchers[0].is_said(targets[0])
    for turn in range(1, 1 if is_said else budget.n_searches):
        for searcher, target in zip(searchers, targets, strict=True):
            searcher.go_on(None if target is None else searcher.begin(target, turn, rng), budget.rest)
    if len(fits) == 1:
        return 0, []
    return choose_teacher(searchers, fits, valids, y, task, max(shares))


def _left_open(valid: Data, y: np.ndarray, task: Task) -> float:
    """Give the loss of a teacher against `y` (m,) on validation rows, as a share of that of a constant."""
    lost = float(np.average(row_losses(y, valid.scores, task), weights=valid.weights))
    return lost / max(constant_loss(y, task, valid.weights), np.finfo(float).tiny)


def _race(
    searchers: Sequence[Searcher],
    fit: Data,
    valid: Data,
    y: np.ndarray,
    task: Task,
    shares: Sequence[float],
    rng: np.random.RandomState,
) -> float:
    """Search for a target for each share of the teacher a while, then for the best one; return its share."""
    begun: dict[float, list[Begun | None]] = {share: [] for share in shares}
    for share, searches in begun.items():
        for k, searcher in enumerate(searchers):
            target = fit.standardised(k, share)
            if target is not None and not share and not task.is_classification:
                searcher.add_product(target)
            searches.append(None if target is None else searcher.begin(target, 0, rng))
    spent, better = 0.0, shares[0]
    if len(begun) > 1:
        spent = START_SHARE
        for searches in begun.values():
            for searcher, search in zip(searchers, searches, strict=True):
                searcher.go_on(search, spent)

        def loss(share: float) -> float:
            return choose_teacher(searchers, [fit], [valid], y, task, share)[1][0]["formula_loss"]

        better = min(reversed(begun), key=loss)  # the teacher's, where both are as good
    for searcher, search in zip(searchers, begun[better], strict=True):
        searcher.go_on(search, searchers[0].budget.whole - len(begun) * spent)
    return better


def choose_teacher(
    searchers: Sequence[Searcher],
    fits: Sequence[Data],
    valids: Sequence[Data],
    y: np.ndarray,
    task: Task,
    teacher_weight: float,
) -> tuple[int, list[dict[str, float]]]:
    """Choose the teacher described best, of those whose formulas are nearly the best for `y`.

    A loss is nearly the best if it is higher by at most 2 %, or by at most one standard error of the
    difference and at most twice as high.

    Parameters
    ----------
    searchers : sequence of K Searcher
        Have searched, one for each output.
    fits, valids : sequence of Data
        Rows to fit on and to judge on, an entry for each teacher.
    y : ndarray of shape (m,)
        Targets of the latter, as the task encodes them.
    task : Task
        What is predicted.
    teacher_weight : float
        Share of the teacher in the target.

    Returns
    -------
    chosen : int
        Position of the teacher.
    measured : list of dict
        For each teacher ``formula_loss`` (against `y`) and ``fidelity_r2`` (against the teacher).
    """
    from sklearn.metrics import r2_score

    measured, lost, weights = [], [], valids[0].weights
    for fit, valid in zip(fits, valids, strict=True):
        scores = np.column_stack(
            [
                predict_best_sum(searcher, fit, valid, k, teacher_weight)
                for k, searcher in enumerate(searchers)
            ]
        )
        lost.append(row_losses(y, scores, task))
        loss = float(np.average(lost[-1], weights=weights))
        fidelity = r2_score(valid.scores, scores, sample_weight=valid.weights)
        measured.append({"formula_loss": loss, "fidelity_r2": float(fidelity)})
    losses = [entry["formula_loss"] for entry in measured]
    least = int(np.argmin(losses))
    alike = [
        i
        for i, own in enumerate(lost)
        if losses[i] <= MOST_ALIKE * losses[least]
        and losses[i] - losses[least] <= standard_error(own - lost[least], weights)
    ]
    near = sorted({*near_best(losses, constant_loss(y, task, weights)), *alike})
    return max(near, key=lambda i: measured[i]["fidelity_r2"]), measured


def choose_share(
    fronts: Sequence[Mapping[float, tuple[ScoredFormula, ...]]],
    valid: Data,
    y: np.ndarray,
    task: Task,
    model_selection: str,
) -> tuple[float, list[dict[str, Any]]]:
    """Choose the largest share of the teacher, of those whose formulas are nearly the best for `y`.

    However faithful, a formula is not taken when another one is shorter and more accurate.

    Parameters
    ----------
    fronts : sequence of K mappings of float to tuple of ScoredFormula
        For each output the front of each share.
    valid : Data
        Rows to judge on.
    y : ndarray of shape (m,)
        Their targets, as the task encodes them.
    task : Task
        What is predicted.
    model_selection : str
        Which formula of a front speaks for it.

    Returns
    -------
    share : float
    selection : list of dict
        For each share ``teacher_weight``, ``loss``, ``complexity``, ``standard_error`` and ``selected``. The
        standard error is that of how much more or less is lost than with the least share, row by row: nearer
        losses than that are told apart by chance.
    """
    shares, losses = list(fronts[0]), []
    selection: list[dict[str, Any]] = []
    for share in shares:
        rows = [by_share[share][choose(by_share[share], model_selection)] for by_share in fronts]
        programs = [Program(row.formula.expr, symbols(valid.V.shape[1])) for row in rows]
        scores = np.column_stack([program(valid.V) for program in programs])
        losses.append(row_losses(y, scores, task))
        loss = float(np.average(losses[-1], weights=valid.weights))
        size = sum(row.formula.complexity for row in rows)
        selection.append({"teacher_weight": share, "loss": loss, "complexity": size})
    near = near_best([entry["loss"] for entry in selection], constant_loss(y, task, valid.weights))
    taken = max(shares[i] for i in undominated(selection) if i in near)
    least = losses[shares.index(min(shares))]
    for entry, own in zip(selection, losses, strict=True):
        entry["standard_error"] = standard_error(own - least, valid.weights)
        entry["selected"] = entry["teacher_weight"] == taken
    return taken, selection


def standard_error(values: np.ndarray, weights: np.ndarray) -> float:
    """Give the standard error of the mean of values (m,) whose weights (m,) stand for repeated rows.

    Examples
    --------
    >>> standard_error(np.array([1.0, 3.0, 1.0, 3.0]), np.ones(4))
    0.5
    """
    variance = np.average((values - np.average(values, weights=weights)) ** 2, weights=weights)
    return float(np.sqrt(variance / weights.sum()))


def undominated(selection: Sequence[Mapping[str, float]]) -> list[int]:
    """Find formulas than which no other is both shorter and more accurate, as `choose_share` measures them.

    Examples
    --------
    >>> undominated([{"loss": 1.01, "complexity": 30}, {"loss": 1.0, "complexity": 4}])
    [1]
    """
    measured = [(entry["loss"], entry["complexity"]) for entry in selection]
    return [
        i
        for i, (loss, size) in enumerate(measured)
        if not any(other < loss and shorter < size for other, shorter in measured)
    ]


def near_best(losses: Sequence[float], constant: float) -> list[int]:
    """Find losses that are a little above the least at most.

    Parameters
    ----------
    losses : sequence of float
        Mean losses.
    constant : float
        That of the best constant.

    Returns
    -------
    list of int
        Positions, in rising order.
    """
    least = min(losses)
    limit = least + max(TOLERANCE * least, ROUNDING * constant)
    return [i for i, loss in enumerate(losses) if loss <= limit]
