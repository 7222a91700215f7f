"""In SQL, a column that the table lacks is an error of the database, and never a number."""

import sqlite3

import numpy as np
import pandas as pd
import pytest

from skrationale.formula._formula import Formula
from skrationale.formula.program import symbols
from skrationale.formula.variables import make_variables
from skrationale.tabular import TableReader

DIALECTS = ["sqlite", "postgres", "mysql", "sqlserver", "bigquery", "duckdb", "snowflake"]
NAMES = [
    "age", "x y", "", " ", "select", "a'b\"c`d]", "`", '"', "''", "[x]", "``", "true", "null", "current_date",
    "t", "t.a", "ümläut", "1", "1.5", "'age'", '"age"', "*", "line\nbreak\\", "--", "?", ":a", "$1",
]  # fmt: skip


def table_in_sqlite(columns, rows):
    connection = sqlite3.connect(":memory:")
    written = ", ".join("`" + name.replace("`", "``") + "`" for name in columns)
    connection.execute(f"CREATE TABLE t ({written})")
    connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(columns))})", rows)
    return connection


def formulas_of(name):
    """Over a number with gaps, and over levels with gaps, of one name: each kind of variable alone."""
    for cells in ([30.0, None, 50.0], ["Ulm", None, "Bonn"], [True, None, False]):
        table = pd.DataFrame({name: pd.Series(cells, dtype=object if isinstance(cells[0], str) else None)})
        reader = TableReader().fit(table)
        variables = make_variables(reader, reader.transform(table))
        for symbol in symbols(len(variables)):
            yield Formula(2.0 * symbol, variables, reader=reader), table, cells


@pytest.mark.parametrize("name", NAMES)
def test_sqlite_knows_the_column_or_stops(name):
    for formula, table, cells in formulas_of(name):
        query = f"SELECT {formula.to_sql()} FROM t"
        there = table_in_sqlite([name, "other"], [(cell, 1.0) for cell in cells])
        found = [value for (value,) in there.execute(query)]
        np.testing.assert_allclose(found, formula.predict(table), rtol=1e-12)
        with pytest.raises(sqlite3.OperationalError, match="no such column"):
            table_in_sqlite(["other"], [(1.0,)] * 3).execute(query)


def test_one_missing_column_of_many_stops_the_database():
    formula = Formula.from_string("a + max(b, 1)/c - exp(d)", list("abcd"))
    for left_out in "abcd":
        columns = [name for name in "abcd" if name != left_out]
        with pytest.raises(sqlite3.OperationalError, match=f"no such column: {left_out}"):
            table_in_sqlite(columns, [(1.0, 2.0, 3.0)]).execute(f"SELECT {formula.to_sql()} FROM t")


@pytest.mark.parametrize(
    ("dialect", "names"),
    [
        ("sqlite", ["rowid", "oid", "_rowid_", "ROWID", "Oid"]),
        ("duckdb", ["rowid", "RowId"]),
        ("mysql", ["_rowid"]),
        ("postgres", ["ctid", "xmin", "tableoid"]),
    ],
)
def test_names_with_another_meaning_are_refused(dialect, names):
    for name in names:
        formula = Formula.from_string(f"`{name}` + 1", [name, "b"])
        with pytest.raises(ValueError, match=f"{dialect} has a meaning of its own for the name '{name}'"):
            formula.to_sql(dialect)
        assert formula.to_sql("snowflake")
        assert Formula.from_string("b", [name, "b"]).to_sql(dialect), "a column that does not occur"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_columns_that_a_database_takes_for_one_are_refused(dialect):
    formula = Formula.from_string("Age", ["age", "Age"])
    if dialect in ("postgres", "snowflake"):
        assert '"Age"' in formula.to_sql(dialect)
    else:
        with pytest.raises(ValueError, match=f"{dialect} does not tell the columns 'age' and 'Age' apart"):
            formula.to_sql(dialect)
    assert Formula.from_string("b", ["age", "Age", "b"]).to_sql(dialect)


def test_names_that_are_cut_are_refused():
    first, second = "x" * 63 + "a", "x" * 63 + "b"
    with pytest.raises(ValueError, match="postgres does not tell the columns"):
        Formula.from_string(first, [first, second]).to_sql("postgres")
    assert Formula.from_string(first, [first]).to_sql("postgres")
    assert Formula.from_string(first, [first, second]).to_sql("sqlite")
    assert Formula.from_string("`ä`", ["ä", "Ä"]).to_sql("sqlite"), "SQLite folds no such letters"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_dialect_quotes_names_as_names(dialect):
    quote = {"sqlite": "`", "mysql": "`", "bigquery": "`", "sqlserver": "["}.get(dialect, '"')
    for formula, _, _ in formulas_of("age"):
        assert f"{quote}age" in formula.to_sql(dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_gap_among_texts_is_looked_for_in_a_text(dialect):
    # the name of the table stands for a whole row in some, and a whole row is never NULL
    for formula, _, cells in formulas_of("age"):
        if formula.variables == ("missing(age)",):
            text = formula.to_sql(dialect)
            assert ("'Ulm'" in text or "'Bonn'" in text) == isinstance(cells[0], str)
            assert " IS NULL THEN 1.0" in text
