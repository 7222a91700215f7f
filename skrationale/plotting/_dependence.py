"""DependenceDisplay: the cells of one column against what they contribute."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._hooks import gives_reasons
from ..explanation import Explanation
from ..explanation.dependence import Dependence, dependence, partner
from ..explanation.wording import quantity, strength, typed_column
from ..writing import SIZE
from ._beeswarm import spread
from ._colouring import colour_bar, colour_by, levels_by, low_to_high
from ._display import ExplanationDisplay
from ._levels import LEVELS
from ._style import (
    LEGEND_ABOVE,
    MAX_POINTS,
    NAME_WIDTH,
    axes_for,
    category,
    entry,
    frame,
    label,
    missing,
    note,
    plain_axes,
    shade,
    thin_ticks,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STRIP = 0.14
"""Share of the height that the density takes. Not measured."""
BINS = 40
ASIDE = 0.07
"""Where missing cells stand, left of the others, as a share of their range. Not measured."""
COUNT_WIDTH = 26
FEW = 30
"""Rows up to which points are larger. Not measured."""
ONE_ROW = "One row has one point: a waterfall shows how its contributions add up."


class DependenceDisplay(ExplanationDisplay):
    """The cells of one column against their contributions, a point for each row.

    For a column of numbers the shaded area at the bottom shows how many rows have which numbers. Missing
    cells are hollow points left of the others. A category has a line for each level, with a box from the
    first to the third quartile, a mark at the median, and whiskers from 5 % to 95 % of its rows. Make one
    with `from_explanation` or `from_estimator`.

    Parameters
    ----------
    explanation : Explanation
        The explanation to draw, of one output and of a kind that adds up to the score, with the cells of the
        column.
    feature : str or int, default=None
        Name or position of the column. None: the one with the largest mean absolute contribution.
    color_by : str or int, default=None
        Name or position of a second column, whose cells colour the points. ``"auto"``: the column that
        explains most of the differences between rows with similar cells; no colour if no column explains at
        least 5 % of them.
    max_display : int, default=None
        Largest number of levels of a category; the rarest are shown as one. None: 10.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    feature_ : str
        Name of the column that was drawn last.
    color_by_ : str or None
        Name of the column that coloured the points.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.plotting import DependenceDisplay
    >>> X = [[39, 60], [20, 30], [51, 45]]
    >>> e = Explanation([[1.0, -3.0], [0.5, 2.0], [1.2, 0]], 0.1, data=X, feature_names=["age", "hours"])
    >>> display = DependenceDisplay.from_explanation(e, feature="age")
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('age', 'contribution to output')
    """

    _word = "dependence display"
    feature_: str
    color_by_: str | None

    def __init__(
        self,
        explanation: Explanation,
        *,
        feature: str | int | None = None,
        color_by: str | int | None = None,
        max_display: int | None = None,
    ) -> None:
        super().__init__(explanation, max_display=max_display)
        self.feature, self.color_by = feature, color_by

    @classmethod
    def from_explanation(
        cls,
        explanation: Explanation,
        *,
        feature: str | int | None = None,
        color_by: str | int | None = None,
        max_display: int | None = None,
        output: str | int | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw one column of an explanation.

        Parameters
        ----------
        explanation : Explanation
            The explanation to draw.
        feature : str or int, default=None
            Name or position of the column. None: the one with the largest mean absolute contribution.
        color_by : str or int, default=None
            A second column, whose cells colour the points; ``"auto"`` chooses one, see the class.
        max_display : int, default=None
            Largest number of levels of a category. None: 10.
        output : str or int, default=None
            Draw only this output, by name or position.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        display
            With ``ax_`` and ``figure_``. The figure is not shown.

        Raises
        ------
        TypeError
            If `explanation` is not an Explanation.
        ValueError
            If there is no such column, if its cells are not known, or if the explanation has several outputs
            or holds rationales; the message says what to do instead.
        """
        if output is not None and isinstance(explanation, Explanation):
            explanation = explanation.for_output(output)
        made = cls(explanation, feature=feature, color_by=color_by, max_display=max_display)
        return made.plot(ax=ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        feature: str | int | None = None,
        color_by: str | int | None = None,
        max_display: int | None = None,
        output: str | int | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Explain rows with a fitted estimator and draw one column of the explanation.

        Parameters
        ----------
        estimator : estimator with ``explain``
            Fitted.
        X : array-like or DataFrame of shape (n, d)
            Rows to explain.
        feature : str or int, default=None
            Name or position of the column. None: the one with the largest mean absolute contribution.
        color_by : str or int, default=None
            A second column, whose cells colour the points; ``"auto"`` chooses one, see the class.
        max_display : int, default=None
            Largest number of levels of a category. None: 10.
        output : str or int, default=None
            Draw only this output, by name or position.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        display
            With ``ax_`` and ``figure_``. The figure is not shown.

        Raises
        ------
        TypeError
            If `estimator` has no method ``explain``.
        ValueError
            See `from_explanation`.
        """
        if not gives_reasons(estimator):
            raise TypeError(f"`estimator` must have a method `explain`, got {type(estimator).__name__}.")
        chosen: dict[str, Any] = {
            "feature": feature,
            "color_by": color_by,
            "max_display": max_display,
            "output": output,
        }
        return cls.from_explanation(estimator.explain(X), ax=ax, **chosen)

    def _check_explanation(self, explanation: Explanation) -> None:
        e = explanation
        self._need_one_output(e)
        if e.kind == "rationale":
            raise ValueError(
                "a dependence display shows contributions, got kind 'rationale': use a rationale display."
            )
        if not len(e):
            raise ValueError("a dependence display needs at least one row, got an explanation of 0 rows.")
        j = 0 if self.feature is None else _place("feature", self.feature, e)
        dependence(e, j, self.max_display)  # raises where its cells are not known
        if self.color_by not in (None, "auto"):
            _place("color_by", self.color_by, e)

    def _draw_explanation(self, explanation: Explanation, ax: "Axes | None") -> "Axes":
        e = explanation
        j = int(np.argmax(strength(e))) if self.feature is None else _place("feature", self.feature, e)
        named = self.color_by in e.feature_names
        auto = self.color_by == "auto" and not named
        k = partner(e, j) if auto else None if self.color_by is None else _place("color_by", self.color_by, e)
        found = dependence(e, j, self.max_display)
        self.feature_, self.color_by_ = found.feature, None if k is None else e.feature_names[k]
        if found.numbers is not None:
            ax = plain_axes(ax)
            x, y = _numbers(ax, found)
            frame(ax, found.feature, quantity(e))
            thin_ticks(ax)
        else:
            ax = axes_for(ax, max(len(found.levels), 3))
            x, y = _boxes(ax, found)
            counts = np.bincount(found.place, minlength=len(found.levels))
            names = zip(found.levels, counts, strict=True)
            tidy(ax, [f"{label(text, COUNT_WIDTH)} ({count:,})" for text, count in names], quantity(e))
            ax.set_ylabel(label(found.feature, NAME_WIDTH if len(found.levels) > 5 else COUNT_WIDTH))
        _scatter(ax, e, x, y, found, k)
        if len(e) == 1:
            note(ax, ONE_ROW)
        return ax


def _place(name: str, wanted: Any, e: Explanation) -> int:
    """Return the position of a column that is given by its name or position."""
    names = e.feature_names
    if isinstance(wanted, str):
        if wanted in names:
            return names.index(wanted)
    elif isinstance(wanted, int | np.integer) and not isinstance(wanted, bool) and 0 <= wanted < len(names):
        return int(wanted)
    known = ", ".join(map(repr, names[:8])) + (", ..." if len(names) > 8 else "")
    raise ValueError(f"`{name}` must be a column, one of {known}, or its position; got {wanted!r}.")


def _numbers(ax: "Axes", found: Dependence) -> tuple[np.ndarray, np.ndarray]:
    """Set the limits, draw the density, and return where the points are."""
    numbers, values = found.numbers, found.values
    assert numbers is not None
    known = numbers[np.isfinite(numbers)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
    span = (high - low) or max(abs(high), 1.0)
    gone = ~np.isfinite(numbers)
    x = np.where(gone, low - ASIDE * span, numbers)
    ax.set_xlim(low - (2 * ASIDE if gone.any() else 0.03) * span, high + 0.03 * span)
    if gone.any():
        ax.axvline(low - ASIDE / 2 * span, color=shade(0.5), linewidth=0.8)
    seen = values[np.isfinite(values)]
    bottom, top = (seen.min(), seen.max()) if seen.size else (0.0, 1.0)
    bottom, top = min(bottom, 0.0), max(top, 0.0)
    tall = (top - bottom) or 1.0
    ax.set_ylim(bottom - (STRIP + 0.06) / (1 - STRIP - 0.06) * tall, top + 0.06 * tall)
    ax.axhline(0, color="#888888", linewidth=1, zorder=1)
    if known.size > 1 and high > low:
        counts, edges = np.histogram(known, bins=min(BINS, 2 * len(np.unique(known)) - 1))
        heights = np.append(counts, counts[-1]) * (STRIP / counts.max())
        ax.fill_between(
            edges, heights, step="post", transform=ax.get_xaxis_transform(), color=shade(0.5), label="rows"
        )
    return x, values


def _boxes(ax: "Axes", found: Dependence) -> tuple[np.ndarray, np.ndarray]:
    """Draw a box for each level, and return where the points are."""
    height, ink = 0.62, shade(0.87)
    ax.axvline(0, color="#888888", linewidth=1, zorder=1)
    y = found.place.astype(float)
    for line in range(len(found.levels)):
        rows = found.place == line
        own = found.values[rows]
        y[rows] += spread(own[None])[0] * 0.6
        own = own[np.isfinite(own)]
        if len(own) < 2:
            continue
        least, low, middle, high, most = np.quantile(own, [0.05, 0.25, 0.5, 0.75, 0.95])
        ax.barh(line, high - low, left=low, height=height, facecolor="none", edgecolor=ink, zorder=4)
        ax.vlines(middle, line - height / 2, line + height / 2, color=ink, linewidth=2, zorder=4)
        ax.hlines([line, line], [least, high], [low, most], color=ink, linewidth=1, zorder=4)
    return found.values, y


def _scatter(
    ax: "Axes", e: Explanation, x: np.ndarray, y: np.ndarray, found: Dependence, k: int | None
) -> None:
    """Draw the points, coloured by the cells of column `k`, and say what colours mean."""
    rows = np.arange(len(e))[:: -(-len(e) // MAX_POINTS)]
    style: dict[str, Any] = {"s": 13 if len(e) > FEW else 36, "linewidths": 0, "zorder": 3}
    style["rasterized"] = len(rows) > MAX_POINTS // 2
    gone = np.zeros(len(e), dtype=bool) if found.numbers is None else np.isnan(found.numbers)
    hollow = rows[gone[rows]]
    if len(hollow):
        ring = {"linewidths": 0.8, "facecolors": "none", "edgecolors": missing()}
        text = entry(f"missing {found.feature}")
        ax.scatter(x[hollow], y[hollow], label=text, **(style | ring))
    rows = rows[~gone[rows]]
    if k is None:
        ax.scatter(x[rows], y[rows], color=SIZE, **style)
    else:
        order, unknown = colour_by(e, k)
        levels = levels_by(e, k)
        typed = typed_column(e, k)
        for level, colour in enumerate(LEVELS):
            own = rows[levels[rows] == level]
            if len(own):
                ax.scatter(x[own], y[own], color=colour, label=entry(str(typed[own[0]])), **style)  # type: ignore[index]
        grey = rows[(levels[rows] < 0) & np.isnan(order[rows])]
        if len(grey):
            text = "others or missing" if unknown[grey].any() else "others"
            ax.scatter(x[grey], y[grey], color=category(), label=text, **style)
        ranked = rows[~np.isnan(order[rows])]
        if len(ranked):
            c = order[ranked]
            points = ax.scatter(x[ranked], y[ranked], c=c, cmap=low_to_high(), vmin=0, vmax=1, **style)
            colour_bar(ax, points, label(e.feature_names[k], COUNT_WIDTH))
    if ax.get_legend_handles_labels()[0]:
        named = k is not None and bool((levels_by(e, k) >= 0).any())
        title = f"colour: {label(e.feature_names[k], COUNT_WIDTH)}" if named and k is not None else None
        ax.legend(ncols=3, title=title, title_fontsize="small", **LEGEND_ABOVE)
