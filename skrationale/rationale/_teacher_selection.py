"""How much a teacher wants each column of a row."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..teachers import Teacher, check_forest
from ..trees import tree_contributions
from ._selecting import SelectsColumns

MAX_LOGIT = 5.0
"""Largest logit: how sure a ranking of columns can make a student of one. Not measured."""


def selection_of(teacher: Teacher, table: Any) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Say what a teacher selects, where it does, or else which columns its predictions rest on.

    Parameters
    ----------
    teacher : Teacher
        A rationale model, or one whose reasons have sizes.
    table : table of shape (n, d)
        Rows as the teacher takes them.

    Returns
    -------
    logits : ndarray of shape (n, d) or None
        Positive where a column is wanted: selected, or of more than average size among the reasons of its
        row. None from a teacher without reasons.
    columns : ndarray of shape (c,) or None
        Columns that are selected in some row; None where the teacher does not select.
    """
    model = teacher.model
    if isinstance(model, SelectsColumns):
        logits = model._model.logits(model._read(table))
        return logits, np.flatnonzero((logits > 0).any(axis=0))
    sizes = _sizes(teacher, table)
    if sizes is None:
        return None, None
    average = np.maximum(sizes.mean(axis=1, keepdims=True), np.finfo(float).tiny)
    ratio = np.maximum(sizes / average, np.exp(-MAX_LOGIT))
    return np.clip(np.log(ratio), -MAX_LOGIT, MAX_LOGIT), None


def _sizes(teacher: Teacher, table: Any) -> np.ndarray | None:
    """Sizes (n, d) of a teacher's reasons: TreeSHAP of forests, and nothing where there are none."""
    try:
        check_forest(teacher.model)
        values = np.abs(tree_contributions(teacher.model, table, dtype="float64").values)
    except (TypeError, ValueError):  # no forest, or none whose score is understood
        return teacher.sizes(table)
    return values if values.ndim == 2 else values.sum(axis=2)
