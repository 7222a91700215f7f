"""scikit-learn's own checks."""

import numpy as np
import pytest
from estimators import RATIONALE, known_parameters
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrationale import (
    FLINTClassifier,
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    SymbolicDistiller,
)

TREES = {"n_estimators": 50, "verbose": -1, "n_jobs": 1}
LEARNING = {"hidden_layer_sizes": (64, 64), "max_epochs": 50, "n_synthetic": 2000, "random_state": 0}
QUICK = {"hidden_layer_sizes": (16, 16), "max_epochs": 60, "random_state": 0}
BRIEF = QUICK | {"max_epochs": 30}
SELECTING = RATIONALE | {"max_epochs": 6, "lr": 1e-2}
READING = {"hidden_layer_sizes": (16, 16), "n_attributes": 4, "lr": 1e-2, "max_epochs": 60, "random_state": 0}
SHORT = {"niterations": 2, "population_size": 30, "n_searches": 1, "maxsize": 8}

LEARNT = {
    "check_classifiers_train",
    "check_regressors_train",
    "check_classifiers_classes",
    "check_class_weight_classifiers",
    "check_sample_weight_equivalence_on_dense_data",
}
"""Checks of what is learnt, which need fits of the length above."""
SHORTER = {"max_epochs": 4, "teacher__max_epochs": 4, "n_synthetic": 100, "n_estimators": 5, "maxsize": 4}
"""For all other checks; scikit-learn too shortens the fits of its own estimators in them."""


def expected_failures(estimator):
    if isinstance(estimator, GBDT2NNStudent) and estimator.teacher is None:
        return {"check_classifiers_regression_target": "without a teacher the task follows y"}
    if isinstance(estimator, RationaleClassifier | RationaleRegressor | RationaleDistiller):
        return {"check_sample_weight_equivalence_on_dense_data": "cells and masks are drawn at random"}
    return {}


@pytest.mark.no_cover
@parametrize_with_checks(
    [
        GBDT2NNStudent(**LEARNING),
        GBDT2NNStudent(LGBMClassifier(**TREES), **LEARNING),
        GBDT2NNStudent(LGBMRegressor(**TREES), **LEARNING),
        SmoothMLPRegressor(**QUICK),
        SmoothMLPClassifier(**QUICK),
        SymbolicDistiller(SmoothMLPRegressor(**BRIEF), jacobian_lambda=0.01, **SHORT),
        SymbolicDistiller(SmoothMLPClassifier(**BRIEF), jacobian_lambda=0.01, **SHORT),
        FLINTClassifier(**READING),
        FLINTRegressor(**READING),
        RationaleClassifier(**SELECTING),
        RationaleRegressor(**SELECTING),
        RationaleDistiller(RationaleClassifier(**SELECTING), audit_teacher=False, **SELECTING),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_checks(estimator, check):
    if check.func.__name__ not in LEARNT:
        estimator = clone(estimator).set_params(**known_parameters(estimator, SHORTER))
    check(estimator)


def test_a_distillers_task_is_its_teachers():
    assert is_classifier(GBDT2NNStudent(LGBMClassifier()))
    assert is_regressor(GBDT2NNStudent(LGBMRegressor()))
    assert not hasattr(GBDT2NNStudent(LGBMRegressor()), "predict_proba")
    assert is_classifier(GBDT2NNStudent())
    assert is_regressor(SymbolicDistiller())
    assert is_classifier(SymbolicDistiller(SmoothMLPClassifier()))
    X = np.random.RandomState(0).normal(size=(30, 2))
    assert is_regressor(GBDT2NNStudent().fit(X, X[:, 0]))
