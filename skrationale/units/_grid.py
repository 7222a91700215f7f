"""How many patches a picture is cut into."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from ._pictures import ImageShape

FEWEST_PATCHES, MOST_PATCHES, LEAST_PIXELS = 4, 8, 2
"""Patches along a side where no grid is asked for, fewest and most, and pixels of one: nobody reads words for
more than 64 patches. Not measured."""


def read_grid(given: Any, image_shape: ImageShape, name: str = "grid") -> tuple[int, int]:
    """Read a number of patches, or find one that suits pictures.

    Parameters
    ----------
    given : int, (int, int) or None
        Patches down and across, or along both sides. None: the most that divide a side, up to 8 and of at
        least 2 pixels; where that is less than 4, the most there may be.
    image_shape : (int, int, int)
        Channels, height, width.
    name : str, default="grid"
        What an error calls it.

    Returns
    -------
    (int, int)
        Patches down and across.

    Raises
    ------
    ValueError
        When the grid is something else, or finer than the pixels.

    Examples
    --------
    >>> read_grid(None, (1, 28, 20)), read_grid(4, (3, 32, 32))
    ((7, 5), (4, 4))
    """
    height, width = image_shape[1:]
    if given is None:
        return _usual(height), _usual(width)
    pair = (given, given) if isinstance(given, Integral) else tuple(np.ravel(given).tolist())
    right = len(pair) == 2 and all(isinstance(k, Integral) and not isinstance(k, bool) for k in pair)
    if not right or not (1 <= pair[0] <= height and 1 <= pair[1] <= width):
        raise ValueError(
            f"{name} must be one number of patches, or two (down and across), for pictures of {height} x "
            f"{width} pixels. Got {given!r} instead."
        )
    return int(pair[0]), int(pair[1])


def _usual(side: int) -> int:
    """Give how many patches a side of so many pixels has by default."""
    most = max(1, min(MOST_PATCHES, side // LEAST_PIXELS))
    even = max(n for n in range(1, most + 1) if side % n == 0)
    return even if even >= FEWEST_PATCHES else most
