"""The renderings as data: frames and JSON."""

import datetime
import json
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from skrationale.explanation import Explanation

FIELDS = ("values", "base_values", "data", "lower_bounds", "upper_bounds", "mask", "display_data")


@pytest.fixture
def multi():
    return Explanation(
        np.arange(12.0).reshape(2, 3, 2),
        [0.5, 1.5],
        data=[[1, np.nan, 0], [2, 5, 1]],
        display_data=[[1, None, "red"], [2, 5.5, "blue"]],
        feature_names=["age", "hours", "colour"],
        output_names=["cat", "dog"],
        link="softmax",
        mask=[[True, False, True], [False, False, True]],
    )


def test_wide_frame_of_one_output(multi):
    frame = multi.for_output("dog").to_frame()
    assert list(frame.columns) == ["age", "hours", "colour"]
    assert frame.to_numpy().tolist() == [[1, 3, 5], [7, 9, 11]]


def test_wide_frame_of_several_outputs(multi):
    frame = multi.to_frame()
    assert frame.shape == (2, 6)
    assert frame.columns.names == ["output", "feature"]
    pd.testing.assert_frame_equal(frame["dog"], multi.for_output("dog").to_frame(), check_names=False)


def test_long_frame_is_tidy(multi):
    frame = multi.to_frame(long=True)
    assert list(frame.columns) == ["row", "output", "feature", "value", "data", "selected"]
    assert len(frame) == 12
    one = frame.query("row == 1 and output == 'dog' and feature == 'colour'").iloc[0]
    assert (one["value"], one["data"], one["selected"]) == (11.0, "blue", True)
    missing = frame.query("row == 0 and output == 'cat' and feature == 'hours'").iloc[0]
    assert pd.isna(missing["data"])
    assert missing["value"] == 2.0


def test_long_frame_has_only_columns_that_are_known():
    assert list(Explanation([[1.0]], 0).to_frame(long=True)) == ["row", "feature", "value"]
    numbers = Explanation([[1.0]], 0, data=[[7]]).to_frame(long=True)
    assert numbers["data"].tolist() == [7.0]


def test_frame_does_not_alias(multi):
    one = multi.for_output(0)
    frame = one.to_frame()
    frame.iloc[0, 0] = 99
    assert one.values[0, 0] == 0


def content(e):
    """Give everything that an explanation holds, to the last bit, in a form that can be compared."""
    held = {name: getattr(e, name) for name in ("feature_names", "output_names", "formula", "kind", "link")}
    for name in FIELDS:
        array = getattr(e, name)
        if array is not None:
            cells = list(map(repr, array.ravel())) if array.dtype == object else array.tobytes()
            held[name] = (array.dtype, array.shape, cells)
    return held


@pytest.mark.parametrize("rows", [slice(None), slice(0, 1), slice(0, 0)])
@pytest.mark.parametrize("several", [True, False])
def test_json_round_trip_is_exact(multi, rows, several):
    e = (multi if several else multi.for_output("dog"))[rows]
    assert content(Explanation.from_json(e.to_json())) == content(e)


def test_json_holds_awkward_floats_and_is_strict():
    e = Explanation(
        [[0.1 + 0.2, np.nan]],
        1e-300,
        data=[[np.inf, -np.inf]],
        display_data=[[np.nan, "NaN"]],
        lower_bounds=[[-np.inf, -0.0]],
        meta={"loss": float("nan"), "limits": [float("-inf"), 1], "text": "NaN"},
        attributes={"phi": np.array([[np.nan, 1]]), "count": np.array([3]), "names": ["α", "inf"]},
        formula="x0 < 3",
        kind="formula",
        link="log",
    )
    text = e.to_json()

    def refuse(token):
        raise AssertionError(token)

    json.loads(text, parse_constant=refuse)
    back = Explanation.from_json(text)
    assert content(back) == content(e)
    assert np.isnan(back.meta["loss"])
    assert back.meta["limits"] == [float("-inf"), 1]
    assert back.meta["text"] == "NaN"
    assert np.array_equal(back.attributes["phi"], e.attributes["phi"], equal_nan=True)
    assert back.attributes["count"].dtype.kind == "i"
    assert back.attributes["names"] == ["α", "inf"]
    assert back[0].attributes["names"] == ["α", "inf"]
    assert back.to_json() == text


def test_json_writes_other_objects_as_text():
    day = datetime.date(2020, 1, 2)
    cells = [[day, pd.NA, pd.NaT, np.int64(3), np.float32(0.5), np.bool_(True), pd.Timestamp(day)]]
    back = Explanation.from_json(Explanation(np.zeros((1, 7)), 0, display_data=cells).to_json())
    assert back.display_data[0].tolist() == ["2020-01-02", None, None, 3, 0.5, True, "2020-01-02 00:00:00"]


