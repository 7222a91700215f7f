"""Read any table into a float64 matrix of numbers and category codes, and back."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Sequence
from itertools import repeat
from operator import is_not
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array

from .._arrow import with_categories
from .._tensors import holds_infinity
from ._column_types import ColumnType
from ._dtypes import (
    UNSEEN,
    as_float64,
    check_array_type,
    column_codes,
    column_kind,
    column_numbers,
    joined_levels,
    needs_columns,
    warn_of_unknown,
)
from ._few_rows import CellReader, FewRows
from ._lazy import refuse_sparse, refuse_without_rows
from ._lightgbm import safe_names, stand_ins


def as_frame_or_array(X: Any) -> Any:
    """Bring a table into one of two forms: a pandas DataFrame or a numeric array.

    Parameters
    ----------
    X : DataFrame (pandas, polars), pyarrow Table or array-like of shape (n, d)
        The table. Arrays that hold text become a DataFrame of columns with types of their own.

    Returns
    -------
    pandas.DataFrame or ndarray of shape (n, d)
        Arrays are numeric; infinity is not looked for here. Dictionaries of Arrow in a DataFrame become
        categories.

    Raises
    ------
    ValueError, TypeError
        When `X` is complex, not two-dimensional, a plan without rows, sparse, or has no row or column.
    """
    if type(X) is np.ndarray and X.dtype.kind in "biuf" and X.ndim == 2 and X.size:
        return X  # in form already; scikit-learn's check takes longer than a small network
    known = _is_pandas_frame(X)
    if not known:
        refuse_without_rows("X", X)
        X = X.to_pandas() if hasattr(X, "to_pandas") else X
        refuse_sparse(X)
    if known or (hasattr(X, "iloc") and hasattr(X, "columns")):
        n_samples, n_features = X.shape
        if n_features == 0:
            raise ValueError(
                f"0 feature(s) (shape={X.shape}) while a minimum of 1 is required: X has no column."
            )
        if n_samples == 0:
            raise ValueError(f"0 sample(s) (shape={X.shape}) while a minimum of 1 is required: X has no row.")
        return with_categories(X)
    if hasattr(X, "iloc"):
        raise ValueError(
            f"Expected 2D array, got 1D array instead: X is a {type(X).__name__}, and must have rows and "
            "columns; give one column as X.to_frame(), one row as X.to_frame().T."
        )
    if isinstance(X, np.ma.MaskedArray):
        plain = X.dtype.kind in "biuf"
        X = np.ma.filled(X.astype(np.float64 if plain else object), np.nan if plain else None)
    if hasattr(X, "dtype") and getattr(X.dtype, "kind", "") not in ("O", "U", "S"):
        return check_array(X, ensure_all_finite=False)
    # numpy would make text of all cells of a list with one text
    cells = X if hasattr(X, "dtype") else _as_objects(X)
    if cells is None or not needs_columns(cells):
        try:
            numbers = check_array(X, ensure_all_finite=False)
            return numbers.astype(np.float64) if numbers.dtype.kind == "O" else numbers
        except OverflowError as error:
            raise ValueError(f"X holds a number that is too large for a float64: {error}.") from None
    if cells.ndim != 2:
        raise ValueError(f"Expected 2D array, got {cells.ndim}D array instead: X must have rows and columns.")
    import pandas as pd

    return as_frame_or_array(pd.DataFrame(np.asarray(cells, dtype=object)).infer_objects())


def _is_pandas_frame(X: Any) -> bool:
    """Whether X is a DataFrame of pandas', which takes long to say that it lacks an attribute."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and type(X) is pandas.DataFrame


def columns_of(table: Any) -> Iterator[Any]:
    """Give the columns (n,) of a DataFrame or an array in turn; `iloc` takes three times as long."""
    return iter(table.T) if isinstance(table, np.ndarray) else (column for _, column in table.items())


def _as_objects(X: Any) -> Any:
    try:
        return np.array(X, dtype=object)
    except ValueError:  # rows of several lengths
        return None


