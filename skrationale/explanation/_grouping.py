"""Reasons of columns that a transformer made, summed to the columns that they were made from."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .._arrow import plain_times
from ._sources import sources_of
from .labels import check_same_rows

if TYPE_CHECKING:
    from ._explanation import Explanation


def grouped(self: "Explanation", by: Any, X: Any = None) -> "Explanation":
    """Add up the values of columns that were made from the same original column.

    The values of one-hot columns become one value of their category, those of lags one value of their series,
    and those of parts of a date one value of the date. Base values do not change, and neither does their sum
    with the values.

    Parameters
    ----------
    by : dict of str to list of str, or transformer
        A dict has for each source the columns that were made from it; a column that is in no list is kept. Or
        give the fitted transformer that made the columns (ColumnTransformer, Pipeline, FeatureUnion, an
        encoder, skrub's TableVectorizer): its ``get_feature_names_out`` shows which columns come from which
        source.
    X : DataFrame or array of shape (n, s), default=None
        The rows before the transformer, whose cells are then shown. Without `X`, and for sources that are not
        in it, only cells of kept columns are shown. An array needs a transformer as `by`, which names its
        columns.

    Returns
    -------
    Explanation
        With one value for each row and source, in the order of the sources. Bounds are added up too. The mask
        of a source is True if at least one of its columns was used.

    Raises
    ------
    TypeError
        If `by` is neither a dict nor a transformer.
    ValueError
        If a name is not known or is in two lists, if the transformer made other columns than the explained
        ones or made one column from several, or if `X` has another number of rows, or has them in another
        order.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> e = Explanation([[1.0, -3.0, 0.5]], 0.1, feature_names=["city_Bonn", "city_Ulm", "age"])
    >>> e.grouped({"city": ["city_Bonn", "city_Ulm"]}).to_frame()
       city  age
    0  -2.0  0.5
    """
    names, positions = _groups(self.feature_names, by, X)
    if isinstance(X, np.ndarray) and not isinstance(by, Mapping) and X.shape[1:] == (len(names),):
        import pandas as pd

        X = pd.DataFrame(X, columns=names).infer_objects()
    order = np.unique(positions)
    used = [names[k] for k in order]
    place = np.searchsorted(order, positions)
    total = np.zeros((len(positions), len(used)))
    total[np.arange(len(positions)), place] = 1.0
    changes: dict[str, Any] = {"feature_names": tuple(used)}
    for field in ("values", "lower_bounds", "upper_bounds"):
        array = getattr(self, field)
        if array is not None:
            changes[field] = _summed(array, place, len(used))
    if self.mask is not None:
        changes["mask"] = (self.mask.astype(float) @ total) > 0
    changes["data"], changes["display_data"] = _cells(self, place, used, X)
    made: dict[str, list[str]] = {name: [] for name in used}
    for name, k in zip(self.feature_names, place, strict=True):
        made[used[k]].append(name)
    changes["meta"] = {**self.meta, "grouped": made}
    return self._changed(**changes)


def _summed(array: np.ndarray, place: np.ndarray, count: int) -> np.ndarray:
    """Sum columns (n, d, ...) to groups (n, count, ...), in the order of columns."""
    result = np.zeros((array.shape[0], count, *array.shape[2:]))
    for j, k in enumerate(place):
        result[:, k] += array[:, j]
    return result


def _groups(features: tuple[str, ...], by: Any, X: Any) -> tuple[list[str], np.ndarray]:
    """Names of sources, and for each feature (d,) the position of its source among them."""
    if isinstance(by, Mapping):
        return _of_mapping(features, by)
    if not (hasattr(by, "transform") or hasattr(by, "steps")):
        raise TypeError(
            "`by` must be a dict of each source and its columns, or the fitted transformer that made them. "
            f"Got {type(by).__name__} instead."
        )
    inputs, outputs, positions = sources_of(by, getattr(X, "columns", None))
    if len(outputs) != len(features):
        raise ValueError(
            f"`by` makes {len(outputs)} columns, but {len(features)} are explained: expected the transformer "
            "whose output was explained."
        )
    counted = tuple(f"x{j}" for j in range(len(features)))
    if features != counted and tuple(outputs) not in (features, counted):
        here, there = next((a, b) for a, b in zip(features, outputs, strict=True) if a != b)
        raise ValueError(
            f"`by` makes a column {there!r} where {here!r} is explained; expected the same names."
        )
    return inputs, positions


def _of_mapping(features: tuple[str, ...], by: Mapping[str, Any]) -> tuple[list[str], np.ndarray]:
    origin: dict[str, str] = {}
    for source, columns in by.items():
        if isinstance(columns, str) or not np.iterable(columns):
            raise TypeError(f"`by[{source!r}]` must be a list of columns. Got {columns!r} instead.")
        for column in columns:
            if str(column) not in features:
                raise ValueError(
                    f"`by[{source!r}]` names the column {column!r}, which is not explained; expected some of "
                    f"{list(features[:8])}{', ...' if len(features) > 8 else ''}."
                )
            if origin.setdefault(str(column), str(source)) != str(source):
                raise ValueError(
                    f"`by` has the column {column!r} in {origin[str(column)]!r} and in {source!r}."
                )
    sources = [origin.get(name, name) for name in features]
    alone = {name for name in features if name not in origin}
    both = next((name for name in alone if name in set(origin.values())), None)
    if both is not None:
        raise ValueError(
            f"`by` has a source {both!r}, and a column that is not in any list has the same name; add "
            "this column to the list of that source."
        )
    names = list(dict.fromkeys(sources))
    return names, np.array([names.index(source) for source in sources], dtype=int)


def _cells(explanation: "Explanation", place: np.ndarray, names: list[str], X: Any) -> tuple[Any, Any]:
    """Cells of sources as numbers or codes (n, s) and as typed (n, s): those of `X`, or of single columns."""
    n = len(explanation)
    if X is not None and (not hasattr(X, "columns") or len(X) != n):
        raise ValueError(
            f"`X` must be a DataFrame of the {n} rows explained, before the transformer. Got "
            f"{type(X).__name__}{f' of shape {X.shape}' if hasattr(X, 'shape') else ''} instead."
        )
    check_same_rows(explanation.index, X)
    known = {} if X is None else {str(name): X[name] for name in X.columns}
    data = np.full((n, len(names)), np.nan)
    typed = np.full((n, len(names)), None, dtype=object)
    own, shown = explanation.data, explanation.display_data
    for k, name in enumerate(names):
        made_of = np.flatnonzero(place == k)
        if name in known:
            data[:, k], typed[:, k] = _numbers(known[name]), np.asarray(known[name], dtype=object)
        elif len(made_of) == 1:
            data[:, k] = np.nan if own is None else own[:, made_of[0]]
            typed[:, k] = None if shown is None else shown[:, made_of[0]]
    has_cells = bool(known.keys() & set(names))
    return data if has_cells or own is not None else None, typed if has_cells or shown is not None else None


def _numbers(column: Any) -> np.ndarray:
    """Numbers of a column (n,) of pandas or polars, days of dates, or codes of sorted values."""
    import pandas as pd

    series = plain_times(column if isinstance(column, pd.Series) else pd.Series(np.asarray(column)))
    if series.dtype.kind in "mM" or isinstance(series.dtype, pd.DatetimeTZDtype):
        times: Any = series.dt.tz_localize(None) if isinstance(series.dtype, pd.DatetimeTZDtype) else series
        spans = times if series.dtype.kind == "m" else times - pd.Timestamp(1970, 1, 1)
        return spans.dt.total_seconds().to_numpy(dtype=np.float64) / 86400
    if pd.api.types.is_numeric_dtype(series.dtype) and not isinstance(series.dtype, pd.CategoricalDtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    codes, _ = pd.factorize(series.astype(object).map(str).where(series.notna()), sort=True)
    return np.where(codes < 0, np.nan, codes.astype(float))
