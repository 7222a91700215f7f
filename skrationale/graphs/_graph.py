"""Nodes, constants, inputs and outputs of an ONNX graph while it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

DTYPES = {"float32": np.float32, "float64": np.float64}
FIRST_OPSET = 13
"""Since then axes of a sum and of a softmax are what graphs here take them for."""
ML_DOMAIN, ML_OPSET = "ai.onnx.ml", 3
"""Operators of trees and of text; from version 3 on trees have thresholds in float64."""
ROWS = "rows"
"""Name of the dimension that is left free."""
OUTPUTS = ("scores", "contributions", "mask", "attributes", "probabilities", "prediction")
"""Names of outputs, in the order in which a graph gives them."""
LARGEST_FILE = 2**31
"""Bytes of a model that protobuf cannot write any more."""


def need_onnx() -> Any:
    """Return the module onnx, or say how to install it."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError("`to_onnx` needs onnx: pip install 'skrationale[onnx]'.") from error
    return onnx


def check_onnx_options(inputs: Any, dtype: Any, opset: Any) -> None:
    """Refuse options that `to_onnx` does not know.

    Raises
    ------
    ValueError
        Naming the parameter, what was got and what was expected.
    """
    if inputs not in ("matrix", "columns"):
        raise ValueError(f"inputs must be 'matrix' or 'columns'. Got {inputs!r} instead.")
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be 'float32' or 'float64'. Got {dtype!r} instead.")
    newest = need_onnx().defs.onnx_opset_version()
    if not isinstance(opset, int | np.integer) or not FIRST_OPSET <= opset <= newest:
        raise ValueError(
            f"opset must be an integer from {FIRST_OPSET} to {newest}, the newest opset of the installed "
            f"onnx. Got {opset!r} instead."
        )


