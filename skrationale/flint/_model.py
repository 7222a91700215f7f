"""What a fit leaves behind: states of rows, attributes of states, scores of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Generator, Tensor, nn

from .._tensors import as_tensor
from ..tabular import TableEncoder
from ..training import limit_threads, rebuild_module
from ._network import ConvPredictor, Interpreter, MLPPredictor
from ._relevance import contributions, relevance

State = dict[str, np.ndarray]
CHUNK, IMAGE_CHUNK = 4096, 256
"""Rows, and images, computed at once, to bound the memory. Not measured."""


class Source(Protocol):
    """A predictor: scores of rows, and the hidden states that attributes are read off."""

    def states(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give scores (n, K) in standard units and states (n, H) of rows (n, d), float64."""


@dataclass(frozen=True)
class OwnPredictor:
    """A predictor that was trained together with its interpreter.

    Parameters
    ----------
    encoder : TableEncoder
        Encodes rows (n, d) into (n, p).
    state : dict of str to ndarray
        Weights.
    hidden_layer_sizes : sequence of int
        Widths of a multi-layer perceptron; of a convolutional one its maps and the width after them.
    n_outputs : int
        Number K of scores.
    hidden_layers : sequence of int
        Positions of the hidden layers whose states are given.
    image_shape : (int, int, int) or None
        Of rows that are images.
    """

    encoder: TableEncoder
    state: State
    hidden_layer_sizes: Sequence[int]
    n_outputs: int
    hidden_layers: Sequence[int]
    image_shape: tuple[int, int, int] | None = None

    def empty(self, generator: Generator | None = None) -> MLPPredictor | ConvPredictor:
        """Build the network with weights drawn by a generator; None: by torch's global one."""
        sizes = self.hidden_layer_sizes
        if self.image_shape is not None:
            return ConvPredictor(self.image_shape, sizes, self.n_outputs, self.hidden_layers, generator)
        return MLPPredictor(len(self.encoder.groups), sizes, self.n_outputs, self.hidden_layers, generator)

    def module(self) -> nn.Module:
        """Rebuild the network in float64."""
        return rebuild_module(self.empty, self.state)

    def states(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give scores (n, K) and states (n, H) of rows (n, d)."""
        network, x = self.module(), as_tensor(self.encoder.encode_matrix(matrix))
        with torch.no_grad(), limit_threads(CHUNK * max(self.hidden_layer_sizes) ** 2):
            parts = [network(part) for part in x.split(CHUNK if self.image_shape is None else IMAGE_CHUNK)]
        scores, states = (torch.cat(column).numpy() for column in zip(*parts, strict=True))
        return scores, states

    def states_function(self) -> Callable[[Tensor], Tensor]:
        """Give what maps flat images (B, p), in their own units, to states (B, H) with gradients."""
        encoder: Any = self.encoder
        network = self.module().float()
        return lambda pixels: network((pixels - encoder.shift) / encoder.scale)[1]


@dataclass(frozen=True)
class FlintModel:
    """A predictor and the interpreter of its hidden states.

    Parameters
    ----------
    source : Source or None
        The predictor; None where one answer serves all rows.
    interpreter : dict of str to ndarray
        Weights.
    n_attributes : int
        Number J of attributes.
    weights, bias : ndarray of shape (K, J) and (K,)
        The interpreter's scores are ``bias + weights @ phi``, in the units of the target.
    shift, scale : float
        What the predictor's scores are raised by, after they were multiplied.
    """

    source: Any
    interpreter: State
    n_attributes: int
    weights: np.ndarray
    bias: np.ndarray
    shift: float = 0.0
    scale: float = 1.0
    active: np.ndarray | None = None
    """Which attributes (J,) vary; None where there are none."""

    def answers(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the predictor's scores (n, K) and the attributes (n, J) of rows (n, d)."""
        nothing = np.zeros((len(matrix), self.n_attributes))
        if self.source is None:
            return np.tile(self.bias, (len(matrix), 1)), nothing
        scores, states = self.source.states(matrix)
        phi = self.attributes_of(states) if self.interpreter else nothing
        return scores * self.scale + self.shift, phi

    def relevance(self, phi: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Relevance (n, J) of attributes (n, J) for the largest of the interpreter's scores (n, K)."""
        return relevance(contributions(phi, self.weights, scores), float(np.abs(self.weights).max()))

    def attributes(self, matrix: np.ndarray) -> np.ndarray:
        """Attributes (n, J) of rows (n, d)."""
        return self.answers(matrix)[1]

    def attributes_of(self, states: np.ndarray) -> np.ndarray:
        """Attributes (n, J) of states (n, H)."""
        network = self.interpreter_module()
        with torch.no_grad(), limit_threads(CHUNK * states.shape[1] * 64):
            parts = [network(part) for part in torch.from_numpy(states).split(CHUNK)]
        return torch.cat(parts).numpy()

    def attribute_function(self) -> Callable[[Tensor], Tensor] | None:
        """Give what maps flat images (B, p), in their own units, to attributes (B, J) with gradients.

        None where the predictor has no gradients.
        """
        if not self.interpreter or not hasattr(self.source, "states_function"):
            return None
        states_of, interpreter = self.source.states_function(), self.interpreter_module().float()
        return lambda pixels: interpreter(states_of(pixels))

    def interpret(self, phi: np.ndarray) -> np.ndarray:
        """Give the interpreter's scores (n, K) of attributes (n, J)."""
        return phi @ self.weights.T + self.bias

    def interpreter_module(self) -> Interpreter:
        """Rebuild the interpreter in float64."""
        n_states, width = self.interpreter["first.weight"].shape[::-1]
        n_outputs, n_decoded = len(self.bias), len(self.interpreter["decoder.2.bias"])

        def empty() -> Interpreter:
            return Interpreter(n_states, self.n_attributes, n_outputs, n_decoded, width)

        return rebuild_module(empty, self.interpreter)

    def score_function(self) -> Callable[[Tensor], Tensor]:
        """Give what maps encoded rows (n, p) to the interpreter's scores (n, K), of an own predictor."""
        network, interpreter = self.source.module(), self.interpreter_module()
        weights, bias = as_tensor(self.weights), as_tensor(self.bias)
        return lambda x: interpreter(network(x)[1]) @ weights.T + bias
