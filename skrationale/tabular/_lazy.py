"""Tables that hold a plan of how to make them, and no rows yet; and sparse ones, which hold few cells."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

MADE_BY = {
    ("polars", "LazyFrame"): "call .collect() first",
    ("duckdb", "DuckDBPyRelation"): "call .df() first, or .pl()",
    ("duckdb", "DuckDBPyConnection"): "call .df() first, or .pl()",
    ("dask", "DataFrame"): "call .compute() first",
    ("dask", "Series"): "call .compute() first",
    ("pyspark", "DataFrame"): "call .toPandas() first",
}
"""What makes rows of them, by the package and the name of the type; modules of a package may have moved."""


def refuse_without_rows(name: str, table: Any) -> None:
    """Raise a TypeError for a plan instead of a table, which says how to carry it out."""
    kind = type(table)
    package = kind.__module__.lstrip("_").partition(".")[0]
    words = MADE_BY.get((package, kind.__name__))
    if words is not None:
        raise TypeError(
            f"{name} is a {kind.__name__} of {package}, which does not hold rows yet: {words}. For tables "
            "larger than memory see fit_batches and explain_dataset."
        )


MOST_DENSE_BYTES = 2**27
"""Sparse tables up to this size as float64, 128 MB, are made dense. Not measured."""
INSTEAD = (
    "Give the raw frame instead of one-hot columns: categories and text are read without encoding, with "
    "one reason per column"
)


def refuse_sparse(X: Any) -> None:
    """Raise a TypeError for a sparse table (n, d)."""
    if sparse.issparse(X):
        raise TypeError(
            f"X is a sparse table of {X.shape[-1]} columns; expected a dense one. {INSTEAD}; or encode "
            "with OneHotEncoder(sparse_output=False), and in a ColumnTransformer set sparse_threshold=0. "
            "GBDT2NNStudent takes sparse tables."
        )


def densely(X: Any) -> Any:
    """Give a table as it is, but a sparse one (n, d) as an array.

    Parameters
    ----------
    X : table of shape (n, d)
        Any.

    Returns
    -------
    table of shape (n, d)

    Raises
    ------
    ValueError
        When a sparse table would take more than 128 MB.

    Examples
    --------
    >>> from scipy import sparse
    >>> densely(sparse.csr_array([[0.0, 1.0]]))
    array([[0., 1.]])
    """
    if not sparse.issparse(X) or X.ndim != 2:
        return X
    n, d = X.shape
    if not is_small(X):
        raise ValueError(
            f"X is sparse, and its {n} rows of {d} columns would take {8 * n * d / 1e9:.1f} GB if they were "
            f"dense; expected at most {MOST_DENSE_BYTES / 1e9:.2f} GB. {INSTEAD}. Explain parts of at most "
            f"{max(1, MOST_DENSE_BYTES // (8 * d))} rows, as reasons are dense, too. "
            "OneHotEncoder(sparse_output=False) makes dense columns, where memory allows."
        )
    return X.toarray()


def is_small(X: Any) -> bool:
    """Whether a sparse table (n, d) takes at most 128 MB when it is dense."""
    return 8 * X.shape[0] * X.shape[1] <= MOST_DENSE_BYTES


def numeric_rows(X: Any) -> Any:
    """Give a sparse table by its rows, with each cell once, as float32 or float64.

    Parameters
    ----------
    X : sparse matrix or array of shape (n, d)
        Numbers or booleans.

    Returns
    -------
    scipy.sparse.csr_matrix of shape (n, d)
        With the cells of X itself where they are in this form.

    Raises
    ------
    ValueError
        When it is complex or holds infinity; the message names the column.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> numeric_rows(sparse.coo_array(np.array([[0, 2]]))).toarray()
    array([[0., 2.]])
    """
    if X.dtype.kind not in "biuf":
        raise ValueError(f"X is a sparse table of dtype {X.dtype}; expected real numbers or booleans.")
    rows = sparse.csr_matrix(X)  # of arrays LightGBM makes a copy
    if rows.dtype not in ("float32", "float64"):
        rows = rows.astype("float64")
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    infinite = np.isinf(rows.data)
    if infinite.any():
        names = [f"x{j}" for j in np.unique(rows.indices[infinite])[:5]]
        raise ValueError(f"X contains infinity in column(s) {names}; expected finite numbers or NaN.")
    return rows
