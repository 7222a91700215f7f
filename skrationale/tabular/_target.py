"""Read a target: labels stay the labels they were, and numbers numbers, whatever holds them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.validation import assert_all_finite, column_or_1d

from .._arrow import with_categories
from .._callers import outside
from ._dtypes import is_number_type
from ._lazy import refuse_without_rows

MAX_INTEGER_CLASSES = 30
"""So many different integers may be labels. Not measured: more than most tables of classes have."""
EXPECTED = "expected labels that are text, whole numbers or booleans, or numbers to predict"


def holds_categories(y: Any) -> bool:
    """Tell whether a target says itself that it holds labels: its type is that of categories.

    Parameters
    ----------
    y : array-like of shape (n,)
        Target, before :func:`read_target`.

    Returns
    -------
    bool

    Examples
    --------
    >>> import pandas as pd
    >>> holds_categories(pd.Series([1, 2], dtype="category")), holds_categories(pd.Series([1, 2]))
    (True, False)
    """
    y = _one_column(_in_pandas(y), warn=False)
    # of an array of numpy this is a dtype without categories
    return hasattr(getattr(y, "dtype", None), "categories")


def looks_like_classes(y: Any, *, numbers: bool = True) -> bool:
    """Tell whether a target holds labels where nothing else says so, the rule of all distillers.

    Text, categories and booleans are labels. Numbers are labels when they take two values, or are integers
    that take at most 30.

    Parameters
    ----------
    y : array-like of shape (n,)
        Target; its own type decides, also one of pandas, polars or pyarrow.
    numbers : bool, default=True
        Whether numbers may be labels at all. They may not where formulas are looked for: a law may well have
        few values.

    Returns
    -------
    bool

    Examples
    --------
    >>> import numpy as np
    >>> looks_like_classes(np.array([0, 1, 2])), looks_like_classes(np.array([0.0, 1.0, 2.0]))
    (True, False)
    >>> looks_like_classes(np.array([0, 1, 2]), numbers=False)
    False
    """
    if holds_categories(y):
        return True
    y = read_target(y)
    if y.dtype.kind in "OUb":
        return True
    return numbers and len(np.unique(y)) <= (2 if y.dtype.kind == "f" else MAX_INTEGER_CLASSES)


def read_target(y: Any, *, warn: bool = True, mixed: bool = False) -> np.ndarray:
    """Read a target as an array of one of numpy's own types, in which nothing is missing.

    Whole numbers stay whole, whatever type of pandas, polars or pyarrow held them, text stays text, and
    categories become what their levels are.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels or numbers: an array, a list, a Series, or a table of one column.
    warn : bool, default=True
        Whether to warn of a table of one column.
    mixed : bool, default=False
        Whether labels of several types may stand beside each other; they are objects then.

    Returns
    -------
    ndarray of shape (n,)
        Booleans, integers, floats, or text (of fixed width, or as objects).

    Raises
    ------
    ValueError
        When a value is missing or infinite, when labels are of several types, or for more than one column.
    TypeError
        For dates, bytes, complex numbers and everything else that is neither label nor number.

    Examples
    --------
    >>> import pandas as pd
    >>> read_target(pd.Series([2, 0, 1], dtype="Int64"))
    array([2, 0, 1])
    >>> read_target(pd.Series(["b", "a"], dtype="category"))
    array(['b', 'a'], dtype=object)
    """
    y = _one_column(_in_pandas(y), warn=warn)
    if isinstance(y, np.ma.MaskedArray):
        _refuse_missing(np.asarray(np.ma.getmaskarray(y)).reshape(len(y), -1).max(axis=1), "masked values")
    if _is_of(y, "pandas"):
        return _checked(_of_series(y, mixed))
    if isinstance(y, list | tuple):
        cells = np.array(y, dtype=object)
        values = _of_objects(_flat(cells, warn), mixed)
        if len(values) and all(isinstance(value, str) for value in values):
            values = values.astype(np.str_)  # as numpy holds a list of text
        return _checked(values)
    values = _flat(y, warn)
    return _checked(_of_objects(values, mixed) if values.dtype.kind == "O" else values)


def as_numbers(y: np.ndarray, instead: str = "; expected numbers.") -> np.ndarray:
    """Give a target that was read as floats; refuse text that is no finite number.

    Parameters
    ----------
    y : ndarray of shape (n,)
        What :func:`read_target` gave.
    instead : str, default="; expected numbers."
        How the sentence of the error ends.

    Returns
    -------
    ndarray of shape (n,), float64

    Raises
    ------
    ValueError
        When a value is text that is no finite number.

    Examples
    --------
    >>> as_numbers(np.array(["1.5", "2"]))
    array([1.5, 2. ])
    """
    try:
        numbers = y.astype(np.float64)
    except ValueError:
        raise ValueError(f"y holds text{instead}") from None
    if not np.isfinite(numbers).all():
        raise ValueError(f"y holds text that is not a finite number{instead}")
    return numbers


def _is_of(y: Any, library: str) -> bool:
    return type(y).__module__.partition(".")[0] == library


def _in_pandas(y: Any) -> Any:
    """Bring what polars and pyarrow hold, and the bare arrays of pandas, into a Series or DataFrame."""
    refuse_without_rows("y", y)
    if hasattr(y, "to_pandas"):
        y = y.to_pandas()
    if _is_of(y, "pandas") and not hasattr(y, "iloc"):
        import pandas as pd

        y = pd.Series(y)
    return with_categories(y) if _is_of(y, "pandas") else y


def _one_column(y: Any, *, warn: bool) -> Any:
    if not (hasattr(y, "iloc") and hasattr(y, "columns")):
        return y
    if y.shape[1] != 1:
        raise ValueError(f"y should be a 1d array, got an array of shape {y.shape} instead.")
    if warn:
        _warn_of_a_column("y.iloc[:, 0]")
    return y.iloc[:, 0]


def _flat(y: Any, warn: bool) -> np.ndarray:
    """Give the cells (n,) of an array (n,) or (n, 1); scikit-learn's own warning would point to this line."""
    shape = np.asarray(y).shape  # np.shape would ask what is only nearly an array for more
    if warn and len(shape) == 2 and shape[1] == 1:
        _warn_of_a_column("np.ravel(y)")
    return column_or_1d(y)


