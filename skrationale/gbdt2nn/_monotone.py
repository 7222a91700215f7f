"""Scores of a trained student that cannot break constraints, and what makes its reasons add up to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..training import limit_threads
from ._few_rows import EXACT_ROWS, dense, looked_up, silu, softplus

if TYPE_CHECKING:
    from torch import Tensor

    from ._monotone_network import MonotoneScore

LEAST_SHARE = 1e-6
"""Added to the size of a contribution, in units of the score's standard deviation, before what is lacking
is shared by size. Not measured."""
CHUNK_ROWS = 2048
"""Rows computed at once. In float32 the last digits depend on which rows these are. Not measured."""


def share_remainder(reasons: Any, scores: Any) -> Any:
    """Make reasons (n, K, d') add up to scores (n, K): what is left over goes to each by its size."""
    sizes = abs(reasons) + LEAST_SHARE
    left = scores - reasons.sum(-1)
    return reasons + left[..., None] * sizes / sizes.sum(-1)[..., None]


@dataclass(frozen=True)
class Kit:
    """What computes the layers of a `CompiledMonotone`: functions of rows, weights and biases.

    Parameters
    ----------
    shown : callable
        Takes an array of weights.
    looked_up : callable
        Adds up the rows of a table (n_bins, h) that bins (n, d') select.
    dense : callable
        Multiplies rows (n, a) with a weight (a, b), and adds a bias (b,) where there is one.
    rising, silu : callable
        Activate rows, which may be changed.
    joined : callable
        Puts columns side by side.
    """

    shown: Callable[..., Any]
    looked_up: Callable[..., Any]
    dense: Callable[..., Any]
    rising: Callable[..., Any]
    silu: Callable[..., Any]
    joined: Callable[..., Any]


def _rising(x: np.ndarray) -> np.ndarray:
    """Activate rows (n, h) as `monotone_activation` of the trained network does."""
    half = (x.shape[1] + 1) // 2
    return np.hstack([softplus(x[:, :half]), -softplus(-x[:, half:])])


BY_NUMPY = Kit(np.asarray, looked_up, dense, _rising, silu, np.hstack)


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

    def __call__(self, encoded: np.ndarray, exact: bool | None = None) -> np.ndarray:
        """Scores (n, K), float64, of bins (n, d'); by numpy where they are few, or `exact` says so."""
        if len(encoded) <= EXACT_ROWS if exact is None else exact:
            return self._by_numpy(encoded)[-1]
        starts = range(0, len(encoded), CHUNK_ROWS)
        return np.concatenate([self._by_torch(encoded[i : i + CHUNK_ROWS])[-1] for i in starts])

    def hidden_states(self, encoded: np.ndarray) -> list[np.ndarray]:
        """Give the states (n, 2 h) of each hidden layer of both branches, float64, for bins (n, d')."""
        few = len(encoded) <= EXACT_ROWS
        return (self._by_numpy(encoded) if few else self._by_torch(encoded))[:-1]

    def _by_numpy(self, encoded: np.ndarray) -> list[np.ndarray]:
        with np.errstate(over="ignore"):
            return self._layers(encoded, BY_NUMPY)

    def _by_torch(self, encoded: np.ndarray) -> list[np.ndarray]:
        import torch

        from ._monotone_network import kit_of_torch

        with torch.inference_mode(), limit_threads(len(encoded) * self.free.shape[1] ** 2):
            return [state.numpy() for state in self._layers(encoded, kit_of_torch())]

    def _layers(self, encoded: np.ndarray, by: Kit) -> list[Any]:
        """Give the states (n, 2 h) of the hidden layers, and the scores (n, K)."""
        layers = self.dense
        z, m = by.looked_up(self.free, encoded), by.looked_up(self.ordered, encoded)
        z = z + by.shown(layers["bias"][0])
        m = by.rising(m + by.dense(z, layers["side"][0], layers["side_bias"][0]))
        z = by.silu(z)
        states = [by.joined([m, z])]
        sides = zip(layers["side"][1:], layers["side_bias"][1:], strict=True)
        ups = zip(layers["up"], sides, strict=True)
        branches = zip(layers["branch"], layers["branch_bias"], strict=True)
        for (branch, bias), (up, side) in zip(branches, ups, strict=False):
            m = by.rising(by.dense(m, up) + by.dense(z, *side))
            z = by.silu(by.dense(z, branch, bias))
            states.append(by.joined([m, z]))
        last = by.dense(z, layers["side"][-1], layers["side_bias"][-1])
        return [*states, by.dense(m, layers["up"][-1]) + last]
