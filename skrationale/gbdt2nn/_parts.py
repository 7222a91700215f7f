"""A student learns from a large table by parts, and only one of them is labelled at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse

from .._scales import to_shares
from ..tabular import MOST_DENSE_BYTES
from ..teachers.lightgbm import LightGBMTeacher
from ..training import Settings
from ._lessons import Lessons
from ._lightgbm_limits import warn_of_a_constant
from ._plan import ROWS_OF_IMPORTANCES, Plan
from ._sparse import dense, rows_of_part
from ._synthetic import n_copies
from ._training import epochs_of, n_shown

POOL_BYTES, TABLE_BYTES = 2**23, 2**24
"""Memory for explained rows that are kept from earlier parts, and, for sparse tables, for tables of the
teacher's contributions; trees without tables are computed, which takes longer. Not measured."""

DONORS = 8
"""Times the rows of a part that give cells to synthetic rows where rows have weights. Not measured."""


def is_large(matrix: Any) -> bool:
    """Whether a table (n, d) is learnt by parts: a sparse one, or a dense one above 128 MB."""
    return issparse(matrix) or matrix.nbytes > MOST_DENSE_BYTES


class Parts(Lessons):
    """Parts of a table, drawn at random; parameters as of `learn`."""

    def __init__(self, student: Any, matrix: Any, y: np.ndarray, sample_weight: np.ndarray | None) -> None:
        self.matrix, self.y, self.weight = matrix, y, sample_weight
        self._chance = None if sample_weight is None else sample_weight / sample_weight.sum()
        n = matrix.shape[0]
        size = min(rows_of_part(matrix.shape[1]), n)
        settings, n_scores = Settings.of(student), student._task.n_outputs
        shown = min(n_shown(n), n_copies(student.n_synthetic, n))
        epochs = epochs_of(settings, n, n, n_scores, max(1, settings.batch_size // (1 + shown)))
        n_batches = max(1, round(epochs * n / size))
        tables = {"max_table_bytes": TABLE_BYTES} if issparse(matrix) else {}
        super().__init__(student, n_batches, size, POOL_BYTES, **tables)
        self._order = np.empty(0, dtype=np.intp)

    def run(self) -> None:
        """Plan, train, and keep what was trained."""
        student, matrix, weight = self.student, self.matrix, self.weight
        levels = student._reader.levels
        plan = self.plan = Plan.of(student, student._adapter, levels, matrix, weight, self.seed)
        if isinstance(student._adapter, LightGBMTeacher):
            warn_of_a_constant(plan.scores, self.y)
        student._keep(plan, self.trained(*self.next()) if plan.has_to_learn else None)
        if plan.imitated:
            self._weigh_columns()

    def next(self) -> tuple[np.ndarray, np.ndarray]:
        n = self.matrix.shape[0]
        if self._chance is None:
            while len(self._order) < self.size:
                self._order = np.concatenate([self._order, self.rng.permutation(n)])
            rows, self._order = self._order[: self.size], self._order[self.size :]
        else:
            rows = self.rng.choice(n, self.size, p=self._chance)
        self.n_taken += 1
        if not issparse(self.matrix):
            self.donors = self.matrix
            if self._chance is not None:
                self.donors = self.matrix[self.rng.choice(n, DONORS * self.size, p=self._chance)]
        return dense(self.matrix[rows]), self.y[rows]

    def heard(self, matrix: np.ndarray, scores: np.ndarray) -> None:
        """Rows drawn at random do not drift."""

    def encoded(self, y: np.ndarray | None) -> np.ndarray:
        assert y is not None
        return y

    def _weigh_columns(self) -> None:
        n = self.matrix.shape[0]
        shown = self.rng.permutation(n)[:ROWS_OF_IMPORTANCES]
        weight = np.ones(n) if self.weight is None else self.weight
        found = np.zeros(self.matrix.shape[1])
        for i in range(0, len(shown), self.size):
            rows = shown[i : i + self.size]
            values = self.student._contributions(dense(self.matrix[rows]), exact=False)
            found += np.tensordot(weight[rows], np.abs(values), 1).sum(axis=0)
        self.student.feature_importances_ = to_shares(found)