def _warn_of_a_column(instead: str) -> None:
    warnings.warn(
        "A column-vector y was passed when a 1d array was expected. Please give one column, for example "
        f"{instead}.",
        DataConversionWarning,
        stacklevel=outside(),
    )


def _of_series(y: Any, mixed: bool) -> np.ndarray:
    """Give the values of a Series in a type of numpy; see `read_target`."""
    import pandas as pd

    if isinstance(y.dtype, pd.CategoricalDtype):
        y = y.astype(y.cat.categories.dtype)
    if isinstance(y.dtype, pd.SparseDtype):
        y = y.sparse.to_dense()
    if y.dtype.kind in "Mmc":
        raise TypeError(f"y has dtype {y.dtype}; {EXPECTED}.")
    missing = y.isna().to_numpy(dtype=bool)
    if missing.any():
        _refuse_missing(missing, _name(y.iloc[int(missing.argmax())]))
    if y.dtype.kind in "biuf":
        return y.to_numpy(dtype=getattr(y.dtype, "numpy_dtype", y.dtype))
    return _of_objects(y.to_numpy(dtype=object), mixed)


def _of_objects(values: np.ndarray, mixed: bool) -> np.ndarray:
    """Give an array (n,) of objects the type that its cells have."""
    missing = np.fromiter(map(_is_missing, values), dtype=bool, count=len(values))
    if missing.any():
        _refuse_missing(missing, _name(values[missing.argmax()]))
    types = list(dict.fromkeys(map(type, values)))
    texts = [issubclass(kind, str) for kind in types]
    if all(texts):
        return values
    numeric = [is_number_type(kind) for kind in types]
    for kind, known in zip(types, np.logical_or(texts, numeric), strict=True):
        if not known:
            row = next(i for i, value in enumerate(values) if type(value) is kind)
            raise TypeError(f"y holds a {kind.__name__} in row {row} ({values[row]!r:.60}); {EXPECTED}.")
    if any(texts) and mixed:
        return values
    if any(texts):
        names = " and ".join(sorted(kind.__name__ for kind in types))
        raise ValueError(
            f"y mixes {names}; expected labels of one type (as text: y.astype(str)), or numbers."
        )
    try:
        numbers = np.array(values.tolist())
        return numbers.astype(np.float64) if numbers.dtype.kind == "O" else numbers
    except OverflowError as error:
        raise ValueError(f"Input y contains a number that is too large for a float64: {error}.") from None


def _is_missing(value: Any) -> bool:
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA has no truth, and an array more than one
        return not hasattr(value, "__len__")


def _name(nothing: Any) -> str:
    return "NaN" if isinstance(nothing, float) else str(nothing).strip("<>")


def _refuse_missing(missing: np.ndarray, what: str) -> None:
    if missing.any():
        rows = np.flatnonzero(missing)
        shown = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
        raise ValueError(
            f"Input y contains {what}: the target is missing in {len(rows)} of {len(missing)} rows (counted "
            f"from 0: {shown}); expected a label or a number in every row. Leave these rows out."
        )


def _checked(values: np.ndarray) -> np.ndarray:
    """Refuse an array (n,) with missing or infinite numbers, or of a type that no target has."""
    if values.dtype.kind not in "biufUO":
        hint = "; decode bytes with y.astype(str)" if values.dtype.kind == "S" else ""
        raise TypeError(f"y has dtype {values.dtype}; {EXPECTED}{hint}.")
    if values.dtype.kind == "f":
        _refuse_missing(np.isnan(values), "NaN")
        assert_all_finite(values, input_name="y")
    return values
