"""What a student asks its teacher: scores, and how much it wants each column of a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from lightgbm import LGBMModel
from sklearn.base import is_classifier

from .._task import Task
from ..base import probabilities_of
from ..explanation._ruler import ask
from ._selecting import SelectsColumns

MAX_LOGIT = 5.0
"""How sure a ranking of columns can make a student of one."""


def task_of(teacher: Any) -> Task:
    """Say what a fitted teacher predicts."""
    if isinstance(teacher, SelectsColumns):
        return teacher._task
    if not is_classifier(teacher):
        return Task("identity", 1)
    classes = np.asarray(teacher.classes_)
    return Task.of_classes(classes)


def answers_of(teacher: Any, table: Any, task: Task) -> tuple[np.ndarray, np.ndarray | None]:
    """Raw scores (n, K) of a teacher and, of a classifier, its probabilities (n, C)."""
    if isinstance(teacher, SelectsColumns):
        scores = teacher._scores(teacher._read(table))
        return scores, probabilities_of(task, scores)
    return ask(teacher, table, task.classes)


def scores_of(teacher: Any, table: Any, task: Task) -> np.ndarray:
    """Raw scores (n, K) of a teacher: numbers, log-odds, or logarithms of probabilities less their mean."""
    return answers_of(teacher, table, task)[0]


def selection_of(teacher: Any, table: Any) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Say what a teacher selects, where it does, or else which columns its predictions rest on.

    Parameters
    ----------
    teacher : estimator
        Fitted: a rationale model, one with an `explain` method, or a LightGBM.
    table : table of shape (n, d)
        Rows as the teacher takes them.

    Returns
    -------
    logits : ndarray of shape (n, d) or None
        Positive where a column is wanted: selected, or of more than average size among the reasons of its
        row. None from a teacher without reasons.
    live : ndarray of shape (c,) or None
        Columns that are selected in some row; None where the teacher does not select.
    """
    if isinstance(teacher, SelectsColumns):
        logits = teacher._model.logits(teacher._read(table))
        return logits, np.flatnonzero((logits > 0).any(axis=0))
    sizes = _reasons(teacher, table)
    if sizes is None:
        return None, None
    average = np.maximum(sizes.mean(axis=1, keepdims=True), np.finfo(float).tiny)
    ratio = np.maximum(sizes / average, np.exp(-MAX_LOGIT))
    return np.clip(np.log(ratio), -MAX_LOGIT, MAX_LOGIT), None


def _reasons(teacher: Any, table: Any) -> np.ndarray | None:
    """Sizes (n, d) of a teacher's reasons for each row, summed over its outputs."""
    if isinstance(teacher, LGBMModel):
        n, d = len(table), teacher.n_features_in_
        values = np.asarray(teacher.predict(table, pred_contrib=True)).reshape(n, -1, d + 1)
        return np.abs(values[:, :, :-1]).sum(axis=1)
    if not hasattr(teacher, "explain"):
        return None
    values = np.abs(teacher.explain(table).values)
    return values.sum(axis=2) if values.ndim == 3 else values
