"""Colours of points by the cells of a column: ranks of numbers, and the commonest levels of a category."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..explanation import Explanation
from ..explanation.wording import has_levels, typed_column
from ..writing import NEGATIVE, POSITIVE, is_missing
from ._levels import commonest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection


def colour_by(e: Explanation, j: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rank of each cell in [0, 1], NaN where it has none, and whether the cell is missing."""
    nothing = np.full(len(e), np.nan)
    typed = typed_column(e, j)
    numbers = None if e.data is None else e.data[:, j]
    if typed is not None:
        missing = np.array([is_missing(cell) for cell in typed], dtype=bool)
    elif numbers is not None:
        missing = np.isnan(numbers)
    else:
        return nothing, np.zeros(len(e), dtype=bool)
    known = ~missing if numbers is None else ~missing & ~np.isnan(numbers)
    if numbers is None or has_levels(e, j) or not known.any():
        return nothing, missing
    levels, place = np.unique(numbers[known], return_inverse=True)
    # Rows per level, so that a rank counts rows and one outlier does not take all the colour.
    counts = np.bincount(place, minlength=len(levels))
    middle = np.cumsum(counts) - (counts + 1) / 2
    span = middle[-1] - middle[0]
    nothing[known] = (middle[place] - middle[0]) / span if span > 0 else 0.5
    return nothing, missing


def levels_by(e: Explanation, j: int) -> np.ndarray:
    """Return the place of each cell among the commonest levels, -1 where it is none of them."""
    typed = typed_column(e, j)
    return commonest(typed) if typed is not None and has_levels(e, j) else np.full(len(e), -1)


def low_to_high() -> Any:
    """Return the colours of ranks."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("low_high", [NEGATIVE, "#93688c", POSITIVE])


def colour_bar(ax: "Axes", points: "PathCollection", name: str) -> None:
    """Say what low and high colours mean."""
    bar = ax.figure.colorbar(points, ax=ax, aspect=30, pad=0.02, ticks=[0, 1])
    bar.ax.set_yticklabels(["low", "high"])
    bar.ax.tick_params(length=0)
    bar.set_label(name, labelpad=-12)
    bar.outline.set_visible(False)
