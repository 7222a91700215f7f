"""scikit-learn's own checks of students whose teachers come from other libraries than LightGBM."""

import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrationale import GBDT2NNStudent

catboost = pytest.importorskip("catboost")
xgboost = pytest.importorskip("xgboost")

LEARNING = {"hidden_layer_sizes": (64, 64), "max_epochs": 50, "n_synthetic": 2000, "random_state": 0}
SMALL = {"random_state": 0}
QUIET = {"iterations": 50, "verbose": 0, "allow_writing_files": False, "thread_count": 1}


def expected_failures(student):
    teacher, found = student.teacher, {}
    if not isinstance(teacher, HistGradientBoostingClassifier | HistGradientBoostingRegressor):
        # weights and repeated rows give other trees, where rows are sampled, bounded or binned
        found["check_sample_weight_equivalence_on_dense_data"] = "to the teacher weights are no repeated rows"
    if isinstance(teacher, GradientBoostingRegressor | LogisticRegression):
        found["check_estimators_pickle"] = "it takes no missing cells"
    return found


@parametrize_with_checks(
    [
        GBDT2NNStudent(RandomForestClassifier(20, **SMALL), **LEARNING),
        GBDT2NNStudent(ExtraTreesClassifier(20, **SMALL), **LEARNING),
        GBDT2NNStudent(GradientBoostingRegressor(n_estimators=30, **SMALL), **LEARNING),
        GBDT2NNStudent(HistGradientBoostingClassifier(max_iter=30, **SMALL), **LEARNING),
        GBDT2NNStudent(HistGradientBoostingRegressor(max_iter=50, **SMALL), **LEARNING),
        GBDT2NNStudent(xgboost.XGBRegressor(n_estimators=50, n_jobs=1), **LEARNING),
        GBDT2NNStudent(xgboost.XGBClassifier(n_estimators=50, n_jobs=1), **LEARNING),
        GBDT2NNStudent(catboost.CatBoostRegressor(**QUIET), **LEARNING),
        GBDT2NNStudent(catboost.CatBoostClassifier(**QUIET), **LEARNING),
        GBDT2NNStudent(LogisticRegression(), explanation="permutation", **LEARNING),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_checks(estimator, check):
    check(estimator)
