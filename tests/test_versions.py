"""Pickles of version 0.1.0.dev0, made on a table of two columns, load or say which version made them."""

import pathlib
import pickle
import warnings

import numpy as np
import pytest
from estimators import ALL

import skrationale
from skrationale import GBDT2NNStudent
from skrationale._versions import KEY

PICKLES = pathlib.Path(__file__).with_name("pickles")
REFUSED = {
    "FLINTRegressor": "FLINTRegressor",
    "GBDT2NNStudent": "GBDT2NNStudent",
    "RationaleRegressor": "RationaleRegressor",
    "SmoothMLPRegressor": "SmoothMLPRegressor",
    "SymbolicDistiller": "SmoothMLPRegressor",  # its teacher, which is read first
}


def load(name):
    return pickle.loads((PICKLES / f"{name}.pkl").read_bytes())


@pytest.mark.parametrize(("name", "refused"), REFUSED.items())
def test_fitted_estimators_of_the_first_version_are_refused(name, refused):
    with pytest.raises(
        ValueError, match=rf"This fitted {refused} was pickled by skrationale 0\.1\.0\.dev0, "
    ):
        load(name)


def test_students_whose_look_up_was_laid_out_otherwise_are_refused():
    state = {**GBDT2NNStudent().__getstate__(), KEY: "0.1.0.dev2", "n_features_in_": 2}
    with pytest.raises(ValueError, match=r"pickled by skrationale 0\.1\.0\.dev2, which .* cannot read"):
        GBDT2NNStudent().__setstate__(state)


def test_explanations_and_formulas_of_the_first_version_load():
    explanation = load("Explanation")
    assert explanation.values.shape == (2, 2)
    assert explanation.feature_names == ("x0", "x1")
    formula = load("Formula")
    assert np.isfinite(formula.predict(np.eye(2))).all()


@pytest.mark.parametrize("make", ALL.values(), ids=ALL.keys())
def test_states_say_the_version_and_only_fitted_ones_are_told_of(make, monkeypatch):
    model = make()
    state = model.__getstate__()
    assert state[KEY] == skrationale.__version__
    del state[KEY]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(pickle.dumps(model))
        type(model)().__setstate__(state)
    fitted = {**state, KEY: "0.0.7", "n_features_in_": 2}
    with pytest.warns(UserWarning, match=r"pickled by skrationale 0\.0\.7 and is loaded by"):
        type(model)().__setstate__(fitted)
