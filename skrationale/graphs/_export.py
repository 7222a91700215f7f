"""The method `to_onnx` of all estimators: inputs, the family's own network, answers, metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._task import Task
from ..tabular import TableReader
from ._graph import Graph, check_onnx_options
from ._inputs import table_input
from ._metadata import facts_of_table, plain

if TYPE_CHECKING:
    import onnx


class OnnxExport:
    """An estimator that can write itself down as an ONNX graph."""

    _task: Task
    _reader: TableReader

    def to_onnx(self, *, inputs: str = "matrix", dtype: str = "float32", opset: int = 21) -> onnx.ModelProto:
        """Write the fitted model as one ONNX graph, with scores and reasons of any number of rows.

        Parameters
        ----------
        inputs : {"matrix", "columns"}, default="matrix"
            ``"matrix"``: one input ``X`` of shape (n, d) with numbers, and codes for categories and text: the
            position of the level in the metadata's ``levels``, -1 for another, NaN where one is missing.
            ``"columns"``: one input of shape (n, 1) a column, named like it, with numbers, or text where
            levels are text; the empty text is a missing cell, unless it is a level.
        dtype : {"float32", "float64"}, default="float32"
            Type of all numbers, from the input to the output. Thresholds are met exactly in both; but a
            number that is rounded to float32 on its way to the graph may cross one.
        opset : int, default=21
            Version of the standard operators, at least 13; those of ``ai.onnx.ml`` are of version 3.

        Returns
        -------
        onnx.ModelProto
            With the outputs ``scores`` (n, K), the raw scores that reasons explain, then ``contributions``
            (n, K, d), ``mask`` (n, d) or ``attributes`` (n, J) where the family has them, and
            ``probabilities`` (n, C) of classifiers or ``prediction`` (n,) of regressors. Its
            `metadata_props` hold names of columns, levels, outputs, classes, link, kind and versions.

        Raises
        ------
        ImportError
            When onnx is not installed.
        ValueError
            When an option is not one of those above, or the model cannot be written as a graph; the message
            says why.

        Notes
        -----
        A graph does not refuse what `predict` would, such as infinite numbers: check rows before. It uses
        operators of the ONNX standard alone [1]_.

        References
        ----------
        .. [1] https://onnx.ai/onnx/operators/

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skrationale import GBDT2NNStudent
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> model = GBDT2NNStudent(max_epochs=2, random_state=0).fit(X, y).to_onnx()
        >>> [output.name for output in model.graph.output]
        ['scores', 'contributions', 'prediction']
        """
        check_is_fitted(self)
        check_onnx_options(inputs, dtype, opset)
        self._check_onnx()
        graph, task = Graph(dtype, opset), self._task
        matrix = table_input(graph, self._reader, inputs)
        facts = facts_of_table(graph, self._reader, inputs)
        facts |= {
            "estimator": type(self).__name__,
            "output_names": list(task.output_names),
            "link": task.link,
        }
        if task.classes is not None:
            facts["classes"] = plain(task.classes)
        facts |= self._write_onnx(graph, matrix)
        graph.output("scores", [task.n_outputs])
        add_answers(graph, task)
        return graph.model(type(self).__name__, facts)

    def _check_onnx(self) -> None:
        """Raise a ValueError where this fit cannot be written as a graph."""

    def _write_onnx(self, graph: Graph, matrix: str) -> dict[str, Any]:
        """Add the network to a graph.

        Parameters
        ----------
        graph : Graph
            Gets a value named ``scores``, and outputs with reasons.
        matrix : str
            Name of the rows (n, d) of numbers and codes.

        Returns
        -------
        dict of str to object
            More facts for the metadata.
        """
        raise ValueError(f"{type(self).__name__} cannot be written as an ONNX graph.")


def add_answers(graph: Graph, task: Task) -> None:
    """Add what follows from the value ``scores``: probabilities (n, C), or the prediction (n,)."""
    if task.classes is not None:
        _add_probabilities(graph, task, len(task.classes))
        graph.output("probabilities", [len(task.classes)])
        return
    first = graph.add("Gather", "scores", graph.constant(np.int64(0)), axis=1)
    response = _response(graph, task.link, first)
    graph.add("Identity", response, name="prediction")
    graph.output("prediction", [])


def _response(graph: Graph, link: str, scores: str, name: str | None = None) -> str:
    if link == "probability":
        return graph.add("Clip", scores, graph.constant(0.0), graph.constant(1.0), name=name)
    operators = {"log": "Exp", "logit": "Sigmoid", "softmax": "Softmax", "identity": "Identity"}
    options: dict[str, Any] = {"axis": 1} if link == "softmax" else {}
    return graph.add(operators[link], scores, name=name, **options)


def _add_probabilities(graph: Graph, task: Task, n_classes: int) -> None:
    """As `Task.probabilities`."""
    one, name = graph.constant(1.0), "probabilities"
    if n_classes == 1:
        graph.each_row(graph.constant([[1.0]]), "scores", name=name)
    elif task.link == "softmax":
        _response(graph, task.link, "scores", name)
    elif task.n_outputs == 1:
        positive = _response(graph, task.link, "scores")
        graph.add("Concat", graph.add("Sub", one, positive), positive, axis=1, name=name)
    else:
        response = _response(graph, task.link, "scores")
        total = graph.total(response, 1, keep=True)
        nothing = graph.add("LessOrEqual", total, graph.constant(0.0))
        shares = graph.add("Div", response, graph.add("Where", nothing, one, total))
        graph.add("Where", nothing, graph.constant(1.0 / n_classes), shares, name=name)
