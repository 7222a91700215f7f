"""The Explanation itself: what it accepts, refuses, selects and adds up."""

import pickle
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import joblib
import numpy as np
import pytest

from skrationale.explanation import Explanation


def make(n=4, d=3, k=1, **changes):
    rng = np.random.default_rng(0)
    shape = (n, d) if k == 1 else (n, d, k)
    parameters = {
        "values": rng.normal(size=shape),
        "base_values": rng.normal(size=n) if k == 1 else rng.normal(size=(n, k)),
        "data": rng.normal(size=(n, d)),
        "display_data": np.array([[f"cell {i} {j}" for j in range(d)] for i in range(n)], dtype=object),
        "feature_names": [f"feature {j}" for j in range(d)],
        "output_names": [f"class {j}" for j in range(k)],
        "lower_bounds": np.full(shape, -9.0),
        "upper_bounds": np.full(shape, 9.0),
        "mask": rng.random((n, d)) > 0.5,
        "attributes": {"phi": rng.normal(size=(n, 2)), "names": ["a", "b", "c", "d"][:n]},
        "formula": "x0 + x1",
        "link": "softmax" if k > 1 else "logit",
        "meta": {"rate": 0.5},
    }
    return Explanation(**(parameters | changes))


def test_defaults_name_features_and_outputs():
    e = Explanation([[1, 2]], 0)
    assert e.feature_names == ("x0", "x1")
    assert e.output_names == ("output",)
    assert Explanation(np.zeros((1, 2, 3)), 0).output_names == ("output0", "output1", "output2")
    assert (e.kind, e.link, e.meta, e.n_outputs) == ("additive", "identity", {}, 1)


@pytest.mark.parametrize(
    ("values", "base", "expected"),
    [
        (np.zeros((2, 3)), 1.5, [1.5, 1.5]),
        (np.zeros((2, 3)), [1, 2], [1, 2]),
        (np.zeros((2, 3, 2)), 1.5, [[1.5, 1.5], [1.5, 1.5]]),
        (np.zeros((3, 3, 2)), [1, 2], [[1, 2]] * 3),
        (np.zeros((1, 3, 2)), [[1, 2]], [[1, 2]]),
    ],
)
def test_base_values_are_repeated_for_each_row(values, base, expected):
    assert np.array_equal(Explanation(values, base).base_values, expected)


def test_arrays_are_owned_read_only_and_float64():
    values, data = np.ones((2, 2), dtype=np.float32), np.ones((2, 2))
    table = {"phi": np.ones((2, 1))}
    e = Explanation(values, 0, data=data, attributes=table)
    values[:], data[:], table["phi"][:] = 7, 7, 7
    assert e.values.dtype == np.float64
    assert e.values.max() == e.data.max() == e.attributes["phi"].max() == 1
    for array in (e.values, e.base_values, e.data, e.attributes["phi"], e[0].values, e[:1].data):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 3
    with pytest.raises(AttributeError, match="cannot assign"):
        e.kind = "formula"


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"values": np.zeros(3)}, ValueError, r"`values` has shape \(3,\), expected \(n_rows, n_features\)"),
        ({"values": np.zeros((4, 3, 1))}, ValueError, "for a single output"),
        ({"values": np.zeros((4, 0))}, ValueError, "at least one feature"),
        ({"values": [["a"]]}, TypeError, "`values` must be an array of numbers"),
        ({"values": np.full((4, 3), np.inf)}, ValueError, "`values` holds infinite"),
        ({"base_values": np.zeros(3)}, ValueError, r"`base_values` has shape \(3,\), expected \(4,\)"),
        ({"base_values": np.nan}, ValueError, "`base_values` must be finite"),
        ({"data": np.zeros((4, 2))}, ValueError, r"`data` has shape \(4, 2\), expected \(4, 3\)"),
        ({"data": [["a"] * 3] * 4}, TypeError, "`data` must be .* `display_data`"),
        ({"display_data": [["a"] * 3]}, ValueError, r"`display_data` has shape \(1, 3\)"),
        ({"feature_names": ["a"]}, ValueError, "`feature_names` has 1 names, expected 3"),
        ({"feature_names": [1, 2, 3]}, TypeError, "`feature_names` must hold strings, got 1 of type int"),
        ({"output_names": ["a", "b"]}, ValueError, "`output_names` has 2 names, expected 1"),
        ({"lower_bounds": np.zeros(4)}, ValueError, r"`lower_bounds` has shape \(4,\)"),
        ({"upper_bounds": np.zeros((3, 4))}, ValueError, r"`upper_bounds` has shape \(3, 4\)"),
        ({"mask": np.ones((4, 3))}, TypeError, "`mask` must hold booleans, got an array of float64"),
        ({"mask": np.ones((3, 4), bool)}, ValueError, r"`mask` has shape \(3, 4\)"),
        ({"mask": None, "kind": "rationale"}, ValueError, "`mask` is None, expected a bool array"),
        ({"attributes": [1]}, TypeError, "`attributes` must be a dict or None, got list"),
        ({"attributes": {"r": np.zeros((2, 2))}}, ValueError, r"`attributes\['r'\]` .* expected 4 rows"),
        ({"attributes": {"f": len}}, TypeError, "must be plain data"),
        ({"formula": 3}, TypeError, "`formula` must be a string or None, got int"),
        ({"kind": "shap"}, ValueError, r"`kind` must be one of \('additive', .*, got 'shap'"),
        ({"link": "probit"}, ValueError, "`link` must be one of .*, got 'probit'"),
        ({"meta": {"model": object()}}, TypeError, r"`meta\['model'\]` must be plain data .*, got object"),
        ({"meta": {1: 2}}, TypeError, "`meta` must have string keys, got 1"),
        ({"meta": None}, TypeError, "`meta` must be a dict, got NoneType"),
    ],
)
def test_bad_parameters_are_named(changes, error, match):
    with pytest.raises(error, match=match):
        make(**changes)


