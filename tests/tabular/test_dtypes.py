"""What a column holds is decided by one rule at fit and at predict."""

import datetime
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from skrationale.formula import Formula
from skrationale.tabular import TableEncoder, TableReader

nan, DAY = np.nan, datetime.date(2020, 1, 1)
DAYS = pd.to_datetime(["2020-01-01", "2021-01-01"])
TABLE = pd.DataFrame(
    {"size": [1.0, 2], "city": ["Bonn", "Ulm"], "grade": pd.Categorical([1, 2]), "member": [True, False]}
)
NO_CELLS = {
    "dates": DAYS,
    "dates with zone": DAYS.tz_localize("UTC"),
    "spans": pd.to_timedelta([1, 2], unit="D"),
    "periods": pd.period_range("2020-01-01", periods=2, freq="D"),
    "complex": [1j, 2],
    "complex as objects": pd.Series([1, 1j], dtype=object),
    "containers": pd.Series([{"a": 1}, "a"], dtype=object),
}
TIMES = {
    "dates": [DAY, None],
    "Timestamps": pd.Series(list(DAYS), dtype=object),
    "numpy dates": pd.Series([np.datetime64("2020"), None], dtype=object),
    "spans": pd.Series([np.timedelta64(1, "D"), None], dtype=object),
    "times": [datetime.time(1), datetime.time(2)],
    "periods": pd.Series(list(pd.period_range("2020", periods=2, freq="M")), dtype=object),
    "among text": pd.Series(["a", DAY], dtype=object),
}
ARRAYS = {
    "dates": np.array([["2020", "2021"]], dtype="datetime64[D]"),
    "spans": np.array([[1, 2]], dtype="timedelta64[D]"),
    "dates as objects": np.array([[DAY, 1]], dtype=object),
    "spans as objects": np.array([[np.timedelta64(1, "D"), 1]], dtype=object),
    "complex as objects": np.array([[1j, 1]], dtype=object),
    "a list with a date": [[datetime.datetime(2020, 1, 1), 1]],
}


@pytest.fixture(scope="module")
def reader():
    return TableReader().fit(TABLE)


def read_in_silence(reader, table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return reader.transform(table)


@pytest.mark.parametrize("cells", NO_CELLS.values(), ids=NO_CELLS.keys())
@pytest.mark.parametrize("name", ["size", "city", "grade", "member"])
def test_what_fit_refuses_is_refused_at_predict(reader, cells, name):
    table = TABLE.assign(**{name: cells})
    for read in (TableReader().fit, reader.transform, TableEncoder().fit(TABLE).transform):
        with pytest.raises(TypeError, match=f"Column '{name}' of X (has dtype|holds a) "):
            read(table)


@pytest.mark.parametrize("cells", TIMES.values(), ids=TIMES.keys())
def test_objects_that_are_times_are_levels_at_fit_but_neither_numbers_nor_text(reader, cells):
    table = TABLE.assign(size=cells)
    other = TableReader().fit(table)
    assert other.levels[0] is not None
    read_in_silence(other, table)
    for name in TABLE.columns:
        with pytest.raises(TypeError, match=f"Column '{name}' of X holds a "):
            reader.transform(TABLE.assign(**{name: cells}))


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS.keys())
def test_arrays_of_dates_and_complex_numbers_are_refused(array):
    for read in (TableReader().fit, TableReader().fit(np.eye(2)).transform):
        with pytest.raises(TypeError, match=r"(X|Column '\w+' of X) (has dtype|holds a) "):
            read(array)


