"""What a model costs: bytes, parts, and microseconds."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Any

from sklearn.pipeline import Pipeline

from .._hooks import hooks_of
from ..writing import count_of

TURNS = 3
LONG = 0.25
"""Seconds that one call should take at most; of slower ones fewer rows are timed."""


class _Counter:
    def __init__(self) -> None:
        self.total = 0

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.total += size
        return size


def kilobytes(model: Any, pipelines: Sequence[Any] = ()) -> float:
    """Size of a pickled model with the steps before it, without its teacher, which it does not need."""
    of_teacher = hooks_of(model)._of_teacher
    state = {name: value for name, value in vars(model).items() if name not in of_teacher}
    # LightGBM and its like write their own state
    kept: Any = model if len(state) == len(vars(model)) else state
    counter = _Counter()
    pickle.Pickler(counter, protocol=5).dump((kept, *pipelines))
    return counter.total / 1000


def parts(model: Any) -> str:
    """Count what a model is made of, where that is known; else an empty text."""
    if isinstance(model, Pipeline):
        return parts(model[-1])
    size = hooks_of(model)._size()
    return "" if size is None else count_of(*size)


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
