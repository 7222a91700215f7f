"""WaterfallDisplay: how one row came to its score."""

from typing import TYPE_CHECKING

import numpy as np

from ..explanation import Explanation
from ..explanation.labels import label_text
from ..explanation.wording import cells, others, rank, unit
from ..writing import NEGATIVE, POSITIVE, format_cell, format_number, shorten
from ._display import ExplanationDisplay
from ._style import LABEL_WIDTH, axes_for, label, points_wide, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


TEXT_WIDTH = 62  # points that a number and the gap before it take at most


class WaterfallDisplay(ExplanationDisplay):
    """From the base value, feature by feature, to the score of one row, whose label is the title if known.

    Read from the bottom to the top. Make one with `from_explanation` or `from_estimator`.

    Parameters
    ----------
    explanation : Explanation
        What is drawn: one row and one output, of a kind that adds up to the score.
    max_display : int, default=None
        How many features at most; the weakest are shown together. None: 10.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.plotting import WaterfallDisplay
    >>> e = Explanation([[1.0, -3.0]], 0.1, data=[[39, 60]], feature_names=["age", "hours"])
    >>> display = WaterfallDisplay.from_explanation(e)
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['score', 'hours = 60', 'age = 39', 'base value']
    """

    _word = "waterfall"

    def _check_explanation(self, explanation: Explanation) -> None:
        if len(explanation) != 1:
            raise ValueError(
                f"a waterfall shows one row, got an explanation of {len(explanation)} rows: "
                "choose one with `explanation[i]`."
            )
        self._need_one_output(explanation)
        if explanation.kind == "rationale":
            raise ValueError(
                "a waterfall shows values that add up to the score, got kind 'rationale': use a bar display."
            )
        if np.isnan(explanation.values).any():
            undefined = explanation.feature_names[int(np.isnan(explanation.values[0]).argmax())]
            raise ValueError(f"a waterfall shows values that add up to the score, got NaN for {undefined!r}.")

    def _draw_explanation(self, explanation: Explanation, ax: "Axes | None") -> "Axes":
        e, values = explanation, explanation.values[0]
        shown, rest = rank(np.abs(values), self.max_display)
        names, steps = [_line_name(e, j) for j in shown], list(values[shown])
        if len(rest):
            names.append(others(len(rest)))
            steps.append(values[rest].sum())
        base = float(e.base_values[0])
        # The weakest come first, next to the base, so that the strongest end at the score.
        ends = (base + np.cumsum(steps[::-1]))[::-1]
        starts = np.append(ends[1:], base)
        ax = axes_for(ax, len(names) + 2)
        tidy(ax, ["score", *names, "base value"], unit(e))
        colours = [POSITIVE if step > 0 else NEGATIVE for step in steps]
        lines = np.arange(1, len(steps) + 1)
        ax.barh(lines, steps, left=starts, height=0.68, color=colours)
        edges = np.append(ends, base)
        ax.vlines(edges, np.arange(len(edges)), np.arange(len(edges)) + 1, color="#888888", linewidth=0.8)
        ax.plot([ends[0], base], [0, len(steps) + 1], "D", color="#888888", markersize=6)
        _annotate(ax, base, starts, ends, steps)
        if e.index is not None:
            ax.set_title(label(f"row {label_text(e.index, 0)}"), fontsize="medium")
        return ax


def _line_name(e: Explanation, j: int) -> str:
    """Return 'feature = value', both shortened so that the value is never lost."""
    typed = cells(e)
    if typed is None:
        return label(e.feature_names[j])
    cell = shorten(format_cell(typed[0, j]), LABEL_WIDTH // 2)
    return label(f"{shorten(e.feature_names[j], LABEL_WIDTH - 3 - len(cell))} = {cell}")


def _annotate(ax: "Axes", base: float, starts: np.ndarray, ends: np.ndarray, steps: list[float]) -> None:
    """Write each number to the right of its bar, and leave room for it."""
    points = np.append(starts, ends)
    low, span = points.min(), np.ptp(points) or 1.0
    room = min(TEXT_WIDTH / points_wide(ax), 0.5)
    ax.set_xlim(low - 0.05 * span, points.max() + span * room / (1 - room))
    scale = float(np.abs(steps).max())
    texts = [(ends[0], format_number(float(ends[0]), scale=scale))]
    texts += [
        (max(start, end), format_number(float(step), scale=scale, sign=True))
        for start, end, step in zip(starts, ends, steps, strict=True)
    ]
    texts.append((base, format_number(base, scale=scale)))
    for line, (x, text) in enumerate(texts):
        ax.annotate(text, (x, line), (7, 0), textcoords="offset points", va="center", fontsize="small")
