"""Rows that take the place of cells outside of a coalition: interventional Shapley values from tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..teachers import Bins, in_bins
from ._groups import Group, SplitTree, as_bits, distinct_rows, leaves_of
from ._pairs import of_leaf


@dataclass(frozen=True, eq=False)
class Background:
    """Background rows as a forest reads them; rows that it does not tell apart are one.

    Parameters
    ----------
    bins : ndarray of shape (b, d'), int32
        Bins of the columns that are split on, of each of b distinct rows.
    shares : ndarray of shape (b,)
        Share of the background rows that each of them stands for.
    """

    bins: np.ndarray
    shares: np.ndarray

    @classmethod
    def of(cls, codes: np.ndarray, bins: Sequence[Bins]) -> Background:
        """Read codes (B, d) of background rows by the bins of d' columns."""
        found = in_bins(codes, bins)
        distinct, which = distinct_rows(found) if bins else (found[:1], np.zeros(len(found), dtype=np.intp))
        return cls(distinct, np.bincount(which) / len(codes))

    def contributions(self, tree: SplitTree, group: Group) -> np.ndarray:
        """Interventional Shapley values (c, S) of a group in all joint states of its c columns."""
        at = np.zeros(len(self.bins), dtype=np.intp)
        for k, states in group.states.items():
            state = as_bits(states, tree.n_classes[k]).argmax(axis=0)
            at = at * len(states) + state[tree.of_bin[k][self.bins[:, tree.columns[k]]]]
        shares = np.bincount(at, self.shares)
        there = np.flatnonzero(shares)
        place = {k: i for i, k in enumerate(group.states)}
        values = np.zeros((len(place), group.n_states))
        for value, conditions in leaves_of(tree, group):
            bit = {k: 2**i for i, k in enumerate(conditions)}
            codes = np.zeros(1, dtype=np.intp)
            for k, states in group.states.items():
                through = conditions[k][0] if k in conditions else tree.everything[k]
                failed = [0 if part & through else bit[k] for part in states]
                codes = (codes[:, None] + np.array(failed)).ravel()
            found = of_leaf(codes, codes[there], shares[there], len(bit))
            values[[place[k] for k in conditions]] += value * found
        return values