def test_dict_is_plain(multi):
    plain = multi.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["data"] == [[1.0, None, 0.0], [2.0, 5.0, 1.0]]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "`text` must be JSON"),
        ("[]", "`text` must be the JSON of an explanation"),
        ('{"format": "other"}', "`text` must be the JSON of an explanation"),
        ('{"format": "skrationale.Explanation", "version": 99}', "has version 99, expected 1"),
        ('{"format": "skrationale.Explanation", "version": 1}', "has no entry 'feature_names'"),
        ('{"format": NaN}', "strict JSON, got the token NaN"),
    ],
)
def test_from_json_refuses(text, match):
    with pytest.raises(ValueError, match=match):
        Explanation.from_json(text)


def test_from_json_refuses_shapes_that_disagree(multi):
    plain = multi.to_dict()
    plain["data"] = [[1.0]]
    with pytest.raises(ValueError, match=r"entry 'data' of another shape than \(2, 3\)"):
        Explanation.from_json(json.dumps(plain))


def test_reserved_key_is_refused_when_written():
    with pytest.raises(ValueError, match=r"reserved key '\$float'"):
        Explanation([[1.0]], 0, meta={"a": {"$float": "1"}}).to_json()


@pytest.mark.parametrize("long", [False, True])
def test_frames_of_no_rows_have_all_columns(multi, long):
    frame, empty = multi.to_frame(long=long), multi[[]].to_frame(long=long)
    assert len(empty) == 0
    assert empty.columns.equals(frame.columns)


LABELS = {
    "Int64": (pd.Index([7, None], dtype="Int64"), [7.0, None]),
    "more digits than a float": (pd.Index([2**60 + 1, None], dtype="Int64"), [2**60 + 1, None]),
    "more digits than an integer": (pd.Index([2**70 + 1, 1], dtype=object), [str(2**70 + 1), "1"]),
    "unsigned": (np.array([2**63 + 1, 1], np.uint64), [2**63 + 1, 1]),
    "Float64": (pd.Index([0.5, None], dtype="Float64"), [0.5, None]),
    "boolean": (pd.Index([True, None], dtype="boolean"), [True, None]),
    "text": (pd.Index(["a", pd.NA], dtype="string"), ["a", None]),
    "NA alone": (pd.Index([pd.NA, pd.NA], dtype="Int64"), [None, None]),
    "NaT alone": (pd.to_datetime([None, None]), [None, None]),
    "levels of two types": (pd.MultiIndex.from_product([[1], ["x", "y"]]), ["1, x", "1, y"]),
    "levels of text": (pd.MultiIndex.from_product([["Ulm"], ["x", "y"]]), ["Ulm, x", "Ulm, y"]),
    "periods": (pd.PeriodIndex(["2024-01", None], freq="M"), ["2024-01", None]),
    "intervals": (pd.interval_range(0, 2), ["(0, 1]", "(1, 2]"]),
    "fractions": (pd.Index([Fraction(1, 2), None], dtype=object), [0.5, None]),
    "sets": (pd.Index([frozenset([1]), "a"], dtype=object), ["frozenset({1})", "a"]),
    "dates": (pd.to_datetime(["2024-02-29", None]), [datetime.datetime(2024, 2, 29), None]),
    "days": (np.array(["2024-02-29", "NaT"], dtype="M8[D]"), [datetime.datetime(2024, 2, 29), None]),
    "spans": (pd.to_timedelta([1, None], unit="D"), [datetime.timedelta(1), None]),
    "spans of numpy": (np.array([1, "NaT"], dtype="m8[D]"), [datetime.timedelta(1), None]),
}


def columns_of(table, backend):
    return table.to_dict(as_series=False) if backend == "polars" else table.to_pydict()


@pytest.mark.parametrize("backend", ["polars", "pyarrow"])
@pytest.mark.parametrize(("labels", "expected"), LABELS.values(), ids=LABELS.keys())
def test_labels_of_any_type_become_a_column(labels, expected, backend):
    pytest.importorskip(backend)
    e = Explanation([[1.0], [2.0]], 0.0, index=labels, display_data=[["a"], [pd.NA]])
    assert columns_of(e.to_frame(backend=backend), backend) == {"row": expected, "x0": [1.0, 2.0]}
    found = columns_of(e.to_frame(long=True, backend=backend), backend)
    assert found["row"] == expected
    assert found["data"] == ["a", None]


@pytest.mark.parametrize("backend", ["polars", "pyarrow"])
@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1, pd.NA, 2.5], [1.0, None, 2.5]),
        ([2**53 + 1, None, 3], [2**53 + 1, None, 3]),
        ([pd.Period("2024-01", "M"), pd.NA, None], ["2024-01", None, None]),
        ([pd.Interval(0, 1), pd.NaT, "a"], ["(0, 1]", None, "a"]),
        ([np.array([1, 2]), None, [3]], ["[1 2]", None, "[3]"]),
    ],
    ids=["numbers", "whole numbers", "periods", "mixed", "containers"],
)
def test_cells_of_any_type_become_a_column(cells, expected, backend):
    pytest.importorskip(backend)
    shown = np.empty((3, 1), dtype=object)
    shown[:, 0] = cells
    table = Explanation(np.ones((3, 1)), 0.0, display_data=shown).to_frame(long=True, backend=backend)
    assert columns_of(table, backend)["data"] == expected
