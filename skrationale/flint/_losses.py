"""Losses of a predictor and its interpreter: tensors in, values and their derivatives out."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..tabular import TableEncoder


def conciseness(phi: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Mean entropy of the attributes of a row, less the entropy of their means (FLINT, section 3).

    Low when a row has few attributes, and different rows have different ones.

    Parameters
    ----------
    phi : Tensor of shape (B, J)
        Attributes.
    weight : Tensor of shape (B,)
        Weights of rows.

    Returns
    -------
    value : Tensor of shape ()
    slopes : Tensor of shape (B, J)
        Derivatives by the attributes.
    """
    shares = weight / weight.sum()
    entropy, slopes = _entropy(phi)
    of_means, slopes_of_means = _entropy(shares @ phi)
    value = (entropy * weight).mean() - of_means
    return value, slopes * (weight / len(weight))[:, None] - torch.outer(shares, slopes_of_means)


def _entropy(values: Tensor) -> tuple[Tensor, Tensor]:
    """Entropy (...) of the softmax of values (..., J), and its derivatives (..., J)."""
    log_p = torch.log_softmax(values, -1)
    p = log_p.exp()
    entropy = -(p * log_p).sum(-1)
    return entropy, p.mul_(log_p.add_(entropy[..., None])).neg_()


def pixel_errors(decoded: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean squared error (B,) of decoded images (B, p) in standard units, and its derivatives (B, p)."""
    apart = decoded - x
    return (apart * apart).mean(1), apart * (2 / x.shape[1])


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
        levels = np.array(parts["levels"], dtype=int)
        owners = encoder.groups[levels] if levels.size else levels
        grouped = [levels[owners == owner] for owner in np.unique(owners)]
        grouped = [group for group in grouped if varies[group].any()]
        flags = [j for j in parts["missing"] if varies[j]]
        flags += [int(group[0]) for group in grouped if len(group) == 1]
        categories = [group for group in grouped if len(group) > 1]
        self.n_columns = int(varies[parts["numbers"]].sum()) + len(flags) + len(categories)
        share = 1 / max(self.n_columns, 1)
        self._numbers = len(parts["numbers"])
        self._levels = slice(int(levels[0]), int(levels[-1]) + 1) if categories else slice(0, 0)
        self._flag_share = share / math.log(2)
        flag_of = {int(encoder.groups[j]): j for j in parts["missing"]}
        # which number is absent where a cell of a row is 1
        absent = np.zeros((x.shape[1], self._numbers))
        for j in parts["numbers"]:
            if int(encoder.groups[j]) in flag_of:
                absent[flag_of[int(encoder.groups[j])], j] = 1.0
        members = np.zeros((len(levels), len(categories)))
        for g, group in enumerate(categories):
            members[group - levels[0], g] = 1.0
        shares = np.array([share / math.log(len(group)) for group in categories])
        self._flags = torch.tensor(flags, dtype=torch.long) if flags else None
        self._absent = torch.from_numpy(absent) if absent.any() else None
        self._number_shares = torch.from_numpy(share * varies[: self._numbers])
        self._members, self._shares = torch.from_numpy(members), torch.from_numpy(shares)

    def __call__(self, decoded: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Losses (B,) of decoded cells (B, p) of encoded rows (B, p), and their derivatives (B, p)."""
        self._move(decoded)
        total, slopes = torch.zeros_like(decoded[:, 0]), torch.zeros_like(decoded)
        if self._numbers:
            apart = decoded[:, : self._numbers] - x[:, : self._numbers]
            weighted = apart * self._number_shares
            if self._absent is not None:
                weighted.mul_(1 - x @ self._absent)
            total += (weighted * apart).sum(1)
            slopes[:, : self._numbers] = weighted.mul_(2)
        if self._flags is not None:
            cells, wanted = decoded.index_select(1, self._flags), x.index_select(1, self._flags)
            losses = functional.binary_cross_entropy_with_logits(cells, wanted, reduction="none")
            total += losses.sum(1) * self._flag_share
            slopes.index_add_(1, self._flags, (torch.sigmoid(cells) - wanted) * self._flag_share)
        if len(self._shares):
            losses, slopes[:, self._levels] = self._of_levels(decoded[:, self._levels], x[:, self._levels])
            total += losses
        return total, slopes

    def _move(self, like: Tensor) -> None:
        """Bring what is constant to the place and type of a tensor."""
        if self._shares.dtype == like.dtype and self._shares.device == like.device:
            return
        self._number_shares, self._shares = self._number_shares.to(like), self._shares.to(like)
        self._members = self._members.to(like)
        self._absent = None if self._absent is None else self._absent.to(like)
        self._flags = None if self._flags is None else self._flags.to(like.device)

    def _of_levels(self, decoded: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Losses (B,) of decoded levels (B, q) of all categories at once, and their derivatives (B, q)."""
        known = x @ self._members  # 0 where a level was not seen at fit
        largest = decoded.amax(1, keepdim=True)
        powers = (decoded - largest).exp_()
        sums = (powers @ self._members).clamp_min_(torch.finfo(x.dtype).tiny)
        shared = x * (self._members @ self._shares)
        known = known * self._shares
        losses = (known * (sums.log() + largest)).sum(1) - (decoded * shared).sum(1)
        return losses, powers.mul_((known / sums) @ self._members.T).sub_(shared)
