"""Running sums over the thresholds of columns that lie one after another, however many each has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ..teachers import NumericBins

BLOCK = 16
"""Rows of a block, within which each is added to the next, in all blocks at once. Measured: of 14 columns
with 250 bins 8, 16 and 32 take 0.85, 0.58 and 0.68 ms, and of 8 with 60 bins 0.16, 0.20 and 0.25 ms."""


class RunningSums(nn.Module):
    """Sum vectors over the thresholds below each bin, column by column.

    Each column has a row for missing values, one for the bin below all thresholds, which is zero, and one for
    the bin above each threshold. Sums are those within blocks of rows, and what earlier blocks of a column
    add: several times faster on a CPU than ``torch.cumsum`` forward and backward.

    Parameters
    ----------
    bins : sequence of NumericBins
        Of c columns, with R bins together.
    factors : sequence of c ndarrays
        Factor of the vector of each threshold.
    missing : float, default=0.0
        Factor of the vector of missing values; with 0 they have none.
    """

    factors: Tensor
    follows: Tensor
    carried: Tensor
    earlier: Tensor
    offsets: Tensor

    def __init__(
        self, bins: Sequence[NumericBins], factors: Sequence[np.ndarray], *, missing: float = 0.0
    ) -> None:
        super().__init__()
        self.n_bins = sum(column.n_bins for column in bins)
        shape = (-(-self.n_bins // BLOCK), BLOCK)
        self.n_rows = shape[0] * BLOCK
        column: np.ndarray = np.full(self.n_rows, -1)
        place: np.ndarray = np.zeros(self.n_rows, dtype=np.intp)
        factor, start = np.zeros(self.n_rows), 0
        for k, (own, scale) in enumerate(zip(bins, factors, strict=True)):
            rows = slice(start, start + own.n_bins)
            column[rows], place[rows] = k, np.arange(own.n_bins)
            factor[start + 2 : rows.stop] = scale
            start = rows.stop
        column, place = column.reshape(shape), place.reshape(shape)
        factor = np.where((place == 0) & (column >= 0), missing, factor.reshape(shape))
        goes_on = np.zeros(shape[0], dtype=bool)
        goes_on[1:] = (column[1:, 0] == column[:-1, -1]) & (place[1:, 0] > 0)
        whole = goes_on & (column[:, 0] == column[:, -1])
        bags: list[list[int]] = []
        for k, on in enumerate(goes_on):
            # the last row of a block holds what the block adds to the column that goes on
            bags.append([*(bags[-1] if whole[k - 1] else []), k - 1] if on else [])
        earlier = np.array([j for bag in bags for j in bag if place[j, -1] > 1], dtype=np.int64)
        lengths = [sum(place[j, -1] > 1 for j in bag) for bag in bags]
        carried = goes_on[:, None] & (column == column[:, :1])
        for name, values in {"factors": factor, "follows": place > 1, "carried": carried}.items():
            self.register_buffer(name, torch.as_tensor(values[..., None], dtype=torch.float32))
        self.register_buffer("earlier", torch.from_numpy(earlier))
        self.register_buffer("offsets", torch.as_tensor(np.cumsum([0, *lengths])[:-1]))
        # the same the other way round: the blocks to which each block adds
        block = np.repeat(np.arange(len(bags)), lengths)
        order = np.argsort(earlier, kind="stable")
        starts = np.searchsorted(earlier[order], np.arange(len(bags)))
        self.register_buffer("later", torch.from_numpy(block[order]), persistent=False)
        self.register_buffer("later_offsets", torch.from_numpy(starts), persistent=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """Map vectors (n_rows, h), of which those behind the R first count nothing, to sums (R, h)."""
        sums: Tensor = _Sums.apply(vectors, self)
        return sums


class _Sums(torch.autograd.Function):
    """The sums, with a gradient written by hand."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, module: RunningSums) -> Tensor:
        """Map vectors (n_rows, h) to sums (R, h)."""
        ctx.module = module
        sums = module.factors * vectors.view(-1, BLOCK, vectors.shape[1])
        rows, follows = sums.unbind(1), module.follows.unbind(1)
        for i in range(1, BLOCK):
            rows[i].addcmul_(follows[i], rows[i - 1])
        if len(module.earlier):
            before = _added(module.earlier, sums[:, -1].contiguous(), module.offsets)
            sums.addcmul_(module.carried, before[:, None])
        return sums.flatten(0, 1)[: module.n_bins]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Map the derivative by the sums to that by the vectors."""
        module = ctx.module
        padded = gradient.new_empty(module.n_rows, gradient.shape[1])
        padded[: module.n_bins] = gradient
        padded[module.n_bins :] = 0
        by_sums = padded.view(-1, BLOCK, gradient.shape[1])
        if len(module.earlier):
            by_before = (module.carried.mT @ by_sums)[:, 0]
            by_sums[:, -1] += _added(module.later, by_before, module.later_offsets)
        rows, follows = by_sums.unbind(1), module.follows.unbind(1)
        for i in reversed(range(1, BLOCK)):
            rows[i - 1].addcmul_(follows[i], rows[i])
        return by_sums.mul_(module.factors).flatten(0, 1), None


def _added(rows: Tensor, vectors: Tensor, offsets: Tensor) -> Tensor:
    """Add some of the vectors (b, h) for each bag."""
    return nn.functional.embedding_bag(rows, vectors, offsets, mode="sum")
