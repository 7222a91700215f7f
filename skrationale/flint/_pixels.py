"""In which units pixels are: whole numbers up to 255, or parts of one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._callers import outside
from .._task import Task

PART_OF_ONE = 2.0
"""Pixels from 0 to 1 may be a little larger elsewhere, as after resizing."""
FAR_OUT = 10.0
"""Pixels so many times as large as all at fit are in other units."""
WHOLE_RANGE = 100.0
"""Whole pixels up to at least this are those of usual pictures."""
STANDARDISED = 6.0
"""Pixels less their mean, in standard deviations, are not larger."""
FEW, MANY = 20, 200
"""Images that a given predictor is judged by, at least and at most."""
GAIN = 0.25
"""Share of images that it must be right in more often for other units to be its own."""


def warn_of_units(
    scores_of: Callable[[np.ndarray], np.ndarray], task: Task, pixels: np.ndarray, y: np.ndarray
) -> None:
    """Warn where a given predictor is right much more often when pixels are in other units.

    Parameters
    ----------
    scores_of : callable
        Maps pixels (m, p) to the predictor's scores (m, K).
    task : Task
        What is predicted; numbers are not judged.
    pixels : ndarray of shape (n, p)
        Images.
    y : ndarray of shape (n,)
        Their labels.
    """
    if not task.is_classification or len(y) < FEW or pixels.min() < 0:
        return
    rows = np.unique(np.linspace(0, len(y) - 1, MANY).astype(int))
    of_parts = pixels.max() <= 1
    others = pixels[rows] * 255 if of_parts else pixels[rows] / max(255.0, pixels.max())
    right, better = (
        float(np.mean(task.predict(scores_of(images)) == y[rows])) for images in (pixels[rows], others)
    )
    if better > right + GAIN:
        warnings.warn(
            f"The predictor is right in {right:.0%} of the images as given, and in {better:.0%} of them when "
            f"{'multiplied by 255' if of_parts else 'scaled to 0 to 1'}. Was it fitted to images in other "
            "units? Give images in the units that it was fitted to.",
            UserWarning,
            stacklevel=outside(),
        )


@dataclass(frozen=True)
class PixelUnits:
    """What pixels were at fit.

    Parameters
    ----------
    low, high : float
        The smallest and the largest one.
    whole : bool
        Whether all were whole numbers.

    Examples
    --------
    >>> units = PixelUnits.of(np.array([[0.0, 128.0, 255.0]]))
    >>> units.problem(np.array([[0.0, 64.0, 200.5]]))
    >>> units.problem(np.array([[0.0, 0.5, 1.0]]))
    'from 0 to 1, with fractions; expected whole numbers from 0 to 255, as in fit (X * 255)'
    """

    low: float
    high: float
    whole: bool

    @classmethod
    def of(cls, pixels: np.ndarray) -> PixelUnits:
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
        given = PixelUnits.of(pixels)
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

    def _shrunk(self, given: PixelUnits, kind: str) -> bool:
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
