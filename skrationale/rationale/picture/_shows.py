"""What only models of pictures can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._display import ImageRationaleDisplay
from ._form import PictureForm

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
        return ImageRationaleDisplay.from_estimator(self, X, y=y, n=n, captions=captions, ax=ax)