@pytest.mark.parametrize(
    "cells",
    [
        ["12", "13"],
        pd.Series(["1", None], dtype="string"),
        pd.Series(["1", 2], dtype=object),
        pd.Series([b"1", b"2"], dtype=object),
        pd.Categorical(["5", "6"]),
        ["True", "False"],
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["size", "member"])
def test_text_is_no_number_although_it_has_digits(reader, cells, name):
    with pytest.raises(ValueError, match=f"Column '{name}' of X was numeric at fit.*; expected numbers"):
        reader.transform(TABLE.assign(**{name: cells}))


@pytest.mark.parametrize("array", [np.array([["1", "2"]], dtype=object), np.array([["1", "2"]]), [[1, "2"]]])
def test_text_in_arrays_is_text_at_fit_and_predict(array):
    assert TableReader().fit(array).levels[1].tolist() == ["2"]
    with pytest.raises(ValueError, match=r"Column 'x\d' of X was numeric at fit"):
        TableReader().fit(np.eye(2)).transform(array)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([3, 4], [3, 4]),
        ([True, False], [1, 0]),
        ([None, None], [nan, nan]),
        (pd.array([1, None], dtype="Int64"), [1, nan]),
        (pd.Series([Decimal("1.5"), 2], dtype=object), [1.5, 2]),
        (pd.Series([True, 2], dtype=object), [1, 2]),
        (pd.arrays.SparseArray([0, 1]), [0, 1]),
        (pd.Categorical([5, None]), [5, nan]),
        (pd.Categorical([None, None], categories=["a"]), [nan, nan]),
    ],
)
def test_numbers_are_numbers_in_any_type(reader, cells, expected):
    codes = read_in_silence(reader, TABLE.assign(size=cells))
    np.testing.assert_array_equal(codes[:, 0], expected)


@pytest.mark.parametrize(
    "cells",
    [[1, 2], [1.5, nan], [True, False], pd.array([1, None], dtype="Int64"), pd.Series([1, 2], dtype=object)],
    ids=str,
)
def test_a_column_of_text_refuses_numbers(reader, cells):
    with pytest.raises(
        ValueError, match="Column 'city' of X held 'Bonn', 'Ulm' at fit, but holds numbers now"
    ):
        reader.transform(TABLE.assign(city=cells))


def test_a_column_of_text_refuses_an_array_of_numbers():
    reader = TableReader().fit(TABLE[["city"]])
    with pytest.raises(ValueError, match="Column 'city' of X held .* numbers now"):
        reader.transform(np.ones((2, 1)))
    np.testing.assert_array_equal(read_in_silence(reader, np.full((2, 1), nan)), [[nan], [nan]])


@pytest.mark.parametrize(
    ("name", "cells", "text"),
    [
        ("city", ["Bonn ", "Ulm "], "'city' .'Bonn ', where fit saw 'Bonn', 'Ulm'"),
        ("city", ["ulm", None], "'city' .'ulm'"),
        ("city", pd.Categorical(["Rome", "Oslo"]), "'city' .'Rome'"),
        ("city", pd.Categorical([1, 2]), "'city' .1, where fit saw 'Bonn'"),
        ("city", pd.Series([b"Ulm", b"Ulm"], dtype=object), "'city' .b'Ulm'"),
        ("grade", pd.Categorical(["1", "2"]), "'grade' .'1', where fit saw 1, 2"),
        ("grade", ["1", "2"], "'grade' .'1', where fit saw 1, 2"),
        ("grade", [7, 8], "'grade' .7, where fit saw 1, 2"),
    ],
)
def test_a_column_of_unknown_levels_alone_is_warned_of_by_name(reader, name, cells, text):
    table = TABLE.assign(**{name: cells})
    with pytest.warns(UserWarning, match=rf"only unknown levels in column\(s\) {text}") as caught:
        codes = reader.transform(table)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    at = TABLE.columns.get_loc(name)
    assert ((codes[:, at] == -1) | np.isnan(codes[:, at])).all()


def test_there_is_one_warning_for_all_columns_and_for_one_row(reader):
    with pytest.warns(UserWarning, match=r"'city' \('Rome', .*'grade' \(9, ") as caught:
        reader.transform(TABLE.assign(city="Rome", grade=9)[:1])
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        ("city", ["Ulm", "Rome"], [1, -1]),
        ("city", [None, None], [nan, nan]),
        ("city", [nan, nan], [nan, nan]),
        ("city", pd.Categorical(["Rome", "Ulm"]), [-1, 1]),
        ("city", pd.Categorical([None, None], categories=["Rome"]), [nan, nan]),
        ("grade", [2.0, 1.0], [1, 0]),
        ("grade", pd.array([1, None], dtype="Int64"), [0, nan]),
    ],
)
def test_known_levels_and_missing_cells_need_no_warning(reader, name, cells, expected):
    codes = read_in_silence(reader, TABLE.assign(**{name: cells}))
    np.testing.assert_array_equal(codes[:, TABLE.columns.get_loc(name)], expected)


