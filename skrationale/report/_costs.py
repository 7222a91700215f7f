"""What a model costs: bytes, parts, and microseconds."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

TURNS = 3
LONG = 0.25
"""Seconds that one call should take at most; of slower ones fewer rows are timed."""
OF_TEACHERS = frozenset(("teacher", "teacher_", "teacher_audit_"))


class _Counter:
    def __init__(self) -> None:
        self.total = 0

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.total += size
        return size


def kilobytes(model: Any, heads: Sequence[Any] = ()) -> float:
    """Size of a pickled model with the steps before it, without its teacher, which it does not need."""
    state = {name: value for name, value in vars(model).items() if name not in OF_TEACHERS}
    # LightGBM and its like write their own state
    kept: Any = model if len(state) == len(vars(model)) else state
    counter = _Counter()
    pickle.Pickler(counter, protocol=5).dump((kept, *heads))
    return counter.total / 1000


def parts(model: Any) -> str:
    """Count what a model is made of, where that is known from outside; else an empty text."""
    if isinstance(model, Pipeline):
        return parts(model[-1])
    if hasattr(model, "formulas_"):
        return _count(sum(formula.complexity for formula in model.formulas_), "symbol")
    if hasattr(model, "n_active_attributes_"):
        return _count(model.n_active_attributes_, "attribute")
    if hasattr(model, "booster_"):
        return _count(model.booster_.num_trees(), "tree")
    if hasattr(model, "tree_"):
        return _count(model.tree_.node_count, "node")
    trees = [tree for tree in np.ravel(getattr(model, "estimators_", ())) if hasattr(tree, "tree_")]
    if trees:
        return _count(sum(tree.tree_.node_count for tree in trees), "node")
    weights = getattr(model, "coefs_", None)
    if weights is not None:
        return _count(sum(map(np.size, [*weights, *model.intercepts_])), "parameter")
    if hasattr(model, "coef_"):
        return _count(np.size(model.coef_), "coefficient")
    return ""


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def microseconds_a_row(
    calls: Sequence[Callable[[int], Any] | None], seconds: Sequence[float], n_rows: int
) -> list[float]:
    """Time calls that take turns, so that a busy moment slows all of them down.

    Parameters
    ----------
    calls : sequence of (callable or None)
        Each is given a number of rows, from the first, to work on; None is not timed.
    seconds : sequence of float
        How long each took for all rows, when it was first called.
    n_rows : int
        Rows there are.

    Returns
    -------
    list of float
        Medians; NaN for None.
    """
    sizes = [n_rows if first <= LONG else max(1, int(n_rows * LONG / first)) for first in seconds]
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(TURNS):
        for call, size, own in zip(calls, sizes, times, strict=True):
            if call is not None:
                start = perf_counter()
                call(size)
                own.append((perf_counter() - start) / size * 1e6)
    return [median(own) if own else float("nan") for own in times]
