"""Layers for few rows, in float64 by numpy alone: a student that answers few rows never imports torch."""

from __future__ import annotations

import numpy as np

EXACT_ROWS = 512
"""Up to this many rows are computed in float64; more in float32, which differs by about 1e-6 of the score's
scale. Not measured."""
WORK_OF_ONE_THREAD = 2**19
"""Multiply-adds of a product that is left to OpenBLAS at once. Measured on 16 to 512 rows of layers of 256
and 128 units, two threads on two cores: from 2**20 on it wakes its threads, which spin for 2 to 35
times the CPU time; with 2**19 it stays in one thread, and is as fast there as with whole products."""


def looked_up(table: np.ndarray, encoded: np.ndarray) -> np.ndarray:
    """Add up the rows of a table (n_bins, h) that bins (n, d') select: (n, h), one column after another."""
    if len(encoded) == 1:
        return np.add.reduce(table.take(encoded[0], axis=0), axis=0, dtype=np.float64)[None]
    found = table.take(encoded[:, 0], axis=0).astype(np.float64)
    for bins in encoded.T[1:]:
        found += table.take(bins, axis=0)
    return found


def silu(x: np.ndarray) -> np.ndarray:
    """Activate rows in place: ``x / (1 + exp(-x))``.

    Far below 0 the quotient is -0.0, for ``exp`` overflows: callers take ``np.errstate(over="ignore")``.
    """
    below = np.negative(x)
    np.exp(below, out=below)
    below += 1
    return np.divide(x, below, out=x)


def softplus(x: np.ndarray) -> np.ndarray:
    """Half of ``log(1 + exp(2 x))``, which is x from 25 on."""
    twice = 2 * x
    return np.where(twice > 50, x, np.log1p(np.exp(np.minimum(twice, 50))) / 2)


def dense(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    """Multiply rows (n, a) with a weight (a, b), and add a bias (b,): (n, b), in one thread."""
    if len(x) == 1 or len(x) * weight.size <= WORK_OF_ONE_THREAD:
        found = x @ weight
    else:
        step = max(1, WORK_OF_ONE_THREAD // weight.size)
        found = np.empty((len(x), weight.shape[1]))
        for i in range(0, len(x), step):
            np.matmul(x[i : i + step], weight, out=found[i : i + step])
    if bias is not None:
        found += bias
    return found
