"""Where a formula may have no value: seeded rows of the training box, and what happens on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from ..explanation.labels import label_text
from ..tabular import as_frame_or_array
from .exports._names import shown_labels
from .program import Program
from .tree import float_or_none
from .variables import Variable, variable_values

if TYPE_CHECKING:
    from ._formula import Formula

N_ROWS = 10_000
"""Rows drawn from the training box. Not measured."""
WIDER = 0.05
"""How much wider than the training box they are drawn on each side, as a share of its width. Not measured."""
_NEAR_ZERO = 1e-6
"""A denominator comes close to 0 when it is below this share of its median size. Not measured."""
_LARGEST_EXPONENT = 700.0
"""``exp`` of more overflows a float64, at 709.8."""


def checked_box(box: Any, n_variables: int) -> np.ndarray:
    """Give smallest and largest values (2, p) as an array that nobody changes; raise for another shape."""
    box = np.array(box, dtype=np.float64)
    if box.shape != (2, n_variables):
        raise ValueError(f"`box` has shape {box.shape}, expected (2, {n_variables}).")
    box.setflags(write=False)
    return box


def box_rows(variables: Sequence[Variable], box: np.ndarray, n_rows: int = N_ROWS) -> np.ndarray:
    """Draw rows that could be seen: numbers of the widened box, and at most one level of each column.

    Parameters
    ----------
    variables : sequence of p Variable
    box : ndarray of shape (2, p)
        Smallest and largest value on the training rows.
    n_rows : int
        How many rows.

    Returns
    -------
    ndarray of shape (n_rows, p)
        The same rows in each call.
    """
    rng = np.random.default_rng(0)
    margin = WIDER * (box[1] - box[0])
    rows = rng.uniform(box[0] - margin, box[1] + margin, size=(n_rows, len(variables)))
    for column in sorted({variable.column for variable in variables}):
        own = [j for j, variable in enumerate(variables) if variable.column == column]
        indicators = [j for j in own if variables[j].kind != "number"]
        chosen = rng.integers(len(indicators) + 1, size=n_rows)
        for i, j in enumerate(indicators):
            rows[:, j] = chosen == i
        missing = np.zeros(n_rows, dtype=bool)
        for j in indicators:
            if variables[j].kind == "missing":
                missing |= rows[:, j] == 1
        for j in own:
            if variables[j].kind == "number":
                rows[missing, j] = variables[j].fill
    return rows


def outside_box(
    labels: Sequence[str],
    variables: Sequence[Variable],
    box: np.ndarray,
    values: np.ndarray,
    index: Any = None,
) -> list[str]:
    """Say in words which numbers lie outside the training rows' smallest and largest value.

    Rows are called by their labels in `index`, or by their numbers.
    """
    found = []
    for j, (label, variable) in enumerate(zip(labels, variables, strict=True)):
        if variable.kind != "number":
            continue
        rows = np.flatnonzero((values[:, j] < box[0, j]) | (values[:, j] > box[1, j]))
        if rows.size:
            some = ", ".join(label_text(index, int(row)) for row in rows[:5])
            shown = some + (", ..." if rows.size > 5 else "")
            found.append(
                f"{label} is outside its training range {box[0, j]:.6g} to {box[1, j]:.6g} "
                f"in {rows.size} of {len(values)} rows ({shown})."
            )
    return found


def tree_warnings(
    expr: sp.Expr, inner: Sequence[sp.Symbol], rows: np.ndarray, to_text: Callable[[sp.Expr], str]
) -> list[str]:
    """Say in words where parts of a formula are undefined or explode on some rows.

    Parameters
    ----------
    expr : sympy.Expr
        The formula.
    inner : sequence of p sympy.Symbol
        Its symbols.
    rows : ndarray of shape (n, p)
        Rows to try.
    to_text : callable
        Writes a tree for people.

    Returns
    -------
    list of str
        One sentence for each part.
    """
    tried = [
        (argument, check)
        for node in sp.preorder_traversal(expr)
        if not node.is_number
        for argument, check in _checks(node)
        if not argument.is_number
    ]
    # each part once, however often it is written
    distinct = list(dict.fromkeys(tried))
    columns = Program(expr, inner).parts([argument for argument, _ in distinct], rows)
    sentences = (
        check(values, to_text(argument)) for (argument, check), values in zip(distinct, columns, strict=True)
    )
    return list(dict.fromkeys(sentence for sentence in sentences if sentence))


def formula_rows(formula: Formula, n_rows: int) -> np.ndarray:
    """Draw rows of all variables (n_rows, p), between -3 and 3 where the training box is not known."""
    box = formula.box
    if box is None:
        box = np.outer([-3.0, 3.0], np.ones(len(formula.all_variables)))
    return box_rows(formula.all_variables, box, n_rows)


def formula_warnings(formula: Formula, X: Any) -> list[str]:
    """Say where a formula may fail; see ``Formula.domain_warnings``."""
    box, inner, to_text = formula.box, formula._symbols, formula._printer().text
    if X is None and box is None:
        return ["The training range is not known: give X."]
    rows = np.empty((0, len(inner))) if box is None else formula_rows(formula, N_ROWS)
    if X is None:
        return tree_warnings(formula.expr, inner, rows, to_text)
    X = as_frame_or_array(X)
    values = variable_values(formula.all_variables, formula.reader.transform(X))
    found: list[str] = []
    if box is not None:
        used, variables = formula._used, formula._used_variables
        names = shown_labels(variables, formula.reader.feature_names)
        found += outside_box(names, variables, box[:, used], values[:, used], getattr(X, "index", None))
    found += tree_warnings(formula.expr, inner, np.vstack([rows, values]), to_text)
    n_bad = np.count_nonzero(~np.isfinite(formula._program(values)))
    if n_bad:
        found.append(f"The formula has no finite value in {n_bad} of {len(values)} rows.")
    return found


Check = Callable[[np.ndarray, str], str]


def _checks(node: sp.Expr) -> list[tuple[sp.Expr, Check]]:
    """List the parts of a node that can go wrong, each with its check."""
    if node.func is sp.log:
        return [(node.args[0], _logarithm)]
    if node.func is sp.exp:
        return [(node.args[0], _exponential)]
    if node.func is sp.tan:
        return [(sp.cos(node.args[0]), _denominator)]
    if not node.is_Pow:
        return []
    exponent = float_or_none(node.exp)
    checks: list[tuple[sp.Expr, Check]] = []
    if exponent is None or exponent < 0:
        checks.append((_inside(node.base), _denominator))
    if exponent is None or not exponent.is_integer():
        checks.append((node.base, _root))
    return checks


def _inside(node: sp.Expr) -> sp.Expr:
    """Take off bars and even powers, under which no change of sign is seen."""
    while node.func is sp.Abs or (node.is_Pow and node.exp.is_even):
        node = node.args[0]
    return node


def _denominator(values: np.ndarray, text: str) -> str:
    size = np.abs(values[np.isfinite(values)])
    if not size.size:
        return ""
    if values[np.isfinite(values)].min() < 0 < values[np.isfinite(values)].max():
        return f"The denominator {text} changes its sign: the formula has a pole where it is 0."
    if size.min() == 0 or size.min() < _NEAR_ZERO * np.median(size):
        return f"The denominator {text} comes close to 0: the formula may become very large there."
    return ""


def _logarithm(values: np.ndarray, text: str) -> str:
    share = np.mean(values <= 0)
    return f"log({text}) is undefined in {share:.2%} of the rows tried: {text} <= 0." if share else ""


def _root(values: np.ndarray, text: str) -> str:
    share = np.mean(values < 0)
    return f"A root of {text} is undefined in {share:.2%} of the rows tried: {text} < 0." if share else ""


def _exponential(values: np.ndarray, text: str) -> str:
    share = np.mean(values > _LARGEST_EXPONENT)
    return f"exp({text}) overflows in {share:.2%} of the rows tried." if share else ""
