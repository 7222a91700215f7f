"""How rooms speak with each other: reports and plots do not guess of which family an estimator is."""

import ast
from pathlib import Path

import pytest

import skrationale
from skrationale._hooks import Hooks, OtherModel, hooks_of
from skrationale.base import BaseReasoner

PACKAGE = Path(skrationale.__file__).parent
SHOWING = sorted([*(PACKAGE / "report").glob("*.py"), *(PACKAGE / "plotting").glob("*.py")])
GUESSES = {"hasattr", "getattr", "signature"}
OF_TEACHERS = {"plotting/_answers.py", "report/_members.py"}
"""Where teachers are asked."""


def guesses(path):
    """Lines in which a file asks an object what it has."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = ((node.lineno, getattr(node.func, "id", getattr(node.func, "attr", ""))) for node in calls(tree))
    return [line for line, name in names if name in GUESSES]


def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", SHOWING, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_reports_and_plots_ask_hooks_and_do_not_guess(path):
    if f"{path.parent.name}/{path.name}" not in OF_TEACHERS:
        assert guesses(path) == []


def test_guesses_are_seen(tmp_path):
    path = tmp_path / "file.py"
    path.write_text(
        "if hasattr(model, 'trees_'):\n    pass\nfound = builtins.getattr(model, 'trees_', None)\n"
    )
    assert guesses(path) == [1, 3]


def test_another_model_answers_the_same_hooks():
    own = {name for name in vars(Hooks) if name.startswith("_") and not name.startswith("__")}
    assert own <= set(dir(OtherModel))
    assert set(vars(OtherModel)) - own <= {
        "__module__",
        "__doc__",
        "__init__",
        "__firstlineno__",
        "__static_attributes__",
    }
    assert issubclass(BaseReasoner, Hooks)
    other = hooks_of(object())
    assert (other._kind_in_words(), other._size(), other._report_parts) == ("has no reasons", None, ())
    found = [other._training_history(), other._lambdas_compared(), other._formula_fronts()]
    assert found == [None, None, None]
    assert other._fitted_teacher() is other._attribute_relevance() is None
    assert not other._has_fidelity
