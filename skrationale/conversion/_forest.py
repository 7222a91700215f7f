"""The form in which every forest is written down: a sum over trees of float64 constants in leaves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from .._task import Link

LEAF = -1
"""Child and column of a leaf."""


@dataclass(frozen=True, eq=False)
class Tree:
    """A binary tree of m nodes, of which the first is the root.

    Parameters
    ----------
    columns : ndarray of int of shape (m,)
        Column that a node splits on; -1 in leaves.
    thresholds : ndarray of shape (m,), float64
        ``x <= threshold`` goes left; without meaning in leaves and where a set of categories decides.
    missing_left : ndarray of bool of shape (m,)
        Whether a missing number goes left.
    left, right : ndarray of int of shape (m,)
        Children; -1 in leaves.
    values : ndarray of shape (m,)
        Values of leaves, in units of the raw score; without meaning in inner nodes.
    cover : ndarray of shape (m,)
        Weight of the training rows that came by, at least 0.
    gains : ndarray of shape (m,)
        How much each split is worth, at least 0.
    sets : dict of int to collection of int
        Codes that go left at the nodes that split on a category. All others go right, also missing and
        unseen ones.
    """

    columns: np.ndarray
    thresholds: np.ndarray
    missing_left: np.ndarray
    left: np.ndarray
    right: np.ndarray
    values: np.ndarray
    cover: np.ndarray
    gains: np.ndarray
    sets: Mapping[int, Collection[int]] = field(default_factory=dict)

    def in_order(self) -> Tree:
        """Sort the nodes by their depth, so that children follow parents; drop those without a path."""
        levels = [np.array([0])]
        while len(found := _children(self, levels[-1])):
            levels.append(found)
        old = np.concatenate(levels)
        new = np.full(len(self.left), LEAF)
        new[old] = np.arange(len(old))
        left, right = (np.where(c[old] < 0, LEAF, new[c[old]]) for c in (self.left, self.right))
        fields = (self.columns, self.thresholds, self.missing_left)
        columns, thresholds, missing_left = (values[old] for values in fields)
        values, cover, gains = self.values[old], self.cover[old], self.gains[old]
        sets = {int(new[node]): codes for node, codes in self.sets.items() if new[node] >= 0}
        return Tree(columns, thresholds, missing_left, left, right, values, cover, gains, sets)


def _children(tree: Tree, nodes: np.ndarray) -> np.ndarray:
    both = np.column_stack([tree.left[nodes], tree.right[nodes]]).ravel()
    return both[both >= 0]


def constant(value: float) -> Tree:
    """Make a tree of one leaf."""
    leaf, zero = np.array([LEAF]), np.zeros(1)
    return Tree(leaf, zero, np.zeros(1, dtype=bool), leaf, leaf, np.array([value]), np.ones(1), zero)


@dataclass(frozen=True, eq=False)
class Forest:
    """A forest of any library.

    Parameters
    ----------
    trees : sequence of K lists of Tree
        Trees of each output.
    base : ndarray of shape (K,)
        Raw score without any tree.
    link : {"identity", "log", "logit", "softmax", "probability"}
        What a raw score is.
    levels : tuple of d (list or None)
        Levels of each column in the order of its codes; None for numbers, also for whole numbers that are
        codes themselves.
    names : list of d str, optional
        Names of the columns; None where the model knows none.
    missing_codes : dict of int to int
        Code of missing cells, for columns in which these are a level like others.
    """

    trees: Sequence[list[Tree]]
    base: np.ndarray
    link: Link
    levels: tuple[list[Any] | None, ...]
    names: list[str] | None = None
    missing_codes: dict[int, int] = field(default_factory=dict)

    @property
    def n_features(self) -> int:
        """Number d of columns."""
        return len(self.levels)


class Source(Protocol):
    """A fitted model whose forest can be written down.

    Attributes
    ----------
    classes : ndarray of shape (C,) or None
        Class labels; None where the model does not know any.
    is_tested : bool
        Whether this version of its library was tested.
    rounding : float
        How far sums of its own may be off, as a share of the largest that its trees can add up to.
    levels : tuple of d (list or None), or None
        Levels of each column, as the forest has them; None where the model has categories but does not keep
        their levels, and none were given, so that its forest cannot be written down.
    """

    model: Any
    classes: np.ndarray | None
    is_tested: bool
    rounding: float
    levels: tuple[list[Any] | None, ...] | None

    def forest(self) -> Forest:
        """Write its forest down."""

    def takes_missing(self) -> np.ndarray:
        """Say in which columns (d,) it can be asked about missing cells."""

    def raw_scores(self, codes: np.ndarray) -> np.ndarray:
        """Ask the model itself for raw scores (n, K) of numbers and codes (n, d).

        A code is that of a level of the forest, -1 for a level that the model does not know, and NaN where
        a cell is missing.
        """
