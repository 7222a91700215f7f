"""What cannot teach is refused before any work, in one sentence that says what to do."""

import warnings

import lightgbm
import numpy as np
import pandas as pd
import pytest
from estimators import QUICK, QUICK_SEARCH, QUICK_TREES
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrationale import (
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPRegressor,
    SymbolicDistiller,
    SymbolicDistillerCV,
)
from skrationale.teachers import check_teacher, warn_of_refit

N = 60
X = np.random.RandomState(0).normal(size=(N, 2))
Y = X[:, 0] - X[:, 1]
BRIEF = QUICK | {"weight_decay": 1e-3, "early_stopping": False, "audit_teacher": False}
KINDS = {
    "gbdt2nn": lambda teacher: GBDT2NNStudent(teacher, n_synthetic=0, **QUICK),
    "rationale": lambda teacher: RationaleDistiller(teacher, **BRIEF),
    "symbolic": lambda teacher: SymbolicDistiller(teacher, **QUICK_SEARCH),
}
TEXT = pd.DataFrame({"number": X[:, 0], "city": np.where(X[:, 1] > 0, "Ulm", "Bonn")})


class Trees(BaseEstimator):
    """Stands for an estimator of another library."""

    def __init__(self, early_stopping_rounds=None, cat_features=None):
        self.early_stopping_rounds = early_stopping_rounds
        self.cat_features = cat_features

    def fit(self, X, y, sample_weight=None):
        if not self.cat_features:
            np.asarray(X, dtype=float)
        self.mean_ = np.mean(y == y[0]) if isinstance(self, ClassifierMixin) else np.mean(y)
        if isinstance(self, ClassifierMixin):
            self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


def stand_in(name, module, *bases, **members):
    return type(name, bases, {"__module__": module, **members})


XGBRegressor = stand_in("XGBRegressor", "xgboost.sklearn", RegressorMixin, Trees)
XGBClassifier = stand_in("XGBClassifier", "xgboost.sklearn", ClassifierMixin, Trees)
XGBooster = stand_in("Booster", "xgboost.core", object, predict=lambda self, X: None)
CatBoostRegressor = stand_in("CatBoostRegressor", "catboost.core", RegressorMixin, Trees)
Untagged = stand_in("CatBoostClassifier", "catboost.core", object, **{
    "fit": Trees.fit, "predict": Trees.predict, "get_params": lambda self, deep=True: {},
    "set_params": lambda self: self,
})  # fmt: skip


def booster():
    return LGBMRegressor(**QUICK_TREES).fit(X, Y).booster_


