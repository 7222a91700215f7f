"""What formulas shall say, `y` in the units of a teacher's scores, and how far formulas are from `y`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, softmax

from .._task import Task


@dataclass(frozen=True, eq=False)
class Target:
    """What a formula shall say on the training rows.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Mean 0 and variance 1, or nearly so.
    weights : ndarray of shape (n,)
        Weights of the rows; those of weight 0 do not count.
    zero : float, default=0.0
        What 0, in the target's own unit, is among the values.
    """

    values: np.ndarray
    weights: np.ndarray
    zero: float = 0.0

    def loss(self, predictions: np.ndarray | None) -> float:
        """Mean squared error; infinite for no predictions."""
        if predictions is None:
            return np.inf
        return float(np.average((self.values - predictions) ** 2, weights=self.weights))


def target_as_scores(y: np.ndarray, scores: np.ndarray, task: Task, weights: np.ndarray) -> np.ndarray:
    """Say `y` (n,) in the units of the teacher's scores (n, K).

    A label points to the corner of its class, and so far that one would be as sure of it as the teacher is.
    """
    if not task.is_classification:
        return y[:, None]
    if task.n_outputs == 1:
        label, probability = 2.0 * y[:, None] - 1, 2 * expit(scores) - 1
    else:
        label = (y[:, None] == np.arange(scores.shape[1])) - 1 / scores.shape[1]
        probability = softmax(scores, axis=1) - 1 / scores.shape[1]
    length, certainty = (np.average(np.abs(s).mean(axis=1), weights=weights) for s in (scores, probability))
    return np.asarray(label * length / max(certainty, 1e-9))


def constant_loss(y: np.ndarray, task: Task, weights: np.ndarray) -> float:
    """Mean loss of the best constant, for `y` (n,) as the task encodes it: its variance or its entropy."""
    if not task.is_classification:
        return float(np.average((y - np.average(y, weights=weights)) ** 2, weights=weights))
    shares = np.bincount(y, weights) / weights.sum()
    return float(-(shares * np.log(np.maximum(shares, np.finfo(float).tiny))).sum())


def row_losses(y: np.ndarray, scores: np.ndarray, task: Task) -> np.ndarray:
    """Squared error or log-loss of each row (n,), of scores (n, K) against `y` as the task encodes it."""
    if not task.is_classification:
        return np.asarray((y - scores[:, 0]) ** 2)
    probabilities = task.probabilities(scores)[np.arange(len(y)), y]
    return np.asarray(-np.log(np.maximum(probabilities, np.finfo(float).tiny)))
