"""Few rows are read cell by cell, with the answers, errors and warnings of the way by columns."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from few_rows import by_columns, check, content, tables
from hypothesis import given, settings

from skrationale.tabular import FewRows, TableReader
from skrationale.tabular._few_rows import FEW_ROWS


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(both=tables())
def test_both_ways_agree(both):
    check(*both)


@pytest.mark.parametrize("at", range(3))
def test_a_row_may_be_read_by_public_ways_alone(at, monkeypatch):
    monkeypatch.delattr(pd.DataFrame, "_iter_column_arrays")
    for row in (AT_FIT[at:][:1], AT_FIT.iloc[at].to_frame().T, AT_FIT[["age", "children"]][at:][:1]):
        assert FewRows.of(row).arrays is None
        check(AT_FIT[row.columns], row)


AT_FIT = pd.DataFrame(
    {
        "age": [30.5, 41.0, np.nan],
        "children": [0, 1, 2],
        "city": ["Bonn", "Ulm", None],
        "grade": pd.Categorical(["low", "high", None], ["low", "high"]),
        "floor": pd.Categorical([1, 2, 2]),
        "member": [True, False, True],
        "rooms": pd.array([1, None, 3], dtype="Int64"),
    }
)


@pytest.fixture
def reader():
    return TableReader().fit(AT_FIT)


@pytest.mark.parametrize(
    "few",
    [
        AT_FIT,
        AT_FIT[2:],
        AT_FIT[:1],
        AT_FIT.astype(object),
        AT_FIT.iloc[1].to_frame().T,
        pd.DataFrame(AT_FIT.to_dict("records")),
        pd.DataFrame(AT_FIT[:1].to_dict("records")),
        AT_FIT.convert_dtypes(),
        AT_FIT.assign(city=AT_FIT["city"].astype("category"), age=pd.Categorical([30, 41, None])),
        AT_FIT.iloc[np.zeros(FEW_ROWS, int)],
    ],
)
def test_what_is_usual_is_read_cell_by_cell(reader, few):
    found = reader.read_few(few)
    assert found is not None
    assert by_columns(reader, few) == ([value.hex() for value in found.codes.ravel().tolist()], [])
    assert content(found.display()) == content(few.to_numpy(dtype=object))


@pytest.mark.parametrize(
    "other",
    [
        AT_FIT.iloc[np.zeros(FEW_ROWS + 1, int)],
        AT_FIT[AT_FIT.columns[::-1]],
        AT_FIT.assign(more=1),
        AT_FIT.set_axis(range(7), axis=1),
        AT_FIT.assign(city="Rom"),
        AT_FIT.assign(age=np.inf),
        AT_FIT.assign(age="30"),
        AT_FIT.assign(age=pd.to_datetime("2020-01-01")),
        AT_FIT.assign(grade=pd.cut([1.0, 2.0, np.nan], [0, 1, 2])),
        AT_FIT.assign(age=pd.arrays.SparseArray([0.0, 1.0, 0.0])),
        type("Frame", (pd.DataFrame,), {})(AT_FIT),
        AT_FIT.to_numpy(),
    ],
)
def test_all_else_is_read_by_columns(reader, other):
    assert reader.read_few(other) is None


@pytest.mark.parametrize("dtype", ["object", "category", "string[python]"])
def test_text_of_numpy_stays_what_it_is(dtype):
    row = pd.DataFrame({"a": pd.Series([np.str_("a")], dtype=object).astype(dtype), "b": [np.float32(0.1)]})
    assert content(FewRows.of(row).display()) == content(row.to_numpy(dtype=object))


def test_numbers_alone():
    table = pd.DataFrame(np.arange(6.0).reshape(2, 3), columns=list("abc"))
    reader = TableReader().fit(table)
    for few in (table, table.astype({"a": "float32", "b": "int8", "c": bool})):
        found = reader.transform(few)
        np.testing.assert_array_equal(found, few.astype(float))
        assert found.flags.c_contiguous
        found[:] = 7
        assert (few != 7).all(axis=None)
    assert reader.read_few(table.assign(b=np.inf)) is None


def test_polars_tables(reader):
    pl = pytest.importorskip("polars")
    table = pl.DataFrame({"n": [1, None], "city": ["Ulm", "Bonn"]})
    for few in (table, table[:1]):
        check(table.to_pandas(), few.to_pandas())
    np.testing.assert_array_equal(TableReader().fit(table).transform(table[1:]), [[np.nan, 0]])


def test_categories_that_are_seen_again(reader):
    rows = [AT_FIT[k : k + 1] for k in (0, 1, 2, 0)]
    other = rows[0].assign(grade=pd.Categorical(["high"], ["high", "low", "new"]))
    unknown = rows[0].assign(grade=pd.Categorical(["new"], other["grade"].cat.categories))
    for row in (*rows, other, other, other, unknown, unknown, *rows):
        found = reader.read_few(row)
        assert (found is None) == (row is unknown)
        if found is not None:
            assert by_columns(reader, row)[0] == [value.hex() for value in found.codes.ravel().tolist()]
            assert content(found.display()) == content(row.to_numpy(dtype=object))


def test_levels_that_are_added_later_are_read(reader):
    reader.transform(AT_FIT[:1])
    reader.add_levels(2, ["Rom"])
    assert reader.transform(AT_FIT[:1].assign(city="Rom"))[0, 2] == 2
    reader.fit(AT_FIT.assign(city="Rom"))
    assert reader.transform(AT_FIT[:1].assign(city="Rom"))[0, 2] == 0


def test_reading_few_rows_leaves_no_trace_in_a_pickle(reader):
    before = pickle.dumps(reader)
    whole = reader.transform(AT_FIT)
    assert pickle.dumps(reader) == before
    np.testing.assert_array_equal(pickle.loads(before).transform(AT_FIT), whole)


def test_threads_share_a_reader(reader):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda k: reader.transform(AT_FIT[k % 3 :][:1]), range(60)))
    np.testing.assert_array_equal(np.concatenate(found), np.tile(reader.transform(AT_FIT), (20, 1)))