@pytest.mark.parametrize("base", [0.5, [0.5, -1.0]], ids=["one output", "two outputs"])
def test_base_values_of_many_rows_are_held_once(base, tmp_path):
    n, k = 20_000, np.size(base)
    whole = Explanation(np.zeros((n, 2, k))[..., 0] if k == 1 else np.zeros((n, 2, k)), base)
    parts = [whole, whole[:15_000], replace(whole, formula="x0"), whole.grouped({"both": ["x0", "x1"]})]
    for each in parts:
        assert each.base_values.shape == (len(each), *np.shape(base))
        assert each.base_values.strides[0] == 0
        assert not each.base_values.flags.writeable
        np.testing.assert_array_equal(each.base_values[[0, -1]], [base, base])
    loaded = pickle.loads(pickle.dumps(whole))
    assert not loaded.base_values.flags.writeable
    assert joblib.hash(loaded) == joblib.hash(whole)
    some = whole[[3, 5]]
    np.testing.assert_array_equal(some.base_values, [base, base])
    joined = Explanation.concat([whole, some])
    np.testing.assert_array_equal(joined.base_values, np.full((n + 2, *np.shape(base)), base))


def test_base_values_that_somebody_can_change_are_copied():
    number = np.array(0.5)
    repeated = np.broadcast_to(number, (20_000,))
    explanation = Explanation(np.zeros((20_000, 2)), repeated)
    number[...] = 7.0
    assert (explanation.base_values == 0.5).all()
    number[...] = np.nan
    with pytest.raises(ValueError, match="`base_values` must be finite"):
        Explanation(np.zeros((20_000, 2)), repeated)


def test_infinite_numbers_are_found_anywhere_in_a_large_table_with_little_memory():
    values = np.zeros((400_000, 30))
    Explanation(values[:2], 0.0)  # what is imported or kept from the first call on
    tracemalloc.start()
    try:
        Explanation(values, 0.0)
        # its own copy and the base values; the answers to all cells at once would be an eighth more
        assert tracemalloc.get_traced_memory()[1] < 1.09 * values.nbytes
    finally:
        tracemalloc.stop()
    for row in (0, 200_000, -1):
        values[row, 29] = -np.inf
        with pytest.raises(ValueError, match="`values` holds infinite"):
            Explanation(values, 0.0)
        values[row, 29] = np.nan


def test_output_names_must_differ():
    with pytest.raises(ValueError, match="`output_names` must differ"):
        make(k=2, output_names=["a", "a"])


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize(
    ("index", "rows"),
    [
        (1, [1]),
        (-1, [3]),
        (np.int64(2), [2]),
        (np.uint8(2), [2]),
        (slice(1, 3), [1, 2]),
        (slice(None, None, -1), [3, 2, 1, 0]),
        ([True, False, True, False], [0, 2]),
        (np.array([3, 0, 0]), [3, 0, 0]),
        (np.array([1, 2], dtype=np.uint16), [1, 2]),
        ([], []),
    ],
)
def test_rows_are_selected_in_every_field(index, rows, k):
    e = make(k=k)
    cut = e[index]
    assert type(cut) is Explanation
    assert len(cut) == len(rows)
    for name in ("values", "base_values", "data", "display_data", "lower_bounds", "upper_bounds", "mask"):
        assert np.array_equal(getattr(cut, name), getattr(e, name)[rows]), name
    assert np.array_equal(cut.attributes["phi"], e.attributes["phi"][rows])
    assert cut.attributes["names"] == e.attributes["names"], "a list is not aligned with rows"
    assert (cut.feature_names, cut.formula, cut.link, cut.meta) == (
        e.feature_names,
        e.formula,
        e.link,
        e.meta,
    )


@pytest.mark.parametrize("index", [4, -5])
def test_row_out_of_range(index):
    with pytest.raises(IndexError, match=f"row {index} is out of range: the explanation has 4 rows"):
        make()[index]


@pytest.mark.parametrize("index", [(0, 1), "a", 1.0, [0.5], True, np.ones((4, 3), bool)])
def test_wrong_index_names_the_way(index):
    with pytest.raises(TypeError, match=r"(?s)indexed by rows.*for_output"):
        make()[index]


