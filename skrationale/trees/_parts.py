"""Tables of a few trees each: how they are computed, and how many rows are looked up in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._tensors import as_tensor
from ._groups import Group, SplitTree, bits_of, distinct_rows
from ._plan import TabledTree
from ._states import path_dependent

PART_BYTES = 2**22
"""Bytes of the table of a part, unless one tree has more. Measured: 2**20 takes 1.4 times as long on 28
columns, and as long on 14."""
PART_GROUPS = 512
"""Groups of a part. Measured together with its bytes."""


ValuesOf = Callable[[SplitTree, Group], np.ndarray]
"""What a group of a tree contributes (c, S) in all joint states of its c columns."""


BLOCK = 16
"""Groups are counted up to a multiple of this: 64 bytes of float32, a line of cache. Measured on
many rows: 1 takes 0.98 to 1.07 times as long, 64 takes 1.02 to 1.09 times."""


@dataclass(frozen=True, eq=False)
class Part:
    """Tables of a few trees of one output, on a shelf with others.

    The bin of each cell selects a row of `places`; their sum says which row of `table` holds the
    contributions of each group of leaves, and these rows are added up.

    Parameters
    ----------
    output : int
        The output.
    n_groups : int
        Number of groups, G.
    columns : ndarray of shape (c,), int64, or None
        Positions, among the d' columns of the forest, of those that the trees split on; None: all.
    before : ndarray of shape (c,), int32
        How many bins other columns have before those of each of the c columns.
    row_of_bin : ndarray of shape (b,), int32
        Row of `places` of each bin of the c columns.
    blocks : slice
        Where the shelf has the places (r, G'), float32: whole numbers that sum up to less than 2**24, hence
        exactly. They are cut into blocks of 16, with 0 behind those of the last group.
    rows : slice
        Where the shelf has the table (S, w): contributions in each state of each group.
    credited : ndarray of shape (w,), int64, or None
        Positions of the columns that the table gives; None: the d' columns, in their order.
    """

    output: int
    n_groups: int
    columns: np.ndarray | None
    before: np.ndarray
    row_of_bin: np.ndarray
    blocks: slice
    rows: slice
    credited: np.ndarray | None

    @property
    def n_blocks(self) -> int:
        """Blocks of a row of places."""
        return -(-self.n_groups // BLOCK)

    def add_to(self, sums: Any, encoded: Any, blocks: Any, table: Any) -> None:
        """Add contributions of rows.

        Parameters
        ----------
        sums : tensor of shape (n, K, d')
            What they are added to.
        encoded : tensor of shape (n, d'), int32
            Bins.
        blocks : tensor of shape (N, 16), float32
            Those of the shelf.
        table : tensor of shape (S', w)
            That of the shelf.
        """
        from torch.nn.functional import embedding_bag

        bins = encoded
        if self.columns is not None:
            bins = encoded.index_select(1, as_tensor(self.columns)).sub_(as_tensor(self.before))
        rows = as_tensor(self.row_of_bin).index_select(0, bins.reshape(-1)).view_as(bins)
        places = blocks[self.blocks].view(-1, self.n_blocks * BLOCK)
        at = embedding_bag(rows, places, mode="sum")[:, : self.n_groups].int()
        found = embedding_bag(at, table[self.rows], mode="sum")
        if self.credited is None:
            sums[:, self.output] += found
        else:
            sums[:, self.output].index_add_(1, as_tensor(self.credited), found.to(sums.dtype))


def packed(
    trees: Sequence[TabledTree], width: int, itemsize: int, *, wide: bool
) -> Iterator[list[TabledTree]]:
    """Put trees of one output together into parts, whose tables stay in the processor's cache.

    Parameters
    ----------
    trees : sequence of TabledTree
        By output.
    width : int
        Columns of a table.
    itemsize : int
        Bytes of a number.
    wide : bool
        Whether each tree has a table of its own columns.

    Yields
    ------
    list of TabledTree
    """
    part: list[TabledTree] = []
    for tree in trees:
        together = [*part, tree]
        rows, groups = sum(t.n_rows for t in together), sum(len(t.groups) for t in together)
        full = rows * width * itemsize > PART_BYTES or groups > PART_GROUPS or wide
        if part and (full or tree.output != part[0].output):
            yield part
            part = []
        part.append(tree)
    if part:
        yield part


def part_of(
    trees: Sequence[TabledTree],
    starts: np.ndarray,
    table: np.ndarray,
    before: tuple[int, int] = (0, 0),
    *,
    wide: bool,
    values_of: ValuesOf = path_dependent,
) -> tuple[Part, np.ndarray]:
    """Compute the tables of a few trees.

    Parameters
    ----------
    trees : sequence of TabledTree
        Of one output.
    starts : ndarray of shape (d' + 1,)
        First bin of each column of the forest, and their number.
    table : ndarray of shape (S', w)
        That of the shelf, of zeros where the table of these trees will be.
    before : (int, int), default=(0, 0)
        How many blocks, and rows of the table, other parts have before.
    wide : bool
        Whether the table has the columns of these trees alone, rather than all of the forest.
    values_of : callable, default=path_dependent
        From a tree and a group to the contributions of the group.

    Returns
    -------
    part : Part
    blocks : ndarray of shape (N, 16), float32
        The places.
    """
    n_columns = len(starts) - 1
    used = sorted({k for tree in trees for k in tree.tree.columns})
    n_rows = sum(tree.n_rows for tree in trees)
    rows = slice(before[1], before[1] + n_rows)
    _fill(table[rows], trees, used if wide else list(range(n_columns)), values_of)
    n_groups = [len(tree.groups) for tree in trees]
    ends, firsts = np.cumsum(n_groups), np.cumsum([0, *(tree.n_rows for tree in trees)])
    by_class = [_places(tree, first) for tree, first in zip(trees, firsts, strict=False)]
    width = -(-ends[-1] // BLOCK) * BLOCK
    places, rows_of_bin, row = [], [], 0
    for k in used:
        own = [(t, tree.tree.columns.index(k)) for t, tree in enumerate(trees) if k in tree.tree.columns]
        classes, which = distinct_rows(np.stack([trees[t].tree.of_bin[local] for t, local in own], axis=1))
        found = np.zeros((len(classes), width), dtype=np.float32)
        for (t, local), of_tree in zip(own, classes.T, strict=True):
            found[:, ends[t] - n_groups[t] : ends[t]] = by_class[t][local][of_tree]
        rows_of_bin.append(row + which)
        places.append(found)
        row += len(found)
    n_bins = [len(rows) for rows in rows_of_bin]
    blocks = np.concatenate(places).reshape(-1, BLOCK)
    part = Part(
        output=trees[0].output,
        n_groups=int(ends[-1]),
        columns=None if len(used) == n_columns else np.array(used),
        before=(starts[used] - np.cumsum([0, *n_bins[:-1]])).astype(np.int32),
        row_of_bin=np.concatenate(rows_of_bin).astype(np.int32),
        blocks=slice(before[0], before[0] + len(blocks)),
        rows=rows,
        credited=np.array(used) if wide else None,
    )
    return part, blocks


def _fill(
    table: np.ndarray, trees: Sequence[TabledTree], credited: Sequence[int], values_of: ValuesOf
) -> None:
    """Write the contributions of trees to the credited columns into a table (S, w) of zeros."""
    place = {k: i for i, k in enumerate(credited)}
    first = 0
    for tree in trees:
        for group in tree.groups:
            columns = [place[tree.tree.columns[k]] for k in group.states]
            table[first : first + group.n_states, columns] = values_of(tree.tree, group).T
            first += group.n_states


def _places(tree: TabledTree, first: int) -> list[np.ndarray]:
    """Say, for each column of a tree, how each class of bins moves the rows (classes, G) of its groups."""
    places = [np.zeros((n_classes, len(tree.groups))) for n_classes in tree.tree.n_classes]
    for g, group in enumerate(tree.groups):
        stride = group.n_states
        for k, states in group.states.items():
            stride //= len(states)
            for state, classes in enumerate(states):
                for one in bits_of(classes):
                    places[k][one, g] = stride * state
        places[0][:, g] += first
        first += group.n_states
    return places
