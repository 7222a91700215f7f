"""What stands in hidden cells: columns with their fills below them, from which new columns are taken."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

NUMBERS = "iufb"


def column_pools(X: Any, background: Any, fill: str) -> list[Any]:
    """List for each column of a table (n, d) its n cells, and below them those that may fill it.

    Parameters
    ----------
    X, background : DataFrame or ndarray of shape (n, d) and (m, d)
        The table, and the rows from which fills come.
    fill : {"marginal", "mean", "missing"}
        All m cells of the background, their mean or most frequent one, or a missing cell.

    Returns
    -------
    list of (ndarray or ExtensionArray)
        One for each column, in its own type unless a fill does not fit into it: then whole numbers
        become floats.
    """
    if isinstance(X, np.ndarray):
        pool = _array_pool(X, background, fill, "background")
        return list(np.ascontiguousarray(pool.T))
    pools = []
    for j, name in enumerate(X.columns):
        column = X.iloc[:, j]
        source = _of_type(background.iloc[:, j], column.dtype, name)
        if isinstance(column.dtype, np.dtype):
            where = f"column {name!r} of background"
            pool = _array_pool(column.to_numpy()[:, None], source.to_numpy()[:, None], fill, where)[:, 0]
        else:
            pool = _extension_pool(column, source, fill)
        pools.append(pool)
    return pools


# --- numpy --------------------------------------------------------------------------------------------


def _array_pool(X: np.ndarray, background: np.ndarray, fill: str, where: str) -> np.ndarray:
    """Pool (n + m, d) of arrays (n, d) and (m, d)."""
    if (X.dtype.kind in NUMBERS) != (background.dtype.kind in NUMBERS):
        raise TypeError(f"{where} holds {background.dtype}; expected {X.dtype}, as X holds.")
    if fill == "marginal":
        keep = X.dtype.kind == "f" and background.dtype.kind in NUMBERS
        return np.concatenate([X, background.astype(X.dtype) if keep else background])
    if fill == "mean":
        return np.concatenate([X, _typical(background, X.dtype)])
    if X.dtype.kind in "iub":
        X = X.astype(np.float64)
    elif X.dtype.kind in "US":
        X = X.astype(object)
    nothing: Any = None if X.dtype.kind == "O" else "NaT" if X.dtype.kind in "mM" else np.nan
    return np.concatenate([X, np.full((1, X.shape[1]), nothing, dtype=X.dtype)])


def _typical(source: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Row (1, d) of means of numbers, and of the most frequent of anything else."""
    if dtype.kind in "iuf":
        known = ~np.isnan(source)
        total = source.sum(axis=0, where=known, keepdims=True, dtype=np.float64)
        count = known.sum(axis=0, keepdims=True)
        mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
        return mean.astype(dtype) if dtype.kind == "f" else mean
    if dtype.kind == "b":
        return source.mean(axis=0, keepdims=True) > 0.5
    row = np.empty((1, source.shape[1]), dtype=source.dtype)
    for j, column in enumerate(source.T):
        counts = Counter(cell for cell in column if not _is_missing(cell))
        # without any known cell the first one, which is missing, is as good as another
        row[0, j] = counts.most_common(1)[0][0] if counts else column[0]
    return row


def _is_missing(cell: Any) -> bool:
    if cell is None:
        return True
    try:
        return bool(cell != cell)
    except TypeError:  # pandas.NA
        return True


# --- pandas -------------------------------------------------------------------------------------------


def _of_type(source: Any, dtype: Any, name: Any) -> Any:
    """Bring a column of the background into the type of the table's column, where nothing is lost."""
    import pandas as pd

    if source.dtype == dtype or (isinstance(dtype, np.dtype) and isinstance(source.dtype, np.dtype)):
        return source
    if isinstance(dtype, pd.CategoricalDtype):
        is_category = isinstance(source.dtype, pd.CategoricalDtype)
        levels = source.cat.categories if is_category else pd.Index(source.dropna().unique())
        unknown = levels.difference(dtype.categories, sort=False)
        if len(unknown):
            raise ValueError(
                f"column {name!r} of background has the categories {list(unknown[:5])}; expected those of X, "
                f"{list(dtype.categories[:20])}."
            )
    try:
        return source.astype(dtype)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"column {name!r} of background holds {source.dtype}; expected {dtype}, as X holds ({error})."
        ) from None


def _extension_pool(column: Any, source: Any, fill: str) -> Any:
    """Pool of a column of one of pandas' own types: categories, text, numbers with NA."""
    import pandas as pd

    if fill == "missing":
        below = pd.Series([None], dtype=column.dtype)
    elif fill == "marginal":
        below = source
    elif pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        column, source = column * 1.0, source * 1.0
        mean = source.mean()
        below = pd.Series([None if pd.isna(mean) else mean], dtype=column.dtype)
    else:
        below = source.mode().iloc[:1]
        if not len(below):
            below = source.iloc[:1]
    return pd.concat([column, below.astype(column.dtype)], ignore_index=True).array