def test_dates_may_be_levels_where_they_are_categories():
    fitted = pd.DataFrame({"when": pd.Categorical(DAYS)})
    reader = TableReader().fit(fitted)
    np.testing.assert_array_equal(read_in_silence(reader, fitted), [[0], [1]])
    np.testing.assert_array_equal(
        read_in_silence(reader, reader.restore(np.array([[1.0], [0.0]]))), [[1], [0]]
    )
    with pytest.warns(UserWarning, match="only unknown levels in column.* 'when'"):
        reader.transform(pd.DataFrame({"when": pd.to_datetime(["2030-01-01"])}))


def test_masked_cells_are_missing():
    X = np.ma.array([[1, 2], [3, 4]], mask=[[False, True], [False, False]])
    np.testing.assert_array_equal(TableReader().fit(X).transform(X), [[1, nan], [3, 4]])


def test_polars_and_arrow_tables_are_checked_too(reader):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"size": ["1"], "city": ["Ulm"], "grade": [1], "member": [True]})
    for table in (frame, frame.to_arrow()):
        with pytest.raises(ValueError, match="Column 'size' of X was numeric at fit"):
            reader.transform(table)
    dates = frame.with_columns(pl.Series("size", [DAY]))
    for table in (dates, dates.to_arrow()):
        with pytest.raises(TypeError, match="Column 'size' of X"):
            reader.transform(table)


def test_columns_in_another_order_are_refused(reader):
    with pytest.raises(ValueError, match=r"X has the columns \['city', .*another order than at fit"):
        reader.transform(TABLE[["city", "size", "grade", "member"]])


def test_formulas_read_tables_by_the_same_rule():
    formula = Formula.from_string("2*a - b", ["a", "b"])
    assert formula.predict(pd.DataFrame({"a": [1], "b": [2]})).tolist() == [0]
    for table, error, text in (
        (pd.DataFrame({"a": ["1"], "b": [2]}), ValueError, "'a' of X was numeric"),
        (pd.DataFrame({"a": DAYS, "b": [2, 3]}), TypeError, "'a' of X has dtype datetime64"),
        (pd.DataFrame({"b": [1], "a": [2]}), ValueError, "another order"),
        (np.array([["1", "2"]], dtype=object), ValueError, "'a' of X was numeric"),
    ):
        with pytest.raises(error, match=text):
            formula.predict(table)


@pytest.mark.parametrize(
    "columns", [["a", "c"], ["c", "a"], ["a", "a"], [3, 5], ["b", "c"], ["x0", "x1"]], ids=str
)
def test_columns_of_other_names_are_not_read_by_position(columns):
    table = pd.DataFrame([[1.0, 2.0]], columns=columns)
    fitted = TableReader().fit(pd.DataFrame([[1.0, 2.0]], columns=["a", "b"]))
    for read in (fitted.transform, Formula.from_string("2*a - b", ["a", "b"]).predict):
        with pytest.raises(ValueError, match=r"X has column '\w+' where column '[ab]' was at fit"):
            read(table)
    for names in (["x0", "x1"], ["0", "1"]):  # those of an array, or of no names
        formula = Formula.from_string("2*`{}` - `{}`".format(*names), names)
        if columns != ["x0", "x1"]:
            assert formula.predict(table).tolist() == [0]
    assert TableReader().fit(np.eye(2)).transform(table).tolist() == [[1, 2]]
    assert fitted.transform(table.set_axis([0, 1], axis=1)).tolist() == [[1, 2]]
    assert fitted.transform(table.to_numpy()).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    "cell", [10**400, -(10**400), Fraction(10**400, 3)], ids=["large", "small", "Fraction"]
)
def test_numbers_that_no_float_holds_are_refused(reader, cell):
    cells = pd.Series([cell, 1], dtype=object)
    for read in (reader.transform, TableEncoder().fit):
        with pytest.raises(ValueError, match="Column 'size' of X holds a number that is too large"):
            read(TABLE.assign(size=cells))
    for array in (np.array([[cell, 1]], dtype=object), [[cell, 1]]):
        with pytest.raises(ValueError, match="X holds a number that is too large"):
            TableReader().fit(np.eye(2)).transform(array)
