"""A trained student as plain arrays; the first layer of a network is one table, ready to be looked up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from .._tensors import as_tensor
from ..training import limit_threads, resolve_device
from ._few_rows import EXACT_ROWS, dense, looked_up, silu
from ._monotone import CHUNK_ROWS, share_remainder
from ._outputs import split_outputs

if TYPE_CHECKING:
    from ._bins import TeacherBins
    from ._monotone import CompiledMonotone
    from ._network import BinNetwork


@dataclass(frozen=True)
class CompiledNetwork:
    """Weights of a network for inference.

    Parameters
    ----------
    table : ndarray of shape (n_bins, h)
        First-layer vector of each bin.
    weights, biases : list of ndarray
        Those of the first layer's bias (biases[0]) and of the dense layers, (in, out) each.
    """

    table: np.ndarray
    weights: list[np.ndarray]
    biases: list[np.ndarray]

    @classmethod
    def from_module(cls, network: BinNetwork) -> CompiledNetwork:
        """Take the weights out of a trained network."""

        def numpy(tensor: Any) -> np.ndarray:
            return np.ascontiguousarray(tensor.detach().cpu().numpy())

        return cls(
            table=numpy(network.embedding.table()),
            weights=[numpy(layer.weight).T.copy() for layer in network.layers],
            biases=[numpy(network.embedding.bias), *(numpy(layer.bias) for layer in network.layers)],
        )

    def __call__(self, encoded: np.ndarray, *, device: str, exact: bool | None = None) -> np.ndarray:
        """Compute outputs.

        Parameters
        ----------
        encoded : ndarray of shape (n, d'), int32
            Bins.
        device : str
            Where to compute many rows; a device that is not there any more gives way to the CPU.
        exact : bool, default=None
            Whether to compute in float64, by numpy; None: where there are few rows.

        Returns
        -------
        ndarray of shape (n, n_outputs), float64
        """
        n = len(encoded)
        if n == 0 or encoded.shape[1] == 0:
            return np.zeros((n, len(self.biases[-1])))
        if n <= EXACT_ROWS if exact is None else exact:
            return self._of_few(encoded)
        return self._of_many(encoded, device)

    def _of_few(self, encoded: np.ndarray) -> np.ndarray:
        weights, biases = self._exact
        hidden = looked_up(self.table, encoded)
        hidden += biases[0]
        with np.errstate(over="ignore"):
            for weight, bias in zip(weights, biases[1:], strict=True):
                hidden = dense(silu(hidden), weight, bias)
        return hidden

    def _of_many(self, encoded: np.ndarray, device: str) -> np.ndarray:
        import torch

        from ..training import product

        n = len(encoded)
        try:
            place = resolve_device(device)
        except ValueError:
            place = torch.device("cpu")
        with torch.inference_mode(), limit_threads(min(n, CHUNK_ROWS) * self.weights[0].size):
            table, *layers = (
                as_tensor(array).to(place, torch.float32)
                for array in (self.table, *self.weights, *self.biases)
            )
            weights, biases = layers[: len(self.weights)], layers[len(self.weights) :]
            out = np.empty((n, len(self.biases[-1])))
            for start in range(0, n, CHUNK_ROWS):
                bins = torch.from_numpy(encoded[start : start + CHUNK_ROWS]).to(place)
                hidden = torch.nn.functional.embedding_bag(bins, table, mode="sum")
                hidden += biases[0]
                for weight, bias in zip(weights, biases[1:], strict=True):
                    hidden = product(torch.nn.functional.silu(hidden, inplace=True), weight, bias)
                out[start : start + CHUNK_ROWS] = hidden.cpu().numpy()
        return out

    @cached_property
    def _exact(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The dense layers in float64, kept from the first call on: one row is soon done."""
        weights, biases = ([each.astype(np.float64) for each in part] for part in (self.weights, self.biases))
        return weights, biases

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_exact"}

    def hidden_states(self, encoded: np.ndarray) -> list[np.ndarray]:
        """Give the states (n, h) of each hidden layer, float64, for bins (n, d')."""
        hidden = np.tile(self.biases[0].astype(np.float64), (len(encoded), 1))
        for column in encoded.T:
            hidden += self.table[column]
        states = []
        for weight, bias in zip(self.weights, self.biases[1:], strict=True):
            hidden = hidden * expit(hidden)
            states.append(hidden)
            hidden = hidden @ weight + bias
        return states


@dataclass(frozen=True)
class CompiledStudent:
    """All that a fitted student needs to answer.

    Parameters
    ----------
    bins : TeacherBins
        Bins of the d' columns it reads.
    networks : list of CompiledNetwork
        Those of the scheme; none when the teacher is a constant.
    scheme : {"additive", "joint", "independent", "score"}
        What their outputs are.
    base : ndarray of shape (K,)
        Base of the teacher.
    scale : float
        Raw score of a unit of output.
    imitated : {"tree_shap", "path", "permutation"} or None
        The reasons it was taught; without any, how it splits its score among columns is arbitrary.
    monotone : CompiledMonotone, default=None
        What gives the score where it must not break constraints; `networks` then give reasons alone.
    background_rows : int, default=None
        Rows from which walks of permutations started.
    """

    bins: TeacherBins
    networks: list[CompiledNetwork]
    scheme: str
    base: np.ndarray
    scale: float
    imitated: str | None
    monotone: CompiledMonotone | None = None
    background_rows: int | None = None

    @property
    def meta(self) -> dict[str, Any]:
        """What its contributions are."""
        found = {"explanation": self.imitated, "imitation": self.scheme, "model": "student"}
        return found if self.background_rows is None else found | {"background_rows": self.background_rows}

    def answer(
        self, matrix: np.ndarray, device: str, exact: bool | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Scores (n, K) and contributions (n, K, d'), or None where there are none; see `CompiledNetwork`."""
        n, n_scores = len(matrix), len(self.base)
        if not self.networks and self.monotone is None:
            return np.tile(self.base, (n, 1)), np.zeros((n, n_scores, 0))
        encoded = self.bins.encode(matrix)
        if self.monotone is not None:
            return self._monotone(encoded, device, exact)
        outputs = [network(encoded, device=device, exact=exact) for network in self.networks]
        joined = outputs[0] if len(outputs) == 1 else np.hstack(outputs)
        joined *= self.scale
        scores, reasons = split_outputs(joined, self.scheme, n_scores)
        return self.base + scores, reasons

    def _monotone(
        self, encoded: np.ndarray, device: str, exact: bool | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        assert self.monotone is not None
        scores, reasons = self.monotone(encoded, exact), None
        if self.networks:
            reasons = self.networks[0](encoded, device=device, exact=exact)
            reasons = share_remainder(reasons.reshape(*scores.shape, -1), scores) * self.scale
        return self.base + scores * self.scale, reasons

    def hidden_states(self, matrix: np.ndarray) -> list[np.ndarray]:
        """Give the states (n, h) of the hidden layers behind the score; none where it is a constant."""
        if self.monotone is not None:
            return self.monotone.hidden_states(self.bins.encode(matrix))
        if not self.networks or not len(self.bins.columns):
            return []
        return self.networks[0].hidden_states(self.bins.encode(matrix))
