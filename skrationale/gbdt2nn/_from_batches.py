"""A student learns from a stream of tables, in bounded memory."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted, validate_data

from .._callers import outside
from ..base import unchanged_on_error
from ..tabular import TableReader
from ..teachers import form_for, refuse_other_order, unfrozen
from ._lessons import Lessons
from ._plan import ROWS_OF_IMPORTANCES, Plan
from ._stream import Stream

SHIFT, ERRORS = 0.25, 6.0
"""Difference of a batch's mean score from the first's that is called a drift: in standard deviations of the
score, and in standard errors of the difference. Not measured."""


class LearnsFromBatches:
    """The part of a student that learns from a stream."""

    def fit_batches(
        self, batches: Any, *, n_batches: int, buffer_rows: int = 100_000, target: str | None = None
    ) -> Self:
        """Fit to a stream of tables that need not fit into memory; the teacher is fitted already.

        The stream is cut into `n_batches` batches of `buffer_rows` rows, and training goes through each once.
        Parameters are as in `fit`, but for `max_epochs`, which is not used. The first batch tells columns and
        their types, and the scale of the scores; levels of categories are those that the teacher knows, or
        else those in the first batch. With ``early_stopping=True`` one batch more is read, the first, to be
        held out.

        Parameters
        ----------
        batches : callable, iterable or pyarrow.dataset.Dataset
            What gives tables (m, d) of any number of rows, or pairs of a table and its target (m,). When its
            rows are used up, a callable is called again, and a list or Dataset is read again; a generator is
            not. The row groups of a Dataset are read in a random order, up to 64 at a time, unless it is
            filtered. Anything else should be shuffled: a stream that is sorted teaches worse, and a warning
            says so.
        n_batches : int
            Number of batches to learn from.
        buffer_rows : int, default=100,000
            Rows in a batch, and so in memory.
        target : str, default=None
            The column that holds the target, where tables hold it too.

        Returns
        -------
        self
            The fitted estimator. When this fails the estimator is as it was before.

        Raises
        ------
        TypeError
            If the teacher is not in a FrozenEstimator, or `batches` gives no tables.
        ValueError
            If the stream ends before its last batch, if a table is not like the first, or if labels are
            needed (``label_lambda > 0``) and there are none.

        Notes
        -----
        The target is used only with ``label_lambda > 0``. Where not all rows can be explained (see
        `max_explanation_rows`), part of each batch comes from a pool of rows that were explained before.

        Examples
        --------
        >>> import numpy as np
        >>> from lightgbm import LGBMRegressor
        >>> from sklearn.frozen import FrozenEstimator
        >>> from skrationale import GBDT2NNStudent
        >>> def tables():
        ...     rng = np.random.default_rng(0)
        ...     for _ in range(20):
        ...         yield rng.normal(size=(500, 3))
        >>> X = next(tables())
        >>> teacher = LGBMRegressor(n_estimators=10, verbose=-1).fit(X, X[:, 0])
        >>> student = GBDT2NNStudent(FrozenEstimator(teacher), random_state=0)
        >>> student = student.fit_batches(tables, n_batches=10, buffer_rows=1000)
        >>> student.explain(X).values.shape
        (500, 3)
        """
        model: Any = self
        check_scalar(n_batches, "n_batches", Integral, min_val=1)
        check_scalar(buffer_rows, "buffer_rows", Integral, min_val=2)
        with unchanged_on_error(model):
            model._begin_fit()
            if model.class_weight is not None:
                raise ValueError(
                    f"class_weight is {model.class_weight!r}, but the teacher of fit_batches is fitted "
                    "already; expected None."
                )
            if not isinstance(model.teacher, FrozenEstimator):
                raise TypeError(
                    "fit_batches needs a teacher that is fitted already: expected "
                    f"teacher=FrozenEstimator(...), got {model.teacher!r}."
                )
            Course(model, batches, n_batches, buffer_rows, target).run()
        return self


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
            "first: `batches` seems to be sorted, and a student is worse with sorted rows. Shuffle the "
            "rows, or give a pyarrow Dataset of many small row groups, which are mixed.",
            UserWarning,
            stacklevel=outside(),
        )
