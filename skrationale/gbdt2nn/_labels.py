"""What a teacher says of rows, for a student to learn: scores and contributions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..teachers.lightgbm import LightGBMTeacher, few_jobs
from ..trees.tables import FEW_FOR_TABLES, ForestTables
from ._bins import translated
from ._explaining import values_in_batches

ROWS_WITHOUT_TABLES = 20_000
"""Training rows that are explained by default where a forest is too large for tables. Not measured."""
MOST_BYTES = 2**29
"""Memory for the contributions of synthetic rows, in float32; with more of them none are explained. Not
measured."""


class Labels:
    """Scores and contributions of a teacher, by tables for TreeSHAP.

    Parameters
    ----------
    teacher : LightGBMTeacher
        The forest, with K outputs.
    kind : {"tree_shap", "path"} or None
        Which contributions; None: none.
    levels : sequence of (ndarray or None)
        Levels of each of the d columns of the student's rows, None for numbers.
    dtype : {"float32", "float64"}, default="float32"
        Precision of the tables.
    """

    def __init__(
        self,
        teacher: LightGBMTeacher,
        kind: str | None,
        levels: Sequence[np.ndarray | None],
        dtype: str = "float32",
    ) -> None:
        self._teacher = teacher
        self._codes = teacher.level_codes(levels)
        self._tables = ForestTables(teacher, dtype=dtype) if kind == "tree_shap" else None
        self._by_path = teacher.contributions("path") if kind == "path" else None

    @property
    def n_rows(self) -> int | None:
        """How many rows are worth being explained; None: all, as it takes microseconds a row."""
        tables = self._tables
        slow = tables is not None and tables.by_quadrature + tables.by_lightgbm > 0
        return ROWS_WITHOUT_TABLES if slow else None

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """Give contributions (n, K, d) of rows (n, d) of the student."""
        if self._by_path is not None:
            return self._by_path(self._teacher.form.of_matrix(matrix))[0]
        assert self._tables is not None
        codes = matrix.copy()
        for column, own in enumerate(self._codes):
            codes[:, column] = translated(matrix[:, column], own)
        values = self._tables.contributions(codes, n_jobs=few_jobs(matrix))[0]
        return values[:, None] if values.ndim == 2 else values.transpose(0, 2, 1)

    def scores(self, matrix: np.ndarray) -> np.ndarray:
        """Give raw scores (n, K) of rows (n, d) of the student."""
        return self._teacher.scores(self._teacher.form.of_matrix(matrix))

    def both(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give both at once; scores are sums of what the tables hold, which has six digits."""
        values = self.contributions(matrix)
        if self._tables is None:
            return self.scores(matrix), values
        return self._tables.base_values + values.sum(axis=-1), values


def teacher_values(
    teacher: LightGBMTeacher, kind: str, matrix: np.ndarray, levels: Sequence[np.ndarray | None]
) -> tuple[np.ndarray, np.ndarray]:
    """Give the base (K,) and contributions of a teacher.

    Parameters
    ----------
    teacher : LightGBMTeacher
        The forest.
    kind : {"tree_shap", "path"}
        Which contributions.
    matrix : ndarray of shape (n, d)
        Rows of the student.
    levels : sequence of (ndarray or None)
        Levels of each column, None for numbers.

    Returns
    -------
    base : ndarray of shape (K,)
    values : ndarray of shape (n, d) or (n, d, K)
        Read-only.
    """
    of_table = teacher.contributions(kind, few_jobs(matrix))
    base = of_table(teacher.form.of_matrix(matrix[:1]))[1]
    if kind == "tree_shap" and len(matrix) >= FEW_FOR_TABLES:
        looked_up = Labels(teacher, kind, levels, "float64")
        return base, values_in_batches(looked_up.contributions, matrix, len(base))
    return base, values_in_batches(lambda rows: of_table(teacher.form.of_matrix(rows))[0], matrix, len(base))
