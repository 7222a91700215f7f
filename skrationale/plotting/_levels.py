"""Names of the commonest levels of a category over their points in a beeswarm."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..writing import is_missing
from ._style import label, paper, points_wide, readable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVELS = ("#009e73", "#cc79a7", "#8c6d1f", "#7a5cc2")
"""Colours of the commonest levels, unlike those of low and high numbers."""
LEVEL_WIDTH = 16
CHARACTER = 4.6
"""Mean width of a character of a level's name, in points. Not measured."""
KNOWN_WIDTH = 0.7
"""Share of the width of new axes that is left when names stand beside them. Not measured."""


def commonest(typed: Any) -> np.ndarray:
    """Place (n,) of each cell among the commonest levels, 0 the commonest; -1 for others and missing ones.

    Examples
    --------
    >>> commonest(["b", "a", None, "b"])
    array([ 0,  1, -1,  0])
    """
    texts = np.array(["" if is_missing(cell) else str(cell) for cell in typed], dtype=object)
    known = np.array([not is_missing(cell) for cell in typed], dtype=bool)
    place = np.full(len(texts), -1)
    if known.any():
        levels, which, counts = np.unique(texts[known].astype(str), return_inverse=True, return_counts=True)
        order = np.argsort(-counts, kind="stable")[: len(LEVELS)]
        rank = np.full(len(levels), -1)
        rank[order] = np.arange(len(order))
        place[known] = rank[which]
    return place


def apart(centres: np.ndarray, widths: np.ndarray, low: float, high: float) -> np.ndarray:
    """Move centres (m,), in ascending order, until texts of these widths neither meet nor leave their room.

    Examples
    --------
    >>> apart(np.array([0.0, 1.0]), np.array([4.0, 4.0]), 0.0, 10.0)
    array([2., 6.])
    """
    moved = np.maximum(centres, low + widths / 2)
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + (widths[i - 1] + widths[i]) / 2)
    moved[-1] = min(moved[-1], high - widths[-1] / 2)
    for i in range(len(moved) - 2, -1, -1):
        moved[i] = min(moved[i], moved[i + 1] - (widths[i] + widths[i + 1]) / 2)
    return moved


def write_levels(
    ax: "Axes",
    line: int,
    typed: Any,
    place: np.ndarray,
    values: np.ndarray,
    heights: np.ndarray,
    *,
    own: bool,
) -> None:
    """Write the names of the commonest levels above their points (n,), each in its colour.

    Where there is no room for all, those of fewer rows are left out.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.
    line : int
        Height of the line.
    typed : sequence of length n
        Cells.
    place : ndarray of shape (n,)
        From `commonest`.
    values, heights : ndarray of shape (n,)
        Of the points.
    own : bool
        Whether the axes are new, so that names of lines will take some of their width.
    """
    from matplotlib.patheffects import withStroke

    low, high = ax.get_xlim()
    point = (high - low) / (points_wide(ax) * (KNOWN_WIDTH if own else 1.0))
    found = [(k, np.flatnonzero((place == k) & np.isfinite(values))) for k in range(len(LEVELS))]
    found = [(k, rows) for k, rows in found if len(rows)]
    names = {k: label(str(typed[rows[0]]), LEVEL_WIDTH) for k, rows in found}
    while found and sum(len(names[k]) + 1 for k, _ in found) * CHARACTER * point > high - low:
        found.pop()
    if not found:
        return
    found.sort(key=lambda level: float(np.median(values[level[1]])))
    centres = np.array([float(np.median(values[rows])) for _, rows in found])
    widths = np.array([(len(names[k]) + 1) * CHARACTER * point for k, _ in found])
    top = min(line - 0.12, *(float(heights[rows].min()) for _, rows in found))
    for (k, _), x in zip(found, apart(centres, widths, low, high), strict=True):
        text = ax.annotate(
            names[k], (x, top), (0, 3), textcoords="offset points", ha="center", va="bottom", zorder=5
        )
        text.set(color=readable(LEVELS[k]), fontsize="x-small")
        text.set_path_effects([withStroke(linewidth=2, foreground=paper())])
