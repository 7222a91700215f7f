import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from skrationale.tabular import TableReader, as_frame_or_array
from skrationale.tabular._column_types import ColumnType

nan = np.nan
COLUMNS = {
    "float": (pd.Series([1.5, nan, 3.0]), [1.5, nan, 3.0]),
    "nullable integer": (pd.Series([1, None, 3], dtype="Int64"), [1, nan, 3]),
    "nullable boolean": (pd.Series([True, None, False], dtype="boolean"), [1, nan, 0]),
    "boolean": (pd.Series([True, False, True]), [1, 0, 1]),
    "text": (pd.Series(["b", None, "a"]), [1, nan, 0]),
    "text in objects": (pd.Series(["b", nan, "a"], dtype=object), [1, nan, 0]),
    "pandas text": (pd.Series(["b", pd.NA, "a"], dtype="string"), [1, nan, 0]),
    "category": (pd.Series(pd.Categorical(["b", None, "a"], categories=["b", "a"])), [0, nan, 1]),
    "category of numbers": (pd.Series(pd.Categorical([30, 10, None])), [1, 0, nan]),
    "category of intervals": (pd.Series(pd.cut([1.0, 9.0, nan], [0, 5, 10])), [0, 1, nan]),
    "numbers in objects": (pd.Series([1, None, 2.5], dtype=object), [1, nan, 2.5]),
    "nothing": (pd.Series([None, None, None], dtype=object), [nan, nan, nan]),
    "mixed": (pd.Series(["b", 2, nan], dtype=object), [1, 0, nan]),
    "unsigned": (pd.Series([1, 2, 3], dtype="uint8"), [1, 2, 3]),
}


@pytest.mark.parametrize(("column", "expected"), COLUMNS.values(), ids=COLUMNS.keys())
def test_columns(column, expected):
    table = pd.DataFrame({"c": column, "other": [0, 1, 2]})
    reader = TableReader().fit(table)
    matrix = reader.transform(table)
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix[:, 0], expected)
    back = reader.to_frame(matrix)
    np.testing.assert_array_equal(TableReader().fit(back).transform(back)[:, 1], matrix[:, 1])
    if reader.levels[0] is not None:
        shown = [None if pd.isna(v) else v for v in back["c"]]
        assert shown == [None if pd.isna(v) else v for v in column]


def test_levels_that_were_not_there_are_minus_one_and_missing_is_nan():
    fitted = pd.DataFrame({"a": ["x", "y"], "b": pd.Categorical([1, 2])})
    reader = TableReader().fit(fitted)
    new = pd.DataFrame({"a": ["z", None], "b": pd.Categorical([2, 7])})
    np.testing.assert_array_equal(reader.transform(new), [[-1, 1], [nan, -1]])
    as_text = pd.DataFrame({"a": pd.Categorical(["y", "x"]), "b": [2, 1]})
    np.testing.assert_array_equal(reader.transform(as_text), [[1, 1], [0, 0]])


def test_levels_may_be_added_and_keep_the_old_codes():
    reader = TableReader().fit(pd.DataFrame({"a": ["x", "y"]}))
    reader.add_levels(0, ["w", "x"])
    np.testing.assert_array_equal(reader.transform(pd.DataFrame({"a": ["x", "y", "w"]}))[:, 0], [0, 1, 2])
    with pytest.raises(ValueError, match="column 0 is numeric"):
        TableReader().fit(np.zeros((2, 1))).add_levels(0, ["a"])


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(3, 2),
        np.arange(6).reshape(3, 2),
        np.asfortranarray(np.arange(6.0).reshape(3, 2)),
        np.arange(12.0).reshape(3, 4)[:, ::2],
        np.array([[True, False]] * 3),
        [[1, 2], [3, 4], [5, 6]],
        np.array([[1, 2.5], [None, 4], [5, 6]], dtype=object),
    ],
    ids=["float32", "int", "fortran", "strided", "bool", "lists", "objects"],
)
def test_arrays_of_numbers(array):
    reader = TableReader().fit(array)
    matrix = reader.transform(array)
    np.testing.assert_array_equal(matrix, np.asarray(array, dtype=float))
    assert reader.feature_names == ("x0", "x1")
    assert reader.to_frame(matrix) is matrix


