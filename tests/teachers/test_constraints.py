"""What a teacher was made to keep is known, and it is said that a student does not keep it."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrationale import GBDT2NNStudent, RationaleDistiller, SymbolicDistiller
from skrationale.teachers._constraints import monotone_columns

rng = np.random.RandomState(0)
X = pd.DataFrame(rng.normal(size=(200, 3)), columns=["age", "debt", "idle"])
Y = (X["age"] - X["debt"]).to_numpy()
TREES = {"n_estimators": 5, "verbose": -1, "n_jobs": 1}
EXPECTED = {"age": 1, "debt": -1}


@pytest.mark.parametrize(
    "teacher",
    [
        LGBMRegressor(monotone_constraints=[1, -1, 0], **TREES),
        LGBMRegressor(mc="1,-1,0", **TREES),
        LGBMClassifier(monotone_constraint=(1, -1, 0), **TREES),
        HistGradientBoostingRegressor(monotonic_cst=[1, -1, 0], max_iter=2),
        HistGradientBoostingRegressor(monotonic_cst={"debt": -1, "age": 1}, max_iter=2),
        RandomForestRegressor(2, monotonic_cst=[1, -1, 0]),
    ],
    ids=["list", "alias", "classifier", "hist", "hist by name", "forest"],
)
def test_constraints_are_read_whatever_they_are_called(teacher):
    y = Y > 0 if isinstance(teacher, LGBMClassifier) else Y
    fitted = teacher.fit(X, y)
    assert monotone_columns(fitted, list(X)) == EXPECTED
    assert monotone_columns(FrozenEstimator(fitted), list(X)) == EXPECTED
    assert monotone_columns(make_pipeline(teacher).fit(X, y), list(X)) == EXPECTED
    search = GridSearchCV(teacher, {"random_state": [0]}, cv=2).fit(X, y)
    assert monotone_columns(search, list(X)) == EXPECTED


@pytest.mark.parametrize(
    "given", ["(1,-1,0)", "{'age': 1, 'debt': -1}", {"age": 1, "debt": -1}, (1, -1), "1,-1"]
)
def test_forms_of_other_libraries(given):
    model = SimpleNamespace(get_params=lambda deep: {"monotone_constraints": given})
    assert monotone_columns(model, list(X)) == EXPECTED


def test_behind_other_steps_columns_are_those_of_the_last_step():
    trees = HistGradientBoostingRegressor(monotonic_cst=[0, 0, 1], max_iter=2)
    model = make_pipeline(StandardScaler(), trees).fit(X, Y)
    assert monotone_columns(model, list(X)) == {"column 2": 1}
    model = make_pipeline(StandardScaler().set_output(transform="pandas"), trees).fit(X, Y)
    assert monotone_columns(model, list(X)) == {"idle": 1}


def test_without_constraints_or_splits_there_are_none():
    assert monotone_columns(LGBMRegressor(**TREES).fit(X, Y), list(X)) == {}
    assert monotone_columns(LGBMRegressor(monotone_constraints=[0, 0, 0], **TREES).fit(X, Y), list(X)) == {}
    constant = X.assign(idle=1.0)
    model = LGBMRegressor(monotone_constraints=[0, 1, 1], **TREES).fit(constant, -Y)
    assert monotone_columns(model, list(X)) == {"debt": 1}
    assert monotone_columns(StandardScaler().fit(X), list(X)) == {}


@pytest.mark.parametrize("kind", [GBDT2NNStudent, RationaleDistiller, SymbolicDistiller])
@pytest.mark.parametrize("frozen", [False, True])
def test_every_student_says_what_it_does_not_keep(kind, frozen, monkeypatch):
    monkeypatch.setattr(kind, "_distil", lambda self, *data: None)
    teacher = LGBMRegressor(monotone_constraints=[1, -1, 0], **TREES)
    model = kind(FrozenEstimator(teacher.fit(X, Y)) if frozen else teacher)
    said = (
        r"LGBMRegressor has monotone constraints on 'age' \(rises\), 'debt' \(falls\)\. The student imitates"
    )
    with pytest.warns(UserWarning, match=said) as heard:
        model.fit(X, Y)
    assert [warning.filename for warning in heard if "monotone" in str(warning.message)] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.set_params(teacher=LGBMRegressor(**TREES)).fit(X, Y)


def test_many_columns_are_counted(monkeypatch):
    monkeypatch.setattr(SymbolicDistiller, "_distil", lambda self, *data: None)
    wide = rng.normal(size=(100, 14))
    teacher = HistGradientBoostingRegressor(monotonic_cst=np.ones(14, int), max_iter=2)
    with pytest.warns(UserWarning, match=r"'x0' \(rises\).*'x9' \(rises\) and 4 other columns\. The student"):
        SymbolicDistiller(teacher).fit(wide, wide[:, 0])
