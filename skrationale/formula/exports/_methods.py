"""The methods of a formula that write it in other languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from .._formula import Formula
    from ._sql import Dialect
    from ._torch import FormulaModule


class ExportMethods:
    """What `Formula` inherits to be written in other languages.

    All of them compute the score that ``predict`` computes, to 1e-9 relative, from the table as it is: they
    fill missing values and know levels themselves. A column name that occurs again gets a number there,
    as ``age_2``. No name and no level of a table can become code.
    """

    def _self(self) -> Formula:
        return cast("Formula", self)

    def to_python(self, name: str = "predict") -> str:
        """Write the source text of a Python function that needs the module math alone.

        Parameters
        ----------
        name : str, default="predict"
            Name of the function.

        Returns
        -------
        str
            The function takes one row as a mapping of column names to values, None or NaN where one is
            missing, and returns the score as a float: NaN or infinite where `predict` is.

        Examples
        --------
        >>> from skrationale.formula._formula import Formula
        >>> print(Formula.from_string("2.5*age", ["age"]).to_python().splitlines()[-1].strip())
        return 2.5*x0_age
        """
        from ._python import to_python

        return to_python(self._self(), name)

    def to_numpy(self, name: str = "predict") -> str:
        """Write the source text of a Python function that needs numpy alone.

        Parameters
        ----------
        name : str, default="predict"
            Name of the function.

        Returns
        -------
        str
            The function takes a DataFrame, or a mapping of column names to columns of n values, and
            returns an array of n scores. Names are text, also where those of the table are numbers.

        Examples
        --------
        >>> from skrationale.formula._formula import Formula
        >>> print(Formula.from_string("2.5*age", ["age"]).to_numpy().splitlines()[-1].strip())
        return 2.5*x0_age + np.zeros(rows)
        """
        from ._python import to_numpy

        return to_numpy(self._self(), name)

    def to_torch(self) -> FormulaModule:
        """Make a ``torch.nn.Module``.

        Returns
        -------
        FormulaModule
            Takes a tensor of shape (n, q) with the variables that occur, in the order of `variables`,
            filled as ``variable_values(X)`` gives them; returns scores of shape (n,). Numbers that are
            neither integers nor exponents are a parameter, ``constants``, in float64; the input is
            brought to its type and device. Gradients flow to both.

        Raises
        ------
        ImportError
            If torch is not installed.
        """
        from ._torch import FormulaModule

        return FormulaModule(self._self())

    def to_c(self, name: str = "predict") -> str:
        """Write the source text of a C function.

        Parameters
        ----------
        name : str, default="predict"
            Name of the function.

        Returns
        -------
        str
            The function takes doubles: a number, NAN where it is missing, and 1 or 0 for each level and
            for missing values of a column of categories. A comment says which is which.

        Examples
        --------
        >>> from skrationale.formula._formula import Formula
        >>> print(Formula.from_string("1/age", ["age"]).to_c())  # doctest: +ELLIPSIS
        #include <math.h>
        <BLANKLINE>
        /* x0_age: "age", NAN where missing */
        double predict(double x0_age)
        ...
        """
        from ._c import to_c

        return to_c(self._self(), name)

    def to_sql(self, dialect: Dialect = "sqlite") -> str:
        """Write an expression of SQL, for use after ``SELECT``.

        Parameters
        ----------
        dialect : {"sqlite", "postgres", "mysql", "sqlserver", "bigquery", "duckdb", "snowflake"}
            The database. What "sqlite" gives is run in the tests of this project; the others are written
            by their manuals.

        Returns
        -------
        str
            Columns are numbers and texts of the same names; a cell that is missing is NULL, and a column that
            the table lacks is an error of the database. Where `predict`
            has no finite value, the result is NULL or infinite, or the database stops with an error, as
            most do for logarithms and roots of negative numbers. A quotient by zero and all
            that is computed with it are NULL. The backslash is special in texts of MySQL, as by default.

        Raises
        ------
        ValueError
            When the dialect lacks a function (``TANH`` in MySQL and SQL Server), cannot hold a name or a
            level, would read a name as something else (``rowid`` in SQLite and DuckDB), or does not tell two
            columns apart (``age`` and ``AGE`` in most).

        Examples
        --------
        >>> from skrationale.formula._formula import Formula
        >>> Formula.from_string("2.5/age", ["age"]).to_sql()
        '2.5/NULLIF(CAST(`age` AS REAL), 0.0)'
        """
        from ._sql import to_sql

        return to_sql(self._self(), dialect)

    def to_excel(self, cells: Mapping[str, str] | None = None) -> str:
        """Write a formula of Excel, in its English form.

        Parameters
        ----------
        cells : mapping of str to str, default=None
            The cell of each column that occurs, such as ``{"age": "B2"}``; by default the
            columns stand side by side from A2.

        Returns
        -------
        str
            Begins with "=". An empty cell is a missing value. Where a step has no finite value, the
            result is an error such as ``#NUM!``, also where `predict` goes on with infinity.
            Excel keeps 15 digits of a number.

        Raises
        ------
        ValueError
            When the text is longer than 8,192 signs, nested more than 64 deep, or holds a number or level
            that Excel cannot, and for cells that are none.

        Examples
        --------
        >>> from skrationale.formula._formula import Formula
        >>> Formula.from_string("-age^2", ["age"]).to_excel({"age": "B2"})
        '=-(IF(ISBLANK(B2),NA(),B2)^2)'
        """
        from ._excel import to_excel

        return to_excel(self._self(), cells)
