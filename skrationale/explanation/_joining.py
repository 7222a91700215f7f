"""Explanations of several tables as one."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import labels
from ._cells import TypedCells, TypedColumn

if TYPE_CHECKING:
    from ._explanation import Explanation

SAME = ("kind", "link", "feature_names", "output_names", "formula")
BY_ROW = ("values", "base_values", "data", "lower_bounds", "upper_bounds", "mask")


def concat(cls: type["Explanation"], explanations: Iterable["Explanation"]) -> "Explanation":
    """Join explanations of several tables, one below the other.

    Parameters
    ----------
    explanations : iterable of Explanation
        At least one, of the same model: with the same features, outputs, kind, link and formula.

    Returns
    -------
    Explanation
        Of all rows, in the given order, with all fields. If no explanation has row labels, rows are numbered
        from 0. Otherwise rows without labels keep their own numbers. `meta` keeps the entries that are the
        same in all explanations.

    Raises
    ------
    TypeError
        If one is not an Explanation.
    ValueError
        If the list is empty, if the explanations differ in a name, the kind, the link or the formula, or if
        only some of them have a field.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> parts = [Explanation([[1.0, 2.0]], 0.5), Explanation([[3.0, -1.0], [0.0, 1.0]], 0.5)]
    >>> whole = Explanation.concat(parts)
    >>> whole
    Explanation(kind='additive', 3 rows, 2 features, 1 output, link='identity')
    >>> whole.scores()
    array([3.5, 2.5, 1.5])
    """
    if isinstance(explanations, cls) or not isinstance(explanations, Iterable):
        raise TypeError(f"`explanations` must be a list of Explanation, got {type(explanations).__name__}.")
    parts = list(explanations)
    if not parts:
        raise ValueError("`explanations` is empty, expected at least one Explanation.")
    for i, part in enumerate(parts):
        if not isinstance(part, cls):
            raise TypeError(f"`explanations` must hold Explanations, got {type(part).__name__} at {i}.")
    _refuse_others(parts)
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    fields: dict[str, Any] = {name: getattr(first, name) for name in SAME}
    for name in BY_ROW:
        if getattr(first, name) is not None:
            fields[name] = _own(np.concatenate([getattr(part, name) for part in parts]))
    fields["display_data"] = _cells(parts, fields.get("data"))
    fields["attributes"] = _attributes(parts)
    fields["index"] = _row_labels(parts)
    fields["meta"] = {
        key: value
        for key, value in first.meta.items()
        if all(_holds(part.meta, key, value) for part in parts)
    }
    return cls(**fields)


def _own(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def _refuse_others(parts: Sequence["Explanation"]) -> None:
    """Refuse explanations that differ in what all rows must share."""
    first = parts[0]
    for i, part in enumerate(parts):
        for name in SAME:
            here, there = getattr(part, name), getattr(first, name)
            if here != there:
                raise ValueError(f"`explanations` differ in `{name}`: {here!r} at {i}, expected {there!r}.")
        for name in (*BY_ROW, "_typed", "attributes"):
            shown = "display_data" if name == "_typed" else name
            if (getattr(part, name) is None) != (getattr(first, name) is None):
                lacks = i if getattr(part, name) is None else 0
                raise ValueError(
                    f"`explanations` differ in `{shown}`: it is None at {lacks}, expected all or none."
                )


def _holds(meta: dict[str, Any], key: str, value: Any) -> bool:
    """Whether an entry is the same; NaN is no other than NaN."""
    return key in meta and (meta[key] == value or repr(meta[key]) == repr(value))


def _attributes(parts: Sequence["Explanation"]) -> dict[str, Any] | None:
    """Put arrays of attributes together; whatever else there is must be the same."""
    first = parts[0].attributes
    if first is None:
        return None
    tables = [part.attributes or {} for part in parts]
    for i, table in enumerate(tables):
        for key in {**first, **table}:
            here, there = table.get(key), first.get(key)
            if isinstance(here, np.ndarray) and isinstance(there, np.ndarray):
                alike = here.shape[1:] == there.shape[1:]
            elif isinstance(here, np.ndarray) or isinstance(there, np.ndarray):
                alike = False
            else:
                alike = key in table and _holds(first, key, here)
            if not alike:
                raise ValueError(f"`explanations` differ in `attributes[{key!r}]`, at {i} and 0.")
    return {
        key: np.concatenate([table[key] for table in tables]) if isinstance(value, np.ndarray) else value
        for key, value in first.items()
    }


def _row_labels(parts: Sequence["Explanation"]) -> Any:
    if all(part.index is None for part in parts):
        return None
    if any(labels.is_pandas(part.index) for part in parts):
        found = [labels.pandas_index(part.index, len(part)) for part in parts]
        return found[0].append(found[1:])
    arrays = [np.arange(len(part)) if part.index is None else part.index for part in parts]
    if len({array.dtype.kind for array in arrays}) > 1:
        arrays = [array.astype(object) for array in arrays]
    return np.concatenate(arrays)


# --- cells as typed ---------------------------------------------------------------------------------


def _cells(parts: Sequence["Explanation"], data: np.ndarray | None) -> Any:
    """Put cells together, as numbers and codes wherever they are such in some parts."""
    if parts[0]._typed is None:
        return None
    typed = [cells for cells in (part._typed for part in parts) if isinstance(cells, TypedCells)]
    follow = all(part.data is part._typed.codes for part in parts if isinstance(part._typed, TypedCells))
    if data is None or not typed or not follow:
        return np.concatenate([part.display_data for part in parts])
    starts = np.cumsum([0, *(len(part) for part in parts)])[:-1]
    joined = []
    for j in range(data.shape[1]):
        columns = [_typed_column(part._typed, j, typed[0].columns[j]) for part in parts]
        codes = [part.data[:, j] for part in parts if part.data is not None]
        joined.append(_column(columns, codes, starts))
    return TypedCells(data, joined)


def _typed_column(cells: Any, j: int, other: TypedColumn) -> TypedColumn:
    """Give column j of a part; cells that were kept are exceptions from the column of another part."""
    if isinstance(cells, TypedCells):
        return cells.columns[j]
    column = cells[:, j]
    if other.kept is not None:
        return TypedColumn(kept=column)
    return TypedColumn(other.kind, other.levels, other.missing, np.arange(len(column)), column)


def _column(columns: list[TypedColumn], codes: list[np.ndarray], starts: np.ndarray) -> TypedColumn:
    """Put one column together: as numbers or codes where it is the same kind of column in all parts."""
    first = columns[0]
    if not all(_is_alike(first, column) for column in columns):
        cells = [column.typed(part) for column, part in zip(columns, codes, strict=True)]
        return TypedColumn(kept=np.concatenate(cells))
    odd = [(column, start) for column, start in zip(columns, starts, strict=True) if column.rows is not None]
    rows = [column.rows + start for column, start in odd if column.rows is not None]
    cells = [column.cells for column, _ in odd if column.cells is not None]
    if not rows:
        return TypedColumn(first.kind, first.levels, first.missing)
    return TypedColumn(first.kind, first.levels, first.missing, np.concatenate(rows), np.concatenate(cells))


def _is_alike(a: TypedColumn, b: TypedColumn) -> bool:
    """Whether numbers or codes stand for the same cells in both columns."""
    if a.kept is not None or b.kept is not None or a.kind != b.kind:
        return False
    if type(a.missing) is not type(b.missing) or repr(a.missing) != repr(b.missing):
        return False
    if a.levels is None or b.levels is None:
        return a.levels is b.levels
    return a.levels is b.levels or _same_levels(a.levels.tolist(), b.levels.tolist())


def _same_levels(a: list[Any], b: list[Any]) -> bool:
    # 1 and True are equal, but not one cell
    return a == b and list(map(type, a)) == list(map(type, b))
