"""Where in pictures attributes sit: how much they lose when a patch of a picture is hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..tabular import TableReader
from ..units import ImageShape, PictureUnits, read_grid
from ._images import N_IMAGES

CELLS = 2**22
"""Pixels that are computed at once. Not measured."""


def patches_of(image_shape: ImageShape, grid: Any = None) -> PictureUnits:
    """Cut pictures into patches.

    Parameters
    ----------
    image_shape : (int, int, int)
        Channels, height, width.
    grid : int, (int, int) or None
        As for :func:`skrationale.units.read_grid`.

    Returns
    -------
    PictureUnits

    Raises
    ------
    ValueError
        When the grid is something else, or finer than the pixels.

    Examples
    --------
    >>> patches_of((1, 28, 20)).grid, patches_of((3, 32, 32), 4).grid
    ((7, 5), (4, 4))
    """
    return PictureUnits.of(image_shape, read_grid(grid, image_shape))


def names_of(units: PictureUnits) -> tuple[str, ...]:
    """Say which rows and columns of pixels each patch has, counted from 0.

    Examples
    --------
    >>> names_of(patches_of((1, 4, 2), 2))
    ('rows 0-1, column 0', 'rows 0-1, column 1', 'rows 2-3, column 0', 'rows 2-3, column 1')
    """
    height, width = units.image_shape[1:]
    patch = units.groups[: height * width].reshape(height, width)
    found = []
    for k in range(units.n_units):
        places = np.nonzero(patch == k)
        ends = [(int(place.min()), int(place.max())) for place in places]
        words = [
            f"{word} {first}" if first == last else f"{word}s {first}-{last}"
            for word, (first, last) in zip(("row", "column"), ends, strict=True)
        ]
        found.append(", ".join(words))
    return tuple(found)


def losses(
    attributes_of: Callable[[np.ndarray], np.ndarray],
    matrix: np.ndarray,
    units: PictureUnits,
    mean_picture: np.ndarray,
) -> np.ndarray:
    """Give what attributes lose when a patch shows the mean picture.

    Parameters
    ----------
    attributes_of : callable
        Gives attributes (B, J) of flat pictures (B, p).
    matrix : ndarray of shape (n, p)
        Pictures.
    units : PictureUnits
        L patches.
    mean_picture : ndarray of shape (p,)
        What is shown in a patch that is hidden.

    Returns
    -------
    ndarray of shape (n, L, J)
        Positive where an attribute is smaller without the patch.
    """
    size = max(1, CELLS // (units.n_units * matrix.shape[1]))
    hidden = units.groups == np.arange(units.n_units)[:, None]
    parts = []
    for start in range(0, len(matrix), size):
        some = matrix[start : start + size]
        without = np.where(hidden, mean_picture, some[:, None])
        phi = attributes_of(without.reshape(-1, matrix.shape[1]))
        parts.append(attributes_of(some)[:, None] - phi.reshape(len(some), units.n_units, -1))
    return np.concatenate(parts)


@dataclass(frozen=True, eq=False)
class PatchTable:
    """Pictures as a table of patches, in whose words attributes are described.

    Parameters
    ----------
    reader : TableReader
        Knows the names of the L patches.
    matrix : ndarray of shape (n, L)
        Mean pixel of each patch.
    importance : ndarray of shape (L, J)
        Mean squared loss of an attribute without the patch, in its variances, at most 1.
    direction : ndarray of shape (L, J)
        Mean loss over its root mean square, from -1 to 1; NaN where there is none.
    groups : ndarray of int of shape (p,)
        Patch of each value of a flat picture.
    """

    reader: TableReader
    matrix: np.ndarray
    importance: np.ndarray
    direction: np.ndarray
    groups: np.ndarray

    def by_pixel(self) -> tuple[np.ndarray, np.ndarray]:
        """Share the importance of each patch among its pixels; give importances and directions (p, J)."""
        sizes = np.bincount(self.groups)
        return (self.importance / sizes[:, None])[self.groups], self.direction[self.groups]

    @classmethod
    def of(
        cls,
        attributes_of: Callable[[np.ndarray], np.ndarray],
        matrix: np.ndarray,
        image_shape: ImageShape,
        mean_picture: np.ndarray,
    ) -> PatchTable:
        """Look at pictures (n, p), at most 200 of them for importances."""
        import pandas as pd

        units = patches_of(image_shape)
        sizes = np.bincount(units.groups)
        means = units.fold(matrix) / sizes
        reader = TableReader().fit(pd.DataFrame(means[:1], columns=list(names_of(units))))
        rows = np.sort(np.random.RandomState(0).permutation(len(matrix))[:N_IMAGES])
        lost = losses(attributes_of, matrix[rows], units, mean_picture)
        variance = attributes_of(matrix).var(axis=0)
        square = (lost**2).mean(axis=0)
        importance = np.minimum(square / np.where(variance > 0, variance, np.inf), 1.0)
        direction = lost.mean(axis=0) / np.where(square > 0, np.sqrt(square), np.nan)
        return cls(reader, means, importance, direction, units.groups)
