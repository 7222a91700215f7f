"""Read a DataFrame of few rows cell by cell: for these pandas takes most of its time for each column.

Whatever is unusual, in the table or in a cell, is left to the way by columns, which knows all types and all
errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from math import isinf
from typing import Any

import numpy as np

from ._lightgbm import PLAIN

FEW_ROWS = 64
"""Rows of a table that is read cell by cell. Measured: by columns is faster from about 100 on."""
LARGE = 2**63
"""Whole numbers from here on are no integers of numpy's."""
FLOATS, WHOLE = "efd", "?bhilqBHILQ"
"""Numbers that float64 holds, up to rounding, by numpy's characters; booleans are among the whole ones."""
NUMBERS = frozenset({bool, int, float, *(np.dtype(kind).type for kind in FLOATS + WHOLE)})


class FewRows:
    """Few rows of a DataFrame.

    Parameters
    ----------
    table : DataFrame of shape (n, d)
        The rows.
    dtypes : sequence of d dtypes
        Those of its columns, of usual types.
    arrays : sequence of d arrays of shape (1,), optional
        The columns of a single row, as pandas keeps them.

    Attributes
    ----------
    codes : ndarray of shape (n, d), float64
        Numbers and codes, once a reader has read the rows.
    """

    codes: np.ndarray

    def __init__(self, table: Any, dtypes: Sequence[Any], arrays: Sequence[Any] | None = None) -> None:
        self._table, self.dtypes, self.arrays = table, dtypes, arrays

    @classmethod
    def of(cls, table: Any) -> FewRows | None:
        """Take a table (n, d) as few rows; None where it is no DataFrame, has more, or unusual columns."""
        import pandas as pd

        if type(table) is not pd.DataFrame or len(table) > FEW_ROWS:
            return None
        arrays = _arrays(table) if len(table) == 1 else None
        dtypes = list(table.dtypes) if arrays is None else [array.dtype for array in arrays]
        types = set(map(type, dtypes)) - {pd.CategoricalDtype}
        if not types <= _usual_types() or not all(map(_are_usual, _categories_of(dtypes))):
            return None
        return cls(table, dtypes, arrays)

    def are(self, kinds: str) -> bool:
        """Whether all columns have numpy's own types, with these characters."""
        return set(map(type, self.dtypes)) <= _types(kinds)

    @cached_property
    def numbers(self) -> np.ndarray:
        """The cells (n, d) as float64, where columns have types of numpy's."""
        if self.arrays is not None:
            return np.array([[array.item() for array in self.arrays]], dtype=np.float64)
        return np.array(self._table.to_numpy(dtype=np.float64), order="C")

    @cached_property
    def cells(self) -> list[list[Any]]:
        """The cells as ``to_numpy(dtype=object)`` gives them."""
        if self.arrays is not None:
            return [[cell_of(array) for array in self.arrays]]
        return self._table.to_numpy(dtype=object).tolist()

    def display(self) -> np.ndarray:
        """Give the cells (n, d) as typed."""
        if self.are(FLOATS):
            return self.numbers.astype(object)
        cells = self.cells
        found = np.empty((len(cells), len(self.dtypes)), dtype=object)
        found[:] = cells
        return found

    def categories(self, column: int) -> Any:
        """Give the categories of a column; None where its type is another."""
        return getattr(self.dtypes[column], "categories", None)

    def have_levels(self) -> list[bool]:
        """Say which columns a reader would give levels that is fitted to these rows."""
        if self.are(FLOATS + WHOLE):
            return [False] * len(self.dtypes)
        return [
            str in map(type, cells) or hasattr(dtype, "categories")
            for dtype, cells in zip(self.dtypes, zip(*self.cells, strict=True), strict=True)
        ]


def display_of_few(table: Any) -> np.ndarray | None:
    """Give the cells (n, d) as typed of a table of few rows; None where it has more, or unusual columns."""
    if isinstance(table, np.ndarray):
        return table.astype(object) if len(table) <= FEW_ROWS else None
    rows = FewRows.of(table)
    return None if rows is None else rows.display()


def _categories_of(dtypes: Sequence[Any]) -> list[Any]:
    import pandas as pd

    return [dtype.categories for dtype in dtypes if type(dtype) is pd.CategoricalDtype]


def _are_usual(categories: Any) -> bool:
    """Whether cells of these categories say by their own types what they are; missing dates do not."""
    if type(categories.dtype) is type(np.dtype(object)):
        return categories.inferred_type == "string"
    return type(categories.dtype) in _usual_types()


