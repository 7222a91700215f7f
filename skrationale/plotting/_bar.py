"""BarDisplay: how much each feature matters over all rows."""

from typing import TYPE_CHECKING

import numpy as np

from ..explanation import Explanation
from ..explanation.wording import others, quantity, rank
from ..writing import SIZE, format_number
from ._display import ExplanationDisplay
from ._style import OTHERS, OUTPUTS, axes_for, colour_of, entry, label, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class BarDisplay(ExplanationDisplay):
    """Mean absolute value of each feature; several outputs are stacked.

    Make one with `from_explanation` or `from_estimator`.

    Parameters
    ----------
    explanation : Explanation
        What is drawn: any number of rows and outputs.
    max_display : int, default=None
        How many lines at most; the weakest features are shown together on the last. None: 10.

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
        ax = axes_for(ax, len(names))
        stacks = _stacks(e, bars)
        left = np.zeros(len(names))
        for title, colour, widths in stacks:
            ax.barh(range(len(names)), widths, left=left, height=0.68, color=colour, label=entry(title))
            left += widths
        scale = left.max()
        for line, total in enumerate(left):
            text = format_number(total, scale=scale)
            ax.annotate(
                text, (total, line), (4, 0), textcoords="offset points", va="center", fontsize="small"
            )
        tidy(ax, names, quantity(e, mean=True))
        ax.set_xlim(0, scale * 1.14 if scale > 0 else 1)
        if len(stacks) > 1:
            ax.legend(loc="best", fontsize="small")
        return ax


def _stacks(e: Explanation, bars: np.ndarray) -> list[tuple[str, str, np.ndarray]]:
    """Return name, colour and widths of what is stacked: the strongest outputs and the sum of the rest."""
    if e.n_outputs == 1:
        return [(e.output_names[0], SIZE, bars[:, 0])]
    shown, rest = rank(bars.sum(axis=0), len(OUTPUTS))
    kept = np.sort(shown)
    stacks = [(e.output_names[j], colour_of(i), bars[:, j]) for i, j in enumerate(kept)]
    if len(rest):
        stacks.append((f"{len(rest)} other outputs", OTHERS, bars[:, rest].sum(axis=1)))
    return stacks
