"""Random numbers of one's own: numpy's global generator is neither read nor advanced."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

FIXED_BY_THEMSELVES = ("lightgbm", "xgboost", "catboost")
"""Packages whose estimators take ``random_state=None`` for a fixed seed."""


def own_random_state(random_state: Any) -> np.random.RandomState:
    """Turn a `random_state` into a generator, as scikit-learn does but for None.

    Parameters
    ----------
    random_state : int, RandomState or None
        None: a generator of its own, seeded by the operating system. A generator is used as it is, and so is
        advanced by what is drawn.

    Returns
    -------
    RandomState

    Raises
    ------
    ValueError
        When it is none of these.

    Examples
    --------
    >>> from skrationale._random import own_random_state
    >>> int(own_random_state(0).randint(100))
    44
    """
    if random_state is None:
        return np.random.RandomState()
    # imported here, so that `skrationale.datasets` stays quick to import
    from sklearn.utils import check_random_state

    return check_random_state(random_state)


def fixed_seed(random_state: Any) -> int:
    """Draw a seed, or take that which is given: an integer can be used twice, and kept."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(own_random_state(random_state).randint(2**31 - 1))


def seed_unseeded(estimator: Any, random_state: Any) -> Any:
    """Give a seed to each part of an estimator that would draw from numpy's global generator.

    Parameters
    ----------
    estimator : estimator
        Not fitted; changed in place.
    random_state : int, RandomState or None
        Draws the seeds. Without such a part nothing is drawn.

    Returns
    -------
    estimator
    """
    found = estimator.get_params()
    parts = [name for name in sorted(found) if name.rpartition("__")[2] == "random_state"]
    unseeded = []
    for name in parts:
        owner = found[name.rpartition("__")[0]] if "__" in name else estimator
        package = type(owner).__module__.partition(".")[0]
        if found[name] is None and package not in FIXED_BY_THEMSELVES:
            unseeded.append(name)
    if unseeded:
        rng = own_random_state(random_state)
        estimator.set_params(**{name: int(rng.randint(2**31 - 1)) for name in unseeded})
    return estimator
