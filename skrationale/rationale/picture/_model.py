"""What a fit to pictures leaves behind: which patches a picture needs, and scores from these alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...training import limit_threads
from ...units import MaskRule
from ._constants import CHUNK, GRADIENT_CHUNK, LEAST_VALUE, PATH_STEPS
from ._nets import MaskedPictures, PooledScores
from ._plan import NetPlan, State


@dataclass(frozen=True)
class PictureModel:
    """A selector and predictors with their weights as arrays.

    Parameters
    ----------
    plan : NetPlan
        Builds the networks.
    pixel_shift, pixel_scale : ndarray of shape (C,)
        Mean and standard deviation of the pixels of each channel.
    judge, selector, predictor : dict of str to ndarray
        Weights: of the predictor of random masks, of the selector (empty where there is none), and of the
        predictor that answers. Without any predictor, nothing is selected, and every picture has the scores
        `base`.
    selection : {"learned", "gates", "occlusion", "mask_gradients"}
        How patches are valued: by the selector, which has learnt values or gates, or by asking the judge.
    rule : MaskRule
        Makes masks of values.
    link : {"identity", "logit", "softmax"}
        What scores are.
    shift, scale : ndarray of shape (K,)
        What the scores of networks are raised by, after they were multiplied.
    base : ndarray of shape (K,)
        Scores when no patch is shown.
    """

    plan: NetPlan
    pixel_shift: np.ndarray
    pixel_scale: np.ndarray
    judge: State
    selector: State
    predictor: State
    selection: str
    rule: MaskRule
    link: str
    shift: np.ndarray
    scale: np.ndarray
    base: np.ndarray

    @property
    def n_units(self) -> int:
        """Number L of patches."""
        return self.plan.grid[0] * self.plan.grid[1]

    @property
    def n_inputs(self) -> int:
        """Numbers of one picture."""
        return int(np.prod(self.plan.image_shape))

    def encode(self, matrix: np.ndarray) -> np.ndarray:
        """Give standardised pictures (n, C, H, W), float64, of flat ones (n, C*H*W)."""
        pictures = matrix.reshape(-1, *self.plan.image_shape)
        return (pictures - self.pixel_shift[:, None, None]) / self.pixel_scale[:, None, None]

    # --- which patches ---------------------------------------------------------------------------

    def values(self, matrix: np.ndarray) -> np.ndarray:
        """Say what each patch (n, L) adds: nats of the explained class, or squared units of the target."""
        if not self.predictor:
            return np.zeros((len(matrix), self.n_units))
        if self.selection in ASKED:
            with torch.inference_mode(False):  # where weights could not be part of gradients
                judge = self.plan.predictor_of(self.judge)
            return asked_values(self.selection, judge, self.encode(matrix), self.link)
        selector = self.plan.selector_of(self.selector)
        return in_parts(selector, selector, self.encode(matrix))

    def mask(self, matrix: np.ndarray) -> np.ndarray:
        """Give the rationale (n, L) of flat pictures (n, C*H*W)."""
        return self.values_and_mask(matrix)[1]

    def values_and_mask(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the values (n, L) of selected patches, 0 for the others, and the rationale (n, L)."""
        if not self.predictor:
            empty = np.zeros((len(matrix), self.n_units))
            return empty, empty.astype(bool)
        values = self.values(matrix)
        mask = self.rule(values)
        return np.where(mask, values, 0.0), mask

    # --- scores ----------------------------------------------------------------------------------

    def scores(self, matrix: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Give scores (n, K) from the patches that mask (n, L) shows, by default those of the rationales."""
        if not self.predictor:
            return np.tile(self.base, (len(matrix), 1))
        shown = self.mask(matrix) if mask is None else mask
        return self.scores_of(self.predictor, matrix, shown)

    def scores_of(self, state: State, matrix: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Give the scores (n, K) of one of the predictors."""
        net = self.plan.predictor_of(state)
        return in_parts(net, net, self.encode(matrix), mask) * self.scale + self.shift

    def scores_of_nothing(self) -> np.ndarray:
        """Give the scores (K,) of a picture of which no patch is shown."""
        return self.scores(np.zeros((1, self.n_inputs)), np.zeros((1, self.n_units), dtype=bool))[0]

    def hidden_states(self, matrix: np.ndarray) -> list[np.ndarray]:
        """Give what the last layer of an own predictor sees (n, h); nothing where all scores are one."""
        if not self.predictor:
            return []
        net = self.plan.predictor_of(self.predictor)
        if not isinstance(net.net, PooledScores):
            raise TypeError("The hidden layers of a given `backbone` cannot be read; expected backbone=None.")
        features = net.net.features
        mask = self.mask(matrix)
        return [in_parts(lambda x, m: features(net.inputs(x, m)), net, self.encode(matrix), mask)]


def in_parts(
    function: Callable[..., Tensor],
    net: nn.Module,
    pictures: np.ndarray,
    mask: np.ndarray | None = None,
    size: int = CHUNK,
) -> np.ndarray:
    """Compute something of pictures (n, C, H, W) and masks (n, L) a part at a time; float64."""
    like = next((p for p in net.parameters() if p.is_floating_point()), torch.zeros(1))
    parts = []
    with torch.inference_mode(False), torch.no_grad(), limit_threads(size * pictures[0].size):
        for start in range(0, len(pictures), size):
            rows = slice(start, start + size)
            given: list[Any] = [torch.from_numpy(pictures[rows]).to(like)]
            if mask is not None:
                given.append(torch.from_numpy(np.ascontiguousarray(mask[rows])).to(like.device))
            parts.append(function(*given).double().cpu())
    return torch.cat(parts).numpy()


def log_chances(scores: Tensor, target: Tensor, link: str) -> Tensor:
    """Say how well scores (B, K) agree with a target (B,).

    Of classes the log-probability of the target's, not below a least one; of numbers the negative squared
    distance from it.
    """
    if link == "identity":
        return -((scores[:, 0] - target) ** 2)
    if link == "logit":
        signed = torch.where(target > 0, scores[:, 0], -scores[:, 0])
        return functional.logsigmoid(signed).clamp(min=LEAST_VALUE)
    chances = functional.log_softmax(scores, 1).clamp(min=LEAST_VALUE)
    return chances.gather(1, target[:, None].long())[:, 0]


def explained(scores: Tensor, link: str) -> Tensor:
    """Give what is explained (B,) of scores (B, K): the class they predict, or the number."""
    if link == "identity":
        return scores[:, 0]
    return (scores[:, 0] > 0).long() if link == "logit" else scores.argmax(1)


def occlusion_values(judge: MaskedPictures, x: Tensor, link: str) -> Tensor:
    """Say how much worse the judge's answer gets without each patch (B, L), one hidden at a time."""
    n_units = int(judge.groups.max()) + 1
    mask = torch.ones(len(x), n_units, dtype=torch.bool, device=x.device)
    scores = judge(x, mask)
    target = explained(scores, link)
    whole, values = log_chances(scores, target, link), []
    for unit in range(n_units):
        mask[:, unit] = False
        values.append(whole - log_chances(judge(x, mask), target, link))
        mask[:, unit] = True
    return torch.stack(values, 1)


def mask_gradient_values(judge: MaskedPictures, x: Tensor, link: str) -> Tensor:
    """Say what each patch adds to the judge's answer (B, L) while all of them are opened at once.

    The derivative by a patch's entry of the mask is integrated from nothing shown to everything, along masks
    whose entries are equal (integrated gradients [1]_ of masks instead of pixels). The values add up to about
    the answer for the whole picture minus that for nothing. They are 0 where a network has no gradient.

    References
    ----------
    .. [1] Sundararajan et al., "Axiomatic Attribution for Deep Networks", ICML 2017, arXiv:1703.01365.
    """
    judge.eval().requires_grad_(False)
    n_units = int(judge.groups.max()) + 1
    target = explained(judge(x, torch.ones(len(x), n_units, dtype=torch.bool, device=x.device)), link)
    total = torch.zeros(len(x), n_units, dtype=x.dtype, device=x.device)
    for step in range(PATH_STEPS):
        mask = torch.full_like(total, (step + 0.5) / PATH_STEPS).requires_grad_()
        with torch.enable_grad():
            answers = log_chances(judge(x, mask), target, link).sum()
        if answers.requires_grad:
            slope = torch.autograd.grad(answers, mask, allow_unused=True)[0]
            total += 0.0 if slope is None else slope
    return total / PATH_STEPS


ASKED = {"occlusion": occlusion_values, "mask_gradients": mask_gradient_values}
"""Ways to value patches that ask the judge and need no selector."""


def asked_values(selection: str, judge: MaskedPictures, pictures: np.ndarray, link: str) -> np.ndarray:
    """Value the patches (n, L) of standardised pictures (n, C, H, W) by asking a judge."""
    # gradients need the memory of all layers
    size = GRADIENT_CHUNK if selection == "mask_gradients" else CHUNK
    return in_parts(lambda x: ASKED[selection](judge, x, link), judge, pictures, size=size)


def standard_values(values: np.ndarray) -> np.ndarray:
    """Give values (n, L) the mean 0 and the standard deviation 1 in each picture."""
    apart = values - values.mean(axis=1, keepdims=True)
    deviation = apart.std(axis=1, keepdims=True)
    return apart / np.where(deviation > 0, deviation, 1.0)
