"""Turn what a caller passed into owned, read-only arrays and plain data, or say what was wrong."""

import copy
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from .._tensors import holds_infinity, is_kept
from ._cells import TypedCells

ROWS_AND_FEATURES = "one cell for each row and feature of `values`"
MAX_DEPTH = 100
"""How deep plain data may be nested."""
FEW = 10_000
"""For so many rows base values that are the same are written down for each row. Measured: it takes no more
time than an array that repeats them without memory."""
PLAIN = frozenset({str, bool, int, float, type(None)})
"""Types of what is plain in itself."""
TAG = "$float"
"""Stands before a number in JSON that has no token there."""


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def own(array: np.ndarray) -> np.ndarray:
    """Return an array to which nobody can write, which only a view is copied for."""
    return _frozen(array if array.flags.owndata or _repeats(array) else array.copy())


def _repeats(value: Any) -> bool:
    """Whether it is what `base_array` gives for many rows: an own, read-only number for all of them."""
    return (
        type(value) is np.ndarray
        and value.ndim > 0
        and value.strides[0] == 0
        and is_kept(value.base, np.float64)
        and not value.flags.writeable
    )


def number_array(name: str, value: Any) -> np.ndarray:
    """Return an own, read-only float64 copy of `value`; a masked cell is NaN.

    An array of float64 that owns its memory and is read-only already is not copied.
    """
    if is_kept(value, np.float64):
        return value
    try:
        array = _numbers_of(value)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        hint = "; what the user typed goes into `display_data`" if name == "data" else ""
        raise TypeError(
            f"`{name}` must be an array of numbers{hint}, got {type(value).__name__} ({error})."
        ) from error
    return _frozen(array)


def _numbers_of(value: Any) -> np.ndarray:
    """Turn what holds real numbers into float64; numpy alone would also read texts and cut off parts."""
    given = value if isinstance(value, np.ma.MaskedArray) else np.asarray(value)
    if given.dtype.kind not in "biufO":
        raise TypeError(f"an array of {given.dtype}")
    if given.dtype.kind == "O":
        for item in given.ravel():
            if isinstance(item, str | bytes | complex | np.complexfloating | np.datetime64 | np.timedelta64):
                raise TypeError(f"it holds {item!r} of type {type(item).__name__}")
    array = np.array(given, dtype=np.float64)
    if isinstance(given, np.ma.MaskedArray):
        array[np.ma.getmaskarray(given)] = np.nan
    return array


def shaped(name: str, array: Any, shape: tuple[int, ...], meaning: str) -> Any:
    """Return `array` when it has the shape, else raise."""
    if array.shape != shape:
        raise ValueError(f"`{name}` has shape {array.shape}, expected {shape}: {meaning}.")
    return array


