"""AttributeTableDisplay: which learned attributes speak for which classes."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._hooks import hooks_of
from ..explanation import Explanation, checks
from ..writing import NEGATIVE, POSITIVE, join_names, need_matplotlib, plain, shorten
from ._display import Display, check_count
from ._relevance import mean_relevance
from ._style import LEGEND_ABOVE, label, points_wide, shade, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LARGEST = 360.0
"""Area of the dot of a relevance of 1, in points squared, where there is room."""
CHARACTER = 4.6
"""Mean width of a character of a rule, in points."""
ONE = "One attribute: a dependence display shows what its values contribute."
LONG = 9
"""Longer names of outputs are written aslant."""
MANY_OUTPUTS = 8
"""From so many outputs on, no numbers are written."""


class AttributeTableDisplay(Display):
    """A table of learned attributes and outputs, a dot for each relevance, with the rule of each attribute.

    The area of a dot is the absolute mean relevance, which is at most 1. Its colour shows whether the
    attribute supports the output or not; for regressors, whether it raises or lowers predictions. The most
    relevant attributes are at the top. Outputs that are predicted for no row are listed in words. Make one
    with `from_estimator` or `from_explanation`.

    Parameters
    ----------
    relevance : array-like of shape (C, J)
        Mean relevance of J attributes for each output; NaN for an output that is never predicted.
    attribute_names : sequence of str of length J, default=None
        Names of the attributes.
    output_names : sequence of str of length C, default=None
        Names of the outputs.
    rules : dict of str to str, default=None
        Text of the rule for each name of an attribute.
    max_display : int, default=12
        Largest number of attributes; a line of text counts the others.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    attributes_ : ndarray of shape (at most max_display,)
        Positions of the attributes drawn, from the top.

    Raises
    ------
    TypeError
        If a parameter is not of the type above.
    ValueError
        If shapes differ.

    Examples
    --------
    >>> from skrationale.plotting import AttributeTableDisplay
    >>> rules = {"wide": "petal width > 1.7"}
    >>> names = {"attribute_names": ["wide", "long"], "output_names": ["setosa", "virginica"]}
    >>> table = AttributeTableDisplay([[-0.4, 0.1], [0.9, -0.2]], rules=rules, **names).plot()
    >>> [text.get_text() for text in table.ax_.texts]
    ['−0.40', '0.90', '0.10', '−0.20', 'petal width > 1.7']
    """

    def __init__(
        self,
        relevance: Any,
        *,
        attribute_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
        rules: Mapping[str, str] | None = None,
        max_display: int = 12,
    ) -> None:
        self.relevance = checks.number_array("relevance", relevance)
        if self.relevance.ndim != 2 or 0 in self.relevance.shape:
            raise ValueError(f"`relevance` has shape {self.relevance.shape}, expected (C, J).")
        n_outputs, n_attributes = self.relevance.shape
        self.attribute_names = _named("attribute_names", attribute_names, n_attributes, "attribute_")
        self.output_names = _named("output_names", output_names, n_outputs, "output")
        if not isinstance(rules, Mapping | None):
            raise TypeError(f"`rules` must be a dict or None, got {type(rules).__name__}.")
        check_count("max_display", max_display)
        self.rules = dict(rules or {})
        self.max_display = max_display
        strength = np.nan_to_num(np.abs(self.relevance)).max(axis=0)
        self.attributes_ = np.argsort(-strength, kind="stable")[:max_display]

    @classmethod
    def from_explanation(
        cls,
        explanation: Explanation,
        *,
        rules: Mapping[str, str] | None = None,
        max_display: int = 12,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw the mean relevance of attributes in the rows of an explanation.

        The relevance of an attribute is its contribution to the highest of several scores, or to the only
        score, divided by the largest absolute contribution of the row. Each row counts for the class of its
        highest score, and a positive relevance supports that class. For regressors the mean absolute
        relevance is drawn; the colour shows whether the attribute raises or lowers predictions on average.

        Parameters
        ----------
        explanation : Explanation
            Of kind ``"attribute"``.
        rules : dict of str to str, default=None
            Text of the rule for each name of an attribute.
        max_display : int, default=12
            Largest number of attributes.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        AttributeTableDisplay
            With ``ax_`` and ``figure_``. The figure is not shown.

        Raises
        ------
        TypeError
            If `explanation` is not an Explanation.
        ValueError
            If `explanation` is of another kind.
        """
        if not isinstance(explanation, Explanation):
            raise TypeError(f"`explanation` must be an Explanation, got {type(explanation).__name__}.")
        if explanation.kind != "attribute":
            raise ValueError(
                "an attribute table shows learned attributes, got an explanation of kind "
                f"{explanation.kind!r}: use a bar display, or explain a FLINT model with by='attribute'."
            )
        relevance, outputs = mean_relevance(explanation)
        return cls(
            relevance,
            attribute_names=explanation.feature_names,
            output_names=outputs,
            rules=rules,
            max_display=max_display,
        ).plot(ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        *,
        rules: bool = True,
        max_display: int = 12,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw the attributes of a fitted FLINT model.

        Parameters
        ----------
        estimator : estimator with ``global_relevance_``
            Fitted.
        X : DataFrame or array-like of shape (n, d), default=None
            Rows on which ``describe`` finds the rules; None: training rows, which the model keeps.
        rules : bool, default=True
            Whether the short rules that ``describe`` finds are written.
        max_display : int, default=12
            Largest number of attributes.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        AttributeTableDisplay
            With ``ax_`` and ``figure_``. The figure is not shown.

        Raises
        ------
        TypeError
            If `estimator` has no ``global_relevance_``.
        """
        own = hooks_of(estimator)
        relevance, classes = own._attribute_relevance(), own._fitted("classes_")
        if relevance is None:
            raise TypeError(
                "`estimator` must be a fitted FLINT model, with `global_relevance_`, got "
                f"{type(estimator).__name__}."
            )
        words = {one.name: _rule_words(one) for one in estimator.describe(X)} if rules else {}
        return cls(
            relevance,
            attribute_names=[str(name) for name in estimator.get_feature_names_out()],
            output_names=["prediction"] if classes is None else [str(name) for name in classes],
            rules=words,
            max_display=max_display,
        ).plot(ax)

    def _draw(self, ax: "Axes | None") -> "Axes":
        shown, outputs, gone = self.attributes_, list(self.output_names), []
        kept = np.isfinite(self.relevance).any(axis=1)
        if kept.any():  # empty columns say nothing
            gone = [name for name, any_rows in zip(outputs, kept, strict=True) if not any_rows]
            outputs = [name for name, any_rows in zip(outputs, kept, strict=True) if any_rows]
        relevance = self.relevance[kept] if kept.any() else self.relevance
        n_outputs = len(outputs)
        names = [self.attribute_names[j] for j in shown]
        rules = [self.rules.get(name, "") for name in names]
        if ax is None:
            size = (3.2 + 0.85 * min(n_outputs, 10) + 3.6 * any(rules), 1.6 + 0.42 * len(names))
            if max(map(len, outputs)) > LONG:
                size = (size[0], size[1] + 0.9)
            ax = need_matplotlib().subplots(figsize=size, layout="constrained")[1]
        rest = len(self.attribute_names) - len(shown)
        words = "mean relevance, at most 1"
        words += f"\n{rest} less relevant attributes are left out" if rest else ""
        words += f"\nNo row has the output {join_names(gone)}" if gone else ""
        words += f"\n{ONE}" if len(names) == 1 and not rest else ""
        tidy(ax, [label(name, 26) for name in names], words)
        place = _columns(ax, outputs, room=any(rules))
        _draw_dots(ax, relevance[:, shown].T, place)
        for line, rule in enumerate(rules):
            _write(ax, line, n_outputs, rule, place)
        return ax


def _named(name: str, given: Any, count: int, default: str) -> tuple[str, ...]:
    found = tuple(f"{default}{i}" for i in range(count)) if given is None else tuple(map(str, given))
    if len(found) != count:
        raise ValueError(f"`{name}` has {len(found)} names, expected {count}, as `relevance` has.")
    return found


def _rule_words(description: Any) -> str:
    """Return the short rule of a described attribute, or why there is none."""
    rule = description.rule
    if rule is None:
        return "it hardly varies"
    return str(rule.text) if rule.is_short_rule else "no short rule"


def _columns(ax: "Axes", names: list[str], *, room: bool) -> float:
    """Name the outputs above their columns, leave room for words, and return points per column."""
    n, width = len(names), points_wide(ax)
    across = min(62.0, (0.5 if room else 1.0) * width / n)
    ax.set_xlim(-0.6, (width / across if room else n) - 0.4)
    turned = max(map(len, names)) > min(LONG, across / (1.3 * CHARACTER))
    texts = [label(name, 2 * LONG) for name in names]
    ax.xaxis.tick_top()
    ax.set_xticks(range(n), texts, rotation=45 if turned else 0, ha="left" if turned else "center")
    ax.tick_params(axis="x", length=0)
    ax.set_xlabel(ax.get_xlabel(), loc="left", multialignment="left", fontsize="small")
    ax.spines["bottom"].set_visible(False)
    ax.grid(visible=False)
    lines = len(ax.get_yticks())
    ax.hlines(np.arange(1, lines) - 0.5, -0.6, ax.get_xlim()[1], color="#888888", alpha=0.25, linewidth=0.8)
    return across


def _draw_dots(ax: "Axes", relevance: np.ndarray, across: float) -> None:
    """Draw a dot for each number (lines, C), with the number beside it where there is room."""
    from matplotlib.lines import Line2D

    n_outputs = relevance.shape[1]
    lines, places = np.nonzero(np.isfinite(relevance))
    found = relevance[lines, places]
    largest = min(LARGEST, (0.75 * across) ** 2)
    numbered = n_outputs < MANY_OUTPUTS and across > 40
    shift = -0.16 if numbered else 0.0
    for sign, colour in ((1, POSITIVE), (-1, NEGATIVE)):
        own = sign * found > 0
        ax.scatter(places[own] + shift, lines[own], s=largest * np.abs(found[own]), color=colour)
    if n_outputs == 1 or (found < 0).any():
        style: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 8}
        texts = ("raises", "lowers") if n_outputs == 1 else ("speaks for", "speaks against")
        words = zip((POSITIVE, NEGATIVE), texts, strict=True)
        handles = [Line2D([], [], color=colour, label=text, **style) for colour, text in words]
        place = {"loc": "upper left", "bbox_to_anchor": (0, 0), "ncols": 2, "handletextpad": 0.2}
        ax.legend(handles=handles, **(LEGEND_ABOVE | place))
        ax.xaxis.labelpad = 20  # below the legend
    for line, i in np.argwhere(np.isfinite(relevance)) if numbered else ():
        text = f"{relevance[line, i]:.2f}".replace("-0.00", "0.00").replace("-", "−")
        ax.annotate(text, (i + 0.12, line), va="center", fontsize="small")
    for line, i in np.argwhere(np.isnan(relevance)):
        ax.annotate(
            "no rows" if numbered else "–",
            (i, line),
            color=shade(0.6),
            ha="center",
            va="center",
            fontsize="small",
        )


def _write(ax: "Axes", line: int, n_outputs: int, rule: str, across: float) -> None:
    """Write a rule right of the dots, on two lines at most."""
    if not rule:
        return
    width = max(int((points_wide(ax) - n_outputs * across) / CHARACTER), 16)
    parts = textwrap.wrap(shorten(rule, 2 * width - width // 5), width)
    text = "\n".join([*parts[:1], shorten(" ".join(parts[1:]), width)]).strip()
    ax.annotate(plain(text), (n_outputs - 0.35, line), va="center", fontsize="small", linespacing=1.15)
