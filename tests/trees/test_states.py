"""Contributions of a few leaves are Shapley values by their definition."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from seeds import SEED

from skrationale.teachers import CategoryBins, NumericBins, TreeNodes
from skrationale.trees._groups import distinct_rows, groups_of, leaves_of, split_tree
from skrationale.trees._states import contributions, nodes_and_weights


def by_definition(leaves, columns, met):
    """Sum over all coalitions: a column of one is met or not, another lets its share of rows through."""
    values = np.zeros(len(columns))
    for value, conditions in leaves:

        def game(coalition, value=value, conditions=conditions):
            parts = [met(k, way[0]) if k in coalition else way[1] for k, way in conditions.items()]
            return value * np.prod(parts)

        for i, k in enumerate(columns):
            others = [other for other in columns if other != k]
            for size in range(len(columns)):
                weight = factorial(size) * factorial(len(others) - size) / factorial(len(columns))
                for chosen in combinations(others, size):
                    values[i] += weight * (game({*chosen, k}) - game(set(chosen)))
    return values


@pytest.mark.parametrize("n_columns", [1, 2, 3, 6])
def test_every_state_has_the_shapley_values(n_columns):
    rng = np.random.default_rng(SEED)
    columns = list(range(n_columns))
    states = [[0b001, 0b010, 0b100][: rng.integers(2, 4)] for _ in columns]
    leaves = []
    for _ in range(4):
        chosen = [k for k in columns if rng.random() < 0.7] or [0]
        conditions = {k: (int(rng.integers(1, 7)), float(rng.uniform(0.05, 0.95))) for k in chosen}
        leaves.append((float(rng.normal()), conditions))
    found = contributions(leaves, columns, states)
    joint = np.indices([len(own) for own in states]).reshape(n_columns, -1).T
    assert found.shape == (n_columns, len(joint))
    for s, state in enumerate(joint):
        expected = by_definition(leaves, columns, lambda k, inside, at=state: bool(states[k][at[k]] & inside))
        np.testing.assert_allclose(found[:, s], expected, atol=1e-14)


def test_weights_are_exact_for_polynomials():
    for n in (1, 3, 8):
        t, weights = nodes_and_weights(n)
        for degree in range(2 * n):
            np.testing.assert_allclose(weights @ t**degree, 1 / (degree + 1), rtol=1e-13)


def tree():
    """Split on a number at 0 and 1, and on a category, whose levels 1 and 3 go left."""
    return TreeNodes(
        columns=np.array([0, 1, 0]),
        left=np.array([1, ~0, ~2]),
        right=np.array([2, ~1, ~3]),
        thresholds=np.array([0.0, 0.0, 1.0]),
        category_sets={1: frozenset({1, 3})},
        missing_types=["NaN", "NaN", "NaN"],
        missing_left=np.array([True, False, True]),
        leaf_values=np.array([1.0, 2.0, 3.0, 4.0]),
        leaf_counts=np.array([10, 20, 30, 0]),
    )


BINS = [
    NumericBins(0, np.array([0.0, 1.0]), np.ones(2), "NaN"),
    CategoryBins(1, np.array([0, 1, 0, 1, 0]), np.array([[False], [True]]), np.ones(1)),
]


def test_a_tree_in_terms_of_bins():
    split = split_tree(tree(), BINS)
    assert split.columns == [0, 1]
    # a missing number goes left twice, as one below both thresholds
    assert len(np.unique(split.of_bin[0])) == 3
    assert split.of_bin[0][0] == split.of_bin[0][1]
    assert [len(np.unique(split.of_bin[1])), split.below] == [2, [3, 1, 1]]
    assert split.covers == [60, 30, 30]


@pytest.mark.parametrize(("limit", "roots"), [(6, [0]), (5, [1, 2]), (3, [2, ~0, ~1]), (1, [~0, ~1, ~2, ~3])])
def test_groups_are_the_largest_within_the_limit(limit, roots):
    split = split_tree(tree(), BINS)
    groups = groups_of(split, limit)
    assert sorted(group.root for group in groups) == sorted(roots)
    leaves = [value for group in groups for value, _ in leaves_of(split, group)]
    assert sorted(leaves) == [1, 2, 3, 4]
    for group in groups:
        assert group.n_states == np.prod([len(states) for states in group.states.values()])


def test_trees_that_read_a_column_in_another_way_are_told():
    assert split_tree(tree(), [NumericBins(0, np.array([0.0, 1.0]), np.ones(2), "Zero"), BINS[1]]) is None
    assert split_tree(tree(), [BINS[0], NumericBins(1, np.array([0.0]), np.ones(1), "NaN")]) is None


def test_distinct_rows():
    rng = np.random.default_rng(SEED)
    for width in (1, 2, 70):
        rows = rng.integers(0, 2, (50, width)).astype(bool)
        distinct, which = distinct_rows(rows)
        np.testing.assert_array_equal(distinct[which], rows)
        assert len(np.unique(distinct, axis=0)) == len(distinct)
