"""Pipelines of scikit-learn that end in one of our estimators, converted by skl2onnx as a whole."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..graphs import OnnxExport, need_onnx

PACKAGE = __name__.partition(".")[0]


def register_skl2onnx() -> None:
    """Let skl2onnx convert the estimators of this package, alone or as the last step of a Pipeline.

    After this call its ``to_onnx`` and ``convert_sklearn`` [1]_ accept these estimators. The outputs are
    those of the estimator's `to_onnx`, such as ``scores``, ``contributions`` and ``probabilities``. The input
    is one matrix, or one tensor of shape (n, 1) per column. Numbers are float32 if all inputs are float32,
    otherwise float64. A second call changes nothing.

    Raises
    ------
    ImportError
        If skl2onnx or onnx is not installed.

    Notes
    -----
    A scaler computes in float64 in scikit-learn. If it computes in float32, its numbers differ slightly, and
    a number close to a threshold of the teacher may fall on the other side. Therefore give inputs in float64
    (``DoubleTensorType``). skl2onnx removes the metadata of `to_onnx`.

    References
    ----------
    .. [1] https://onnx.ai/sklearn-onnx/

    Examples
    --------
    >>> from skl2onnx import to_onnx
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skrationale import GBDT2NNStudent
    >>> from skrationale.serving import register_skl2onnx
    >>> X, y = load_diabetes(return_X_y=True)
    >>> student = GBDT2NNStudent(hidden_layer_sizes=(16,), max_epochs=2, random_state=0)
    >>> model = make_pipeline(StandardScaler(), student).fit(X, y)
    >>> register_skl2onnx()
    >>> graph = to_onnx(model, X[:1], target_opset={"": 21, "ai.onnx.ml": 3})
    >>> [output.name for output in graph.graph.output]
    ['scores', 'contributions', 'prediction']
    """
    need_onnx()
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise ImportError("`register_skl2onnx` needs skl2onnx: pip install skl2onnx.") from error
    package = import_module(PACKAGE)
    for name in package.__all__:
        kind = getattr(package, name)
        if isinstance(kind, type) and issubclass(kind, OnnxExport):
            update_registered_converter(
                kind, f"Skrationale{name}", _set_types, _convert, parser=_declare, options={"zipmap": [False]}
            )


def _declare(scope: Any, model: OnnxExport, inputs: list[Any], custom_parsers: Any = None) -> list[Any]:
    """Declare one operator with as many outputs as the model has."""
    operator = scope.declare_local_operator(f"Skrationale{type(model).__name__}", model)
    operator.inputs = inputs
    for output in model.to_onnx().graph.output:
        # types follow when those of the inputs are known
        operator.outputs.append(scope.declare_local_variable(output.name, inputs[0].type))
    return operator.outputs


def _set_types(operator: Any) -> None:
    """Set the types of the outputs, once those of the inputs are known."""
    from skl2onnx.common.data_types import BooleanTensorType, DoubleTensorType, FloatTensorType

    types = need_onnx().TensorProto
    known = {types.FLOAT: FloatTensorType, types.DOUBLE: DoubleTensorType, types.BOOL: BooleanTensorType}
    model, outputs = _model_of(operator), operator.outputs
    if len(outputs) != len(model.graph.output):
        names = [output.name for output in model.graph.output]
        raise ValueError(
            f"{type(operator.raw_operator).__name__} gives the outputs {names}, but the model around it, "
            f"such as a VotingRegressor, takes {len(outputs)}; expected the estimator alone, or as the "
            "last step of a Pipeline."
        )
    for variable, output in zip(outputs, model.graph.output, strict=True):
        tensor = output.type.tensor_type
        sizes = [dimension.dim_value or None for dimension in tensor.shape.dim]
        variable.type = known[tensor.elem_type](sizes)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.helpers.integration import add_onnx_graph

    add_onnx_graph(scope, operator, container, _model_of(operator))


def _model_of(operator: Any) -> Any:
    """Write the model for the inputs that an operator has."""
    from skl2onnx.common.data_types import BooleanTensorType, FloatTensorType, StringTensorType

    model, given = operator.raw_operator, [variable.type for variable in operator.inputs]
    narrow = (FloatTensorType, BooleanTensorType, StringTensorType)
    dtype = "float32" if all(isinstance(kind, narrow) for kind in given) else "float64"
    d = model.n_features_in_
    single = len(given) == 1 and given[0].shape[1] in (None, d)
    # a matrix holds codes for text, so that one of texts can only be a column
    single = single and not (isinstance(given[0], StringTensorType) and d > 1)
    if not single and (len(given) != d or any(kind.shape[1] not in (None, 1) for kind in given)):
        widths = [kind.shape[1] for kind in given]
        raise ValueError(
            f"{type(model).__name__} was fitted on {d} columns, but gets inputs of {widths} columns; "
            f"expected one matrix of {d} columns of numbers and codes, or {d} inputs of one column each."
        )
    names, own = (
        [variable.raw_name for variable in operator.inputs],
        list(map(str, model._columns_at_fit() or ())),
    )
    if names != own and sorted(names) == sorted(own):
        raise ValueError(
            f"Inputs of {type(model).__name__} are in the order {names}; expected the order of the columns "
            f"at fit, {own}."
        )
    inputs = "matrix" if single and not isinstance(given[0], StringTensorType) else "columns"
    versions = operator.target_opset
    opset = versions[""] if isinstance(versions, dict) else versions
    written = model.to_onnx(inputs=inputs, dtype=dtype, opset=opset)
    for variable, value in zip(operator.inputs, list(written.graph.input), strict=True):
        _bring_to_type(written.graph, variable, value)
    return written


def _bring_to_type(graph: Any, variable: Any, value: Any) -> None:
    """Let an input of a graph have the type of a variable, and cast numbers that have another one."""
    onnx = need_onnx()
    tensor = value.type.tensor_type
    given = variable.type.to_onnx_type().tensor_type.elem_type
    wanted = tensor.elem_type
    if given == wanted:
        return
    if onnx.TensorProto.STRING in (given, wanted):
        want_text = wanted == onnx.TensorProto.STRING
        raise ValueError(
            f"Input {variable.raw_name!r} is a {type(variable.type).__name__}, but column {value.name!r} was "
            f"{'text' if want_text else 'numbers'} at fit; expected a "
            f"{'StringTensorType' if want_text else 'FloatTensorType or DoubleTensorType'}."
        )
    name = value.name
    value.name, tensor.elem_type = f"{name}_given", given
    cast = onnx.helper.make_node("Cast", [value.name], [name], name=f"Cast_of_{name}", to=wanted)
    graph.node.insert(0, cast)
