"""Fitted models as ONNX graphs: what all families need to write themselves down as one.

`OnnxExport` has the method `to_onnx`; a family adds its own network in `_write_onnx`. `Graph` collects
constants and nodes, `search_trees` finds the bin of a number, `encoded_table` is a `TableEncoder`, and
`table_input` takes a matrix or one input a column. The library onnx is imported when a graph is made.
"""

from ._encoder import encoded_table
from ._export import OnnxExport
from ._graph import Graph, check_onnx_options, need_onnx
from ._inputs import table_input
from ._metadata import facts_of_table
from ._network import LAYERS, dense, silu, softplus
from ._trees import Steps, search_trees

__all__ = [
    "LAYERS",
    "Graph",
    "OnnxExport",
    "Steps",
    "check_onnx_options",
    "dense",
    "encoded_table",
    "facts_of_table",
    "need_onnx",
    "search_trees",
    "silu",
    "softplus",
    "table_input",
]
