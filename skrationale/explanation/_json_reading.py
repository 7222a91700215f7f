"""Read the JSON of an explanation: every entry is checked before anything is made of it."""

import json
import math
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import numpy as np

from ._index_json import index_from_plain, index_to_plain
from .checks import MAX_DEPTH, TAG
from .labels import row_labels

FORMAT, VERSION = "skrationale.Explanation", 1
NUMBERS = ("values", "base_values", "data", "lower_bounds", "upper_bounds")
TEXTS = ("formula", "kind", "link")
ENTRIES = frozenset(
    ("format", "version", "n_rows", "feature_names", "output_names", *NUMBERS, *TEXTS)
    + ("mask", "display_data", "attributes", "meta")
)
"""All entries of the JSON; each must be there, and no other but "index", where rows have labels."""
LEVELS = MAX_DEPTH + 5
"""How deep the JSON may be nested: plain data, and what stands around them."""
_AWKWARD = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_OPTIONAL = frozenset(NUMBERS[2:])


def fields_from_text(text: Any) -> dict[str, Any]:
    """Return the constructor parameters that the JSON holds.

    Parameters
    ----------
    text : str or bytes
        What ``to_json`` wrote.

    Returns
    -------
    dict
        Of the same shapes and types as were written.

    Raises
    ------
    TypeError
        If `text` is neither str nor bytes.
    ValueError
        If anything in it is not as ``to_json`` writes it; the message names the entry.
    """
    plain = _load(text)
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise ValueError(f"`text` must be the JSON of an explanation, with format {FORMAT!r}.")
    version = plain.get("version")
    if type(version) is not int or version != VERSION:
        raise ValueError(f"`text` has version {_short(version)}, expected {VERSION}.")
    if missing := [name for name in _in_order() if name not in plain]:
        raise ValueError(f"`text` has no entry {missing[0]!r}, expected one as `to_json` writes.")
    if unknown := [name for name in plain if name not in ENTRIES and name != "index"]:
        raise ValueError(f"`text` has an entry {_short(unknown[0])}, which `to_json` does not write.")
    return _fields(plain)


def _in_order() -> list[str]:
    first = ["feature_names", "output_names", "n_rows"]
    return first + sorted(ENTRIES.difference(first))


