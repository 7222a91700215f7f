"""An explanation as a table."""

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from ..writing import is_missing
from .checks import one_of
from .labels import in_words, pandas_index
from .wording import TIMES, cells

if TYPE_CHECKING:
    import pandas as pd

    from ._explanation import Explanation


BACKENDS = ("pandas", "polars", "pyarrow")
_NUMBERS = (int, float, Fraction, np.floating)
_KNOWN = (str, bytes, bool, np.bool_, np.integer, np.floating, Decimal, *TIMES)
"""Cells for which polars and pyarrow have types."""


def to_frame(self: "Explanation", *, long: bool = False, backend: str = "pandas") -> Any:
    """Return the values as a DataFrame.

    Parameters
    ----------
    long : bool, default=False
        If False, one line per row and one column per feature; with several outputs the columns are a
        MultiIndex (output, feature). If True, one line per value (tidy), with the columns row, output (with
        several outputs), feature, value, data (the value in your table, if known) and selected (with a mask).
    backend : {"pandas", "polars", "pyarrow"}, default="pandas"
        The package of the table. Tables of polars and pyarrow have no row labels: labels of the explanation
        become their first column, row. With several outputs their columns are called ``output: feature``. A
        column holds text if its cells have several types, or one that these packages do not have, such as
        Period and Interval. A label of several levels is one text, such as ``Ulm, 3``.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table
        Rows have the labels of the table that was explained, and the column row holds the same labels.

    Raises
    ------
    ValueError
        If the backend is not known, or if two columns would have the same name, which polars and pyarrow do
        not allow.
    ImportError
        If the package is not installed.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> Explanation([[1.0, -3.0]], 0.1, feature_names=["age", "hours"]).to_frame()
       age  hours
    0  1.0   -3.0
    """
    one_of("backend", backend, BACKENDS)
    frame = long_frame(self) if long else wide_frame(self)
    if backend == "pandas":
        return frame
    columns = [": ".join(name) if isinstance(name, tuple) else str(name) for name in frame.columns]
    found: list[Any] = [frame.iloc[:, j] for j in range(len(columns))]
    if not long and self.index is not None:
        columns, found = ["row", *columns], [frame.index.to_flat_index(), *found]
    twice = next((name for j, name in enumerate(columns) if name in columns[:j]), None)
    if twice is not None:
        raise ValueError(
            f"Two columns of the table would have the name {twice!r}, which backend={backend!r} does not "
            "allow."
        )
    data = dict(zip(columns, map(_of_one_type, found), strict=True))
    if backend == "polars":
        import polars

        return polars.DataFrame(data)
    import pyarrow

    return pyarrow.table(data)


def _of_one_type(column: Any) -> Any:
    """Keep whole numbers, floats and cells of one known type; make floats of mixed numbers, text of others.

    Missing cells become None, but stay NaN among floats.
    """
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return column.to_numpy()
    cells = column.tolist()
    known = [None if is_missing(cell) else cell for cell in cells]
    kinds = {type(cell) for cell in known if cell is not None}
    if kinds == {int}:
        fit = all(cell is None or -(2**63) <= cell < 2**63 for cell in known)
        return known if fit else [None if cell is None else str(cell) for cell in known]
    if kinds <= {int, float} or kinds == {Fraction}:
        return [float(cell) if isinstance(cell, _NUMBERS) else None for cell in cells]
    if len(kinds) == 1 and issubclass(kinds.pop(), _KNOWN):
        return known
    return [None if cell is None else in_words(cell) for cell in known]


def wide_frame(explanation: "Explanation") -> "pd.DataFrame":
    """Return (n, d) values, or (n, k * d) under a MultiIndex (output, feature)."""
    import pandas as pd

    e = explanation
    index = pandas_index(e.index, len(e))
    if e.n_outputs == 1:
        return pd.DataFrame(e.values, index, columns=list(e.feature_names))
    columns = pd.MultiIndex.from_product([e.output_names, e.feature_names], names=["output", "feature"])
    return pd.DataFrame(e.values.transpose(0, 2, 1).reshape(len(e), len(columns)), index, columns=columns)


def long_frame(explanation: "Explanation") -> "pd.DataFrame":
    """Return one row for each value, ordered by row, output, feature."""
    import pandas as pd

    e = explanation
    n, d, k = len(e), len(e.feature_names), e.n_outputs

    def per_output(table: np.ndarray) -> np.ndarray:
        return np.repeat(table[:, None, :], k, axis=1).ravel()

    # One label a row, so that those of several levels become tuples.
    columns: dict[str, Any] = {"row": pandas_index(e.index, n).to_flat_index().repeat(k * d)}
    if k > 1:
        columns["output"] = np.tile(np.repeat(np.array(e.output_names, dtype=object), d), n)
    columns["feature"] = np.tile(np.array(e.feature_names, dtype=object), n * k)
    columns["value"] = e.values.reshape(n, d, k).transpose(0, 2, 1).ravel()
    typed = cells(e)
    if typed is not None:
        columns["data"] = per_output(typed)
    if e.mask is not None:
        columns["selected"] = per_output(e.mask)
    return pd.DataFrame(columns)
