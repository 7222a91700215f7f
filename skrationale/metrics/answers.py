"""How good raw scores of a task are: against the truth, and against a teacher's."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._weights import check_weights
from ..explanation.ruler import on_ruler
from ..tabular import as_numbers, read_target
from ._fidelity import prediction_fidelity
from .labels import label_measures


def score_of(task: Any, y: Any, predictions: np.ndarray, sample_weight: Any = None) -> float:
    """Score predictions: accuracy of labels, R2 of numbers; `y` is read as in fit."""
    from sklearn.metrics import accuracy_score, r2_score

    y = read_target(y, warn=False)
    weight = None if sample_weight is None else check_weights(sample_weight, len(predictions))
    if task is not None and task.is_classification:
        return float(accuracy_score(y, predictions, sample_weight=weight))
    return float(r2_score(as_numbers(y), predictions, sample_weight=weight))


def judged(task: Any, y: Any, scores: np.ndarray, probabilities: np.ndarray | None) -> dict[str, float]:
    """Score raw scores (n, K) against `y`: accuracy or R2, and AUROC and log-loss of probabilities (n, C)."""
    result = {"score": score_of(task, y, task.predict(scores))}
    if task.is_classification and probabilities is not None:
        result |= label_measures(y, probabilities, task.classes)
    return result


def probabilities_of(task: Any, scores: np.ndarray) -> np.ndarray | None:
    """Class probabilities (n, C) by raw scores (n, K); None for numbers."""
    return task.probabilities(scores) if task.is_classification else None


def agreement(
    scores: np.ndarray,
    teacher_scores: np.ndarray,
    task: Any,
    *,
    teacher_probabilities: np.ndarray | None = None,
    sample_weight: np.ndarray | None = None,
) -> dict[str, float]:
    """Measure how well scores (n, K) agree with those of a teacher, both put on one ruler.

    See `prediction_fidelity` and `on_ruler`. Where a teacher gives probabilities (n, C) of its own they are
    taken, else those that its scores say.
    """
    n_classes = None if task.classes is None else len(task.classes)
    if task.link == "probability":  # near 0 and 1 log-odds would make much of what is next to nothing
        own, other = np.clip(scores, 0.0, 1.0), np.clip(teacher_scores, 0.0, 1.0)
    else:
        own, other = (on_ruler(given, task.link, n_classes) for given in (scores, teacher_scores))
    if teacher_probabilities is None:
        teacher_probabilities = probabilities_of(task, teacher_scores)
    return prediction_fidelity(
        own,
        other,
        probabilities=probabilities_of(task, scores),
        teacher_probabilities=teacher_probabilities,
        sample_weight=sample_weight,
    )
