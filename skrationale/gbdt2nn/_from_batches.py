"""A student learns from a stream of tables, in bounded memory."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_scalar

from ..base import unchanged_on_error


class LearnsFromBatches:
    """The part of a student that learns from a stream."""

    def fit_batches(
        self, batches: Any, *, n_batches: int, buffer_rows: int = 100_000, target: str | None = None
    ) -> Self:
        """Fit to a stream of tables that may be larger than memory; the teacher is fitted already.

        The stream is cut into `n_batches` batches of `buffer_rows` rows, and training goes through each once.
        Parameters are as in `fit`, except `max_epochs`, which is not used. The first batch sets the columns,
        their types and the scale of the scores. Levels of categories are those that the teacher stores, or
        otherwise those in the first batch. With ``early_stopping=True`` one more batch is read, and the first
        one is held out.

        Parameters
        ----------
        batches : callable, iterable or pyarrow.dataset.Dataset
            Source of tables (m, d) with any number of rows, or of pairs of a table and its target (m,). When
            all rows are read, a callable is called again, and a list or Dataset is read again; a generator is
            not. The row groups of a Dataset are read in a random order, up to 64 at a time, unless it is
            filtered. Shuffle any other source: a sorted stream makes the student less accurate, and a warning
            says so.
        n_batches : int
            Number of batches to learn from.
        buffer_rows : int, default=100,000
            Number of rows in a batch, and thus in memory.
        target : str, default=None
            The column that holds the target, if it is in the tables.

        Returns
        -------
        self
            The fitted estimator. If this fails, the estimator does not change.

        Raises
        ------
        TypeError
            If the teacher is not in a FrozenEstimator, or `batches` gives no tables.
        ValueError
            If the stream ends before its last batch, if a table is not like the first, or if labels are
            needed (``label_lambda > 0``) and there are none.

        Notes
        -----
        The target is used only with ``label_lambda > 0``. If not all rows can be explained (see
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
        from ._course import Course  # imports torch

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
