"""How rooms speak with each other: by public names, and without guesses of which family an estimator is."""

import ast
from pathlib import Path

import pytest

import skrationale
from skrationale._hooks import Hooks, OtherModel, hooks_of
from skrationale.base import BaseReasoner

PACKAGE = Path(skrationale.__file__).parent
SHOWING = sorted([*(PACKAGE / "report").glob("*.py"), *(PACKAGE / "plotting").glob("*.py")])
ROOMS = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
GUESSES = {"hasattr", "getattr", "signature"}


def guesses(path):
    """Lines in which a file asks an object what it has."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = ((node.lineno, getattr(node.func, "id", getattr(node.func, "attr", ""))) for node in calls(tree))
    return [line for line, name in names if name in GUESSES]


def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def private_imports(path, package=PACKAGE):
    """Room and private name of what a file imports from other rooms, also inside functions."""
    depth, room = len(path.relative_to(package).parts), path.relative_to(package).parts[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            for alias in node.names:
                whole = [*(node.module or "").split("."), alias.name] if node.module else [alias.name]
                names = [name for name in whole[1:] if name.startswith("_")]
                if whole[0] in ROOMS - {room} and names:
                    found.add((whole[0], names[0]))
    return found


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_no_room_imports_a_private_name_of_another(path):
    assert private_imports(path) == set()


def test_private_imports_are_seen(tmp_path):
    path = tmp_path / "report" / "file.py"
    path.parent.mkdir()
    path.write_text("def f():\n    from ..writing._words import shorten\n    from ..metrics import _fills\n")
    assert private_imports(path, tmp_path) == {("writing", "_words"), ("metrics", "_fills")}
    path.write_text("from ..writing import shorten\nfrom .._files import whole\nfrom ._rows import _few\n")
    assert private_imports(path, tmp_path) == set()


@pytest.mark.parametrize("path", SHOWING, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_reports_and_plots_ask_hooks_and_do_not_guess(path):
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
    assert other._teacher_explainer() is other._interpreter_and_network([[1.0]]) is None
    assert not other._has_fidelity
