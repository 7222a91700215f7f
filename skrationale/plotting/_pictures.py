"""ImageRationaleDisplay: which patches predictions were made from, drawn over the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..writing import need_matplotlib, plain, shorten
from ._display import Display

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 24
"""Letters of a caption. Not measured."""


class ImageRationaleDisplay(Display):
    """Pictures, each above a copy with hidden patches washed out, or a map for each class.

    Make one with `from_estimator`, or with the model's `plot_rationale`.

    Parameters
    ----------
    lines : sequence of (sequence of ndarray of shape (H, W) or (H, W, 3))
        The pictures to draw, line by line; grey, or red, green and blue, from 0 to 1.
    titles : sequence of str
        Titles above the pictures of the first line.
    names : sequence of str
        Names to the left of each line.
    colours : str, default="gray"
        Colour map of pictures without colours.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    axes_ : ndarray of Axes of shape (n_lines, n)
        Axes of the pictures, inside `ax_`.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skrationale import RationaleClassifier
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> pictures = X.reshape(-1, 8, 8)
    >>> model = RationaleClassifier(max_features=4, max_epochs=2, random_state=0).fit(pictures, y)
    >>> model.plot_rationale(pictures, n=5).axes_.shape
    (2, 5)
    >>> model.plot_rationale().axes_.shape
    (1, 3)
    """

    axes_: np.ndarray

    def __init__(
        self,
        lines: Sequence[Sequence[np.ndarray]],
        titles: Sequence[str],
        names: Sequence[str],
        colours: str = "gray",
    ) -> None:
        self.lines, self.titles, self.names, self.colours = lines, titles, names, colours

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        *,
        y: Any = None,
        n: int = 8,
        captions: Sequence[str] | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the rationales of pictures, or how often each patch is selected.

        Parameters
        ----------
        estimator : RationaleClassifier, RationaleRegressor or RationaleDistiller
            Fitted to pictures.
        X : array-like of shape (m, H, W) or (m, C, H, W), default=None
            Pictures; the first `n` are drawn. None: a map for each class shows in which share of the training
            pictures predicted as this class each patch is selected. A regressor has one map.
        y : array-like of shape (m,), default=None
            True labels or numbers, for the titles.
        n : int, default=8
            Largest number of pictures, or of classes.
        captions : sequence of str, default=None
            Titles; None: the true label or number, then the predicted one.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        ImageRationaleDisplay
            With ``ax_``, ``axes_`` and ``figure_``. The figure is not shown.

        Raises
        ------
        TypeError, ValueError
            If the model was fitted to a table, or `n`, `y` or `captions` is not as described.
        """
        drawn: Self = estimator.plot_rationale(X, y=y, n=n, captions=captions, ax=ax)
        return drawn

    def _draw(self, ax: Axes | None) -> Axes:
        n, n_lines = len(self.titles), len(self.lines)
        if ax is None:
            size = max(3.2, 0.5 + 1.15 * n), 0.5 + 1.2 * n_lines
            ax = need_matplotlib().subplots(figsize=size, layout="constrained")[1]
        ax.set_axis_off()
        self.axes_ = np.empty((n_lines, n), dtype=object)
        for line, pictures in enumerate(self.lines):
            for i, picture in enumerate(pictures):
                place = ((i + 0.03) / n, 1 - (line + 0.97) / n_lines, 0.94 / n, 0.94 / n_lines)
                self.axes_[line, i] = self._inset(ax, place, picture)
            self.axes_[line, 0].set_ylabel(self.names[line], size="small")
        for inset, title in zip(self.axes_[0], self.titles, strict=True):
            inset.set_title(plain(shorten(title, LONGEST)), size="small", pad=3)
        return ax

    def _inset(self, ax: Axes, place: tuple[float, float, float, float], picture: np.ndarray) -> Axes:
        inset = ax.inset_axes(place)
        inset.imshow(picture, cmap=self.colours, vmin=0, vmax=1)
        inset.set(xticks=[], yticks=[])
        inset.spines[:].set_visible(False)
        return inset
