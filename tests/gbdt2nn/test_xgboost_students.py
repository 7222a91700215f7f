"""XGBoost as a teacher, unfitted and frozen, on tables and arrays."""

import pickle

import numpy as np
import pandas as pd
import pytest
from estimators import QUICK
from seeds import SEED
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from skrationale import GBDT2NNStudent, RationaleDistiller, tree_contributions, tree_interactions
from skrationale.gbdt2nn import path_contributions
from skrationale.trees import TreeContributions

xgboost = pytest.importorskip("xgboost")
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier  # noqa: E402

KEEPS_LEVELS = tuple(map(int, xgboost.__version__.split(".")[:2])) >= (3, 1)
N = 300
RNG = np.random.default_rng(SEED)
TABLE = pd.DataFrame(
    {
        "a": RNG.normal(size=N),
        "city": RNG.choice(["Ulm", "Bonn", "Kiel"], N).astype(object),
        "kind": pd.Categorical(RNG.choice([7, 5, 6], N), categories=[7, 6, 5, 4]),
        "b": RNG.normal(size=N),
    }
)
Y = TABLE["a"] + 2 * (TABLE["city"] == "Kiel") - (TABLE["kind"] == 5)
LABELS = (Y > 0.5).astype(int)
TABLE.loc[:30, "a"] = np.nan
TABLE.loc[20:50, "city"] = None
CATEGORIES = TABLE.astype({"city": "category"})
TREES = {"n_estimators": 8, "max_depth": 3, "n_jobs": 1, "enable_categorical": True}


def student(teacher, **options):
    return GBDT2NNStudent(teacher, **QUICK | {"n_synthetic": 0} | options)


def gap_of(fitted, X):
    """Between its raw scores and the sums of its reasons, and of its teacher's."""
    raw = fitted.decision_function(X) if hasattr(fitted, "classes_") else fitted.predict(X)
    return np.abs(fitted.explain(X).scores().reshape(np.shape(raw)) - raw).max()


@pytest.mark.parametrize(
    ("teacher", "X", "y"),
    [
        (XGBClassifier(**TREES), TABLE, LABELS),
        (XGBClassifier(**TREES), CATEGORIES, np.digitize(Y, [0, 1])),
        (XGBRFClassifier(**TREES), TABLE, LABELS),
        (XGBRegressor(**TREES), TABLE, Y),
        (XGBRegressor(**TREES), TABLE[["a", "b"]].to_numpy(), Y),
    ],
    ids=["text", "three classes", "forest", "regression", "array"],
)
def test_unfitted_models_teach(teacher, X, y):
    fitted = student(teacher).fit(X, y)
    assert gap_of(fitted, X) < 1e-9
    reasons = fitted.teacher_explain(X)
    raw = fitted.teacher_.predict(fitted._teacher_rows(X), output_margin=True)
    np.testing.assert_allclose(reasons.scores().reshape(raw.shape), raw, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(fitted.predict(X), pickle.loads(pickle.dumps(fitted)).predict(X))


def test_frozen_models_teach_whatever_the_order_of_columns_and_levels():
    model = XGBClassifier(**TREES).fit(CATEGORIES, LABELS)
    expected = model.predict(CATEGORIES, output_margin=True)
    tables = [CATEGORIES, TABLE, CATEGORIES[CATEGORIES.columns[::-1]]]
    if KEEPS_LEVELS:
        tables.append(CATEGORIES.assign(kind=CATEGORIES["kind"].cat.reorder_categories([4, 5, 6, 7])))
    for X in tables:
        fitted = student(FrozenEstimator(model)).fit(X, LABELS)
        assert fitted.teacher_ is model
        np.testing.assert_allclose(fitted.teacher_explain(X).scores().ravel(), expected, atol=1e-5)
    with pytest.raises(ValueError, match="Column 'city' of X holds numbers, but the .* was fitted on text"):
        student(FrozenEstimator(model)).fit(CATEGORIES.assign(city=1.0), LABELS)


def test_reasons_of_models_and_boosters_are_the_same():
    model = XGBClassifier(**TREES).fit(CATEGORIES, LABELS)
    expected = model.predict(CATEGORIES, output_margin=True)
    for one in (model, FrozenEstimator(model), model.get_booster()):
        for found in (
            tree_contributions(one, CATEGORIES),
            path_contributions(one, CATEGORIES),
            *([TreeContributions(one).explain(CATEGORIES)] if KEEPS_LEVELS else []),
        ):
            np.testing.assert_allclose(found.scores().ravel(), expected, rtol=0, atol=1e-5)
        pairs = tree_interactions(one, CATEGORIES)
        sums = tree_contributions(one, CATEGORIES, dtype="float64").values
        np.testing.assert_allclose(pairs.values.sum(axis=2), sums, rtol=0, atol=1e-5)


def test_a_search_may_set_the_depth_of_the_teacher():
    search = GridSearchCV(student(XGBRegressor(**TREES)), {"teacher__max_depth": [1, 3]}, cv=2)
    search.fit(TABLE, Y)
    assert search.best_estimator_.teacher_.max_depth == search.best_params_["teacher__max_depth"]


def test_what_xgboost_does_not_take_is_said_before_the_fit():
    plain = TREES | {"enable_categorical": False}
    for make in (student, lambda teacher: RationaleDistiller(teacher, max_epochs=2)):
        with pytest.raises(ValueError, match="Column 'city' of X holds text.* set enable_categorical=True"):
            make(XGBClassifier(**plain)).fit(TABLE, LABELS)


def test_every_distiller_gives_xgboost_text_as_categories():
    fitted = RationaleDistiller(XGBClassifier(**TREES), max_epochs=2, random_state=0).fit(TABLE, LABELS)
    assert fitted.teacher_.get_booster().feature_types == ["float", "c", "c", "float"]


def test_a_model_that_cannot_be_rewritten_still_teaches_other_distillers():
    X = TABLE[["b"]]
    linear = XGBRegressor(booster="gblinear", n_estimators=3, n_jobs=1).fit(X, Y)
    assert hasattr(RationaleDistiller(FrozenEstimator(linear), max_epochs=2).fit(X, Y), "teacher_")
    with pytest.raises(ValueError, match="has booster='gblinear'.*expected 'gbtree' or 'dart'"):
        student(FrozenEstimator(linear)).fit(X, Y)


@pytest.mark.parametrize(
    "teacher",
    [
        XGBRegressor(monotone_constraints=(1, 0), **TREES),
        XGBRegressor(monotone_constraints={"b": 1}, **TREES),
        XGBRegressor(monotone_constraints="(1,0)", **TREES),
        HistGradientBoostingRegressor(monotonic_cst={"b": 1}, max_iter=8),
    ],
    ids=["tuple", "names", "text", "scikit-learn"],
)
def test_constraints_of_the_teacher_are_kept(teacher):
    X = TABLE[["b", "a"]]
    with pytest.warns(UserWarning, match=r"has monotone constraints on 'b' \(rises\)"):
        student(teacher).fit(X, -Y)
    fitted = student(teacher, monotone="teacher").fit(X, Y + TABLE["b"])
    steps = [fitted.predict(X.assign(b=b)) for b in np.linspace(-3, 3, 25)]
    assert (np.diff(steps, axis=0) >= -1e-9).all()
