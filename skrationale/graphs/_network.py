"""Layers of networks as nodes of a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._graph import Graph


def dense(graph: Graph, x: str, weight: np.ndarray, bias: np.ndarray, dtype: Any = None) -> str:
    """Map rows (n, a) by a weight (a, b) and a bias (b,), in the graph's type or another."""
    return graph.add("Gemm", x, graph.constant(weight, dtype), graph.constant(bias, dtype))


def silu(graph: Graph, x: str) -> str:
    """Activate by ``x * sigmoid(x)``."""
    if graph.numpy is np.float64:
        # onnxruntime 1.20 makes one operator of the product, which it has for float32 alone
        grown = graph.add("Add", graph.add("Exp", graph.add("Neg", x)), graph.constant(1.0))
        return graph.add("Div", x, grown)
    return graph.add("Mul", x, graph.add("Sigmoid", x))


def softplus(graph: Graph, x: str) -> str:
    """Activate by ``log(1 + exp(x))``, which does not overflow here."""
    size = graph.add("Neg", graph.add("Abs", x))
    rest = graph.add("Log", graph.add("Add", graph.add("Exp", size), graph.constant(1.0)))
    return graph.add("Add", graph.add("Relu", x), rest)


LAYERS: dict[str, Callable[[Graph, str], str]] = {
    "silu": silu,
    "softplus": softplus,
    "tanh": lambda graph, x: graph.add("Tanh", x),
    "relu": lambda graph, x: graph.add("Relu", x),
}
"""Activations by the names that estimators give them."""
