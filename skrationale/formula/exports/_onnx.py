"""A formula as an ONNX graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...graphs import Graph, check_onnx_options, facts_of_table, table_input
from ..nodes import write_formulas

if TYPE_CHECKING:
    import onnx

    from .._formula import Formula


def to_onnx(
    self: Formula, *, inputs: str = "matrix", dtype: str = "float64", opset: int = 21
) -> onnx.ModelProto:
    """Write the formula as an ONNX graph.

    Parameters
    ----------
    inputs : {"matrix", "columns"}, default="matrix"
        ``"matrix"``: one input ``X`` of shape (n, d) with numbers, and with codes for categories and text. A
        code is the position of the level in the metadata's ``levels``, -1 for an unknown level and NaN for a
        missing cell. ``"columns"``: one input of shape (n, 1) for each column, with its name. It holds
        numbers, or text if the levels are text; the empty text is a missing cell, unless it is a level.
    dtype : {"float32", "float64"}, default="float64"
        Type of input and output; the formula is computed in float64.
    opset : int, default=21
        Version of the standard operators [1]_, at least 13.

    Returns
    -------
    onnx.ModelProto
        With the output ``scores`` of shape (n, 1), which is the result of `predict`: the inverse of the link
        is not applied.

    Raises
    ------
    ImportError
        If onnx is not installed.
    ValueError
        If an option is not one of those above.

    References
    ----------
    .. [1] https://onnx.ai/onnx/operators/

    Examples
    --------
    >>> from skrationale import Formula
    >>> model = Formula.from_string("2.5*age", ["age"]).to_onnx()
    >>> [node.op_type for node in model.graph.node]
    ['Gather', 'IsNaN', 'Where', 'Mul', 'Cast']
    """
    check_onnx_options(inputs, dtype, opset)
    graph = Graph(dtype, opset)
    matrix = table_input(graph, self.reader, inputs)
    facts = facts_of_table(graph, self.reader, inputs)
    write_formulas(graph, matrix, [self])
    graph.output("scores", [1])
    facts |= {"output_names": [self.output_name], "link": self.link, "kind": "formula", "formula": str(self)}
    return graph.model("Formula", facts)
