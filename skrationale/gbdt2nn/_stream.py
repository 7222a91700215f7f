"""Tables that come one after the other, as batches of one size, and rows that are kept from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .._parquet import refuse_lacking
from ..tabular import as_frame_or_array, densely
from ._training import SHARE_EXPLAINED

ROWS_OF_POOL = 20_000
"""Explained rows that are kept at most, the newest. Not measured."""
OPEN_GROUPS, ROWS_OPEN = 64, 8
"""Row groups of a Dataset whose rows are mixed in a batch, at most; and the rows in these, at most, in
batches. Not measured."""


class Stream:
    """Batches of B rows, cut and joined from tables of any number of rows.

    Parameters
    ----------
    batches : callable, iterable or pyarrow.dataset.Dataset
        What gives tables, or pairs of a table and its target. A callable is asked for another iterable, and a
        list or Dataset is read again, when its rows are used up.
    size : int
        B.
    target : str or None
        Column of a Dataset or of tables that holds the target.
    rng : RandomState
        Draws the order in which the row groups of a Dataset are read.

    Raises
    ------
    TypeError
        If `batches` gives no tables.
    """

    def __init__(self, batches: Any, size: int, target: str | None, rng: np.random.RandomState) -> None:
        self._of_dataset = _is_dataset(batches)
        self._again = _reader_of(batches, size, rng)
        self._size, self._target = size, target
        self._items, self._is_new = self._opened(), True
        self.n_read = 0
        self._codes: list[np.ndarray] = []
        self._y: list[np.ndarray] = []
        self._first: list[tuple[Any, np.ndarray | None]] = []
        self._has_target: bool | None = None

    def first(self) -> Any:
        """Give the table of the first B rows, from which a reader is made before `next` is called."""
        n = 0
        while n < self._size:
            table, y = self._item()
            self._first.append((table, y))
            n += len(table)
        tables = [table for table, _ in self._first]
        return tables[0] if len(tables) == 1 else _joined(tables)

    def read_by(self, read: Callable[[Any], np.ndarray]) -> None:
        """Hear how tables become numbers and codes."""
        self._read = read
        for table, y in self._first:
            self._take(table, y)
        self._first = []

    def next(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Give the numbers and codes (B, d) of the next rows, and their target (B,) where there is one.

        Raises
        ------
        StopIteration
            When there are no more.
        ValueError
            If a table is not like the first.
        """
        while sum(map(len, self._codes)) < self._size:
            self._take(*self._item())
        matrix, self._codes = _cut(self._codes, self._size)
        if not self._y:
            return matrix, None
        y, self._y = _cut(self._y, self._size)
        return matrix, y

    def _take(self, table: Any, y: Any) -> None:
        self._codes.append(self._read(table))
        if y is not None:
            self._y.append(y)

    def _opened(self) -> Iterator[Any]:
        found = self._again()
        try:
            return iter(found)
        except TypeError:
            raise TypeError(
                f"`batches` must give tables: expected a callable that returns an iterable, an iterable or a "
                f"pyarrow Dataset, got {type(found).__name__}."
            ) from None

    def _item(self) -> tuple[Any, np.ndarray | None]:
        """Give the next table that has rows, and its target."""
        while True:
            try:
                item = next(self._items)
            except StopIteration:
                if self._is_new:
                    raise  # nothing came since it was opened
                self._items, self._is_new = self._opened(), True
                continue
            table, y = item if isinstance(item, tuple) and len(item) == 2 else (item, None)
            table = densely(table)
            if not len(table):
                continue
            table = as_frame_or_array(_frame_of_batch(table) if self._of_dataset else table)
            if self._target is not None:
                table, y = _without(table, self._target)
            y = None if y is None else np.asarray(y)
            self._check_target(table, y)
            self._is_new = False
            self.n_read += len(table)
            return table, y

    def _check_target(self, table: Any, y: np.ndarray | None) -> None:
        if self._has_target not in (None, y is not None):
            raise ValueError(
                "`batches` must give a target with every table or with no table, got targets with some "
                "tables only."
            )
        self._has_target = y is not None
        if y is not None and y.shape != (len(table),):
            raise ValueError(
                f"A target of `batches` has shape {y.shape}; expected {(len(table),)}, one value per row "
                "of its table."
            )


