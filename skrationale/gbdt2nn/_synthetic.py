"""Rows near the training rows, for the teacher to label."""

from __future__ import annotations

import numpy as np


def swap_cells(
    matrix: np.ndarray,
    probability: float,
    rng: np.random.RandomState,
    sample_weight: np.ndarray | None = None,
    donors: np.ndarray | None = None,
) -> np.ndarray:
    """Copy a table and replace cells by those of random other rows, column by column.

    Whole cells travel, so missing values and categories keep their frequency.

    Parameters
    ----------
    matrix : ndarray of shape (n, d)
        Rows.
    probability : float
        Share of cells replaced.
    rng : RandomState
        Source of chance.
    sample_weight : ndarray of shape (n,), default=None
        A row gives its cells with a chance proportional to its weight.
    donors : ndarray of shape (m, d), default=None
        Rows that give their cells in place of those of `matrix`, with the same chance each.

    Returns
    -------
    ndarray of shape (n, d)
    """
    n, d = matrix.shape
    chance = None if sample_weight is None or donors is not None else sample_weight / sample_weight.sum()
    donors = matrix if donors is None else donors
    m, swapped = len(donors), matrix.copy()
    for j in range(d):
        rows = np.flatnonzero(rng.random_sample(n) < probability)
        source = rng.randint(m, size=len(rows)) if chance is None else rng.choice(m, len(rows), p=chance)
        swapped[rows, j] = donors[source, j]
    return swapped


def n_copies(n_synthetic: int | str, n: int) -> int:
    """Whole copies of the training rows that make about `n_synthetic` synthetic rows.

    ``"auto"``: 100,000 rows, but 4 to 100 a training row.
    """
    if n_synthetic == "auto":
        return min(max(4, -(-100_000 // n)), 100)
    return -(-int(n_synthetic) // n)
