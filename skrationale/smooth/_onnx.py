"""A smooth network as an ONNX graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..graphs import LAYERS, Graph, dense, encoded_table

if TYPE_CHECKING:
    from ..tabular import TableEncoder
    from ._network import SmoothNetwork


def write_smooth(
    graph: Graph, matrix: str, encoder: TableEncoder, network: SmoothNetwork, shift: float, scale: float
) -> None:
    """Add the scores (n, K) of a network.

    Parameters
    ----------
    graph : Graph
        To which nodes are added.
    matrix : str
        Name of numbers and codes (n, d).
    encoder : TableEncoder
        Encodes them into (n, p).
    network : SmoothNetwork
        In float64.
    shift, scale : float
        What its outputs are raised by, after they were multiplied.
    """
    hidden = encoded_table(graph, matrix, encoder)
    layers = zip(network.hidden_weights(), network.hidden_biases(), strict=True)
    for weight, bias in layers:
        hidden = dense(graph, hidden, weight.detach().numpy().T, bias.detach().numpy())
        hidden = LAYERS[network.activation](graph, hidden)
    last, offset = (parameter.detach().numpy() for parameter in network.last_layer())
    scores = dense(graph, hidden, last.T * scale, np.asarray(offset * scale + shift))
    graph.add("Identity", scores, name="scores")