def _arrays(table: Any) -> list[Any] | None:
    """Give the columns of a DataFrame as pandas keeps them, which no public way does as fast, if it can."""
    own = getattr(table, "_iter_column_arrays", None)
    return None if own is None else list(own())


def cell_of(array: Any) -> Any:
    """Give the cell of a column of one row; numbers are Python's, but those among objects."""
    cell = array[0]
    if not isinstance(cell, np.number | np.bool_):
        return cell
    dtype = getattr(array.dtype, "categories", array).dtype
    return cell if dtype == np.dtype(object) else cell.item()


@cache
def _types(kinds: str) -> frozenset[type]:
    return frozenset(type(np.dtype(kind)) for kind in kinds)


@cache
def _usual_types() -> frozenset[type]:
    """Types of dtypes the cells of which say by their own types what they are."""
    import pandas as pd

    nullable = [getattr(pd, f"{sign}Int{bits}Dtype") for sign in ("", "U") for bits in (8, 16, 32, 64)]
    others = [pd.StringDtype, pd.BooleanDtype, pd.Float32Dtype, pd.Float64Dtype]
    return _types(FLOATS + WHOLE + "O").union(nullable, others)


class CellReader:
    """Reads few rows as a reader that was fitted to a table does.

    Parameters
    ----------
    names : sequence of d labels
        Names of the columns.
    levels : sequence of d (ndarray or None)
        Levels of each; None for numbers.

    Notes
    -----
    No table is read where a name is no text, or a level is neither text nor a common number.
    """

    def __init__(self, names: Sequence[Any], levels: Sequence[np.ndarray | None]) -> None:
        self.levels = levels
        self._codes = [None if known is None else _codes(known) for known in levels]
        self._numeric = all(known is None for known in levels)
        usual = all(type(name) is str for name in names) and {} not in self._codes
        self._names = list(names) if usual else None
        self._categories: list[tuple[Any, list[tuple[Any, float | None]] | None]]
        self._categories = [(None, None)] * len(levels)

    def read(self, table: Any) -> FewRows | None:
        """Read a table (n, d) into `codes`; None where the way by columns has to."""
        if not hasattr(table, "columns") or table.columns.tolist() != self._names:
            return None
        rows = FewRows.of(table)
        if rows is None:
            return None
        if self._numeric and rows.are(FLOATS + WHOLE):
            rows.codes = rows.numbers
            return None if np.isinf(rows.codes).any() else rows
        if rows.arrays is not None:
            read = [self._of_array(j, array) for j, array in enumerate(rows.arrays)]
            rows.cells = [[cell for cell, _ in read]]
            found = [[code for _, code in read]]
        else:
            found = [[self._of_cell(j, cell) for j, cell in enumerate(row)] for row in rows.cells]
        if any(None in row for row in found):
            return None
        rows.codes = np.array(found, dtype=np.float64)
        return rows

    def _of_array(self, j: int, array: Any) -> tuple[Any, float | None]:
        """Give the cell of column j of one row, and its number or code; see `_of_cell`."""
        categories = getattr(array.dtype, "categories", None)
        if categories is not None:
            known, read = self._categories[j]
            if known is categories and read is None:
                read = [(cell, self._of_cell(j, cell)) for cell in categories.tolist()]
                read.append((np.nan, np.nan))  # code -1
            self._categories[j] = categories, read if known is categories else None
            if known is categories and read is not None:
                return read[array.codes.item()]
        cell = cell_of(array)
        return cell, self._of_cell(j, cell)

    def _of_cell(self, j: int, cell: Any) -> float | None:
        """Give the number or code of a cell of column j; None where it is unusual, or of an unknown level."""
        codes = self._codes[j]
        if type(cell) is str:
            return None if codes is None else codes.get(cell)
        if type(cell) in NUMBERS:
            if cell != cell:
                return np.nan
            if codes is not None:
                return codes.get(cell)
            return None if _is_huge(cell) or isinf(cell) else float(cell)
        return np.nan if _is_none(cell) else None


def _is_none(cell: Any) -> bool:
    import pandas as pd

    return cell is None or cell is pd.NA


def _is_huge(cell: Any) -> bool:
    """Whether a whole number is beyond numpy's."""
    return type(cell) is int and not -LARGE < cell < LARGE


def _codes(levels: np.ndarray) -> dict[Any, float]:
    """Say which position each level has; nothing where there are none, or unusual ones."""
    own = levels.tolist()
    if not all(isinstance(level, PLAIN) and level == level and not _is_huge(level) for level in own):
        return {}
    codes = {level: float(k) for k, level in enumerate(own)}
    return codes if len(codes) == len(own) else {}
