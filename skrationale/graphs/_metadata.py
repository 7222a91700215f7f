"""Facts about a table that go into the metadata of a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tabular import TableReader, stand_ins
from ._graph import Graph, need_onnx
from ._inputs import MISSING_TEXT


def plain(value: Any) -> Any:
    """Give labels and numbers as Python's own, which JSON can hold."""
    return [plain(item) for item in value.tolist()] if isinstance(value, np.ndarray) else _plain_label(value)


def _plain_label(label: Any) -> Any:
    label = label.item() if isinstance(label, np.generic) else label
    return label if isinstance(label, str | bool | int | float | None) else str(label)


def facts_of_table(graph: Graph, reader: TableReader, inputs: str) -> dict[str, Any]:
    """Say which columns a graph takes, and which versions have made it.

    Parameters
    ----------
    graph : Graph
        With its inputs.
    reader : TableReader
        Knows the columns.
    inputs : {"matrix", "columns"}
        What the inputs are.

    Returns
    -------
    dict of str to object
        Plain data.
    """
    from .. import __version__

    levels = [None if known is None else plain(stand_ins(known)) for known in reader.levels]
    return {
        "skrationale_version": __version__,
        "onnx_version": need_onnx().__version__,
        "inputs": inputs,
        "input_names": graph.input_names,
        "feature_names": list(reader.feature_names),
        "levels": levels,
        "missing_text": list(MISSING_TEXT) if inputs == "columns" else None,
    }
