"""The table that a teacher takes, made of the rows that its student has read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ..conversion import words_of
from ..explanation import Explanation
from ..tabular import UNKNOWN_REPORTED, UNSEEN, TableReader, as_frame_or_array, stand_ins
from ._columns import in_order


@dataclass(frozen=True, eq=False)
class TeacherTable:
    """How rows become the table that a teacher takes, and how what it says of columns comes back.

    Parameters
    ----------
    order : ndarray of int of shape (d,), optional
        Position in the student's table of each of the teacher's columns; None where both are the same.
    reader : TableReader, optional
        That reads the student's table into codes and back. With `categories` it knows the levels at the
        teacher's fit too.
    categories : bool, default=False
        Whether the teacher takes text as categories alone, as trees of LightGBM do.
    words : bool, default=False
        Whether it takes categories as words alone, with one for missing cells, as CatBoost does.
    missing_codes : dict of int to int, optional
        With `categories`, the code in `reader` of missing cells, for columns in which these are a level.
    open_levels : bool, default=False
        With `words`, whether the teacher may know levels that `reader` does not: it was fitted elsewhere, and
        does not store them. It gets the words of such cells as they are.
    """

    order: np.ndarray | None = None
    reader: TableReader | None = None
    categories: bool = False
    words: bool = False
    missing_codes: Mapping[int, int] = field(default_factory=dict)
    open_levels: bool = False

    def knowing(self, X: Any) -> TeacherTable:
        """Give the form for rows (n, d) with levels that the teacher may know, not `reader`; else itself."""
        if not self.open_levels:
            return self
        assert self.reader is not None
        reader = self.reader.knowing(X)
        pairs = zip(reader.levels, self.reader.levels, strict=True)
        is_new = any(a is not None and b is not None and len(a) > len(b) for a, b in pairs)
        return replace(self, reader=reader) if is_new else self

    def rows(self, X: Any) -> Any:
        """Make the teacher's table of rows (n, d), which stay what they are where nothing needs doing."""
        if issparse(X) and self.order is None:
            return X
        if self.categories or self.words:
            assert self.reader is not None
            with UNKNOWN_REPORTED.on():  # the student's reader has warned
                matrix = self.reader.transform(X)
            return self._in_words(as_frame_or_array(X), matrix) if self.words else self.of_matrix(matrix)
        return X if self.order is None else in_order(as_frame_or_array(X), self.order)

    def of_matrix(self, matrix: np.ndarray) -> Any:
        """Make the teacher's table of a matrix (n, d) of `reader`; some rows were never in a table."""
        assert self.reader is not None
        if self.words:
            return self._in_words(self.reader.restore(matrix), matrix)
        if not self.categories:
            return in_order(self.reader.restore(matrix, typed=True), self.order)
        if self.missing_codes:
            matrix = matrix.copy()
            for j, code in self.missing_codes.items():
                matrix[np.isnan(matrix[:, j]), j] = code
        return in_order(self.reader.to_frame(matrix, savable=True), self.order)

    def _in_words(self, table: Any, matrix: np.ndarray) -> Any:
        """Write words into the category columns of a table (n, d), whose codes a matrix holds."""
        assert self.reader is not None
        own = table.copy(deep=False)
        for j, levels in enumerate(self.reader.levels):
            if levels is not None:
                missing, new = np.isnan(matrix[:, j]), matrix[:, j] == UNSEEN
                cells = words_of(stand_ins(levels))[np.where(missing, -2, matrix[:, j]).astype(int)]
                if self.open_levels and new.any():
                    cells[new] = words_of(table.iloc[:, j].to_numpy(dtype=object)[new])[:-2]
                own.isetitem(j, cells)
        return in_order(own, self.order)

    def back(self, values: np.ndarray, axis: int = 1) -> np.ndarray:
        """Bring an axis of the teacher's columns into the order of the student's."""
        return values if self.order is None else np.take(values, np.argsort(self.order), axis=axis)

    def explanation_back(self, explanation: Explanation) -> Explanation:
        """Bring an explanation by the teacher's columns into the order of the student's."""
        if self.order is None or explanation.values.shape[1] != len(self.order):
            return explanation
        places = np.argsort(self.order)
        fields = ("values", "data", "display_data", "mask", "lower_bounds", "upper_bounds")
        cells = {name: getattr(explanation, name) for name in fields}
        moved: dict[str, Any] = {
            name: np.take(array, places, axis=1) for name, array in cells.items() if array is not None
        }
        names = tuple(explanation.feature_names[j] for j in places)
        return replace(explanation, **moved, feature_names=names)


AS_IT_IS = TeacherTable()
"""Of a model that is asked about tables as it knows them."""
