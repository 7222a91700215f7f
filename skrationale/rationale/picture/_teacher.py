"""What a student of pictures learns from a teacher, and how the teacher is asked about masked pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .._joint import Distillation
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
