"""How well explanations agree with each other, over refits and under small noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from numbers import Real
from typing import Any

import numpy as np

from .._scales import exponents
from ..explanation import Explanation
from ..tabular import table_or_array
from ._checks import alike, an_explanation, generator, positive_integer, value_lines
from ._fidelity import _row_spearman, _top_sets, row_cosine
from ._perturbing import MAX_CELLS, MAX_ROWS


def top_k_agreement(a: Explanation, b: Explanation, k: int = 3) -> float:
    """Measure how many of the k most important columns two explanations of the same rows share.

    Parameters
    ----------
    a, b : Explanation of n rows and d columns
        With several outputs each output counts as a row.
    k : int, default=3
        Number of columns, chosen by absolute value; if values are equal, the first column is chosen. At most
        d.

    Returns
    -------
    float
        Mean share over rows, from 0 to 1.

    Raises
    ------
    ValueError, TypeError
        If rows, columns or outputs differ, or a parameter is not as described.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.metrics import top_k_agreement
    >>> a, b = Explanation([[3.0, 2.0, 1.0]], 0.0), Explanation([[3.0, 1.0, 2.0]], 0.0)
    >>> top_k_agreement(a, b, k=2)
    0.5
    """
    alike("a and b", a, b)
    k = min(positive_integer("k", k), a.values.shape[1])
    tops = [_top_sets(np.abs(value_lines(e)), k) for e in (a, b)]
    return float((tops[0] & tops[1]).sum(axis=1).mean() / k)


def seed_stability(explanations: Sequence[Explanation], k: int = 3) -> dict[str, float]:
    """Compare explanations of the same rows from several fits of a model with each other.

    Parameters
    ----------
    explanations : sequence of Explanation
        At least two, of the same rows, columns and outputs.
    k : int, default=3
        Number of most important columns that are compared.

    Returns
    -------
    dict of str to float
        Means over pairs and rows: ``top_k_agreement``; ``spearman``, the rank correlation of absolute values;
        ``cosine``; and if all have a mask ``jaccard``: the number of columns in both masks, divided by the
        number of columns in either mask (1 if both are empty).

    Raises
    ------
    ValueError, TypeError
        If there are fewer than two explanations, if their rows, columns or outputs differ, or if a parameter
        is not as described.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.metrics import seed_stability
    >>> a, b = Explanation([[3.0, 4.0]], 0.0), Explanation([[-3.0, 4.0]], 0.0)
    >>> {name: round(value, 2) for name, value in seed_stability([a, b], k=1).items()}
    {'top_k_agreement': 1.0, 'spearman': 1.0, 'cosine': 0.28}
    """
    explanations = list(explanations)
    if len(explanations) < 2:
        raise ValueError(f"explanations must hold at least two. Got {len(explanations)} instead.")
    found: dict[str, list[float]] = {}
    for a, b in combinations(explanations, 2):
        alike("explanations", a, b)
        first, second = value_lines(a), value_lines(b)
        measures = {
            "top_k_agreement": top_k_agreement(a, b, k),
            "spearman": float(_row_spearman(np.abs(first), np.abs(second)).mean()),
            "cosine": float(_cosine(first, second).mean()),
        }
        if all(e.mask is not None for e in explanations):
            either = (a.mask | b.mask).sum(axis=1)  # type: ignore[operator]
            both = (a.mask & b.mask).sum(axis=1)  # type: ignore[operator]
            measures["jaccard"] = float(np.where(either, both / np.maximum(either, 1), 1.0).mean())
        for name, value in measures.items():
            found.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in found.items()}


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine (n,) of lines (n, d); 1 where both are zero, 0 where one is."""
    return np.where(a.any(axis=1) | b.any(axis=1), row_cosine(a, b), 1.0)


