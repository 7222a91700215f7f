"""Contributions of many rows, some at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._batches import CELLS, in_batches, one_or_several, rows_at_once
from ._few_rows import EXACT_ROWS
from ._monotone import CHUNK_ROWS

FEW_CELLS = 2**16
"""Contributions of a batch of a large table, 512 kB, unless 2048 rows have more. Measured: with the usual
4 MB a table of 240 MB takes no less time and 16 MB more, but 10,000 rows take 10 % less time."""
LARGE = 2**23
"""Contributions from which a table is large: 64 MB. Not measured."""


def values_in_batches(
    contributions: Callable[[np.ndarray], np.ndarray],
    matrix: np.ndarray,
    n_outputs: int,
    batch_size: int | None = None,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Compute contributions (B, K, d) of some rows after others.

    Parameters
    ----------
    contributions : callable
        Gives them for a matrix of rows (B, d).
    matrix : ndarray of shape (n, d)
        All rows.
    n_outputs : int
        Number K of outputs.
    batch_size : int, default=None
        Rows at once; of many rows it is rounded up to whole chunks of inference in float32, so that no digit
        depends on it.
    n_jobs : int, default=None
        Threads that share the batches.

    Returns
    -------
    ndarray of shape (n, d) or (n, d, K)
        Read-only.
    """
    cells = CELLS if matrix.size * n_outputs < LARGE else FEW_CELLS
    size = batch_size or rows_at_once(matrix.shape[1], n_outputs, cells)
    if len(matrix) > EXACT_ROWS:
        size = whole_chunks(size)

    def part(rows: slice) -> list[np.ndarray]:
        return [one_or_several(contributions(matrix[rows]).transpose(0, 2, 1))]

    return in_batches(part, len(matrix), size, n_jobs)[0]


def whole_chunks(size: int) -> int:
    """Round a number of rows up to whole chunks of inference in float32."""
    return -(-size // CHUNK_ROWS) * CHUNK_ROWS
