"""What a teacher says of rows, for a student to learn: scores and contributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
from scipy.sparse import issparse

from ..tabular import UNSEEN, TableReader
from ..teachers import PermutationWalks, ScoreTeacher
from ..teachers.catboost import CatBoostTeacher
from ..teachers.lightgbm import LightGBMTeacher, few_jobs
from ._bins import TeacherBins, translated
from ._explaining import values_in_batches

TREE_KINDS = ("tree_shap", "path")
"""Contributions that are read in trees."""
ROWS_WITHOUT_TABLES = 20_000
"""Training rows that are explained by default where a forest is too large for tables. Not measured."""
EVALUATIONS, EVALUATIONS_OF_FEW, MOST_PAIRS = 4_000_000, 500_000, 20
"""Scores that are asked for at most by default, to explain training rows by permutation; up to how many of
them a row has more than one pair, and pairs at most. Measured for a support vector machine on 500 rows: with
1 and 20 pairs its reasons are met to an R2 of .83 and .97."""
EVALUATIONS_OF_FIDELITY, FEWEST_COMPARED = 500_000, 100
"""Scores that `fidelity` asks a teacher for at most, to explain rows by permutation, and rows that it
explains whatever this takes. Not measured."""


def has_trees(teacher: LightGBMTeacher | ScoreTeacher) -> TypeGuard[LightGBMTeacher | CatBoostTeacher]:
    """Whether contributions can be read in the trees of a teacher."""
    return isinstance(teacher, LightGBMTeacher | CatBoostTeacher)


class Labels:
    """Scores and contributions of a teacher: by tables for TreeSHAP, by paths, or by walks.

    Parameters
    ----------
    teacher : LightGBMTeacher or ScoreTeacher
        The model, with K outputs.
    kind : {"tree_shap", "path", "permutation"} or None
        Which contributions; None: none.
    levels : sequence of (ndarray or None)
        Levels of each of the d columns of the student's rows, None for numbers.
    dtype : {"float32", "float64"}, default="float32"
        Precision of the tables.
    walks : PermutationWalks, optional
        Needed for the kind "permutation".
    rng : RandomState, optional
        Draws their pairs.
    max_table_bytes : int, optional
        Most memory for tables; None: as tables are made by default.
    """

    def __init__(
        self,
        teacher: LightGBMTeacher | ScoreTeacher,
        kind: str | None,
        levels: Sequence[np.ndarray | None],
        dtype: str = "float32",
        *,
        walks: PermutationWalks | None = None,
        rng: np.random.RandomState | None = None,
        max_table_bytes: int | None = None,
    ) -> None:
        self._teacher = teacher
        self._codes = teacher.level_codes(levels)
        self._tables = self._by_table = self._walks = None
        if kind == "permutation":
            assert walks is not None
            assert rng is not None
            self._walks, self._rng, self._n_pairs = walks, rng, 1
        elif kind == "tree_shap" and isinstance(teacher, LightGBMTeacher):
            from ..trees.tables import MAX_TABLE_BYTES, ForestTables

            most = MAX_TABLE_BYTES if max_table_bytes is None else max_table_bytes
            self._tables = ForestTables(teacher, most, dtype)
        elif kind is not None:
            assert has_trees(teacher)
            self._by_table = teacher.contributions(kind)

    def n_rows(self, n: int) -> int | None:
        """How many of n training rows are worth being explained; None: all, and synthetic ones too."""
        if self._walks is not None:
            return min(n, max(1, EVALUATIONS // self._walks.evaluations))
        tables = self._tables
        if self._by_table is not None and not isinstance(self._teacher, LightGBMTeacher):
            return ROWS_WITHOUT_TABLES
        slow = tables is not None and tables.by_quadrature + tables.by_lightgbm > 0
        return ROWS_WITHOUT_TABLES if slow else None

    def expect(self, n: int) -> None:
        """Hear how many rows will be explained in all: where these are few, each has more pairs."""
        if self._walks is not None:
            affordable = EVALUATIONS_OF_FEW // (max(n, 1) * self._walks.evaluations)
            self._n_pairs = min(max(affordable, 1), MOST_PAIRS)

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """Give contributions (n, K, d) of rows (n, d) of the student."""
        if self._walks is not None:
            walks, rng = self._walks, self._rng
            return np.mean([walks.sample(matrix, rng) for _ in range(self._n_pairs)], axis=0)
        if self._by_table is not None:
            return self._by_table(self._teacher.form.of_matrix(matrix))[0]
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


def base_of(
    teacher: LightGBMTeacher | ScoreTeacher,
    walks: PermutationWalks | None,
    matrix: Any,
    scores: np.ndarray,
    weight: np.ndarray,
) -> np.ndarray:
    """Give the score (K,) that contributions start from: of walks, of a forest, or else the mean.

    Parameters
    ----------
    teacher : LightGBMTeacher or ScoreTeacher
        The model.
    walks : PermutationWalks or None
        Where they are imitated.
    matrix : ndarray or sparse matrix of shape (n, d)
        Training rows.
    scores : ndarray of shape (n, K)
        Their raw scores.
    weight : ndarray of shape (n,)
        Their weights.

    Returns
    -------
    ndarray of shape (K,)
    """
    if walks is not None:
        return walks.base
    if has_trees(teacher):
        row = matrix[:1].toarray() if issparse(matrix) else matrix[:1]
        return teacher.shap_contributions(teacher.form.of_matrix(row), n_jobs=1)[1]
    mean = np.average(scores, axis=0, weights=weight)
    return np.clip(mean, scores.min(axis=0), scores.max(axis=0))


def bins_for(
    teacher: LightGBMTeacher | ScoreTeacher,
    matrix: np.ndarray,
    sample_weight: np.ndarray | None,
    levels: Sequence[np.ndarray | None],
    most: int,
) -> TeacherBins:
    """Make bins of columns: between the splits of a forest, else between values of training rows (n, d)."""
    if isinstance(teacher, ScoreTeacher):
        splits = teacher.splits(matrix, sample_weight, most)
    else:
        splits = teacher.splits()
    return TeacherBins(splits, teacher.level_codes(levels), most)


def rows_compared(walks: PermutationWalks, n: int) -> np.ndarray:
    """Choose rows (m,) of n, evenly, whose reasons by permutation are worth the wait."""
    most = max(FEWEST_COMPARED, EVALUATIONS_OF_FIDELITY // walks.evaluations_of_explain)
    return np.unique(np.linspace(0, n - 1, min(most, n)).astype(np.intp))


@dataclass(frozen=True, eq=False)
class TeacherReasons:
    """Contributions of a fitted student's teacher, of all kinds that it has.

    Parameters
    ----------
    teacher : LightGBMTeacher or ScoreTeacher
        The model, with K outputs.
    walks : PermutationWalks or None
        Where the student imitates them.
    reader : TableReader
        Of the student.
    """

    teacher: LightGBMTeacher | ScoreTeacher
    walks: PermutationWalks | None
    reader: TableReader

    def of_kind(self, kind: str, X: Any, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        """Give contributions of one kind.

        Parameters
        ----------
        kind : {"tree_shap", "path", "permutation"}
            Which.
        X : table of shape (n, d)
            Rows.
        matrix : ndarray of shape (n, d)
            As the reader gave them.

        Returns
        -------
        base : ndarray of shape (K,)
        values : ndarray of shape (n, d) or (n, d, K)
            Read-only.
        meta : dict
            What they are.

        Raises
        ------
        ValueError
            If the teacher has none of this kind.
        """
        teacher = self.teacher.knowing(X)
        if teacher is self.teacher:
            return self._of_kind(kind, X, matrix)
        reader, walks = teacher.form.reader, self.walks
        assert reader is not None
        own = TeacherReasons(teacher, None if walks is None else walks.asking(teacher), reader)
        return own._of_kind(kind, X, reader.transform(X))

    def _of_kind(
        self, kind: str, X: Any, matrix: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        """Give contributions of one kind; the teacher's form knows the levels of rows that it may know."""
        meta: dict[str, Any] = {"explanation": kind, "model": "teacher"}
        if kind == "permutation" and self.walks is not None:
            values = self._by_walks(self.walks, X, matrix)
            return self.walks.base, values, meta | {"background_rows": len(self.walks.background)}
        if kind in TREE_KINDS and has_trees(self.teacher):
            return *self._by_trees(self.teacher, kind, matrix), meta
        raise ValueError(
            f"The teacher {type(self.teacher.model).__name__} has no {kind!r} contributions. Tree "
            "ensembles have 'tree_shap' and 'path'. All teachers have 'permutation' after a student was "
            "fitted with explanation='permutation'."
        )

    def _by_walks(self, walks: PermutationWalks, X: Any, matrix: np.ndarray) -> np.ndarray:
        """Levels that were not there at fit reach the teacher as they are."""
        levels = self.reader.levels
        new = [known is not None and (matrix[:, j] == UNSEEN).any() for j, known in enumerate(levels)]
        if any(new) and not walks.form.categories:
            knowing = self.reader.knowing(X)
            walks, matrix = walks.read_by(knowing), knowing.transform(X)
        return values_in_batches(walks.explain, matrix, len(walks.base))

    def _by_trees(
        self, teacher: LightGBMTeacher | CatBoostTeacher, kind: str, matrix: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        from ..trees.tables import FEW_FOR_TABLES

        of_table = teacher.contributions(kind, few_jobs(matrix))
        base = of_table(teacher.form.of_matrix(matrix[:1]))[1]
        by_tables = isinstance(teacher, LightGBMTeacher) and len(matrix) >= FEW_FOR_TABLES
        if kind == "tree_shap" and by_tables:
            looked_up = Labels(teacher, kind, self.reader.levels, "float64")
            return base, values_in_batches(looked_up.contributions, matrix, len(base))

        def part(rows: np.ndarray) -> np.ndarray:
            return of_table(teacher.form.of_matrix(rows))[0]

        return base, values_in_batches(part, matrix, len(base))
