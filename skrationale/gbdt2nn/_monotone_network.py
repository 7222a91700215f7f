"""A student whose score cannot break the monotone constraints of its teacher, by construction.

All paths from a constrained column to the score have weights of one sign and activations that rise. The other
columns act without limits, and through a branch of their own, which feeds every layer of the rising one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from .._tensors import as_tensor
from ..training import linear
from ._bins import TeacherBins
from ._look_up import look_up
from ._monotone import Kit, share_remainder
from ._network import BinEmbedding, BinNetwork, factors_of
from ._sums import RunningSums


def monotone_activation(x: Tensor) -> Tensor:
    """Activate rows (n, h): convex in the first half of the units, concave in the others, rising in all."""
    half = (x.shape[1] + 1) // 2

    def soft(part: Tensor) -> Tensor:
        # torch's own threshold would leave a step of 1e-9 downwards
        return nn.functional.softplus(part, beta=2, threshold=50)

    return torch.cat([soft(x[:, :half]), -soft(-x[:, half:])], dim=1)


def kit_of_torch() -> Kit:
    """Give what computes a trained student by torch, as it was trained."""

    def looked_up(table: np.ndarray, encoded: np.ndarray) -> Tensor:
        index = torch.from_numpy(encoded.astype(np.int64))
        return nn.functional.embedding(index, as_tensor(table)).sum(1)

    def dense(x: Tensor, weight: np.ndarray, bias: np.ndarray | None = None) -> Tensor:
        shown = as_tensor(weight)
        return x @ shown if bias is None else torch.addmm(as_tensor(bias), x, shown)

    return Kit(as_tensor, looked_up, dense, monotone_activation, nn.functional.silu, torch.hstack)


class RisingLinear(nn.Module):
    """A dense layer without bias whose weights are not negative."""

    def __init__(self, n_inputs: int, n_outputs: int, generator: Generator | None = None) -> None:
        super().__init__()
        weights = torch.empty(n_outputs, n_inputs).uniform_(0, 2 / n_inputs, generator=generator)
        self.raw = nn.Parameter(weights)

    def weight(self) -> Tensor:
        """Give the weights (n_outputs, n_inputs)."""
        return self.raw.abs()

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, n_inputs) to (n, n_outputs)."""
        return x @ self.weight().T


class MonotoneScore(nn.Module):
    """Scores (n, K) from bins, rising or falling in some columns.

    Parameters
    ----------
    bins : TeacherBins
        Bins of the d' columns.
    hidden_layer_sizes : sequence of int
        Widths of the layers of both branches.
    n_scores : int
        Number K of scores.
    signs : ndarray of shape (d,)
        1 for columns of the table in which scores rise, -1 where they fall, else 0. A missing cell is neither
        above nor below others.
    generator : torch.Generator, default=None
        Draws the weights; None: torch's global one.
    """

    def __init__(
        self,
        bins: TeacherBins,
        hidden_layer_sizes: Sequence[int],
        n_scores: int,
        signs: np.ndarray,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        widths = list(hidden_layer_sizes)
        self.embedding = BinEmbedding(bins, widths[0], generator)
        starts = np.cumsum([0, *(column.n_bins for column in bins.all)])
        places = [i for i, column in enumerate(bins.numeric) if signs[column.column]]
        constrained = [bins.numeric[i] for i in places]
        factors, unit = factors_of(bins.numeric)
        self.sums = RunningSums(constrained, [factors[i] for i in places])
        bound = 1 / math.sqrt(max(sum(column.n_bins for column in bins.numeric), 1))
        drawn = torch.empty(self.sums.n_rows, widths[0]).uniform_(0, bound, generator=generator)
        self.steps = nn.Parameter(drawn / unit)
        sign = np.repeat([signs[column.column] for column in constrained], [c.n_bins for c in constrained])
        self.register_buffer("sign", torch.as_tensor(sign, dtype=torch.float32)[:, None])
        rows = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in places])
        self.register_buffer("rows", torch.as_tensor(rows))
        free = torch.ones(int(starts[-1]), 1)
        for i in places:
            free[starts[i] + 1 : starts[i + 1]] = 0
        self.register_buffer("free", free)
        pairs = list(pairwise(widths))
        self.branch = nn.ModuleList(linear(a, b, generator) for a, b in pairs)
        self.side = nn.ModuleList(linear(a, b, generator) for a, b in [(widths[0], widths[0]), *pairs])
        self.up = nn.ModuleList(RisingLinear(a, b, generator) for a, b in pairs)
        self.out = RisingLinear(widths[-1], n_scores, generator)
        self.side_out = linear(widths[-1], n_scores, generator)

    def tables(self) -> tuple[Tensor, Tensor]:
        """Vectors (number of bins, h) of all bins, for the free branch and for the rising one."""
        free = self.get_buffer("free")
        up = self.sums(self.steps.abs()) * self.get_buffer("sign")
        empty = torch.zeros(len(free), up.shape[1], dtype=up.dtype, device=up.device)
        return self.embedding.table() * free, empty.index_copy(0, self.get_buffer("rows"), up)

    def forward(self, encoded: Tensor) -> Tensor:
        """Map bins (n, d') to scores (n, K)."""
        free, ordered = self.tables()
        z = look_up(free, encoded) + self.embedding.bias
        m = monotone_activation(look_up(ordered, encoded) + self.side[0](z))
        z = nn.functional.silu(z)
        for branch, side, up in zip(self.branch, list(self.side)[1:], self.up, strict=True):
            m = monotone_activation(up(m) + side(z))
            z = nn.functional.silu(branch(z))
        return self.out(m) + self.side_out(z)


class MonotoneStudent(nn.Module):
    """Score and reasons from bins: a monotone score, and reasons that are made to add up to it.

    Parameters
    ----------
    bins, hidden_layer_sizes, n_scores, signs, generator
        As for `MonotoneScore`.
    scheme : {"additive", "score"}
        With reasons or without.
    """

    def __init__(
        self,
        bins: TeacherBins,
        hidden_layer_sizes: Sequence[int],
        n_scores: int,
        scheme: str,
        signs: np.ndarray,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.n_scores = n_scores
        self.score = MonotoneScore(bins, hidden_layer_sizes, n_scores, signs, generator)
        widths = [n_scores * len(bins.columns)] if scheme == "additive" else []
        self.networks: Any = nn.ModuleList(
            BinNetwork(bins, hidden_layer_sizes, width, generator) for width in widths
        )
        self.sums: Tensor | None = None
        """What the reasons (n, K) of the last rows added up to by themselves."""

    def forward(self, encoded: Tensor) -> tuple[Tensor, Tensor | None]:
        """Map bins (n, d') to scores (n, K) and reasons (n, K, d') or None, both without the base."""
        scores = self.score(encoded)
        if not len(self.networks):
            return scores, None
        reasons = self.networks[0](encoded).reshape(len(encoded), self.n_scores, -1)
        self.sums = reasons.sum(-1)
        return scores, share_remainder(reasons, scores)