class Pool:
    """Explained rows of the batches so far, of which each later batch gets some.

    Parameters
    ----------
    rng : RandomState
        Draws them.
    n_bytes : int, optional
        Most memory for them; None: their number is the limit.
    """

    def __init__(self, rng: np.random.RandomState, n_bytes: int | None = None) -> None:
        self._rng, self._n_bytes = rng, n_bytes
        self._kept: dict[str, np.ndarray] = {}

    def mixed(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Keep the explained rows of a batch, and put others in the place of some of its rows."""
        new = arrays["reason_weight"] > 0
        before, most = self._kept, ROWS_OF_POOL
        if self._n_bytes is not None:
            of_row = sum(values[:1].nbytes for values in arrays.values())
            most = max(1, min(most, self._n_bytes // of_row))
        self._kept = {
            name: np.concatenate([before[name], values[new]] if before else [values[new]])[-most:]
            for name, values in arrays.items()
        }
        if not before:
            return arrays
        n, m = len(new), len(before["reason_weight"])
        places = self._rng.permutation(n)[: int(SHARE_EXPLAINED * n)]
        chosen = self._rng.randint(m, size=len(places))
        for name, values in arrays.items():
            values[places] = before[name][chosen]
        return arrays


def _reader_of(batches: Any, size: int, rng: np.random.RandomState) -> Callable[[], Any]:
    """Give what opens a stream, each time anew."""
    if _is_dataset(batches):
        return lambda: _mixed_groups(batches, size, rng)
    return batches if callable(batches) else lambda: batches


def _is_dataset(batches: Any) -> bool:
    return type(batches).__module__.startswith("pyarrow") and hasattr(batches, "get_fragments")


def _frame_of_batch(batch: Any) -> Any:
    """Give a DataFrame whose columns are those of a file, also where pandas had one of them as the index."""
    frame = batch.to_pandas()
    named = [name for name in frame.index.names if name in batch.schema.names]
    return frame.reset_index(named)[batch.schema.names] if named else frame


def _mixed_groups(dataset: Any, size: int, rng: np.random.RandomState) -> Iterator[Any]:
    """Read a Dataset in slices of several row groups at a time, so that sorted files give mixed batches."""
    try:
        fragments = list(dataset.get_fragments())
    except ValueError:  # it is filtered, and so can only be read in its order
        yield from dataset.to_batches(batch_size=size)
        return
    refuse_lacking(fragments, dataset.schema.names, "batches")
    groups: list[Any] = []
    for fragment in fragments:
        of_parquet = hasattr(fragment, "split_by_row_group")
        groups += fragment.split_by_row_group() if of_parquet else [fragment]
    mean_rows = max(1, dataset.count_rows() // max(1, len(groups)))
    n_open = min(max(2, ROWS_OPEN * size // mean_rows), OPEN_GROUPS)
    rows = -(-size // n_open)
    waiting = iter([groups[i] for i in rng.permutation(len(groups))])
    opened: list[Iterator[Any]] = []
    while True:
        while len(opened) < n_open and (group := next(waiting, None)) is not None:
            opened.append(iter(group.to_batches(schema=dataset.schema, batch_size=rows)))
        if not opened:
            return
        for one in list(opened):
            if (batch := next(one, None)) is None:
                opened.remove(one)
            else:
                yield batch


def _without(table: Any, target: str) -> tuple[Any, np.ndarray]:
    """Take the column of the target out of a DataFrame."""
    if target not in getattr(table, "columns", ()):
        raise ValueError(f"`target` must name a column of the tables in `batches`, got {target!r}.")
    return table.drop(columns=target), table[target].to_numpy()


def _joined(tables: list[Any]) -> Any:
    """Join tables with the same columns; a category column keeps the levels of all."""
    for table in tables:
        if _columns_of(table) != _columns_of(tables[0]):
            raise ValueError(
                f"The first tables of `batches` have different columns: {_columns_of(tables[0])} and "
                f"{_columns_of(table)}; expected the same columns in the same order in all tables."
            )
    if not hasattr(tables[0], "columns"):
        return np.concatenate(tables)
    import pandas as pd
    from pandas.api.types import union_categoricals

    joined = pd.concat(tables, ignore_index=True)
    for name in joined.columns:
        parts = [table[name] for table in tables]
        if all(isinstance(part.dtype, pd.CategoricalDtype) for part in parts):
            joined[name] = union_categoricals(parts, ignore_order=True)
    return joined


def _columns_of(table: Any) -> Any:
    """Give the names of columns, or of an array how many there are."""
    return list(table.columns) if hasattr(table, "columns") else table.shape[1]


def _cut(parts: list[np.ndarray], size: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Take the first rows of joined parts, and give them with the parts that remain."""
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    rest = whole[size:]  # a view: of a large table it is taken again and again
    return whole[:size], [rest] if len(rest) else []
