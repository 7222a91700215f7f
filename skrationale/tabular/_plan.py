"""What a fitted encoder does, as plain arrays for who writes it in another language."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class EncodingPlan:
    """The encoded columns, in their order: numbers, signs of missing ones, levels, pieces.

    Parameters
    ----------
    numbers : ndarray of int of shape (a,)
        Columns of numbers; each becomes ``(x - center) / scale``, and 0 where it is missing.
    centers, scales : ndarray of shape (a,)
        In the units of the table; a scale is infinite where a column is always encoded as 0.
    missing : ndarray of int of shape (b,)
        Columns that become 1 where they are missing, else 0.
    categories : ndarray of int of shape (q,)
        Column of categories of each encoded column.
    codes : ndarray of shape (q,)
        Its code, NaN for missing ones: 1 where it is met, else 0.
    others : ndarray of bool of shape (q,)
        Whether it is 1 where none of the codes of its column is met instead.
    knots : dict of int to ndarray
        By column of numbers, the m + 1 knots of m pieces that rise from -1 to 1, and are 0 where it is
        missing.
    """

    numbers: np.ndarray
    centers: np.ndarray
    scales: np.ndarray
    missing: np.ndarray
    categories: np.ndarray
    codes: np.ndarray
    others: np.ndarray
    knots: dict[int, np.ndarray]
