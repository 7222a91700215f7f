"""ParetoDisplay: what one measure costs in another, over all candidates."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._hooks import hooks_of
from ..explanation import checks
from ..writing import format_column, need_matplotlib, plain, shorten
from ._candidates import candidates, column, describe, spread_of, words
from ._display import Display
from ._pareto_front import front_of, spread_out
from ._style import OTHERS, OUTPUTS, frame, note, points_wide, shade, thin_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_LABELS = 12
LARGER = ("r2", "fidelity_r2", "score")
LONGEST = 600
"""Characters of a name, such as a formula, that are written at most. Not measured."""
CHARACTER = 4.6
"""Mean width of a character of a name, in points. Not measured."""
BELOW = 44.0
"""Points from the axes down to the list of names, below ticks and the name of the axis. Not measured."""
LINE = 0.165
"""Height of a line of the list, in inches. Not measured."""
APART = 14.5
"""Points between two numbers."""
ONE = "One candidate: there is nothing to compare. A search over more candidates shows a front."
LOG_FROM = 100.0
"""Largest over smallest positive number from which an axis is logarithmic."""


def _is_place(value: Any, n: int) -> bool:
    """Tell whether a value is a position from 0 to n - 1."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) in range(n)


class ParetoDisplay(Display):
    """All candidates as grey dots, and the front of those that no other candidate beats in both measures.

    Points of the front are numbered from the left. A list below the plot gives their names and their measure
    `y`, for at most 12 points, and for only one of several points that would hide each other. Formulas are
    shown in full, with line breaks. Candidates with a NaN in either measure are left out. Make one with
    `from_cv_results`, `from_estimator`, or from numbers.

    Parameters
    ----------
    x, y : array-like of shape (m,)
        Two measures of m candidates.
    labels : sequence of str of length m, default=None
        Names of the candidates.
    x_error, y_error : array-like of shape (m,), default=None
        Half lengths of error bars.
    x_name, y_name : str, default="x", "y"
        Names of the measures.
    x_larger_is_better : bool, default=False
        Whether a larger number is better.
    y_larger_is_better : bool, default=True
        Whether a larger number is better.
    chosen : int, default=None
        Position of the chosen candidate, which gets a ring.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    front_ : ndarray of int
        Positions of the candidates on the front, sorted by `x`.

    Raises
    ------
    TypeError
        If a measure does not hold numbers.
    ValueError
        If lengths differ, if `chosen` is not a position, or if no candidate has both measures.

    Examples
    --------
    >>> from skrationale.plotting import ParetoDisplay
    >>> display = ParetoDisplay([1, 2, 3, 4], [0.5, 0.4, 0.8, 0.9], x_name="columns", y_name="accuracy")
    >>> display.plot().front_
    array([0, 2, 3])
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        *,
        labels: Sequence[str] | None = None,
        x_error: Any = None,
        y_error: Any = None,
        x_name: str = "x",
        y_name: str = "y",
        x_larger_is_better: bool = False,
        y_larger_is_better: bool = True,
        chosen: int | None = None,
    ) -> None:
        self.x = checks.number_array("x", x)
        if self.x.ndim != 1:
            raise ValueError(f"`x` has shape {self.x.shape}, expected one number per candidate.")
        arrays = {"y": y, "x_error": x_error, "y_error": y_error}
        for name, value in arrays.items():
            given = None if value is None and name != "y" else checks.number_array(name, value)
            if given is not None:
                checks.shaped(name, given, self.x.shape, "one number per candidate, as `x` has")
            setattr(self, name, given)
        if labels is not None and len(labels) != len(self.x):
            raise ValueError(f"`labels` has {len(labels)} names, expected {len(self.x)}, one per candidate.")
        if chosen is not None and not _is_place(chosen, len(self.x)):
            raise ValueError(f"`chosen` must be a position below {len(self.x)}, got {chosen!r}.")
        self.labels = None if labels is None else [str(text) for text in labels]
        self.x_name, self.y_name = x_name, y_name
        self.x_larger_is_better, self.y_larger_is_better = x_larger_is_better, y_larger_is_better
        self.chosen = None if chosen is None else int(chosen)
        signs = (1 if x_larger_is_better else -1, 1 if y_larger_is_better else -1)
        self.front_ = front_of(self.x, self.y, signs)
        if not len(self.front_):
            raise ValueError(
                f"`x` and `y` must both have a number for at least one of the {len(self.x)} candidates, "
                "got NaN in `x` or `y` for each."
            )

    y: np.ndarray
    x_error: np.ndarray | None
    y_error: np.ndarray | None

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        x: str,
        y: str = "mean_test_score",
        *,
        x_larger_is_better: bool | None = None,
        y_larger_is_better: bool | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw the candidates of a search.

        Parameters
        ----------
        cv_results : dict
            ``cv_results_`` of a fitted GridSearchCV or a similar search.
        x, y : str
            Keys, such as ``"mean_test_sparsity"``, ``"param_maxsize"`` or ``"mean_fit_time"``. For a key
            ``mean_...`` the error bars are ``std_...``: one standard deviation over folds.
        x_larger_is_better, y_larger_is_better : bool, default=None
            None: larger is better for scores, smaller for parameters and times.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        ParetoDisplay
            With ``ax_`` and ``figure_``. The figure is not shown.

        Raises
        ------
        ValueError
            If there is no such key, or if it does not hold numbers; the message lists the existing keys.
        """
        larger = [
            ("_test_" in key or "_train_" in key) if wanted is None else wanted
            for key, wanted in ((x, x_larger_is_better), (y, y_larger_is_better))
        ]
        columns = [column(cv_results, name, key) for name, key in (("x", x), ("y", y))]
        return cls(
            *columns,
            labels=[describe(candidate) for candidate in candidates(cv_results)],
            x_error=spread_of(cv_results, x),
            y_error=spread_of(cv_results, y),
            x_name=words(x),
            y_name=words(y),
            x_larger_is_better=larger[0],
            y_larger_is_better=larger[1],
        ).plot(ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        x: str = "complexity",
        y: str = "loss",
        output: int | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw the formulas that a fitted SymbolicDistiller found.

        Parameters
        ----------
        estimator : estimator with ``equations_``
            Fitted.
        x, y : str, default="complexity", "loss"
            Columns of ``equations_``: also ``"r2"``, ``"fidelity_r2"`` and ``"score"``, for which larger is
            better.
        output : int, default=None
            Which output, if there are several.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        ParetoDisplay
            With ``ax_`` and ``figure_``. The figure is not shown.

        Raises
        ------
        TypeError
            If `estimator` has no ``equations_``.
        ValueError
            If there is no such column or output, or all numbers in it are NaN.
        """
        fronts = hooks_of(estimator)._formula_fronts()
        if fronts is None:
            raise TypeError(
                f"`estimator` must be fitted and have `equations_`, got {type(estimator).__name__}; for a "
                "search use `from_cv_results(search.cv_results_, x=...)`."
            )
        if len(fronts) == 1 and output is not None and not _is_place(output, 1):
            raise ValueError(f"`output` must be None or 0, because there is one output, got {output!r}.")
        if len(fronts) > 1 and not _is_place(output, len(fronts)):
            raise ValueError(f"`output` must be one of 0..{len(fronts) - 1}, got {output!r}.")
        table, formula = fronts[int(output or 0)]
        known = {name: table[name] for name in table if table[name].dtype.kind in "iuf"}
        equations = [str(text) for text in table["equation"]]
        return cls(
            *(column(known, name, key) for name, key in (("x", x), ("y", y))),
            labels=equations,
            x_name=words(x),
            y_name=words(y),
            x_larger_is_better=x in LARGER,
            y_larger_is_better=y in LARGER,
            chosen=equations.index(formula) if formula in equations else None,
        ).plot(ax)

    def _draw(self, ax: "Axes | None") -> "Axes":
        plt, own = need_matplotlib(), False
        if ax is None:
            ax = plt.subplots(figsize=(7.2, 4.2), layout="constrained")[1]
            own = True
        x, y, front = self.x, self.y, self.front_
        others = np.setdiff1d(np.flatnonzero(np.isfinite(x + y)), front)
        bars: dict[str, Any] = {"fmt": "none", "elinewidth": 1, "zorder": 2}
        for where, colour in ((others, shade(0.2)), (front, OUTPUTS[0])):
            errors = [None if e is None else np.nan_to_num(e[where]) for e in (self.y_error, self.x_error)]
            if len(where) and any(e is not None for e in errors):
                ax.errorbar(x[where], y[where], yerr=errors[0], xerr=errors[1], color=colour, **bars)
        ax.scatter(x[others], y[others], s=26, color=OTHERS, zorder=3, label="other candidates")
        style = "steps-pre" if self.x_larger_is_better else "steps-post"
        ax.plot(x[front], y[front], drawstyle=style, color=OUTPUTS[0], zorder=3)
        ax.scatter(x[front], y[front], s=26, color=OUTPUTS[0], zorder=4, label="front")
        if self.chosen is not None:
            place = x[self.chosen], y[self.chosen]
            ax.scatter(*place, s=330, facecolor="none", edgecolor=OUTPUTS[5], linewidth=2.5, zorder=5)
        frame(
            ax,
            f"{self.x_name} ({'more' if self.x_larger_is_better else 'less'} is better)",
            f"{self.y_name} ({'more' if self.y_larger_is_better else 'less'} is better)",
        )
        for axis, numbers in (("x", x), ("y", y)):
            shown = numbers[np.isfinite(x + y)]
            if shown.min() > 0 and shown.max() / shown.min() > LOG_FROM:
                ax.set(**{f"{axis}scale": "log"})
        ax.margins(0.08)
        thin_ticks(ax)
        if self.labels is not None:
            lines = self._name_front(ax, self.labels)
            if own:
                height = 4.4 + LINE * sum(text.count("\n") + 1 for text in lines)
                ax.figure.set_size_inches(7.2, height)  # type: ignore[union-attr]
        elif np.isfinite(x + y).sum() == 1:
            note(ax, ONE)
        return ax

    def _name_front(self, ax: "Axes", labels: list[str]) -> list[str]:
        """Write numbers on points of the front, and their names below the plot, which are returned."""
        from matplotlib.lines import Line2D
        from matplotlib.transforms import ScaledTranslation

        figure = ax.figure
        places = ax.transData.transform(np.column_stack([self.x, self.y])) * 72 / figure.dpi
        first = self.front_ == self.chosen
        named = self.front_[spread_out(places[self.front_], int(first.argmax()), MAX_LABELS, APART)]
        heights = format_column(self.y[named])
        width = max(int(points_wide(ax) / CHARACTER), 24)
        lines = []
        for i, j in enumerate(named):
            ax.scatter(self.x[j], self.y[j], s=150, color=OUTPUTS[0], zorder=5)
            text = ax.text(
                self.x[j], self.y[j], str(i + 1), color="white", ha="center", va="center", zorder=6
            )
            text.set(fontsize="small", fontweight="bold", clip_on=True)
            end = " (chosen)" if j == self.chosen else ""
            lines.append(_wrapped(f"{i + 1} ({self.y_name} {heights[i]}): {labels[j]}{end}", width))
        if len(named) < len(self.front_):
            lines.append(f"and {len(self.front_) - len(named)} more")
        if self.chosen is not None and self.chosen not in self.front_:
            lines.append(_wrapped(f"chosen: {labels[self.chosen]}", width))
        if np.isfinite(self.x + self.y).sum() == 1:
            lines.append(_wrapped(ONE, width))
        ax.legend(
            [Line2D([], [], linestyle="none")] * len(lines),
            lines,
            title="on the front",
            alignment="left",
            loc="upper left",
            bbox_to_anchor=(0, 0),
            bbox_transform=ax.transAxes + ScaledTranslation(0, -BELOW / 72, figure.dpi_scale_trans),
            borderaxespad=0,
            frameon=False,
            handlelength=0,
            handletextpad=0,
            fontsize="small",
        )
        return lines


def _wrapped(text: str, width: int) -> str:
    """Return a text on several lines, all but the first indented."""
    parts = textwrap.wrap(shorten(text, LONGEST), width, subsequent_indent="    ")
    return plain("\n".join(parts))
