"""A forest as the text in which LightGBM saves its models."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from ..tabular import safe_names, stand_ins
from ._forest import Forest, Tree, constant

ROWS_OF_A_TREE = 10**9
"""Rows that a root counts for, as LightGBM's counts are whole numbers below 2**31; shares of rows are then
exact to a billionth."""
LEAST_COVER = 1e-300
"""Stands for the cover of a tree that no row reached. Not measured."""
OBJECTIVES = {"identity": "regression", "probability": "regression", "log": "poisson"}
"""What raw scores are, as LightGBM's objectives that leave them so."""
CATEGORY, MISSING_LEFT, MISSING_IS_NAN = 1, 2, 8
"""Bits of LightGBM's `decision_type`."""


def text_of(forest: Forest) -> str:
    """Write a forest; base values are trees of one leaf."""
    k, d = len(forest.base), forest.n_features
    names = safe_names(forest.names or [f"Column_{j}" for j in range(d)])
    head = [
        "tree",
        "version=v4",
        f"num_class={k}",
        f"num_tree_per_iteration={k}",
        "label_index=0",
        f"max_feature_idx={d - 1}",
        f"objective={_objective(forest.link, k)}",
        f"feature_names={' '.join(names)}",
        f"feature_infos={' '.join(['[-1e300:1e300]'] * d)}",
        "",
    ]
    trees = [_tree(t, tree) for t, tree in enumerate(_one_by_one(forest))]
    # LightGBM looks for levels behind the last line that begins like this
    levels = [_savable(of_column) for of_column in forest.levels if of_column is not None]
    tail = ["end of trees", "", "parameters:", "end of parameters", ""]
    return "\n".join([*head, *trees, *tail, f"pandas_categorical:{json.dumps(levels or None)}", ""])


def _objective(link: str, k: int) -> str:
    if link == "softmax":
        return f"multiclass num_class:{k}"
    if link == "logit":
        return "binary sigmoid:1" if k == 1 else f"multiclassova num_class:{k} sigmoid:1"
    return OBJECTIVES[link]


def _one_by_one(forest: Forest) -> list[Tree]:
    """Order trees as LightGBM does, one of each output in turn; where one has none, nothing is added."""
    n_rounds = max(map(len, forest.trees))
    filled = [[*trees, *[constant(0.0)] * (n_rounds - len(trees))] for trees in forest.trees]
    rounds = zip(*filled, strict=True)
    return [constant(value) for value in forest.base] + [
        tree.in_order() for trees in rounds for tree in trees
    ]


def _tree(number: int, tree: Tree) -> str:
    """Write a tree whose children follow their parents."""
    is_leaf = tree.left < 0
    inner, leaves = np.flatnonzero(~is_leaf), np.flatnonzero(is_leaf)
    place = np.where(is_leaf, ~(np.cumsum(is_leaf) - 1), np.cumsum(~is_leaf) - 1)
    counts = _counts(tree, inner, leaves)
    # where only missing cells are sent right, the threshold may be infinite
    largest = np.finfo(np.float64).max
    thresholds: list[Any] = np.clip(tree.thresholds[inner], -largest, largest).tolist()
    decisions = MISSING_IS_NAN + MISSING_LEFT * tree.missing_left[inner].astype(int)
    bounds, words = [0], list[int]()
    for i in np.flatnonzero(np.isin(inner, list(tree.sets))).tolist():
        thresholds[i], decisions[i] = len(bounds) - 1, CATEGORY + MISSING_IS_NAN
        words += _words(tree.sets[int(inner[i])])
        bounds.append(len(words))
    fields = {
        "num_leaves": len(leaves),
        "num_cat": len(bounds) - 1,
        "split_feature": tree.columns[inner],
        "split_gain": tree.gains[inner].astype(float),
        "threshold": thresholds,
        "decision_type": decisions,
        "left_child": place[tree.left[inner]],
        "right_child": place[tree.right[inner]],
        "leaf_value": tree.values[leaves].astype(float),
        "leaf_weight": tree.cover[leaves].astype(float),
        "leaf_count": counts[leaves],
        "internal_value": np.zeros(len(inner)),
        "internal_weight": tree.cover[inner].astype(float),
        "internal_count": counts[inner],
    }
    if words:
        fields |= {"cat_boundaries": bounds, "cat_threshold": words}
    fields |= {"is_linear": 0, "shrinkage": 1}
    lines = [f"{name}={_joined(values)}" for name, values in fields.items()]
    return "\n".join([f"Tree={number}", *lines, "", ""])


def _joined(values: Any) -> str:
    """Write numbers so that they come back as they are; numpy's own would be written with their type."""
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    return " ".join(map(repr, plain)) if isinstance(plain, list) else repr(plain)


def _counts(tree: Tree, inner: np.ndarray, leaves: np.ndarray) -> np.ndarray:
    """Turn cover into whole numbers (m,) of rows, at least 1 in a leaf, which add up towards the root."""
    counts = np.zeros(len(tree.left), dtype=np.int64)
    share = tree.cover[leaves] / max(float(tree.cover[0]), LEAST_COVER)
    counts[leaves] = np.maximum(np.rint(share * ROWS_OF_A_TREE), 1)
    left, right = tree.left.tolist(), tree.right.tolist()
    found = counts.tolist()
    for node in inner[::-1].tolist():
        found[node] = found[left[node]] + found[right[node]]
    return np.array(found, dtype=np.int64)


def _words(codes: Collection[int]) -> list[int]:
    """Write a set of codes as bits of 32-bit words."""
    bits = np.zeros(32 * (max(codes, default=0) // 32 + 1), dtype=bool)
    bits[list(codes)] = True
    return np.packbits(bits, bitorder="little").view("<u4").tolist()


def _savable(levels: Sequence[Any]) -> list[Any]:
    """Give levels in types that JSON knows, as LightGBM does."""
    return [level.item() if isinstance(level, np.generic) else level for level in stand_ins(levels)]
