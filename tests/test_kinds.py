"""What packages see that ask an estimator for scikit-learn's mixins."""

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    RegressorMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_regression
from sklearn.utils import get_tags

import skrationale
from skrationale import (
    FLINTClassifier,
    FLINTRegressor,
    Formula,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    SymbolicDistiller,
    SymbolicDistillerCV,
    TextRationaleClassifier,
    TextRationaleDistiller,
    TextRationaleRegressor,
)

CLASSIFIERS = [FLINTClassifier, RationaleClassifier, SmoothMLPClassifier, TextRationaleClassifier]
REGRESSORS = [FLINTRegressor, RationaleRegressor, SmoothMLPRegressor, TextRationaleRegressor]
DISTILLERS = [
    *(GBDT2NNStudent, RationaleDistiller, SymbolicDistiller, SymbolicDistillerCV),
    TextRationaleDistiller,
]
TREES = {"n_estimators": 3, "verbose": -1, "n_jobs": 1}
QUICK = {"hidden_layer_sizes": (4,), "max_epochs": 2, "n_synthetic": 40, "random_state": 0}


class NumberStudent(RegressorMixin, GBDT2NNStudent):
    """What the page on other packages offers where a mixin is asked for."""


class LabelStudent(ClassifierMixin, GBDT2NNStudent):
    """The same for labels."""


def test_all_estimators_are_here():
    public = (getattr(skrationale, name) for name in skrationale.__all__)
    assert {thing for thing in public if hasattr(thing, "predict")} - {Formula} == {
        *CLASSIFIERS,
        *REGRESSORS,
        *DISTILLERS,
    }


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classifiers_have_the_mixin(kind):
    assert issubclass(kind, ClassifierMixin)
    assert not issubclass(kind, RegressorMixin)
    assert is_classifier(kind())
    assert get_tags(kind()).classifier_tags.multi_class


@pytest.mark.parametrize("kind", REGRESSORS)
def test_regressors_have_the_mixin(kind):
    assert issubclass(kind, RegressorMixin)
    assert not issubclass(kind, ClassifierMixin)
    assert is_regressor(kind())
    assert get_tags(kind()).regressor_tags is not None


@pytest.mark.parametrize("kind", [*CLASSIFIERS, *REGRESSORS])
def test_the_mixin_comes_before_the_base_and_before_what_transforms(kind):
    order = [base.__name__ for base in kind.__mro__]
    mixin = order.index("ClassifierMixin" if kind in CLASSIFIERS else "RegressorMixin")
    assert mixin < order.index("BaseEstimator")
    if "TransformerMixin" in order:
        assert mixin < order.index("TransformerMixin")


@pytest.mark.parametrize("kind", DISTILLERS)
def test_distillers_have_no_mixin_for_their_kind_is_that_of_the_teacher(kind):
    assert issubclass(kind, BaseEstimator)
    assert not issubclass(kind, ClassifierMixin | RegressorMixin)


def test_scores_are_as_before():
    model = SmoothMLPClassifier(hidden_layer_sizes=(4,), max_epochs=2, jacobian_lambda=0.0, random_state=0)
    X = np.random.RandomState(0).normal(size=(40, 2))
    y = np.where(X[:, 0] > 0, "yes", "no")
    model.fit(X, y)
    own = super(ClassifierMixin, model).score
    assert model.score(X, y, np.arange(40)) == own(X, y, np.arange(40))
    assert model.score(X, y) == np.mean(model.predict(X) == y)
    with pytest.raises(ValueError, match="sample_weight is -1.0 in row 0"):  # the package's own check
        model.score(X, y, -np.ones(40))


def test_what_is_offered_for_distillers_works():
    X, y = make_regression(60, 3, random_state=0)
    student = GBDT2NNStudent(LGBMRegressor(**TREES), **QUICK)
    wrapped = TransformedTargetRegressor(student).fit(X, y)
    assert isinstance(wrapped, RegressorMixin)
    assert wrapped.regressor_.explain(X).additivity_error(wrapped.predict(X)) < 1e-6
    own = clone(NumberStudent(LGBMRegressor(**TREES), **QUICK)).fit(X, y)
    np.testing.assert_array_equal(own.predict(X), wrapped.predict(X))
    labels = LabelStudent(LGBMClassifier(**TREES), **QUICK).fit(X, y > 0)
    assert is_classifier(labels)
    assert labels.predict_proba(X).shape == (60, 2)
