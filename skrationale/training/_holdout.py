"""Rows held out of a fit, to compare on."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import train_test_split

from .._random import own_random_state

FEWEST_VALIDATION_ROWS = 10
"""On fewer rows nothing can be compared."""


def hold_out(
    target: np.ndarray, fraction: float, classes: bool, random_state: int | np.random.RandomState | None
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into those to fit on and those held out, class by class where there are classes.

    Parameters
    ----------
    target : ndarray of shape (n,)
        Numbers, or classes as integers from 0.
    fraction : float
        Share of rows held out.
    classes : bool
        Whether the target holds classes.
    random_state : int, RandomState or None
        Draws the rows.

    Returns
    -------
    fit, valid : ndarray of int
        Positions, in rising order.
    """
    labels = target if classes and can_stratify(target, fraction) else None
    fit, valid = train_test_split(
        np.arange(len(target)),
        test_size=fraction,
        stratify=labels,
        random_state=own_random_state(random_state),
    )
    return np.sort(fit), np.sort(valid)


def can_stratify(target: np.ndarray, fraction: float) -> bool:
    """Whether each class, of integers from 0, can be on both sides of a split."""
    counts = np.bincount(target)
    smaller = min(fraction, 1 - fraction) * counts.sum()
    return bool(counts.min() > 1 and smaller > len(counts))
