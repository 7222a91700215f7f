"""scikit-learn's own checks."""

import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import is_classifier, is_regressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrationale import GBDT2NNStudent


def expected_failures(estimator):
    if isinstance(estimator, GBDT2NNStudent) and estimator.teacher is None:
        return {"check_classifiers_regression_target": "without a teacher the task follows y"}
    return {}


@parametrize_with_checks(
    [
        GBDT2NNStudent(),
        GBDT2NNStudent(LGBMClassifier(verbose=-1, n_jobs=1)),
        GBDT2NNStudent(LGBMRegressor(verbose=-1, n_jobs=1)),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_checks(estimator, check):
    check(estimator)


def test_a_distillers_task_is_its_teachers():
    assert is_classifier(GBDT2NNStudent(LGBMClassifier()))
    assert is_regressor(GBDT2NNStudent(LGBMRegressor()))
    assert not hasattr(GBDT2NNStudent(LGBMRegressor()), "predict_proba")
    assert is_classifier(GBDT2NNStudent())
    X = np.random.RandomState(0).normal(size=(30, 2))
    assert is_regressor(GBDT2NNStudent().fit(X, X[:, 0]))
