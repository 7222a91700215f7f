"""Estimators of this package as teachers, with their own raw scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._scikit import AnyTeacher
from ._table import AS_IT_IS, TeacherTable


class OwnTeacher(AnyTeacher):
    """An estimator of this package, asked for the raw scores that its reasons belong to, not clipped.

    Parameters
    ----------
    model : estimator
        Fitted. It declares `_task`, `_read` (from a table to a matrix of numbers and codes) and
        `_scores` (from this to scores).
    form : TeacherTable, optional
        Of the table that it takes.
    """

    def __init__(self, model: Any, form: TeacherTable = AS_IT_IS) -> None:
        super().__init__(model, form, model._task)

    def answers(self, table: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Raw scores (n, K) and, of a classifier, probabilities (n, C)."""
        scores = self.model._scores(self.model._read(table))
        return scores, self._chances(scores)
