"""BeeswarmDisplay: every value of every row, coloured by what the feature was."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..explanation import Explanation
from ..explanation.wording import others, quantity, rank, typed_column
from ._colouring import colour_bar, colour_by, levels_by, low_to_high
from ._display import ExplanationDisplay
from ._levels import LEVELS, write_levels
from ._style import LEGEND_ABOVE, axes_for, category, label, missing, note, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ONE_ROW = "One row has one point per line: a waterfall shows how its contributions add up."
HALF_HEIGHT, BINS, CROWD = 0.38, 80, 6
LEGEND: dict[str, Any] = LEGEND_ABOVE | {"ncols": 2, "markerscale": 1.6, "handletextpad": 0.1}


class BeeswarmDisplay(ExplanationDisplay):
    """One point for each row and feature; crowded points are moved up and down, by a fixed rule.

    The colour shows the rank of the cell among the numbers of its column. Categories have no order: up to
    four of the most frequent levels have a colour each, with their names above their points, and other levels
    are grey. Missing cells are hollow points. Make one with `from_explanation` or `from_estimator`.

    Parameters
    ----------
    explanation : Explanation
        The explanation to draw, of one output.
    max_display : int, default=None
        Largest number of lines; the weakest features are shown together on the last line. None: 10.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.plotting import BeeswarmDisplay
    >>> e = Explanation([[1.0, -3.0], [0.5, 2.0]], 0.1, data=[[39, 60], [20, 30]])
    >>> BeeswarmDisplay.from_explanation(e).ax_.get_xlabel()
    'contribution to output'
    """

    _word = "beeswarm"

    def _check_explanation(self, explanation: Explanation) -> None:
        self._need_one_output(explanation)

    def _draw_explanation(self, explanation: Explanation, ax: "Axes | None") -> "Axes":
        e = explanation
        shown, rest = rank(e.mean_abs(), self.max_display)
        names, columns = [label(e.feature_names[j]) for j in shown], [e.values[:, j] for j in shown]
        colours = [colour_by(e, j) for j in shown]
        levels = [levels_by(e, j) for j in shown]
        if len(rest):
            names.append(others(len(rest)))
            columns.append(e.values[:, rest].sum(axis=1))
            colours.append((np.full(len(e), np.nan), np.zeros(len(e), dtype=bool)))
            levels.append(np.full(len(e), -1))
        own = ax is None
        ax = axes_for(ax, max(len(names), 3))
        ax.axvline(0, color="#888888", linewidth=1, zorder=1)
        lines = tidy(ax, names, quantity(e), gap=len(shown) if len(rest) and len(shown) else None)
        values = np.array(columns)
        heights = spread(values) + lines[:, None]
        order, gone = map(np.array, zip(*colours, strict=True))
        _scatter(ax, values, heights, order, gone, np.array(levels))
        for line, (j, place) in enumerate(zip(shown, levels, strict=False)):
            if (place >= 0).any():
                write_levels(ax, line, typed_column(e, j), place, values[line], heights[line], own=own)
        if len(e) == 1 and e.kind != "rationale":
            note(ax, ONE_ROW)
        return ax


def _scatter(
    ax: "Axes",
    values: np.ndarray,
    heights: np.ndarray,
    order: np.ndarray,
    gone: np.ndarray,
    levels: np.ndarray,
) -> None:
    """Draw all points (lines, n), with a legend of the grey and hollow ones and a colour bar of numbers."""
    style: dict[str, Any] = {"s": 14, "linewidths": 0, "zorder": 3, "rasterized": values.size > 10_000}
    ordered = ~np.isnan(order)
    plain = ~ordered & ~gone & (levels < 0)
    if plain.any():
        ax.scatter(values[plain], heights[plain], color=category(), label="no order", **style)
    if gone.any():
        hollow = style | {"linewidths": 0.8, "facecolors": "none", "edgecolors": missing()}
        ax.scatter(values[gone], heights[gone], label="missing", **hollow)
    for k, colour in enumerate(LEVELS):
        if (levels == k).any():
            ax.scatter(values[levels == k], heights[levels == k], color=colour, **style)
    if gone.any() or (plain.any() and (ordered.any() or (levels >= 0).any())):
        ax.legend(**LEGEND)
    if ordered.any():
        c = order[ordered]
        points = ax.scatter(
            values[ordered], heights[ordered], c=c, cmap=low_to_high(), vmin=0, vmax=1, **style
        )
        colour_bar(ax, points, "feature value")


def spread(values: np.ndarray) -> np.ndarray:
    """Return vertical shifts of shape (lines, rows): 0, then up and down in turn in a crowd."""
    defined = values[np.isfinite(values)]
    shifts = np.zeros(values.shape)
    width = (np.ptp(defined) if defined.size else 0.0) / BINS or 1.0
    bins = np.floor(np.nan_to_num(values) / width).astype(np.int64)
    for line, own in enumerate(bins):
        order = np.argsort(own, kind="stable")
        starts = np.flatnonzero(np.diff(own[order], prepend=own[order][:1] - 1))
        sizes = np.diff(np.append(starts, len(own)))
        place = np.arange(len(own)) - np.repeat(starts, sizes)
        shifts[line, order] = (place + 1) // 2 * np.where(place % 2, -1, 1)
    return shifts * HALF_HEIGHT / max(np.abs(shifts).max(initial=0), CROWD)
