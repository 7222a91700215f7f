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
        """Say which pixels each prediction is made from.

        Parameters
        ----------
        X : array-like of shape (n, H, W) or (n, C, H, W)
            Pictures.

        Returns
        -------
        ndarray of bool of shape (n, H, W)
            True where a pixel is used: `get_rationale` with each patch as large as it is.

        Raises
        ------
        TypeError
            When the model was fitted to a table.
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
        """Draw pictures, and below each the same one with hidden patches washed out.

        Parameters
        ----------
        X : array-like of shape (m, H, W) or (m, C, H, W), default=None
            Pictures, of which the first `n` are drawn. None: a map for each class, of the share of training
            pictures predicted as it in which a patch is selected; of numbers one map.
        y : array-like of shape (m,), default=None
            True labels or numbers, for the titles.
        n : int, default=8
            Pictures at most, or classes.
        captions : sequence of str, default=None
            Titles; None: what is predicted, behind what is true.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        ImageRationaleDisplay
            With ``ax_``, ``axes_`` and ``figure_``; nothing is shown.

        Raises
        ------
        TypeError
            When the model was fitted to a table; see :meth:`skrationale.explanation.Explanation.plot`.
        ValueError
            When `n`, `y` or `captions` do not suit.
        """
        return ImageRationaleDisplay.from_estimator(self, X, y=y, n=n, captions=captions, ax=ax)