def noise_stability(
    explain: Callable[[Any], Explanation],
    X: Any,
    *,
    noise: float = 0.05,
    n_draws: int = 5,
    random_state: Any = 0,
    per_row: bool = False,
) -> dict[str, Any]:
    """Measure how much explanations change if numbers change a little.

    Parameters
    ----------
    explain : callable
        Takes a table and returns an Explanation, such as the method of an estimator.
    X : DataFrame or array-like of shape (n, d)
        Rows. `explain` gets tables of this type, with whole numbers as floats; categories, text, booleans and
        missing cells are not changed.
    noise : float, default=0.05
        Standard deviation of the normal noise, in standard deviations of each column.
    n_draws : int, default=5
        Number of noisy copies of each row.
    random_state : int, RandomState, Generator or None, default=0
        Seed.
    per_row : bool, default=False
        Whether to return the measures of each row instead of their means.

    Returns
    -------
    dict of str to float, or to ndarray of shape (n,)
        ``cosine``: mean cosine similarity, over rows and draws, between the values for the row and for its
        noisy copy; high is stable. ``max_sensitivity``: for each draw, the distance between values is divided
        by the distance between inputs, in standard deviations of the columns. The largest ratio of each row
        is averaged over rows; low is stable.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, if no column holds numbers that vary, or if `explain` does not
        return an explanation of the given rows.

    References
    ----------
    Alvarez-Melis and Jaakkola, On the Robustness of Interpretability Methods, ICML Workshop on Human
    Interpretability in Machine Learning 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.metrics import noise_stability
    >>> X = np.random.RandomState(0).normal(size=(50, 2))
    >>> X /= X.std(axis=0)
    >>> stable = noise_stability(lambda table: Explanation(2 * table, 0.0), X)
    >>> round(stable["max_sensitivity"], 6), stable["cosine"] > 0.95
    (2.0, True)
    """
    if not isinstance(noise, Real) or not 0 < noise < np.inf:
        raise ValueError(f"noise must be a positive number. Got {noise!r} instead.")
    n_draws = positive_integer("n_draws", n_draws)
    table = table_or_array("X", X)
    positions, spread = _spreads(table)
    draws, n = generator(random_state), len(table)
    step = max(1, min(MAX_ROWS, MAX_CELLS // table.shape[1]) // n_draws)
    cosines, largest = [], []
    for start in range(0, n, step):
        rows = np.arange(start, min(start + step, n))
        calm = _explained(explain, _take(table, rows))
        shift = noise * draws.normal(size=(len(rows) * n_draws, len(positions)))
        noisy = _explained(explain, _noisy(table, rows.repeat(n_draws), positions, shift * spread))
        moved = ~np.isnan(_numbers(table, positions)[rows.repeat(n_draws)])
        way = np.linalg.norm(shift * moved, axis=1)
        calm = calm.repeat(n_draws, axis=0)
        if noisy.shape != calm.shape:
            raise ValueError(f"explain gave values of shape {noisy.shape}; expected {calm.shape}.")
        cosines.append(_cosine(_lines(calm), _lines(noisy)).reshape(len(rows), -1).mean(axis=1))
        change = np.linalg.norm((noisy - calm).reshape(len(noisy), -1), axis=1)
        ratio = np.divide(change, way, out=np.zeros_like(change), where=way > 0)
        largest.append(ratio.reshape(len(rows), n_draws).max(axis=1))
    found = {"cosine": np.concatenate(cosines), "max_sensitivity": np.concatenate(largest)}
    return found if per_row else {name: float(rows.mean()) for name, rows in found.items()}


def _lines(values: np.ndarray) -> np.ndarray:
    return values if values.ndim == 2 else values.transpose(0, 2, 1).reshape(-1, values.shape[1])


def _explained(explain: Callable[[Any], Explanation], table: Any) -> np.ndarray:
    """Values of a table of m rows, NaN as 0."""
    explanation = an_explanation("what explain returns", explain(table))
    if len(explanation) != len(table):
        raise ValueError(
            f"explain gave {len(explanation)} rows; expected {len(table)}, one per row that it was given."
        )
    return np.nan_to_num(explanation.values)


def _numbers(table: Any, positions: np.ndarray) -> np.ndarray:
    """Columns of numbers as floats (n, p), NaN where missing."""
    if isinstance(table, np.ndarray):
        return table[:, positions].astype(np.float64)
    columns = [table.iloc[:, j].to_numpy(dtype=np.float64, na_value=np.nan) for j in positions]
    return np.stack(columns, axis=1)


def _spreads(table: Any) -> tuple[np.ndarray, np.ndarray]:
    """Positions (p,) of columns of numbers that vary, and their standard deviations (p,)."""
    if isinstance(table, np.ndarray):
        numeric = np.full(table.shape[1], table.dtype.kind in "iuf")
    else:
        from pandas.api.types import is_bool_dtype, is_numeric_dtype

        numeric = np.array([is_numeric_dtype(t) and not is_bool_dtype(t) for t in table.dtypes])
    positions = np.flatnonzero(numeric)
    if positions.size:
        numbers = _numbers(table, positions)
        units = exponents(numbers)
        numbers = np.ldexp(numbers, -units)  # squares stay in range
        known = ~np.isnan(numbers)
        count = np.maximum(known.sum(axis=0), 1)
        mean = numbers.sum(axis=0, where=known) / count
        spread = np.sqrt(((numbers - mean) ** 2).sum(axis=0, where=known) / count)
        # a constant column may differ from its own mean by rounding
        varies = spread > 1e-12 * np.abs(mean)
        if varies.any():
            return positions[varies], np.ldexp(spread, units)[varies]
    raise ValueError("X has no numeric column with different values; noise is added only to such columns.")


def _take(table: Any, rows: np.ndarray) -> Any:
    return table[rows] if isinstance(table, np.ndarray) else table.iloc[rows].reset_index(drop=True)


def _noisy(table: Any, rows: np.ndarray, positions: np.ndarray, noise: np.ndarray) -> Any:
    """Rows of a table with noise (m, p) added to the columns at some positions."""
    taken = _take(table, rows)
    if isinstance(taken, np.ndarray):
        taken = taken.astype(taken.dtype if taken.dtype.kind == "f" else np.float64)
        taken[:, positions] += noise.astype(taken.dtype)
        return taken
    import pandas as pd

    columns = {j: taken.iloc[:, j] for j in range(taken.shape[1])}
    for j, shift in zip(positions, noise.T, strict=True):
        floats = columns[j] * 1.0
        columns[j] = (floats + shift).astype(floats.dtype)
    return pd.DataFrame(columns, copy=False).set_axis(taken.columns, axis=1)
