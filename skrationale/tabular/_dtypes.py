"""What a column holds, decided by one rule at fit and at predict."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from .._callers import outside
from .._switch import Switch
from .._tensors import is_kept

UNSEEN = -1.0
"""The code of a category level that was not there at fit."""
UNSEEN_NAME = "(unseen)"
"""What stands for such a level in a table that is rebuilt from codes."""
NUMBERS = (bool, int, float, Decimal, Fraction, np.bool_, np.integer, np.floating)
TIMES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
NUMERIC = frozenset({"boolean", "integer", "floating", "mixed-integer-float", "decimal"})
"""Columns of objects that pandas calls numbers."""
COMPLEX = (complex, np.complexfloating)
CONTAINERS = (dict, list, set, tuple, np.ndarray)
ADVICE = (
    "expected numbers, booleans, text or categories. Turn it into numbers first; for dates and times, put "
    "skrationale.DateParts() into a pipeline."
)


def is_number_type(kind: type) -> bool:
    """Whether cells of a type are numbers or booleans; numpy counts spans of time among the integers."""
    return issubclass(kind, NUMBERS) and not issubclass(kind, np.timedelta64)


def needs_columns(cells: np.ndarray) -> bool:
    """Whether an array (n, d) holds what columns are read one by one for, text or NA; refuse dates alone."""
    if cells.dtype.kind in "US":
        return True
    kinds = set(map(type, cells.ravel().tolist()))
    if any(issubclass(kind, (str, bytes)) or kind.__name__ == "NAType" for kind in kinds):
        return True
    for kind in kinds:
        if issubclass(kind, (*TIMES, *COMPLEX)):
            raise TypeError(f"X holds a {kind.__name__}; {ADVICE}")
    return False


def check_array_type(X: np.ndarray) -> None:
    """Refuse an array (n, d) that holds dates, spans of time, complex numbers or records."""
    if X.dtype.kind not in "biuf":
        raise TypeError(f"X has dtype {X.dtype}; {ADVICE}")


def as_float64(X: np.ndarray, keep: bool) -> np.ndarray:
    """Copy an array (n, d) of numbers; with `keep` not one that owns its memory and is read-only."""
    return X if keep and is_kept(X, np.float64) else X.astype(np.float64)


def column_kind(column: Any, name: str, *, times: bool = False) -> str:
    """Say what a column of a DataFrame holds.

    Parameters
    ----------
    column : Series of shape (n,)
        The column.
    name : str
        Its name, for errors.
    times : bool, default=False
        Whether objects that are dates, times or periods may stand there as text does.

    Returns
    -------
    {"category", "number", "text", "nothing"}
        Booleans are numbers, and cells of several types are text; "nothing" is a column of objects whose
        cells are all missing.

    Raises
    ------
    TypeError
        For columns of dates, times and periods, of complex numbers, and for cells that are containers.

    Examples
    --------
    >>> import pandas as pd
    >>> column_kind(pd.Series([1, 2]), "a"), column_kind(pd.Series(["1", "2"]), "a")
    ('number', 'text')
    """
    import pandas as pd
    from pandas.api import types

    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if isinstance(dtype, pd.StringDtype):
        return "text" if column.notna().any() else "nothing"
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    if types.is_bool_dtype(dtype) or (types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype)):
        return "number"
    if not (types.is_string_dtype(dtype) or types.is_object_dtype(dtype)):
        raise TypeError(f"Column {name!r} of X has dtype {column.dtype}; {ADVICE}")
    kind = types.infer_dtype(column, skipna=True)
    if kind in NUMERIC or kind == "string":
        return "text" if kind == "string" else "number"
    known = column[column.notna()].tolist()
    found = dict.fromkeys(map(type, known))  # unlike a set it keeps the order of the cells
    refused = COMPLEX if times else (*COMPLEX, *TIMES, pd.Period)
    for cell_type in found:
        if issubclass(cell_type, CONTAINERS):
            raise TypeError(
                f"Column {name!r} of X holds a {cell_type.__name__}; "
                "the argument must be a string, a number, a boolean or missing in every cell."
            )
        if issubclass(cell_type, refused):
            cell = next(value for value in known if type(value) is cell_type)
            raise TypeError(f"Column {name!r} of X holds a {cell_type.__name__}, {cell!r:.60}; {ADVICE}")
    if not known:
        return "nothing"
    return "number" if all(map(is_number_type, found)) else "text"


def column_numbers(column: Any, name: str) -> np.ndarray:
    """Read a column that was numeric at fit as floats (n,), NaN where missing; refuse all else.

    Parameters
    ----------
    column : Series of shape (n,)
        The column.
    name : str
        Its name, for errors.

    Raises
    ------
    TypeError
        For what :func:`column_kind` refuses.
    ValueError
        For text, also of digits, and for numbers that no float64 holds.
    """
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return column.to_numpy(dtype=np.float64)
    kind = column_kind(column, name)
    if kind == "category":
        cells = column.astype(object)
        kind = column_kind(cells, name)
        if kind == "number":
            column = cells
    if kind == "nothing":
        return np.full(len(column), np.nan)
    if kind == "text":
        known = column[column.notna()]
        text = next((value for value in known if isinstance(value, str)), known.iloc[0])
        raise ValueError(
            f"Column {name!r} of X was numeric at fit, but now holds a value that is not a number: "
            f"{text!r:.60} (dtype {column.dtype}); expected numbers, booleans or missing values."
        )
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except OverflowError as error:
        raise ValueError(
            f"Column {name!r} of X holds a number that is too large for a float64: {error}."
        ) from None


def column_codes(column: Any, levels: np.ndarray, name: str) -> tuple[np.ndarray, bool]:
    """Read a column that had levels at fit as their positions (n,).

    Parameters
    ----------
    column : Series or ndarray of shape (n,)
        The column.
    levels : ndarray of shape (L,)
        Its levels at fit.
    name : str
        Its name, for errors.

    Returns
    -------
    codes : ndarray of shape (n,), float64
        NaN where a cell is missing, -1 where its level was not there at fit.
    unknown : bool
        Whether there are cells, and all of them have such levels.

    Raises
    ------
    ValueError
        For numbers where no level is a number.
    TypeError
        For what :func:`column_kind` refuses, unless levels are dates.
    """
    import pandas as pd

    # as they are: pandas would look up a number among intervals, or text among dates
    index = pd.Index(levels, dtype=object)
    column = pd.Series(column)
    # levels may be dates, which stand in columns of dates or of objects
    known = set(map(type, levels.tolist()))
    times, numbers = any(issubclass(t, (*TIMES, pd.Period)) for t in known), any(map(is_number_type, known))
    kind = "nothing" if times else column_kind(column, name, times=True)
    if kind == "text" and numbers:
        column_kind(column, name)  # to numpy a span of a day may equal the number 1
    if isinstance(column.dtype, pd.CategoricalDtype):
        # one look-up a level, not one a row
        of_level = np.append(index.get_indexer(pd.Index(column.cat.categories, dtype=object)), UNSEEN)
        codes = of_level.astype(np.float64)[column.cat.codes.to_numpy()]
    else:
        cells = pd.Index(column.to_numpy(dtype=object), dtype=object)  # pandas 2 would make dates of an array
        codes = index.get_indexer(cells).astype(np.float64)
    codes[column.isna().to_numpy()] = np.nan
    if not (codes == UNSEEN).any() or (codes >= 0).any():
        return codes, False
    if kind == "text" and not times:
        column_kind(column, name)
    if kind == "number" and not numbers:
        raise ValueError(
            f"Column {name!r} of X held {_shown(levels)} at fit, but holds numbers now "
            f"(dtype {column.dtype}); expected cells of the same type as at fit."
        )
    # the reader that rebuilt a table has warned already
    return codes, not (column.dropna().astype(object) == UNSEEN_NAME).all()


def joined_levels(known: np.ndarray, levels: Iterable[Any]) -> np.ndarray:
    """Put levels that are not known behind the known ones, whose codes stay."""
    seen = set(known)
    new = [level for level in levels if level not in seen]
    joined = np.empty(len(known) + len(new), dtype=object)
    joined[: len(known)], joined[len(known) :] = known, new
    return joined


def _shown(values: Any) -> str:
    plain = [value.item() if isinstance(value, np.generic) else value for value in values[:3]]
    texts = [f"{value!r:.40}" for value in plain]
    return ", ".join(texts) + (", ..." if len(values) > 3 else "")


UNKNOWN_REPORTED = Switch("UNKNOWN_REPORTED")
"""On inside a block that reads a table again, which has warned of unknown levels already."""


def warn_of_unknown(columns: dict[str, tuple[Any, np.ndarray]]) -> None:
    """Warn once of the columns whose cells all have levels that were not there at fit.

    Parameters
    ----------
    columns : dict of str to (Series, ndarray)
        By name the column, and its levels at fit.
    """
    if not columns or UNKNOWN_REPORTED:
        return
    import pandas as pd

    found = [
        f"{name!r} ({_shown(pd.Series(column).dropna().iloc[:1].tolist())}, where fit saw {_shown(levels)})"
        for name, (column, levels) in columns.items()
    ]
    warnings.warn(
        f"X has only unknown levels in column(s) {', '.join(found[:5])}{', ...' if len(found) > 5 else ''}; "
        "all are read as one unknown level. Check that spelling and type are the same as in fit.",
        UserWarning,
        stacklevel=outside(),
    )
