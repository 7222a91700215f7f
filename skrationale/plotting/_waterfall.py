"""WaterfallDisplay: how one row came to its score."""

from typing import TYPE_CHECKING, Self

import numpy as np

from ..explanation import Explanation
from ..explanation.labels import label_text
from ..explanation.wording import cells, others, prediction_of, rank, unit
from ..writing import (
    NEGATIVE,
    POSITIVE,
    format_cell,
    format_column,
    format_number,
    format_probability,
    shorten,
)
from ._display import ExplanationDisplay
from ._style import LABEL_WIDTH, axes_for, label, pale, points_wide, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


TEXT_WIDTH = 62  # points that a number and the gap before it take at most


class WaterfallDisplay(ExplanationDisplay):
    """From the base value, feature by feature, to the score of one row.

    Read it from the bottom to the top. The title is the label of the row, if it is known, and the probability
    or prediction that belongs to the score. Make one with `from_explanation` or `from_estimator`.

    Parameters
    ----------
    explanation : Explanation
        The explanation to draw, of one row and one output, and of a kind that adds up to the score.
    max_display : int, default=None
        Largest number of features; the weakest are shown together. None: 10.

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
    _prediction: tuple[str, float] | None = None

    @classmethod
    def from_explanation(
        cls,
        explanation: Explanation,
        *,
        max_display: int | None = None,
        output: str | int | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw an explanation of one row.

        Parameters
        ----------
        explanation : Explanation
            The explanation to draw.
        max_display : int, default=None
            Largest number of features. None: 10.
        output : str or int, default=None
            Draw only this output, by name or position. Its probability is still computed from all outputs.
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
            If this display cannot draw the explanation; the message says what to do instead.
        """
        made = cls(explanation, max_display=max_display)
        if output is not None and isinstance(explanation, Explanation):
            made.explanation = explanation.for_output(output)
            if len(explanation) == 1 and explanation.kind != "rationale":
                place = explanation.output_names.index(made.explanation.output_names[0])
                made._prediction = prediction_of(explanation, place)
        return made.plot(ax=ax)

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
        gap = len(names) if len(rest) and len(shown) else None
        lines = tidy(ax, ["score", *names, "base value"], unit(e), gap=gap)
        colours = [POSITIVE if step > 0 else NEGATIVE for step in steps]
        bars = ax.barh(lines[1:-1], steps, left=starts, height=0.68, color=colours)
        if len(rest):
            pale(bars[-1])
        ax.vlines(np.append(ends, base), lines[:-1], lines[1:], color="#888888", linewidth=0.8)
        ax.plot([ends[0], base], lines[[0, -1]], "D", color="#888888", markersize=6)
        _annotate(ax, lines, base, starts, ends, steps)
        found = prediction_of(e, 0) or self._prediction
        parts = [] if e.index is None else [label(f"row {label_text(e.index, 0)}")]
        if found is not None:
            name, value = found
            text = format_probability(value) if name == "probability" else format_number(value)
            parts.append(f"{name} {text}")
        if parts:
            ax.set_title(": ".join(parts), fontsize="medium")
        return ax


def _line_name(e: Explanation, j: int) -> str:
    """Return 'feature = value', both shortened so that the value is never lost."""
    typed = cells(e)
    if typed is None:
        return label(e.feature_names[j])
    cell = shorten(format_cell(typed[0, j]), LABEL_WIDTH // 2)
    return label(f"{shorten(e.feature_names[j], LABEL_WIDTH - 3 - len(cell))} = {cell}")


def _annotate(
    ax: "Axes",
    lines: np.ndarray,
    base: float,
    starts: np.ndarray,
    ends: np.ndarray,
    steps: list[float],
) -> None:
    """Write each number to the right of its bar, and leave room for it."""
    points = np.append(starts, ends)
    low, span = points.min(), np.ptp(points) or 1.0
    room = min(TEXT_WIDTH / points_wide(ax), 0.5)
    ax.set_xlim(low - 0.05 * span, points.max() + span * room / (1 - room))
    plain = format_column([float(ends[0]), base, *steps])
    signed = format_column([*steps, base, float(ends[0])], sign=True)
    texts = [(ends[0], plain[0])]
    texts += [(max(start, end), text) for start, end, text in zip(starts, ends, signed, strict=False)]
    texts.append((base, plain[1]))
    for line, (x, text) in zip(lines, texts, strict=True):
        ax.annotate(text, (x, line), (7, 0), textcoords="offset points", va="center", fontsize="small")
