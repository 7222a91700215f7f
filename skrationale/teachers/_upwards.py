"""Trees joined into one list of nodes, all inner ones before all leaves, and walks from these upwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ._lightgbm_text import joined


@dataclass(frozen=True, eq=False)
class JoinedTrees:
    """T trees with N inner nodes and L leaves together.

    Parameters
    ----------
    n_leaves : ndarray of shape (T,)
        Leaves of each tree.
    parent : ndarray of shape (N + L,)
        Node above each node, -1 above a root.
    is_right : ndarray of bool of shape (N + L,)
        Whether a node is the child to the right.
    roots : ndarray of shape (T,)
        Root of each tree, a leaf where there is no split.
    """

    n_leaves: np.ndarray
    parent: np.ndarray
    is_right: np.ndarray
    roots: np.ndarray

    @classmethod
    def of(cls, trees: list[dict[str, str]]) -> JoinedTrees:
        """Join trees that are given as fields of text."""
        n_leaves = joined(trees, "num_leaves", np.intp)
        first_inner = np.cumsum(n_leaves - 1) - (n_leaves - 1)
        n_inner = int((n_leaves - 1).sum())
        first_leaf = np.cumsum(n_leaves) - n_leaves + n_inner
        tree = np.repeat(np.arange(len(n_leaves)), n_leaves - 1)
        parent = np.full(n_inner + n_leaves.sum(), -1)
        is_right = np.zeros(len(parent), dtype=bool)
        for field in ("left_child", "right_child"):
            child = joined(trees, field, np.intp)  # ~leaf for leaves
            nodes = np.where(child < 0, first_leaf[tree] + ~child, first_inner[tree] + child)
            parent[nodes], is_right[nodes] = np.arange(n_inner), field == "right_child"
        return cls(n_leaves, parent, is_right, np.where(n_leaves > 1, first_inner, first_leaf))

    @property
    def n_inner(self) -> int:
        """N."""
        return len(self.parent) - int(self.n_leaves.sum())

    @property
    def first_leaf(self) -> np.ndarray:
        """Number (T,), among all L leaves, of the first one of each tree."""
        return np.cumsum(self.n_leaves) - self.n_leaves

    def upwards(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Step from all leaves towards their roots at once, as long as there is one to step to.

        Yields
        ------
        leaf, node, above : ndarray of int of the same shape
            Leaves (among all L) that are not at the root yet, where they are, and the node above.
        """
        leaf, node = np.arange(len(self.parent) - self.n_inner), np.arange(self.n_inner, len(self.parent))
        while (inside := self.parent[node] >= 0).any():
            leaf, node = leaf[inside], node[inside]
            above = self.parent[node]
            yield leaf, node, above
            node = above
