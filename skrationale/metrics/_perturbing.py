"""Ask a model about rows of which some cells are hidden: many rows at once, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from ..tabular import table_or_array
from ._checks import checked_predictions, generator, one_of, positive_integer
from ._fills import column_pools

FILLS = ("marginal", "mean", "missing")
MAX_ROWS = 50_000
"""Rows in one call of a model, at most. Not measured."""
MAX_CELLS = 5_000_000
"""Cells in one call of a model, at most. Not measured."""


class Perturber:
    """Hides cells of a table, whose type is kept, and asks a model about what is left.

    Parameters
    ----------
    predict : callable
        Table -> answers (m,) or (m, C).
    X : DataFrame or array-like of shape (n, d)
        Rows.
    background : DataFrame or array-like of shape (m, d) or None
        Rows that fills come from; None: `X`, of which a row does not fill itself.
    fill : {"marginal", "mean", "missing"}
        What stands in a hidden cell.
    n_fills : int
        Draws of a marginal fill, F.
    random_state : int, RandomState, Generator or None
        Seed of the draws.

    Attributes
    ----------
    table : DataFrame or ndarray of shape (n, d)
        The rows.
    """

    def __init__(
        self,
        predict: Callable[[Any], Any],
        X: Any,
        background: Any,
        fill: str,
        n_fills: int,
        random_state: Any,
    ) -> None:
        one_of("fill", fill, FILLS)
        if not callable(predict):
            raise TypeError(f"predict must be callable. Got {type(predict).__name__} instead.")
        self.n_fills = positive_integer("n_fills", n_fills) if fill == "marginal" else 1
        self.table = table_or_array("X", X)
        self.n, self.d = self.table.shape
        source = self._source(background, fill)
        self._predict, self._fill, self._random_state = predict, fill, random_state
        self._n_source, self._own = len(source), background is None
        self._pools = column_pools(self.table, source, fill)
        self._limit = max(1, min(MAX_ROWS, MAX_CELLS // self.d))

    def _source(self, background: Any, fill: str) -> Any:
        if background is None:
            if self.n == 1 and fill != "missing":
                raise ValueError(
                    "X has 1 row, which cannot replace its own values; expected at least 2, or a background."
                )
            return self.table
        source = table_or_array("background", background)
        if isinstance(source, np.ndarray) != isinstance(self.table, np.ndarray):
            raise TypeError(
                f"background is a {type(source).__name__}; expected a {type(self.table).__name__}, as X is."
            )
        if source.shape[1] != self.d:
            raise ValueError(f"background has {source.shape[1]} columns; expected {self.d}, as X has.")
        if not isinstance(source, np.ndarray) and list(source.columns) != list(self.table.columns):
            raise ValueError(
                f"background has the columns {list(source.columns)}; expected those of X, "
                f"{list(self.table.columns)}."
            )
        return source

    @cached_property
    def whole(self) -> np.ndarray:
        """Answers (n,) or (n, C) for the whole rows."""
        if self.n <= self._limit:
            return checked_predictions(self._predict, self.table)
        rows = self.table if isinstance(self.table, np.ndarray) else self.table.iloc
        starts = range(0, self.n, self._limit)
        return np.concatenate([checked_predictions(self._predict, rows[i : i + self._limit]) for i in starts])

    def answers(
        self, n_cases: int, hide: Callable[[np.ndarray], np.ndarray]
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Ask about several cases of each row, which differ by the cells that are hidden.

        Parameters
        ----------
        n_cases : int
            How many, S.
        hide : callable
            Positions (b,) of rows -> bool (S, b, d), True where a cell is hidden.

        Yields
        ------
        rows : ndarray of shape (b,)
            Positions of the rows of this batch.
        hidden : ndarray of bool of shape (S, b, d)
            What `hide` gave.
        answers : ndarray of shape (S, F, b) or (S, F, b, C)
            One for each fill. Every case of a row, and every call with this seed, sees the same draws.
        """
        draws = generator(self._random_state)
        step = max(1, self._limit // (n_cases * self.n_fills))
        for start in range(0, self.n, step):
            rows = np.arange(start, min(start + step, self.n))
            hidden = hide(rows)
            # (d, S, F, b): the cells of a column lie together
            cells = np.where(
                hidden.transpose(2, 0, 1)[:, :, None], self.n + self._donors(rows, draws)[:, None], rows
            )
            got = checked_predictions(self._predict, self._table_at(cells.reshape(self.d, -1)))
            if got.shape[1:] != self.whole.shape[1:]:
                raise ValueError(
                    f"predict returned {got.shape[1:]} predictions per row; expected {self.whole.shape[1:]}, "
                    "as for the whole rows."
                )
            yield rows, hidden, got.reshape(*cells.shape[1:], *got.shape[1:])

    def _donors(self, rows: np.ndarray, draws: np.random.Generator) -> np.ndarray:
        """Positions (d, F, b) of fills in the pools, below the table's own rows."""
        if self._fill != "marginal":
            return np.zeros((self.d, 1, len(rows)), dtype=np.intp)
        # drawn row by row, so that the size of batches changes nothing
        shape = (len(rows), self.n_fills, self.d)
        donors = draws.integers(0, self._n_source - self._own, size=shape).transpose(2, 1, 0)
        return donors + (donors >= rows) if self._own else donors

    def _table_at(self, cells: np.ndarray) -> Any:
        """Table (m, d) of the cells at positions (d, m) of the pools."""
        if isinstance(self.table, np.ndarray):
            taken = np.empty(cells.shape[::-1], dtype=self._pools[0].dtype)
            for j, pool in enumerate(self._pools):
                taken[:, j] = pool[cells[j]]
            return taken
        import pandas as pd

        # with the type told, as pandas would turn objects that are text into another type
        columns = {
            j: pd.Series(pool.take(cells[j]), dtype=pool.dtype, copy=False)
            for j, pool in enumerate(self._pools)
        }
        return pd.DataFrame(columns, copy=False).set_axis(self.table.columns, axis=1)
