"""A formula as plain data, ready for JSON, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from ..tabular import TableReader
from .program import symbols
from .tree import from_lists, to_lists
from .variables import Kind, Variable, reader_of

if TYPE_CHECKING:
    from ._formula import Formula


def plain_level(level: Any, name: str) -> str | bool | int | float:
    """Give a level as text, number or boolean of plain Python.

    Raises
    ------
    ValueError
        When it is of another type; the message names the column.
    """
    if isinstance(level, np.generic):
        level = level.item()
    if isinstance(level, str):
        return str(level)
    if isinstance(level, (bool, int)) or (isinstance(level, float) and math.isfinite(level)):
        return level
    raise ValueError(
        f"Column {name!r} has a level of type {type(level).__name__} ({level!r}); only text, finite "
        "numbers and booleans can be stored. Turn the levels into text before fitting."
    )


_ENTRIES = ("expr", "variables", "feature_names", "levels", "output_name", "link", "box")
"""Keys of the dict that `to_dict` gives."""


def to_dict(self: Formula) -> dict[str, Any]:
    """Return plain Python data, ready for JSON.

    Returns
    -------
    dict
        The tree as nested lists ``[operation, argument, ...]``; numbers are exact.

    Raises
    ------
    ValueError
        If a column has levels other than text, numbers and booleans.
    """
    reader = self.reader
    levels = [
        None if found is None else [plain_level(level, name) for level in found]
        for name, found in zip(reader.feature_names, reader.levels, strict=True)
    ]
    variables = [
        {
            "column": variable.column,
            "kind": variable.kind,
            "fill": None if math.isnan(variable.fill) else variable.fill,
            "code": variable.code,
        }
        for variable in self.all_variables
    ]
    return {
        "expr": to_lists(self.expr),
        "variables": variables,
        "feature_names": list(reader.feature_names),
        "levels": levels,
        "output_name": self.output_name,
        "link": self.link,
        "box": None if self.box is None else self.box.tolist(),
    }


def from_dict(cls: type[Formula], data: dict[str, Any]) -> Formula:
    """Make a formula from the result of `to_dict`.

    Parameters
    ----------
    data : dict
        The data.

    Returns
    -------
    Formula
        Equal to the formula that was written.

    Raises
    ------
    ValueError
        If an entry is not as `to_dict` writes it; the message names the entry.

    Examples
    --------
    >>> from skrationale import Formula
    >>> f = Formula.from_string("age + 0.1", ["age"])
    >>> Formula.from_dict(f.to_dict()) == f
    True
    """
    return cls(**_arguments(data))


def _arguments(data: Any) -> dict[str, Any]:
    """Read the arguments of `Formula` from what `to_dict` wrote, checking all of it first."""
    if not isinstance(data, dict):
        raise TypeError(f"`data` must be a dict as `to_dict` gives, got {type(data).__name__}.")
    if missing := [name for name in _ENTRIES if name not in data]:
        raise ValueError(f"`data` has no entry {missing[0]!r}.")
    names, levels = data["feature_names"], data["levels"]
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names) or not names:
        raise ValueError("`data['feature_names']` must be a list of at least one string.")
    if not isinstance(levels, list | tuple) or len(levels) != len(names):
        raise ValueError(f"`data['levels']` must be a list of {len(names)} entries, one per column.")
    if not isinstance(data["variables"], list | tuple):
        raise ValueError("`data['variables']` must be a list.")
    if not isinstance(data["output_name"], str):
        raise ValueError(f"`data['output_name']` must be a string, got {data['output_name']!r}.")
    reader = reader_of(names, [_levels(found, name) for found, name in zip(levels, names, strict=True)])
    variables = tuple(_variable(entry, i, reader) for i, entry in enumerate(data["variables"]))
    return {
        "expr": from_lists(data["expr"], {symbol.name: symbol for symbol in symbols(len(variables))}),
        "variables": variables,
        "reader": reader,
        "output_name": data["output_name"],
        "link": data["link"],
        "box": _box(data["box"], len(variables)),
    }


def _levels(found: Any, name: str) -> np.ndarray | None:
    if found is None:
        return None
    if not isinstance(found, list | tuple):
        raise ValueError(f"`data['levels']` of the column {name!r} must be a list or None, got {found!r}.")
    plain = [plain_level(level, name) for level in found]
    return np.fromiter(plain, dtype=object, count=len(plain))


def _variable(entry: Any, i: int, reader: TableReader) -> Variable:
    place = f"`data['variables'][{i}]`"
    if not isinstance(entry, dict) or not {"column", "kind", "fill", "code"} <= entry.keys():
        raise ValueError(f"{place} must be a dict with 'column', 'kind', 'fill' and 'code'.")
    column, kind, fill, code = (entry[name] for name in ("column", "kind", "fill", "code"))
    if type(column) is not int or not 0 <= column < len(reader.feature_names):
        raise ValueError(
            f"{place} must have a 'column' from 0 to {len(reader.feature_names) - 1}, got {column!r}."
        )
    if kind not in get_args(Kind):
        raise ValueError(f"{place} must have a 'kind' among {get_args(Kind)}, got {kind!r}.")
    if type(code) not in (int, float) or not math.isfinite(code):
        raise ValueError(f"{place} must have a finite number as 'code', got {code!r}.")
    if fill is not None and (type(fill) not in (int, float) or not math.isfinite(fill)):
        raise ValueError(f"{place} must have a finite number or None as 'fill', got {fill!r}.")
    levels = reader.levels[column]
    level = None
    if kind == "level":
        if levels is None or code != int(code) or not 0 <= code < len(levels):
            raise ValueError(f"{place} has the 'code' {code!r}, which no level of its column has.")
        level = levels[int(code)]
    return Variable(
        column,
        reader.feature_names[column],
        kind,
        fill=math.nan if fill is None else float(fill),
        level=level,
        code=float(code),
    )


def _box(box: Any, n_variables: int) -> np.ndarray | None:
    if box is None:
        return None
    rows = box if isinstance(box, list | tuple) and len(box) == 2 else ()
    sound = [
        isinstance(row, list | tuple)
        and len(row) == n_variables
        and all(type(x) in (int, float) for x in row)
        for row in rows
    ]
    if not rows or not all(sound):
        raise ValueError(f"`data['box']` must be two lists of {n_variables} numbers each, or None.")
    return np.array(rows, dtype=np.float64)
