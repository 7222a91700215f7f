"""The units of a table, its columns: the inputs that each is encoded into, and its cells as typed.

Cells are told from numbers and codes wherever they can be, and kept where not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..explanation import TypedCells, TypedColumn
from ..tabular import UNSEEN, TableEncoder, as_frame_or_array, columns_of
from ._units import Units

EXACT = 2.0**53
"""Whole numbers up to this size are float64 exactly."""


def table_units(encoder: TableEncoder) -> Units:
    """Give the columns of a table, each a unit of what it is encoded into.

    Parameters
    ----------
    encoder : TableEncoder
        Fitted on a table of d columns.

    Returns
    -------
    Units
        The d columns and the p inputs.

    Examples
    --------
    >>> import pandas as pd
    >>> encoder = TableEncoder().fit(pd.DataFrame({"age": [30, 41], "city": ["Ulm", "Rome"]}))
    >>> units = table_units(encoder)
    >>> units.names, units.groups
    (('age', 'city'), array([0, 1, 1]))
    """
    return Units(encoder.reader.feature_names, encoder.groups)


def typed_cells(table: Any, matrix: np.ndarray, levels: Sequence[np.ndarray | None]) -> TypedCells:
    """Describe the cells of a table, as typed, by the numbers and codes that were read from it.

    Parameters
    ----------
    table : table of shape (n, d)
        What :func:`as_frame_or_array` takes. Nothing of it is kept that may change later.
    matrix : ndarray of shape (n, d)
        What :meth:`TableReader.transform` gave; it is not copied.
    levels : sequence of d (ndarray or None)
        Those of the reader.

    Returns
    -------
    TypedCells
        Of the same cells as :meth:`TableReader.display` gives.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrationale.tabular import TableReader
    >>> table = pd.DataFrame({"age": [30, 41], "city": ["Ulm", "Rome"]})
    >>> reader = TableReader().fit(table[:1])
    >>> typed_cells(table, reader.transform(table), reader.levels).array().tolist()
    [[30, 'Ulm'], [41, 'Rome']]
    """
    columns = []
    for j, (column, known) in enumerate(zip(columns_of(as_frame_or_array(table)), levels, strict=True)):
        found = (
            _of_numbers(column, matrix[:, j]) if known is None else _of_levels(column, matrix[:, j], known)
        )
        columns.append(TypedColumn(kept=_kept(column)) if found is None else found)
    return TypedCells(matrix, columns)


def _kept(column: Any) -> np.ndarray:
    if isinstance(column.dtype, np.dtype):
        return np.array(column)
    return np.array(column.to_numpy(dtype=object))


def _of_numbers(column: Any, codes: np.ndarray) -> TypedColumn | None:
    """Describe a column (n,) of numbers; None where its cells do not follow from float64."""
    dtype, missing = column.dtype, float("nan")
    kind = getattr(dtype, "kind", "O")
    if not isinstance(dtype, np.dtype):
        import pandas as pd

        if isinstance(dtype, pd.SparseDtype) or not pd.api.types.is_numeric_dtype(dtype):
            return None
        missing = dtype.na_value
    if kind == "f" and dtype.itemsize <= 8:
        return TypedColumn("number", missing=missing)
    if kind == "b":
        return TypedColumn("bool", missing=missing)
    if kind in "iu" and (dtype.itemsize <= 4 or np.nanmax(np.abs(codes), initial=0.0) <= EXACT):
        return TypedColumn("integer", missing=missing)
    return None


def _of_levels(column: Any, codes: np.ndarray, levels: np.ndarray) -> TypedColumn | None:
    """Describe a column (n,) of categories or text; None where its cells are not those levels themselves."""
    import pandas as pd

    if isinstance(column, np.ndarray):
        return None
    dtype, shown = column.dtype, levels
    if isinstance(dtype, pd.CategoricalDtype):
        own = np.asarray(column.cat.categories, dtype=object)
        if not (_are_plain_text(own) and _are_plain_text(levels)):
            place = pd.Index(levels, dtype=object).get_indexer(pd.Index(own, dtype=object))
            shown = levels.copy()
            shown[place[place >= 0]] = own[place >= 0]  # 1 and True are one level, but not one cell
    elif dtype != np.dtype(object) and not isinstance(dtype, pd.StringDtype) or not _are_plain_text(levels):
        return None
    missing, rows = float("nan"), np.flatnonzero(codes == UNSEEN)
    missing_rows = np.flatnonzero(np.isnan(codes))
    if len(missing_rows):
        absent = column.iloc[missing_rows].to_numpy(dtype=object)
        missing = absent[0]
        odd = [type(cell) is not type(missing) for cell in absent]
        rows = np.sort(np.concatenate([rows, missing_rows[odd]]))
    if len(rows) > len(codes) / 2:
        return None
    if not len(rows):
        return TypedColumn("level", shown, missing)
    return TypedColumn("level", shown, missing, rows, column.iloc[rows].to_numpy(dtype=object))


def _are_plain_text(levels: np.ndarray) -> bool:
    return set(map(type, levels.tolist())) <= {str}
