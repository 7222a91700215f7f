"""Tables of one width stand on one shelf, so that one row is looked up in all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._tensors import as_tensor
from ._parts import BLOCK, Part, ValuesOf, part_of
from ._plan import TabledTree
from ._states import path_dependent


@dataclass(frozen=True, eq=False)
class Shelf:
    """Tables of one width, one above the other.

    Parameters
    ----------
    parts : list of P Part
        What stands there.
    blocks : ndarray of shape (N + 1, 16), float32
        Their places, and a block of zeros.
    table : ndarray of shape (S + 1, w)
        Their tables, and a row of zeros.
    one_row : OneRow
        How one row is looked up.
    """

    parts: list[Part]
    blocks: np.ndarray
    table: np.ndarray
    one_row: OneRow

    @classmethod
    def of(
        cls,
        parts: Sequence[Sequence[TabledTree]],
        starts: np.ndarray,
        dtype: Any,
        *,
        wide: bool,
        values_of: ValuesOf = path_dependent,
        done: Callable[[int], Any] = lambda n: None,
    ) -> Shelf:
        """Compute the tables of trees, which are put together into parts; parameters as `part_of`.

        Parameters
        ----------
        done : callable
            Is told how many trees are done whenever some are.
        """
        trees = [tree for part in parts for tree in part]
        width = len(trees[0].tree.columns) if wide else len(starts) - 1
        table = np.zeros((sum(tree.n_rows for tree in trees) + 1, width), dtype)
        made, blocks, before = [], [], (0, 0)
        for some in parts:
            part, own = part_of(some, starts, table, before, wide=wide, values_of=values_of)
            made.append(part)
            blocks.append(own)
            before = part.blocks.stop, part.rows.stop
            done(len(some))
        blocks.append(np.zeros((1, BLOCK), dtype=np.float32))
        return cls(made, np.concatenate(blocks), table, OneRow.of(made, len(starts) - 1))

    @property
    def nbytes(self) -> int:
        """Memory used."""
        own = self.blocks.nbytes + self.table.nbytes + self.one_row.nbytes
        return own + sum(part.row_of_bin.nbytes for part in self.parts)

    def add_to(self, sums: Any, encoded: Any) -> None:
        """Add contributions of rows of bins (n, d'), int32, to sums (n, K, d'); all are tensors."""
        blocks, table = as_tensor(self.blocks), as_tensor(self.table)
        for part in self.parts:
            part.add_to(sums, encoded, blocks, table)

    def add_row(self, sums: np.ndarray, bins: np.ndarray) -> None:
        """Add contributions of one row of bins (d',), int64, to sums (K, d'), float64."""
        one = self.one_row
        places = np.add.reduce(self.blocks.take(one.blocks_of(bins), axis=0), axis=0)
        at = places.astype(np.int64)
        at += one.first_rows
        found = self.table.take(at, axis=0).reshape(len(at), -1)
        if len(one.starts) == 1:  # several times faster
            found = np.add.reduce(found, axis=0)
        else:
            found = np.add.reduceat(found, one.starts, axis=0)
        found = found.reshape(len(one.starts), BLOCK, -1).sum(axis=1, dtype=np.float64)
        np.add.at(sums.reshape(-1), one.credited, found.reshape(-1))


@dataclass(frozen=True, eq=False)
class OneRow:
    """How one row is looked up in all parts of a shelf; numbers are int64.

    Below, B is the number of blocks of groups in all parts, and c the most columns that a part asks.

    Parameters
    ----------
    column, shift : ndarray of shape (m,)
        For each part and each of its columns the position of the column, and how far the numbers of its bins
        are from their positions in `block_of_bin`.
    block_of_bin : ndarray of shape (b,)
        For all parts, the first block of the row of places of each bin.
    zeros : int
        The block of zeros.
    pair, block : ndarray of shape (c, B)
        For each block of groups and each column of its part, which of the m it is, and the number of the
        block in a row of places. Where the part asks fewer columns, m and 0.
    first_rows : ndarray of shape (B, 16)
        For each group the first row of its part in the table; behind the last group the row of zeros.
    starts : ndarray of shape (s,)
        Where blocks start whose tables give something to other columns, or outputs, than those before.
    credited : ndarray of shape (s w,)
        Position in sums (K, d') of what each of these runs of blocks gives.
    """

    column: np.ndarray
    shift: np.ndarray
    block_of_bin: np.ndarray
    zeros: int
    pair: np.ndarray
    block: np.ndarray
    first_rows: np.ndarray
    starts: np.ndarray
    credited: np.ndarray

    @classmethod
    def of(cls, parts: Sequence[Part], n_columns: int) -> OneRow:
        """Lay out the parts of a shelf, over d' columns."""
        everything = np.arange(n_columns)
        columns = [everything if part.columns is None else part.columns for part in parts]
        firsts = np.cumsum([0, *map(len, columns)])
        n_bins = np.cumsum([0, *(len(part.row_of_bin) for part in parts)])
        ends = np.cumsum([part.n_blocks for part in parts])
        pair = np.full((max(map(len, columns)), ends[-1]), firsts[-1])
        block = np.zeros(pair.shape, dtype=np.int64)
        first_rows = np.full((ends[-1], BLOCK), parts[-1].rows.stop)
        starts, credited = [], []
        for p, part in enumerate(parts):
            own, count = slice(ends[p] - part.n_blocks, ends[p]), len(columns[p])
            pair[:count, own] = np.arange(firsts[p], firsts[p] + count)[:, None]
            block[:count, own] = np.arange(part.n_blocks)
            first_rows[own].reshape(-1)[: part.n_groups] = part.rows.start
            if p == 0 or part.credited is not None or part.output != parts[p - 1].output:
                starts.append(own.start)
                credited.append(
                    part.output * n_columns + (everything if part.credited is None else part.credited)
                )
        return cls(
            column=np.concatenate(columns),
            shift=np.concatenate([n - part.before for n, part in zip(n_bins, parts, strict=False)]),
            block_of_bin=np.concatenate(
                [part.blocks.start + part.row_of_bin.astype(np.int64) * part.n_blocks for part in parts]
            ),
            zeros=parts[-1].blocks.stop,
            pair=pair,
            block=block,
            first_rows=first_rows,
            starts=np.array(starts),
            credited=np.concatenate(credited),
        )

    def blocks_of(self, bins: np.ndarray) -> np.ndarray:
        """Blocks (c, B) that the bins (d',) of a row select."""
        selected = np.append(self.block_of_bin.take(bins.take(self.column) + self.shift), self.zeros)
        found = selected.take(self.pair)
        found += self.block
        return found

    @property
    def nbytes(self) -> int:
        """Memory used."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))
