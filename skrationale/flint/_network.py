"""The predictor, and the interpreter that reads attributes off its hidden layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from ..training import convolution, dense, linear, product, product_over_rows

ROW_SIZES, IMAGE_SIZES = (64, 64), (16, 32, 128)
"""Units of the hidden layers of ``"auto"``, for images maps of two convolutions and units. Not measured."""


def layer_sizes(sizes: Sequence[int] | str, image_shape: Sequence[int] | None) -> tuple[int, ...]:
    """Give the sizes of the hidden layers of a predictor of rows, or of images.

    Raises
    ------
    ValueError
        When they are not three for images.

    Examples
    --------
    >>> layer_sizes("auto", None), layer_sizes("auto", (1, 8, 8)), layer_sizes([10], None)
    ((64, 64), (16, 32, 128), (10,))
    """
    if isinstance(sizes, str):
        return ROW_SIZES if image_shape is None else IMAGE_SIZES
    if image_shape is not None and len(sizes) != 3:
        raise ValueError(
            "The 'hidden_layer_sizes' parameter must be three numbers for images: the numbers of feature "
            f"maps of two convolutions, and the width of the layer after them. Got {sizes!r} instead."
        )
    return tuple(map(int, sizes))


def through(layer: Any, rows: Tensor) -> Tensor:
    """Give what a linear layer makes of rows, without the cost of calling a module."""
    return dense(rows, layer.weight, layer.bias)


class MLPPredictor(nn.Module):
    """A multi-layer perceptron that gives the states of its hidden layers.

    Parameters
    ----------
    n_inputs : int
        Number p of inputs.
    hidden_layer_sizes : sequence of int
        Widths.
    n_outputs : int
        Number K of scores.
    hidden_layers : sequence of int
        Positions of the hidden layers whose states are given.
    generator : torch.Generator, default=None
        Draws the weights; None: torch's global one.
    """

    def __init__(
        self,
        n_inputs: int,
        hidden_layer_sizes: Sequence[int],
        n_outputs: int,
        hidden_layers: Sequence[int],
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        sizes = [n_inputs, *hidden_layer_sizes]
        self.hidden: Any = nn.ModuleList(linear(a, b, generator) for a, b in pairwise(sizes))
        self.last = linear(sizes[-1], n_outputs, generator)
        self.hidden_layers = tuple(hidden_layers)
        self.n_states = sum(hidden_layer_sizes[i] for i in self.hidden_layers)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give scores (B, K) and hidden states (B, H) of rows (B, p)."""
        scores, states = self.layers(x)
        return scores, self.shown(states)

    def layers(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Give scores (B, K) and the states of each hidden layer of rows (B, p)."""
        states = []
        for layer in self.hidden:
            x = torch.relu(through(layer, x))
            states.append(x)
        return through(self.last, x), states

    def shown(self, states: list[Tensor]) -> Tensor:
        """Join the states (B, H) that are given of those of all layers."""
        return torch.cat([states[i] for i in self.hidden_layers], dim=1)

    def slopes(self, x: Tensor, states: list[Tensor], of_scores: Tensor, of_shown: Tensor) -> list[Tensor]:
        """Give the derivatives of a loss by the parameters, in their order.

        Parameters
        ----------
        x : Tensor of shape (B, p)
            Rows.
        states : list of Tensor
            What `layers` gave.
        of_scores, of_shown : Tensor of shape (B, K) and (B, H)
            Derivatives by the scores and by what `shown` gives.
        """
        found = slopes_of_layer(of_scores, states[-1])
        slope = product(of_scores, self.last.weight)
        for i in reversed(range(len(states))):
            for layer, part in self._parts(of_shown):
                slope = slope + part if layer == i else slope
            slope = after_relu(slope, states[i])
            found = slopes_of_layer(slope, states[i - 1] if i else x) + found
            if i:
                slope = product(slope, self.hidden[i].weight)
        return found

    def _parts(self, of_shown: Tensor) -> list[tuple[int, Tensor]]:
        sizes = [self.hidden[i].out_features for i in self.hidden_layers]
        return list(zip(self.hidden_layers, of_shown.split(sizes, dim=1), strict=True))


def slopes_of_layer(slope: Tensor, inputs: Tensor) -> list[Tensor]:
    """Give the derivatives by weight and bias of a layer from those by its outputs (B, b)."""
    return [product_over_rows(slope, inputs), slope.sum(0)]


def after_relu(slope: Tensor, states: Tensor) -> Tensor:
    """Take derivatives (B, h) by states, in place, to what the states are the positive part of."""
    return slope.mul_(states.sign())


class ConvPredictor(nn.Module):
    """Two convolutions and a hidden layer, whose states are given.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, height and width of an image; rows are flat.
    hidden_layer_sizes : (int, int, int)
        Maps of the two convolutions, of size 3, and width of the hidden layer.
    n_outputs : int
        Number K of scores.
    hidden_layers : sequence of int
        Positions of the hidden layers whose states are given.
    generator : torch.Generator, default=None
        Draws the weights; None: torch's global one.
    """

    GRID = 4
    """Maps are given as means over so many by so many fields, which the hidden layer takes too."""
    LARGE = 16
    """From this height and width on, the second convolution works at half of them."""

    def __init__(
        self,
        shape: Sequence[int],
        hidden_layer_sizes: Sequence[int],
        n_outputs: int,
        hidden_layers: Sequence[int],
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.shape, self.hidden_layers = tuple(shape), tuple(hidden_layers)
        first, second, width = hidden_layer_sizes
        self.first = convolution(shape[0], first, 3, padding=1, generator=generator)
        self.second = convolution(first, second, 3, padding=1, generator=generator)
        self.hidden = linear(second * self.GRID**2, width, generator)
        self.last = linear(width, n_outputs, generator)
        sizes = (first * self.GRID**2, second * self.GRID**2, width)
        self.n_states = sum(sizes[i] for i in self.hidden_layers)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give scores (B, K) and hidden states (B, H) of flat images (B, p)."""
        first = self.first(x.unflatten(1, self.shape))
        if min(self.shape[1:]) >= self.LARGE:
            first = functional.max_pool2d(first, 2)
        first = torch.relu(first)
        second = self._fields(torch.relu(self.second(first)))
        hidden = torch.relu(self.hidden(second))
        states = [self._fields(first) if 0 in self.hidden_layers else second, second, hidden]
        return self.last(hidden), torch.cat([states[i] for i in self.hidden_layers], dim=1)

    def _fields(self, maps: Tensor) -> Tensor:
        return functional.adaptive_avg_pool2d(maps, self.GRID).flatten(1)


class InterpreterLayers(NamedTuple):
    """What the layers of an interpreter say of a batch, in the order in which they are computed."""

    states: Tensor
    hidden: Tensor
    before: Tensor
    """What attributes are the softplus of."""
    phi: Tensor
    scores: Tensor
    decoding: Tensor
    decoded: Tensor


class Interpreter(nn.Module):
    """Attributes of hidden states, scores that are linear in them, and a decoder.

    Parameters
    ----------
    n_states : int
        Number H of states.
    n_attributes : int
        Number J of attributes.
    n_outputs : int
        Number K of scores.
    n_decoded : int
        Number of inputs p that are reconstructed.
    width : int, default=64
        Of the hidden layer before the attributes, and of that after them.
    generator : torch.Generator, default=None
        Draws the weights; None: torch's global one.
    """

    def __init__(
        self,
        n_states: int,
        n_attributes: int,
        n_outputs: int,
        n_decoded: int,
        width: int = 64,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.first = linear(n_states, width, generator)
        self.second = linear(width, n_attributes, generator)
        self.score_layer = linear(n_attributes, n_outputs, generator)
        self.decoder: Any = nn.Sequential(
            linear(n_attributes, width, generator), nn.ReLU(), linear(width, n_decoded, generator)
        )

    def forward(self, states: Tensor) -> Tensor:
        """Give attributes (B, J), not negative, of states (B, H)."""
        return functional.softplus(self.second(torch.relu(self.first(states))))

    def layers(self, states: Tensor) -> InterpreterLayers:
        """Give what all layers say of states (B, H)."""
        hidden = torch.relu(through(self.first, states))
        before = through(self.second, hidden)
        phi = functional.softplus(before)
        decoding = torch.relu(through(self.decoder[0], phi))
        decoded = through(self.decoder[2], decoding)
        return InterpreterLayers(
            states, hidden, before, phi, through(self.score_layer, phi), decoding, decoded
        )

    def slopes(
        self, layers: InterpreterLayers, of_phi: Tensor, of_scores: Tensor, of_decoded: Tensor
    ) -> tuple[list[Tensor], Tensor]:
        """Give the derivatives of a loss.

        Parameters
        ----------
        layers : InterpreterLayers
            What `layers` gave.
        of_phi, of_scores, of_decoded : Tensor of shape (B, J), (B, K) and (B, p)
            Derivatives by attributes, where these enter the loss themselves, by scores and by decoded cells.

        Returns
        -------
        found : list of Tensor
            Derivatives by the parameters, in their order.
        of_states : Tensor of shape (B, H)
            Derivatives by the states.
        """
        of_decoding = after_relu(product(of_decoded, self.decoder[2].weight), layers.decoding)
        slope = of_phi + product(of_scores, self.score_layer.weight)
        slope = slope + product(of_decoding, self.decoder[0].weight)
        of_before = slope * torch.sigmoid(layers.before)
        of_hidden = after_relu(product(of_before, self.second.weight), layers.hidden)
        found = [
            *slopes_of_layer(of_hidden, layers.states),
            *slopes_of_layer(of_before, layers.hidden),
            *slopes_of_layer(of_scores, layers.phi),
            *slopes_of_layer(of_decoding, layers.phi),
            *slopes_of_layer(of_decoded, layers.decoding),
        ]
        return found, product(of_hidden, self.first.weight)


class FlintNetwork(nn.Module):
    """A predictor and its interpreter, or an interpreter of states that are known.

    Parameters
    ----------
    predictor : MLPPredictor, ConvPredictor or None
        None: the states of rows are given.
    interpreter : Interpreter
    """

    def __init__(self, predictor: nn.Module | None, interpreter: Interpreter) -> None:
        super().__init__()
        self.predictor, self.interpreter = predictor, interpreter
