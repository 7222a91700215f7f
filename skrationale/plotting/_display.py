"""The templates of displays: where the data come from, and where they are drawn."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from .._hooks import gives_reasons
from ..explanation import Explanation
from ..writing import need_matplotlib
from ._style import is_one_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Display(ABC):
    """Base of all displays; one draws itself in `_draw`, after `_check` found nothing wrong.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    """

    ax_: "Axes"
    figure_: "Figure"

    def plot(self, ax: "Axes | None" = None) -> Self:
        """Draw, on `ax` or in a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        display
            Itself.
        """
        self._check()
        need_matplotlib()
        self.ax_ = self._draw(ax)
        self.figure_ = self.ax_.figure  # type: ignore[assignment]
        return self

    def _check(self) -> None:  # noqa: B027, a display may check its data when it is made
        """Raise if this display cannot draw what it holds."""

    @abstractmethod
    def _draw(self, ax: "Axes | None") -> "Axes":
        """Draw on `ax`, or on axes of its own, and return them."""


class PanelDisplay(Display):
    """Base of the displays that may need more than one axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The first panel.
    axes_ : ndarray of Axes of shape (n_panels,)
        All panels that were drawn last.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    """

    axes_: np.ndarray

    def plot(self, ax: "Axes | Sequence[Axes] | None" = None) -> Self:
        """Draw, on `ax` or in a new figure.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of them, default=None
            Where to draw: one Axes for each panel, or one Axes, which then shows only the first panel. None:
            a new figure with all panels.

        Returns
        -------
        display
            Itself.

        Raises
        ------
        ValueError
            If `ax` has another number of axes than there are panels.
        """
        return super().plot(ax)  # type: ignore[arg-type]

    def _draw(self, ax: Any) -> "Axes":
        n = self._n_panels()
        if ax is None:
            axes = self._new_axes()
        elif is_one_axes(ax):
            axes = [ax]
        else:
            axes = list(np.ravel(np.asarray(ax, dtype=object)))
            if len(axes) != n:
                raise ValueError(
                    f"`ax` must be one Axes, which shows only the first panel, or {n} Axes, one per panel; "
                    f"got {len(axes)}."
                )
        self._draw_panels(axes)
        self.axes_ = np.array(axes, dtype=object)
        return axes[0]

    @abstractmethod
    def _n_panels(self) -> int:
        """Count the panels that there are to draw."""

    @abstractmethod
    def _new_axes(self) -> "list[Axes]":
        """Make a figure with all panels."""

    @abstractmethod
    def _draw_panels(self, axes: "list[Axes]") -> None:
        """Draw the first panels on so many axes."""


class ExplanationDisplay(Display):
    """Base of the displays of an explanation; see `Display`.

    Parameters
    ----------
    explanation : Explanation
        The explanation to draw.
    max_display : int, default=None
        How many lines at most; None: what suits the display.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    """

    _word: ClassVar[str]
    _usual: ClassVar[int] = 10

    def __init__(self, explanation: Explanation, *, max_display: int | None = None) -> None:
        self.explanation = explanation
        self.max_display = self._usual if max_display is None else max_display

    @classmethod
    def from_explanation(
        cls,
        explanation: Explanation,
        *,
        max_display: int | None = None,
        output: str | int | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw an explanation.

        Parameters
        ----------
        explanation : Explanation
            The explanation to draw.
        max_display : int, default=None
            Largest number of lines; None: the default of the display, see its class.
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
            If this display cannot draw the explanation; the message says what to do instead.
        """
        if output is not None and isinstance(explanation, Explanation):
            explanation = explanation.for_output(output)
        return cls(explanation, max_display=max_display).plot(ax=ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        max_display: int | None = None,
        output: str | int | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Explain rows with a fitted estimator and draw the explanation.

        Parameters
        ----------
        estimator : estimator with ``explain``
            Fitted.
        X : array-like or DataFrame of shape (n, d)
            Rows to explain.
        max_display : int, default=None
            Largest number of lines; None: the default of the display, see its class.
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
            If this display cannot draw the explanation; the message says what to do instead.
        """
        if not gives_reasons(estimator):
            raise TypeError(f"`estimator` must have a method `explain`, got {type(estimator).__name__}.")
        return cls.from_explanation(estimator.explain(X), max_display=max_display, output=output, ax=ax)

    def _check(self) -> None:
        if not isinstance(self.explanation, Explanation):
            raise TypeError(f"`explanation` must be an Explanation, got {type(self.explanation).__name__}.")
        check_count("max_display", self.max_display)
        self._check_explanation(self.explanation)

    def _draw(self, ax: "Axes | None") -> "Axes":
        return self._draw_explanation(self.explanation, ax)

    def _check_explanation(self, explanation: Explanation) -> None:  # noqa: B027, a display may draw all
        """Raise if this display cannot draw the explanation."""

    @abstractmethod
    def _draw_explanation(self, explanation: Explanation, ax: "Axes | None") -> "Axes":
        """Draw on `ax`, or on axes of its own, and return them."""

    def _need_one_output(self, explanation: Explanation) -> None:
        if explanation.n_outputs > 1:
            available = ", ".join(map(repr, explanation.output_names))
            raise ValueError(
                f"a {self._word} shows one output, got an explanation of {explanation.n_outputs}: choose one "
                f"with `explanation.for_output(name)` or `output=name`, of {available}."
            )


def check_count(name: str, count: Any) -> None:
    """Raise unless a number of lines is an integer of at least 1."""
    if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < 1:
        raise ValueError(f"`{name}` must be an integer of at least 1, got {count!r}.")
