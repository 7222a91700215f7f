"""Functions of one number that are constant between thresholds, as balanced search trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..conversion import rounded_down
from ._graph import ML_DOMAIN, Graph


@dataclass(frozen=True)
class Steps:
    """A whole number for each cell of a column: ``values[k]`` where ``keys[k-1] < x <= keys[k]``.

    Parameters
    ----------
    column : int
        Position in the table.
    keys : ndarray of shape (m,)
        Rising thresholds, in the type of the graph.
    values : ndarray of int of shape (m + 1,)
        Between them.
    missing : int
        Where the cell is missing.
    """

    column: int
    keys: np.ndarray
    values: np.ndarray
    missing: int

    @classmethod
    def of(
        cls,
        column: int,
        keys: np.ndarray,
        function: Callable[[np.ndarray], np.ndarray],
        dtype: Any,
    ) -> Steps:
        """Tabulate a function of numbers (n,) that is constant between thresholds.

        Parameters
        ----------
        column : int
            Position in the table.
        keys : ndarray of shape (m,), float64
            Thresholds, in any order: the function may change behind each, for ``x > key``.
        function : callable
            Gives whole numbers for float64 and for NaN.
        dtype : type
            Type of the numbers that come: of two thresholds between which none lies, one is kept.

        Returns
        -------
        Steps
            Exact for every number of the type.
        """
        keys = np.asarray(keys, dtype=np.float64)
        if dtype == np.float32:
            # beyond float32 is infinity, which no number of a table is
            limit = float(np.finfo(np.float32).max)
            keys = rounded_down(keys[np.abs(keys) < limit]).astype(np.float64)
        keys = np.unique(keys)
        values = function(np.append(keys, float(np.finfo(dtype).max))).astype(np.int64)
        changes = np.flatnonzero(values[1:] != values[:-1])
        kept = np.append(changes, len(values) - 1)
        missing = int(function(np.array([np.nan]))[0])
        return cls(column, keys[changes].astype(dtype), values[kept], missing)


class _Trees:
    """The attributes of a node that holds trees, filled node by node."""

    def __init__(self) -> None:
        self.nodes: dict[str, list[Any]] = {
            name: []
            for name in ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids")
            + ("missing_value_tracks_true",)
        }
        self.leaves: dict[str, list[Any]] = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}

    def grow(self, tree: int, steps: Steps) -> None:
        """Add a tree of steps, whose leaves speak of the target of the same number."""
        first = len(self.nodes["modes"])

        def node(mode: str, key: float, missing_true: bool) -> int:
            place = len(self.nodes["modes"])
            row = (tree, place - first, steps.column if mode != "LEAF" else 0, mode, key, 0, 0, missing_true)
            for entries, entry in zip(self.nodes.values(), row, strict=True):
                entries.append(int(entry) if isinstance(entry, bool) else entry)
            return place

        def leaf(value: int) -> int:
            place = node("LEAF", 0.0, False)
            for entries, entry in zip(
                self.leaves.values(), (tree, place - first, tree, float(value)), strict=True
            ):
                entries.append(entry)
            return place - first

        def search(low: int, high: int) -> int:
            if low == high:
                return leaf(int(steps.values[low]))
            middle = (low + high) // 2
            place = node("BRANCH_LEQ", float(steps.keys[middle]), False)
            self.nodes["truenodeids"][place] = search(low, middle)
            self.nodes["falsenodeids"][place] = search(middle + 1, high)
            return place - first

        # a missing number is not at most any threshold: it ends behind the last one
        if steps.missing == steps.values[-1]:
            search(0, len(steps.keys))
            return
        # no number of a table is -inf, so that the first branch asks for nothing but missing ones
        place = node("BRANCH_LEQ", -np.inf, True)
        self.nodes["truenodeids"][place] = leaf(steps.missing)
        self.nodes["falsenodeids"][place] = search(0, len(steps.keys))


def search_trees(graph: Graph, matrix: str, functions: Sequence[Steps]) -> str:
    """Look up what steps say of the cells of rows.

    Parameters
    ----------
    graph : Graph
        To which a node is added.
    matrix : str
        Name of the rows (n, d), in the graph's type.
    functions : sequence of q Steps
        In that type too.

    Returns
    -------
    str
        Name of whole numbers (n, q), int32.
    """
    trees = _Trees()
    for i, steps in enumerate(functions):
        trees.grow(i, steps)
    options: dict[str, Any] = {f"nodes_{name}": entries for name, entries in trees.nodes.items()}
    options |= {f"target_{name}": entries for name, entries in trees.leaves.items()}
    if graph.numpy is np.float64:
        # without these the operator would compare in float32
        for name in ("nodes_values", "target_weights"):
            options[f"{name}_as_tensor"] = graph.scalars(np.array(options.pop(name)), name)
    found = graph.add(
        "TreeEnsembleRegressor",
        matrix,
        domain=ML_DOMAIN,
        n_targets=len(functions),
        aggregate_function="SUM",
        post_transform="NONE",
        **options,
    )
    return graph.cast(found, np.int32)
