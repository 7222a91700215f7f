"""Explanations of several tables become one, with every field."""

import numpy as np
import pandas as pd
import pytest
from conftest import mixed_table, target_of
from estimators import ALL, FAST, TREES
from lightgbm import LGBMRegressor
from seeds import SEED

from skrationale import Explanation, GBDT2NNStudent
from skrationale.explanation import TypedCells

FIELDS = ("values", "base_values", "data", "display_data", "lower_bounds", "upper_bounds", "mask")


def assert_same(got, expected, index=None):
    for name in FIELDS:
        here, there = getattr(got, name), getattr(expected, name)
        assert (here is None) == (there is None), name
        if there is not None:
            assert here.dtype == there.dtype
            assert here.shape == there.shape
            pd.testing.assert_series_equal(pd.Series(here.ravel()), pd.Series(there.ravel()))
    for name in ("feature_names", "output_names", "kind", "link", "formula"):
        assert getattr(got, name) == getattr(expected, name)
    labels = expected.index if index is None else index
    assert (got.index is None) == (labels is None)
    if labels is not None:
        assert pd.Index(got.index).equals(pd.Index(labels))


@pytest.fixture(scope="module")
def explained():
    """An explanation with all fields."""
    rng = np.random.default_rng(SEED)
    cells = np.array([[1, "a"], [None, "b"], [2.5, "c"], [True, "d"], [0, "e"]], dtype=object)
    return Explanation(
        rng.normal(size=(5, 2, 3)),
        rng.normal(size=(5, 3)),
        data=rng.normal(size=(5, 2)),
        display_data=cells,
        feature_names=["u", "v"],
        output_names=["x", "y", "z"],
        lower_bounds=np.full((5, 2, 3), -9.0),
        upper_bounds=np.full((5, 2, 3), 9.0),
        mask=rng.random((5, 2)) < 0.5,
        attributes={"phi": np.arange(10.0).reshape(5, 2), "names": ["p", "q"]},
        formula="f",
        kind="attribute",
        link="softmax",
        meta={"model": "student", "rate": float("nan")},
        index=pd.date_range("2026-01-01", periods=5),
    )


@pytest.mark.parametrize("cut", [[2], [1, 2], [0, 5], []])
def test_parts_make_the_whole_again(explained, cut):
    ends = [0, *cut, 5]
    parts = [explained[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)]
    whole = Explanation.concat(iter(parts))
    assert_same(whole, explained)
    assert whole.attributes["names"] == ["p", "q"]
    assert (whole.attributes["phi"] == explained.attributes["phi"]).all()
    assert str(whole.meta) == str(explained.meta)
    assert not whole.values.flags.writeable


NAMES = ["gbdt2nn-classifier", "rationale-classifier", "flint-classifier", "symbolic-regressor"]


@pytest.mark.parametrize("name", NAMES)
def test_batches_of_a_family_make_the_whole(name):
    table, score = mixed_table()
    table["city"] = table["city"].astype(object)
    model = ALL[name]()
    model.fit(table, target_of(model, score))
    table.loc[3:200:7, "city"] = "Rome"  # not there at fit
    expected = model.explain(table)
    whole = Explanation.concat(model.explain(table[i : i + 90]) for i in range(0, len(table), 90))
    np.testing.assert_allclose(whole.values, expected.values, rtol=1e-6, atol=1e-9)
    assert_same(whole[:0], expected[:0])
    if expected.display_data is not None:
        shown = [[str(cell) for cell in row] for row in whole.display_data]
        assert shown == [[str(cell) for cell in row] for row in expected.display_data]
        assert isinstance(whole._typed, TypedCells)
    assert whole.index is None
    assert set(expected.meta) - set(whole.meta) <= {"rate", "standard_error"}