def test_reading_neither_aliases_nor_writes():
    array = np.arange(6.0).reshape(3, 2)
    array.flags.writeable = False
    matrix = TableReader().fit(array).transform(array)
    matrix[0, 0] = 7
    assert array[0, 0] == 0


def test_arrays_that_hold_text():
    array = np.array([["a", 1.0], ["b", nan]], dtype=object)
    reader = TableReader().fit(array)
    np.testing.assert_array_equal(reader.transform(array), [[0, 1], [1, nan]])
    np.testing.assert_array_equal(reader.transform(np.array([["c", 2.0]], dtype=object)), [[-1, 2]])
    assert reader.display(array)[1, 0] == "b"


@pytest.mark.parametrize("kind", [list, np.array], ids=["lists", "array"])
def test_tables_of_text_alone(kind):
    reader = TableReader().fit(kind([["a", "10"], ["b", "9"]]))
    np.testing.assert_array_equal(reader.transform(kind([["b", "10"], ["c", "9"]])), [[1, 0], [-1, 1]])
    with pytest.raises(ValueError, match="0 sample"):
        reader.transform(np.empty((0, 2), dtype="U1"))


def test_polars_and_arrow_are_read_like_pandas():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {"a": ["x", None, "y"], "n": [1, None, 3], "c": ["u", "v", None]},
        schema_overrides={"c": pl.Categorical},
    )
    for table in (frame, frame.to_arrow()):
        reader = TableReader().fit(table)
        assert reader.feature_names == ("a", "n", "c")
        np.testing.assert_array_equal(reader.transform(table), [[0, 1, 0], [nan, nan, 1], [1, 3, nan]])
        assert reader.display(table)[0].tolist() == ["x", 1.0, "u"]


def dictionary(cells, levels=None, ordered=False):
    """Make a column that pandas holds as a dictionary of Arrow's."""
    pa = pytest.importorskip("pyarrow")
    levels = list(dict.fromkeys(cell for cell in cells if cell is not None)) if levels is None else levels
    codes = pa.array([None if cell is None else levels.index(cell) for cell in cells], type=pa.int32())
    made = pa.DictionaryArray.from_arrays(codes, pa.array(levels), ordered=ordered)
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([made])), index=range(3, 3 + len(cells)))


def test_columns_of_arrow_without_any_cell_are_like_those_of_none():
    pa = pytest.importorskip("pyarrow")
    table = pd.DataFrame({"none": [None] * 3, "n": [1.0, 2, 3]})
    of_arrow = table.assign(none=table["none"].astype(pd.ArrowDtype(pa.null())))
    expected = TableReader().fit(table)
    found = TableReader().fit(of_arrow)
    np.testing.assert_array_equal(found.transform(of_arrow), expected.transform(table))
    np.testing.assert_array_equal(expected.transform(of_arrow), expected.transform(table))
    assert found.display(of_arrow).tolist() == expected.display(table).tolist()


@pytest.mark.parametrize("n", [1, 40], ids=["few rows", "many rows"])
def test_dictionaries_of_arrow_are_categories(n):
    column = dictionary(["b", "a", None, "b"] * n, ["c", "b", "a"])
    table = pd.DataFrame({"k": column, "n": 1.0})
    before = table["k"].dtype
    reader = TableReader().fit(table)
    assert reader.levels[0].tolist() == ["c", "b", "a"]
    expected = [1, 2, nan, 1] * n
    category = table.assign(
        k=pd.Categorical(list(column.astype(object).where(column.notna(), None)), list("cba"))
    )
    for rows in (table, category):
        np.testing.assert_array_equal(reader.transform(rows)[:, 0], expected)
        np.testing.assert_array_equal(TableReader().fit(category).transform(rows)[:, 0], expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(reader)).transform(table)[:, 0], expected)
    assert reader.display(table)[:2, 0].tolist() == ["b", "a"]
    restored = reader.restore(reader.transform(table), typed=True)
    assert restored["k"].dtype == category["k"].dtype
    assert table["k"].dtype == before  # of the user's table
    new = pd.DataFrame({"k": dictionary(["z", "a", None], ["a", "z"]), "n": 1.0})
    np.testing.assert_array_equal(reader.transform(new)[:, 0], [-1, 2, nan])
    with pytest.warns(UserWarning, match=r"only unknown levels in column\(s\) 'k' \('z'"):
        reader.transform(new[:1])


