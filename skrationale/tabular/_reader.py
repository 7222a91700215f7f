"""Read any table into a float64 matrix of numbers and category codes, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_array

from ._lightgbm import safe_names, stand_ins

UNSEEN = -1.0
"""The code of a category level that was not there at fit."""


def as_frame_or_array(X: Any) -> Any:
    """Bring a table into one of two forms: a pandas DataFrame or a numeric array.

    Parameters
    ----------
    X : DataFrame (pandas, polars), pyarrow Table or array-like of shape (n, d)
        The table. Arrays that hold text become a DataFrame of columns with types of their own.

    Returns
    -------
    pandas.DataFrame or ndarray of shape (n, d)
        Arrays are numeric; infinity is not looked for here.

    Raises
    ------
    ValueError, TypeError
        When `X` is sparse, complex, not two-dimensional, or has no row or column.
    """
    if hasattr(X, "to_pandas"):
        X = X.to_pandas()
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        n_samples, n_features = X.shape
        if n_features == 0:
            raise ValueError(
                f"0 feature(s) (shape={X.shape}) while a minimum of 1 is required: X has no column."
            )
        if n_samples == 0:
            raise ValueError(f"0 sample(s) (shape={X.shape}) while a minimum of 1 is required: X has no row.")
        return X
    if getattr(getattr(X, "dtype", None), "kind", "") in "OUS" or not hasattr(X, "dtype"):
        try:
            return check_array(X, ensure_all_finite=False)
        except ValueError as error:
            if "could not convert string" not in str(error) and "arrays of bytes/strings" not in str(error):
                raise
        import pandas as pd

        return as_frame_or_array(pd.DataFrame(np.asarray(X, dtype=object)).infer_objects())
    return check_array(X, ensure_all_finite=False)


def _levels(column: Any) -> np.ndarray:
    """Sort the distinct values of a text column; values that do not compare are sorted as text."""
    values = column.dropna().unique()
    try:
        return np.array(sorted(values), dtype=object)
    except TypeError:
        return np.array(sorted(values, key=lambda value: (type(value).__name__, str(value))), dtype=object)


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
        if isinstance(table, np.ndarray):
            self.names = None
            self.feature_names = tuple(f"x{j}" for j in range(table.shape[1]))
            self.levels = (None,) * table.shape[1]
            return self
        self.names = tuple(table.columns)
        self.feature_names = tuple(map(str, self.names))
        self.levels = tuple(
            self._column_levels(table.iloc[:, j], name) for j, name in enumerate(self.feature_names)
        )
        return self

    @staticmethod
    def _column_levels(column: Any, name: str) -> np.ndarray | None:
        import pandas as pd

        if isinstance(column.dtype, pd.CategoricalDtype):
            return np.asarray(column.cat.categories, dtype=object)
        if pd.api.types.is_bool_dtype(column.dtype) or (
            pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype)
        ):
            return None
        if pd.api.types.is_string_dtype(column.dtype) or pd.api.types.is_object_dtype(column.dtype):
            kind = pd.api.types.infer_dtype(column, skipna=True)
            if kind in {"boolean", "integer", "floating", "mixed-integer-float", "decimal", "empty"}:
                return None
            for value in column:
                if isinstance(value, (dict, list, set, tuple, np.ndarray)):
                    raise TypeError(
                        f"Column {name!r} of X holds a {type(value).__name__}; "
                        "the argument must be a string, a number, a boolean or missing in every cell."
                    )
            return _levels(column)
        raise TypeError(
            f"Column {name!r} of X has dtype {column.dtype}; expected numbers, booleans, text or categories. "
            "Turn it into numbers first (for dates, e.g. days since some day)."
        )

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
        seen = set(known)
        new = [level for level in levels if level not in seen]
        merged = np.empty(len(known) + len(new), dtype=object)
        merged[: len(known)], merged[len(known) :] = known, new
        self.levels = self.levels[:column] + (merged,) + self.levels[column + 1 :]

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
            When a value is infinite, a numeric column holds text, or the number of columns differs.
        """
        table = as_frame_or_array(X)
        d = len(self.feature_names)
        if table.shape[1] != d:
            raise ValueError(f"X has {table.shape[1]} features, but {d} features were expected.")
        if isinstance(table, np.ndarray) and not any(levels is not None for levels in self.levels):
            codes = table.astype(np.float64)
        else:
            codes = np.empty((len(table), d), dtype=np.float64)
            for j, levels in enumerate(self.levels):
                column = table[:, j] if isinstance(table, np.ndarray) else table.iloc[:, j]
                codes[:, j] = self._numbers(column, j) if levels is None else self._codes(column, levels)
        infinite = np.isinf(codes).any(axis=0)
        if infinite.any():
            names = [self.feature_names[j] for j in np.flatnonzero(infinite)[:5]]
            raise ValueError(f"X contains infinity in column(s) {names}; expected finite numbers or NaN.")
        return codes

    def _numbers(self, column: Any, j: int) -> np.ndarray:
        if isinstance(column, np.ndarray):
            return column.astype(np.float64)
        import pandas as pd

        try:
            if isinstance(column.dtype, pd.CategoricalDtype):
                column = column.astype(object)
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Column {self.feature_names[j]!r} of X was numeric at fit, but holds "
                f"a value that is no number now (dtype {column.dtype}): {error}"
            ) from None

    @staticmethod
    def _codes(column: Any, levels: np.ndarray) -> np.ndarray:
        import pandas as pd

        # as they are: pandas would look up a number among intervals, or text among dates
        index = pd.Index(levels, dtype=object)
        column = pd.Series(column)
        if isinstance(column.dtype, pd.CategoricalDtype):
            # one look-up a level, not one a row
            of_level = np.append(index.get_indexer(np.asarray(column.cat.categories, object)), UNSEEN)
            codes = of_level.astype(np.float64)[column.cat.codes.to_numpy()]
        else:
            codes = index.get_indexer(column.to_numpy(dtype=object)).astype(np.float64)
        missing = column.isna().to_numpy()
        codes[missing] = np.nan
        return codes

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

    def to_frame(self, codes: np.ndarray, *, savable: bool = False) -> Any:
        """Rebuild the table that LightGBM takes from numbers and codes.

        Parameters
        ----------
        codes : ndarray of shape (n, d)
            What :meth:`transform` gave.
        savable : bool, default=False
            Whether text stands for levels that LightGBM cannot save, such as intervals, dates and bytes.

        Returns
        -------
        pandas.DataFrame or ndarray
            `codes` itself when no column is categorical and none has a name; else a DataFrame with
            category columns, whose names LightGBM accepts (no white space, no JSON characters).
        """
        if self.names is None and all(levels is None for levels in self.levels):
            return codes
        import pandas as pd

        columns: dict[str, Any] = {}
        for j, name in enumerate(safe_names(self.feature_names)):
            levels = self.levels[j]
            if levels is None:
                columns[name] = codes[:, j]
            else:
                level_codes = np.where(np.isnan(codes[:, j]), UNSEEN, codes[:, j]).astype(int)
                categories = pd.Index(stand_ins(levels) if savable else levels)
                columns[name] = pd.Categorical.from_codes(level_codes, categories=categories)
        return pd.DataFrame(columns, copy=False)

    def restore(self, codes: np.ndarray) -> Any:
        """Rebuild a table as it was given, from numbers and codes.

        Parameters
        ----------
        codes : ndarray of shape (n, d)
            What :meth:`transform` gave.

        Returns
        -------
        pandas.DataFrame or ndarray
            `codes` itself for tables that were arrays; else a DataFrame with the columns' names. Categories
            and text are objects, with NaN where one is missing and ``"(unseen)"`` for a level that was not
            there at fit.
        """
        if self.names is None:
            return codes
        import pandas as pd

        columns: dict[int, np.ndarray] = {}
        for j, levels in enumerate(self.levels):
            columns[j] = codes[:, j]
            if levels is not None:
                cells = np.array([*levels, "(unseen)", np.nan], dtype=object)
                columns[j] = cells[np.where(np.isnan(codes[:, j]), len(levels) + 1, codes[:, j]).astype(int)]
                columns[j][codes[:, j] == UNSEEN] = "(unseen)"
        return pd.DataFrame(columns, copy=False).set_axis(list(self.names), axis=1)
