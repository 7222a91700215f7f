"""Compute something of many rows a few at a time, so that memory is bounded by the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from joblib import Parallel, delayed

CELLS, LEAST = 2**19, 2048
"""Numbers of a batch, 4 MB, and fewest rows, unless a caller says how many."""


def check_batching(batch_size: Any, n_jobs: Any) -> None:
    """Refuse what is no number of rows, or of threads.

    Parameters
    ----------
    batch_size : int or None
        Of at least 1.
    n_jobs : int or None
        Not 0; below 0 it is counted from the number of cores.

    Raises
    ------
    ValueError
        When one of them is something else.
    """
    if batch_size is not None and (_no_integer(batch_size) or batch_size < 1):
        raise ValueError(f"`batch_size` must be an integer of at least 1 or None, got {batch_size!r}.")
    if n_jobs is not None and (_no_integer(n_jobs) or n_jobs == 0):
        raise ValueError(f"`n_jobs` must be an integer other than 0, or None, got {n_jobs!r}.")


def _no_integer(value: Any) -> bool:
    return not isinstance(value, Integral) or isinstance(value, bool)


def rows_at_once(n_columns: int, n_outputs: int, cells: int = CELLS) -> int:
    """Say how many rows make a batch of about so many numbers: a multiple of 2048, and at least 2048."""
    return max(cells // (n_columns * n_outputs) // LEAST, 1) * LEAST


def one_or_several(values: np.ndarray) -> np.ndarray:
    """Leave out the last axis of values (n, d, K) where there is one output."""
    return values[..., 0] if values.shape[-1] == 1 else values


def in_batches(
    part: Callable[[slice], Sequence[np.ndarray]], n: int, size: int, n_jobs: int | None = None
) -> list[np.ndarray]:
    """Call a function with parts of n rows, and put what it gives together.

    Parameters
    ----------
    part : callable
        Gives arrays with one entry for each row of a slice.
    n : int
        How many rows there are, at least one.
    size : int
        Most rows of a part.
    n_jobs : int, default=None
        Threads that share the parts; None: 1.

    Returns
    -------
    list of ndarray
        One for each array, read-only. Beside them no more is kept than what one part takes in each thread.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.arange(5.0)
    >>> in_batches(lambda chosen: [2 * rows[chosen]], 5, 2)
    [array([0., 2., 4., 6., 8.])]
    """
    first = part(slice(0, min(size, n)))
    results = [np.empty((n, *array.shape[1:]), array.dtype) for array in first]

    def put(chosen: slice, found: Sequence[np.ndarray]) -> None:
        for result, array in zip(results, found, strict=True):
            result[chosen] = array

    def work(start: int) -> None:
        chosen = slice(start, min(start + size, n))
        put(chosen, part(chosen))

    put(slice(0, size), first)
    if n > size:
        Parallel(n_jobs=n_jobs, backend="threading")(delayed(work)(start) for start in range(size, n, size))
    for result in results:
        result.setflags(write=False)
    return results
