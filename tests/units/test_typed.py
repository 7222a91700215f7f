"""Cells as typed, told from numbers and codes: the same as those of the table itself."""

import decimal
import pickle

import numpy as np
import pandas as pd
import pytest

from skrationale.tabular import TableReader
from skrationale.units import typed_cells

N = 6
TABLE = pd.DataFrame(
    {
        "float": np.linspace(0, 1, N),
        "float32": np.linspace(0, 1, N).astype("f4"),
        "int": np.arange(N),
        "huge": np.array([2**60 + i for i in range(N)]),
        "uint8": np.arange(N).astype("u1"),
        "bool": [True, False] * 3,
        "Int64": pd.array([1, None, 3, 4, 5, 6], dtype="Int64"),
        "Float64": pd.array([1.5, None, 3, 4, 5, 6], dtype="Float64"),
        "boolean": pd.array([True, None, False] * 2, dtype="boolean"),
        "category": pd.Categorical(list("abcabc")),
        "category of ints": pd.Categorical([3, 1, 2] * 2),
        "category of bools": pd.Categorical([True, False, True] * 2),
        "text": list("xyzxyz"),
        "missing text": pd.Series(["p", None, np.nan, "q", "p", "q"], dtype=object),
        "text and numbers": pd.Series([1, "a", True, 2.5, "a", None], dtype=object),
        "numbers as objects": pd.Series([1, 2.5, True, None, 3, 4], dtype=object),
        "string": pd.array(["s", None, "t"] * 2, dtype="string"),
        "decimal": pd.Series([decimal.Decimal("1.5")] * N, dtype=object),
    }
)
UNSEEN = TABLE.assign(
    **{
        "category": pd.Categorical(["b", "Z", None, "a", "c", "a"], categories=["Z", "c", "b", "a"]),
        "text": ["x", None, "new", "y", "z", np.nan],
        "category of ints": pd.Categorical([1.0, 2.0, 9.0, 3.0, np.nan, 1.0]),
        "missing text": pd.Series(["new"] * 5 + [None], dtype=object),
        "string": pd.array([None, "s", "zz"] * 2, dtype="string"),
    }
)
OTHER_TYPES = TABLE.assign(
    **{
        "category": list("abcZZa"),
        "text": pd.Categorical(list("xyzxyz")),
        "int": pd.Categorical([1, 2, 3] * 2),
        "category of ints": [1, 2, 9, 1, 2, 3],
        "bool": [1, 0] * 3,
        "float": pd.arrays.SparseArray([0, 0, 1.0, 0, 0, np.nan]),
    }
)


def content(cells):
    return [(type(cell), repr(cell)) for cell in np.ravel(cells)]


@pytest.mark.parametrize(
    "table", [TABLE, UNSEEN, OTHER_TYPES], ids=["as in fit", "unseen levels", "other types"]
)
@pytest.mark.filterwarnings("ignore:X has only unknown levels")
def test_cells_are_those_of_the_table_to_their_type(table):
    reader = TableReader().fit(TABLE)
    codes = reader.transform(table)
    cells = typed_cells(table, codes, reader.levels)
    shown = reader.display(table)
    for j, name in enumerate(table):
        assert content(cells.column(j)) == content(shown[:, j]), name
    assert content(cells.array()) == content(shown)
    for rows in ([3, 0, 0, 5], [], [2]):
        places = np.array(rows, dtype=np.intp)
        assert content(cells.take(places, codes[places]).array()) == content(shown[places])
    assert content(pickle.loads(pickle.dumps(cells)).array()) == content(shown)


@pytest.mark.parametrize(
    "table",
    [
        np.arange(6.0).reshape(3, 2),
        np.arange(6).reshape(3, 2),
        np.eye(3) > 0,
        np.eye(3, dtype="f4"),
        np.array([[2**60 + 1, 1]]),
        np.array([["a", "b"], ["c", "a"]]),
        np.array([["a", 1], ["b", 2]], dtype=object),
        [["a", 1], ["b", 2]],
    ],
    ids=lambda table: str(getattr(table, "dtype", "list")),
)
def test_arrays_are_shown_as_they_were(table):
    reader = TableReader().fit(table)
    cells = typed_cells(table, reader.transform(table), reader.levels)
    assert content(cells.array()) == content(reader.display(table))


def test_a_table_that_changes_later_changes_no_cell():
    table = TABLE.copy()
    reader = TableReader().fit(table)
    cells = typed_cells(table, reader.transform(table), reader.levels)
    before = content(reader.display(table))
    for name in ("text", "category", "missing text", "float", "text and numbers"):
        table[name] = table[name].iloc[::-1].to_numpy()
        table.loc[0, name] = table.loc[1, name]
    assert content(cells.array()) == before
    array = np.array([[2**60 + 1, 3]])
    reader = TableReader().fit(array)
    cells = typed_cells(array, reader.transform(array), reader.levels)
    array[:] = 0
    assert cells.array().tolist() == [[2**60 + 1, 3]]


def test_numbers_and_text_take_no_memory_of_their_own():
    reader = TableReader().fit(TABLE)
    cells = typed_cells(TABLE, reader.transform(TABLE), reader.levels)
    kept = [name for name, column in zip(TABLE, cells.columns, strict=True) if column.kept is not None]
    assert kept == ["huge", "text and numbers", "numbers as objects", "decimal"]
