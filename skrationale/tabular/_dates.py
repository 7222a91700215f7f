"""Dates, times and spans of time as columns of numbers."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._arrow import plain_times
from ._reader import as_frame_or_array

SECONDS_A_DAY = 86400.0
PARTS = ("days", "year", "month", "day", "weekday", "hour")
"""What may be made of a date."""


class DateParts(TransformerMixin, BaseEstimator):
    """Turn each column of dates, times or durations into columns of numbers, and leave all others unchanged.

    A date becomes the number of days since 1 January 1970, its year, month, day, weekday (0 is Monday) and,
    if some value of the column has a time of day, its hour. A time of day becomes hours, and a duration
    becomes days. Days and hours keep their fraction. The name of a part is added to the name of the column,
    as in ``sent_month``. :func:`~skrationale.explain_pipeline` adds up the contributions of all parts of a
    date.

    Parameters
    ----------
    parts : sequence of str, default=("days", "year", "month", "day", "weekday", "hour")
        Parts that are made from dates, in this order.

    Attributes
    ----------
    input_to_outputs_ : dict of str to list of str
        For each column of the table the columns made from it, in order.
    feature_names_in_ : ndarray of shape (d,)
        Names of the columns.
    n_features_in_ : int
        Number of columns.

    See Also
    --------
    skrationale.explain_pipeline : Reasons of a pipeline by the columns of the raw table.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrationale import DateParts
    >>> table = pd.DataFrame({"sent": pd.to_datetime(["2024-02-29", None]), "city": ["Ulm", "Bonn"]})
    >>> DateParts(parts=("year", "month")).fit_transform(table)
       sent_year  sent_month  city
    0     2024.0         2.0   Ulm
    1        NaN         NaN  Bonn
    """

    _made: ClassVar[frozenset[str]] = frozenset(PARTS)

    def __init__(self, parts: Sequence[str] = PARTS) -> None:
        self.parts = parts

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the columns of dates, times and durations.

        Parameters
        ----------
        X : DataFrame of shape (n, d)
            The table, of pandas, polars or pyarrow.
        y : object, default=None
            Not used.

        Returns
        -------
        self
            Fitted.

        Raises
        ------
        TypeError
            If `X` is not a DataFrame.
        ValueError
            If a part is not known, or if a new column has the name of another column.
        """
        table = _frame(X)
        parts = list(self.parts)
        if (
            isinstance(self.parts, str)
            or not parts
            or not set(parts) <= self._made
            or len(set(parts)) < len(parts)
        ):
            raise ValueError(
                f"The 'parts' parameter of DateParts must be different names from {list(PARTS)}. Got "
                f"{self.parts!r} instead."
            )
        kinds: dict[str, str | None] = {}
        outputs: dict[str, list[str]] = {}
        for name, column in zip(
            map(str, table.columns), map(table.iloc.__getitem__, _columns(table)), strict=True
        ):
            kind = kinds[name] = kind_of_time(column)
            outputs[name] = (
                [name] if kind is None else [f"{name}_{part}" for part in self._parts_of(column, kind)]
            )
        made = [name for names in outputs.values() for name in names]
        twice = next((name for j, name in enumerate(made) if name in made[:j]), None)
        if twice is not None or len(kinds) < table.shape[1]:
            raise ValueError(
                f"DateParts would make two columns {twice!r}; expected columns with different names."
            )
        self.feature_names_in_ = np.array(list(kinds), dtype=object)
        self.n_features_in_ = len(kinds)
        self._kinds, self.input_to_outputs_ = kinds, outputs
        return self

    def _parts_of(self, column: Any, kind: str) -> list[str]:
        if kind != "date":
            return ["hours" if kind == "time" else "days"]
        times = _as_dates(column, "")
        has_hours = bool((times.dt.normalize() != times)[times.notna()].any())
        return [part for part in self.parts if part != "hour" or has_hours]

    def transform(self, X: Any) -> Any:
        """Turn dates, times and durations into numbers.

        Parameters
        ----------
        X : DataFrame of shape (n, d)
            The table, with the columns of fit.

        Returns
        -------
        pandas.DataFrame of shape (n, p)
            Columns of numbers in the places of the original columns; NaN if a date is missing.

        Raises
        ------
        TypeError
            If `X` is not a DataFrame, or if a column that held dates holds something else.
        ValueError
            If its columns are not those of fit.
        """
        import pandas as pd

        check_is_fitted(self)
        table = _frame(X)
        given = list(map(str, table.columns))
        if given != list(self._kinds):
            raise ValueError(f"X has the columns {given[:8]}; expected {list(self._kinds)[:8]}, as at fit.")
        found: dict[str, Any] = {}
        for j, (name, kind) in enumerate(self._kinds.items()):
            column = table.iloc[:, j]
            if kind is None:
                found[name] = column
                continue
            now = kind_of_time(column)
            if now != kind and column.notna().any():
                raise TypeError(
                    f"Column {name!r} of X held {_PLURAL[kind]} at fit, but has dtype {column.dtype} now, "
                    f"with the cell {column.dropna().iloc[0]!r:.60}."
                )
            numbers = _numbers_of(column, kind, name)
            found |= {made: numbers(made.removeprefix(f"{name}_")) for made in self.input_to_outputs_[name]}
        return pd.DataFrame(found, index=table.index)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the new columns.

        Parameters
        ----------
        input_features : object, default=None
            Not used.

        Returns
        -------
        ndarray of str of shape (p,)
            In the order of `transform`.
        """
        check_is_fitted(self)
        return np.array([made for names in self.input_to_outputs_.values() for made in names], dtype=object)


_PLURAL = {"date": "dates", "time": "times of day", "span": "spans of time"}


def _frame(X: Any) -> Any:
    table = X if hasattr(X, "iloc") and hasattr(X, "columns") else None
    if table is None and hasattr(X, "to_pandas"):
        table = as_frame_or_array(X)
    if table is None:
        raise TypeError(
            f"DateParts needs a DataFrame, whose columns have types. Got {type(X).__name__} instead."
        )
    return table


def _columns(table: Any) -> list[tuple[slice, int]]:
    return [(slice(None), j) for j in range(table.shape[1])]


def kind_of_time(column: Any) -> str | None:
    """Say whether a column (n,) holds ``"date"``, ``"time"`` of day or ``"span"``; None: something else."""
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, pd.DatetimeTZDtype | pd.PeriodDtype) or getattr(dtype, "kind", "") == "M":
        return "date"
    if getattr(dtype, "kind", "") == "m":
        return "span"
    if getattr(dtype, "kind", "") != "O" or isinstance(dtype, pd.CategoricalDtype | pd.StringDtype):
        return None
    cells = column.dropna()
    if not len(cells):
        return None
    for kind, types in (
        ("date", (datetime.date, np.datetime64, pd.Period)),
        ("time", (datetime.time,)),
        ("span", (datetime.timedelta, np.timedelta64)),
    ):
        if all(isinstance(cell, types) for cell in cells):
            return kind
    return None


def _as_dates(column: Any, name: str) -> Any:
    """Give a column of dates (n,) as one of pandas' without a zone: the time that a clock there shows."""
    import pandas as pd

    column = plain_times(column)
    if isinstance(column.dtype, pd.PeriodDtype):
        return column.dt.to_timestamp()
    if column.dtype == object:
        cells = [cell.to_timestamp() if isinstance(cell, pd.Period) else cell for cell in column]
        zones = {cell.tzinfo for cell in cells if getattr(cell, "tzinfo", None) is not None}
        if zones:
            cells = [cell if cell is None or cell is pd.NaT else cell.replace(tzinfo=None) for cell in cells]
        column = pd.Series(pd.to_datetime(pd.Series(cells, dtype=object)).to_numpy(), index=column.index)
    return column.dt.tz_localize(None) if isinstance(column.dtype, pd.DatetimeTZDtype) else column


def _numbers_of(column: Any, kind: str, name: str) -> Any:
    """Give a function from the name of a part to its numbers (n,)."""
    import pandas as pd

    if kind == "time":
        hours = [
            np.nan if pd.isna(t) else t.hour + t.minute / 60 + (t.second + t.microsecond / 1e6) / 3600
            for t in column
        ]
        return lambda part: np.array(hours, dtype=np.float64)
    if kind == "span":
        spans = pd.to_timedelta(plain_times(column))
        return lambda part: (spans.dt.total_seconds() / SECONDS_A_DAY).to_numpy(dtype=np.float64)
    times = _as_dates(column, name)
    if not times.notna().any():
        return lambda part: np.full(len(times), np.nan)

    def of_part(part: str) -> np.ndarray:
        if part == "days":
            spans = times - pd.Timestamp(1970, 1, 1)
            return (spans.dt.total_seconds() / SECONDS_A_DAY).to_numpy(dtype=np.float64)
        if part == "hour":
            spans = times - times.dt.normalize()
            return (spans.dt.total_seconds() / 3600).to_numpy(dtype=np.float64)
        return getattr(times.dt, {"weekday": "day_of_week"}.get(part, part)).to_numpy(dtype=np.float64)

    return of_part
