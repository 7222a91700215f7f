"""A trained student as an ONNX graph: search trees find the bins, tables and dense layers the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graphs import Graph, OnnxExport, Steps, dense, search_trees, silu, softplus
from ..teachers import ZERO_BOUND, Bins, NumericBins
from ._bins import translated
from ._inference import CompiledNetwork, CompiledStudent
from ._monotone import LEAST_SHARE, CompiledMonotone

NEITHER_ADDS_UP = ("joint", "independent")
"""Schemes whose contributions do not add up to the score."""


class StudentExport(OnnxExport):
    """A student that can write itself down as an ONNX graph."""

    _student: CompiledStudent
    n_features_in_: int

    def _check_onnx(self) -> None:
        scheme = self._student.scheme
        if scheme in NEITHER_ADDS_UP:
            raise ValueError(
                f"A student with imitation={scheme!r} cannot be written as an ONNX graph: its contributions "
                "do not add up to its score. Expected imitation='additive'."
            )

    def _write_onnx(self, graph: Graph, matrix: str) -> dict[str, Any]:
        student = self._student
        write_student(graph, matrix, student, self.n_features_in_)
        teacher = getattr(self, "teacher_", None)  # a copy to serve has none
        facts = {"kind": "additive", "explanation": student.imitated, "base_values": student.base.tolist()}
        return facts | {"teacher": None if teacher is None else type(teacher).__name__, "meta": student.meta}


def write_student(graph: Graph, matrix: str, student: CompiledStudent, n_columns: int) -> None:
    """Add the scores of a student, and its contributions where it has learnt any.

    Parameters
    ----------
    graph : Graph
        To which nodes are added.
    matrix : str
        Name of numbers and codes (n, d).
    student : CompiledStudent
        Of the scheme "additive" or "score".
    n_columns : int
        Number d of columns.
    """
    n_scores, base = len(student.base), graph.constant(student.base)
    shape, has_reasons = [n_scores, n_columns], student.imitated is not None
    if not student.networks and student.monotone is None:
        graph.each_row(graph.constant(student.base[None]), matrix, name="scores")
        if has_reasons:
            graph.each_row(graph.constant(np.zeros([1, *shape])), matrix, name="contributions")
            graph.output("contributions", shape)
        return
    bins = search_trees(graph, matrix, steps_of(student, graph.numpy))
    name = "contributions" if has_reasons else None
    if student.monotone is not None:
        raw = _monotone(graph, bins, student.monotone)
        scores = graph.add("Mul", raw, graph.constant(student.scale))
        if has_reasons:
            reasons = _reasons(graph, bins, student, n_columns, scale=1.0)
            _share(graph, reasons, raw, student, n_columns)
    elif student.scheme == "score":
        scores = _network(graph, bins, student.networks[0], scaled=student.scale)
    else:
        scores = graph.total(_reasons(graph, bins, student, n_columns, student.scale, name), 2)
    graph.add("Add", scores, base, name="scores")
    if has_reasons:
        graph.output("contributions", shape)


# --- bins ---------------------------------------------------------------------------------------------


def steps_of(student: CompiledStudent, dtype: Any) -> list[Steps]:
    """Tabulate the row of the first layer's table that each cell selects, exactly as students find it.

    Parameters
    ----------
    student : CompiledStudent
        With its bins.
    dtype : type
        Of the numbers that come.

    Returns
    -------
    list of d' Steps
    """
    steps, start = [], 0
    for bins in student.bins.all:
        codes = student.bins.teacher_codes[bins.column]
        steps.append(_steps(bins, codes, start, dtype))
        start += bins.n_bins
    return steps


def _steps(bins: Bins, codes: np.ndarray | None, start: int, dtype: Any) -> Steps:
    def row(values: np.ndarray) -> np.ndarray:
        return bins.encode(translated(values, codes)) + start

    if isinstance(bins, NumericBins) and codes is None:
        near_zero = [np.nextafter(-ZERO_BOUND, -1.0), ZERO_BOUND]
        return Steps.of(bins.column, np.append(bins.thresholds, near_zero), row, dtype)
    # whole numbers, also where a teacher reads codes of levels as numbers; what is between is cut off
    n_levels = len(bins.bin_of_level) - 1 if codes is None else len(codes) - 1  # type: ignore[union-attr]
    known = _known_levels(row, n_levels)
    whole = np.arange(n_levels + 1.0)
    changes = whole[1:][np.diff(known(whole)) != 0]
    keys = np.concatenate([[-1.0], np.nextafter([0.0, *changes], -np.inf)])
    return Steps.of(bins.column, keys, known, dtype)


def _known_levels(function: Callable[[np.ndarray], np.ndarray], n_levels: int) -> Callable[..., np.ndarray]:
    """Give the function with codes from `n_levels` on taken for unseen ones."""
    return lambda values: function(np.where(values >= n_levels, -1.0, values))


# --- networks -----------------------------------------------------------------------------------------


def _looked_up(graph: Graph, bins: str, table: np.ndarray) -> str:
    """Add up the rows of a table (bins, h) that bins (n, d') select."""
    return graph.total(graph.add("Gather", graph.constant(table), bins, axis=0), 1)


def _network(
    graph: Graph, bins: str, network: CompiledNetwork, scaled: float | np.ndarray, places: Any = None
) -> str:
    """Give the outputs of a network, or 0 and its outputs at places."""
    hidden = graph.add("Add", _looked_up(graph, bins, network.table), graph.constant(network.biases[0]))
    for weight, bias in zip(network.weights[:-1], network.biases[1:-1], strict=True):
        hidden = dense(graph, silu(graph, hidden), weight, bias)
    weight, bias = network.weights[-1].astype(np.float64) * scaled, network.biases[-1] * np.float64(scaled)
    if places is not None:
        size, chosen = places
        wide, long = np.zeros((len(weight), size)), np.zeros(size)
        wide[:, chosen], long[chosen] = weight, bias
        weight, bias = wide, long
    return dense(graph, silu(graph, hidden), weight, bias)


def _reasons(
    graph: Graph, bins: str, student: CompiledStudent, n_columns: int, scale: float, name: str | None = None
) -> str:
    """Give contributions (n, K, d); the last layer knows the columns that the teacher ignores."""
    n_scores = len(student.base)
    chosen = (np.arange(n_scores)[:, None] * n_columns + student.bins.columns).ravel()
    outputs = _network(graph, bins, student.networks[0], scale, (n_scores * n_columns, chosen))
    shape = graph.constant(np.array([-1, n_scores, n_columns]))
    return graph.add("Reshape", outputs, shape, name=name)


def _share(graph: Graph, reasons: str, scores: str, student: CompiledStudent, n_columns: int) -> None:
    """Make contributions add up to scores, as `share_remainder` does, in the units of the score."""
    used = np.zeros(n_columns)
    used[student.bins.columns] = 1
    sizes = graph.add("Add", graph.add("Abs", reasons), graph.constant(LEAST_SHARE * used))
    left = graph.add("Sub", scores, graph.total(reasons, 2))
    rate = graph.add("Div", left, graph.total(sizes, 2))
    more = graph.add("Mul", graph.add("Unsqueeze", rate, graph.constant([2])), sizes)
    scale = graph.constant(student.scale)
    graph.add("Mul", graph.add("Add", reasons, more), scale, name="contributions")


def _monotone(graph: Graph, bins: str, monotone: CompiledMonotone) -> str:
    """Give scores (n, K) in units of the scale, as `CompiledMonotone` does."""
    layers = monotone.dense
    z = graph.add("Add", _looked_up(graph, bins, monotone.free), graph.constant(layers["bias"][0]))
    side = dense(graph, z, layers["side"][0], layers["side_bias"][0])
    m = _rising(graph, graph.add("Add", _looked_up(graph, bins, monotone.ordered), side), monotone.ordered)
    z = silu(graph, z)
    branches = zip(layers["branch"], layers["branch_bias"], strict=True)
    for i, (branch, bias) in enumerate(branches):
        side = dense(graph, z, layers["side"][i + 1], layers["side_bias"][i + 1])
        m = _rising(graph, graph.add("Add", _mapped(graph, m, layers["up"][i]), side), layers["up"][i])
        z = silu(graph, dense(graph, z, branch, bias))
    last = dense(graph, z, layers["side"][-1], layers["side_bias"][-1])
    return graph.add("Add", _mapped(graph, m, layers["up"][-1]), last)


def _mapped(graph: Graph, x: str, weight: np.ndarray) -> str:
    return graph.add("MatMul", x, graph.constant(weight))


def _rising(graph: Graph, x: str, layer: np.ndarray) -> str:
    """Activate as `monotone_activation` does what has the width of a layer (..., h)."""
    width = layer.shape[1]
    signs = np.where(np.arange(width) < (width + 1) // 2, 1.0, -1.0)
    # softplus with beta=2 of x, and the negative one of -x in the other half
    soft = softplus(graph, graph.add("Mul", x, graph.constant(2.0 * signs)))
    return graph.add("Mul", soft, graph.constant(signs / 2))
