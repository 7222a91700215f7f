"""The cells of a table as the user typed them, made of numbers and codes when somebody looks at them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

SMALL = 2**16
"""A table of up to so many cells is made once and kept."""


@dataclass(frozen=True, eq=False)
class TypedColumn:
    """How the cells of a column follow from its numbers or codes (n,).

    Parameters
    ----------
    kind : {"number", "integer", "bool", "level", "kept"}, default="number"
        What the cells are: numbers, the levels that codes stand for, or those of `kept`.
    levels : ndarray of object of shape (L,), default=None
        What codes from 0 stand for.
    missing : object, default=nan
        What NaN stands for.
    rows, cells : ndarray of shape (e,), default=None
        Rows, in rising order, whose cells are others, and these cells.
    kept : ndarray of shape (n,), default=None
        All cells, where they do not follow from numbers.
    """

    kind: str = "number"
    levels: np.ndarray | None = None
    missing: Any = float("nan")
    rows: np.ndarray | None = None
    cells: np.ndarray | None = None
    kept: np.ndarray | None = None

    def take(self, places: np.ndarray) -> "TypedColumn":
        """Select rows by their places (m,)."""
        if self.kept is not None:
            return replace(self, kept=self.kept[places])
        if self.rows is None or self.cells is None:
            return self
        found = np.minimum(np.searchsorted(self.rows, places), len(self.rows) - 1)
        new = np.flatnonzero(self.rows[found] == places)
        return replace(self, rows=new, cells=self.cells[found[new]]) if len(new) else self._plain()

    def _plain(self) -> "TypedColumn":
        return replace(self, rows=None, cells=None)

    def typed(self, codes: np.ndarray) -> np.ndarray:
        """Make the cells (n,) of codes (n,)."""
        if self.kept is not None:
            return self.kept.astype(object)
        unknown = np.isnan(codes)
        if self.kind == "number":
            cells = codes.astype(object)
        elif self.kind == "level":
            levels = np.array([*(() if self.levels is None else self.levels), None], dtype=object)
            cells = levels[np.where(unknown | (codes < 0), -1, codes).astype(np.intp)]
        else:
            cells = (
                np.where(unknown, 0, codes).astype(bool if self.kind == "bool" else np.int64).astype(object)
            )
        if unknown.any():
            cells[unknown] = self.missing
        if self.rows is not None:
            cells[self.rows] = self.cells
        return cells


class TypedCells:
    """The cells (n, d) as typed, behind numbers and codes, which take no further memory.

    Parameters
    ----------
    codes : ndarray of shape (n, d)
        Numbers and codes; not copied.
    columns : sequence of d TypedColumn
        What they stand for.

    Examples
    --------
    >>> import numpy as np
    >>> codes = np.array([[0.0, 7.0], [1.0, np.nan]])
    >>> levels = np.array(["Bonn", "Ulm"], dtype=object)
    >>> cells = TypedCells(codes, [TypedColumn("level", levels), TypedColumn("integer", missing=None)])
    >>> cells.array().tolist()
    [['Bonn', 7], ['Ulm', None]]
    """

    def __init__(self, codes: np.ndarray, columns: Sequence[TypedColumn]) -> None:
        self.codes = codes
        self.columns = tuple(columns)
        self._made: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        return self.codes.shape

    def __getstate__(self) -> dict[str, Any]:
        return {"codes": self.codes, "columns": self.columns, "_made": None}

    def column(self, j: int) -> np.ndarray:
        """Make the cells (n,) of one column."""
        return self.columns[j].typed(self.codes[:, j]) if self._made is None else self._made[:, j]

    def array(self) -> np.ndarray:
        """Make all cells, a read-only array of objects."""
        if self._made is not None:
            return self._made
        made = np.empty(self.shape, dtype=object)
        for j in range(len(self.columns)):
            made[:, j] = self.column(j)
        made.setflags(write=False)
        if made.size <= SMALL:
            self._made = made
        return made

    def take(self, places: np.ndarray, codes: np.ndarray) -> "TypedCells":
        """Select rows by their places (m,), whose codes (m, d) are given."""
        return TypedCells(codes, [column.take(places) for column in self.columns])


class DisplayData:
    """The field `display_data`, which holds an array or `TypedCells` and gives an array."""

    def __get__(self, explanation: Any, owner: type) -> np.ndarray | None:
        """Return the cells; None for the class, which is the field's default."""
        typed = None if explanation is None else explanation.__dict__["_display_data"]
        return typed.array() if isinstance(typed, TypedCells) else typed

    def __set__(self, explanation: Any, value: Any) -> None:
        """Keep cells as they are given."""
        explanation.__dict__["_display_data"] = value
