"""The promises of every estimator, kept by students of the teachers of all libraries, on a table of numbers.

XGBoost, which takes text too, keeps them in the short tests.
"""

from inspect import signature

import pandas as pd
import pytest
import test_contracts as contracts
from catboost import CatBoostClassifier, CatBoostRegressor
from conftest import mixed_table, target_of
from estimators import FAST, XGBOOST
from seeds import SEED
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier, XGBRFRegressor

from skrationale import GBDT2NNStudent
from skrationale.tabular import TableReader

BOOSTED = {"n_estimators": 20, "max_depth": 3, "learning_rate": 0.3}
FORESTS = {"n_estimators": 20, "max_depth": 6, "random_state": SEED}
QUIET = {"iterations": 20, "depth": 3, "learning_rate": 0.3, "random_seed": SEED, "thread_count": 1}
SILENT = {"verbose": 0, "allow_writing_files": False}
TEACHERS = {
    "xgboost": (XGBClassifier(**XGBOOST), XGBRegressor(**XGBOOST)),
    "xgboost-forest": (XGBRFClassifier(**XGBOOST), XGBRFRegressor(**XGBOOST)),
    "catboost": (CatBoostClassifier(**QUIET, **SILENT), CatBoostRegressor(**QUIET, **SILENT)),
    "histograms": tuple(
        kind(max_iter=20, max_leaf_nodes=7, min_samples_leaf=5, learning_rate=0.3, random_state=SEED)
        for kind in (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
    ),
    "boosting": (
        GradientBoostingClassifier(random_state=SEED, **BOOSTED),
        GradientBoostingRegressor(random_state=SEED, **BOOSTED),
    ),
    "forest": (RandomForestClassifier(**FORESTS), RandomForestRegressor(**FORESTS)),
    "extra": (ExtraTreesClassifier(**FORESTS), ExtraTreesRegressor(**FORESTS)),
    "tree": tuple(
        kind(max_depth=6, random_state=SEED) for kind in (DecisionTreeClassifier, DecisionTreeRegressor)
    ),
}
MAKE = {
    f"{name}-{kind}": (lambda teacher=teacher: GBDT2NNStudent(teacher, **FAST))
    for name, pair in TEACHERS.items()
    for kind, teacher in zip(("classifier", "regressor"), pair, strict=True)
}
LEFT_OUT = {
    "test_answers_are_those_of_the_reference": "no answers are stored",
    "test_two_classes_have_one_output_in_log_odds": "forests of probabilities have none",
    "test_graphs_say_what_estimators_say": "it changes a column of text",
    "test_unseen_levels_missing_and_constant_columns": "the table holds numbers",
    "test_odd_tables": "not all libraries take a column without a value",
    "test_arrays_read_only_and_of_text": "the table holds numbers",
    "test_huge_targets": "CatBoost stops at them, and the short tests ask XGBoost",
}
PROMISES = [
    promise for name, promise in vars(contracts).items() if name.startswith("test_") and name not in LEFT_OUT
]
NO_MISSING = ("boosting",)
"""Libraries whose trees take no missing cells."""
EXPECTED = {
    ("catboost-regressor", "test_few_rows_and_a_constant_target"): "CatBoost refuses constant targets",
}


def table_for(name):
    """The mixed table with numbers for its categories, and its score."""
    X, score = mixed_table()
    X = pd.DataFrame(TableReader().fit(X).transform(X), columns=X.columns)
    return X.fillna(0.0) if name.startswith(NO_MISSING) else X, score


every_warning = contracts.every_warning


@pytest.fixture(scope="module")
def fitted():
    """A function that fits each estimator once."""
    models: dict = {}

    def get(make):
        name = next(name for name, other in MAKE.items() if other is make)
        if name not in models:
            model, (X, score) = make(), table_for(name)
            models[name] = model.fit(X, target_of(model, score))
        return models[name]

    return get


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("name", MAKE)
def test_students_of_every_library_keep_the_promises(name, promise, fitted, request, monkeypatch):
    if (reason := EXPECTED.get((name, promise.__name__))) is not None:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    # teachers have parameters of the same names, which are not the student's to check
    monkeypatch.setattr(contracts, "known_parameters", own_parameters)
    given = {"make": MAKE[name], "fitted": fitted, "mixed": table_for(name)}
    others = [argument for argument in signature(promise).parameters if argument not in given]
    given |= {argument: request.getfixturevalue(argument) for argument in others}
    assert_kept(promise, given)


def assert_kept(promise, given):
    """Run a test of the contracts, which asserts what it promises."""
    promise(**{argument: given[argument] for argument in signature(promise).parameters})


def test_what_is_left_out_is_there():
    assert LEFT_OUT.keys() <= vars(contracts).keys()
    assert len(PROMISES) > 12


def own_parameters(model, values):
    """Those of some values that are parameters of the student itself."""
    return {name: value for name, value in values.items() if name in model.get_params(deep=False)}
