"""scikit-learn's own checks of the formulas' estimators with their default effort: many minutes."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from skrationale import SmoothMLPClassifier, SmoothMLPRegressor, SymbolicDistiller, SymbolicDistillerCV


@parametrize_with_checks(
    [
        SmoothMLPRegressor(),
        SmoothMLPClassifier(),
        SymbolicDistiller(),
        SymbolicDistiller(SmoothMLPClassifier()),
        SymbolicDistillerCV(),
    ]
)
def test_estimator_checks(estimator, check):
    check(estimator)
