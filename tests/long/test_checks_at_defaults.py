"""scikit-learn's own checks of estimators with their default effort: many minutes."""

from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks
from test_sklearn_checks import expected_failures

from skrationale import (
    GBDT2NNStudent,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    SymbolicDistiller,
    SymbolicDistillerCV,
)


@parametrize_with_checks(
    [
        GBDT2NNStudent(),
        GBDT2NNStudent(LGBMClassifier(verbose=-1, n_jobs=1)),
        GBDT2NNStudent(LGBMRegressor(verbose=-1, n_jobs=1)),
        SmoothMLPRegressor(),
        SmoothMLPClassifier(),
        SymbolicDistiller(),
        SymbolicDistiller(SmoothMLPClassifier()),
        SymbolicDistillerCV(),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_checks(estimator, check):
    check(estimator)
