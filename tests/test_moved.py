"""Names that stand in other folders now, and are found where they stood."""

import importlib
import pickle
import subprocess
import sys

import pytest

import skrationale.formula
import skrationale.smooth
import skrationale.symbolic
from skrationale.flint._wrapped_predictors import WrappedMLP, WrappedModule, WrappedReasoner
from skrationale.formula.variables import Variable
from skrationale.smooth._path import Stage
from skrationale.symbolic._front import ScoredFormula


def class_pickle(place, name):
    """Give a pickle of a class, in protocol 0."""
    return f"cskrationale.{place}\n{name}\n.".encode()


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
    ("place", "name", "thing"),
    [
        ("symbolic._formula", "Formula", skrationale.formula.Formula),
        ("symbolic._variables", "Variable", Variable),
        ("symbolic._smooth_mlp", "SmoothMLPRegressor", skrationale.smooth.SmoothMLPRegressor),
        ("symbolic._smooth_mlp", "SmoothMLPClassifier", skrationale.smooth.SmoothMLPClassifier),
        ("symbolic._path", "Stage", Stage),
        ("flint._given", "GivenMLP", WrappedMLP),
        ("flint._given", "GivenModel", WrappedReasoner),
        ("flint._given", "GivenModule", WrappedModule),
    ],
)
def test_pickles_find_classes_where_they_stood(place, name, thing):
    assert pickle.loads(class_pickle(place, name)) is thing
    module = importlib.import_module(f"skrationale.{place}")
    assert not hasattr(module, "__wrapped__")
    with pytest.raises(AttributeError):
        module.Nothing  # noqa: B018


def test_a_class_with_another_name_is_found_by_the_first_one():
    assert pickle.loads(class_pickle("symbolic._front", "Row")) is ScoredFormula


@pytest.mark.parametrize(
    ("place", "name"), [("symbolic._program", "Program"), ("symbolic.exports._torch", "FormulaModule")]
)
def test_classes_that_pickles_cannot_be_read_of_say_the_version(place, name):
    with pytest.raises(ImportError, match=rf"{name} was pickled by skrationale 0\.1\.0\.dev0, which"):
        pickle.loads(class_pickle(place, name))


def test_a_formula_loads_no_torch():
    code = (
        'import pickle, sys; pickle.loads(b"cskrationale.symbolic._formula\\nFormula\\n.")\n'
        'print("torch" in sys.modules)\n'
        'from skrationale.symbolic import Formula\nprint("torch" in sys.modules)'
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
