"""Rows keep the labels of the table that was explained."""

import datetime
import json
import pickle
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from skrationale.explanation import Explanation

INDEXES = {
    "numbers": pd.Index([30, 10, 20, 40]),
    "a range": pd.RangeIndex(8, 0, -2, name="row number"),
    "named text": pd.Index(["d", "a", "b", "c"], name="who"),
    "text that occurs twice": pd.Index(["a", "b", "a", "b"]),
    "dates": pd.date_range("2020-01-30", periods=4, freq="D", name="day"),
    "moments with a zone": pd.date_range("2024-03-31", periods=4, freq="h", tz="Europe/Berlin", unit="s"),
    "moments and none": pd.DatetimeIndex(["2020-01-01 00:00:00.123456789", None, "1999-01-01", "2000-01-01"]),
    "spans": pd.timedelta_range("1h", periods=4),
    "months": pd.period_range("2020-01", periods=4, freq="M"),
    "categories": pd.CategoricalIndex(["x", "y", None, "x"], categories=["z", "y", "x"], ordered=True),
    "intervals": pd.interval_range(0, 4),
    "two levels": pd.MultiIndex.from_tuples(
        [("Ulm", 2), ("Ulm", 1), ("Bonn", 2), ("Ulm", 2)], names=["city", None]
    ),
    "levels of dates": pd.MultiIndex.from_arrays(
        [pd.date_range("2020", periods=4, tz="UTC"), ["a", None, "c", "d"]]
    ),
    "floats": pd.Index([0.5, np.nan, np.inf, 2.0]),
    "of several types": pd.Index([1, "a", None, 2.5], dtype=object),
    "booleans": pd.Index([True, False, True, True]),
    "nullable": pd.Index([1, None, 3, 4], dtype="Int64"),
    "large numbers": pd.Index([2**60 + 1, 3, 4, 5]),
}
each = pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES.keys())
SELECTIONS = [slice(1, 3), slice(None, None, -1), [2, 0, 0], np.array([True, False, True, False]), -1, []]


def make(index, k=1, **changes):
    rng = np.random.default_rng(0)
    shape = (4, 2) if k == 1 else (4, 2, k)
    return Explanation(rng.normal(size=shape), 0.5, data=rng.normal(size=(4, 2)), index=index, **changes)


@each
def test_frames_have_the_index_of_the_table(index):
    for k in (1, 3):
        pd.testing.assert_index_equal(make(index, k).to_frame().index, index, exact=True)
        pd.testing.assert_index_equal(make(index, k).for_output(0).to_frame().index, index, exact=True)
    long = make(index).to_frame(long=True)
    pd.testing.assert_index_equal(
        pd.Index(long["row"]), index.to_flat_index().repeat(2), check_names=False, exact="equiv"
    )


@each
@pytest.mark.parametrize("rows", SELECTIONS, ids=repr)
def test_selected_rows_keep_their_labels(index, rows):
    places = [rows] if isinstance(rows, int) else rows
    cut = make(index)[rows]
    table = pd.DataFrame(make(index).values, index, ["x0", "x1"])
    pd.testing.assert_frame_equal(cut.to_frame(), table.iloc[places], check_freq=False)


@pytest.mark.parametrize("rows", SELECTIONS, ids=repr)
def test_rows_without_labels_keep_their_numbers(rows):
    places = [rows] if isinstance(rows, int) else rows
    e = make(None)
    assert e.index is None
    assert e.to_frame().index.equals(pd.RangeIndex(4))
    assert e[rows].to_frame().index.tolist() == np.arange(4)[places].tolist()
    twice = e[1:][[True, False, True]]
    assert twice.to_frame().index.tolist() == [1, 3]
    assert Explanation.from_json(twice.to_json()).to_frame().index.tolist() == [1, 3]


@each
def test_labels_go_through_json_and_pickle_as_they_are(index):
    e = make(index)
    for back in (Explanation.from_json(e.to_json()), pickle.loads(pickle.dumps(e))):
        pd.testing.assert_frame_equal(back.to_frame(), e.to_frame())
    cut = e[1:3]
    pd.testing.assert_index_equal(Explanation.from_json(cut.to_json()).to_frame().index, cut.to_frame().index)
    assert json.loads(json.dumps(e.to_dict(), allow_nan=False)) == e.to_dict()


@pytest.mark.parametrize(
    "labels", [["b", "a", None, "a"], [("Ulm", 1), ("Ulm", 2), ("Bonn", 1), (None, 2)], [7, 3, 5, 7]]
)
def test_lists_are_labels_too(labels):
    e = make(labels)
    assert list(e.index) == labels
    assert list(Explanation.from_json(e.to_json()).index) == labels
    assert e.to_frame().index.equals(pd.Index(labels))
    assert not e.index.flags.writeable