def numbers(meaning: str, name: str, value: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return numbers as `number_array` does, when they have the shape, else raise."""
    return shaped(name, number_array(name, value), shape, meaning)


def value_array(value: Any) -> np.ndarray:
    """Return `values` as (n, d), or (n, d, k) with k > 1."""
    array = number_array("values", value)
    if array.ndim not in (2, 3):
        raise ValueError(
            f"`values` has shape {array.shape}, expected (n_rows, n_features) "
            "or (n_rows, n_features, n_outputs)."
        )
    if array.ndim == 3 and array.shape[2] < 2:
        raise ValueError(
            f"`values` has shape {array.shape}; expected (n_rows, n_features) for a single output, "
            "or at least two outputs."
        )
    if array.shape[1] == 0:
        raise ValueError(f"`values` has shape {array.shape}, expected at least one feature.")
    if holds_infinity(array):
        raise ValueError("`values` holds infinite numbers, expected finite numbers, or NaN where undefined.")
    return array


def base_array(value: Any, values: np.ndarray) -> np.ndarray:
    """Return base values as (n,) or (n, k); a scalar and one number an output are repeated for each row."""
    expected = (values.shape[0], *values.shape[2:])
    if _repeats(value) and value.shape == expected and np.isfinite(value[:1]).all():
        return value
    array = number_array("base_values", value)
    repeatable = array.ndim == 0 or array.shape == expected[1:]
    if not repeatable:
        shaped("base_values", array, expected, "one number for each row and output of `values`, or a scalar")
    if not np.isfinite(array).all():
        raise ValueError("`base_values` must be finite, got NaN or infinity.")
    if array.shape == expected:
        return array
    # of many rows, the same number again and again takes no memory
    return _frozen(np.full(expected, array)) if len(values) <= FEW else np.broadcast_to(array, expected)


def display_cells(value: Any, shape: tuple[int, int]) -> Any:
    """Return cells as the user typed them: `TypedCells`, or an own, read-only object array."""
    if isinstance(value, TypedCells):
        shaped("display_data", value, shape, ROWS_AND_FEATURES)
        return value
    array = np.array(value, dtype=object)
    return _frozen(shaped("display_data", array, shape, ROWS_AND_FEATURES))


def bool_array(value: Any, shape: tuple[int, int]) -> np.ndarray:
    """Return an own, read-only mask."""
    array = value if is_kept(value, bool) else np.array(value)
    if array.dtype != bool or np.ma.is_masked(value):
        found = "one with masked cells" if array.dtype == bool else f"an array of {array.dtype}"
        raise TypeError(f"`mask` must hold booleans, got {found}.")
    return _frozen(shaped("mask", array, shape, ROWS_AND_FEATURES))


def names(name: str, value: Any, count: int, default: str, *, unique: bool = False) -> tuple[str, ...]:
    """Return `count` names; those missing are numbered after `default`."""
    given: Iterable[Any] = (value,) if isinstance(value, str) else () if value is None else value
    # the names of a set have no order, and those of a mapping may stand for anything
    if type(given) is not tuple and (not isinstance(given, Iterable) or isinstance(given, Set | Mapping)):
        raise TypeError(f"`{name}` must be a sequence of strings, got {type(value).__name__}.")
    found = tuple(given)
    if not {*map(type, found)} <= {str}:
        wrong = [item for item in found if not isinstance(item, str)]
        if wrong:
            kind = type(wrong[0]).__name__
            raise TypeError(f"`{name}` must hold strings, got {wrong[0]!r} of type {kind}.")
        found = tuple(str(item) for item in found)
    if not found:
        return (default,) if unique and count == 1 else tuple(f"{default}{i}" for i in range(count))
    if len(found) != count:
        raise ValueError(f"`{name}` has {len(found)} names, expected {count}, as `values` has.")
    if unique and len(set(found)) < count:
        raise ValueError(f"`{name}` must differ from each other, got {found}.")
    return found


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Raise unless `value` is one of the allowed strings."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"`{name}` must be one of {allowed}, got {value!r}.")


def text_or_none(name: str, value: Any) -> None:
    """Raise unless `value` is a string or None."""
    if not isinstance(value, str | None):
        raise TypeError(f"`{name}` must be a string or None, got {type(value).__name__}.")


def plain(name: str, value: Any, depth: int = 0) -> Any:
    """Return a copy of `value` made of dicts, lists, strings, numbers, booleans and None only."""
    if depth > MAX_DEPTH:
        raise ValueError(
            f"`{name.partition('[')[0]}` must be nested at most {MAX_DEPTH} deep, got data that go deeper."
        )
    if type(value) in PLAIN:
        return value
    if type(value) is dict or isinstance(value, Mapping):  # of an exact type this is known sooner
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong:
            raise TypeError(f"`{name}` must have string keys, got {wrong[0]!r}.")
        return {str(key): plain(f"{name}[{key!r}]", item, depth + 1) for key, item in value.items()}
    if isinstance(value, np.floating):
        # extended precision stays a numpy number in `tolist`
        return float(value)
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufUO":
        return plain(name, value.tolist(), depth + (value.dtype.kind == "O"))
    if isinstance(value, list | tuple):
        return [plain(f"{name}[{i}]", item, depth + 1) for i, item in enumerate(value)]
    if isinstance(value, str | bool | int | float | None):
        return value
    raise TypeError(
        f"`{name}` must be plain data (dict, list, str, number, bool, None), got {type(value).__name__}."
    )


def plain_dict(name: str, value: Any) -> dict[str, Any]:
    """Return an own copy of a dict of plain data."""
    if not isinstance(value, Mapping):
        raise TypeError(f"`{name}` must be a dict, got {type(value).__name__}.")
    return plain(name, value)


def attribute_table(value: Any, n_rows: int) -> dict[str, Any] | None:
    """Return the attributes with arrays owned and read-only; arrays have one entry for each row."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise TypeError(f"`attributes` must be a dict or None, got {type(value).__name__}.")
    if wrong := [key for key in value if not isinstance(key, str)]:
        raise TypeError(f"`attributes` must have string keys, got {wrong[0]!r}.")
    arrays = {key: item for key, item in value.items() if isinstance(item, np.ndarray)}
    for key, array in arrays.items():
        if array.shape[:1] != (n_rows,):
            raise ValueError(
                f"`attributes[{key!r}]` is an array of shape {array.shape}, expected {n_rows} rows as "
                "`values` has; pass data that are not aligned with rows as a list."
            )
        if np.ma.is_masked(array):
            raise TypeError(
                f"`attributes[{key!r}]` has masked cells, expected NaN or None for what is missing."
            )
    rest = plain("attributes", {key: item for key, item in value.items() if key not in arrays})
    own = {
        key: a if is_kept(a, np.float64) else _frozen(np.array(copy.deepcopy(a))) for key, a in arrays.items()
    }
    return {key: own[key] if key in own else rest[key] for key in value}


def row_index(rows: Any, n: int) -> Any:
    """Return what selects rows and keeps the row axis."""
    if isinstance(rows, slice):
        return rows
    if isinstance(rows, int | np.integer) and not isinstance(rows, bool):
        if not -n <= rows < n:
            raise IndexError(f"row {rows} is out of range: the explanation has {n} rows.")
        return [int(rows) % n]
    index = np.asarray(rows) if not isinstance(rows, tuple) else np.empty((0, 0))
    if index.ndim != 1 or (index.dtype.kind not in "biu" and index.size):
        raise TypeError(
            "an explanation is indexed by rows: an integer, a slice, or a one-dimensional array of booleans "
            f"or integers, got {rows!r}. Outputs are chosen with `for_output`."
        )
    if index.dtype == bool and len(index) != n:
        raise IndexError(f"the boolean index has {len(index)} entries, expected {n}, one per row.")
    return index if index.size else index.astype(bool if index.dtype == bool else np.intp)


def places(index: Any, n: int) -> np.ndarray:
    """Return the row numbers (m,) that an index, as `row_index` gives it, selects of n rows."""
    if isinstance(index, slice):
        return np.arange(*index.indices(n))
    chosen = np.asarray(index)
    chosen = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.intp)
    return np.where(chosen < 0, chosen + n, chosen)


def output_place(output: Any, names: tuple[str, ...]) -> int:
    """Return the position of an output that is given by name or position."""
    if isinstance(output, str) and output in names:
        return names.index(output)
    if (
        isinstance(output, int | np.integer)
        and not isinstance(output, bool)
        and -len(names) <= output < len(names)
    ):
        return int(output)
    available = ", ".join(map(repr, names))
    raise ValueError(
        f"`output` must be one of {available} or its position in 0..{len(names) - 1}, got {output!r}."
    )
