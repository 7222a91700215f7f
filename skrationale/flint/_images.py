"""What interpreters ask of images: which pixels matter, and whether a given predictor is at home in them."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .._callers import outside
from .._task import Task
from ..writing import format_share

N_IMAGES = 200
"""Images that the importance of pixels is measured on. Not measured."""
FEW, MANY = 20, 200
"""Images that a given predictor is judged by, at least and at most. Not measured."""
GAIN = 0.25
"""Share of images that it must be right in more often for other units to be its own. Not measured."""


def pixel_importance(
    attributes_of: Callable[[Tensor], Tensor], matrix: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Estimate by gradients how much attributes change when a pixel is shuffled, and which way they go.

    The estimate, ``mean (d phi / d x)^2 var x / var phi``, is to first order what :func:`column_importance`
    measures, for thousands of pixels at once.

    Parameters
    ----------
    attributes_of : callable
        Maps flat images (B, p) to attributes (B, J), float32 tensors.
    matrix : ndarray of shape (n, p)
        Images, of which at most 200 are used.

    Returns
    -------
    importance : ndarray of shape (p, J)
    direction : ndarray of shape (p, J)
        Mean gradient over its root mean square, from -1 to 1; NaN where an attribute does not vary with the
        pixel.
    """
    rows = np.random.RandomState(0).permutation(len(matrix))[:N_IMAGES]
    pixels = torch.from_numpy(matrix[np.sort(rows)]).float().requires_grad_()
    phi = attributes_of(pixels)
    slopes = [torch.autograd.grad(values.sum(), pixels, retain_graph=True)[0] for values in phi.unbind(1)]
    slope = torch.stack(slopes, dim=2).double().numpy()
    power, variance = (slope**2).mean(axis=0), phi.detach().double().numpy().var(axis=0)
    spread = matrix[rows].var(axis=0)[:, None]
    importance = power * spread / np.where(variance > 0, variance, np.inf)
    direction = slope.mean(axis=0) / np.where(importance > 0, np.sqrt(power), np.nan)
    return importance, direction


def warn_of_pixel_range(
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
            f"The predictor classifies {format_share(right)} of the given images correctly, and "
            f"{format_share(better)} of them when they are "
            f"{'multiplied by 255' if of_parts else 'scaled to 0 to 1'}. It was probably fitted on images in "
            "other units. Give images in the units on which it was fitted.",
            UserWarning,
            stacklevel=outside(),
        )
