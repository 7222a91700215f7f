"""A predictor with its interpreter as an ONNX graph."""

from __future__ import annotations

import numpy as np

from ..graphs import Graph, dense, encoded_table, softplus
from ._model import FlintModel, OwnPredictor


def check_source(model: FlintModel) -> None:
    """Refuse models of images, and those of a predictor that was given."""
    source = model.source
    if source is None:
        return
    if not isinstance(source, OwnPredictor):
        raise ValueError(
            f"FLINT of a given predictor ({type(source).__name__}) cannot be written as an ONNX graph; "
            "expected predictor=None, whose own network is known."
        )
    if source.image_shape is not None:
        raise ValueError("FLINT of images cannot be written as an ONNX graph; expected a table.")


def write_flint(graph: Graph, matrix: str, model: FlintModel, decides: str) -> None:
    """Add the scores (n, K) of the one that decides, and the output ``attributes`` (n, J).

    Parameters
    ----------
    graph : Graph
        To which nodes are added.
    matrix : str
        Name of numbers and codes (n, d).
    model : FlintModel
        With an own predictor, or a constant.
    decides : {"interpreter", "model"}
        Whose scores are given.
    """
    graph.output("attributes", [model.n_attributes])
    source = model.source
    if source is None:
        graph.each_row(graph.constant(np.zeros((1, model.n_attributes))), matrix, name="attributes")
        graph.each_row(graph.constant(model.bias[None]), matrix, name="scores")
        return
    x, layers, states = encoded_table(graph, matrix, source.encoder), source.state, []
    for i in range(len(source.hidden_layer_sizes)):
        x = dense(graph, x, layers[f"hidden.{i}.weight"].T, layers[f"hidden.{i}.bias"])
        x = graph.add("Relu", x)
        states.append(x)
    _attributes(graph, matrix, [states[i] for i in source.hidden_layers], model)
    if decides == "interpreter":
        scores = dense(graph, "attributes", model.weights.T, model.bias)
    else:
        bias = layers["last.bias"] * np.float64(model.scale) + model.shift
        scores = dense(graph, x, layers["last.weight"].T * np.float64(model.scale), bias)
    graph.add("Identity", scores, name="scores")


def _attributes(graph: Graph, matrix: str, states: list[str], model: FlintModel) -> None:
    """Add the value ``attributes`` of hidden states."""
    weights = model.interpreter
    if not weights:
        graph.each_row(graph.constant(np.zeros((1, model.n_attributes))), matrix, name="attributes")
        return
    joined = states[0] if len(states) == 1 else graph.add("Concat", *states, axis=1)
    hidden = graph.add("Relu", dense(graph, joined, weights["first.weight"].T, weights["first.bias"]))
    found = softplus(graph, dense(graph, hidden, weights["second.weight"].T, weights["second.bias"]))
    graph.add("Identity", found, name="attributes")