def _load(text: Any) -> Any:
    """Return what strict JSON holds."""
    if not isinstance(text, str | bytes | bytearray):
        raise TypeError(f"`text` must be a string of JSON, got {type(text).__name__}.")
    try:
        plain = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_decimal, object_pairs_hook=_object
        )
    except RecursionError:
        raise ValueError(f"`text` is nested too deep, expected at most {LEVELS} levels.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"`text` must be JSON, but it cannot be read: {error}.") from error
    except ValueError as error:
        if "`text`" in str(error):
            raise
        # Python reads no integer of thousands of digits
        raise ValueError(f"`text` holds a number that cannot be read: {error}.") from error
    # all that follows may call itself once a level
    level, depth = [plain], 0
    while level := [item for part in level for item in _parts(part)]:
        depth += 1
        if depth > LEVELS:
            raise ValueError(f"`text` is nested too deep, expected at most {LEVELS} levels.")
    return plain


def _parts(value: Any) -> Iterable[Any]:
    """Return the containers in a container."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict | list)]


def _refuse_constant(token: str) -> NoReturn:
    raise ValueError(f"`text` must be strict JSON, got the token {token}.")


def _decimal(token: str) -> float:
    value = float(token)
    if math.isinf(value):
        raise ValueError(f"`text` holds the number {_short(token)}, which does not fit a float64.")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"`text` has the entry {_short(twice)} twice in one object.")
    return found


def _fields(plain: dict[str, Any]) -> dict[str, Any]:
    features = _names("feature_names", plain["feature_names"])
    outputs = _names("output_names", plain["output_names"])
    n = plain["n_rows"]
    if type(n) is not int or n < 0:
        raise ValueError(f"`text` has n_rows {_short(n)}, expected an integer of at least 0.")
    several = (len(outputs),) if len(outputs) > 1 else ()
    cells = (n, len(features))
    # Shapes are given, since a list of no rows does not tell how many columns it has.
    shapes = dict.fromkeys(NUMBERS, (*cells, *several)) | {"base_values": (n, *several), "data": cells}
    found: dict[str, Any] = {"feature_names": features, "output_names": outputs}
    found |= {name: _text(name, plain[name]) for name in TEXTS}
    found |= {name: _array(name, plain[name], _number_row, np.float64, shapes[name]) for name in NUMBERS}
    if absent := [name for name in NUMBERS if found[name] is None and name not in _OPTIONAL]:
        raise ValueError(f"`text` has the entry {absent[0]!r} as null, expected lists of numbers.")
    found["mask"] = _array("mask", plain["mask"], _bool_row, np.bool_, cells)
    found["display_data"] = _array("display_data", plain["display_data"], _typed_row, object, cells)
    found["attributes"] = _attributes(plain["attributes"], n)
    meta = unfree(plain["meta"], "meta")
    if not isinstance(meta, dict):
        raise ValueError(f"`text` has meta {_short(plain['meta'])}, expected an object.")
    found["meta"] = meta
    found["index"] = _index(plain["index"], n) if "index" in plain else None
    return found


def _index(entry: Any, n: int) -> Any:
    """Read labels of n rows; what would be written in another way is not taken."""
    try:
        labels = row_labels(index_from_plain(entry, lambda item: unfree(item, "index")), n)
        same = _strict(index_to_plain(labels)) == _strict(entry)
    except Exception as error:  # pandas raises what it likes
        raise ValueError(
            f"`text` has an entry 'index' that holds no labels of {n} rows: {error!r}."
        ) from error
    if not same:
        raise ValueError(
            f"`text` has an entry 'index' in another form than `to_json` writes for labels of {n} rows."
        )
    return labels


def _strict(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True)


def _names(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise ValueError(f"`text` has {name} {_short(value)}, expected a list of at least one string.")
    return value


def _text(name: str, value: Any) -> Any:
    if not isinstance(value, str) and (name != "formula" or value is not None):
        raise ValueError(f"`text` has {name} {_short(value)}, expected a string.")
    return value


def _array(
    name: str, items: Any, row: Callable[[str, list[Any]], list[Any]], dtype: Any, shape: tuple[int, ...]
) -> np.ndarray | None:
    """Return nested lists as an array of the shape; `row` checks and reads the innermost lists."""
    if items is None:
        return None
    flat: list[Any] = [items]
    for length in shape:
        for part in flat:
            if not isinstance(part, list) or len(part) != length:
                found = f"a list of {len(part)}" if isinstance(part, list) else _short(part)
                raise ValueError(
                    f"`text` has an entry {name!r} of another shape than {shape}: "
                    f"got {found} where a list of {length} is expected."
                )
        flat = [item for part in flat for item in part]
    array = np.empty(len(flat), dtype=dtype)
    array[:] = row(name, flat)
    return array.reshape(shape)


def _number_row(name: str, items: list[Any]) -> list[Any]:
    """Read numbers; NaN is None and infinity a text."""
    kinds = set(map(type, items))
    if kinds <= {float}:
        return items
    return [_number(name, item) for item in items]


def _number(name: str, item: Any) -> float:
    if item is None:
        return math.nan
    if type(item) in (int, float):
        return _as_float(name, item)
    if isinstance(item, str) and item in ("inf", "-inf"):
        return _AWKWARD[item]
    raise ValueError(
        f"`text` has {_short(item)} in the entry {name!r}, expected a number, null, 'inf' or '-inf'."
    )


def _as_float(name: str, item: int | float) -> float:
    try:
        return float(item)
    except OverflowError:
        raise ValueError(
            f"`text` has {_short(item)} in the entry {name!r}, which does not fit a float64."
        ) from None


def _bool_row(name: str, items: list[Any]) -> list[Any]:
    if wrong := [item for item in items if type(item) is not bool]:
        raise ValueError(f"`text` has {_short(wrong[0])} in the entry {name!r}, expected true or false.")
    return items


def _typed_row(name: str, items: list[Any]) -> list[Any]:
    """Read cells as a user typed them."""
    cells = [unfree(item, name) if isinstance(item, dict) else item for item in items]
    if wrong := [cell for cell in cells if isinstance(cell, dict | list)]:
        raise ValueError(
            f"`text` has {_short(wrong[0])} in the entry {name!r}, expected a string, number, bool or null."
        )
    return cells


def unfree(value: Any, name: str) -> Any:
    """Return plain data with tagged floats made floats again."""
    if isinstance(value, list):
        return [unfree(item, name) for item in value]
    if not isinstance(value, dict):
        return value
    if TAG not in value:
        return {key: unfree(item, name) for key, item in value.items()}
    text = value[TAG]
    if len(value) > 1 or not isinstance(text, str) or text not in _AWKWARD:
        raise ValueError(
            f"`text` has {_short(value)} in the entry {name!r}, expected {TAG!r} as the only key, with "
            "'nan', 'inf' or '-inf'."
        )
    return _AWKWARD[text]


def _attributes(table: Any, n: int) -> dict[str, Any] | None:
    if table is None:
        return None
    if not isinstance(table, dict):
        raise ValueError(f"`text` has attributes {_short(table)}, expected an object or null.")
    return {key: _attribute(key, entry, n) for key, entry in table.items()}


def _attribute(key: str, entry: Any, n: int) -> Any:
    """Return one attribute: data of all rows, or an array with one entry for each row."""
    name = f"attributes[{key!r}]"
    if isinstance(entry, dict) and entry.keys() == {"data"}:
        return unfree(entry["data"], name)
    if not isinstance(entry, dict) or entry.keys() != {"rows", "dtype", "shape"}:
        raise ValueError(
            f"`text` has {_short(entry)} in the entry {name!r}, expected an object with 'data', "
            "or with 'rows', 'dtype' and 'shape'."
        )
    rows, dtype, shape = entry["rows"], _dtype(name, entry["dtype"]), entry["shape"]
    sound = isinstance(shape, list) and all(type(length) is int and length >= 0 for length in shape)
    if not sound or not shape or shape[0] != n or not isinstance(rows, list) or math.prod(shape) != len(rows):
        raise ValueError(
            f"`text` has the shape {_short(shape)} in the entry {name!r}, expected a list of lengths that "
            f"begins with {n} and whose product is the number of cells in `rows`."
        )
    array = np.empty(len(rows), dtype=dtype)
    array[:] = _cells(name, rows, dtype)
    try:
        return array.reshape(shape)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"`text` has a shape in the entry {name!r} that an array cannot have: {error}."
        ) from error


def _dtype(name: str, text: Any) -> np.dtype[Any]:
    """Return the type of an array: 'O', or that of booleans or numbers as numpy writes it."""
    if isinstance(text, str) and text == "O":
        return np.dtype(object)
    try:
        # numpy knows many other words, such as "f4, f8", that are not written here
        found = np.dtype(text) if isinstance(text, str) and len(text) < 8 and "," not in text else None
    except (TypeError, ValueError):
        found = None
    if found is None or found.kind not in "biuf" or found.str != text:
        raise ValueError(
            f"`text` has dtype {_short(text)} in the entry {name!r}, expected that of booleans or numbers "
            "as numpy writes it, such as '<f8', or 'O'."
        )
    return found


def _cells(name: str, rows: list[Any], dtype: np.dtype[Any]) -> list[Any]:
    """Check that cells fit a type, which numpy alone would make them do."""
    if dtype.kind == "O":
        return _typed_row(name, rows)
    if dtype.kind == "b":
        return _bool_row(name, rows)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        fit = [type(item) is int and limits.min <= item <= limits.max for item in rows]
        if not all(fit):
            wrong = rows[fit.index(False)]
            raise ValueError(
                f"`text` has {_short(wrong)} in the entry {name!r}, expected an integer from {limits.min} to "
                f"{limits.max}."
            )
        return rows
    return [_real(name, item, dtype) for item in rows]


def _real(name: str, item: Any, dtype: np.dtype[Any]) -> Any:
    """Read a number of a type of floats; those of more digits than float64 are written as text."""
    value = unfree(item, name) if isinstance(item, dict) else item
    if dtype.itemsize > 8 and (value is None or isinstance(value, str)):
        try:
            return dtype.type("nan" if value is None else value)
        except ValueError:
            value = None
    if type(value) not in (int, float):
        raise ValueError(f"`text` has {_short(item)} in the entry {name!r}, expected a number.")
    value = _as_float(name, value)
    if math.isfinite(value) and abs(value) > float(np.finfo(dtype).max):
        raise ValueError(f"`text` has {_short(item)} in the entry {name!r}, which does not fit {dtype.name}.")
    return value


def _short(value: Any) -> str:
    """Show what was found, of much only the beginning."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 1000:
        return "an integer of more than 300 digits"
    if isinstance(value, dict | list):
        return f"an object of {len(value)} entries" if isinstance(value, dict) else f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
