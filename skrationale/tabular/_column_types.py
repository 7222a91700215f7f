"""Types of a table's columns, so that rows made of its cells look like those a model was fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._dtypes import UNSEEN, UNSEEN_NAME


@dataclass(frozen=True, eq=False)
class ColumnType:
    """How a column of a DataFrame holds its cells.

    Parameters
    ----------
    dtype : dtype
        Of numpy or of pandas.
    none : bool
        Whether a missing cell of objects is None instead of NaN.
    """

    dtype: Any
    none: bool

    def __getstate__(self) -> dict[str, Any]:
        return {"dtype": plain_dtype(self.dtype), "none": self.none}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(dtype=dtype_of(state["dtype"]), none=state["none"])

    @classmethod
    def of(cls, column: Any) -> ColumnType:
        """See what a Series (n,) is; of several marks for missing cells the first counts."""
        if column.dtype != object:
            return cls(column.dtype, False)
        missing = column[column.isna()]
        return cls(column.dtype, len(missing) > 0 and missing.iloc[0] is None)

    @classmethod
    def plain(cls) -> ColumnType:
        """Make the type of a column without one: numbers are float64, all else is objects."""
        return cls(np.dtype(np.float64), False)

    def numbers(self, values: np.ndarray) -> Any:
        """Give numbers (n,), NaN if missing, this type where it can hold them."""
        import pandas as pd

        missing = np.isnan(values)
        if self.dtype == object:
            cells = values.astype(object)
            cells[missing] = None if self.none else np.nan
            return pd.Series(cells, dtype=object)
        if not isinstance(self.dtype, np.dtype):
            cells = values.astype(object)
            cells[missing] = None
            return pd.array(cells, dtype=self.dtype)
        if missing.any() and self.dtype.kind in "biu":
            return values
        return values.astype(self.dtype, copy=False)

    def levels(self, codes: np.ndarray, levels: np.ndarray) -> Any:
        """Give the levels (L,) that codes (n,) stand for, in this type: NaN if missing, -1 if unseen."""
        import pandas as pd

        n, missing = len(levels), np.isnan(codes)
        places = np.where(missing, n + 1, np.where(codes == UNSEEN, n, codes)).astype(np.intp)
        if isinstance(self.dtype, pd.CategoricalDtype):
            known: Any = (
                levels.tolist() if len(levels) != len(self.dtype.categories) else self.dtype.categories
            )
            if (places == n).any():
                known = [*known, UNSEEN_NAME]
            places[missing] = -1
            return pd.Categorical.from_codes(places, categories=known, ordered=bool(self.dtype.ordered))
        cells = np.empty(n + 2, dtype=object)
        cells[:n], cells[n], cells[n + 1] = levels, UNSEEN_NAME, None if self.none else np.nan
        if self.dtype == object:
            return pd.Series(cells.take(places), dtype=object)
        plain = isinstance(self.dtype, np.dtype)
        return (cells if plain else pd.array(cells, dtype=self.dtype)).take(places)


def plain_dtype(dtype: Any) -> Any:
    """Write a dtype of numpy or pandas as text, or as a dict, which files without code can hold.

    Parameters
    ----------
    dtype : dtype
        Any.

    Returns
    -------
    str, dict or dtype
        The dtype itself where it has no name that leads back to it.

    Examples
    --------
    >>> plain_dtype(np.dtype("float32")), dtype_of("float32")
    ('float32', dtype('float32'))
    """
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        found = dtype.categories
        if found is None:
            return {"categories": None, "ordered": dtype.ordered}
        values = np.asarray(found, dtype=object)
        return {"categories": values, "of": plain_dtype(found.dtype), "ordered": dtype.ordered}
    if isinstance(dtype, pd.StringDtype):
        return {"storage": dtype.storage, "na": dtype.na_value is pd.NA}
    try:
        return str(dtype) if pd.api.types.pandas_dtype(str(dtype)) == dtype else dtype
    except (TypeError, ValueError):  # of another package, or with fields
        return dtype


def dtype_of(plain: Any) -> Any:
    """Give the dtype that `plain_dtype` has written."""
    import pandas as pd

    if isinstance(plain, str):
        return pd.api.types.pandas_dtype(plain)
    if not isinstance(plain, dict):
        return plain
    if "storage" in plain:
        return pd.StringDtype(plain["storage"], na_value=pd.NA if plain["na"] else np.nan)
    if plain["categories"] is None:
        return pd.CategoricalDtype(ordered=plain["ordered"])
    levels = pd.Index(plain["categories"], dtype=dtype_of(plain["of"]))
    return pd.CategoricalDtype(levels, ordered=plain["ordered"])
