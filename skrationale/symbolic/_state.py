"""A formula as plain data, ready for JSON, and back."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from ..tabular import TableReader
from ._program import symbols
from ._tree import from_lists, to_lists
from ._variables import Variable

if TYPE_CHECKING:
    from ._formula import Formula


def plain_level(level: Any, name: str) -> str | bool | int | float:
    """Give a level as text, number or boolean of plain Python.

    Raises
    ------
    ValueError
        When it is of another type; the message names the column.
    """
    if isinstance(level, np.generic):
        level = level.item()
    if isinstance(level, str):
        return str(level)
    if isinstance(level, (bool, int)) or (isinstance(level, float) and math.isfinite(level)):
        return level
    raise ValueError(
        f"Column {name!r} has a level of type {type(level).__name__} ({level!r}); only text, finite numbers "
        "and booleans can be written down. Turn the levels into text before fitting."
    )


class PlainData:
    """What `Formula` inherits to be written as plain data and pickled."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain Python data, ready for JSON.

        Returns
        -------
        dict
            The tree as nested lists ``[operation, argument, ...]``; numbers are exact.

        Raises
        ------
        ValueError
            When a column has levels other than text, numbers and booleans.
        """
        return _to_dict(cast("Formula", self))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Make a formula from what `to_dict` wrote.

        Parameters
        ----------
        data : dict
            The data.

        Returns
        -------
        Formula
            Equal to the one written.

        Raises
        ------
        ValueError
            When the tree holds what a formula cannot.

        Examples
        --------
        >>> from skrationale.symbolic._formula import Formula
        >>> f = Formula.from_string("age + 0.1", ["age"])
        >>> Formula.from_dict(f.to_dict()) == f
        True
        """
        return cls(**_arguments(data))

    def __getstate__(self) -> dict[str, Any]:
        # a tree of lists does not depend on the version of sympy
        names = ("variables", "reader", "output_name", "link", "box")
        own = {**self.__dict__, "variables": self.__dict__["all_variables"]}
        return {"expr": to_lists(own["expr"]), **{name: own[name] for name in names}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        inner = {symbol.name: symbol for symbol in symbols(len(state["variables"]))}
        type(self).__init__(self, **{**state, "expr": from_lists(state["expr"], inner)})


def _to_dict(formula: Formula) -> dict[str, Any]:
    """Write a formula as dicts, lists, strings and numbers; see ``Formula.to_dict``."""
    reader = formula.reader
    levels = [
        None if found is None else [plain_level(level, name) for level in found]
        for name, found in zip(reader.feature_names, reader.levels, strict=True)
    ]
    variables = [
        {
            "column": variable.column,
            "kind": variable.kind,
            "fill": None if math.isnan(variable.fill) else variable.fill,
            "code": variable.code,
        }
        for variable in formula.all_variables
    ]
    return {
        "expr": to_lists(formula.expr),
        "variables": variables,
        "feature_names": list(reader.feature_names),
        "levels": levels,
        "output_name": formula.output_name,
        "link": formula.link,
        "box": None if formula.box is None else formula.box.tolist(),
    }


def _arguments(data: dict[str, Any]) -> dict[str, Any]:
    """Read the arguments of `Formula` from what `to_dict` wrote."""
    reader = TableReader()
    reader.feature_names = tuple(data["feature_names"])
    reader.levels = tuple(
        None if found is None else np.fromiter(found, dtype=object, count=len(found))
        for found in data["levels"]
    )
    variables = []
    for entry in data["variables"]:
        column, code = entry["column"], float(entry["code"])
        variable = Variable(column, reader.feature_names[column], entry["kind"], code=code)
        if variable.kind == "level":
            found = reader.levels[column]
            assert found is not None
            variable = replace(variable, level=found[int(code)])
        fill = math.nan if entry["fill"] is None else float(entry["fill"])
        variables.append(replace(variable, fill=fill))
    return {
        "expr": from_lists(data["expr"], {symbol.name: symbol for symbol in symbols(len(variables))}),
        "variables": tuple(variables),
        "reader": reader,
        "output_name": data["output_name"],
        "link": data["link"],
        "box": data["box"],
    }