def test_cells_that_follow_from_numbers_differently_are_kept_as_typed():
    table = pd.DataFrame({"n": range(6), "w": list("abcabc"), "b": [True, False] * 3})
    score = np.arange(6.0)
    table = pd.concat([table] * 40, ignore_index=True)
    student = GBDT2NNStudent(LGBMRegressor(**TREES), **FAST).fit(table, np.tile(score, 40))
    other = table.astype({"n": float, "w": "category"})
    other.loc[:100, "w"] = np.nan
    parts = [student.explain(form) for form in (table, other, table[:3])]
    whole = Explanation.concat(parts)
    expected = [cell for part in parts for row in part.display_data for cell in row]
    found = [cell for row in whole.display_data for cell in row]
    assert list(map(repr, found)) == list(map(repr, expected))
    assert whole.index is None


@pytest.mark.parametrize(
    ("indices", "expected"),
    [
        ((None, None), None),
        ((None, [7, 8]), [0, 1, 7, 8]),
        ((["a", "b"], [1, 2]), ["a", "b", 1, 2]),
        ((pd.Index(["a", "b"], name="key"), None), ["a", "b", 0, 1]),
        ((pd.MultiIndex.from_tuples([(1, 2), (3, 4)]), pd.MultiIndex.from_tuples([(1, 2), (5, 6)])),
         [(1, 2), (3, 4), (1, 2), (5, 6)]),
    ],
)  # fmt: skip
def test_labels_of_rows(indices, expected):
    whole = Explanation.concat([Explanation(np.ones((2, 1)), 0.0, index=index) for index in indices])
    assert (None if whole.index is None else whole.index.tolist()) == expected


def test_rows_cut_off_keep_their_numbers():
    e = Explanation(np.arange(8.0).reshape(4, 2), 0.0)
    assert Explanation.concat([e[:1], e[1:]]).index is None
    assert Explanation.concat([e[2:], e[:2]]).index.tolist() == [2, 3, 0, 1]


E = Explanation([[1.0, 2.0]], 0.0, feature_names=["u", "v"], meta={"a": 1, "b": 2})


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"feature_names": ["u", "w"]}, "differ in `feature_names`"),
        ({"values": [[1.0]], "feature_names": ["u"]}, "differ in `feature_names`"),
        ({"link": "log"}, "differ in `link`: 'log' at 1, expected 'identity'"),
        ({"kind": "formula"}, "differ in `kind`"),
        ({"formula": "u"}, "differ in `formula`"),
        ({"output_names": "p"}, "differ in `output_names`"),
        ({"data": [[1, 2]]}, "differ in `data`: it is None at 0"),
        ({"attributes": {}}, "differ in `attributes`: it is None at 0"),
        ({"display_data": [[1, 2]]}, "differ in `display_data`"),
    ],
)
def test_others_are_refused(change, match):
    fields = {"values": [[1.0, 2.0]], "base_values": 0.0, "feature_names": ["u", "v"]}
    with pytest.raises(ValueError, match=match):
        Explanation.concat([E, Explanation(**fields | change)])


@pytest.mark.parametrize(
    "table", [{"p": np.ones((1, 3))}, {"p": [1]}, {"p": np.ones((1, 2)), "q": 1}, {}], ids=str
)
def test_other_attributes_are_refused(table):
    parts = [Explanation([[1.0]], 0.0, attributes=each) for each in ({"p": np.ones((1, 2))}, table)]
    with pytest.raises(ValueError, match=r"differ in `attributes\['[pq]'\]`, at 1 and 0"):
        Explanation.concat(parts)


def test_what_is_no_list_of_explanations_is_refused():
    with pytest.raises(ValueError, match="is empty"):
        Explanation.concat([])
    for wrong, match in ((E, "got Explanation"), (3, "got int"), ([E, 3], "got int at 1")):
        with pytest.raises(TypeError, match=match):
            Explanation.concat(wrong)


def test_meta_keeps_what_is_the_same():
    other = Explanation([[1.0, 2.0]], 0.0, feature_names=["u", "v"], meta={"a": 1, "b": 3, "c": 4})
    assert Explanation.concat([E, other]).meta == {"a": 1}
    assert Explanation.concat([E]) is E
