"""Labels of rows as plain data for JSON, and back, with their type and names."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..writing import is_missing, simple_cell
from .checks import TAG

Decode = Callable[[Any], Any]


def index_to_plain(labels: Any) -> dict[str, Any] | None:
    """Return row labels as dicts, lists, strings and numbers.

    Parameters
    ----------
    labels : pandas.Index, ndarray or None
        Of an explanation.

    Returns
    -------
    dict or None
        With the type of the labels and their names, for `index_from_plain`.
    """
    if labels is None:
        return None
    if isinstance(labels, np.ndarray):
        if labels.dtype.kind in "mM":
            return {"kind": "array", "dtype": labels.dtype.str, "labels": labels.view(np.int64).tolist()}
        dtype = labels.dtype.str if labels.dtype.kind in "biufU" else "O"
        if labels.dtype.kind == "U":
            dtype = _text_type(labels.tolist())
        return {"kind": "array", "dtype": dtype, "labels": [_label(item) for item in labels]}
    make = _WRITERS.get(type(labels).__name__, _values)
    return make(labels)


def _text_type(texts: list[str]) -> str:
    """Return the type of numpy that is just wide enough."""
    return np.dtype(f"U{max(map(len, texts), default=1) or 1}").str


def _label(item: Any) -> Any:
    # A list is no label, so that it can stand for a tuple.
    if isinstance(item, tuple):
        return [_label(part) for part in item]
    simple = simple_cell(item)
    return simple if not isinstance(simple, float) or math.isfinite(simple) else {TAG: str(float(simple))}


def _named(kind: str, index: Any, **rest: Any) -> dict[str, Any]:
    return {"kind": kind, "name": _label(index.name), **rest}


def _values(labels: Any) -> dict[str, Any]:
    dtype = str(labels.dtype)
    if dtype.endswith("[pyarrow]") and not _can_be_made(dtype, labels):
        dtype = "object"
    return _named("values", labels, dtype=dtype, labels=[_label(item) for item in labels])


def _can_be_made(dtype: str, labels: Any) -> bool:
    """Whether pandas makes labels of one of Arrow's types of what is written of them."""
    import pandas as pd

    try:
        made = pd.Index([simple_cell(item) for item in labels], dtype=dtype)
    except (TypeError, ValueError, NotImplementedError):  # dictionaries, spans, decimals
        return False
    return str(made.dtype) == dtype and "binary" not in dtype


def _range(labels: Any) -> dict[str, Any]:
    return _named("range", labels, start=labels.start, stop=labels.stop, step=labels.step)


def _multi(labels: Any) -> dict[str, Any]:
    levels = [index_to_plain(labels.get_level_values(i)) for i in range(labels.nlevels)]
    return {"kind": "multi", "levels": levels}


def _category(labels: Any) -> dict[str, Any]:
    found = {"codes": labels.codes.tolist(), "categories": index_to_plain(labels.categories)}
    return _named("category", labels, ordered=bool(labels.ordered), **found)


def _interval(labels: Any) -> dict[str, Any]:
    sides = {"left": index_to_plain(labels.left), "right": index_to_plain(labels.right)}
    return _named("interval", labels, closed=labels.closed, **sides)


def _moments(labels: Any) -> dict[str, Any]:
    kind = {"DatetimeIndex": "datetime", "TimedeltaIndex": "timedelta", "PeriodIndex": "period"}
    texts = [None if is_missing(item) else getattr(item, "isoformat", item.__str__)() for item in labels]
    return _named(
        kind[type(labels).__name__],
        labels,
        dtype=str(labels.dtype),
        freq=labels.freqstr,
        labels=texts,
    )


_WRITERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "RangeIndex": _range,
    "MultiIndex": _multi,
    "CategoricalIndex": _category,
    "IntervalIndex": _interval,
    "DatetimeIndex": _moments,
    "TimedeltaIndex": _moments,
    "PeriodIndex": _moments,
}


def index_from_plain(plain: Any, decode: Decode) -> Any:
    """Return row labels from what `index_to_plain` gave; `decode` makes tagged floats floats."""
    if plain is None:
        return None
    if plain["kind"] == "array":
        return _array(plain, decode)
    labels = _READERS[plain["kind"]](plain, decode)
    return labels if plain["kind"] == "multi" else labels.rename(_unlabel(plain["name"], decode))


def _unlabel(item: Any, decode: Decode) -> Any:
    return tuple(_unlabel(part, decode) for part in item) if isinstance(item, list) else decode(item)


def _array(plain: Any, decode: Decode) -> np.ndarray:
    dtype, items = np.dtype(plain["dtype"]), [_unlabel(item, decode) for item in plain["labels"]]
    if dtype.kind in "mM":
        return np.array(items, dtype=np.int64).view(dtype)
    if dtype.kind not in "biufO" and dtype.str != _text_type(items):
        # a short text may ask for an array of any width
        raise ValueError(f"labels of type {plain['dtype']}")
    labels = np.empty(len(items), dtype=object)
    labels[:] = items
    return labels.astype(dtype)


def _read_values(plain: Any, decode: Decode) -> Any:
    import pandas as pd

    items = [_unlabel(item, decode) for item in plain["labels"]]
    return pd.Index(items, dtype=plain["dtype"], tupleize_cols=False)


def _read_range(plain: Any, decode: Decode) -> Any:
    import pandas as pd

    return pd.RangeIndex(plain["start"], plain["stop"], plain["step"])


def _read_multi(plain: Any, decode: Decode) -> Any:
    import pandas as pd

    levels = [index_from_plain(level, decode) for level in plain["levels"]]
    return pd.MultiIndex.from_arrays(levels, names=[level.name for level in levels])


def _read_category(plain: Any, decode: Decode) -> Any:
    import pandas as pd

    categories = index_from_plain(plain["categories"], decode)
    return pd.CategoricalIndex(
        pd.Categorical.from_codes(plain["codes"], categories=categories, ordered=plain["ordered"])
    )


def _read_interval(plain: Any, decode: Decode) -> Any:
    import pandas as pd

    left, right = (index_from_plain(plain[side], decode) for side in ("left", "right"))
    return pd.IntervalIndex.from_arrays(left, right, closed=plain["closed"])


def _read_datetime(plain: Any, decode: Decode) -> Any:
    import pandas as pd

    dtype = pd.api.types.pandas_dtype(plain["dtype"])
    moments = pd.to_datetime(plain["labels"], utc=hasattr(dtype, "tz"), format="ISO8601")
    return _with_freq(moments.astype(dtype), plain)


def _read_timedelta(plain: Any, decode: Decode) -> Any:
    import pandas as pd

    return _with_freq(pd.to_timedelta(plain["labels"]).astype(plain["dtype"]), plain)


def _read_period(plain: Any, decode: Decode) -> Any:
    import pandas as pd

    return pd.PeriodIndex(plain["labels"], dtype=plain["dtype"])


def _with_freq(moments: Any, plain: Any) -> Any:
    moments.freq = plain["freq"]
    return moments


_READERS: dict[str, Callable[[Any, Decode], Any]] = {
    "values": _read_values,
    "range": _read_range,
    "multi": _read_multi,
    "category": _read_category,
    "interval": _read_interval,
    "datetime": _read_datetime,
    "timedelta": _read_timedelta,
    "period": _read_period,
}
