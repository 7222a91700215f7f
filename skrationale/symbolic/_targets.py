"""What a teacher says, what `y` says in the same units, and how far formulas are from `y`."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, logit, softmax

from .._task import Task

LARGEST_LOGIT = 8.0


def teacher_scores(teacher: Any, task: Task, table: Any) -> np.ndarray:
    """Ask a teacher for its scores: predictions of a regressor, log-odds of a classifier.

    Parameters
    ----------
    teacher : estimator
        Fitted.
    task : Task
        What it predicts.
    table : DataFrame or ndarray of shape (n, d)
        Rows as the teacher takes them.

    Returns
    -------
    ndarray of shape (n, K)
        Finite scores; log-odds are clipped to 8 either way.

    Raises
    ------
    ValueError
        When they have another shape, or are not finite.
    """
    if not task.is_classification:
        scores = np.asarray(teacher.predict(table), dtype=np.float64).reshape(len(table), -1)
    elif hasattr(teacher, "predict_proba"):
        scores = _log_odds(np.asarray(teacher.predict_proba(table), dtype=np.float64))
    else:
        scores = np.asarray(teacher.decision_function(table), dtype=np.float64).reshape(len(table), -1)
    if scores.shape[1] != task.n_outputs or not np.isfinite(scores).all():
        raise ValueError(
            f"The teacher {type(teacher).__name__} gave scores of shape {scores.shape}, "
            f"{np.count_nonzero(~np.isfinite(scores))} of them not finite; expected {task.n_outputs} "
            "finite number(s) a row."
        )
    return scores


def _log_odds(probabilities: np.ndarray) -> np.ndarray:
    """Log-odds (n, 1) of the second class, or centred logarithms (n, C) for more classes."""
    if probabilities.shape[1] <= 2:
        positive = probabilities[:, -1:] if probabilities.shape[1] == 2 else np.ones((len(probabilities), 1))
        with np.errstate(divide="ignore"):
            return np.clip(logit(positive), -LARGEST_LOGIT, LARGEST_LOGIT)
    logs = np.log(np.maximum(probabilities, np.finfo(float).tiny))
    scores = np.clip(logs - logs.max(axis=1, keepdims=True), -2 * LARGEST_LOGIT, 0)
    return np.asarray(scores - scores.mean(axis=1, keepdims=True))


def truth(y: np.ndarray, scores: np.ndarray, task: Task, weights: np.ndarray) -> np.ndarray:
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
