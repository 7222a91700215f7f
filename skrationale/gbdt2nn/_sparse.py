"""Sparse tables, as one-hot encoders make them: small ones are made dense, large ones some rows at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import Tags

from .._batches import rows_at_once
from ..tabular import MOST_DENSE_BYTES, FewRows, TableReader, densely, is_small, numeric_rows
from ..teachers import library_of, unfrozen
from ._explaining import whole_chunks
from ._few_rows import EXACT_ROWS
from ._lightgbm_limits import check_lightgbm_limits

PART_BYTES, LEAST_ROWS = 2**23, 256
"""Memory of the rows that are dense at one time, as float64, and how many these are at least. Measured on
100,000 rows of 2,000 columns: a fit takes 122 MB beside the table, and 172 MB with twice the memory."""


class ReadsSparse:
    """The part of a student that takes sparse tables, without a dense copy of a large one."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to a table and its target.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n, d)
            Numbers, booleans, text, categories; NaN is allowed, infinity is not. A sparse table is read as a
            dense one; above 128 MB only a part of the rows is dense at one time, see Notes.
        y : array-like of shape (n,)
            Labels or numbers.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights; rows of weight 0 are left out. An integer weight counts as that many copies
            of the row.

        Returns
        -------
        self
            The fitted estimator. If fit fails, the estimator does not change.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not as described.

        Notes
        -----
        If the table takes more than 128 MB (8 n d bytes), the student learns by parts, as with
        :meth:`fit_batches`: parts of 8 MB or at least 256 rows are drawn at random (by their weight if
        weights differ), labelled by the teacher and used once. The number of parts gives `max_epochs` passes
        over the table. `history_` has one dict for each part, and patience counts parts. For a sparse table
        of this size the teacher must be LightGBM, which is fitted to the sparse table, and contributions by
        permutation are not possible.
        """
        return super().fit(X, y, sample_weight)  # type: ignore[misc]

    def fidelity(self, X: Any, y: Any = None) -> dict[str, float]:
        """Measure how well the student agrees with its teacher on given rows.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n, d)
            Rows, preferably ones that were not in ``fit``.
        y : array-like of shape (n,), default=None
            True labels or numbers; if given, the scores of both are added.

        Returns
        -------
        dict of str to float
            The results of :func:`skrationale.metrics.prediction_fidelity` and
            :func:`skrationale.metrics.explanation_fidelity`. With `y` also ``score`` and ``teacher_score``
            (accuracy or R2), and for classifiers ``auroc``, ``teacher_auroc``, ``log_loss`` and
            ``teacher_log_loss``.

        See Also
        --------
        RationaleDistiller.fidelity : Describes each of them.
        """
        return super().fidelity(densely(X), y)  # type: ignore[misc]

    def _as_table(self, X: Any) -> Any:
        if not _is_large(X):
            return super()._as_table(densely(X))  # type: ignore[misc]
        teacher: Any = unfrozen(getattr(self, "teacher", None))
        if teacher is not None and library_of(teacher) != "lightgbm":
            raise TypeError(
                f"X is a sparse table of {X.shape[0]} rows and {X.shape[1]} columns, too large to be made "
                f"dense; expected a teacher of LightGBM, or None, got {type(teacher).__name__}."
            )
        if getattr(self, "explanation", None) == "permutation":
            raise ValueError(
                f"X is a sparse table of {X.shape[0]} rows and {X.shape[1]} columns, too large to be made "
                "dense; expected explanation='tree_shap', 'path' or None, got 'permutation'."
            )
        if 8 * LEAST_ROWS * X.shape[1] > MOST_DENSE_BYTES:
            raise ValueError(
                f"X is a sparse table of {X.shape[1]} columns; expected at most "
                f"{MOST_DENSE_BYTES // (8 * LEAST_ROWS)}: {LEAST_ROWS} rows are made dense at a time."
            )
        return numeric_rows(X)

    def _read_first(self, X: Any) -> tuple[TableReader, Any]:
        if not issparse(X):
            return super()._read_first(X)  # type: ignore[misc]
        return TableReader().fit(np.zeros((1, X.shape[1]))), X

    def _check_rows(self, matrix: Any, numbers: np.ndarray | None) -> None:
        teacher: Any = getattr(self, "teacher", None)
        if teacher is None or library_of(teacher) == "lightgbm":
            check_lightgbm_limits(self._reader, matrix, numbers)  # type: ignore[attr-defined]

    def _read_rows(self, X: Any, keep: bool = False) -> tuple[Any, FewRows | None]:
        if not _is_large(X):
            return super()._read_rows(densely(X), keep)  # type: ignore[misc]
        super()._read_rows(np.zeros((1, X.shape[1])))  # type: ignore[misc]
        return numeric_rows(X), None

    def _explanation_of(self, X: Any, *rest: Any, **more: Any) -> Any:
        return super()._explanation_of(densely(X), *rest, **more)  # type: ignore[misc]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = True
        return tags


def _is_large(X: Any) -> bool:
    return issparse(X) and X.ndim == 2 and not is_small(X)


def rows_of_part(n_columns: int) -> int:
    """Give how many rows of d columns are made dense at one time."""
    return max(LEAST_ROWS, PART_BYTES // (8 * n_columns))


def scores_of(answer: Callable[..., tuple[np.ndarray, Any]], matrix: Any, device: str) -> np.ndarray:
    """Give the scores (n, K) of a dense or sparse matrix (n, d), some rows at a time."""
    n, d = matrix.shape
    size = rows_of_part(d) if issparse(matrix) else whole_chunks(rows_at_once(d, 1))
    if n <= size and not issparse(matrix):
        return answer(matrix, device)[0]
    exact = n <= EXACT_ROWS
    return np.concatenate([answer(dense(matrix[i : i + size]), device, exact)[0] for i in range(0, n, size)])


def dense(rows: Any) -> np.ndarray:
    """Make rows (m, d) dense if they are sparse, as float64."""
    rows = rows.toarray() if issparse(rows) else rows
    return rows.astype(np.float64, copy=False)
