"""What a student of pictures learns from a teacher, and how the teacher is asked about masked pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from .._joint import Distillation
from ._constants import FARTHEST, MOVED_SHARE
from ._model import PictureModel


@dataclass(frozen=True)
class TeacherOfPictures:
    """What is learnt from a teacher, and how.

    Parameters
    ----------
    distillation : Distillation
        Which terms, and their weights.
    model : PictureModel or None
        Of a teacher that can be asked about masked pictures.
    scores : ndarray of shape (n, K) or None
        What any other teacher says of the whole training pictures.
    values : ndarray of shape (n, L) or None
        What its patches add, by a teacher that selects.
    """

    distillation: Distillation
    model: PictureModel | None
    scores: np.ndarray | None
    values: np.ndarray | None


def move_some(x: Tensor, generator: Generator | None) -> tuple[Tensor, Tensor]:
    """Move some pictures by up to a 16th of their sides, all alike, and mirror them in half of the steps.

    A teacher that is asked about them tells a student more than the training pictures hold.

    Parameters
    ----------
    x : Tensor of shape (B, C, H, W)
        Pictures.
    generator : Generator or None
        Draws how far, and which.

    Returns
    -------
    x : Tensor of shape (B, C, H, W)
        What leaves a picture on one side comes in on the other.
    same : Tensor of shape (B,)
        Which pictures stayed as they were.
    """
    same = torch.rand(len(x), generator=generator, device=x.device) >= MOVED_SHARE
    down, across, mirror = (torch.rand(3, generator=generator, device=x.device) * 2 - 1).tolist()
    height, width = (FARTHEST * size for size in x.shape[2:])
    steps = round(down * height), round(across * width)
    if not any(steps) and mirror <= 0:
        return x, torch.ones_like(same)
    other = torch.roll(x, steps, (2, 3))
    other = other.flip(3) if mirror > 0 else other
    return torch.where(same[:, None, None, None], x, other), same


class AskedTeacher:
    """A teacher's predictor, asked about the pictures and masks that its student sees.

    Parameters
    ----------
    model : PictureModel
        The teacher's.
    pixel_shift, pixel_scale : ndarray of shape (C,)
        What the student's pixels were lessened and divided by.
    shift, scale : ndarray of shape (K,)
        What the student's scores are raised by, after they were multiplied.
    """

    def __init__(
        self,
        model: PictureModel,
        pixel_shift: np.ndarray,
        pixel_scale: np.ndarray,
        shift: np.ndarray,
        scale: np.ndarray,
    ) -> None:
        self.net = model.plan.predictor_of(model.predictor).float().requires_grad_(False)
        factor = pixel_scale / model.pixel_scale
        moved = (pixel_shift - model.pixel_shift) / model.pixel_scale
        self.pixels = [torch.tensor(part[:, None, None]).float() for part in (factor, moved)]
        scale = np.where(scale > 0, scale, 1.0)
        numbers = (model.scale / scale, (model.shift - shift) / scale)
        self.numbers = [torch.tensor(part).float() for part in numbers]

    def __call__(self, x: Tensor, mask: Tensor) -> Tensor:
        """Give scores (B, K), in the student's units, of pictures x (B, C, H, W) and masks (B, L)."""
        self.net.to(x.device)
        (factor, moved), (times, plus) = (
            [part.to(x.device) for part in pair] for pair in (self.pixels, self.numbers)
        )
        with torch.no_grad():
            return self.net(x * factor + moved, mask) * times + plus
