"""A student whose score cannot break the monotone constraints of its teacher, by construction.

All paths from a constrained column to the score have weights of one sign and activations that rise. The other
columns act without limits, and through a branch of their own, which feeds every layer of the rising one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from .._tensors import as_tensor
from ..training import limit_threads, linear
from ._network import BinEmbedding, BinNetwork, factors_of
from ._sums import RunningSums

if TYPE_CHECKING:
    from ._bins import TeacherBins

LEAST_SHARE = 1e-6
"""Added to the size of a contribution, in units of the score's standard deviation, before what is lacking
is shared by size. Not measured."""
CHUNK_ROWS = 2048
"""Rows computed at once. In float32 the last digits depend on which rows these are. Not measured."""


def monotone_activation(x: Tensor) -> Tensor:
    """Activate rows (n, h): convex in the first half of the units, concave in the others, rising in all."""
    half = (x.shape[1] + 1) // 2

    def soft(part: Tensor) -> Tensor:
        # torch's own threshold would leave a step of 1e-9 downwards
        return nn.functional.softplus(part, beta=2, threshold=50)

    return torch.cat([soft(x[:, :half]), -soft(-x[:, half:])], dim=1)


def share_remainder(reasons: Any, scores: Any) -> Any:
    """Make reasons (n, K, d') add up to scores (n, K): what is left over goes to each by its size."""
    sizes = abs(reasons) + LEAST_SHARE
    left = scores - reasons.sum(-1)
    return reasons + left[..., None] * sizes / sizes.sum(-1)[..., None]


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
        bag = nn.functional.embedding_bag
        z = bag(encoded, free, mode="sum") + self.embedding.bias
        m = monotone_activation(bag(encoded, ordered, mode="sum") + self.side[0](z))
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


@dataclass(frozen=True)
class CompiledMonotone:
    """Weights of a `MonotoneScore` for inference, in float64 on the CPU: rounding there breaks nothing.

    Parameters
    ----------
    free, ordered : ndarray of shape (n_bins, h)
        First-layer vectors of each bin, for both branches.
    dense : dict of str to list of ndarray
        The layers: weights (in, out) and biases by name.
    """

    free: np.ndarray
    ordered: np.ndarray
    dense: dict[str, list[np.ndarray]]

    @classmethod
    def from_module(cls, module: MonotoneScore) -> CompiledMonotone:
        """Take the weights out of a trained network."""

        def numpy(tensor: Tensor) -> np.ndarray:
            return tensor.detach().cpu().double().numpy().copy()

        module.double()
        free, ordered = map(numpy, module.tables())
        side: list[Any] = [*module.side, module.side_out]
        branch: list[Any] = list(module.branch)
        dense = {
            "side": [numpy(layer.weight.T) for layer in side],
            "side_bias": [numpy(layer.bias) for layer in side],
            "branch": [numpy(layer.weight.T) for layer in branch],
            "branch_bias": [numpy(layer.bias) for layer in branch],
            "up": [numpy(layer.weight().T) for layer in [*module.up, module.out]],
            "bias": [numpy(module.embedding.bias)],
        }
        return cls(free, ordered, dense)

    def __call__(self, encoded: np.ndarray) -> np.ndarray:
        """Scores (n, K), float64, of bins (n, d')."""
        starts = range(0, max(len(encoded), 1), CHUNK_ROWS)
        return np.concatenate([self._layers(encoded[i : i + CHUNK_ROWS])[-1] for i in starts])

    def hidden_states(self, encoded: np.ndarray) -> list[np.ndarray]:
        """Give the states (n, 2 h) of each hidden layer of both branches, float64, for bins (n, d')."""
        return self._layers(encoded)[:-1]

    def _layers(self, encoded: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode(), limit_threads(len(encoded) * self.free.shape[1] ** 2):
            dense = {name: [as_tensor(w) for w in each] for name, each in self.dense.items()}
            index = torch.from_numpy(encoded.astype(np.int64))
            z, m = (
                nn.functional.embedding(index, as_tensor(table)).sum(1) for table in (self.free, self.ordered)
            )
            z = z + dense["bias"][0]
            m = monotone_activation(m + torch.addmm(dense["side_bias"][0], z, dense["side"][0]))
            z = nn.functional.silu(z)
            states = [torch.hstack([m, z])]
            sides = zip(dense["side"][1:], dense["side_bias"][1:], strict=True)
            ups = zip(dense["up"], sides, strict=True)
            branches = zip(dense["branch"], dense["branch_bias"], strict=True)
            for (branch, bias), (up, (side, side_bias)) in zip(branches, ups, strict=False):
                m = monotone_activation(m @ up + torch.addmm(side_bias, z, side))
                z = nn.functional.silu(torch.addmm(bias, z, branch))
                states.append(torch.hstack([m, z]))
            last = torch.addmm(dense["side_bias"][-1], z, dense["side"][-1])
            return [state.numpy() for state in [*states, m @ dense["up"][-1] + last]]
