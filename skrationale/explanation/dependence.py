"""The cells of one column beside their contributions: what plots and pages of a dependence draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..writing import is_missing
from .wording import has_levels, typed_column

if TYPE_CHECKING:
    from ._explanation import Explanation

FEWEST_ROWS = 50
"""Rows that a second column is chosen from at least; of fewer none is found. Not measured."""
PARTS = 10
"""Parts of equal numbers of rows that a column is cut into. Not measured."""
SHARE = 0.05
"""Share of what varies within the parts from which a second column counts. Not measured."""
LEAST = 0.005
"""Share of all that varies which must be left within the parts, or nothing is to explain. Not measured."""
CHANCE = 4.0
"""Standard deviations of that share, if it were chance, that it must exceed too. Not measured."""


@dataclass(frozen=True)
class Dependence:
    """One column of an explanation with one output.

    Parameters
    ----------
    feature : str
        Its name.
    values : ndarray of shape (n,)
        Contributions.
    numbers : ndarray of shape (n,) or None
        Cells of a column of numbers, NaN where one is missing; None of a category.
    levels : tuple of str
        Of a category, the commonest first; then, where there are such rows, the rest as one, and "missing".
    place : ndarray of int of shape (n,)
        Positions in `levels`; empty for numbers.
    """

    feature: str
    values: np.ndarray
    numbers: np.ndarray | None
    levels: tuple[str, ...]
    place: np.ndarray


def is_category(e: Explanation, j: int) -> bool:
    """Whether a column holds levels of a category or truth values, which have no order that matters."""
    if has_levels(e, j):
        return True
    typed = typed_column(e, j)
    return typed is not None and any(isinstance(cell, bool | np.bool_) for cell in typed)


def dependence(e: Explanation, j: int, max_levels: int) -> Dependence:
    """Read a column of an explanation of one output.

    Parameters
    ----------
    e : Explanation
        Of one output.
    j : int
        Which column.
    max_levels : int
        How many levels of a category at most, missing cells apart.

    Returns
    -------
    Dependence
        What there is to draw.

    Raises
    ------
    ValueError
        If the cells of the column are not known.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> cells = [["Ulm"], ["Bonn"], ["Ulm"], [None]]
    >>> found = dependence(Explanation([[1.0], [2], [3], [4]], 0.0, display_data=cells), 0, 5)
    >>> found.levels, found.place
    (('Ulm', 'Bonn', 'missing'), array([0, 1, 0, 2]))
    """
    name, values = e.feature_names[j], e.values[:, j]
    if is_category(e, j):
        return Dependence(name, values, None, *_levels(typed_column(e, j), max_levels))
    if e.data is not None:
        return Dependence(name, values, e.data[:, j], (), np.zeros(0, dtype=int))
    typed = typed_column(e, j)
    if typed is None:
        raise ValueError(
            f"the cells of {name!r} are not known: this explanation has neither `data` nor `display_data`."
        )
    numbers = np.array([np.nan if is_missing(cell) else float(cell) for cell in typed])
    return Dependence(name, values, numbers, (), np.zeros(0, dtype=int))


def _levels(typed: np.ndarray | None, most: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Return names of levels and the place of each cell among them."""
    texts = [None if is_missing(cell) else str(cell) for cell in ([] if typed is None else typed)]
    known = [text for text in texts if text is not None]
    names, counts = np.unique(np.array(known, dtype=object).astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    kept = order if len(order) <= most else order[: most - 1]
    found = {str(names[k]): i for i, k in enumerate(kept)}
    levels = list(found)
    rest = len(names) - len(kept)
    if rest:
        levels.append(f"{rest} other levels")
    gone = len(levels)
    if len(known) < len(texts):
        levels.append("missing")
    place = [gone if text is None else found.get(text, len(kept)) for text in texts]
    return tuple(levels), np.array(place, dtype=int)


def partner(e: Explanation, j: int) -> int | None:
    """Find the column that says most about how contributions of like cells of column `j` differ.

    The rows are cut into parts with like cells, in each of which a straight line is taken off. The parts are
    halved by another column, low and high. That column counts by the share of what is left that the means of
    the halves explain.

    Parameters
    ----------
    e : Explanation
        Of one output.
    j : int
        Which column.

    Returns
    -------
    int or None
        The other column; None where none explains a twentieth, or more than chance would.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> X = np.random.RandomState(0).normal(size=(200, 3))
    >>> e = Explanation(np.column_stack([X[:, 0] * X[:, 2], X[:, 1], X[:, 2]]), 0.0, data=X)
    >>> partner(e, 0), partner(e, 1)
    (2, None)
    """
    if e.data is None or len(e) < FEWEST_ROWS:
        return None
    cells, values = e.data[:, j], np.nan_to_num(e.values[:, j])
    part = _parts(cells)
    left = _left_over(values, np.nan_to_num(cells), part)
    total = float(left @ left)
    if not total > LEAST * float(np.square(values - values.mean()).sum()):
        return None
    shares = [0.0 if k == j else _explained(left, part, e.data[:, k], total) for k in range(e.data.shape[1])]
    best = int(np.argmax(shares))
    return best if shares[best] > SHARE else None


def _parts(cells: np.ndarray) -> np.ndarray:
    """Cut cells (n,) into parts of like ones; missing ones are a part."""
    if np.isnan(cells).all():
        return np.zeros(len(cells), dtype=int)
    edges = np.unique(np.nanquantile(cells, np.linspace(0, 1, PARTS + 1)[1:-1]))
    return np.where(np.isnan(cells), PARTS + 1, np.searchsorted(edges, cells, side="right"))


def _means(values: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Give each row the mean of its part."""
    _, place = np.unique(part, return_inverse=True)
    return (np.bincount(place, values) / np.bincount(place))[place]


def _left_over(values: np.ndarray, cells: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Take the straight line of values (n,) against cells off within each part."""
    values, cells = values - _means(values, part), cells - _means(cells, part)
    spread = _means(cells**2, part)
    slope = np.divide(_means(cells * values, part), spread, out=np.zeros(len(values)), where=spread > 0)
    return np.asarray(values - slope * cells)


def _explained(left: np.ndarray, part: np.ndarray, cells: np.ndarray, total: float) -> float:
    """Share of `total` that halves of another column explain within parts, 0 where that may be chance."""
    known = ~np.isnan(cells)
    if not known.any():
        return 0.0
    middle = np.median(cells[known])
    half = np.where(known, cells > middle, 2)
    if (half[known] == 0).all():  # the median is the largest
        half = np.where(known, cells >= middle, 2)
    both = 3 * part + half
    found = _means(left, both)
    freedom = len(np.unique(both)) - len(np.unique(part))
    if not freedom:
        return 0.0
    chance = (freedom + CHANCE * np.sqrt(2 * freedom)) / max(len(left) - len(np.unique(part)), 1)
    share = float(found @ found) / total
    return share if share > chance else 0.0
