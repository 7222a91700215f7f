"""How rooms speak with each other: by public names, and without guesses of which family an estimator is."""

import ast
from graphlib import CycleError, TopologicalSorter
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
    path.write_text(
        "from ..writing import shorten\nfrom .._files import check_path\nfrom ._rows import _few\n"
    )
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


def imported_first(path, package=PACKAGE):
    """Rooms and shared modules that a file imports before anything is called, types left out."""
    depth, rooms = len(path.relative_to(package).parts), set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            rooms |= {name.partition(".")[0] for name in names}
    return rooms - {path.relative_to(package).parts[0].removesuffix(".py")}


def circle(package):
    """Give rooms that import each other in a circle; none where rooms can be put in an order."""
    graph = {}
    for path in package.rglob("*.py"):
        room = path.relative_to(package).parts[0].removesuffix(".py")
        graph.setdefault(room, set()).update(imported_first(path, package))
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return error.args[1]
    return None


@pytest.mark.no_cover
def test_rooms_do_not_import_each_other_in_a_circle():
    assert circle(PACKAGE) is None


def test_circles_are_seen(tmp_path):
    for room, other in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / room).mkdir()
        (tmp_path / room / "file.py").write_text(f"from ..{other} import thing\n")
    assert set(circle(tmp_path)) == {"a", "b", "c"}
    (tmp_path / "c" / "file.py").write_text("def f():\n    from ..a import thing\n")
    assert circle(tmp_path) is None


def test_rooms_files_and_functions_stay_small():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {path.name: count for path, count in lines.items() if count > 450} == {}
    rooms = {room: sum(lines[path] for path in (PACKAGE / room).rglob("*.py")) for room in ROOMS}
    assert max(rooms.values()) <= 0.16 * sum(lines.values())
    long = []
    for path in lines:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                if body and body[-1].end_lineno - body[0].lineno >= 60:
                    long.append((path.name, node.name))
    assert long == []
