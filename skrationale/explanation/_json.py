"""An explanation as strict JSON, and back.

NaN and infinity have no token in JSON. In arrays of numbers NaN is ``null`` and infinity ``"inf"``;
among free data, where null and strings mean themselves, they are ``{"$float": "nan"}``.
"""

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ._format import simple_cell

if TYPE_CHECKING:
    from ._explanation import Explanation

FORMAT, VERSION, TAG = "skrationale.Explanation", 1, "$float"
NUMBERS = ("values", "base_values", "data", "lower_bounds", "upper_bounds")
TEXTS = ("formula", "kind", "link")


def to_text(explanation: "Explanation") -> str:
    """Return the JSON of an explanation."""
    return json.dumps(to_plain(explanation), allow_nan=False)


def to_plain(explanation: "Explanation") -> dict[str, Any]:
    """Return the explanation as dicts, lists, strings, finite numbers, booleans and None."""
    e = explanation
    plain: dict[str, Any] = {"format": FORMAT, "version": VERSION, "n_rows": len(e)}
    plain |= {"feature_names": list(e.feature_names), "output_names": list(e.output_names)}
    plain |= {name: getattr(e, name) for name in TEXTS}
    plain |= {name: None if (a := getattr(e, name)) is None else _numbers(a.tolist()) for name in NUMBERS}
    plain["mask"] = None if e.mask is None else e.mask.tolist()
    typed = e.display_data
    plain["display_data"] = None if typed is None else [[_free(simple_cell(c)) for c in row] for row in typed]
    table = e.attributes
    plain["attributes"] = None if table is None else {key: _attribute(item) for key, item in table.items()}
    plain["meta"] = _free(e.meta)
    return plain


def fields_from_text(text: str) -> dict[str, Any]:
    """Return the constructor parameters that the JSON holds."""
    try:
        plain = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"`text` must be JSON, got what cannot be read: {error}.") from error
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise ValueError(f"`text` must be the JSON of an explanation, with format {FORMAT!r}.")
    if plain.get("version") != VERSION:
        raise ValueError(f"`text` has version {plain.get('version')!r}, expected {VERSION}.")
    try:
        return _fields(plain)
    except KeyError as error:
        raise ValueError(f"`text` has no entry {error}, expected one as `to_json` writes.") from error


def _fields(plain: dict[str, Any]) -> dict[str, Any]:
    features, outputs = plain["feature_names"], plain["output_names"]
    several = (len(outputs),) if len(outputs) > 1 else ()
    cells = (plain["n_rows"], len(features))
    # Shapes are given, since a list of no rows does not tell how many columns it has.
    shapes = dict.fromkeys(NUMBERS, (*cells, *several)) | {"base_values": (cells[0], *several), "data": cells}
    found: dict[str, Any] = {"feature_names": features, "output_names": outputs}
    found |= {name: plain[name] for name in TEXTS}
    found |= {name: _array(name, plain[name], np.float64, shapes[name]) for name in NUMBERS}
    found["mask"] = _array("mask", plain["mask"], np.bool_, cells)
    found["display_data"] = _array("display_data", _unfree(plain["display_data"]), object, cells)
    table = plain["attributes"]
    found["attributes"] = None if table is None else {key: _unattribute(item) for key, item in table.items()}
    found["meta"] = _unfree(plain["meta"])
    return found


def _array(name: str, items: Any, dtype: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    if items is None:
        return None
    try:
        return np.array(items, dtype=dtype).reshape(shape)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`text` has an entry {name!r} of another shape than {shape}: {error}.") from error


def _numbers(items: Any) -> Any:
    """Return (nested lists of) floats with NaN as None and infinity as a string."""
    if isinstance(items, list):
        return [_numbers(item) for item in items]
    return items if math.isfinite(items) else None if math.isnan(items) else str(items)


def _free(value: Any) -> Any:
    """Return plain data with floats that JSON cannot hold put under a tag."""
    if isinstance(value, dict):
        if TAG in value:
            raise ValueError(f"`meta` and `attributes` cannot be written with the reserved key {TAG!r}.")
        return {key: _free(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_free(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {TAG: str(float(value))}
    return value


def _unfree(value: Any) -> Any:
    if isinstance(value, dict):
        return float(value[TAG]) if TAG in value else {key: _unfree(item) for key, item in value.items()}
    return [_unfree(item) for item in value] if isinstance(value, list) else value


def _attribute(value: Any) -> dict[str, Any]:
    """Return an entry of the attribute table, told apart: an array of rows, or data of all rows."""
    if not isinstance(value, np.ndarray):
        return {"data": _free(value)}
    simple = [simple_cell(cell) for cell in value.ravel()]
    dtype = value.dtype.str if value.dtype.kind in "biuf" else "O"
    return {"rows": _free(simple), "dtype": dtype, "shape": list(value.shape)}


def _unattribute(entry: dict[str, Any]) -> Any:
    if "data" in entry:
        return _unfree(entry["data"])
    return np.array(_unfree(entry["rows"]), dtype=np.dtype(entry["dtype"])).reshape(entry["shape"])


def _refuse_constant(token: str) -> NoReturn:
    raise ValueError(f"`text` must be strict JSON, got the token {token}.")
