"""Read the results of a search over parameters."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..writing import format_cell, format_number


def column(table: Mapping[str, Any], name: str, key: str) -> np.ndarray:
    """Return a column of numbers (m,), NaN where there is none.

    Parameters
    ----------
    table : mapping of str to array-like of shape (m,)
        ``cv_results_``, or another table.
    name : str
        Of the parameter that holds the key, for messages.
    key : str
        Of the column.

    Raises
    ------
    TypeError
        If `table` is no mapping.
    ValueError
        If there is no such key, or it does not hold numbers.
    """
    known = known_keys(table)
    if key not in table:
        raise ValueError(f"`{name}` must be one of {known}, got {key!r}.")
    cells = np.ma.filled(np.ma.asarray(table[key]).astype(object), np.nan)
    try:
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"`{name}` is {key!r}, which must hold numbers, got {list(cells[:3])}.") from None


def known_keys(table: Mapping[str, Any]) -> list[str]:
    """Return the keys that a user may want: not those of single folds, ranks and spreads."""
    if not isinstance(table, Mapping):
        raise TypeError(f"`cv_results` must be a dict, got {type(table).__name__}.")
    return [key for key in table if not key.startswith(("split", "rank_", "std_")) and key != "params"]


def spread_of(table: Mapping[str, Any], key: str) -> np.ndarray | None:
    """Return the standard deviation over folds (m,) that belongs to a mean, where there is one."""
    spread = "std_" + key.removeprefix("mean_")
    return column(table, "cv_results", spread) if key.startswith("mean_") and spread in table else None


def candidates(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters of each candidate: those that differ, or all of them where none does."""
    given = [dict(candidate) for candidate in table.get("params", [])]
    if not given:
        count = len(next(iter(table.values())))
        return [{"candidate": i} for i in range(count)]
    names = dict.fromkeys(name for candidate in given for name in candidate)
    differ = [name for name in names if len({repr(candidate.get(name)) for candidate in given}) > 1]
    kept = differ or list(names)
    return [{name: candidate[name] for name in kept if name in candidate} for candidate in given]


def describe(candidate: Mapping[str, Any]) -> str:
    """Return the parameters of a candidate in words, each by its own name.

    Examples
    --------
    >>> describe({"model__maxsize": 9, "model__engine": "operon"})
    'maxsize=9, engine=operon'
    """
    parts = []
    for name, value in candidate.items():
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        text = format_number(float(value)) if number else format_cell(value)
        parts.append(f"{name.rpartition('__')[2]}={text}")
    return ", ".join(parts)


def words(key: str) -> str:
    """Return a key of `cv_results_` as words.

    Examples
    --------
    >>> words("mean_test_sparsity"), words("param_model__maxsize")
    ('mean test sparsity', 'model__maxsize')
    """
    return key.removeprefix("param_") if key.startswith("param_") else key.replace("_", " ")


def best_of_each(groups: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Return for each finite number in `groups` (m,), rising, the position of its largest `gain` (m,).

    Examples
    --------
    >>> best_of_each(np.array([2.0, 1.0, 2.0, np.nan]), np.array([0.3, 0.1, 0.5, 0.9]))
    array([1, 2])
    """
    order = np.lexsort((-gain, groups))
    order = order[np.isfinite(groups[order])]
    return order[np.diff(groups[order], prepend=np.nan) != 0]
