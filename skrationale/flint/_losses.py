"""Losses of a predictor and its interpreter: tensors in, tensor out."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..tabular import TableEncoder


def conciseness(phi: Tensor, weight: Tensor) -> Tensor:
    """Mean entropy of the attributes (B, J) of a row, less the entropy of their means (FLINT, section 3).

    Low when a row has few attributes, and different rows have different ones.
    """
    means = (phi * weight[:, None]).sum(0) / weight.sum()
    return (_entropy(phi) * weight).mean() - _entropy(means)


def _entropy(values: Tensor) -> Tensor:
    log_p = torch.log_softmax(values, -1)
    return -(log_p.exp() * log_p).sum(-1)


def pixel_errors(decoded: Tensor, x: Tensor) -> Tensor:
    """Mean squared error (B,) of decoded images (B, p) in standard units."""
    return ((decoded - x) ** 2).mean(1)


class Reconstruction:
    """How far decoded cells are from a table's, a mean over columns, each about 1 for an ignorant decoder.

    Of a number the squared error in standard units, where it is not missing; of a category the log-loss over
    its levels by the logarithm of their number; of a sign of missing cells likewise.

    Parameters
    ----------
    encoder : TableEncoder
        Has encoded the rows.
    x : ndarray of shape (n, p)
        Encoded training rows, which say what varies.
    """

    def __init__(self, encoder: TableEncoder, x: np.ndarray) -> None:
        parts = encoder.parts()
        varies = (x != x[:1]).any(axis=0)
        self.numbers = [j for j in parts["numbers"] if varies[j]]
        flag_of = {int(encoder.groups[j]): j for j in parts["missing"]}
        self.flags = [j for j in parts["missing"] if varies[j]]
        # the flag of each number, or -1
        self.flag_of = [flag_of.get(int(encoder.groups[j]), -1) for j in self.numbers]
        levels = np.array(parts["levels"], dtype=int)
        owners = encoder.groups[levels] if levels.size else levels
        grouped = [levels[owners == owner].tolist() for owner in np.unique(owners)]
        self.categories = [group for group in grouped if varies[group].any() and len(group) > 1]
        self.flags += [group[0] for group in grouped if varies[group].any() and len(group) == 1]
        self.n_columns = len(self.numbers) + len(self.flags) + len(self.categories)

    def __call__(self, decoded: Tensor, x: Tensor) -> Tensor:
        """Losses (B,) of decoded cells (B, p) of encoded rows (B, p)."""
        total = x.new_zeros(len(x))
        if self.numbers:
            errors = (decoded[:, self.numbers] - x[:, self.numbers]) ** 2
            if max(self.flag_of) >= 0:
                present = torch.stack(
                    [1 - x[:, j] if j >= 0 else torch.ones_like(total) for j in self.flag_of]
                )
                errors = errors * present.T
            total = total + errors.sum(1)
        if self.flags:
            flags = functional.binary_cross_entropy_with_logits(
                decoded[:, self.flags], x[:, self.flags], reduction="none"
            )
            total = total + flags.sum(1) / math.log(2)
        for group in self.categories:
            log_p = torch.log_softmax(decoded[:, group], 1)
            total = total - (log_p * x[:, group]).sum(1) / math.log(len(group))
        return total / max(self.n_columns, 1)
