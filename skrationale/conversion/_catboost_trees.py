"""Trees of CatBoost, as it saves them: symmetric ones by their depth, others node by node."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._forest import LEAF, Tree

CATEGORY_SPLITS = ("OneHotFeature", "OnlineCtr")
"""Kinds of splits on a category: on one level, or on a statistic of the target by level."""


@dataclass(frozen=True, eq=False)
class Splits:
    """What splits of a model do, by CatBoost's number of each.

    Parameters
    ----------
    columns : ndarray of int of shape (s,)
        Columns of the table.
    thresholds : ndarray of shape (s,), float64
        ``x <= threshold`` goes left.
    missing_left : ndarray of bool of shape (s,)
        Whether a missing number goes left.
    swapped : ndarray of bool of shape (s,)
        Whether what CatBoost sends left goes right here, as unknown levels must.
    sets : dict of int to frozenset of int
        Codes that go left here, for splits on categories.
    """

    columns: np.ndarray
    thresholds: np.ndarray
    missing_left: np.ndarray
    swapped: np.ndarray
    sets: dict[int, frozenset[int]]

    @classmethod
    def empty(cls, count: int) -> Splits:
        """Make room for some splits."""
        no, nothing = np.zeros(count, dtype=bool), np.zeros(count)
        return cls(np.zeros(count, dtype=int), nothing, no, no.copy(), {})


@dataclass(frozen=True, eq=False)
class Nodes:
    """A tree of m nodes; children follow their parents.

    Parameters
    ----------
    keys : ndarray of int of shape (m,)
        CatBoost's number of the split of each node; -1 in leaves.
    left, right : ndarray of int of shape (m,)
        Children where CatBoost's condition does not hold, and where it does; -1 in leaves.
    values : ndarray of shape (m, K)
        Values of leaves.
    cover : ndarray of shape (m,)
        Weight of training rows in leaves.
    splits : dict of int to dict
        Splits by their number, as CatBoost saves them.
    """

    keys: np.ndarray
    left: np.ndarray
    right: np.ndarray
    values: np.ndarray
    cover: np.ndarray
    splits: dict[int, dict[str, Any]]


def oblivious_nodes(tree: dict[str, Any]) -> Nodes:
    """Read a symmetric tree, in which all nodes of one depth split alike.

    Parameters
    ----------
    tree : dict
        As CatBoost saves it: bit s of the number of a leaf says whether split s holds.

    Returns
    -------
    Nodes
        The root has the last split.
    """
    splits = tree.get("splits") or []
    keys = np.array([split["split_index"] for split in splits], dtype=int)
    n_leaves = 2 ** len(keys)
    n_inner = n_leaves - 1
    inner, leaf = np.arange(n_inner), np.full(n_leaves, LEAF)
    depth = np.repeat(np.arange(len(keys)), 2 ** np.arange(len(keys)))
    of_leaves = np.reshape(np.asarray(tree["leaf_values"], dtype=np.float64), (n_leaves, -1))
    cover = np.concatenate([np.zeros(n_inner), np.asarray(tree["leaf_weights"], dtype=np.float64)])
    return Nodes(
        keys=np.concatenate([keys[::-1][depth], leaf]),
        left=np.concatenate([2 * inner + 1, leaf]),
        right=np.concatenate([2 * inner + 2, leaf]),
        values=np.vstack([np.zeros((n_inner, of_leaves.shape[1])), of_leaves]),
        cover=cover,
        splits={split["split_index"]: split for split in splits},
    )


def nested_nodes(tree: dict[str, Any]) -> Nodes:
    """Read a tree that CatBoost saves as a node with nodes in it."""
    found = [tree]
    left, right, keys, splits = [], [], [], {}
    waiting = deque([tree])
    while waiting:
        node = waiting.popleft()
        split = node.get("split")
        if split is None:
            keys.append(LEAF)
            left.append(LEAF)
            right.append(LEAF)
            continue
        keys.append(split["split_index"])
        splits[split["split_index"]] = split
        left.append(len(found))
        right.append(len(found) + 1)
        both = (node["left"], node["right"])
        found.extend(both)
        waiting.extend(both)
    n_outputs = next(len(np.atleast_1d(node["value"])) for node in found if "value" in node)
    nothing = [0.0] * n_outputs
    values = np.array([np.atleast_1d(node.get("value", nothing)) for node in found], dtype=np.float64)
    cover = np.array([node.get("weight", 0.0) for node in found], dtype=np.float64)
    return Nodes(np.array(keys), np.array(left), np.array(right), values, cover, splits)


def trees_of(nodes: Nodes, splits: Splits, scale: float) -> list[Tree]:
    """Write a tree down, once for each of the K outputs.

    Parameters
    ----------
    nodes : Nodes
        The tree.
    splits : Splits
        What its splits do.
    scale : float
        Factor of its values.

    Returns
    -------
    list of K Tree
        CatBoost saves no gain: it is how much the weighted square error of the leaves' values falls.
    """
    values, cover, gains = nodes.values * scale, nodes.cover.copy(), np.zeros(len(nodes.keys))
    for parents in reversed(_inner_by_depth(nodes)):
        below = np.stack([nodes.left[parents], nodes.right[parents]])
        weight = cover[below]
        cover[parents] = weight.sum(axis=0)
        share = weight / np.where(cover[parents] > 0, cover[parents], 1.0)
        values[parents] = (share[..., None] * values[below]).sum(axis=0)
        gains[parents] = (weight * ((values[below] - values[parents]) ** 2).sum(axis=-1)).sum(axis=0)
    is_leaf = nodes.keys < 0
    key = np.where(is_leaf, 0, nodes.keys)
    of_splits = (splits.columns, splits.thresholds, splits.missing_left, splits.swapped)
    # a tree of one leaf may be all that there is, so that no split has number 0
    columns, thresholds, missing_left, swapped = (np.append(of_split, 0)[key] for of_split in of_splits)
    missing_left, swapped = missing_left.astype(bool), swapped.astype(bool) & ~is_leaf
    return [
        Tree(
            columns=np.where(is_leaf, LEAF, columns),
            thresholds=thresholds,
            missing_left=missing_left,
            left=np.where(swapped, nodes.right, nodes.left),
            right=np.where(swapped, nodes.left, nodes.right),
            values=values[:, output],
            cover=cover,
            gains=gains,
            sets={
                node: splits.sets[key] for node, key in enumerate(nodes.keys.tolist()) if key in splits.sets
            },
        )
        for output in range(values.shape[1])
    ]


def _inner_by_depth(nodes: Nodes) -> list[np.ndarray]:
    """Give the nodes with children at each depth, from the root downwards."""
    found, here = [], np.array([0])
    while len(here := here[nodes.keys[here] >= 0]):
        found.append(here)
        here = np.concatenate([nodes.left[here], nodes.right[here]])
    return found
