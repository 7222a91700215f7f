"""Columns of pandas that hold Arrow's arrays, as columns of pandas' own types."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

_dtype, _name = attrgetter("dtype"), attrgetter("__name__")


def with_categories(table: Any) -> Any:
    """Make categories of Arrow's dictionaries, as pandas does when it reads a table of pyarrow.

    Arrow's columns without any cell become columns of None.

    Parameters
    ----------
    table : DataFrame of shape (n, d) or Series of shape (n,)
        Of pandas.

    Returns
    -------
    DataFrame or Series
        `table` itself where it holds no dictionaries; else a new one, with levels in the same order.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"size": [1.5, 2.0]})
    >>> with_categories(table) is table
    True
    """
    if not _holds_arrow(table):
        return table
    if not hasattr(table, "columns"):
        return _as_category(table)
    own = table.copy(deep=False)
    for j in range(table.shape[1]):
        column = table.iloc[:, j]
        category = _as_category(column)
        if category is not column:
            own.isetitem(j, category)
    return own


def _holds_arrow(table: Any) -> bool:
    """Whether some column holds Arrow's arrays; pandas' blocks say so far faster than ``dtypes``."""
    dtypes: Iterable[Any]
    try:
        dtypes = map(_dtype, table._mgr.blocks)
    except AttributeError:  # of another package, or of another pandas
        dtypes = table.dtypes if hasattr(table, "columns") else [table.dtype]
    return "ArrowDtype" in map(_name, map(type, dtypes))


def _as_category(column: Any) -> Any:
    """Make a category of a column (n,) if it holds Arrow's dictionary, and objects if it holds nothing."""
    import pandas as pd

    if not isinstance(column.dtype, pd.ArrowDtype):
        return column
    import pyarrow as pa

    kind = column.dtype.pyarrow_dtype
    if pa.types.is_null(kind):
        return pd.Series([None] * len(column), index=column.index, name=column.name, dtype=object)
    if not pa.types.is_dictionary(kind):
        return column
    cells = pa.array(column.array)
    try:
        found = cells.to_pandas()
    except ValueError:  # it holds a level twice, or a missing one
        found = cells.cast(kind.value_type).dictionary_encode().to_pandas()
    return pd.Series(found.array, index=column.index, name=column.name)


def plain_times(column: Any) -> Any:
    """Give a column of dates, times of day or spans that Arrow holds as pandas does without Arrow.

    Parameters
    ----------
    column : Series of shape (n,)
        Any.

    Returns
    -------
    Series of shape (n,)
        `column` itself where it is none of these. Dates are ``datetime64``, also those without a time.

    Examples
    --------
    >>> import pandas as pd
    >>> column = pd.Series(pd.to_datetime(["2024-02-29"]))
    >>> plain_times(column) is column
    True
    """
    import pandas as pd

    if not isinstance(column.dtype, pd.ArrowDtype):
        return column
    import pyarrow as pa

    if not pa.types.is_temporal(column.dtype.pyarrow_dtype):
        return column
    found = pa.array(column.array).to_pandas(date_as_object=False)
    return pd.Series(found.array, index=column.index, name=column.name)
