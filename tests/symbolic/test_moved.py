"""Names that stand in other folders now, and are found where they stood."""

import importlib
import pickle
import subprocess
import sys

import pytest

import skrationale.formula
import skrationale.smooth
import skrationale.symbolic
from skrationale.formula.variables import Variable
from skrationale.smooth._path import Stage


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("formula", "Formula"),
        ("smooth", "SmoothMLPClassifier"),
        ("smooth", "SmoothMLPRegressor"),
        ("smooth", "jacobian_penalty"),
    ],
)
def test_names_are_one_thing_wherever_they_are_imported_from(folder, name):
    thing = getattr(getattr(skrationale, folder), name)
    assert getattr(skrationale.symbolic, name) is thing
    assert name in dir(skrationale.symbolic)
    assert getattr(skrationale, name, thing) is thing
    assert thing.__module__.startswith(f"skrationale.{folder}.")


@pytest.mark.parametrize(
    ("place", "thing"),
    [
        ("_formula", skrationale.formula.Formula),
        ("_variables", Variable),
        ("_smooth_mlp", skrationale.smooth.SmoothMLPRegressor),
        ("_smooth_mlp", skrationale.smooth.SmoothMLPClassifier),
        ("_path", Stage),
    ],
)
def test_pickles_find_classes_where_they_stood(place, thing):
    text = f"cskrationale.symbolic.{place}\n{thing.__name__}\n."  # a pickle of the class, in protocol 0
    assert pickle.loads(text.encode()) is thing
    module = importlib.import_module(f"skrationale.symbolic.{place}")
    assert not hasattr(module, "__wrapped__")
    with pytest.raises(AttributeError):
        module.Nothing  # noqa: B018


@pytest.mark.parametrize(
    "code",
    [
        'import pickle; pickle.loads(b"cskrationale.symbolic._formula\\nFormula\\n.")',
        "from skrationale.symbolic import Formula",
    ],
)
def test_a_formula_loads_no_torch(code):
    code += '; import sys; print("torch" in sys.modules)'
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
