"""What only models of pictures can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ...units import as_picture
from ._form import PictureForm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...plotting import ImageRationaleDisplay

PAPER, LEFT = (0.86, 0.74, 0.72), 0.2
"""Colour of hidden patches, a reddish grey in which black and white ones are seen to be hidden, and what is
left of their contrast. Not measured."""


class ShowsPictures:
    """Methods of an estimator that may have been fitted to pictures."""

    _form: Any

    def _picture_form(self, asked: str) -> PictureForm:
        check_is_fitted(self)
        if not isinstance(self._form, PictureForm):
            raise TypeError(
                f"{asked} is only for pictures, but {type(self).__name__} was fitted to a table. Expected "
                "X of shape (n, H, W) or (n, C, H, W) in fit."
            )
        return self._form

    def get_pixel_mask(self, X: Any) -> np.ndarray:
        """Return which pixels each prediction uses.

        Parameters
        ----------
        X : array-like of shape (n, H, W) or (n, C, H, W)
            Pictures.

        Returns
        -------
        ndarray of bool of shape (n, H, W)
            True if a pixel is used: the result of `get_rationale` for pixels instead of patches.

        Raises
        ------
        TypeError
            If the model was fitted to a table.
        """
        form = self._picture_form("get_pixel_mask")
        return form.pixel_mask(self.get_rationale(X))  # type: ignore[attr-defined]

    def plot_rationale(
        self,
        X: Any = None,
        *,
        y: Any = None,
        n: int = 8,
        captions: Sequence[str] | None = None,
        ax: Axes | None = None,
    ) -> ImageRationaleDisplay:
        """Draw pictures, and below each picture the same one with hidden patches washed out.

        Parameters
        ----------
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
        TypeError
            If the model was fitted to a table; see :meth:`skrationale.explanation.Explanation.plot`.
        ValueError
            If `n`, `y` or `captions` is not as described.
        """
        from ...plotting import ImageRationaleDisplay

        form = self._picture_form("plot_rationale")
        if not isinstance(n, Integral) or n < 1:
            raise ValueError(f"n must be an integer of at least 1. Got {n!r} instead.")
        if X is None:
            return ImageRationaleDisplay(*_maps(self, form, int(n)), colours="viridis").plot(ax)
        shown = form.pictures(X)[:n]
        for name, given in (("y", y), ("captions", captions)):
            if given is not None and len(given) < len(shown):
                raise ValueError(
                    f"{name} has {len(given)} entries; expected one for each of {len(shown)} pictures."
                )
        titles = _titles(self, shown, y) if captions is None else list(map(str, captions[: len(shown)]))
        limits = form.pixel_range.low, form.pixel_range.high
        pictures = [_in_colours(image, limits) for image in shown]
        washed = [
            np.where(mask[..., None], image, (1 - LEFT) * np.array(PAPER) + LEFT * image)
            for image, mask in zip(pictures, self.get_pixel_mask(shown), strict=True)
        ]
        return ImageRationaleDisplay([pictures, washed], titles, ["picture", "rationale"]).plot(ax)


def _in_colours(image: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Give red, green and blue (H, W, 3) from 0 to 1 of an image (C, H, W)."""
    drawn = as_picture(image.astype(float), limits)["X"]
    if drawn.ndim == 3:
        return drawn
    low, high = limits
    grey = np.clip((drawn - low) / ((high - low) or 1.0), 0, 1)
    return np.repeat(grey[..., None], 3, axis=2)


def _titles(estimator: Any, shown: np.ndarray, y: Any) -> list[str]:
    """Say what is predicted of each picture, behind what is true where that is known."""
    number = not estimator._task.is_classification

    def word(value: Any) -> str:
        return f"{value:.3g}" if number else str(value)

    predicted = [word(value) for value in estimator.predict(shown)]
    if y is None:
        return predicted
    true = [word(value) for value in np.asarray(y)[: len(shown)]]
    return [f"{a} → {b}" for a, b in zip(true, predicted, strict=True)]


def _maps(estimator: Any, form: PictureForm, n: int) -> tuple[list[list[np.ndarray]], list[str], list[str]]:
    """Give the share of training pictures in which each patch is selected, for each class."""
    assert form.grid is not None
    if estimator._task.is_classification:
        shares, names = estimator.class_frequencies_, list(map(str, estimator.classes_))
    else:
        shares, names = estimator.selection_frequencies_[None], ["all pictures"]
    maps = [np.nan_to_num(share).reshape(form.grid) for share in shares[:n]]
    return [maps], names[:n], ["share selected\n(dark 0, light 1)"]
