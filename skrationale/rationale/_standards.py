"""What a target is measured against: its mean and spread, or the frequencies of its classes."""

import numpy as np

from .._task import Task
from ..training import mean_and_std


def standards(y: np.ndarray, weight: np.ndarray, task: Task) -> tuple[np.ndarray, np.ndarray, float]:
    """Shift and scale (K,) of scores, and the loss of a constant prediction in standard units."""
    if not task.is_classification:
        mean, deviation = mean_and_std(y, weight)
        return np.array([mean]), np.array([deviation]), 1.0
    share = np.bincount(y, weights=weight) / weight.sum()
    entropy = float(-(share * np.log(np.where(share > 0, share, 1.0))).sum())
    return np.zeros(task.n_outputs), np.ones(task.n_outputs), entropy


def base_scores(y: np.ndarray, weight: np.ndarray, task: Task) -> np.ndarray:
    """Scores (K,) of the frequencies of encoded classes."""
    assert task.classes is not None
    share = np.bincount(y, weights=weight, minlength=len(task.classes)) / weight.sum()
    if task.n_outputs > 1:
        return np.log(np.maximum(share, np.finfo(float).tiny))
    if len(share) == 1:
        return np.zeros(1)
    return np.array([np.log(share[1] / share[0])])
