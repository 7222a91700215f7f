"""How sure figures are: the part of each row in a figure, and standard errors of figures and differences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import rankdata

ERRORS = 2.0
"""Standard errors by which a figure must be better: by chance about 1 in 40 is. Not measured."""


def parts_of_r2(y: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Give what each row (n,) adds to R2, as far as R2 is a mean.

    Examples
    --------
    >>> y, predicted = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0])
    >>> round(float(parts_of_r2(y, predicted).mean()), 3), 1 - 1 / 2
    (0.5, 0.5)
    """
    squares, errors = (y - y.mean()) ** 2, (y - predicted) ** 2
    r2 = 1 - errors.sum() / squares.sum()
    parts: np.ndarray = r2 - (errors - (1 - r2) * squares) / squares.mean()
    return parts


def parts_of_auroc(positive: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Give what each row (n,) adds to the AUROC of a score for rows that are positive (n,) or not.

    Of a positive row it is the share of negative ones below it, and the other way round (DeLong et al.,
    Comparing the Areas under Two or More Correlated Receiver Operating Characteristic Curves, Biometrics
    1988), weighted so that the mean of all rows is the AUROC and their variance is its.

    Examples
    --------
    >>> parts_of_auroc(np.array([False, True]), np.array([0.2, 0.8]))
    array([1., 1.])
    """
    n, among = len(score), np.empty(len(score))
    for own in (positive, ~positive):
        among[own] = rankdata(score[own])
    other = np.where(positive, n - positive.sum(), positive.sum())
    share = (rankdata(score) - among) / other
    share = np.where(positive, share, 1 - share)
    area = share[positive].mean()
    kind = np.where(positive, positive.mean(), 1 - positive.mean())
    parts: np.ndarray = area + (share - area) / kind
    return parts


def parts_of_labels(y: np.ndarray, probabilities: np.ndarray, classes: list[Any]) -> dict[str, np.ndarray]:
    """Give what each row (n,) adds to log-loss and AUROC of probabilities (n, C), by their names."""
    own = np.array([[label == name for name in classes] for label in y.tolist()])
    certain = np.clip(probabilities, np.finfo(float).eps, 1.0)
    parts = {"log_loss": -np.log(np.where(own, certain, 1.0)).sum(axis=1)}
    occur = [k for k in np.flatnonzero(own.any(axis=0)) if not own[:, k].all()]
    occur = [k for k in occur if k == 1] if len(classes) == 2 else occur
    if occur:
        parts["auroc"] = np.mean([parts_of_auroc(own[:, k], probabilities[:, k]) for k in occur], axis=0)
    return parts


def error_of(parts: np.ndarray) -> float:
    """Give the standard error of a mean of parts (n,); NaN of a single row."""
    return float(parts.std(ddof=1) / math.sqrt(len(parts))) if len(parts) > 1 else math.nan


def error_of_share(share: float, n: int) -> float:
    """Give the standard error of a share of n rows."""
    return math.sqrt(max(share * (1 - share), 0.0) / n)


def error_of_difference(
    name: str,
    parts: tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]],
    errors: tuple[Mapping[str, float], Mapping[str, float]],
) -> float:
    """Give the standard error of a difference of two members on the same rows; NaN where it is unknown."""
    a, b = (one.get(name) for one in parts)
    if a is not None and b is not None:
        return error_of(a - b)
    return math.hypot(*(one.get(name, math.nan) for one in errors))
