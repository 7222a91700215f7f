"""Pictures of what an attribute reacts to: the images that have most of it, and more of it put into them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..training import limit_threads
from ..units import ImageShape, PictureUnits
from ._model import FlintModel

START, GAIN, SMOOTHNESS = 0.3, 1.0, 0.2
"""Share of an image that is kept at the start; weights of the attribute, in units of its largest value, and
of the ups and downs along the lines of a picture. FLINT has 2 for the attribute as it is, which here drowns
all else, and 6 for the mean difference of neighbours, which is the same as 0.2 in pictures of 28 pixels. Not
measured."""
N_ROUNDS, N_STEPS, LR, DIVISOR = 12, 50, 0.05, 2.0
"""Rounds, each with an optimiser of its own, their steps, and a learning rate that is divided after each. Not
measured."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images of one class that have most of an attribute.

    Parameters
    ----------
    title : str
        The class, and how relevant the attribute is in it.
    rows : ndarray of shape (m,)
        Positions of the images, largest value first.
    samples : ndarray of shape (m, C, H, W)
        The images.
    values : ndarray of shape (m,)
        The attribute in them.
    maximised : ndarray of shape (m, C, H, W) or None
        What they become when the attribute is raised.
    maximised_values : ndarray of shape (m,) or None
        The attribute in these.
    where : ndarray of shape (m, gh, gw) or None
        What it loses in the images without a patch.
    """

    title: str
    rows: np.ndarray
    samples: np.ndarray
    values: np.ndarray
    maximised: np.ndarray | None = None
    maximised_values: np.ndarray | None = None
    where: np.ndarray | None = None


def pictures_of(
    model: FlintModel,
    attribute: int,
    matrix: np.ndarray,
    image_shape: ImageShape,
    classes: dict[str, np.ndarray],
    limits: tuple[float, float],
    n_samples: int,
    maximise: bool,
    where: Callable[[np.ndarray], np.ndarray] | None = None,
) -> tuple[Pictures, ...]:
    """Choose the images with most of an attribute, and raise it in them.

    Parameters
    ----------
    model : FlintModel
        Fitted.
    attribute : int
        Its position.
    matrix : ndarray of shape (n, C*H*W)
        Images to choose from.
    image_shape : (int, int, int)
        Channels, height, width.
    classes : dict of str to ndarray
        Titles, and the positions of the images of each class.
    limits : (float, float)
        Smallest and largest pixel.
    n_samples : int
        Images of a class.
    maximise : bool
        Whether to raise the attribute in them.
    where : callable, default=None
        Gives maps (m, gh, gw) of the attribute in images (m, C, H, W).

    Returns
    -------
    tuple of Pictures
        One a class.

    Raises
    ------
    ValueError
        When the attribute shall be raised but the predictor gives no gradients.
    """
    phi = model.attributes(matrix)[:, attribute]
    attributes_of = model.attribute_function() if maximise else None
    if maximise and attributes_of is None:
        raise ValueError(
            "maximise=True needs gradients, which only the built-in predictor and torch modules have; "
            "expected maximise=False for this predictor."
        )
    scale = max(float(phi.max()), float(np.finfo(np.float32).tiny))
    found, units = [], PictureUnits.of(image_shape)
    for title, members in classes.items():
        rows = members[np.argsort(-phi[members], kind="stable")[:n_samples]]
        samples, raised = units.pictures(matrix[rows]), None
        if attributes_of is not None:
            raised = raise_attribute(attributes_of, attribute, samples, limits, scale)
        values = None if raised is None else model.attributes(raised.reshape(len(rows), -1))[:, attribute]
        maps = None if where is None or not len(rows) else where(samples)
        found.append(Pictures(title, rows, samples, phi[rows], raised, values, maps))
    return tuple(found)


def raise_attribute(
    attributes_of: Callable[[Tensor], Tensor],
    attribute: int,
    images: np.ndarray,
    limits: tuple[float, float],
    scale: float,
    *,
    start: float = START,
    n_rounds: int = N_ROUNDS,
    n_steps: int = N_STEPS,
) -> np.ndarray:
    """Maximise an attribute, starting from a faint copy of images (FLINT, section 3.3).

    Where an attribute is flat around the faint copy, so that the image itself has more of it than what was
    found, the image itself is started from.

    Each image is changed on its own: what is maximised is ``phi / scale - 0.2 TV``, with TV the sum
    of differences of neighbouring pixels along a line, a mean over columns and one over rows of the picture,
    of pixels scaled to the range from 0 to 1. FLINT punishes pixels that leave the range; here they are held
    in it, so that a picture shows what was scored.

    Parameters
    ----------
    attributes_of : callable
        Maps flat images (B, p) to attributes (B, J).
    attribute : int
        Position of the attribute.
    images : ndarray of shape (m, C, H, W)
        To start from.
    limits : (float, float)
        Smallest and largest pixel.
    scale : float
        Unit of the attribute, its largest value in images.
    start : float, default=0.3
        What is left of an image at the start.
    n_rounds, n_steps : int, default=12, 50
        The learning rate is halved after each round of so many steps.

    Returns
    -------
    ndarray of shape (m, C, H, W)
        In the units of the images.

    Examples
    --------
    >>> images = np.full((1, 1, 4, 4), 0.5)
    >>> raised = raise_attribute(lambda x: x[:, 5:6], 0, images, (0.0, 1.0), 0.5, n_rounds=3)
    >>> float(raised[0, 0, 1, 1].round(1))
    1.0
    """
    low, width = limits[0], (limits[1] - limits[0]) or 1.0

    def ascend(pixels: np.ndarray) -> np.ndarray:
        """Raise pixels in [0, 1], and give them in the units of the images."""
        rising = torch.from_numpy(pixels).float()
        with limit_threads():
            for lr in LR / DIVISOR ** np.arange(n_rounds):
                rising = _one_round(rising, gain, float(lr), n_steps)
        return low + width * rising.double().numpy()

    def attribute_of(pixels: Tensor) -> Tensor:
        return attributes_of((low + width * pixels).flatten(1))[:, attribute]

    def gain(pixels: Tensor) -> Tensor:
        return GAIN * attribute_of(pixels) / scale - SMOOTHNESS * _total_variation(pixels)

    raised = ascend(start * (images - low) / width)
    with torch.no_grad(), limit_threads():
        before, after = (
            attribute_of(torch.from_numpy((some - low) / width).float()).numpy() for some in (images, raised)
        )
    lower = after <= before
    if start < 1 and lower.any():
        raised[lower] = ascend((images[lower] - low) / width)
    return raised


def _one_round(pixels: Tensor, gain: Callable[[Tensor], Tensor], lr: float, n_steps: int) -> Tensor:
    """Make steps of Adam that raise the gain (B,) of pixels (B, C, H, W), held in [0, 1]."""
    pixels = pixels.detach().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=lr)
    for _ in range(n_steps):
        (pixels.grad,) = torch.autograd.grad(-gain(pixels).sum(), pixels)
        optimizer.step()
        with torch.no_grad():
            pixels.clamp_(0, 1)
    return pixels.detach()


def _total_variation(images: Tensor) -> Tensor:
    """Sum of differences along a column, and along a row, on average (B,) of images (B, C, H, W)."""
    down, right = (images.diff(dim=axis).abs().sum(axis).flatten(1).mean(1) for axis in (2, 3))
    return down + right


def largest_classes(relevance: np.ndarray, explained: np.ndarray, n_classes: int) -> list[int]:
    """Choose the classes that an attribute is most relevant for.

    Parameters
    ----------
    relevance : ndarray of shape (C,)
        Its mean relevance; NaN for a class that is never predicted.
    explained : ndarray of shape (n,), int
        The class of each row; only such are chosen.
    n_classes : int
        At most so many; those after the first have a positive relevance.

    Returns
    -------
    list of int

    Examples
    --------
    >>> largest_classes(np.array([0.1, 0.9, -0.2, 0.3]), np.array([0, 1, 2]), 3)
    [1, 0]
    """
    there = np.unique(explained)
    order = there[np.argsort(-np.nan_to_num(relevance[there], nan=-2.0), kind="stable")][:n_classes]
    return [int(c) for i, c in enumerate(order) if not i or relevance[c] > 0]
