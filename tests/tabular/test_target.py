"""Targets in any type: labels stay the labels they were, and what is neither label nor number is refused."""

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import DataConversionWarning

from skrationale.tabular import as_numbers, holds_categories, looks_like_classes, read_target

nan, INTEGERS, TEXT = np.nan, [2, 0, 1, 2], ["b", "a", "c", "b"]
CLASSES = {
    **{
        name: (pd.Series(INTEGERS, dtype=name), INTEGERS, "iu")
        for name in ("int8", "uint64", "Int8", "Int64", "UInt16", "UInt64", "Sparse[int64]", "object")
    },
    **{
        f"text in {name}": (pd.Series(TEXT, dtype=name), TEXT, "O")
        for name in ("str", "object", "string[python]", "category")
    },
    "list": (INTEGERS, INTEGERS, "i"),
    "list of text": (TEXT, TEXT, "U"),
    "text of fixed width": (np.array(TEXT), TEXT, "U"),
    "objects": (np.array(INTEGERS, dtype=object), INTEGERS, "i"),
    "boolean": (pd.Series([True, False], dtype="boolean"), [True, False], "b"),
    "booleans in objects": (pd.Series([True, False], dtype=object), [True, False], "b"),
    "category": (pd.Series(INTEGERS, dtype="category"), INTEGERS, "i"),
    "category of floats": (pd.Series([2.0, 0.0, 1.0], dtype="category"), [2, 0, 1], "f"),
    "category of Int64": (pd.Series(pd.Categorical(pd.array(INTEGERS, dtype="Int64"))), INTEGERS, "i"),
    "Categorical": (pd.Categorical(TEXT), TEXT, "O"),
    "array of pandas": (pd.array(INTEGERS, dtype="Int32"), INTEGERS, "i"),
    "index": (pd.Index(INTEGERS), INTEGERS, "i"),
    "many levels of a category": (pd.Series(range(40), dtype="category"), list(range(40)), "i"),
}
NUMBERS = {
    "Float64": pd.Series([2, 0, 1], dtype="Float64"),
    "float32": np.array([2, 0, 1], dtype="float32"),
    "floats in objects": np.array([2.0, 0, 1], dtype=object),
    "decimals": [Decimal(2), Decimal(0), Decimal(1)],
    "list": [2.0, 0, 1],
}


def arrow_and_polars():
    pa, pl = pytest.importorskip("pyarrow"), pytest.importorskip("polars")
    return {
        "int64[pyarrow]": (pd.Series(INTEGERS, dtype="int64[pyarrow]"), INTEGERS, "i"),
        "uint8[pyarrow]": (pd.Series(INTEGERS, dtype="uint8[pyarrow]"), INTEGERS, "u"),
        "bool[pyarrow]": (pd.Series([True, False], dtype="bool[pyarrow]"), [True, False], "b"),
        "string[pyarrow]": (pd.Series(TEXT, dtype="string[pyarrow]"), TEXT, "O"),
        "Array": (pa.array(INTEGERS), INTEGERS, "i"),
        "ChunkedArray": (pa.chunked_array([INTEGERS[:1], INTEGERS[1:]]), INTEGERS, "i"),
        "dictionary": (pa.array(TEXT).dictionary_encode(), TEXT, "O"),
        "dictionary in pandas": (
            pd.Series(TEXT).astype(pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
            TEXT,
            "O",
        ),
        "many levels of a dictionary": (
            pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(range(40)).dictionary_encode()])),
            list(range(40)),
            "i",
        ),
        "polars": (pl.Series(INTEGERS), INTEGERS, "i"),
        "Enum": (pl.Series(TEXT, dtype=pl.Enum(["c", "b", "a"])), TEXT, "O"),
    }


def check_classes(y, expected, kinds):
    values = read_target(y)
    assert isinstance(values, np.ndarray)
    assert values.dtype.kind in kinds
    assert values.tolist() == expected
    assert looks_like_classes(y)


@pytest.mark.parametrize(("y", "expected", "kinds"), CLASSES.values(), ids=CLASSES.keys())
def test_labels_stay_what_they_were(y, expected, kinds):
    check_classes(y, expected, kinds)


def test_labels_of_arrow_and_polars_stay_what_they_were():
    for y, expected, kinds in arrow_and_polars().values():
        check_classes(y, expected, kinds)


@pytest.mark.parametrize("y", NUMBERS.values(), ids=NUMBERS.keys())
def test_floats_are_numbers_whatever_holds_them(y):
    values = read_target(y)
    assert values.dtype.kind == "f"
    assert values.tolist() == [2, 0, 1]
    assert not looks_like_classes(y)


def test_many_whole_numbers_are_numbers():
    assert not looks_like_classes(pd.Series(range(31), dtype="Int64"))
    assert looks_like_classes(pd.Series(range(30), dtype="Int64"))


