"""RationaleDisplay: cells, their order, shares and words."""

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from skrationale.explanation import Explanation  # noqa: E402
from skrationale.plotting import RationaleDisplay  # noqa: E402


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def make(mask, weights=None, **changes):
    mask = np.asarray(mask, dtype=bool)
    values = mask * 1.0 if weights is None else weights
    return Explanation(values, 0, mask=mask, kind="rationale", **changes)


def names(display):
    return [text.get_text() for text in display.ax_.get_yticklabels()]


def shares(display):
    return [text.get_text() for text in display.ax_.texts]


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def image(display):
    (drawn,) = display.ax_.images
    return drawn.get_array()


def test_cells_columns_and_shares_are_those_of_the_mask():
    mask = [[0, 1, 1], [0, 1, 0], [0, 1, 1], [0, 1, 0]]
    weights = np.array(mask) * [[0], [1], [0], [1]] * 0.4 + np.array(mask) * 0.5
    d = RationaleDisplay.from_explanation(make(mask, weights, feature_names=["never", "always", "half"]))
    assert names(d) == ["always", "half", "never"]
    assert shares(d) == ["100% of rows", "50%", "0%"]
    assert d.columns_.tolist() == [1, 2, 0]
    drawn = image(d)
    assert drawn.shape == (3, 4, 3)
    unused = (drawn == drawn[2, 0]).all(axis=2)
    assert np.array_equal(~unused, np.array(mask, dtype=bool)[d.rows_][:, d.columns_].T)
    light = drawn.astype(float).sum(axis=2)
    used = weights[d.rows_][:, d.columns_].T
    assert light[0, used[0] == 0.9].max() < light[0, used[0] == 0.5].min(), "a larger weight is darker"
    assert light[2].min() - light[0].max() > 100, "used and unused are far apart"
    assert legend(d) == ["not used", "used, weight 0.5", "weight 1"]
    assert d.ax_.get_xlabel() == "4 rows, similar rationales side by side"
    top, bottom = d.ax_.transData.transform([[0, 0], [0, 2]])[:, 1]
    assert top > bottom


@pytest.mark.parametrize("n", [50, 2500])
def test_like_masks_are_neighbours_and_the_order_is_always_the_same(n):
    rng = np.random.default_rng(0)
    patterns = np.array(
        [[1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]], bool
    )
    which = rng.integers(0, 4, n)
    first, again = (RationaleDisplay.from_explanation(make(patterns[which])) for _ in range(2))
    assert np.array_equal(first.rows_, again.rows_)
    assert np.array_equal(np.sort(first.rows_), np.arange(n))
    order = which[first.rows_]
    runs = order[np.append(True, np.diff(order) != 0)]
    assert len(runs) == 4, "each mask is one block"
    assert {frozenset(runs[:2]), frozenset(runs[2:])} == {frozenset({0, 2}), frozenset({1, 3})}


def test_more_than_two_thousand_masks_are_sorted():
    mask = np.random.default_rng(0).random((2300, 40)) < 0.5
    d = RationaleDisplay.from_explanation(make(mask))
    frequent = np.argsort(-mask.mean(axis=0), kind="stable")
    ordered = mask[d.rows_][:, frequent]
    assert [row.tolist() for row in ordered] == sorted(
        (row.tolist() for row in mask[:, frequent]), reverse=True
    )


def test_equal_masks_go_by_weight():
    d = RationaleDisplay.from_explanation(make(np.ones((3, 1)), [[0.6], [0.9], [0.7]]))
    assert d.rows_.tolist() == [1, 2, 0]


def test_columns_left_out_are_said_in_words():
    mask = np.zeros((20, 100), dtype=bool)
    mask[:, :3], mask[:5, 3], mask[:2, 4] = True, True, True
    d = RationaleDisplay.from_explanation(make(mask), max_display=4)
    assert names(d) == ["x0", "x1", "x2", "x3"]
    assert d.ax_.get_xlabel().splitlines()[1] == "96 other columns: used in at most 10% of rows"
    used = RationaleDisplay.from_explanation(make(mask))
    assert names(used) == ["x0", "x1", "x2", "x3", "x4"], "columns that no row uses take no room"
    assert used.ax_.get_xlabel().splitlines()[1] == "95 other columns: never used"
    assert len(names(RationaleDisplay.from_explanation(make(np.ones((3, 100)))))) == 20
    few = RationaleDisplay.from_explanation(make(mask[:, :6]), max_display=5)
    assert few.ax_.get_xlabel().splitlines()[1] == "1 other column: never used"


def test_one_row_and_one_column_and_none():
    d = RationaleDisplay.from_explanation(make([[1]], [[0.8]]))
    assert image(d).shape == (1, 1, 3)
    assert d.ax_.get_xlabel().startswith("1 row\nOne row: its card")
    assert legend(d) == ["not used", "used, weight 0.8"]
    empty = RationaleDisplay.from_explanation(make(np.zeros((0, 2))))
    empty.figure_.canvas.draw()
    assert shares(empty) == ["0% of rows", "0%"]
    assert empty.ax_.get_xlabel() == "0 rows"


def test_undefined_weights_have_their_own_colour():
    d = RationaleDisplay.from_explanation(make([[1, 1, 0]], [[0.9, np.nan, 0]]))
    assert legend(d)[-1] == "used, weight undefined"
    assert len(np.unique(image(d).reshape(-1, 3), axis=0)) == 3


def test_hostile_names_are_short_and_literal():
    d = RationaleDisplay.from_explanation(make([[1, 0]], feature_names=["$x^{" + "a" * 200, "_b"]))
    d.figure_.canvas.draw()
    assert names(d)[0].startswith(r"\$x^{aa")
    assert max(map(len, names(d))) < 40


@pytest.mark.parametrize("kind", ["additive", "formula", "attribute"])
def test_other_kinds_are_refused_with_a_way_out(kind):
    e = Explanation([[1.0]], 0, kind=kind)
    with pytest.raises(ValueError, match=f"got an explanation of kind '{kind}'.*use a bar or beeswarm"):
        e.plot("rationale")
    assert plt.get_fignums() == []


def test_explanation_plots_it_on_given_axes():
    _, axes = plt.subplots(1, 2)
    d = make([[1, 0]]).plot("rationale", ax=axes[1], max_display=1)
    assert isinstance(d, RationaleDisplay)
    assert d.ax_ is axes[1]
    assert len(plt.get_fignums()) == 1
    assert len(d.figure_.axes) == 2
    assert not axes[0].images
    with pytest.raises(ValueError, match="`max_display` must be an integer of at least 1, got True"):
        make([[1, 0]]).plot("rationale", max_display=True)
