"""A selector and its predictor as an ONNX graph."""

from __future__ import annotations

import numpy as np

from ..graphs import Graph, dense, encoded_table
from ..units import MaskRule, table_units
from ._model import RationaleModel, State

WIDE = np.float64
"""In float32 a logit might fall on the other side of the threshold, which is that of a training row."""
CLEARANCE = 1e-12
"""What a threshold is raised by, as a share of its size or of 1: rounding shall not select a cell whose logit
is the threshold itself. Measured: training rows come as near as 1e-10 from above, which 1e-9 left out."""


def write_rationale(graph: Graph, matrix: str, model: RationaleModel) -> None:
    """Add the scores (n, K) of a model, and the output ``mask`` (n, d).

    Parameters
    ----------
    graph : Graph
        To which nodes are added.
    matrix : str
        Name of numbers and codes (n, d).
    model : RationaleModel
        Fitted.
    """
    d = model.n_columns
    if not model.columns.size:
        graph.each_row(graph.constant(np.zeros((1, d), dtype=bool)), matrix, name="mask")
        graph.each_row(graph.constant(model.base[None]), matrix, name="scores")
        graph.output("mask", [d], bool)
        return
    units, inputs = table_units(model.encoder).take(model.columns)
    x = graph.columns(encoded_table(graph, matrix, model.encoder, wide=True), inputs)
    shown = _selected(graph, _layers(graph, x, model.selector, ""), model.rule, len(model.columns))
    places = np.zeros((len(model.columns), d))
    places[np.arange(len(model.columns)), model.columns] = 1
    count = graph.add("MatMul", graph.cast(shown, WIDE), graph.constant(places, WIDE))
    graph.add("Greater", count, graph.constant(0.5, WIDE), name="mask")
    graph.output("mask", [d], bool)
    scores = _predicted(graph, x, shown, units.groups, model)
    graph.add("Cast", scores, name="scores", to=graph.float_type)


def _layers(graph: Graph, x: str, state: State, prefix: str) -> str:
    """Map rows by the layers of `mlp`, which stand at even places of a sequence."""
    n_layers = sum(name.startswith(prefix) and name.endswith("weight") for name in state)
    for i in range(n_layers):
        weight, bias = (state[f"{prefix}{2 * i}.{part}"] for part in ("weight", "bias"))
        x = dense(graph, x if i == 0 else graph.add("Relu", x), weight.T, bias, WIDE)
    return x


def _selected(graph: Graph, logits: str, rule: MaskRule, c: int) -> str:
    """Say which of c columns are shown (n, c), as a `MaskRule` does."""
    if rule.k is None:
        threshold = np.float64(rule.threshold) + CLEARANCE * max(1.0, min(abs(rule.threshold), 1e6))
        return graph.add("Greater", logits, graph.constant(threshold, WIDE))
    # of equal logits the first is taken, as the standard says
    best = graph.second("TopK", logits, graph.constant([rule.k]), axis=1)
    same = graph.add("Equal", graph.add("Unsqueeze", best, graph.constant([2])), graph.constant(np.arange(c)))
    count = graph.total(graph.cast(same, np.int32), 1)
    return graph.cast(count, bool)


def _predicted(graph: Graph, x: str, shown: str, groups: np.ndarray, model: RationaleModel) -> str:
    """Give scores (n, K) from the cells that are shown (n, c)."""
    fill = np.zeros(len(groups)) if model.fill is None else model.fill
    cells = graph.add("Where", graph.columns(shown, groups), x, graph.constant(fill, WIDE))
    scale, shift = graph.constant(model.scale, WIDE), graph.constant(model.shift, WIDE)
    flags = graph.cast(shown, WIDE)
    if model.fill is not None:
        raw = _layers(graph, cells, model.predictor, "")
    else:
        raw = _layers(graph, graph.add("Concat", cells, flags, axis=1), model.predictor, "layers.")
    scores = graph.add("Add", graph.add("Mul", raw, scale), shift)
    if model.fill is not None:
        return scores
    some = graph.add("Greater", graph.total(flags, 1, keep=True), graph.constant(0.5, WIDE))
    return graph.add("Where", some, scores, graph.constant(model.base[None], WIDE))