@pytest.mark.parametrize("y", [[0, 1], [0.0, 1.0], [1, 2, 3], pd.Series([1, 2], dtype="Int64")])
def test_a_few_numbers_are_labels_unless_numbers_never_are(y):
    assert looks_like_classes(y) == (len(y) == 2 or isinstance(y[0], int))
    assert not looks_like_classes(y, numbers=False)


@pytest.mark.parametrize("y", [["a", "b"], [True, False], pd.Series([1, 2], dtype="category")])
def test_text_booleans_and_categories_are_labels_also_where_numbers_never_are(y):
    assert looks_like_classes(y, numbers=False)


def test_categories_are_told_from_their_levels():
    assert holds_categories(pd.DataFrame({"y": pd.Categorical([1, 2])}))
    assert not any(map(holds_categories, ([1, 2], pd.Series([1, 2]), pd.Series(["a", "b"]), np.arange(2))))


@pytest.mark.parametrize(
    ("y", "text"),
    [
        (["a", None, "b", None], r"contains None: .* 2 of 4 rows \(counted from 0: 1, 3\)"),
        (["a", nan], "contains NaN: .* 1 of 2 rows"),
        (np.array([1, None], dtype=object), "contains None: .* 1 of 2 rows"),
        (pd.Series([1, pd.NA, 3], dtype="Int64"), r"contains NA: .* 1 of 3 rows \(counted from 0: 1\)"),
        (pd.Series([True, pd.NA], dtype="boolean"), "contains NA"),
        (pd.Series(["a", pd.NA], dtype="string"), "contains NA"),
        (pd.Series(["a", None]), "contains NaN|contains None"),
        (pd.Categorical(["a", None]), "contains NaN"),
        (np.array([1.0, nan]), "contains NaN"),
        (np.full(9, nan), r"9 of 9 rows \(counted from 0: 0, 1, 2, 3, 4, \.\.\.\)"),
        (np.ma.array([1, 2, 3], mask=[False, True, False]), r"masked values: .* 1 of 3 .* 0: 1\)"),
        (np.array([1.0, np.inf]), "contains infinity"),
        (["a", 1], "y mixes int and str"),
        (np.array(["a", 1.5, True], dtype=object), "y mixes bool and float and str"),
        (np.zeros((3, 2)), r"1d array, got an array of shape \(3, 2\)"),
        (pd.DataFrame({"a": [1], "b": [2]}), r"1d array, got an array of shape \(1, 2\)"),
        (np.array([1j]), "Complex data not supported"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_missing_and_mixed_targets_are_refused(y, text):
    with pytest.raises(ValueError, match=text):
        read_target(y)


@pytest.mark.parametrize(
    "y",
    [
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        np.array([1], dtype="timedelta64[D]"),
        np.array([b"a"]),
        np.zeros(2, dtype=[("a", int)]),
        pd.Series(pd.to_datetime(["2020-01-01", None])),
        pd.Series([pd.Timedelta(1)]),
        pd.Series(pd.to_datetime(["2020-01-01"])).astype("category"),
        pd.Series([1j, 2]),
        pd.Series(pd.cut([1, 5], 2)),
        [datetime.date(2020, 1, 1)],
        [np.timedelta64(1, "D")],
        [b"a"],
        [1j],
        [{}],
        [[1, 2], [3]],
    ],
    ids=str,
)
def test_what_is_neither_label_nor_number_is_refused(y):
    with pytest.raises(TypeError, match="y (has dtype|holds a) .*; expected labels"):
        read_target(y)


@pytest.mark.parametrize("y", [pd.DataFrame({"y": [2, 0]}, dtype="Int64"), np.array([[2], [0]]), [[2], [0]]])
def test_one_column_is_a_target_with_a_warning(y):
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        values = read_target(y)
    assert values.tolist() == [2, 0]
    assert values.dtype.kind == "i"


def test_labels_of_several_types_are_allowed_where_they_are_asked_for():
    assert read_target([0, "zero", True], mixed=True).tolist() == [0, "zero", True]
    with pytest.raises(ValueError, match="y contains None"):
        read_target([0, "zero", None], mixed=True)


def test_text_that_is_no_finite_number_is_no_number():
    assert as_numbers(np.array(["1.5", "2"], dtype=object)).tolist() == [1.5, 2]
    for text in ("one", "nan", "inf"):
        with pytest.raises(ValueError, match="y holds text"):
            as_numbers(np.array(["1", text]))


@pytest.mark.parametrize(
    "value", [10**400, -(10**400), Fraction(10**400, 3)], ids=["large", "small", "Fraction"]
)
def test_numbers_that_no_float_holds_are_refused(value):
    for y in ([value, 1], np.array([1.5, value], dtype=object), pd.Series([value, 1], dtype=object)):
        with pytest.raises(ValueError, match="y contains a number that is too large for a float64"):
            read_target(y)
