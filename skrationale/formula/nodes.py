"""Formulas as nodes of an ONNX graph, computed in float64 whatever the graph's type is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from ..graphs import Graph
from .program import Program, symbols

if TYPE_CHECKING:
    from ._formula import Formula
    from .variables import Variable

PLAIN = {"exp": "Exp", "log": "Log", "sin": "Sin", "tanh": "Tanh", "abs": "Abs"}
"""Operators of one argument that say what a program's do."""


def write_formulas(graph: Graph, matrix: str, formulas: Sequence[Formula]) -> None:
    """Add the value ``scores`` (n, K) of K formulas.

    Parameters
    ----------
    graph : Graph
        To which nodes are added.
    matrix : str
        Name of numbers and codes (n, d).
    formulas : sequence of K Formula
        Over the same table.
    """
    cells = graph.cast(matrix, np.float64) if graph.numpy is np.float32 else matrix
    columns = [_column(graph, cells, formula) for formula in formulas]
    scores = columns[0] if len(columns) == 1 else graph.add("Concat", *columns, axis=1)
    to = {"to": graph.types[np.dtype(graph.numpy)]}
    graph.add("Cast", scores, name="scores", **to)


def _column(graph: Graph, cells: str, formula: Formula) -> str:
    """Give the values (n, 1) of a formula."""
    program = Program(formula.expr, symbols(len(formula.all_variables)))
    values: list[str] = []
    for name, payload in program.steps:
        if name == "column":
            values.append(_variable(graph, cells, formula.all_variables[payload]))
        elif name == "constant":
            values.append(_number(graph, [[payload]]))
        elif name == "power":
            base, exponent = values[payload[0]], payload[1]
            squared = exponent != 0.5
            values.append(
                graph.add("Pow", base, _number(graph, exponent)) if squared else graph.add("Sqrt", base)
            )
        elif isinstance(payload, int):
            values.append(_function(graph, name, values[payload]))
        else:
            values.append(reduce(_operation(graph, name), [values[i] for i in payload]))
    result = values[program.result]
    return result if formula.variables else graph.each_row(result, cells)


def _number(graph: Graph, value: Any) -> str:
    return graph.constant(value, np.float64)


def _variable(graph: Graph, cells: str, variable: Variable) -> str:
    """Give a variable (n, 1), as `Variable.values` does."""
    column = graph.columns(cells, [variable.column])
    missing = graph.add("IsNaN", column)
    if variable.kind == "number":
        return graph.add("Where", missing, _number(graph, variable.fill), column)
    if variable.kind == "missing":
        return graph.cast(missing, np.float64)
    return graph.cast(graph.add("Equal", column, _number(graph, variable.code)), np.float64)


def _function(graph: Graph, name: str, x: str) -> str:
    if name == "sign":  # a sign of NaN would be 0
        return graph.add("Where", graph.add("IsNaN", x), x, graph.add("Sign", x))
    if name == "cos":
        return _cosine(graph, x)
    if name == "tan":
        return graph.add("Div", graph.add("Sin", x), _cosine(graph, x))
    return graph.add(PLAIN[name], x)


def _cosine(graph: Graph, x: str) -> str:
    """Give ``1 - 2 sin(x / 2)**2``: onnxruntime 1.20 has in float64 neither the cosine nor the tangent."""
    sine = graph.add("Sin", graph.add("Mul", x, _number(graph, 0.5)))
    twice = graph.add("Mul", _number(graph, 2.0), graph.add("Mul", sine, sine))
    return graph.add("Sub", _number(graph, 1.0), twice)


def _power(graph: Graph, a: str, b: str) -> str:
    """Give ``a**b``; the operator takes ``nan**0`` and ``1**nan`` for 1."""
    missing = graph.add("Or", graph.add("IsNaN", a), graph.add("IsNaN", b))
    return graph.add("Where", missing, graph.add("Add", a, b), graph.add("Pow", a, b))


def _operation(graph: Graph, name: str) -> Callable[[str, str], str]:
    if name in ("max", "min"):
        # operators of that name may lose NaN
        wins = "GreaterOrEqual" if name == "max" else "LessOrEqual"

        def extreme(a: str, b: str) -> str:
            first = graph.add("Or", graph.add(wins, a, b), graph.add("IsNaN", a))
            return graph.add("Where", first, a, b)

        return extreme
    if name == "pow":
        return lambda a, b: _power(graph, a, b)
    operator = {"add": "Add", "mul": "Mul"}[name]
    return lambda a, b: graph.add(operator, a, b)