@pytest.mark.parametrize("wrap", [lambda model: model, FrozenEstimator], ids=["bare", "frozen"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_booster_is_refused_with_what_to_give(kind, wrap):
    for model, names in ((booster(), "LGBMClassifier or LGBMRegressor"), (XGBooster(), "XGBClassifier or")):
        message = (
            f"'teacher' parameter of .* must be an estimator, but a Booster of .* give the fitted {names}"
        )
        with pytest.raises(TypeError, match=message):
            KINDS[kind](wrap(model)).fit(X, Y)
    with pytest.raises(TypeError, match="'predictor' parameter must be .* Got Booster instead"):
        FLINTRegressor(wrap(booster()), **QUICK).fit(X, Y)


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_is_not_yet_an_estimator(kind):
    with pytest.raises(TypeError, match=r"but LGBMRegressor is a class: give LGBMRegressor\(\) instead"):
        KINDS[kind](LGBMRegressor).fit(X, Y)


@pytest.mark.parametrize("name", ["early_stopping_round", "early_stopping_rounds", "n_iter_no_change"])
@pytest.mark.parametrize("kind", KINDS)
def test_early_stopping_without_held_out_rows_is_refused_before_any_work(kind, name):
    teacher = LGBMRegressor(**QUICK_TREES, **{name: 5})
    with pytest.raises(
        ValueError, match=f"has {name}=5, which needs validation rows, .* eval_set=... .* FrozenEstimator"
    ):
        KINDS[kind](teacher).fit(X, Y)
    with pytest.raises(ValueError, match=f"has {name}=5"):
        check_teacher(make_pipeline(StandardScaler(), teacher), "Some")
    with pytest.raises(ValueError, match=f"has {name}=5"):
        check_teacher(GridSearchCV(teacher, {}), "Some")


@pytest.mark.filterwarnings("ignore:The argument .eval_set.")
def test_early_stopping_elsewhere_is_left_alone():
    stopped = LGBMRegressor(**QUICK_TREES, early_stopping_round=2).fit(
        X[:40], Y[:40], eval_set=[(X[40:], Y[40:])]
    )
    assert GBDT2NNStudent(FrozenEstimator(stopped), n_synthetic=0, **QUICK).fit(X, Y).teacher_ is stopped
    GBDT2NNStudent(LGBMRegressor(**QUICK_TREES, early_stopping_round=0), n_synthetic=0, **QUICK).fit(X, Y)
    RationaleDistiller(HistGradientBoostingRegressor(max_iter=3, n_iter_no_change=2), **BRIEF).fit(X, Y)
    for fine in (None, make_pipeline(StandardScaler(), FrozenEstimator(stopped)), FrozenEstimator(stopped)):
        check_teacher(fine, "Some")


@pytest.mark.parametrize("kind", ["rationale", "symbolic"])
def test_early_stopping_of_xgboost_needs_rows_too(kind):
    with pytest.raises(
        ValueError, match="XGBRegressor has early_stopping_rounds=5, which needs validation rows"
    ):
        KINDS[kind](XGBRegressor(early_stopping_rounds=5)).fit(X, Y)


def test_a_search_is_not_its_best_estimator():
    search = GridSearchCV(LGBMRegressor(**QUICK_TREES), {"num_leaves": [3]}, cv=2).fit(X, Y)
    with pytest.raises(TypeError, match="got GridSearchCV. Give the best_estimator_ of the search"):
        GBDT2NNStudent(FrozenEstimator(search)).fit(X, Y)


@pytest.mark.parametrize("make", [XGBRegressor, CatBoostRegressor])
@pytest.mark.parametrize("kind", ["rationale", "symbolic"])
def test_other_trees_teach_what_they_say_of_numbers(kind, make):
    if make is XGBRegressor:
        real = pytest.importorskip("xgboost").XGBRegressor(n_estimators=3, n_jobs=1)
    else:
        options = {"iterations": 3, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
        real = pytest.importorskip("catboost").CatBoostRegressor(**options)
    student = KINDS[kind](real).fit(X, Y)
    assert isinstance(student.teacher_, type(real))
    fix = "cat_features" if make is CatBoostRegressor else "enable_categorical=True"
    with pytest.raises(
        ValueError,
        match=f"Column 'city' of X holds text.*, which .* cannot read without encoding.* {fix}.* Pipeline",
    ):
        KINDS[kind](make()).fit(TEXT, Y)


def test_text_that_other_trees_do_take_is_given_to_them():
    student = KINDS["symbolic"](CatBoostRegressor(cat_features=["city"])).fit(TEXT, Y)
    assert student.teacher_.mean_ == pytest.approx(Y.mean())


@pytest.mark.skipif(
    tuple(map(int, __import__("sklearn").__version__.split(".")[:2])) < (1, 7),
    reason="guessed, with a warning",
)
@pytest.mark.parametrize("kind", ["rationale", "symbolic"])
def test_a_model_without_tags_is_refused_with_what_to_do(kind):
    with pytest.raises(TypeError, match="CatBoostClassifier lacks the tags .* use a newer CatBoost, or let"):
        KINDS[kind](Untagged()).fit(X, Y)


def refits_heard(call):
    """Give the warnings of a call that say that a model is fitted anew."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        call()
    return [str(warning.message) for warning in heard if "fitted already" in str(warning.message)]


class TestRefit:
    """A model that is given fitted, but not frozen, is fitted anew: that is said once."""

    MODELS = {
        "gbdt2nn": lambda: LGBMRegressor(**QUICK_TREES).fit(X, Y),
        "rationale": lambda: RationaleRegressor(**QUICK, weight_decay=1e-3, early_stopping=False).fit(X, Y),
        "symbolic": lambda: make_pipeline(StandardScaler(), LinearRegression()).fit(X, Y),
        "symbolic-cv": lambda: SmoothMLPRegressor(jacobian_lambda=0.01, **QUICK).fit(X, Y),
        "flint": lambda: SmoothMLPRegressor(jacobian_lambda=0.01, **QUICK).fit(X, Y),
    }
    MAKE = KINDS | {
        "symbolic-cv": lambda model: SymbolicDistillerCV(model, jacobian_lambdas=[0.0], cv=2, **QUICK_SEARCH),
        "flint": lambda model: FLINTRegressor(model, n_attributes=2, **QUICK),
    }

    @pytest.mark.parametrize("kind", MODELS)
    def test_it_is_said_once(self, kind):
        model = self.MODELS[kind]()
        with pytest.warns(UserWarning, match="is fitted already, but fit does not use it") as heard:
            self.MAKE[kind](model).fit(X, Y)
        ours = [warning for warning in heard if "fitted already" in str(warning.message)]
        assert len(ours) == 1
        parameter = "predictor" if kind == "flint" else "teacher"
        assert f"give FrozenEstimator({parameter})" in str(ours[0].message)
        assert kind == "symbolic-cv" or ours[0].filename == __file__

    @pytest.mark.parametrize("kind", MODELS)
    def test_nothing_is_said_of_unfitted_and_frozen_ones(self, kind):
        model = self.MODELS[kind]()
        student = self.MAKE[kind](clone(model))
        assert not refits_heard(lambda: student.fit(X, Y).fit(X, Y))
        if kind != "symbolic-cv":
            assert not refits_heard(lambda: self.MAKE[kind](FrozenEstimator(model)).fit(X, Y))

    def test_clones_hold_no_fit(self):
        student = self.MAKE["gbdt2nn"](self.MODELS["gbdt2nn"]())
        assert not refits_heard(lambda: cross_val_score(student, X, Y, cv=2))
        assert not refits_heard(lambda: clone(student).fit(X, Y))

    @pytest.mark.parametrize(
        "model",
        [
            FunctionTransformer(),
            make_pipeline(StandardScaler(), FrozenEstimator(LinearRegression().fit(X, Y))),
            make_pipeline("passthrough", LinearRegression()),
            MLPRegressor(),
            LGBMClassifier(),
        ],
        ids=["stateless", "frozen-step", "passthrough", "network", "trees"],
    )
    def test_what_holds_no_fit_of_its_own(self, model):
        assert not refits_heard(lambda: warn_of_refit(model, "teacher"))

    def test_a_fitted_search_holds_one(self):
        search = GridSearchCV(LinearRegression(), {"fit_intercept": [True]}, cv=2).fit(X, Y)
        with pytest.warns(UserWarning, match="teacher GridSearchCV is fitted already"):
            warn_of_refit(search, "teacher")


def test_the_booster_of_lightgbm_is_told_by_its_module():
    assert lightgbm.Booster.__module__.startswith("lightgbm")
