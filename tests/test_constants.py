"""Tuned numbers say what their unit is and where they were measured, or that nobody has."""

import ast
from itertools import pairwise
from pathlib import Path

import pytest

import skrationale

PACKAGE = Path(skrationale.__file__).parent
ROOMS = (
    "training",
    "trees",
    "gbdt2nn",
    "smooth",
    "rationale",
    "flint",
    "symbolic",
    "formula",
    "teachers",
    "units",
    "metrics",
    "tabular",
)
FACTS = {
    # by file: names of values that follow from something else, or are a matter of form
    "flint/_attribute_display.py": ["GAP"],
    "tabular/_dates.py": ["SECONDS_A_DAY"],
    "flint/_describe.py": ["QUANTILES"],
    "flint/_describe_html.py": ["MAX_OUTPUTS, MAX_SHOWN_COLUMNS, MAX_OPEN"],
    "flint/_relevance.py": ["TAUS"],
    "flint/_rule_text.py": ["MISSING", "TREE_UNITS"],
    "formula/_building.py": ["MAX_NODES", "MAX_DEPTH", "EXACT"],
    "formula/_domain.py": ["_LARGEST_EXPONENT"],
    "formula/exports/_excel.py": ["_MOST_SIGNS, _MOST_LEVELS, _MOST_TEXT", "_SMALLEST, _LARGEST"],
    "formula/exports/_printer.py": ["SUM, SIGNED, PRODUCT, POWER, ATOM"],
    "formula/exports/_python.py": ["_MOST_BRACKETS"],
    "formula/parsing.py": ["MAX_SIGNS", "MAX_BRACKETS", "_HALF, _THIRD"],
    "formula/shapley.py": ["ROUNDING"],
    "formula/variables.py": ["LARGEST, LEAST"],
    "gbdt2nn/_lightgbm_limits.py": ["LARGEST_NUMBER, LARGEST_TARGET, LEAST_SPREAD"],
    "metrics/_faithfulness.py": ["SHARES"],
    "rationale/text/_network.py": ["BLOCK"],
    "rationale/text/_rule.py": ["STEPS"],
    "smooth/base.py": ["ADDITIVITY"],
    "symbolic/engines/_operon.py": ["MOST", "SHORTEST"],
    "symbolic/engines/_pysr.py": ["SMALLEST_MAXSIZE", "TOURNAMENT"],
    "tabular/_dtypes.py": ["UNSEEN"],
    "tabular/_few_rows.py": ["LARGE"],
    "tabular/_encoder.py": ["QUANTILE_UNITS", "LARGEST, FARTHEST"],
    "teachers/_bins.py": ["MISSING_BIN", "ZERO_BOUND"],
    "teachers/_columns.py": ["SHOWN"],
    "teachers/_constraints.py": ["SHOWN"],
    "teachers/_protocol.py": ["FEWEST_ROWS"],
    "teachers/paths.py": ["TOLERANCE"],
    "trees/_pairs_tree.py": ["MOST_COLUMNS"],
    "trees/_plan.py": ["MOST_ROWS"],
    "trees/_tree_interactions.py": ["SHOWN"],
    "units/_pictures.py": ["CHANNELS"],
    "units/_table.py": ["EXACT"],
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


FOUND = {
    (path.relative_to(PACKAGE).as_posix(), names): text
    for room in ROOMS
    for path in sorted((PACKAGE / room).rglob("*.py"))
    for names, text in tuned(path)
}


def test_they_are_found():
    assert len(FOUND) > 100


@pytest.mark.parametrize(("path", "names"), FOUND, ids=lambda part: part)
def test_a_number_says_what_it_is_and_where_it_was_measured(path, names):
    text = FOUND[path, names]
    if names not in FACTS.get(path, ()):
        assert text, "expected a text below that says the unit"
        assert "easured" in text or "examples/benchmarks/results/" in text


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_name_has_one_text(path):
    texts = [
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
    ]
    assert not any(one and other for one, other in pairwise(texts))


def test_facts_are_still_there():
    assert {(path, names) for path, some in FACTS.items() for names in some} <= set(FOUND)
