"""A predictor with its interpreter as an ONNX graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from ..graphs import Graph, dense, encoded_table, softplus
from ._model import FlintModel, OwnPredictor
from ._wrapped_predictors import WrappedMLP

WIDE = np.float64
"""Of a given network, whose columns may have any unit."""
ACTIVATIONS = {"identity": "Identity", "logistic": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}
"""Operators of the activations of scikit-learn's networks."""


def check_source(model: FlintModel) -> None:
    """Refuse models of images, and those of most predictors that were given."""
    source = model.source
    if source is None:
        return
    if isinstance(source, OwnPredictor):
        if source.image_shape is not None:
            raise ValueError("FLINT of images cannot be written as an ONNX graph; expected a table.")
        return
    predictor = getattr(source, "predictor", source)
    if not isinstance(source, WrappedMLP) or isinstance(predictor, Pipeline):
        raise ValueError(
            f"FLINT of a given predictor, a {type(predictor).__name__}, cannot be written as an ONNX "
            "graph; expected predictor=None, or an MLPClassifier or MLPRegressor outside a Pipeline."
        )


def write_flint(graph: Graph, matrix: str, model: FlintModel, decides: str) -> None:
    """Add the scores (n, K) of the one that decides, and the output ``attributes`` (n, J).

    Parameters
    ----------
    graph : Graph
        To which nodes are added.
    matrix : str
        Name of numbers and codes (n, d).
    model : FlintModel
        That `check_source` takes.
    decides : {"interpreter", "model"}
        Whose scores are given.
    """
    graph.output("attributes", [model.n_attributes])
    source = model.source
    if source is None:
        graph.each_row(graph.constant(np.zeros((1, model.n_attributes))), matrix, name="attributes")
        graph.each_row(graph.constant(model.bias[None]), matrix, name="scores")
        return
    predicted = (
        _own(graph, matrix, source) if isinstance(source, OwnPredictor) else _given(graph, matrix, source)
    )
    raw, states = predicted
    _attributes(graph, matrix, [states[i] for i in source.hidden_layers], model)
    if decides == "interpreter":
        scores = dense(graph, "attributes", model.weights.T, model.bias)
    else:
        scaled = graph.add("Mul", raw, graph.constant(np.float64(model.scale)))
        scores = graph.add("Add", scaled, graph.constant(np.float64(model.shift)))
    graph.add("Identity", scores, name="scores")


def _own(graph: Graph, matrix: str, source: OwnPredictor) -> tuple[str, list[str]]:
    """Give the scores of an own predictor in standard units, and the states of its hidden layers."""
    x, layers, states = encoded_table(graph, matrix, source.encoder), source.state, []
    for i in range(len(source.hidden_layer_sizes)):
        x = dense(graph, x, layers[f"hidden.{i}.weight"].T, layers[f"hidden.{i}.bias"])
        x = graph.add("Relu", x)
        states.append(x)
    return dense(graph, x, layers["last.weight"].T, layers["last.bias"]), states


def _given(graph: Graph, matrix: str, source: WrappedMLP) -> tuple[str, list[str]]:
    """Give the same of a network of scikit-learn."""
    network: Any = source.predictor
    order = np.arange(network.coefs_[0].shape[0]) if source.order is None else source.order
    x, states = graph.cast(graph.columns(matrix, order), WIDE), []
    for weight, bias in zip(network.coefs_[:-1], network.intercepts_[:-1], strict=True):
        x = graph.add(ACTIVATIONS[network.activation], dense(graph, x, weight, bias, WIDE))
        states.append(graph.cast(x, graph.numpy))
    raw = dense(graph, x, network.coefs_[-1], network.intercepts_[-1], WIDE)
    if network.out_activation_ == "exp":  # a Poisson loss
        raw = graph.add("Exp", raw)
    return graph.cast(raw, graph.numpy), states


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
