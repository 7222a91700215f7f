"""BarDisplay: how much each feature matters over all rows."""

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from ..explanation import Explanation
from ..explanation.wording import others, quantity, rank
from ..writing import SIZE, format_column, need_matplotlib, plain
from ._display import ExplanationDisplay
from ._style import (
    LEGEND_ABOVE,
    OTHERS,
    OUTPUTS,
    axes_for,
    colour_of,
    entry,
    label,
    note,
    pale,
    points_wide,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MANY = 5
"""Outputs from which each has a panel of its own. Not measured."""
ACROSS, TITLE = 4, 18
"""Panels side by side, and characters of a line of their titles. Not measured."""
ONE_LINE = 30
"""Characters of all names of outputs that stand on one line. Not measured."""
TEXT_WIDTH = 44
"""Points that a number and the gap before it take. Not measured."""
Stack = tuple[str, str, np.ndarray]
"""Name, colour and widths of the bars of one output."""
LONGEST = 1.5
"""Where the bar of the other features is cut off, in lengths of the longest bar of one. Not measured."""
CUT_OFF = "The bar of the other features is longer than shown."
NEARLY = 1 - 1e-9
"""Share of a sum that rounding leaves of it. Not measured."""
ONE_ROW = "One row: a waterfall shows how its contributions add up."


class BarDisplay(ExplanationDisplay):
    """Mean absolute value of each feature; several outputs are stacked, from five on side by side.

    If `ax` is given, five or more outputs are stacked too. Make one with `from_explanation` or
    `from_estimator`.

    Parameters
    ----------
    explanation : Explanation
        The explanation to draw, with any number of rows and outputs.
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
    >>> from skrationale.plotting import BarDisplay
    >>> e = Explanation([[1.0, -3.0], [0.5, 2.0]], 0.1, feature_names=["age", "hours"])
    >>> display = BarDisplay.from_explanation(e)
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['hours', 'age']
    """

    _word = "bar display"

    def _draw_explanation(self, explanation: Explanation, ax: "Axes | None") -> "Axes":
        e = explanation
        strength = e.mean_abs().reshape(len(e.feature_names), -1)
        shown, rest = rank(strength.sum(axis=1), self.max_display)
        names = [label(e.feature_names[j]) for j in shown]
        bars = strength[shown]
        if len(rest):
            names.append(others(len(rest)))
            bars = np.vstack([bars, strength[rest].sum(axis=0)])
        gap = len(shown) if len(rest) and len(shown) else None
        sums = bars.sum(axis=1)
        stacks = _stacks(e, bars)
        aside = ax is None and len(stacks) >= MANY
        stacks = _cut_off(stacks, gap, stacked=not aside)
        is_cut = bool(sum(widths[-1] for *_, widths in stacks) < NEARLY * sums[-1])
        xlabel = quantity(e, mean=True)
        if aside:
            ax = _side_by_side(stacks, names, gap, f"{xlabel}\n{CUT_OFF}" if is_cut else xlabel)
        else:
            ax = axes_for(ax, len(names))
            lines = tidy(ax, names, xlabel, gap=gap)
            left = np.zeros(len(names))
            for title, colour, widths in stacks:
                own = ax.barh(lines, widths, left=left, height=0.68, color=colour, label=entry(title))
                left += widths
                if gap is not None:
                    pale(own[-1])
            _write(ax, lines, left, sums)
            if len(stacks) > 1:
                on_one_line = sum(len(title) for title, *_ in stacks) <= ONE_LINE
                ax.legend(ncols=len(stacks) if on_one_line else 1, **LEGEND_ABOVE)
        if is_cut and not aside:
            note(ax, CUT_OFF)
        if len(e) == 1 and e.kind != "rationale":
            note(ax, ONE_ROW)
        return ax


def _cut_off(stacks: list[Stack], gap: int | None, *, stacked: bool) -> list[Stack]:
    """Shorten the last bar, that of other features, where it would make those of single features short."""
    widths = np.array([widths for *_, widths in stacks])
    lengths = widths.sum(axis=0, keepdims=True) if stacked else widths
    longest = LONGEST * lengths[:, :gap].max()
    if gap is None or longest == 0:
        return stacks
    widths[:, -1] *= longest / np.maximum(lengths[:, -1], longest)
    return [(title, colour, own) for (title, colour, _), own in zip(stacks, widths, strict=True)]


def _write(ax: "Axes", lines: np.ndarray, lengths: np.ndarray, sizes: np.ndarray) -> None:
    """Write each number right of its bar, after a sign where the bar is cut off, and leave room for it."""
    scale = float(lengths.max())
    for line, length, size, text in zip(lines, lengths, sizes, format_column(sizes), strict=True):
        words = f"▸ {text}" if length < NEARLY * size else text
        ax.annotate(words, (length, line), (4, 0), textcoords="offset points", va="center", fontsize="small")
    room = min(TEXT_WIDTH / points_wide(ax), 0.5)
    ax.set_xlim(0, scale / (1 - room) if scale > 0 else 1)


def _side_by_side(stacks: list[Stack], names: list[str], gap: int | None, xlabel: str) -> "Axes":
    """Draw a small panel for each output, all on one scale, and return the first."""
    from matplotlib.ticker import MaxNLocator

    n = len(stacks)
    across = min(n, ACROSS)
    down = -(-n // across)
    size = (2.4 + 1.5 * across, down * (0.9 + 0.27 * len(names)) + 0.4)
    figure, axes = need_matplotlib().subplots(
        down, across, figsize=size, layout="constrained", sharex=True, sharey=True, squeeze=False
    )
    largest = max(float(widths.max()) for _, _, widths in stacks)
    for ax, (title, colour, widths) in zip(axes.flat, stacks, strict=False):
        bars = ax.barh(tidy(ax, names, "", gap=gap), widths, height=0.68, color=colour)
        if gap is not None:
            pale(bars[-1])
        ax.set_title("\n".join(textwrap.wrap(label(title, 2 * TITLE), TITLE)), fontsize="small")
        ax.xaxis.set_major_locator(MaxNLocator(2))
        ax.set_xlim(0, 1.05 * largest if largest > 0 else 1)
    for ax in axes.flat[n:]:
        ax.set_visible(False)
    figure.supxlabel(plain(xlabel), fontsize="medium")
    first: Axes = axes[0, 0]
    return first


def _stacks(e: Explanation, bars: np.ndarray) -> list[Stack]:
    """Return name, colour and widths of what is stacked: the strongest outputs and the sum of the rest."""
    if e.n_outputs == 1:
        return [(e.output_names[0], SIZE, bars[:, 0])]
    shown, rest = rank(bars.sum(axis=0), len(OUTPUTS))
    kept = np.sort(shown)
    stacks = [(e.output_names[j], colour_of(i), bars[:, j]) for i, j in enumerate(kept)]
    if len(rest):
        stacks.append((f"{len(rest)} other outputs", OTHERS, bars[:, rest].sum(axis=1)))
    return stacks
