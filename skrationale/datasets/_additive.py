"""A target that is a sum of functions of single columns, so that its reasons are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._random import own_random_state

PARTS: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    lambda x: 2 * x,
    lambda x: np.sin(np.pi * x),
    lambda x: 3 * x**2 - 1,
    np.sign,
    lambda x: 2 * np.abs(x) - 1,
)
"""Each has mean 0 over the uniform distribution on [-1, 1]."""


def make_additive(
    n_samples: int = 500, n_features: int = 10, *, noise: float = 0.1, random_state: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Generate a regression problem whose true contributions are known.

    Columns are independent and uniform on [-1, 1]. The target is the sum of a line, a sine, a parabola, a
    step and a tent of the first five columns, and noise; all other columns have no effect. Each part has mean
    0, so it is also the exact Shapley value of its column.

    Parameters
    ----------
    n_samples : int, default=500
        Rows n.
    n_features : int, default=10
        Columns d. With fewer than five columns, the parts of the missing columns are left out.
    noise : float, default=0.1
        Standard deviation of the noise added to the target.
    random_state : int, RandomState or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n, d)
        Rows.
    y : ndarray of shape (n,)
        Target.
    contributions : ndarray of shape (n, d)
        True contributions; they add up to the target without its noise.

    Raises
    ------
    ValueError
        If `n_samples` or `n_features` is below 1, or `noise` is negative.

    Examples
    --------
    >>> from skrationale.datasets import make_additive
    >>> X, y, contributions = make_additive(4, 6, noise=0.0, random_state=0)
    >>> X.shape, y.shape, contributions.shape
    ((4, 6), (4,), (4, 6))
    >>> bool(abs(y - contributions.sum(axis=1)).max() < 1e-12)
    True
    >>> bool((contributions[:, 5] == 0).all())
    True
    """
    bounds = {"n_samples": (n_samples, 1), "n_features": (n_features, 1), "noise": (noise, 0)}
    for name, (value, bound) in bounds.items():
        if value < bound:
            raise ValueError(f"{name} is {value!r}; expected a number of at least {bound}.")
    rng = own_random_state(random_state)
    X = rng.uniform(-1, 1, size=(n_samples, n_features))
    contributions = np.zeros_like(X)
    for j, part in enumerate(PARTS[:n_features]):
        contributions[:, j] = part(X[:, j])
    return X, contributions.sum(axis=1) + noise * rng.standard_normal(n_samples), contributions
