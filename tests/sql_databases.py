"""Formulas in data bases that run in this process."""

import sqlite3

import duckdb


def records(table):
    """Rows as dicts, None for missing cells."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def table_in_sqlite(columns, rows):
    connection = sqlite3.connect(":memory:")
    written = ", ".join("`" + name.replace("`", "``") + "`" for name in columns)
    connection.execute(f"CREATE TABLE t ({written})")
    connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(columns))})", rows)
    return connection


def type_in_duckdb(cells):
    """Say which type a column has, by the cells that are there."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {bool}:
        return "BOOLEAN"
    return "VARCHAR" if str in kinds else "DOUBLE"


def table_in_duckdb(columns, rows):
    connection = duckdb.connect(":memory:")
    types = map(type_in_duckdb, zip(*rows, strict=True))
    written = ['"' + name.replace('"', '""') + f'" {kind}' for name, kind in zip(columns, types, strict=True)]
    connection.execute(f"CREATE TABLE t ({', '.join(written)})")
    connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(columns))})", list(map(list, rows)))
    return connection


CONNECT = {"sqlite": table_in_sqlite, "duckdb": table_in_duckdb}
ERRORS = {"sqlite": sqlite3.OperationalError, "duckdb": duckdb.Error}


def column_of(connection, expression):
    """Give the values (n,) of an expression over the rows of a table."""
    return [value for (value,) in connection.execute(f"SELECT {expression} FROM t ORDER BY rowid").fetchall()]


def in_database(formula, table, database, dialect=None):
    """Compute a formula over a table, in the text for that database, or for another that reads alike."""
    rows = [list(row.values()) for row in records(table)]
    connection = CONNECT[database](list(table.columns), rows)
    return column_of(connection, formula.to_sql(dialect or database))