def test_boolean_index_of_wrong_length():
    with pytest.raises(IndexError, match="has 2 entries, expected 4"):
        make()[[True, False]]


def test_iteration_gives_rows():
    assert [len(row) for row in make()] == [1, 1, 1, 1]


@pytest.mark.parametrize("output", ["class 1", 1, -2, np.int64(1)])
def test_for_output(output):
    e = make(k=3)
    one = e.for_output(output)
    assert one.output_names == ("class 1",)
    assert np.array_equal(one.values, e.values[:, :, 1])
    assert np.array_equal(one.base_values, e.base_values[:, 1])
    assert np.array_equal(one.lower_bounds, e.lower_bounds[:, :, 1])
    assert np.array_equal(one.mask, e.mask)
    assert one.for_output("class 1") is one


@pytest.mark.parametrize("output", ["dog", 3, -4, True, 1.0, None])
def test_for_output_lists_what_there_is(output):
    with pytest.raises(ValueError, match="`output` must be one of 'class 0', 'class 1', 'class 2'.*got"):
        make(k=3).for_output(output)


def test_mean_abs_leaves_out_undefined():
    e = Explanation([[1, np.nan, -2], [-3, np.nan, np.nan]], 0)
    assert np.array_equal(e.mean_abs(), [2, 0, 2])
    assert np.array_equal(e[:0].mean_abs(), [0, 0, 0])
    assert make(k=2).mean_abs().shape == (3, 2)


def test_top_breaks_ties_by_column_and_sums_outputs():
    e = Explanation([[1, -2, 2, 0]], 0, feature_names=list("abcd"))
    assert e.top() == ["b", "c", "a", "d"]
    assert e.top(2) == ["b", "c"]
    assert e.top(0) == []
    both = Explanation([[[3, 0], [2, 2]]], 0, feature_names=["one-sided", "both"])
    assert both.top(1) == ["both"]
    with pytest.raises(ValueError, match="`n` must be an integer of at least 0, got -1"):
        e.top(-1)


def test_scores_and_additivity_error():
    e = make(k=2)
    scores = e.base_values + e.values.sum(axis=1)
    assert e.additivity_error(scores) == 0
    large = Explanation([[100.0, 100.0]], 0)
    assert large.additivity_error([202.0]) == pytest.approx(2 / 202), "relative to large scores"
    assert Explanation([[0.0]], 0).additivity_error([0.5]) == 0.5, "absolute for small scores"
    assert e[:0].additivity_error(np.zeros((0, 2))) == 0
    assert np.isnan(Explanation([[np.nan]], 0).additivity_error([0.0]))
    with pytest.raises(ValueError, match=r"`scores` has shape \(4,\), expected \(4, 2\)"):
        e.additivity_error(np.zeros(4))


def test_a_rationale_has_no_scores():
    with pytest.raises(ValueError, match="'rationale': its values do not add up"):
        make(kind="rationale").scores()


def test_repr_is_short():
    assert repr(make(1, 1)) == "Explanation(kind='additive', 1 row, 1 feature, 1 output, link='logit')"
    assert "3 outputs, link='softmax'" in repr(make(k=3))


def test_pickle_keeps_arrays_read_only():
    e = make(k=2)
    back = pickle.loads(pickle.dumps(e))
    assert back.to_json() == e.to_json()
    assert not back.values.flags.writeable
    assert not back.attributes["phi"].flags.writeable


def test_meta_is_copied_plain_data():
    meta = {"shape": (1, np.float32(0.5)), "names": np.array(["a"])}
    e = make(meta=meta)
    assert e.meta == {"shape": [1, 0.5], "names": ["a"]}
    assert e[0].meta is not e.meta


@pytest.mark.parametrize("kind", ["pie", None])
def test_plot_refuses_unknown_kinds(kind):
    kinds = r"\('bar', 'waterfall', 'beeswarm', 'rationale', 'dependence'\)"
    with pytest.raises(ValueError, match=f"`kind` must be one of {kinds}"):
        make().plot(kind)


def test_import_is_light():
    code = (
        "import sys, skrationale.explanation as x, skrationale.plotting\n"
        "x.Explanation([[1.0]], 0)._repr_html_()\n"
        "heavy = {'torch', 'pandas', 'shap', 'matplotlib', 'lightgbm', 'sklearn', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_additivity_error_does_not_depend_on_the_unit_of_scores(unit):
    e = Explanation(unit * np.array([[1.0, 2.0]]), unit * 0.5)
    assert e.additivity_error([unit * 3.5]) < 1e-15
    assert e.additivity_error([unit * 7.0]) == pytest.approx(0.5)
    odds = Explanation(unit * np.array([[1.0, 2.0]]), unit * 0.5, link="logit", output_names=["yes"])
    error = odds.additivity_error([unit * 7.0], scale="score")
    assert error == pytest.approx(3.5 * unit / max(1.0, 7 * unit))


def test_rounding_of_large_values_that_cancel_is_no_error():
    e = Explanation([[1e15, -1e15, 0.5]], 0.0)
    assert e.additivity_error([0.75]) < 1e-15
    assert e.additivity_error([1e10]) == pytest.approx(1e-5)
