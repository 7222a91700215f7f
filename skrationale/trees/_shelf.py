"""Tables of one width stand on one shelf, so that one row is looked up in all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._parts import BLOCK, Part, ValuesOf, as_tensor, part_of
from ._plan import TabledTree
from ._states import path_dependent


@dataclass(frozen=True, eq=False)
class Shelf:
    """Tables of one width, one above the other.

    Parameters
    ----------
    parts : list of P Part
        What stands there.
    blocks : ndarray of shape (N, 16), float32
        Their places.
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
        return cls(made, np.concatenate(blocks), table, OneRow.of(made, len(starts) - 1, len(table) - 1))

    @property
    def nbytes(self) -> int:
        """Memory used."""
        arrays = [self.blocks, self.table, *vars(self.one_row).values()]
        return sum(array.nbytes for array in (*arrays, *(part.row_of_bin for part in self.parts)))

    def add_to(self, sums: Any, encoded: Any) -> None:
        """Add contributions of rows of bins (n, d'), int32, to sums (n, K, d'); all are tensors."""
        blocks, table = as_tensor(self.blocks), as_tensor(self.table)
        for part in self.parts:
            part.add_to(sums, encoded, blocks, table)

    def add_row(self, sums: np.ndarray, bins: np.ndarray) -> None:
        """Add contributions of one row of bins (d',) to sums (K, d'), in the order of `add_to`."""
        from torch.nn.functional import embedding_bag

        one = self.one_row
        index, starts = as_tensor(one.blocks_of(bins)), as_tensor(one.starts)
        places = embedding_bag(index, as_tensor(self.blocks), starts, mode="sum")
        at = places.int().add_(as_tensor(one.first_rows)).view(-1)
        found = embedding_bag(at, as_tensor(self.table), as_tensor(one.starts_of_parts), mode="sum")
        np.add.at(sums.reshape(-1), one.credited, found.numpy().reshape(-1))


@dataclass(frozen=True, eq=False)
class OneRow:
    """How one row is looked up in all parts of a shelf.

    Parameters
    ----------
    column, shift : ndarray of shape (m,), int64
        For each part and each of its columns the position of the column, and how far the numbers of its bins
        are from their positions in `block_of_bin`.
    block_of_bin : ndarray of shape (b,), int32
        For all parts, the first block of the row of places of each bin.
    pair, block : ndarray of shape (e,), int64 and int32
        For each block of groups, and each column of its part, which of the m it is, and the number of the
        block in a row of places.
    starts : ndarray of shape (B,), int32
        Where among them each of B blocks of groups starts.
    first_rows : ndarray of shape (B, 16), int32
        For each group the first row of its part in the table; behind the last group the row of zeros.
    starts_of_parts : ndarray of shape (P,), int32
        Where among the groups of all blocks each part starts.
    credited : ndarray of shape (P w,), int64
        Position in sums (K, d') of each number found.
    """

    column: np.ndarray
    shift: np.ndarray
    block_of_bin: np.ndarray
    pair: np.ndarray
    block: np.ndarray
    starts: np.ndarray
    first_rows: np.ndarray
    starts_of_parts: np.ndarray
    credited: np.ndarray

    @classmethod
    def of(cls, parts: Sequence[Part], n_columns: int, row_of_zeros: int) -> OneRow:
        """Lay out the parts of a shelf, over d' columns."""
        everything = np.arange(n_columns)
        columns = [everything if part.columns is None else part.columns for part in parts]
        n_used = [len(own) for own in columns]
        n_blocks = [part.n_blocks for part in parts]
        firsts, n_bins = np.cumsum([0, *n_used]), np.cumsum([0, *(len(part.row_of_bin) for part in parts)])
        pairs = [
            np.tile(np.arange(first, first + n), count)
            for first, n, count in zip(firsts, n_used, n_blocks, strict=False)
        ]
        first_rows = np.full((sum(n_blocks), BLOCK), row_of_zeros, dtype=np.int32)
        for part, last in zip(parts, np.cumsum(n_blocks), strict=True):
            own = first_rows[last - part.n_blocks : last].reshape(-1)
            own[: part.n_groups] = part.rows.start
        credited = [
            part.output * n_columns + (everything if part.credited is None else part.credited)
            for part in parts
        ]
        return cls(
            column=np.concatenate(columns),
            shift=np.concatenate([n - part.before for n, part in zip(n_bins, parts, strict=False)]),
            block_of_bin=np.concatenate(
                [part.blocks.start + part.row_of_bin * part.n_blocks for part in parts]
            ).astype(np.int32),
            pair=np.concatenate(pairs),
            block=np.concatenate(
                [np.repeat(np.arange(b), n) for b, n in zip(n_blocks, n_used, strict=True)]
            ).astype(np.int32),
            starts=_starts(np.repeat(n_used, n_blocks)),
            first_rows=first_rows,
            starts_of_parts=_starts(np.multiply(n_blocks, BLOCK)),
            credited=np.concatenate(credited),
        )

    def blocks_of(self, bins: np.ndarray) -> np.ndarray:
        """Blocks (e,) that the bins (d',) of a row select."""
        return self.block_of_bin[bins[self.column] + self.shift][self.pair] + self.block


def _starts(lengths: np.ndarray) -> np.ndarray:
    """Where each of several runs starts."""
    return (np.cumsum(lengths) - lengths).astype(np.int32)
