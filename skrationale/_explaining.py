"""Put reasons by the columns of a table together with the cells and labels of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from ._task import Task
from .explanation import Explanation
from .explanation.checks import own
from .tabular import FewRows, TableReader, as_frame_or_array, display_of_few
from .units import typed_cells

_LEAVES_OUT_CELLS = ContextVar("_LEAVES_OUT_CELLS", default=False)


@contextmanager
def without_cells() -> Iterator[None]:
    """Within it explanations hold no cells as typed: for reasons that are written down and then dropped."""
    token = _LEAVES_OUT_CELLS.set(True)
    try:
        yield
    finally:
        _LEAVES_OUT_CELLS.reset(token)


def _holds_other_levels(reader: TableReader) -> bool:
    """Whether a column is a category whose levels are no texts, but numbers, dates and so on."""
    for levels in reader.levels:
        if levels is not None and len(levels) and not isinstance(levels[0], str):
            return True
    return False


def explanation_of(
    reader: TableReader,
    task: Task,
    X: Any,
    matrix: np.ndarray,
    values: np.ndarray,
    base: Any,
    few: FewRows | None = None,
    **rest: Any,
) -> Explanation:
    """Make an explanation without a copy of what is read-only.

    Parameters
    ----------
    reader : TableReader
        Has read the table.
    task : Task
        Names outputs and their link.
    X : table of shape (n, d)
        The rows explained.
    matrix : ndarray of shape (n, d)
        As the reader gave them; they become read-only.
    values : ndarray of shape (n, d) or (n, d, K)
        Reasons, read-only.
    base : number or ndarray of shape (K,)
        Base values.
    few : FewRows, optional
        The rows as the reader has read them, where they are few.
    **rest : dict
        Other fields of the explanation, which come before those that follow from the above.

    Returns
    -------
    Explanation
        With the cells as typed, but within `without_cells`, and the labels of the rows.
    """
    table = as_frame_or_array(X)
    matrix = own(matrix)
    if "display_data" not in rest and not _LEAVES_OUT_CELLS.get():
        cells = None
        # nothing else would tell such levels from numbers
        if isinstance(table, np.ndarray) or not _holds_other_levels(reader):
            cells = display_of_few(table) if few is None else few.display()
        typed = typed_cells(table, matrix, reader.levels) if cells is None else cells
        rest = rest | {"display_data": typed}
    parts: dict[str, Any] = {
        "values": values,
        "base_values": base,
        "data": matrix,
        "feature_names": reader.feature_names,
        "output_names": task.output_names,
        "link": task.link,
        "index": getattr(table, "index", None),
    }
    return Explanation(**(parts | rest))
