"""Tables of a few trees each, and how rows are looked up in them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

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


@dataclass(frozen=True, eq=False)
class Part:
    """Tables of a few trees of one output.

    The bin of each cell selects a row of `places`; their sum says which row of `table` holds the
    contributions of each group of leaves, and these rows are added up.

    Parameters
    ----------
    output : int
        The output.
    columns : ndarray of shape (c,), int64, or None
        Positions, among the d' columns of the forest, of those that the trees split on; None: all.
    before : ndarray of shape (c,), int32
        How many bins other columns have before those of each of the c columns.
    row_of_bin : ndarray of shape (b,), int32
        Row of `places` of each bin of the c columns.
    places : ndarray of shape (r, G), float32
        Whole numbers, which sum up to less than 2**24: exact.
    table : ndarray of shape (S, w)
        Contributions in each state of each of G groups.
    credited : ndarray of shape (w,), int64, or None
        Positions of the columns that the table gives; None: the d' columns, in their order.
    """

    output: int
    columns: np.ndarray | None
    before: np.ndarray
    row_of_bin: np.ndarray
    places: np.ndarray
    table: np.ndarray
    credited: np.ndarray | None

    @property
    def nbytes(self) -> int:
        """Memory used."""
        return self.row_of_bin.nbytes + self.places.nbytes + self.table.nbytes

    def add_to(self, sums: Any, encoded: Any) -> None:
        """Add contributions of rows.

        Parameters
        ----------
        sums : tensor of shape (n, K, d')
            What they are added to.
        encoded : tensor of shape (n, d'), int32
            Bins.
        """
        from torch.nn.functional import embedding_bag

        bins = encoded
        if self.columns is not None:
            bins = encoded.index_select(1, _tensor(self.columns)).sub_(_tensor(self.before))
        rows = _tensor(self.row_of_bin).index_select(0, bins.reshape(-1)).view_as(bins)
        at = embedding_bag(rows, _tensor(self.places), mode="sum").int()
        found = embedding_bag(at, _tensor(self.table), mode="sum")
        if self.credited is None:
            sums[:, self.output] += found
        else:
            sums[:, self.output].index_add_(1, _tensor(self.credited), found.to(sums.dtype))


def _tensor(array: np.ndarray) -> Any:
    """Show an array to torch without a copy."""
    import torch

    if not array.flags.writeable:
        _mute_warning_of_read_only()
    return torch.from_numpy(array)


@cache
def _mute_warning_of_read_only() -> None:
    """Let torch warn of read-only arrays now, which it does once: nobody writes to those of a part."""
    import torch

    array = np.zeros(1)
    array.setflags(write=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.from_numpy(array)


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
    dtype: Any,
    *,
    wide: bool,
    values_of: ValuesOf = path_dependent,
) -> Part:
    """Compute the tables of a few trees.

    Parameters
    ----------
    trees : sequence of TabledTree
        Of one output.
    starts : ndarray of shape (d' + 1,)
        First bin of each column of the forest, and their number.
    dtype : numpy dtype
        Of the contributions.
    wide : bool
        Whether the table has the columns of these trees alone, rather than all of the forest.
    values_of : callable, default=path_dependent
        From a tree and a group to the contributions of the group.

    Returns
    -------
    Part
    """
    n_columns = len(starts) - 1
    used = sorted({k for tree in trees for k in tree.tree.columns})
    credited = used if wide else list(range(n_columns))
    place = {k: i for i, k in enumerate(credited)}
    n_groups = [len(tree.groups) for tree in trees]
    ends = np.cumsum(n_groups)
    table = np.zeros((sum(tree.n_rows for tree in trees), len(credited)), dtype)
    by_class, first = [], 0
    for tree in trees:
        by_class.append(_places(tree, first))
        for group in tree.groups:
            values = values_of(tree.tree, group)
            columns = [place[tree.tree.columns[k]] for k in group.states]
            table[first : first + group.n_states, columns] = values.T
            first += group.n_states
    places, rows_of_bin, row = [], [], 0
    for k in used:
        own = [(t, tree.tree.columns.index(k)) for t, tree in enumerate(trees) if k in tree.tree.columns]
        classes, which = distinct_rows(np.stack([trees[t].tree.of_bin[local] for t, local in own], axis=1))
        found = np.zeros((len(classes), ends[-1]), dtype=np.float32)
        for (t, local), of_tree in zip(own, classes.T, strict=True):
            found[:, ends[t] - n_groups[t] : ends[t]] = by_class[t][local][of_tree]
        rows_of_bin.append(row + which)
        places.append(found)
        row += len(found)
    n_bins = [len(rows) for rows in rows_of_bin]
    return Part(
        output=trees[0].output,
        columns=None if len(used) == n_columns else np.array(used),
        before=(starts[used] - np.cumsum([0, *n_bins[:-1]])).astype(np.int32),
        row_of_bin=np.concatenate(rows_of_bin).astype(np.int32),
        places=np.concatenate(places),
        table=table,
        credited=np.array(used) if wide else None,
    )


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
