"""The smooth network, and its gradient by the inputs in closed form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from ..training import dense, linear


def _silu(z: Tensor) -> tuple[Tensor, Tensor]:
    q = torch.sigmoid(z)
    h = z * q
    return h, q + h * (1 - q)


def _tanh(z: Tensor) -> tuple[Tensor, Tensor]:
    h = torch.tanh(z)
    return h, 1 - h * h


def _softplus(z: Tensor) -> tuple[Tensor, Tensor]:
    return functional.softplus(z), torch.sigmoid(z)


def _relu(z: Tensor) -> tuple[Tensor, Tensor]:
    return torch.relu(z), (z > 0).to(z)


ACTIVATIONS_WITH_SLOPE: dict[str, Callable[[Tensor], tuple[Tensor, Tensor]]] = {
    "silu": _silu,
    "tanh": _tanh,
    "softplus": _softplus,
    "relu": _relu,
}
"""Activations, each with its derivative."""
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": functional.silu,
    "tanh": torch.tanh,
    "softplus": functional.softplus,
    "relu": torch.relu,
}


class SmoothNetwork(nn.Module):
    """A multi-layer perceptron that gives its input gradient without automatic differentiation.

    Parameters
    ----------
    n_inputs : int
        Number p of inputs.
    hidden_layer_sizes : sequence of int
        Widths.
    n_outputs : int
        Number K of outputs; from 3 on they are centred: their mean is 0.
    activation : {"silu", "tanh", "softplus", "relu"}
        Between layers.
    generator : torch.Generator, default=None
        Draws the weights; None: torch's global one.
    """

    def __init__(
        self,
        n_inputs: int,
        hidden_layer_sizes: Sequence[int],
        n_outputs: int,
        activation: str,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        sizes = [n_inputs, *hidden_layer_sizes]
        self.hidden = nn.ModuleList(linear(a, b, generator) for a, b in pairwise(sizes))
        self.last = linear(sizes[-1], n_outputs, generator)
        self.activation = activation

    def hidden_weights(self) -> list[Tensor]:
        """Give the matrices of the hidden layers, from the first on."""
        return [cast(Tensor, layer.weight) for layer in self.hidden]

    def hidden_biases(self) -> list[Tensor]:
        """Give the biases of the hidden layers, from the first on."""
        return [cast(Tensor, layer.bias) for layer in self.hidden]

    def last_layer(self) -> tuple[Tensor, Tensor]:
        """Give weight (K, h) and bias (K,) of the last layer as they act on rows: centred."""
        weight, bias = self.last.weight, self.last.bias
        if len(bias) < 3:
            return weight, bias
        return weight - weight.mean(0), bias - bias.mean()

    def hidden_states(self, x: Tensor) -> list[Tensor]:
        """Give the states (n, h) of each hidden layer for rows (n, p)."""
        states = []
        for layer in self.hidden:
            x = ACTIVATIONS[self.activation](layer(x))
            states.append(x)
        return states

    def forward(self, x: Tensor) -> Tensor:
        """Give the outputs (n, K) of rows (n, p)."""
        x = self.hidden_states(x)[-1]
        return dense(x, *self.last_layer())

    def forward_with_gradient(self, x: Tensor, mix: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Give the outputs of rows and their derivatives by the inputs.

        That is the chain rule, from the last layer down: plain products that are differentiable in turn.

        Parameters
        ----------
        x : Tensor of shape (n, p)
            Rows.
        mix : Tensor of shape (n, K), default=None
            Coefficients of a mixture of the outputs in each row, whose derivative is given instead.

        Returns
        -------
        outputs : Tensor of shape (n, K)
        gradient : Tensor of shape (n, K, p) or (n, 1, p)
        """
        slopes = []
        for layer in self.hidden:
            x, slope = ACTIVATIONS_WITH_SLOPE[self.activation](layer(x))
            slopes.append(slope[:, None])
        weight, bias = self.last_layer()
        outputs = dense(x, weight, bias)
        matrices = self.hidden_weights()
        gradient = slopes[-1] * (weight if mix is None else (mix @ weight)[:, None])
        for matrix, slope in zip(reversed(matrices[1:]), reversed(slopes[:-1]), strict=True):
            gradient = (gradient @ matrix) * slope
        return outputs, gradient @ matrices[0]
