"""The vocabulary: what every teacher can be asked, and what a forest of trees can be asked beside that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

import numpy as np

from .._task import Task
from ..explanation import Explanation
from ._table import TeacherTable

Contributions = Callable[[Any], tuple[np.ndarray, np.ndarray]]
"""From a table of n rows to contributions (n, K, d), by the student's columns, and their base (K,)."""
FEWEST_ROWS = 1e-100
"""Rows that a leaf without any counts for: a subtree that no row reached has the plain mean of its leaves."""


class Teacher(Protocol):
    """A fitted model, asked about rows in the form of table that it takes.

    Below, n is the number of rows, d of columns, K of scores of a row and C of classes.

    Attributes
    ----------
    model : estimator
        Fitted. Only a reference to it is held.
    form : TeacherTable
        How rows become the table that the model takes: its order of columns, its levels of categories.
    task : Task
        Link and number of the scores, and classes.
    """

    model: Any
    form: TeacherTable
    task: Task

    @property
    def model_form(self) -> TeacherTable:
        """The table that the model itself takes, where something else answers for it."""

    @property
    def confidence(self) -> Literal["probability", "margin"] | None:
        """How a classifier says how sure it is; None where it gives labels alone, and for numbers."""

    def answers(self, table: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Scores (n, K), finite, and of a classifier probabilities (n, C), rows summing to one."""

    def scores(self, table: Any) -> np.ndarray:
        """Scores (n, K) alone."""

    def knowing(self, X: Any) -> Self:
        """Give a teacher whose form also knows the levels of rows (n, d), or itself if none are new.

        CatBoost does not store its levels, so those of the rows at fit need not be all.
        """

    def reasons(self, table: Any) -> Explanation | None:
        """Reasons of the model itself, by the student's columns; None where it has none."""

    def sizes(self, table: Any) -> np.ndarray | None:
        """Sizes (n, d) of reasons, summed over outputs, by the teacher's columns; None without reasons."""


class Forest(Teacher, Protocol):
    """A teacher whose raw score is a sum over trees, of a constant in each leaf.

    All by the student's columns, whatever the order of the teacher's. A library whose forests can be written
    as LightGBM's is answered for by `LightGBMTeacher`; what its table needs (other levels, words for missing
    cells) belongs to its form, and where missing and unseen levels part, missing is a level of its own.
    """

    n_outputs: int
    n_features: int

    def splits(self) -> list[ColumnSplits]:
        """Collect the splits on each of the d columns."""

    def nodes(self) -> list[TreeNodes]:
        """Give the trees; tree t belongs to output ``t % K``."""

    def level_codes(self, own: Sequence[np.ndarray | None]) -> list[np.ndarray | None]:
        """Give the forest's code of each level of a column; NaN if unknown, None for columns of numbers.

        Behind the levels comes the code of a missing cell, NaN unless that is a level of its own.
        """

    def contributions(self, kind: str, n_jobs: int | None = None) -> Contributions:
        """Give what computes contributions of some kind; what all rows have in common is computed here."""


@dataclass(frozen=True, eq=False)
class ColumnSplits:
    """How a model splits on one column.

    Parameters
    ----------
    thresholds : ndarray of shape (m,)
        Distinct thresholds, sorted; ``x <= threshold`` goes left.
    gains : ndarray of shape (m,)
        Gain of all splits at each threshold.
    category_sets : tuple of s frozensets of int
        Distinct sets of category codes that go left; all others go right, unseen ones too.
    set_gains : ndarray of shape (s,)
        Gain of all splits with each set.
    missing_type : {"None", "NaN", "Zero"} or None
        A missing number is read as 0.0, as missing, or zero as missing too; None: column not used.
    """

    thresholds: np.ndarray
    gains: np.ndarray
    category_sets: tuple[frozenset[int], ...]
    set_gains: np.ndarray
    missing_type: str | None


@dataclass(frozen=True, eq=False)
class TreeNodes:
    """A tree with m inner nodes, of which the first is the root, and m + 1 leaves.

    Parameters
    ----------
    columns : ndarray of int of shape (m,)
        Column that each node splits on.
    left, right : ndarray of int of shape (m,)
        Child where a row goes that meets the condition, and where others go; ``~leaf`` for leaves.
    thresholds : ndarray of shape (m,)
        ``x <= threshold`` goes left; without meaning for a split on a category.
    category_sets : dict of int to frozenset of int
        Codes that go left, for each node that splits on a category.
    missing_types : list of {"None", "NaN", "Zero"}
        How each node reads a missing number, see `ColumnSplits`.
    missing_left : ndarray of bool of shape (m,)
        Whether what counts as missing goes left.
    leaf_values : ndarray of shape (m + 1,)
        Finite, in units of the raw score.
    leaf_counts : ndarray of shape (m + 1,)
        Training rows in each leaf.
    """

    columns: np.ndarray
    left: np.ndarray
    right: np.ndarray
    thresholds: np.ndarray
    category_sets: dict[int, frozenset[int]]
    missing_types: list[str]
    missing_left: np.ndarray
    leaf_values: np.ndarray
    leaf_counts: np.ndarray