def test_dictionaries_of_arrow_are_read_as_in_a_table_of_pyarrow():
    pa = pytest.importorskip("pyarrow")
    pieces = [pa.array(["b", "a"]).dictionary_encode(), pa.array(["c", None, "b"]).dictionary_encode()]
    numbers = pa.chunked_array([pa.array([30, 10, None, 10, 30]).dictionary_encode()])
    columns = {"k": pa.chunked_array(pieces), "m": numbers}
    table = pd.DataFrame({name: pd.arrays.ArrowExtensionArray(cells) for name, cells in columns.items()})
    reader, other = TableReader().fit(table), TableReader().fit(pa.table(columns))
    assert [known.tolist() for known in reader.levels] == [known.tolist() for known in other.levels]
    for rows in (table, pa.table(columns)):
        np.testing.assert_array_equal(reader.transform(rows), other.transform(pa.table(columns)))
    numeric = TableReader().fit(pd.DataFrame({"m": [1.0, 2.0]}))
    np.testing.assert_array_equal(numeric.transform(table[["m"]])[:, 0], [30, 10, nan, 10, 30])


def test_dictionaries_with_a_level_twice_or_a_missing_one_are_read_by_their_cells():
    pa = pytest.importorskip("pyarrow")
    made = pa.DictionaryArray.from_arrays(pa.array([2, 0, 1, 3, None]), pa.array(["b", "a", "b", None]))
    table = pd.DataFrame({"k": pd.arrays.ArrowExtensionArray(pa.chunked_array([made]))})
    np.testing.assert_array_equal(TableReader().fit(table).transform(table)[:, 0], [0, 0, 1, nan, nan])


@pytest.mark.parametrize("ordered", [True, False])
def test_dictionaries_may_be_ordered_and_stand_in_columns_of_the_same_name(ordered):
    table = pd.concat([dictionary(["b", "a"], ordered=ordered), pd.Series([1.0, 2.0], [3, 4])], axis=1)
    form = as_frame_or_array(table.set_axis(["k", "k"], axis=1))
    assert form.iloc[:, 0].dtype == pd.CategoricalDtype(["b", "a"], ordered=ordered)
    assert form.iloc[:, 1].dtype == np.float64
    assert form.index.tolist() == [3, 4]


def test_columns_may_be_named_as_methods():
    table = pd.DataFrame({"to_pandas": [1.0, 2.0], "columns": [3.0, 4.0], "iloc": ["a", "b"]})
    np.testing.assert_array_equal(TableReader().fit(table).transform(table), [[1, 3, 0], [2, 4, 1]])


def test_names_that_lightgbm_refuses_are_made_safe_and_stay_distinct():
    names = ["a b", "a_b", "a:b", "", "", 3]
    table = pd.DataFrame(np.zeros((2, 6)), columns=names)
    reader = TableReader().fit(table)
    assert reader.feature_names == ("a b", "a_b", "a:b", "", "", "3")
    safe = list(reader.to_frame(reader.transform(table)).columns)
    assert len(set(safe)) == 6
    assert not any(set(name) & set(' {}[]",:') for name in safe)


