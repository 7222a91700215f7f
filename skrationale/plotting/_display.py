"""The template of a display: where the explanation comes from, and where it is drawn."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..explanation import Explanation
from ._style import need_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class ExplanationDisplay(ABC):
    """Base of the displays; a display says in `_check` what it can draw, and draws it in `_draw`.

    Parameters
    ----------
    explanation : Explanation
        What is drawn.
    max_display : int, default=10
        How many lines at most; the weakest features are shown together on the last.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn last.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    """

    ax_: "Axes"
    figure_: "Figure"
    _word: ClassVar[str]

    def __init__(self, explanation: Explanation, *, max_display: int = 10) -> None:
        self.explanation = explanation
        self.max_display = max_display

    @classmethod
    def from_explanation(
        cls,
        explanation: Explanation,
        *,
        max_display: int = 10,
        output: str | int | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw an explanation.

        Parameters
        ----------
        explanation : Explanation
            What is drawn.
        max_display : int, default=10
            How many lines at most; the weakest features are shown together on the last.
        output : str or int, default=None
            Draw only this output, by name or position.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        display
            With ``ax_`` and ``figure_``; nothing is shown.

        Raises
        ------
        TypeError
            If `explanation` is not an Explanation.
        ValueError
            If this display cannot draw it; the message says what can be done.
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
        max_display: int = 10,
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
        max_display : int, default=10
            How many lines at most; the weakest features are shown together on the last.
        output : str or int, default=None
            Draw only this output, by name or position.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        display
            With ``ax_`` and ``figure_``; nothing is shown.

        Raises
        ------
        TypeError
            If `estimator` has no method ``explain``.
        ValueError
            If this display cannot draw the explanation; the message says what can be done.
        """
        if not hasattr(estimator, "explain"):
            raise TypeError(f"`estimator` must have a method `explain`, got {type(estimator).__name__}.")
        return cls.from_explanation(estimator.explain(X), max_display=max_display, output=output, ax=ax)

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
        if not isinstance(self.explanation, Explanation):
            raise TypeError(f"`explanation` must be an Explanation, got {type(self.explanation).__name__}.")
        if not isinstance(self.max_display, int) or self.max_display < 1:
            raise ValueError(f"`max_display` must be an integer of at least 1, got {self.max_display!r}.")
        self._check(self.explanation)
        need_matplotlib()
        self.ax_ = self._draw(self.explanation, ax)
        self.figure_ = self.ax_.figure  # type: ignore[assignment]
        return self

    def _check(self, explanation: Explanation) -> None:  # noqa: B027, a display may draw all
        """Raise if this display cannot draw the explanation."""

    @abstractmethod
    def _draw(self, explanation: Explanation, ax: "Axes | None") -> "Axes":
        """Draw on `ax`, or on axes of its own, and return them."""

    def _need_one_output(self, explanation: Explanation) -> None:
        if explanation.n_outputs > 1:
            available = ", ".join(map(repr, explanation.output_names))
            raise ValueError(
                f"a {self._word} shows one output, got an explanation of {explanation.n_outputs}: choose one "
                f"with `explanation.for_output(name)` or `output=name`, of {available}."
            )