def test_labels_need_no_pandas():
    code = (
        "import sys\nfrom skrationale.explanation import Explanation\n"
        "e = Explanation([[1.0], [2.0]], 0, index=['a', 'b'])\n"
        "back = Explanation.from_json(e[1:].to_json())\nback._repr_html_()\n"
        "print(list(back.index), 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['b'] False"


def test_without_labels_the_json_is_what_it_was():
    plain = make(None).to_dict()
    assert "index" not in plain
    assert Explanation.from_json(json.dumps(plain)).index is None


def test_labels_that_are_no_plain_data_become_text_in_json():
    e = make([datetime.date(2020, 1, day) for day in (1, 2, 3, 4)])
    assert Explanation.from_json(e.to_json()).to_frame().index[1] == "2020-01-02"


ARROW = {
    "dictionary": (lambda pa: pa.array(list("abaa")).dictionary_encode(), list("abaa")),
    "duration": (
        lambda pa: pa.array([1, 2, 3, 4], pa.duration("s")),
        [f"0 days 00:00:0{i}" for i in range(1, 5)],
    ),
    "decimal": (lambda pa: pa.array([1, 2, 3, 4]).cast(pa.decimal128(25, 1)), ["1.0", "2.0", "3.0", "4.0"]),
    "text": (lambda pa: pa.array(list("abcd")), list("abcd")),
    "bytes": (lambda pa: pa.array([b"a", b"b", b"c", b"d"]), ["b'a'", "b'b'", "b'c'", "b'd'"]),
}


@pytest.mark.parametrize(("make_labels", "texts"), ARROW.values(), ids=ARROW)
def test_labels_of_arrow_that_json_cannot_hold_become_text(make_labels, texts):
    pa = pytest.importorskip("pyarrow")
    index = pd.Index(pd.arrays.ArrowExtensionArray(pa.chunked_array([make_labels(pa)])), name="of arrow")
    found = Explanation.from_json(make(index).to_json()).index
    assert (found.tolist(), found.name) == (texts, "of arrow")


@pytest.mark.parametrize(
    ("index", "error", "match"),
    [
        ([1, 2, 3], ValueError, "`index` has 3 labels, expected 4"),
        (pd.RangeIndex(5), ValueError, "`index` has 5 labels, expected 4"),
        ("abcd", TypeError, "`index` must be a sequence of row labels or None, got str"),
        (4, TypeError, "`index` must be a sequence of row labels or None, got int"),
        (np.zeros((4, 1)), ValueError, r"`index` has shape \(4, 1\)"),
    ],
)
def test_wrong_labels_are_refused(index, error, match):
    with pytest.raises(error, match=match):
        make(index)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": [1, 2, 3]},
        {"labels": [1, 2, 3, "4"]},
        {"labels": [1, 2, 3, 4.5]},
        {"kind": "pie"},
        {"dtype": "nothing"},
        {"more": 1},
    ],
)
def test_labels_in_json_are_as_written_or_refused(change):
    plain = make(INDEXES["numbers"]).to_dict()
    plain["index"] |= change
    with pytest.raises(ValueError, match="entry 'index'"):
        Explanation.from_json(json.dumps(plain))


@pytest.mark.parametrize("entry", [3, "a", [], {}, {"kind": "range", "name": None}])
def test_junk_for_labels_is_refused(entry):
    plain = make(None).to_dict() | {"index": entry}
    with pytest.raises(ValueError, match="entry 'index'"):
        Explanation.from_json(json.dumps(plain))


def test_the_names_of_an_index_are_not_shared():
    index = pd.Index(["d", "a", "b", "c"], name="who")
    e = make(index)
    index.name = "other"
    e.to_frame().index.name = "third"
    assert e.to_frame().index.name == "who"


def test_html_calls_rows_by_their_labels(tmp_path):
    e = make(pd.Index([2216, "<b>", ("Ulm", 3), " "], dtype=object, tupleize_cols=False))
    e.write_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    for name in ("Row 2216:", "Row &lt;b&gt;:", "Row Ulm, 3:", "Row &#39; &#39;:"):
        assert name in text
    assert "Row 2216" in e[0]._repr_html_()
    assert "Row 3" in make(None)[3]._repr_html_()


def test_a_waterfall_says_which_row_it_is():
    e = make(pd.Index(["a$b$", "c", "d", "e"]))
    display = e[0].plot("waterfall")
    assert display.ax_.get_title() == r"row a\$b\$"
    assert make(None)[2].plot("waterfall").ax_.get_title() == "row 2"


def test_text_in_json_asks_for_no_wider_array_than_it_needs():
    e = make(np.array(["a", "bcd", "", "x"], dtype="U50"))
    assert json.loads(e.to_json())["index"]["dtype"] == "<U3"
    assert Explanation.from_json(e.to_json()).index.tolist() == e.index.tolist()
    for dtype in ("<U4", "<U400000000", "|S400000000", "|V9"):
        plain = e.to_dict()
        plain["index"]["dtype"] = dtype
        with pytest.raises(ValueError, match=f"'index' that holds no labels.*{re.escape(dtype)}"):
            Explanation.from_json(json.dumps(plain))
