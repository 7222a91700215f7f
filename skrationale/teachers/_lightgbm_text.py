"""The text in which LightGBM saves a model: its header, its trees, their splits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from ._protocol import ColumnSplits, TreeNodes

LEVELS = "\npandas_categorical:"
"""Before the levels of category columns, in the last line."""
MISSING_TYPES = ("None", "Zero", "NaN")
"""How a split reads a missing number, by LightGBM's own code; the last tells most apart."""


def read_header(text: str) -> dict[str, str]:
    """Read the fields before the first tree."""
    return dict(line.partition("=")[::2] for line in text.split("\nTree=")[0].split("\n"))


def read_trees(booster: Any) -> list[dict[str, str]]:
    """Read the trees that ``predict`` uses, as fields of text.

    The fields are flat arrays, where ``dump_model`` nests a dict a node: ten times slower to
    read, and beyond Python's recursion limit for very deep trees.
    """
    blocks = booster.model_to_string().split("\nTree=")[1:]
    return [dict(line.split("=", 1) for line in _fields(block)) for block in blocks]


def with_trees(text: str, chosen: Iterable[int]) -> str:
    """Write a model anew with some of its trees, by their numbers."""
    head, *blocks = text.split("\nTree=")
    # the sizes of trees are there to read them on several threads
    lines = [line for line in head.split("\n") if not line.startswith("tree_sizes=")]
    for number, t in enumerate(chosen):
        lines += [f"Tree={number}", *_fields(blocks[t]), "", ""]
    levels = text[text.rindex(LEVELS) :] if LEVELS in text else ""
    return "\n".join([*lines, "end of trees", levels])


def negated(text: str) -> str:
    """Write a model anew whose raw scores are those of this one with the other sign."""

    def other_sign(line: re.Match[str]) -> str:
        numbers = (number[1:] if number[0] == "-" else "-" + number for number in line[2].split())
        return f"{line[1]}={' '.join(numbers)}"

    head, *blocks = text.split("\nTree=")
    # trees are of other sizes now
    head = re.sub(r"^tree_sizes=.*\n", "", head, flags=re.MULTILINE)
    changed = (
        re.sub(r"^(leaf_value|internal_value)=(.*)$", other_sign, b, flags=re.MULTILINE) for b in blocks
    )
    return "\nTree=".join([head, *changed])


def _fields(block: str) -> list[str]:
    """Lines of a tree behind its number; behind the last tree other things follow."""
    return block.split("\n\n", 1)[0].split("\n")[1:]


def joined(trees: list[dict[str, str]], field: str, dtype: type = np.float64) -> np.ndarray:
    """Join one field of all trees, as numbers."""
    return np.array(" ".join(tree[field] for tree in trees).split(), dtype=dtype)


def splits_of(trees: list[dict[str, str]], n_features: int) -> list[ColumnSplits]:
    """Collect the splits of trees on each of so many columns."""
    columns, gains = joined(trees, "split_feature", np.intp), joined(trees, "split_gain")
    thresholds, decisions = joined(trees, "threshold"), joined(trees, "decision_type", np.intp)
    numeric, missing = decisions & 1 == 0, decisions >> 2 & 3
    sets: list[dict[frozenset[int], float]] = [{} for _ in range(n_features)]
    for levels, node in zip(category_sets_of(trees), np.flatnonzero(~numeric), strict=True):
        of_column = sets[columns[node]]
        of_column[levels] = of_column.get(levels, 0.0) + gains[node]
    collected = []
    for j, of_column in enumerate(sets):
        nodes = np.flatnonzero((columns == j) & numeric)
        distinct, where = np.unique(thresholds[nodes], return_inverse=True)
        collected.append(
            ColumnSplits(
                thresholds=distinct,
                gains=np.bincount(where, gains[nodes], minlength=len(distinct)),
                category_sets=tuple(of_column),
                set_gains=np.array(list(of_column.values()), dtype=np.float64),
                # training continued on other data may mix types: the finest tells most apart
                missing_type=MISSING_TYPES[missing[columns == j].max()] if (columns == j).any() else None,
            )
        )
    return collected


def category_sets_of(trees: list[dict[str, str]]) -> list[frozenset[int]]:
    """Left sets of all categorical splits, in the order of their nodes."""
    return [levels for tree in trees for levels in _category_sets(tree)]


def _category_sets(tree: dict[str, str]) -> list[frozenset[int]]:
    """Left sets of a tree's categorical splits, in the order of its nodes."""
    if tree["num_cat"] == "0":
        return []
    bounds = [int(bound) for bound in tree["cat_boundaries"].split()]
    words = np.array(tree["cat_threshold"].split(), dtype="<u4")
    bits = [np.unpackbits(words[a:b].view(np.uint8), bitorder="little") for a, b in pairwise(bounds)]
    return [frozenset(np.flatnonzero(inside).tolist()) for inside in bits]


def leaf_values_of(trees: list[dict[str, str]], scale: float) -> np.ndarray:
    """Read the values (L,) of all leaves, times a scale; raise unless they are finite."""
    values = joined(trees, "leaf_value") * scale
    if bad := int((~np.isfinite(values)).sum()):
        raise ValueError(f"The LightGBM model has NaN or infinite values in {bad} of {len(values)} leaves.")
    return values


def nodes_of(trees: list[dict[str, str]], scale: float) -> list[TreeNodes]:
    """Read trees as arrays; the values of their leaves are multiplied by a scale."""
    ends = np.cumsum(joined(trees, "num_leaves", np.intp))
    values, counts = np.split(leaf_values_of(trees, scale), ends), np.split(joined(trees, "leaf_count"), ends)
    inner = ends - np.arange(1, len(trees) + 1)
    fields = ("split_feature", "left_child", "right_child", "decision_type")
    columns, left, right, decisions = (np.split(joined(trees, name, np.intp), inner) for name in fields)
    thresholds = np.split(joined(trees, "threshold"), inner)
    return [
        TreeNodes(
            columns=columns[t],
            left=left[t],
            right=right[t],
            thresholds=thresholds[t],
            category_sets=dict(
                zip(np.flatnonzero(decisions[t] & 1).tolist(), _category_sets(tree), strict=True)
            ),
            missing_types=[MISSING_TYPES[kind] for kind in decisions[t] >> 2 & 3],
            missing_left=decisions[t] >> 1 & 1 == 1,
            leaf_values=values[t],
            leaf_counts=counts[t],
        )
        for t, tree in enumerate(trees)
    ]
