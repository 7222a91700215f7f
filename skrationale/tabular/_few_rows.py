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

    Attributes
    ----------
    codes : ndarray of shape (n, d), float64
        Numbers and codes, once a reader has read the rows.
    """

    codes: np.ndarray

    def __init__(self, table: Any, dtypes: Sequence[Any]) -> None:
        self._table, self._dtypes = table, dtypes

    @classmethod
    def of(cls, table: Any) -> FewRows | None:
        """Take a table (n, d) as few rows; None where it is no DataFrame, has more, or unusual columns."""
        import pandas as pd

        if type(table) is not pd.DataFrame or len(table) > FEW_ROWS:
            return None
        dtypes = list(table.dtypes)
        types = set(map(type, dtypes)) - {pd.CategoricalDtype}
        if not types <= _usual_types() or not all(map(_are_usual, _categories_of(dtypes))):
            return None
        return cls(table, dtypes)

    def are(self, kinds: str) -> bool:
        """Whether all columns have numpy's own types, with these characters."""
        return set(map(type, self._dtypes)) <= _types(kinds)

    @cached_property
    def numbers(self) -> np.ndarray:
        """The cells (n, d) as float64, where columns have types of numpy's."""
        return np.array(self._table.to_numpy(dtype=np.float64), order="C")

    @cached_property
    def cells(self) -> list[list[Any]]:
        """The cells as ``to_numpy(dtype=object)`` gives them; of one row of many types this is faster."""
        row = self._table.iloc[0] if len(self._table) == 1 else None
        if row is None or row.dtype != object:  # pandas has brought cells to one type
            return self._table.to_numpy(dtype=object).tolist()
        cells = row.tolist()
        for j, cell in enumerate(cells):
            if isinstance(cell, np.generic) and not _keeps_objects(self._dtypes[j]):
                cells[j] = cell.item()
        return [cells]

    def display(self) -> np.ndarray:
        """Give the cells (n, d) as typed."""
        if self.are(FLOATS):
            return self.numbers.astype(object)
        cells = self.cells
        found = np.empty((len(cells), len(self._dtypes)), dtype=object)
        found[:] = cells
        return found

    def categories(self, column: int) -> Any:
        """Give the categories of a column; None where its type is another."""
        return getattr(self._dtypes[column], "categories", None)

    def holds_text(self, column: int) -> bool:
        """Whether a column holds text."""
        return any(type(row[column]) is str for row in self.cells)


def _categories_of(dtypes: Sequence[Any]) -> list[Any]:
    import pandas as pd

    return [dtype.categories for dtype in dtypes if type(dtype) is pd.CategoricalDtype]


def _are_usual(categories: Any) -> bool:
    """Whether cells of these categories say by their own types what they are; missing dates do not."""
    if categories.dtype == object:
        return categories.inferred_type == "string"
    return type(categories.dtype) in _usual_types()


def _keeps_objects(dtype: Any) -> bool:
    """Whether a column keeps the types of its cells."""
    return getattr(getattr(dtype, "categories", None), "dtype", dtype) == np.dtype(object)


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
        found = []
        for cells in rows.cells:
            codes = self._row(cells)
            if codes is None:
                return None
            found.append(codes)
        rows.codes = np.array(found)
        return rows

    def _row(self, cells: Sequence[Any]) -> list[float] | None:
        """Read the d cells of a row; None where one is unusual, or of an unknown level."""
        import pandas as pd

        found = []
        for cell, codes in zip(cells, self._codes, strict=True):
            code = None
            if type(cell) is str:
                code = None if codes is None else codes.get(cell)
            elif cell is None or cell is pd.NA:
                code = np.nan
            elif type(cell) in NUMBERS:
                if cell != cell:
                    code = np.nan
                elif codes is not None:
                    code = codes.get(cell)
                elif not _is_huge(cell):
                    code = float(cell)
            if code is None or isinf(code):
                return None
            found.append(code)
        return found


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
