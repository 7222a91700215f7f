"""A `TableEncoder` as nodes of a graph."""

from __future__ import annotations

import numpy as np

from ..tabular import TableEncoder
from ._graph import Graph

NO_CODE = -2.0
"""Stands for a missing category while codes are compared: no code is below -1."""


def encoded_table(graph: Graph, matrix: str, encoder: TableEncoder, *, wide: bool = False) -> str:
    """Encode rows as an encoder does.

    Parameters
    ----------
    graph : Graph
        To which nodes are added.
    matrix : str
        Name of numbers and codes (n, d).
    encoder : TableEncoder
        Fitted.
    wide : bool, default=False
        Whether the result is float64, whatever the graph's type is.

    Returns
    -------
    str
        Name of the encoded rows (n, p), in the graph's type. They are computed in float64 in any case: a
        number may lie far from zero and vary little.
    """
    plan = encoder.plan()
    cells = graph.cast(matrix, np.float64) if graph.numpy is np.float32 else matrix
    parts = []
    if len(plan.numbers):
        numbers = graph.columns(cells, plan.numbers)
        centred = graph.add("Sub", numbers, graph.constant(plan.centers, np.float64))
        parts.append(
            _known(graph, numbers, graph.add("Div", centred, graph.constant(plan.scales, np.float64)))
        )
    if len(plan.missing):
        absent = graph.add("IsNaN", graph.columns(cells, plan.missing))
        parts.append(graph.cast(absent, np.float64))
    if len(plan.codes):
        parts.append(_levels(graph, cells, plan.categories, plan.codes, plan.others))
    for number, knots in plan.knots.items():
        parts.append(_pieces(graph, graph.columns(cells, [number]), knots))
    whole = parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)
    return whole if wide or graph.numpy is np.float64 else graph.cast(whole, np.float32)


def _known(graph: Graph, numbers: str, encoded: str) -> str:
    """Give what numbers are encoded into, 0 where they are missing."""
    return graph.add("Where", graph.add("IsNaN", numbers), graph.constant(0.0, np.float64), encoded)


def _levels(graph: Graph, cells: str, categories: np.ndarray, codes: np.ndarray, others: np.ndarray) -> str:
    """One column a level, and one for all others of a category where there is one."""
    chosen = graph.columns(cells, categories)
    given = graph.add("Where", graph.add("IsNaN", chosen), graph.constant(NO_CODE, np.float64), chosen)
    keys = graph.constant(np.where(np.isnan(codes), NO_CODE, codes), np.float64)
    equal = graph.cast(graph.add("Equal", given, keys), np.float64)
    if not others.any():
        return equal
    # where no level of the category is met, it is another one
    same = (categories[:, None] == categories) & others
    known = graph.add("MatMul", equal, graph.constant((same & ~others[:, None]).astype(float), np.float64))
    own = graph.constant(others.astype(float), np.float64)
    return graph.add(
        "Add",
        graph.add("Mul", equal, graph.constant((~others).astype(float), np.float64)),
        graph.add("Sub", own, known),
    )


def _pieces(graph: Graph, numbers: str, knots: np.ndarray) -> str:
    """Columns that rise from -1 to 1 between neighbours of knots (q + 1,)."""
    above = graph.add("Sub", numbers, graph.constant(knots[:-1], np.float64))
    share = graph.add("Div", above, graph.constant(np.diff(knots), np.float64))
    zero, one, two = (graph.constant(number, np.float64) for number in (0.0, 1.0, 2.0))
    inside = graph.add("Clip", share, zero, one)
    return _known(graph, numbers, graph.add("Sub", graph.add("Mul", two, inside), one))
