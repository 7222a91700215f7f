"""Search terms, and leave to validation rows which teacher is taken, and how much of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from .._task import Task
from ..formula.program import Program, symbols
from ._distillation import Data, predict_best_sum
from ._front import ScoredFormula, choose
from ._search import Begun, Searcher
from ._targets import Target, constant_loss, row_losses
from ._views import View

START_SHARE = 0.12
"""Share of the effort by which it is found out whether to search for `y` or for the teacher. Not measured."""
NO_NOISE = 0.01
"""A teacher whose loss against `y` is at most this share of that of a constant has no noise to take away, so
that `y` itself is searched for. Not measured."""
MAYBE_LAW = 0.3
"""Where the teacher's loss is at most this share of that of a constant, laws are looked for. Not measured."""
LAW_PARTS = 5
"""After each so many parts of a search for a law it is seen whether it was found. Not measured."""
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
    views: Callable[[int], tuple[list[View], list[View]]] = lambda teacher: ([], []),
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
    views : callable, default=None
        Gives the views of the teacher at a position, see `find_views`; None: there are none.

    Returns
    -------
    chosen : int
        Position of the teacher.
    measured : list of dict
        What was measured of each teacher, see `choose_teacher`; empty where there is one.
    """
    budget, most, least = searchers[0].budget, max(shares), min(shares)
    middle, is_number = len(fits) // 2, not task.is_classification

    def begin(k: int, teacher: int, share: float, turn: int) -> Begun | None:
        target = fits[teacher].standardised(k, share)
        if target is None:
            return None
        if not turn and not share and is_number:
            searchers[k].add_product(target)
        return searchers[k].begin(target, turn, rng)

    def loss(teacher: int, share: float) -> float:
        pair = fits[teacher : teacher + 1], valids[teacher : teacher + 1]
        return choose_teacher(searchers, *pair, y, task, share)[1][0]["formula_loss"]

    chosen, better, spent = middle, most, 0.0
    losses = [float(np.average(row_losses(y, valid.scores, task), weights=valid.weights)) for valid in valids]
    nearest = int(np.argmin(losses)) if is_number else middle
    open_ = losses[nearest] / max(constant_loss(y, task, valids[0].weights), np.finfo(float).tiny)
    may_be_law = is_number and not least and open_ <= MAYBE_LAW
    ends, between = views(nearest) if may_be_law else ([], [])
    target = fits[nearest].standardised(0, 0.0) if may_be_law and (open_ <= NO_NOISE or ends) else None
    if target is not None and (_find_law(searchers[0], target, [*ends, *between]) or open_ <= NO_NOISE):
        better = least
        _search_law(searchers[0], target, ends, rng)
    else:
        better = least if open_ <= NO_NOISE else most
        tried = {better, least}
        begun = {share: [begin(k, middle, share, 0) for k in range(len(searchers))] for share in tried}
        if len(begun) > 1:  # a short search for each, then a long one for the better
            spent = START_SHARE
            for share in (least, most):
                for searcher, search in zip(searchers, begun[share], strict=True):
                    searcher.go_on(search, spent)
            better = min(most, least, key=lambda share: loss(middle, share))
        for searcher, search in zip(searchers, begun[better], strict=True):
            searcher.go_on(search, budget.whole - len(begun) * spent)
    if len(fits) > 1:
        chosen, _ = choose_teacher(searchers, fits, valids, y, task, most)
    for turn in range(1, budget.n_searches):
        for k, searcher in enumerate(searchers):
            searcher.go_on(begin(k, chosen, better, turn), budget.rest)
    if len(fits) == 1:
        return 0, []
    return choose_teacher(searchers, fits, valids, y, task, most)


def _find_law(searcher: Searcher, target: Target, views: Sequence[View]) -> bool:
    """Look for a product, or a law of few terms, in all columns or in a view of few arguments."""
    searcher.add_product(target)
    for view in (*views, View(sp.S.One, searcher.variables)):
        if searcher.is_said(target) or searcher.is_late():
            break
        searcher.add_sum(target, view)
        searcher.polish(target)
    return searcher.is_said(target)


def _search_law(
    searcher: Searcher, target: Target, views: Sequence[View], rng: np.random.RandomState
) -> None:
    """Search for a law without noise in several ways, a while in each, then in the best, until it is found.

    The ways are all columns as they are, views that have fewer arguments, and all columns centred.
    """
    every = View(sp.S.One, searcher.variables)
    ways: list[Callable[[], Begun | None]] = [
        *(partial(searcher.begin_view, target, view, rng) for view in (every, *views)),
        partial(searcher.begin, target, 0, rng, centre=True),
    ]
    tried: list[tuple[float, Begun]] = []
    for way in ways:
        begun = None if searcher.is_said(target) else way()
        if begun is not None:
            tried.append((searcher.go_on(begun, START_SHARE), begun))
            searcher.polish(target)
    best = min(tried, key=lambda each: each[0])[1] if tried else None
    parts = 0 if best is None else LAW_PARTS if best.running.goes_on else 1
    for _ in range(parts):
        if not searcher.is_said(target):
            searcher.go_on(best, (searcher.budget.whole - START_SHARE * len(tried)) / parts)
            searcher.polish(target)


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
