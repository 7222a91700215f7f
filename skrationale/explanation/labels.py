"""Labels of rows: those of the user's table, kept with no need of pandas until a frame is asked for."""

import sys
from typing import Any, TypeGuard

import numpy as np

from ..writing import shorten


def is_pandas(value: Any) -> TypeGuard[Any]:
    """Whether labels are an Index of pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.Index)


def row_labels(value: Any, n: int) -> Any:
    """Return own labels of n rows: a pandas Index, else a read-only array; None for 0, 1, ..., n - 1.

    Parameters
    ----------
    value : pandas.Index, sequence or None
        One label for each row.
    n : int
        Number of rows.

    Returns
    -------
    pandas.Index, ndarray of shape (n,) or None

    Raises
    ------
    TypeError
        If `value` is no sequence of labels.
    ValueError
        If it has another length.
    """
    if value is None:
        return None
    if not is_pandas(value):
        value = _label_array(value)
    if len(value) != n:
        raise ValueError(f"`index` has {len(value)} labels, expected {n}, one for each row of `values`.")
    if is_pandas(value):
        plain = type(value).__name__ == "RangeIndex" and value.name is None
        # The copy shares the labels, which cannot be changed, and has names of its own, which can.
        return None if plain and (value.start, value.step) == (0, 1) else value.copy()
    return None if value.dtype.kind in "iu" and np.array_equal(value, np.arange(n)) else value


def _label_array(value: Any) -> np.ndarray:
    if isinstance(value, str | bytes | dict) or not hasattr(value, "__iter__"):
        raise TypeError(f"`index` must be a sequence of row labels or None, got {type(value).__name__}.")
    if isinstance(value, np.ndarray):
        if value.ndim != 1:
            raise ValueError(f"`index` has shape {value.shape}, expected one label for each row of `values`.")
        labels = value.copy()
    else:
        found = list(value)
        labels = np.empty(len(found), dtype=object)
        labels[:] = found
        if found and all(type(label) is int and abs(label) < 2**63 for label in found):
            labels = labels.astype(np.int64)
    labels.setflags(write=False)
    return labels


def check_same_rows(labels: Any, X: Any) -> None:
    """Refuse a table whose labels are those of the explained rows in another order.

    Other labels, and rows without labels, say nothing about the order.

    Parameters
    ----------
    labels : pandas.Index, ndarray of shape (n,) or None
        Of the explained rows, as `row_labels` gives them.
    X : object
        Only a DataFrame of pandas has labels.

    Raises
    ------
    ValueError
        With the first row whose labels differ.
    """
    index = getattr(X, "index", None)
    if not (is_pandas(labels) and is_pandas(index)) or labels.equals(index):
        return
    if row_labels(index, len(index)) is None:  # counted alone
        return
    try:
        is_permuted = labels.sort_values().equals(index.sort_values())
    except TypeError:  # of types that have no order among each other
        is_permuted = set(labels) == set(index)
    if is_permuted:
        row = next(i for i, (one, other) in enumerate(zip(labels, index, strict=True)) if one != other)
        raise ValueError(
            f"X has the explained rows in another order: row {row} has the label "
            f"{label_text(index, row)!r} in X and {label_text(labels, row)!r} in the explanation. Expected "
            "the same order."
        )


def taken(labels: Any, places: np.ndarray) -> Any:
    """Return the labels of rows at places (m,); those of rows without labels are their numbers."""
    return places if labels is None else labels[places]


def label(labels: Any, i: int) -> Any:
    """Return the label of row i, a number of Python where it is one."""
    found = i if labels is None else labels[i]
    return found.item() if isinstance(found, np.generic) and found.dtype.kind in "biufU" else found


def in_words(found: Any) -> str:
    """Write a label, which has several parts where the index has several levels."""
    return ", ".join(map(str, found)) if isinstance(found, tuple) else str(found)


def label_text(labels: Any, i: int, width: int = 60) -> str:
    """Return the label of row i as words on one line.

    Examples
    --------
    >>> label_text(None, 7), label_text([("Ulm", 3)], 0), label_text([" "], 0)
    ('7', 'Ulm, 3', "' '")
    """
    text = in_words(label(labels, i))
    return shorten(text if text.strip() else repr(text), width)


def pandas_index(labels: Any, n: int) -> Any:
    """Return the labels of n rows as a pandas Index."""
    import pandas as pd

    if labels is None:
        return pd.RangeIndex(n)
    if is_pandas(labels):
        return labels.copy()
    return pd.Index(labels.tolist() if labels.dtype == object else labels.copy())
