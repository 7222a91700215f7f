"""Rows held out of a fit, to compare on."""

from __future__ import annotations

import math

import numpy as np

from .._random import own_random_state

FEWEST_VALIDATION_ROWS = 10
"""Rows; on fewer nothing can be compared. Not measured."""


def validation_split(
    target: np.ndarray, fraction: float, classes: bool, random_state: int, *, needed: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into those to fit on and those to validate on, the rule of all families.

    Parameters
    ----------
    target : ndarray of shape (n,)
        Numbers, or classes as integers from 0.
    fraction : float
        Share of rows to validate on.
    classes : bool
        Whether the target holds classes.
    random_state : int
        Draws the rows.
    needed : bool, default=True
        Whether there is anything to validate.

    Returns
    -------
    fit, valid : ndarray of int
        Positions, in rising order. None are in the second one where they are not needed, or would be less
        than 10: all rows are then fitted on.

    Raises
    ------
    ValueError
        When no row is left to fit on.

    Examples
    --------
    >>> fit, valid = validation_split(np.arange(100.0), 0.15, False, 0)
    >>> len(fit), len(valid)
    (85, 15)
    """
    rows = np.arange(len(target))
    if not needed or len(rows) * fraction < FEWEST_VALIDATION_ROWS:
        return rows, rows[:0]
    return hold_out(target, fraction, classes, random_state)


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

    Raises
    ------
    ValueError
        When no row is left to fit on.
    """
    from sklearn.model_selection import train_test_split

    n = len(target)
    if math.ceil(n * fraction) >= n:
        raise ValueError(
            f"The 'validation_fraction' parameter, {fraction}, leaves no row of {n} to train on."
        )
    labels = target if classes and can_stratify(target, fraction) else None
    fit, valid = train_test_split(
        np.arange(n),
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
