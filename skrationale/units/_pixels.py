"""In which units pixels are: whole numbers up to 255, or parts of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PART_OF_ONE = 2.0
"""Pixels from 0 to 1 may be a little larger elsewhere, as after resizing. Not measured."""
FAR_OUT = 10.0
"""Pixels so many times as large as all at fit are in other units. Not measured."""
WHOLE_RANGE = 100.0
"""Whole pixels up to at least this are those of usual pictures. Not measured."""
STANDARDISED = 6.0
"""Pixels less their mean, in standard deviations, are not larger. Not measured."""


@dataclass(frozen=True)
class PixelRange:
    """The range of pixels at fit, which says in which units others must be.

    Parameters
    ----------
    low, high : float
        The smallest and the largest one.
    whole : bool
        Whether all were whole numbers.

    Examples
    --------
    >>> at_fit = PixelRange.of(np.array([[0.0, 128.0, 255.0]]))
    >>> at_fit.problem(np.array([[0.0, 64.0, 200.5]]))
    >>> at_fit.problem(np.array([[0.0, 0.5, 1.0]]))
    'from 0 to 1, with fractions; expected whole numbers from 0 to 255, as in fit (X * 255)'
    """

    low: float
    high: float
    whole: bool

    @classmethod
    def of(cls, pixels: np.ndarray) -> PixelRange:
        """Look at pixels (n, p)."""
        return cls(float(pixels.min()), float(pixels.max()), bool((pixels == np.rint(pixels)).all()))

    def problem(self, pixels: np.ndarray, kind: str = "f") -> str | None:
        """Say why pixels (n, p) cannot be in the units at fit; None where they can.

        Parameters
        ----------
        pixels : ndarray of shape (n, p)
            Pixels.
        kind : str, default="f"
            Of their type, as numpy calls it: a dark picture of integers may have no pixel above 1.
        """
        given = PixelRange.of(pixels)
        size = max(abs(self.low), abs(self.high))
        if self._shrunk(given, kind):
            factor = f" (X * {self.high:g})" if given.low >= 0 else ""
            return f"{given}; expected {self}, as in fit{factor}"
        limit = PART_OF_ONE if size <= 1 else FAR_OUT * size
        if size > 0 and max(abs(given.low), abs(given.high)) > limit:
            factor = f" (X / {given.high:g})" if given.low >= 0 and size <= 1 else ""
            factor = " (X / 255)" if factor and PART_OF_ONE < given.high <= 255 else factor
            return f"{given}; expected {self}, as in fit{factor}"
        return None

    def check(self, pixels: np.ndarray, kind: str = "f") -> np.ndarray:
        """Give pixels (n, p) back, or refuse those in other units than at fit; see `problem`."""
        problem = self.problem(pixels, kind)
        if problem is not None:
            raise ValueError(f"X holds pixels {problem}.")
        return pixels

    def _shrunk(self, given: PixelRange, kind: str) -> bool:
        """Whether pixels are parts of one, or standardised, where they were whole numbers at fit."""
        if not self.whole or self.low < 0 or self.high <= 1:
            return False
        if given.low >= 0 and 0 < given.high <= 1:
            # zeros and ones may be dark pixels, but not where floats or booleans say that one is light
            return not given.whole or (kind in "fb" and self.high > FAR_OUT)
        return (
            self.high >= WHOLE_RANGE
            and not given.whole
            and given.low < 0
            and max(-given.low, given.high) <= STANDARDISED
        )

    def __str__(self) -> str:
        numbers = "whole numbers " if self.whole and self.high > 1 else ""
        parts = "" if self.whole or self.high > 1 or self.low < 0 else ", with fractions"
        return f"{numbers}from {self.low:.4g} to {self.high:.4g}{parts}"
