#!/usr/bin/env bash
# duckdb 2.0.1: a name in double quotes that no column of the table has is an error, as everywhere, but for some names of SQL's own
# functions: "user", "current_date" and "localtime" and others call these, quoted or not. A query over a table that lacks the column gets
# a value in each row, where SQLite 3 takes the quoted name for a text, and PostgreSQL refuses it. With the column, its cells come.
# Seen (SELECT "NAME" FROM t, of a table without such a column; then with it):
#   user: VARCHAR, no error; the column
#   current_date: DATE, no error; the column
#   localtime: TIME, no error; the column
#   today: BinderException; the column
#   age: BinderException; the column
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.1

cat > "$folder/seen.py" <<'PY'
import duckdb

for name in ("user", "current_date", "localtime", "today", "age"):
    try:
        found = duckdb.sql(f'SELECT "{name}" FROM (SELECT 1.5 AS amount) t')
        without = f"{found.types[0]}, no error"
    except duckdb.Error as error:
        without = type(error).__name__
    value = duckdb.sql(f'SELECT "{name}" FROM (SELECT 7 AS "{name}") t').fetchall()[0][0]
    print(f"{name}: {without}; {'the column' if value == 7 else value}")
PY
cat > "$folder/expected" <<'SEEN'
user: VARCHAR, no error; the column
current_date: DATE, no error; the column
localtime: TIME, no error; the column
today: BinderException; the column
age: BinderException; the column
SEEN
"$folder/env/bin/python" "$folder/seen.py" | diff "$folder/expected" -
echo "as described"