@pytest.mark.parametrize(
    ("table", "error", "text"),
    [
        (pd.DataFrame({"good": [1.0], "bad": [np.inf]}), ValueError, r"infinity in column\(s\) \['bad'\]"),
        (np.array([[1.0, -np.inf]]), ValueError, r"infinity in column\(s\) \['x1'\]"),
        (pd.DataFrame({"when": pd.to_datetime(["2026-01-01"])}), TypeError, "'when' .* dtype datetime64"),
        (pd.DataFrame({"z": [1j]}), TypeError, "'z' .* dtype complex"),
        (np.array([[1j]]), ValueError, "Complex data not supported"),
        (pd.DataFrame({"d": [{"a": 1}]}), TypeError, "'d' .* dict.*argument must be a string"),
        (sparse.csr_matrix([[1.0]]), TypeError, "[Ss]parse"),
        ([1.0, 2.0], ValueError, "Expected 2D array, got 1D array instead"),
        (np.zeros((0, 2)), ValueError, "0 sample"),
        (pd.DataFrame({"a": []}), ValueError, "0 sample"),
        (pd.DataFrame(index=[0, 1]), ValueError, "0 feature"),
        (np.zeros((2, 2, 2)), ValueError, "dim"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_says_why(table, error, text):
    with pytest.raises(error, match=text):
        TableReader().fit(table).transform(table)


def test_a_column_may_not_change_its_nature():
    reader = TableReader().fit(pd.DataFrame({"age": [1.0, 2.0]}))
    with pytest.raises(ValueError, match="'age' of X was numeric at fit"):
        reader.transform(pd.DataFrame({"age": ["old", "young"]}))
    with pytest.raises(ValueError, match="X has 2 features, but 1 features"):
        reader.transform(pd.DataFrame({"age": [1], "more": [2]}))
    np.testing.assert_array_equal(reader.transform(pd.DataFrame({"age": pd.Categorical([5, 6])})), [[5], [6]])


def test_pickle():
    table = pd.DataFrame({"a": ["x", None], "b": [1, 2]})
    reader = pickle.loads(pickle.dumps(TableReader().fit(table)))
    np.testing.assert_array_equal(reader.transform(table), [[0, 1], [nan, 2]])


def test_a_table_is_restored_from_its_codes():
    table = pd.DataFrame({"age": [30.0, np.nan], 7: ["Ulm", None], "grade": pd.Categorical(["low", "mid"])})
    reader = TableReader().fit(table)
    back = reader.restore(reader.transform(table))
    assert list(back.columns) == ["age", 7, "grade"]
    assert back["grade"].tolist() == ["low", "mid"]
    assert back[7].iloc[0] == "Ulm"
    assert back[7].isna().tolist() == [False, True]
    np.testing.assert_array_equal(back["age"], table["age"])
    np.testing.assert_array_equal(reader.transform(back), reader.transform(table))
    unseen = reader.restore(reader.transform(table.assign(**{"grade": ["low", "new"]})))
    assert unseen["grade"].tolist() == ["low", "(unseen)"]


def test_an_array_is_its_own_codes():
    X = np.arange(6.0).reshape(3, 2)
    reader = TableReader().fit(X)
    np.testing.assert_array_equal(reader.restore(reader.transform(X)), X)


@pytest.mark.parametrize(
    "dtype",
    [
        np.dtype("float32"),
        np.dtype(object),
        np.dtype("<U3"),
        pd.Int64Dtype(),
        pd.BooleanDtype(),
        pd.StringDtype("python"),
        pd.StringDtype("python", na_value=np.nan),
        pd.CategoricalDtype(),
        pd.CategoricalDtype(["a", "b"], ordered=True),
        pd.CategoricalDtype(pd.Index(["a", "b"], dtype=object)),
        pd.CategoricalDtype(pd.Index(["a"], dtype=pd.StringDtype("python"))),
        pd.CategoricalDtype([2, 1]),
        pd.CategoricalDtype([True, False]),
        pd.CategoricalDtype(pd.interval_range(0, 3)),
        pd.CategoricalDtype(pd.date_range("2020-01-01", periods=2)),
    ],
    ids=str,
)
def test_types_of_columns_are_kept_as_plain_data(dtype):
    kind = ColumnType(dtype, none=True)
    state = kind.__getstate__()
    assert isinstance(state["dtype"], str | dict)
    again = pickle.loads(pickle.dumps(kind))
    assert again.none
    assert again.dtype == dtype
    known = getattr(dtype, "categories", None)
    assert known is None or again.dtype.categories.dtype == known.dtype


def test_a_type_that_has_no_name_is_kept_itself():
    dtype = np.dtype([("a", "f8"), ("b", "i4")])
    assert pickle.loads(pickle.dumps(ColumnType(dtype, none=False))).dtype == dtype
    older = ColumnType.__new__(ColumnType)  # whose state held the type of pandas itself
    older.__setstate__({"dtype": pd.Int8Dtype(), "none": False})
    assert older.dtype == pd.Int8Dtype()
