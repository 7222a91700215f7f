"""In SQL, a column that the table lacks is an error of the database, and never a number."""

import contextlib
import math

import numpy as np
import pandas as pd
import pytest
from sql_databases import CONNECT, ERRORS, column_of

from skrationale.formula._formula import Formula
from skrationale.formula.program import symbols
from skrationale.formula.variables import make_variables
from skrationale.tabular import TableReader

DIALECTS = ["sqlite", "postgres", "mysql", "sqlserver", "bigquery", "duckdb", "snowflake", "spark"]
databases = pytest.mark.parametrize("database", CONNECT)
NAMES = [
    "age", "x y", "", " ", "select", "a'b\"c`d]", "`", '"', "''", "[x]", "``", "true", "null", "current_date",
    "t", "t.a", "ümläut", "1", "1.5", "'age'", '"age"', "*", "line\nbreak\\", "--", "?", ":a", "$1",
]  # fmt: skip


def formulas_of(name):
    """Over a number with gaps, and over levels with gaps, of one name: each kind of variable alone."""
    for cells in ([30.0, None, 50.0], ["Ulm", None, "Bonn"], [True, None, False]):
        table = pd.DataFrame({name: pd.Series(cells, dtype=object if isinstance(cells[0], str) else None)})
        reader = TableReader().fit(table)
        variables = make_variables(reader, reader.transform(table))
        for symbol in symbols(len(variables)):
            yield Formula(2.0 * symbol, variables, reader=reader), table, cells


MISSING = {"sqlite": "no such column", "duckdb": r"Referenced column|not found in FROM clause|STRUCT"}
NOT_IN = {"duckdb": ["", "current_date"]}
"""No names of columns, or refused."""


@databases
@pytest.mark.parametrize("name", NAMES)
def test_the_database_knows_the_column_or_stops(name, database):
    if name in NOT_IN.get(database, ()):
        return
    connect = CONNECT[database]
    for formula, table, cells in formulas_of(name):
        text = formula.to_sql(database)
        there = connect([name, "other"], [(cell, 1.0) for cell in cells])
        np.testing.assert_allclose(column_of(there, text), formula.predict(table), rtol=1e-12)
        with pytest.raises(ERRORS[database], match=MISSING[database]):
            column_of(connect(["other"], [(1.0,)] * 3), text)


@databases
def test_one_missing_column_of_many_stops_the_database(database):
    formula = Formula.from_string("a + max(b, 1)/c - exp(d)", list("abcd"))
    for left_out in "abcd":
        columns = [name for name in "abcd" if name != left_out]
        with pytest.raises(ERRORS[database], match=MISSING[database]):
            column_of(CONNECT[database](columns, [(1.0, 2.0, 3.0)]), formula.to_sql(database))


@pytest.mark.parametrize(
    ("dialect", "names"),
    [
        ("sqlite", ["rowid", "oid", "_rowid_", "ROWID", "Oid"]),
        ("duckdb", ["rowid", "RowId", "user", "current_schema", "CURRENT_DATE"]),
        ("spark", ["user", "current_timestamp", "_metadata"]),
        ("mysql", ["_rowid"]),
        ("postgres", ["ctid", "xmin", "tableoid"]),
    ],
)
def test_names_with_another_meaning_are_refused(dialect, names):
    for name in names:
        formula = Formula.from_string(f"`{name}` + 1", [name, "b"])
        with pytest.raises(ValueError, match=f"{dialect} gives the name '{name}' a special meaning"):
            formula.to_sql(dialect)
        assert formula.to_sql("snowflake")
        assert Formula.from_string("b", [name, "b"]).to_sql(dialect), "a column that does not occur"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_columns_that_a_database_takes_for_one_are_refused(dialect):
    formula = Formula.from_string("Age", ["age", "Age"])
    if dialect in ("postgres", "snowflake"):
        assert '"Age"' in formula.to_sql(dialect)
    else:
        with pytest.raises(ValueError, match=f"{dialect} reads 'age' and 'Age' as the same column name"):
            formula.to_sql(dialect)
    assert Formula.from_string("b", ["age", "Age", "b"]).to_sql(dialect)


def test_names_that_are_cut_are_refused():
    first, second = "x" * 63 + "a", "x" * 63 + "b"
    with pytest.raises(ValueError, match="postgres reads .* as the same column name"):
        Formula.from_string(first, [first, second]).to_sql("postgres")
    assert Formula.from_string(first, [first]).to_sql("postgres")
    assert Formula.from_string(first, [first, second]).to_sql("sqlite")
    assert Formula.from_string("`ä`", ["ä", "Ä"]).to_sql("sqlite"), "SQLite folds no such letters"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_dialect_quotes_names_as_names(dialect):
    backticks = dict.fromkeys(("sqlite", "mysql", "bigquery", "spark"), "`")
    quote = (backticks | {"sqlserver": "["}).get(dialect, '"')
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


def test_names_that_duckdb_calls_as_functions_are_refused():
    connection = CONNECT["duckdb"](["other"], [(1.0,)])
    names = [
        name
        for (name,) in connection.execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
    ]
    names += [name for (name,) in connection.execute("SELECT keyword_name FROM duckdb_keywords()").fetchall()]
    known = []
    for name in names:
        with contextlib.suppress(ERRORS["duckdb"]):
            column_of(connection, '"' + name.replace('"', '""') + '"')
            known.append(name)
    assert "current_user" in known
    for name in known:
        with pytest.raises(ValueError, match="duckdb gives the name .* a special meaning"):
            Formula.from_string(f"`{name}`", [name]).to_sql("duckdb")


@pytest.mark.parametrize(
    "text", ["min(log(n), 1)", "min(exp(2*n) - exp(3*n), 1)", "max(exp(2*n) - exp(3*n), 1)"]
)
def test_what_is_no_number_is_neither_least_nor_greatest(text):
    formula = Formula.from_string(text, ["n"])
    (found,) = column_of(
        CONNECT["duckdb"](["n"], [(-1.0 if "log" in text else 1000.0,)]), formula.to_sql("duckdb")
    )
    assert found is None or math.isnan(found)
    assert np.isnan(formula.predict([[-1.0 if "log" in text else 1000.0]])).all()


def test_a_cell_that_is_no_number_is_a_missing_one():
    for formula, table, _ in formulas_of("age"):
        if table["age"].dtype.kind == "f":
            connection = CONNECT["duckdb"](["age"], [(30.0,), (math.nan,), (50.0,)])
            found = column_of(connection, formula.to_sql("duckdb"))
            np.testing.assert_allclose(found, formula.predict(table), rtol=1e-12)


def test_spark_has_literals_and_quotes_of_its_own():
    number, missing = (
        next(formulas_of("a`ge"))[0].to_sql("spark"),
        "CAST(`a``ge` AS DOUBLE), CAST('NaN' AS DOUBLE)",
    )
    assert number == f"2.0D*COALESCE(NULLIF({missing}), 40.0D)"
    written = [formula.to_sql("spark") for formula, _, _ in formulas_of("city")]
    assert any("CASE WHEN `city` = 'Ulm' THEN 1.0D ELSE 0.0D END AS DOUBLE" in text for text in written)
    text = Formula.from_string("1e-30*log(n)/n^2.5 + min(n, 1)", ["n"]).to_sql("spark")
    assert text.startswith("1e-30D/NULLIF(POWER(")
    assert ")*LN(NULLIF(CAST(`n` AS DOUBLE)" in text
    assert ", 2.5D), 0.0D)" in text
    assert "IS NULL THEN NULL ELSE LEAST(" in text