class Graph:
    """An ONNX graph that is written node by node.

    Values have names, which are given back as text. All numbers are of one type, that of input and output,
    unless a constant or a node says otherwise.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        Type of numbers.
    opset : int
        Version of the standard operators.

    Examples
    --------
    >>> graph = Graph("float32", 21)
    >>> x = graph.input("X", graph.float_type, 2)
    >>> y = graph.add("Mul", x, graph.constant(2.0), name="scores")
    >>> graph.output(y, [2])
    >>> [node.op_type for node in graph.model("double", {}).graph.node]
    ['Mul']
    """

    def __init__(self, dtype: str, opset: int) -> None:
        self._onnx = need_onnx()
        self.numpy: Any = DTYPES[dtype]
        self.opset = int(opset)
        types = self._onnx.TensorProto
        self.types = {
            np.dtype(np.float32): types.FLOAT,
            np.dtype(np.float64): types.DOUBLE,
            np.dtype(np.int32): types.INT32,
            np.dtype(np.int64): types.INT64,
            np.dtype(bool): types.BOOL,
        }
        self.float_type = self.types[np.dtype(self.numpy)]
        self.text_type = types.STRING
        self._nodes: list[Any] = []
        self._constants: dict[Any, str] = {}
        self._initializers: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: dict[str, Any] = {}
        self._taken = set(OUTPUTS)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs, in order."""
        return [value.name for value in self._inputs]

    # --- values ------------------------------------------------------------------------------------

    def _unused(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Add a constant.

        Parameters
        ----------
        value : array-like
            Numbers.
        dtype : dtype, default=None
            Type of the constant; None: that of the graph, and int64 for integers.

        Returns
        -------
        str
            Its name; equal constants have one.

        Raises
        ------
        ValueError
            When a number is too large for float32, or all are too small.
        """
        given = np.asarray(value)
        if dtype is None:
            dtype = np.int64 if given.dtype.kind in "iu" else bool if given.dtype.kind == "b" else self.numpy
        with np.errstate(over="ignore"):
            array = np.ascontiguousarray(given, dtype=dtype).reshape(given.shape)
        if array.dtype == np.float32:
            size = float(np.abs(given[np.isfinite(given)]).max(initial=0.0))
            if size > float(np.finfo(np.float32).max) or 0 < size < float(np.finfo(np.float32).tiny):
                raise ValueError(
                    f"This model holds numbers up to {size:.3g} in size, which float32 cannot hold; expected "
                    "dtype='float64'."
                )
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = self._constants[key] = self._unused(f"constant_{len(self._constants)}")
            self._initializers.append(self._onnx.numpy_helper.from_array(array, name))
        return self._constants[key]

    def add(
        self, operator: str, *values: str, name: str | None = None, domain: str = "", **options: Any
    ) -> str:
        """Add a node with one result.

        Parameters
        ----------
        operator : str
            What it does.
        *values : str
            Names of its arguments.
        name : str, default=None
            Name of the result, where it is an output of the graph.
        domain : str, default=""
            Where the operator comes from.
        **options : dict
            Attributes of the node.

        Returns
        -------
        str
            Name of the result.
        """
        number = len(self._nodes)
        result = name or self._unused(f"value_{number}")
        node = self._onnx.helper.make_node(
            operator, list(values), [result], name=f"{operator}_{number}", domain=domain, **options
        )
        self._nodes.append(node)
        return result

    def second(self, operator: str, *values: str, **options: Any) -> str:
        """Add a node with two results, and give the name of the second; see `add`."""
        result = self.add(operator, *values, **options)
        node = self._nodes[-1]
        node.output.append(self._unused(f"{result}_second"))
        return node.output[1]

    def cast(self, value: str, dtype: Any) -> str:
        """Give a value in another type of numpy's."""
        return self.add("Cast", value, to=self.types[np.dtype(dtype)])

    def total(self, value: str, axis: int, *, keep: bool = False, name: str | None = None) -> str:
        """Add up along an axis."""
        return self.add("ReduceSum", value, self.constant([axis]), keepdims=int(keep), name=name)

    def columns(self, value: str, positions: Sequence[int] | np.ndarray) -> str:
        """Take columns (n, q) of a matrix (n, d)."""
        return self.add("Gather", value, self.constant(np.asarray(positions, dtype=np.int64)), axis=1)

    def each_row(self, value: str, like: str, *, name: str | None = None) -> str:
        """Repeat a constant (1, ...) for each row of another value."""
        n = self.add("Gather", self.add("Shape", like), self.constant([0]))
        array = next(c for c in self._initializers if c.name == value)
        rest = self.constant(np.array(array.dims[1:], dtype=np.int64))
        return self.add("Expand", value, self.add("Concat", n, rest, axis=0), name=name)

    def scalars(self, values: np.ndarray, name: str) -> Any:
        """Make numbers in the graph's type that stand in an attribute of a node."""
        return self._onnx.numpy_helper.from_array(np.asarray(values, dtype=self.numpy), name)

    # --- inputs, outputs and the whole ---------------------------------------------------------------

    def input(self, name: str, kind: int, width: int) -> str:
        """Add an input (n, width); give its name, which has a line behind it where it is taken already."""
        name = self._unused(name or "column")
        self._inputs.append(self._onnx.helper.make_tensor_value_info(name, kind, [ROWS, width]))
        return name

    def output(self, name: str, shape: Sequence[int], dtype: Any = None) -> None:
        """Say that a value (n, ...), named like an output, is one."""
        kind = self.types[np.dtype(dtype or self.numpy)]
        self._outputs[name] = self._onnx.helper.make_tensor_value_info(name, kind, [ROWS, *shape])

    def model(self, name: str, facts: Mapping[str, Any]) -> Any:
        """Make the whole, and check it.

        Parameters
        ----------
        name : str
            Of the graph.
        facts : dict of str to object
            Goes into its `metadata_props`: text as it is, all else as JSON.

        Returns
        -------
        onnx.ModelProto
        """
        from .. import __version__

        helper = self._onnx.helper
        outputs = [self._outputs[output] for output in OUTPUTS if output in self._outputs]
        used = {value for node in self._nodes for value in node.input}
        constants = [constant for constant in self._initializers if constant.name in used]
        graph = helper.make_graph(self._nodes, name, self._inputs, outputs, constants)
        opsets = [helper.make_opsetid("", self.opset)]
        if any(node.domain == ML_DOMAIN for node in self._nodes):
            opsets.append(helper.make_opsetid(ML_DOMAIN, ML_OPSET))
        model = helper.make_model(
            graph,
            opset_imports=opsets,
            ir_version=helper.find_min_ir_version_for(opsets),
            producer_name="skrationale",
            producer_version=__version__,
        )
        helper.set_model_props(model, {key: _text(fact) for key, fact in facts.items()})
        size = model.ByteSize()
        if size >= LARGEST_FILE:
            raise ValueError(
                f"This model takes {size / 2**30:.3g} GiB as ONNX; expected less than 2 GiB, the limit of "
                "protobuf files. Fit it with a smaller max_thresholds, or with narrower layers."
            )
        self._onnx.checker.check_model(model, full_check=True)
        return model


def _text(fact: Any) -> str:
    return fact if isinstance(fact, str) else json.dumps(fact, ensure_ascii=False)
