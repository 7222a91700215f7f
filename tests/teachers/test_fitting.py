"""Teachers that are given unfitted: labels of any kind, searches over their depth, errors of a library."""

import pickle

import lightgbm
import numpy as np
import pandas as pd
import pytest
from seeds import SEED
from sklearn.base import is_classifier
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
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skrationale import (
    GBDT2NNStudent,
    RationaleDistiller,
    SymbolicDistiller,
    to_lightgbm,
    tree_contributions,
)
from skrationale.teachers import LabelledClassifier

catboost = pytest.importorskip("catboost")
xgboost = pytest.importorskip("xgboost")

RNG = np.random.default_rng(SEED)
X = pd.DataFrame(RNG.normal(size=(200, 3)), columns=["a", "b", "c"])
Y = X["a"].to_numpy() + X["b"].to_numpy() ** 2
WORDS = np.array(["low", "mid", "top"])[np.digitize(Y, [0.3, 1.3])]
QUICK = {"hidden_layer_sizes": (8,), "max_epochs": 3, "n_synthetic": 100, "random_state": 0}
TREES = {"n_estimators": 5, "random_state": 0}
BOOSTED = {**TREES, "n_jobs": 1}
QUIET = {"iterations": 5, "verbose": 0, "allow_writing_files": False, "thread_count": 1, "random_seed": 0}
TEACHERS = [
    lightgbm.LGBMClassifier(verbose=-1, **BOOSTED),
    lightgbm.LGBMRegressor(verbose=-1, **BOOSTED),
    xgboost.XGBClassifier(**BOOSTED),
    xgboost.XGBRegressor(**BOOSTED),
    catboost.CatBoostClassifier(**QUIET),
    catboost.CatBoostRegressor(**QUIET),
    HistGradientBoostingClassifier(max_iter=5),
    HistGradientBoostingRegressor(max_iter=5),
    GradientBoostingClassifier(**TREES),
    GradientBoostingRegressor(**TREES),
    RandomForestClassifier(**TREES),
    RandomForestRegressor(**TREES),
    ExtraTreesClassifier(**TREES),
    ExtraTreesRegressor(**TREES),
    DecisionTreeClassifier(random_state=0),
    DecisionTreeRegressor(random_state=0),
]


@pytest.mark.parametrize("teacher", TEACHERS, ids=lambda teacher: type(teacher).__name__)
def test_a_search_may_set_the_depth_of_any_teacher(teacher):
    y = WORDS if is_classifier(teacher) else Y
    grid = {"teacher__max_depth": [1, 4]}
    search = GridSearchCV(GBDT2NNStudent(teacher, **QUICK), grid, cv=2, error_score="raise").fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    found = search.best_estimator_.teacher_.get_params()
    depth = search.best_params_["teacher__max_depth"]
    assert depth in (found.get("max_depth"), found.get("estimator__max_depth"))
    assert search.best_estimator_.explain(X).values.shape[:2] == X.shape


LABELS = {
    "words": WORDS,
    "of one to three": np.digitize(Y, [0.3, 1.3]) + 1,
    "two words": np.where(Y > 0.5, "yes", "no"),
    "booleans": Y > 0.5,
    "minus and plus one": np.where(Y > 0.5, 1.0, -1.0),
}


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS.keys())
def test_xgboost_teaches_labels_of_any_kind(y):
    student = GBDT2NNStudent(xgboost.XGBClassifier(**BOOSTED), **QUICK).fit(X, y)
    classes, codes = np.unique(y, return_inverse=True)
    plain = xgboost.XGBClassifier(**BOOSTED).fit(X, codes)
    np.testing.assert_array_equal(student.classes_, classes)
    assert student.predict(X).dtype == classes.dtype
    np.testing.assert_array_equal(student.teacher_.predict_proba(X), plain.predict_proba(X))
    np.testing.assert_array_equal(student.teacher_.predict(X), classes[plain.predict(X)])
    np.testing.assert_array_equal(student.teacher_explain(X).values, tree_contributions(plain, X).values)
    assert set(student.predict(X)) <= set(classes)
    assert student.teacher_explain(X).output_names == tuple(
        map(str, classes[-1:] if len(classes) == 2 else classes)
    )
    assert student.fidelity(X, y)["teacher_score"] == (classes[plain.predict(X)] == y).mean()


