"""Tuned numbers say what their unit is and where they were measured, or that nobody has."""

import ast
from itertools import pairwise
from pathlib import Path

import pytest

import skrationale

PACKAGE = Path(skrationale.__file__).parent
ROOMS = ("training", "trees", "gbdt2nn", "smooth", "rationale", "flint")
FACTS = {
    # names of values that follow from something else, or are a matter of form
    "LARGEST_NUMBER, LARGEST_TARGET, LEAST_SPREAD": "LightGBM's",
    "FEWEST_ROWS": "next to nothing",
    "MOST_ROWS": "what float32 counts",
    "ADDITIVITY": "a promise",
    "QUANTILES": "what is shown",
    "TAUS": "the paper's",
    "MISSING": "a position",
    "TREE_UNITS": "computed",
    "GAP": "of a drawing",
    "MAX_OUTPUTS, MAX_SHOWN_COLUMNS, MAX_OPEN": "of a page",
}


def is_number(node):
    """Whether a value is made of numbers alone."""
    parts = [part for part in ast.walk(node) if not isinstance(part, ast.expr_context | ast.operator)]
    kinds = (ast.Constant, ast.Tuple, ast.BinOp, ast.UnaryOp, ast.USub, ast.Call, ast.Attribute, ast.Name)
    numbers = [part for part in parts if isinstance(part, ast.Constant)]
    return (
        all(isinstance(part, kinds) for part in parts)
        and bool(numbers)
        and all(isinstance(part.value, int | float) for part in numbers)
    )


def tuned(path):
    """Give the names of each constant of a file, with the text that follows."""
    for node, following in pairwise([*ast.parse(path.read_text()).body, None]):
        if not isinstance(node, ast.Assign) or not is_number(node.value):
            continue
        names = ast.unparse(node.targets[0]).strip("()")
        if names.isupper():
            text = following.value if isinstance(following, ast.Expr) else None
            yield names, getattr(text, "value", None)


FOUND = [
    pytest.param(names, text, id=f"{path.relative_to(PACKAGE)}:{names}")
    for room in ROOMS
    for path in sorted((PACKAGE / room).rglob("*.py"))
    for names, text in tuned(path)
]


def test_they_are_found():
    assert len(FOUND) > 50


@pytest.mark.parametrize(("names", "text"), FOUND)
def test_a_number_says_what_it_is_and_where_it_was_measured(names, text):
    if names not in FACTS:
        assert text, "expected a text below that says the unit"
        assert "easured" in text or "examples/benchmarks/results/" in text


def test_facts_are_still_there():
    assert set(FACTS) <= {parameter.values[0] for parameter in FOUND}
