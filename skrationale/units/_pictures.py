"""Pictures (n, C, H, W) or (n, H, W): rows of pixels at the door, one shift and scale, patches as units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._scales import exponents
from ..tabular import TableEncoder, TableReader
from ._units import Units

ImageShape = tuple[int, int, int]
CHANNELS = (1, 3, 4)
"""Numbers of channels that pictures have."""


def image_shape_of(X: Any) -> ImageShape | None:
    """Give channels, height and width of images, or None for a table.

    Parameters
    ----------
    X : DataFrame or array-like
        Rows (n, d), images (n, C, H, W), or images (n, H, W) of one channel.

    Returns
    -------
    (int, int, int) or None

    Raises
    ------
    ValueError
        When `X` has more than four axes, or its channels come last.

    Examples
    --------
    >>> image_shape_of(np.zeros((5, 3, 8, 8))), image_shape_of(np.zeros((5, 8, 8)))
    ((3, 8, 8), (1, 8, 8))
    >>> image_shape_of(np.zeros((5, 64))) is None
    True
    """
    shape = _axes(X)
    if len(shape) < 3:
        return None
    if len(shape) == 3:
        return 1, shape[1], shape[2]
    if len(shape) > 4:
        raise ValueError(f"X has shape {shape}; expected rows (n, d), or images (n, C, H, W) or (n, H, W).")
    if _channels_last(shape):
        raise ValueError(
            f"X has shape {shape}, with channels last; expected images (n, C, H, W). Give {_transposed(X)}."
        )
    return shape[1], shape[2], shape[3]


def _axes(X: Any) -> tuple[int, ...]:
    # lists of lists of lists are images too
    if isinstance(X, list | tuple) and len(X):
        return (len(X), *_axes(X[0]))
    return tuple(map(int, getattr(X, "shape", ())))


def _channels_last(shape: tuple[int, ...]) -> bool:
    """Whether the last of four axes is that of one, three or four channels, and the second one is not."""
    n_last, square = shape[3], shape[1] == shape[2]
    few = n_last in CHANNELS or (n_last == 2 and square)
    # maps of 4 x 4 or 3 x 3 pixels are small, not channels
    return few and shape[1] not in CHANNELS and (square or shape[2] != n_last)


def _transposed(X: Any) -> str:
    return "X.permute(0, 3, 1, 2)" if hasattr(X, "permute") else "X.transpose(0, 3, 1, 2)"


def flat_rows(X: Any, image_shape: ImageShape | None) -> Any:
    """Flatten images, and leave tables as they are.

    Parameters
    ----------
    X : DataFrame or array-like
        Rows (n, d), images (n, C, H, W), or images (n, H, W) of one channel.
    image_shape : (int, int, int) or None
        The shape that images must have; None where rows are no images.

    Returns
    -------
    DataFrame or array-like of shape (n, d)

    Raises
    ------
    ValueError
        When images have another shape.

    Examples
    --------
    >>> flat_rows(np.zeros((5, 1, 8, 8)), (1, 8, 8)).shape
    (5, 64)
    """
    axes = _axes(X)
    if image_shape is not None and len(axes) == 4:
        turned = (axes[3], axes[1], axes[2])
        if axes[1:] != image_shape and turned == image_shape:
            raise ValueError(
                f"X has shape {axes}, with channels last; expected images (n, C, H, W) of shape "
                f"{image_shape}, as in fit. Give {_transposed(X)}."
            )
    if axes == image_shape and axes[0] > 1:
        raise ValueError(
            f"X has shape {axes}, that of one image; expected images (n, C, H, W). Give X[None]."
        )
    shape = image_shape_of(X)
    if shape is None:
        return X
    if shape != image_shape:
        expected = "rows (n, d), as in fit" if image_shape is None else f"{image_shape}, as in fit"
        raise ValueError(f"X holds images of shape {shape} (C, H, W); expected {expected}.")
    return np.asarray(X).reshape(len(X), math.prod(shape))  # -1 is not known without rows


def kind_of(X: Any) -> str:
    """Give the kind of type of images, as numpy calls it; floats where it is not known."""
    if isinstance(X, list | tuple):
        X = np.asarray(X)
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    if kind is None and hasattr(X, "is_floating_point"):  # of torch
        return "f" if X.is_floating_point() else "i"
    return kind or "f"


def check_pixels(matrix: np.ndarray) -> np.ndarray:
    """Refuse images (n, C*H*W) with missing pixels."""
    missing = int(np.isnan(matrix).any(axis=1).sum())
    if missing:
        raise ValueError(f"X holds {missing} images with NaN; expected all pixels of images to be numbers.")
    return matrix


class ImageEncoder(TableEncoder):
    """Encode pixels with one mean and one standard deviation, those of all pixels of all training images.

    Attributes
    ----------
    shift, scale : float
        The mean and the standard deviation; the latter is 1 where all pixels are the same.

    Examples
    --------
    >>> from skrationale.tabular import TableReader
    >>> images = np.array([[0.0, 2.0], [0.0, 2.0]])
    >>> ImageEncoder().fit_matrix(TableReader().fit(images), images).encode_matrix(images)
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    shift: float
    scale: float

    def __init__(self) -> None:
        super().__init__(numeric="none")

    def fit_matrix(
        self, reader: TableReader, matrix: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> ImageEncoder:
        """Learn the mean and the standard deviation; see :class:`TableEncoder`."""
        super().fit_matrix(reader, matrix, sample_weight)
        exponent = int(exponents(matrix.ravel()))
        scaled = np.ldexp(matrix, -exponent)  # squares stay in range
        shift = np.average(scaled.mean(axis=1), weights=sample_weight)
        squares = ((scaled - shift) ** 2).mean(axis=1)
        scale = np.sqrt(np.average(squares, weights=sample_weight))
        self.shift, self.scale = (float(np.ldexp(number, exponent)) for number in (shift, scale))
        self.scale = self.scale or 1.0
        return self

    def encode_matrix(self, matrix: np.ndarray) -> np.ndarray:
        """Encode images (n, C*H*W)."""
        return (matrix - self.shift) / self.scale


@dataclass(frozen=True, eq=False)
class PictureUnits(Units):
    """The patches of pictures, or their pixels, with all channels.

    Parameters
    ----------
    names : tuple of L str
        Where each is: ``"row 3, column 5"`` of the grid, both counted from 0, as numpy does.
    groups : ndarray of int of shape (C*H*W,)
        Patch of each value of a flat picture.
    image_shape : (int, int, int)
        Channels, height, width.
    grid : (int, int)
        Patches down and across.

    Examples
    --------
    >>> units = PictureUnits.of((1, 4, 4), (2, 2))
    >>> units.groups.reshape(4, 4)
    array([[0, 0, 1, 1],
           [0, 0, 1, 1],
           [2, 2, 3, 3],
           [2, 2, 3, 3]])
    >>> units.names[2]
    'row 1, column 0'
    """

    image_shape: ImageShape
    grid: tuple[int, int]

    @classmethod
    def of(cls, image_shape: ImageShape, grid: tuple[int, int] | None = None) -> PictureUnits:
        """Cut pictures into patches of one size as nearly as can be; None: into pixels."""
        channels, height, width = image_shape
        down, across = grid = image_shape[1:] if grid is None else grid
        rows, columns = np.arange(height) * down // height, np.arange(width) * across // width
        names = tuple(f"row {row}, column {column}" for row in range(down) for column in range(across))
        groups = np.tile((rows[:, None] * across + columns).ravel(), channels)
        return cls(names, groups, image_shape, grid)

    def pictures(self, rows: np.ndarray) -> np.ndarray:
        """Give flat rows (n, C*H*W) the shape of pictures (n, C, H, W)."""
        return rows.reshape(-1, *self.image_shape)

    def pixel_mask(self, mask: np.ndarray) -> np.ndarray:
        """Give the mask (n, H, W) of pixels from that of patches (n, L) or (n, gh, gw)."""
        height, width = self.image_shape[1:]
        return mask.reshape(len(mask), -1)[:, self.groups[: height * width]].reshape(-1, height, width)

    def read_mask(self, mask: Any, n: int) -> np.ndarray:
        """Check a user's mask of n pictures, of patches (n, gh, gw) or of pixels (n, H, W).

        Parameters
        ----------
        mask : array-like of bool
        n : int
            Number of pictures.

        Returns
        -------
        ndarray of bool of shape (n, L)

        Raises
        ------
        ValueError
            When it has another shape or type, or shows a part of a patch.
        """
        shown, patches, pixels = np.asarray(mask), (n, *self.grid), (n, *self.image_shape[1:])
        if shown.dtype != bool or shown.shape not in (patches, pixels):
            raise ValueError(
                f"mask must be a bool array of shape {patches}, one value for each patch, or {pixels}, one "
                f"for each pixel. Got an array of {shown.dtype} of shape {shown.shape} instead."
            )
        if shown.shape == patches:
            return shown.reshape(n, -1)
        found = shown.reshape(n, -1)[:, np.unique(self.groups, return_index=True)[1]]
        if (self.pixel_mask(found) != shown).any():
            raise ValueError(
                "mask is not the same in all pixels of a patch; expected patches that are shown or hidden "
                f"as a whole, on a grid of {self.grid[0]} x {self.grid[1]}."
            )
        return found


def as_picture(image: np.ndarray, limits: tuple[float, float]) -> dict[str, Any]:
    """Give what `imshow` draws an image (C, H, W) with: three channels as colours, else a grey mean."""
    low, high = limits
    if len(image) == 3:
        return {"X": np.clip((np.moveaxis(image, 0, -1) - low) / ((high - low) or 1.0), 0, 1)}
    return {"X": image.mean(axis=0), "cmap": "gray", "vmin": low, "vmax": high}
