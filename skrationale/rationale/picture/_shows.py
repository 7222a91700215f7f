"""What only models of pictures can be asked."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._form import PictureForm


class ShowsPictures:
    """Methods of an estimator that may have been fitted to pictures."""

    _form: Any

    def _picture_form(self, asked: str) -> PictureForm:
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        if not isinstance(self._form, PictureForm):
            raise TypeError(
                f"{asked} is for pictures, and {type(self).__name__} was fitted to a table. Expected X of "
                "shape (n, H, W) or (n, C, H, W) in fit."
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
