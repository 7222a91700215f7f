"""One run through a stream of tables."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from .._callers import outside
from ..tabular import TableReader
from ..teachers import form_for, refuse_other_order, unfrozen
from ._lessons import Lessons
from ._plan import ROWS_OF_IMPORTANCES, Plan
from ._stream import Stream

SHIFT, ERRORS = 0.25, 6.0
"""Difference of a batch's mean score from the first's that is called a drift: in standard deviations of the
score, and in standard errors of the difference. Not measured."""


class Course(Lessons):
    """One run of `fit_batches`, with its parameters."""

    def __init__(self, student: Any, batches: Any, n_batches: int, size: int, target: str | None) -> None:
        super().__init__(student, n_batches, size)
        self.stream = Stream(batches, size, target, np.random.RandomState(self.seed))
        self.shown: list[np.ndarray] = []
        self.has_warned = False

    def run(self) -> None:
        """Meet the teacher, plan, train, and keep what was trained."""
        student = self.student
        self._meet()
        matrix, y = self.next()
        plan = self.plan = Plan.of(student, student._adapter, student._reader.levels, matrix, None, self.seed)
        student._keep(plan, self.trained(matrix, y, plan.scores) if plan.has_to_learn else None)
        if plan.imitated:
            rows = np.concatenate(self.shown) if self.shown else matrix
            student._weigh_columns(rows, np.ones(len(rows)))

    def _meet(self) -> None:
        """Read the first rows, and see how the teacher takes them."""
        student, teacher = self.student, unfrozen(self.student.teacher)
        try:
            X = self.stream.first()
        except StopIteration:
            raise self._ended() from None
        validate_data(student, X, skip_check_array=True)
        student._reader = TableReader().fit(X)
        student._check_teacher(teacher)
        check_is_fitted(teacher)
        student._meet_teacher(teacher, form_for(teacher, student._reader, fitted=True))
        self.stream.read_by(self._read)

    def _read(self, table: Any) -> np.ndarray:
        student = self.student
        validate_data(student, table, reset=False, skip_check_array=True)
        refuse_other_order(student._reader.names, table)
        return student._reader.transform(table)

    def next(self) -> tuple[np.ndarray, np.ndarray | None]:
        try:
            batch = self.stream.next()
        except StopIteration:
            raise self._ended() from None
        except ValueError as error:
            raise ValueError(f"Batch {self.n_taken + 1} of `batches` cannot be read: {error}") from error
        self.n_taken += 1
        self.student._check_rows(batch[0], None)
        return batch

    def _ended(self) -> ValueError:
        more = " and one to be held out" if self.student.early_stopping else ""
        return ValueError(
            f"`batches` ended after {self.stream.n_read} rows; expected n_batches={self.n_batches} batches"
            f"{more} of buffer_rows={self.size} rows. Give fewer or smaller batches, or a callable, a list "
            "or a Dataset, which can be read again."
        )

    def heard(self, matrix: np.ndarray, scores: np.ndarray) -> None:
        """Keep some rows for importances, and warn of a drift."""
        each = -(-ROWS_OF_IMPORTANCES // self.n_batches)
        self.shown.append(matrix[self.rng.permutation(len(matrix))[:each]])
        if self.n_taken > 1:
            self._warn_of_a_drift(scores)

    def _warn_of_a_drift(self, scores: np.ndarray) -> None:
        centre = self.plan.scores.mean(axis=0)
        shift = float(np.abs(scores.mean(axis=0) - centre).max()) / self.plan.scale
        error = float(np.sqrt(2 / len(scores)))
        if shift <= max(SHIFT, ERRORS * error) or self.has_warned:
            return
        self.has_warned = True
        warnings.warn(
            f"The mean score of batch {self.n_taken} is {shift:.1f} standard deviations from that of the "
            "first: `batches` seems to be sorted, and sorted rows make a student less accurate. Shuffle "
            "the rows, or give a pyarrow Dataset of many small row groups, which are mixed.",
            UserWarning,
            stacklevel=outside(),
        )