def are_counted(names: Sequence[str]) -> bool:
    """Whether names are the numbers that pandas or LightGBM give to columns without names.

    Examples
    --------
    >>> are_counted(["0", "1"]), are_counted(["Column_0"]), are_counted(["1", "0"])
    (True, True, False)
    """
    return any(list(names) == [f"{word}{j}" for j in range(len(names))] for word in ("", "Column_"))


def _counted(d: int) -> tuple[str, ...]:
    """Name the columns of an array."""
    return tuple(f"x{j}" for j in range(d))


def _levels(column: Any) -> np.ndarray:
    """Sort the distinct values of a text column; values that do not compare are sorted as text."""
    values = column.dropna().unique()
    try:
        return np.array(sorted(values), dtype=object)
    except TypeError:
        return np.array(sorted(values, key=lambda value: (type(value).__name__, str(value))), dtype=object)


def table_or_array(name: str, X: Any) -> Any:
    """Return a DataFrame or an array (n, d), whose types are left alone; a list becomes an array."""
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.size and X.dtype.kind in "OUS":
        return X  # the model was fitted to an array of text, not to a DataFrame
    try:
        return as_frame_or_array(X)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None


class TableReader:
    """Read a table as a float64 matrix with one column per original column.

    Numbers and booleans stay what they are, categories and text become the index of their level,
    a missing value is NaN, and a level that was not there at fit is -1.

    Attributes
    ----------
    feature_names : tuple of str
        Names of the d columns; ``x0, x1, ...`` where the table has none.
    levels : tuple of (ndarray or None)
        Per column the levels in the order of their codes, None for a numeric column.
    names : tuple or None
        Names of the columns as they were given; None where the table was an array.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrationale.tabular import TableReader
    >>> table = pd.DataFrame({"age": [30.0, None], "city": ["Ulm", "Bonn"]})
    >>> reader = TableReader().fit(table)
    >>> reader.transform(table)
    array([[30.,  1.],
           [nan,  0.]])
    >>> reader.transform(pd.DataFrame({"age": [1], "city": ["Rome"]}))
    array([[ 1., -1.]])
    """

    feature_names: tuple[str, ...]
    levels: tuple[np.ndarray | None, ...]
    names: tuple[Any, ...] | None
    _types: tuple[ColumnType, ...] | None = None
    """Of the columns of a DataFrame."""
    _of_cells: CellReader | None = None
    """For these levels, made when few rows are read."""

    def fit(self, X: Any) -> TableReader:
        """Learn names and category levels.

        Parameters
        ----------
        X : table of shape (n, d)
            What :func:`as_frame_or_array` takes.

        Returns
        -------
        TableReader
            Itself.

        Raises
        ------
        ValueError, TypeError
            For a column that is neither number, boolean, text nor category; the error names it.
        """
        table = as_frame_or_array(X)
        self._of_cells = self._types = None
        if isinstance(table, np.ndarray):
            check_array_type(table)
            self.names = None
            self.feature_names = _counted(table.shape[1])
            self.levels = (None,) * table.shape[1]
            return self
        self.names = tuple(table.columns)
        self.feature_names = tuple(map(str, self.names))
        self.levels = tuple(
            self._column_levels(column, name)
            for column, name in zip(columns_of(table), self.feature_names, strict=True)
        )
        self._types = tuple(map(ColumnType.of, columns_of(table)))
        return self

    @staticmethod
    def _column_levels(column: Any, name: str) -> np.ndarray | None:
        kind = column_kind(column, name, times=True)
        if kind == "category":
            return np.asarray(column.cat.categories, dtype=object)
        return _levels(column) if kind == "text" else None

    def add_levels(self, column: int, levels: Any) -> None:
        """Append levels that a column may take although the training table does not show them.

        Parameters
        ----------
        column : int
            Position of a categorical column.
        levels : iterable
            Levels; those already known are skipped.
        """
        known = self.levels[column]
        if known is None:
            raise ValueError(f"column {column} is numeric and has no levels")
        self.levels = (*self.levels[:column], joined_levels(known, levels), *self.levels[column + 1 :])

    def knowing(self, X: Any) -> TableReader:
        """Copy this reader, and add the levels that another table (n, d) shows: the codes of others stay."""
        own = copy.copy(self)
        for j, levels in enumerate(TableReader().fit(X).levels):
            if levels is not None and own.levels[j] is not None:
                own.add_levels(j, levels)
        return own

    def has_columns_of(self, X: Any) -> bool:
        """Whether a DataFrame has the names at fit, in that order, or an array as many columns.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n, d)
            As :func:`as_frame_or_array` gives it.

        Returns
        -------
        bool
            False also for an array where there were names, and for names where there were none.
        """
        if isinstance(X, np.ndarray):
            return self.names is None and X.shape[1] == len(self.feature_names)
        return self.names == tuple(X.columns)

    def transform(self, X: Any) -> np.ndarray:
        """Turn a table into numbers and category codes.

        Parameters
        ----------
        X : table of shape (n, d)
            Columns in the order of fit.

        Returns
        -------
        ndarray of shape (n, d), float64
            Numbers, codes, NaN where a value is missing, -1 for an unseen level.

        Raises
        ------
        ValueError
            When a value is infinite, a numeric column holds text, a column of text holds numbers, or columns
            differ in number, names or order. Names are not compared where columns have none.
        TypeError
            For a column that `fit` would refuse, such as one of dates.

        Warns
        -----
        UserWarning
            When all cells of a column have levels that were not there at fit; the warning names it.
        """
        return self.read(X)[0]

    def read(self, X: Any, keep: bool = False) -> tuple[np.ndarray, FewRows | None]:
        """Give what `transform` and `read_few` do, and with `keep` the array itself if it may be kept."""
        table = as_frame_or_array(X)
        few = self.read_few(table)
        return (self._read_many(table, keep), None) if few is None else (few.codes, few)

    def _read_many(self, table: Any, keep: bool) -> np.ndarray:
        d = len(self.feature_names)
        if table.shape[1] != d:
            raise ValueError(f"X has {table.shape[1]} features, but {d} features were expected.")
        if isinstance(table, np.ndarray):
            check_array_type(table)
            of_numbers = not any(map(is_not, self.levels, repeat(None)))  # for one row faster than a loop
            matrix = as_float64(table, keep) if of_numbers else self._by_column(table)
        else:
            self._check_columns(table)
            matrix = self._by_column(table)
        if holds_infinity(matrix):
            names = [self.feature_names[j] for j in np.flatnonzero(np.isinf(matrix).any(axis=0))[:5]]
            raise ValueError(f"X contains infinity in column(s) {names}; expected finite numbers or NaN.")
        return matrix

    def _check_columns(self, table: Any) -> None:
        """Raise unless the columns of a DataFrame are those at fit, or have no names to compare."""
        given, known = list(map(str, table.columns)), list(self.feature_names)
        if given == known:
            return
        if sorted(given) == sorted(known):
            raise ValueError(
                f"X has the columns {given[:5]}, in another order than at fit; expected {known[:5]}."
            )
        if not self._by_position(given):
            here, there = next((a, b) for a, b in zip(given, known, strict=True) if a != b)
            raise ValueError(
                f"X has column {here!r} where column {there!r} was at fit; expected the columns {known[:5]}"
                + (", ..." if len(known) > 5 else "")
                + ", or an array with its columns in this order."
            )

    def read_few(self, table: Any) -> FewRows | None:
        """Read few rows fast, or not at all.

        Parameters
        ----------
        table : DataFrame or ndarray of shape (n, d)
            Rows.

        Returns
        -------
        FewRows or None
            With `codes` as :meth:`transform` gives them. None where there are more rows, for an array, and
            where the table or a cell is unusual in any way, or wrong.
        """
        names, cells = getattr(self, "names", None), self._of_cells
        if isinstance(table, np.ndarray) or names is None:
            return None
        if cells is None or cells.levels is not self.levels:
            cells = self._of_cells = CellReader(names, self.levels)
        return cells.read(table)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_of_cells"}

    def _by_position(self, given: list[str]) -> bool:
        """Whether columns have no names to compare, in the table at hand or at fit."""
        counted = getattr(self, "names", None) is None and self.feature_names == _counted(len(given))
        return counted or are_counted(given) or are_counted(self.feature_names)

    def _by_column(self, table: Any) -> np.ndarray:
        matrix = np.empty((len(table), len(self.levels)), dtype=np.float64)
        unknown: dict[str, tuple[Any, np.ndarray]] = {}
        columns = zip(columns_of(table), self.feature_names, self.levels, strict=True)
        for j, (column, name, levels) in enumerate(columns):
            if levels is not None:
                matrix[:, j], alien = column_codes(column, levels, name)
                if alien:
                    unknown[name] = column, levels
            elif isinstance(table, np.ndarray):
                matrix[:, j] = column
            else:
                matrix[:, j] = column_numbers(column, name)
        warn_of_unknown(unknown)
        return matrix

    def display(self, X: Any) -> np.ndarray:
        """Give the cells as the user typed them.

        Parameters
        ----------
        X : table of shape (n, d)

        Returns
        -------
        ndarray of shape (n, d), dtype object
        """
        table = as_frame_or_array(X)
        return table.astype(object) if isinstance(table, np.ndarray) else table.to_numpy(dtype=object)

    def to_frame(self, matrix: np.ndarray, *, savable: bool = False) -> Any:
        """Rebuild the table that LightGBM takes from numbers and codes.

        Parameters
        ----------
        matrix : ndarray of shape (n, d)
            What :meth:`transform` gave.
        savable : bool, default=False
            Whether text stands for levels that LightGBM cannot save, such as intervals, dates and bytes.

        Returns
        -------
        pandas.DataFrame or ndarray
            `matrix` itself when no column is categorical and none has a name; else a DataFrame with
            category columns, whose names LightGBM accepts (no white space, no JSON characters).
        """
        if self.names is None and all(levels is None for levels in self.levels):
            return matrix
        import pandas as pd

        columns: dict[str, Any] = {}
        for j, name in enumerate(safe_names(self.feature_names)):
            levels = self.levels[j]
            if levels is None:
                columns[name] = matrix[:, j]
            else:
                level_codes = np.where(np.isnan(matrix[:, j]), UNSEEN, matrix[:, j]).astype(int)
                # as a list, whole numbers stay such: XGBoost takes no others
                categories = pd.Index(stand_ins(levels).tolist() if savable else levels)
                columns[name] = pd.Categorical.from_codes(level_codes, categories=categories)
        return pd.DataFrame(columns, copy=False)

    def restore(self, matrix: np.ndarray, *, typed: bool = False) -> Any:
        """Rebuild a table as it was given, from numbers and codes.

        Parameters
        ----------
        matrix : ndarray of shape (n, d)
            What :meth:`transform` gave.
        typed : bool, default=False
            Whether columns have the types at fit, where these can hold their cells, and missing objects are
            None where they were.

        Returns
        -------
        pandas.DataFrame or ndarray
            `matrix` itself for tables that were arrays; else a DataFrame with the columns' names. Unless
            `typed`, categories and text are objects, with NaN where one is missing. A level that was not
            there at fit is ``"(unseen)"``.
        """
        if self.names is None:
            return matrix
        import pandas as pd

        types = self._types if typed and self._types is not None else (ColumnType.plain(),) * len(self.levels)
        columns: dict[int, Any] = {}
        for j, (kind, levels) in enumerate(zip(types, self.levels, strict=True)):
            column = matrix[:, j]
            columns[j] = kind.numbers(column) if levels is None else kind.levels(column, levels)
        return pd.DataFrame(columns, copy=False).set_axis(list(self.names), axis=1)