def test_a_labelled_classifier_is_asked_as_that_of_xgboost_is():
    student = GBDT2NNStudent(xgboost.XGBClassifier(**BOOSTED), **QUICK).fit(X, WORDS)
    teacher = pickle.loads(pickle.dumps(student)).teacher_
    assert isinstance(teacher, LabelledClassifier)
    assert teacher.get_booster().num_boosted_rounds() == 5
    expected = teacher.get_booster().predict(xgboost.DMatrix(X), output_margin=True)
    np.testing.assert_allclose(to_lightgbm(teacher).predict(X, raw_score=True), expected, atol=1e-5)
    assert tree_contributions(teacher, X).output_names == ("low", "mid", "top")
    again = GBDT2NNStudent(teacher, **QUICK)
    with pytest.warns(UserWarning, match="fitted anew"):
        np.testing.assert_array_equal(again.fit(X, WORDS).predict(X), student.predict(X))
    with pytest.raises(AttributeError, match="no attribute 'feature_frontier'"):
        teacher.feature_frontier  # noqa: B018


def test_labels_that_xgboost_takes_leave_it_as_it_is():
    for y in (np.digitize(Y, [0.3, 1.3]), (Y > 0.5).astype(float)):
        student = GBDT2NNStudent(xgboost.XGBClassifier(**BOOSTED), **QUICK).fit(X, y)
        assert type(student.teacher_) is xgboost.XGBClassifier


def test_every_distiller_takes_labels_of_any_kind_from_xgboost():
    teacher = xgboost.XGBClassifier(**BOOSTED)
    for model in (
        RationaleDistiller(teacher, max_epochs=2, random_state=0),
        SymbolicDistiller(teacher, niterations=1, n_searches=1, maxsize=3, random_state=0),
    ):
        assert set(model.fit(X, WORDS).predict(X)) <= set(WORDS)


@pytest.mark.parametrize("kind", ["one class", "weights"])
@pytest.mark.parametrize(
    "teacher",
    [
        lightgbm.LGBMClassifier(n_estimators=3, verbose=-1),
        xgboost.XGBClassifier(**BOOSTED),
        HistGradientBoostingClassifier(max_iter=3),
        RandomForestClassifier(3),
        MLPClassifier(max_iter=5),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer", "ignore:.*classes:UserWarning")
def test_one_class_is_certain(teacher, kind):
    y, weight = np.full(200, "one"), None
    if kind == "weights":
        y, weight = np.where(Y > 0.5, "one", "two"), (Y > 0.5) * 1.0
    for model in (
        RationaleDistiller(teacher, max_epochs=1, early_stopping=False, random_state=0),
        SymbolicDistiller(teacher, niterations=1, n_searches=1, maxsize=3, random_state=0),
        GBDT2NNStudent(teacher, **QUICK | {"explanation": "permutation"}),
    ):
        model.fit(X, y, sample_weight=weight)
        assert model.classes_.tolist() == ["one"]
        np.testing.assert_array_equal(model.predict_proba(X), np.ones((200, 1)))
        assert set(model.predict(X)) == {"one"}
        assert not model.explain(X).values.any()
        assert model.fidelity(X)["same_class"] == 1


def test_errors_of_a_library_say_which_rows_they_are_of():
    classifier = GBDT2NNStudent(catboost.CatBoostClassifier(**QUIET), **QUICK)
    with pytest.raises(
        ValueError, match=r"teacher CatBoostClassifier could not be .*n_samples=200, .*1 class\)"
    ):
        classifier.fit(X, np.full(200, "one"))
    regressor = GBDT2NNStudent(catboost.CatBoostRegressor(**QUIET), **QUICK)
    with pytest.raises(
        ValueError, match=r"could not be fitted to X \(n_samples=1, n_features=3\): .*constant"
    ):
        regressor.fit(X[:1], Y[:1])


def test_columns_without_a_value_are_named_where_a_teacher_fails():
    class Picky(HistGradientBoostingRegressor):
        def fit(self, X, y):
            if np.isnan(X).all(axis=0).any():
                raise ValueError("window shape")
            return super().fit(X, y)

    student = GBDT2NNStudent(Picky(max_iter=5), explanation="permutation", **QUICK)
    with pytest.raises(ValueError, match="in which columns hold no value: empty: window shape"):
        student.fit(X.assign(empty=np.nan), Y)
    student.fit(X, Y)
    assert student.n_features_in_ == 3
