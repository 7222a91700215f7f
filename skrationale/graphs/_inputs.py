"""What a graph takes: one matrix of numbers and codes, or one input a column with raw text."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tabular import UNSEEN, TableReader
from ._graph import ML_DOMAIN, Graph

MISSING_TEXT = ("", "nan", "None", "<NA>")
"""Texts that stand for a missing cell, unless they are levels: ONNX has no missing text, and Python's missing
values become these."""
NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)


def table_input(graph: Graph, reader: TableReader, inputs: str) -> str:
    """Add the inputs of a graph, and give the rows as its reader does.

    Parameters
    ----------
    graph : Graph
        To which inputs and nodes are added.
    reader : TableReader
        Knows the d columns and their levels.
    inputs : {"matrix", "columns"}
        One input ``X`` (n, d) with numbers and codes of levels, or one (n, 1) a column: numbers, or text
        where levels are text.

    Returns
    -------
    str
        Name of numbers and codes (n, d): NaN where a cell is missing, -1 for an unseen level.

    Raises
    ------
    ValueError
        For columns whose levels are neither all text nor all numbers.
    """
    if inputs == "matrix":
        return graph.input("X", graph.float_type, len(reader.levels))
    known = [None if levels is None else levels.tolist() for levels in reader.levels]
    words = [levels is not None and all(isinstance(level, str) for level in levels) for levels in known]
    kinds = [graph.text_type if is_text else graph.float_type for is_text in words]
    names = [graph.input(*column, 1) for column in zip(reader.feature_names, kinds, strict=True)]
    columns = []
    for name, own, is_text, levels in zip(names, reader.feature_names, words, known, strict=True):
        if levels is None:
            columns.append(name)
        elif is_text:
            columns.append(_codes_of_text(graph, name, levels))
        else:
            columns.append(_codes_of_numbers(graph, name, levels, own))
    return columns[0] if len(columns) == 1 else graph.add("Concat", *columns, axis=1)


def _codes_of_text(graph: Graph, column: str, levels: list[str]) -> str:
    codes = dict.fromkeys(MISSING_TEXT, float("nan")) | {level: float(k) for k, level in enumerate(levels)}
    found = graph.add(
        "LabelEncoder",
        column,
        domain=ML_DOMAIN,
        keys_strings=list(codes),
        values_floats=list(codes.values()),
        default_float=UNSEEN,
    )
    return found if graph.numpy is np.float32 else graph.cast(found, graph.numpy)


def _codes_of_numbers(graph: Graph, column: str, levels: list[Any], name: str) -> str:
    """Compare with each level; NaN stays NaN."""
    odd = next((level for level in levels if not isinstance(level, NUMBERS)), None)
    if odd is not None:
        raise ValueError(
            f"Column {name!r} has the level {odd!r:.60}, a {type(odd).__name__}; with inputs='columns' all "
            "levels must be text, or all must be numbers. Expected inputs='matrix', with codes of levels."
        )
    keys = np.array(levels, dtype=np.float64)
    if (keys.astype(graph.numpy).astype(np.float64) != keys).any() and graph.numpy is np.float32:
        raise ValueError(
            f"Column {name!r} has levels that float32 cannot hold; expected dtype='float64', or "
            "inputs='matrix' with codes of levels."
        )
    equal = graph.cast(graph.add("Equal", column, graph.constant(keys[None])), graph.numpy)
    places = graph.constant(np.arange(1.0, len(keys) + 1)[:, None])
    found = graph.add("Add", graph.add("MatMul", equal, places), graph.constant(UNSEEN))
    return graph.add("Where", graph.add("IsNaN", column), column, found)
