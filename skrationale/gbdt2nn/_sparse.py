"""Sparse tables, as one-hot encoders make them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils import Tags

from ..explanation import Explanation
from ..tabular import densely


class ReadsSparse:
    """The part of a student that takes sparse tables: they are made dense, where that takes little memory."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to a table and its target.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n, d)
            Numbers, booleans, text, categories; NaN is allowed, infinity is not. A sparse table is read as a
            dense one, and refused where that would take more than 128 MB.
        y : array-like of shape (n,)
            Labels or numbers.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights; rows of weight 0 are left out. An integer weight stands for
            so many copies of the row.

        Returns
        -------
        self
            The fitted estimator. When fit fails the estimator is as it was before.

        Raises
        ------
        ValueError, TypeError
            When a parameter or the data are not as described.
        """
        return super().fit(densely(X), y, sample_weight)  # type: ignore[misc]

    def fidelity(self, X: Any, y: Any = None) -> dict[str, float]:
        """Measure how well the student agrees with its teacher on given rows.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n, d)
            Rows, preferably ones that were not in ``fit``.
        y : array-like of shape (n,), default=None
            True labels or numbers; when given the scores of both are added.

        Returns
        -------
        dict of str to float
            What :func:`skrationale.metrics.prediction_fidelity` and
            :func:`skrationale.metrics.explanation_fidelity` return, and with `y` also ``score`` and
            ``teacher_score`` (accuracy or R2), of classifiers ``auroc``, ``teacher_auroc``, ``log_loss`` and
            ``teacher_log_loss`` too.

        See Also
        --------
        RationaleDistiller.fidelity : Says what each of them is.
        """
        return super().fidelity(densely(X), y)  # type: ignore[misc]

    def _read(self, X: Any) -> np.ndarray:
        return super()._read(densely(X))  # type: ignore[misc]

    def _explanation_of(self, X: Any, *rest: Any, **more: Any) -> Explanation:
        return super()._explanation_of(densely(X), *rest, **more)  # type: ignore[misc]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = True
        return tags
