"""The gradient of a smooth network by its weights, written by hand: torch records no operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..training import product, product_over_rows
from ._network import ACTIVATIONS, SmoothNetwork

ops = torch.ops.aten


class _Slopes(NamedTuple):
    """Derivatives of an activation at z, where its values are h."""

    times: Callable[[Tensor, Tensor, Tensor], Tensor]
    """Multiplies a tensor, given first, by the slopes."""
    curvature: Callable[[Tensor, Tensor], Tensor]
    """Gives the second derivatives."""


def _silu_curvature(z: Tensor, h: Tensor) -> Tensor:
    return ops.sigmoid_backward(torch.sub(z, h, alpha=2) + 2, torch.sigmoid(z))


def _softplus_curvature(z: Tensor, _h: Tensor) -> Tensor:
    q = torch.sigmoid(z)
    return q * (1 - q)


SLOPES = {
    "silu": _Slopes(lambda g, z, h: ops.silu_backward(g, z), _silu_curvature),
    "tanh": _Slopes(lambda g, z, h: ops.tanh_backward(g, h), lambda z, h: ops.tanh_backward(-2 * h, h)),
    "softplus": _Slopes(lambda g, z, h: ops.softplus_backward(g, z, 1, 20), _softplus_curvature),
    "relu": _Slopes(lambda g, z, h: ops.threshold_backward(g, z, 0), lambda z, h: torch.zeros_like(z)),
}


class ForwardPass:
    """What a network says of rows, kept so that the gradient by its weights can be taken.

    It is used where torch records nothing, below :class:`torch.no_grad`.

    Parameters
    ----------
    module : SmoothNetwork
        The network.
    x : Tensor of shape (n, p)
        Rows.

    Attributes
    ----------
    outputs : Tensor of shape (n, K)
        As of ``module(x)``.
    """

    def __init__(self, module: SmoothNetwork, x: Tensor) -> None:
        self._module, self._slopes = module, SLOPES[module.activation]
        self._matrices = module.hidden_weights()
        self._last, bias = module.last_layer()
        activation = ACTIVATIONS[module.activation]
        self._before: list[Tensor] = []
        self._after = [x]
        for weight, own in zip(self._matrices, module.hidden_biases(), strict=True):
            self._before.append(product(self._after[-1], weight.t(), own))
            self._after.append(activation(self._before[-1]))
        self.outputs = product(self._after[-1], self._last.t(), bias)
        self._extra: list[Tensor | None] = [None] * (len(self._matrices) + 1)
        self._bends: list[Tensor | None] = [None] * len(self._matrices)

    def input_gradient(self, mix: Tensor | None = None) -> Tensor:
        """Give the derivatives by the inputs, as `SmoothNetwork.forward_with_gradient` does.

        Parameters
        ----------
        mix : Tensor of shape (n, K), default=None
            Coefficients of a mixture of the outputs in each row, whose derivative is given instead.

        Returns
        -------
        Tensor of shape (n, K, p) or (n, 1, p)
        """
        self._mix = mix
        n, m = len(self.outputs), 1 if mix is not None else len(self._last)
        slopes = [
            self._slopes.times(torch.ones_like(z), z, h)
            for z, h in zip(self._before, self._after[1:], strict=True)
        ]
        # from here on a row stands for each of the m outputs of each row
        self._steep = [each if m == 1 else each.repeat_interleave(m, 0) for each in slopes]
        self._down = [self._last.repeat(n, 1) if mix is None else product(mix, self._last)]
        self._through: list[Tensor] = []
        for i in reversed(range(len(self._matrices))):
            self._through.append(self._down[-1] * self._steep[i])
            self._down.append(product(self._through[-1], self._matrices[i]))
        gradient = self._down.pop()
        self._down.reverse()
        self._through.reverse()
        return gradient.view(n, m, -1)

    def pull_input_gradient(self, pull: Tensor) -> None:
        """Take note of how a loss depends on what `input_gradient` gave.

        Parameters
        ----------
        pull : Tensor of shape (n, K, p) or (n, 1, p)
            Derivative of the loss by each number.
        """
        n, m = pull.shape[:2]
        pulled = pull.flatten(0, 1)
        for i, weight in enumerate(self._matrices):
            self._extra[i] = product_over_rows(self._through[i], pulled)
            pulled = product(pulled, weight.t())
            bend = pulled * self._down[i]
            self._bends[i] = bend if m == 1 else bend.view(n, m, -1).sum(1)
            pulled = pulled * self._steep[i]
        self._extra[-1] = (
            pulled.view(n, m, -1).sum(0) if self._mix is None else product_over_rows(self._mix, pulled)
        )

    def set_gradient(self, slopes: Tensor) -> None:
        """Set the gradients of all weights.

        Parameters
        ----------
        slopes : Tensor of shape (n, K)
            Derivative of the loss by the outputs.
        """
        last, moved = self._module.last, product(slopes, self._last)
        extra = self._extra[-1]
        weight, bias = product_over_rows(slopes, self._after[-1]), slopes.sum(0)
        weight = weight if extra is None else weight + extra
        if len(bias) >= 3:  # the mean of the outputs is taken away
            weight, bias = weight - weight.mean(0), bias - bias.mean()
        _set(last, weight, bias)
        for i in reversed(range(len(self._matrices))):
            z, h = self._before[i], self._after[i + 1]
            moved, bend = self._slopes.times(moved, z, h), self._bends[i]
            if bend is not None:
                moved = torch.addcmul(moved, bend, self._slopes.curvature(z, h))
            weight, extra = product_over_rows(moved, self._after[i]), self._extra[i]
            _set(self._module.hidden[i], weight if extra is None else weight + extra, moved.sum(0))
            if i:
                moved = product(moved, self._matrices[i])


def _set(layer: nn.Module, weight: Tensor, bias: Tensor) -> None:
    for parameter, gradient in ((layer.weight, weight), (layer.bias, bias)):
        parameter.grad = gradient if parameter.requires_grad else None
