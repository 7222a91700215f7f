"""What the package shows, how light its import is, and which room may use which."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skrationale
import skrationale.batches
import skrationale.flint
import skrationale.formula
import skrationale.gbdt2nn
import skrationale.metrics
import skrationale.plotting
import skrationale.rationale
import skrationale.report
import skrationale.serving
import skrationale.smooth
import skrationale.symbolic
import skrationale.trees

PACKAGE = Path(skrationale.__file__).parent
HEAVY = "torch skorch jinja2 lightgbm pandas shap matplotlib sympy pyoperon pysr juliacall catboost xgboost"
HEAVY += " onnx skops mlflow"
HEAVY += " pyarrow transformers"
FAMILIES = {"gbdt2nn", "smooth", "symbolic", "rationale", "flint"}


def test_import_is_light():
    code = f"""
import sys, skrationale, skrationale.gbdt2nn, skrationale.symbolic, skrationale.rationale
import skrationale.flint, skrationale.formula, skrationale.smooth
import skrationale.datasets, skrationale.plotting, skrationale.trees, skrationale.conversion
import skrationale.serving; skrationale.TRUSTED_TYPES
import skrationale.batches
print(*[name for name in "{HEAVY}".split() if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_formulas_need_no_torch():
    code = """
import sys
from skrationale.formula import Formula
formula = Formula.from_string("2*age + exp(size)", ["age", "size"])
formula.predict([[1.0, 2.0]]), formula.to_sql(), formula.simplify(), formula.domain_warnings()
print(*{"torch", "skorch", "lightgbm", "pyoperon"} & sys.modules.keys())
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_public_names_exist_and_are_documented():
    families = [skrationale.gbdt2nn, skrationale.smooth, skrationale.symbolic, skrationale.rationale]
    families += [skrationale.flint]
    rooms = [skrationale, *families, skrationale.formula, skrationale.metrics, skrationale.plotting]
    rooms += [skrationale.report, skrationale.serving, skrationale.trees, skrationale.batches]
    public = {name: getattr(room, name) for room in rooms for name in room.__all__}
    assert len(public) > 12
    del public["EngineError"]
    for name in ("__version__", "TRUSTED_TYPES", "FOREST_TYPES"):
        public.pop(name, None)
    for name, thing in public.items():
        assert "Examples" in thing.__doc__, name


def rooms_used(path: Path) -> set[str]:
    """First-level names of this package that a file imports, also inside functions."""
    depth = len(path.relative_to(PACKAGE).parts)
    used = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            used |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        assert not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skrationale")), path
    return used


EVERYWHERE = {"_callers", "_deadline", "_progress", "_random", "_scales", "_switch", "_tensors"}
ALLOWED = {
    "_absent": set(),
    "_arrow": set(),
    "_batches": set(),
    "_callers": set(),
    "_carded": {"report"},
    "_deadline": set(),
    "_explaining": {"_task", "explanation", "tabular", "units"},
    "_files": {"writing"},
    "_hooks": {"explanation"},
    "_kinds": set(),
    "_library": set(),
    "_moved": set(),
    "_pipelines": {"_hooks", "explanation"},
    "_random": set(),
    "_scales": set(),
    "_settled": set(),
    "_switch": set(),
    "_parquet": set(),
    "_progress": set(),
    "_task": set(),
    "_tensors": set(),
    "_versions": {"__version__"},
    "_weights": set(),
    "base": {
        "_absent",
        "_carded",
        "_explaining",
        "_hooks",
        "_kinds",
        "_settled",
        "_task",
        "_versions",
        "_weights",
        "explanation",
        "graphs",
        "metrics",
        "tabular",
        "teachers",
    },
    "graphs": {"__version__", "_task", "conversion", "tabular"},
    "tabular": {"_arrow", "_weights"},
    "batches": {
        "__version__",
        "_explaining",
        "_hooks",
        "_library",
        "_parquet",
        "explanation",
        "tabular",
        "trees",
    },
    "units": {"explanation", "tabular"},  # cells as typed, which an explanation shows
    "conversion": {"_library", "_task", "tabular"},
    "teachers": {"_batches", "_hooks", "_library", "_task", "conversion", "explanation", "tabular"},
    "training": set(),
    "trees": {
        "_batches",
        "_explaining",
        "_task",
        "conversion",
        "explanation",
        "tabular",
        "teachers",
        "training",
    },
    "writing": set(),
    "explanation": {"_arrow", "_files", "plotting", "writing"},  # Explanation.plot, inside the method
    "plotting": {"_hooks", "explanation", "teachers", "writing"},
    "metrics": {"_weights", "explanation", "tabular"},
    "datasets": set(),
    "serving": {"__version__", "_files", "_hooks", "formula", "graphs"},
    "report": {
        "__version__",
        "_files",
        "_hooks",
        "_pipelines",
        "explanation",
        "metrics",
        "tabular",
        "teachers",
        "writing",
    },
    "formula": {"_batches", "_task", "explanation", "graphs", "tabular", "writing"},
} | dict.fromkeys(
    FAMILIES,
    {
        "_batches",
        "_carded",
        "_explaining",
        "_files",
        "_kinds",
        "_parquet",
        "_task",
        "_weights",
        "base",
        "graphs",
        "tabular",
        "teachers",
        "training",
        "trees",
        "units",
        "explanation",
        "writing",
    },
)
ALLOWED["rationale"] = ALLOWED["rationale"] | {"_absent", "_hooks", "_settled", "_versions", "metrics"}
ALLOWED["rationale"] = ALLOWED["rationale"] | {"plotting"}  # plot_rationale, inside the method
# texts are no tables: they have a base of their own, which keeps the same promises
ALLOWED["symbolic"] = ALLOWED["symbolic"] | {"formula", "smooth"}  # which it is built on


@pytest.mark.no_cover
@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_rooms_import_only_what_they_may(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room != "__init__":
        assert rooms_used(path) <= ALLOWED[room] | EVERYWHERE
