"""CatBoost with splits on several category columns together: its own raw scores and TreeSHAP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from .._task import Task
from ..conversion import Combined
from ._protocol import ColumnSplits, Contributions
from ._scores import ScoreTeacher
from ._table import TeacherTable

ROWS_CHECKED, TOLERANCE = 256, 1e-6
"""Rows whose reasons are added up, and by how much of the largest score they may miss it. Not measured."""


class CatBoostTeacher(ScoreTeacher):
    """A fitted CatBoost that combines categories, whose forest cannot be rewritten.

    Parameters
    ----------
    model : CatBoostClassifier, CatBoostRegressor or CatBoost
        Fitted, with symmetric trees.
    form : TeacherTable
        Of the table that it takes.
    known : Combined
        What is known of it.
    """

    def __init__(self, model: Any, form: TeacherTable, known: Combined) -> None:
        self._thresholds = known.thresholds
        n_outputs = len(known.classes) if known.link == "softmax" and known.classes is not None else 1
        super().__init__(model, form, Task(known.link, n_outputs, known.classes))

    def scores(self, table: Any) -> np.ndarray:
        """Raw scores (n, K) of the model's own table (n, d), in the units of its link."""
        raw = self.model.predict(self._pool(table), prediction_type="RawFormulaVal")
        return np.asarray(raw, dtype=np.float64).reshape(len(table), -1)

    def answers(self, table: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Raw scores (n, K) and, of a classifier, probabilities (n, C)."""
        raw = self.scores(table)
        return raw, self._chances(raw)

    def contributions(self, kind: str, n_jobs: int | None = None) -> Contributions:
        """Give what computes contributions (n, K, d) and base (K,) of the model's own table.

        Raises
        ------
        ValueError
            For any kind but "tree_shap".
        """
        if kind != "tree_shap":
            raise ValueError(
                f"The {type(self.model).__name__} splits on several category columns together, and has no "
                f"{kind!r} contributions; expected explanation='tree_shap' or 'permutation'."
            )
        return partial(self.shap_contributions, n_jobs=n_jobs)

    def shap_contributions(self, table: Any, *, n_jobs: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """TreeSHAP of CatBoost's own: contributions (n, K, d), by the student's columns, and base (K,).

        Raises
        ------
        ValueError
            If they do not add up to the raw scores.
        """
        found = self.model.get_feature_importance(
            self._pool(table), type="ShapValues", thread_count=-1 if n_jobs is None else n_jobs
        )
        values = np.asarray(found, dtype=np.float64).reshape(len(table), self.task.n_outputs, -1)
        some = np.unique(np.linspace(0, len(table) - 1, ROWS_CHECKED).astype(np.intp))
        scores = self.scores(table.iloc[some])
        error = np.abs(values[some].sum(axis=-1) - scores).max()
        if error > TOLERANCE * max(np.abs(scores).max(), np.abs(values[some]).max()):
            raise ValueError(
                f"ShapValues of the {type(self.model).__name__} do not add up to its raw scores: they "
                f"differ by {error:.3g}; expected a CatBoost whose own contributions add up, or "
                "explanation='permutation'."
            )
        return self.form.back(values[..., :-1], axis=2), values[0, :, -1]

    def level_codes(self, own: Sequence[np.ndarray | None]) -> list[np.ndarray | None]:
        """Give the code of each level; a missing cell is a level behind the others. None for numbers."""
        return [None if levels is None else np.arange(len(levels) + 1.0) for levels in own]

    def splits(self, matrix: np.ndarray, weight: np.ndarray | None, most: int) -> list[ColumnSplits]:
        """Give the borders of the model for columns of numbers, and one set for each level that rows show."""
        found = super().splits(matrix, weight, most)
        assert self.form.reader is not None
        for j, levels in enumerate(self.form.reader.levels):
            if levels is not None and np.isnan(matrix[:, j]).any():
                sets = (*found[j].category_sets, frozenset([len(levels)]))
                found[j] = replace(found[j], category_sets=sets, set_gains=np.ones(len(sets)))
        place = np.arange(len(found)) if self.form.order is None else self.form.order
        for j, thresholds in self._thresholds.items():
            nothing = np.zeros(0)
            found[place[j]] = ColumnSplits(thresholds, np.ones(len(thresholds)), (), nothing, "NaN")
        return found

    def _pool(self, table: Any) -> Any:
        from catboost import Pool

        return Pool(table, cat_features=self.model.get_cat_feature_indices())
