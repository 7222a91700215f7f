"""Names of variables for people and for other languages."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import sympy as sp

from ..variables import Variable
from ._text import plain_name

if TYPE_CHECKING:
    from .._formula import Formula


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Give a number to names that occur again, as ``age, age_2``.

    Examples
    --------
    >>> unique_names(["age", "age", "age_2"])
    ('age', 'age_3', 'age_2')
    """
    unique: dict[str, None] = {}
    taken = set(names)
    numbers: dict[str, int] = {}
    for name in names:
        candidate, number = name, numbers.get(name, 1)
        while candidate in unique or (number > 1 and candidate in taken):
            number += 1
            candidate = f"{name}_{number}"
        numbers[name] = number
        unique[candidate] = None
    return tuple(unique)


def labels(variables: Sequence[Variable], feature_names: Sequence[str]) -> tuple[str, ...]:
    """Give the labels of variables, each different from the others."""
    names = unique_names(feature_names)
    # a column may be called as the label of another reads
    return unique_names([replace(variable, name=names[variable.column]).label for variable in variables])


def shown_labels(variables: Sequence[Variable], feature_names: Sequence[str]) -> tuple[str, ...]:
    """Give the labels of variables for a formula in plain text, odd names in backticks."""
    return labels(variables, [plain_name(name) for name in unique_names(feature_names)])


@dataclass(frozen=True)
class Leaf:
    """A variable that occurs in a formula.

    Parameters
    ----------
    symbol : sympy.Symbol
        Its symbol in the tree.
    variable : Variable
        What it stands for; its name is unlike those of all other columns.
    is_number : bool
        Whether the column holds numbers.
    argument : str
        A name that any language accepts, unlike all others.
    """

    symbol: sp.Symbol
    variable: Variable
    is_number: bool
    argument: str


def leaves(formula: Formula) -> list[Leaf]:
    """List the variables that occur, in the order of the columns."""
    names = unique_names(formula.reader.feature_names)
    used = [formula._symbols[j] for j in formula._used]
    variables = [replace(variable, name=names[variable.column]) for variable in formula._used_variables]
    arguments = unique_names([_argument(variable) for variable in variables])
    return [
        Leaf(symbol, variable, formula.reader.levels[variable.column] is None, argument)
        for symbol, variable, argument in zip(used, variables, arguments, strict=True)
    ]


def _argument(variable: Variable) -> str:
    words = [variable.name]
    if variable.kind != "number":
        words.append("missing" if variable.kind == "missing" else f"is_{variable.level}")
    cleaned = [re.sub(r"[^0-9A-Za-z]+", "_", word)[:24].strip("_") for word in words]
    return "_".join([f"x{variable.column}", *filter(None, cleaned)])


def check_function_name(name: str, language: str, taken: Collection[str]) -> None:
    """Raise a ValueError unless `name` can name a function, which must not be called as those in `taken`."""
    if (
        not isinstance(name, str)
        or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)
        or keyword.iskeyword(name)
    ):
        raise ValueError(f"`name` must be an identifier of letters, digits and '_', got {name!r}.")
    if name in taken:
        raise ValueError(
            f"`name` must be a name that neither {language} nor the source text uses for something else, "
            f"got {name!r}; expected a name such as 'predict'."
        )
