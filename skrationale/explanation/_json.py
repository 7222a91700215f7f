"""An explanation as strict JSON; `_json_reading` reads it.

NaN and infinity have no token in JSON. In arrays of numbers NaN is ``null`` and infinity ``"inf"``;
among free data, where null and strings mean themselves, they are ``{"$float": "nan"}``.
"""

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..writing import simple_cell
from ._index_json import index_to_plain
from ._json_reading import FORMAT, NUMBERS, TEXTS, VERSION
from .checks import TAG
from .wording import typed_column

if TYPE_CHECKING:
    from ._explanation import Explanation


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
    plain["display_data"] = None
    if e._typed is not None:
        columns: Any = [typed_column(e, j) for j in range(len(e.feature_names))]
        rows = zip(*columns, strict=True)
        plain["display_data"] = [_free([simple_cell(cell) for cell in row]) for row in rows]
    table = e.attributes
    plain["attributes"] = None if table is None else {key: _attribute(item) for key, item in table.items()}
    plain["meta"] = _free(e.meta)
    if e.index is not None:
        plain["index"] = index_to_plain(e.index)
    return plain


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


def _attribute(value: Any) -> dict[str, Any]:
    """Return an entry of the attribute table, told apart: an array of rows, or data of all rows."""
    if not isinstance(value, np.ndarray):
        return {"data": _free(value)}
    simple = [simple_cell(cell) for cell in value.ravel()]
    dtype = value.dtype.str if value.dtype.kind in "biuf" else "O"
    return {"rows": _free(simple), "dtype": dtype, "shape": list(value.shape)}
