"""Students of forests that are no LightGBM's: fits, frozen teachers, scores that are probabilities."""

import pickle

import numpy as np
import pandas as pd
import pytest
from seeds import SEED
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier

from skrationale import GBDT2NNStudent, tree_contributions
from skrationale._task import Task
from skrationale.metrics.answers import agreement

N = 500
RNG = np.random.default_rng(SEED)
X = RNG.normal(size=(N, 3)).round(2)
Y = X[:, 0] + X[:, 1] ** 2
TABLE = pd.DataFrame({"a": X[:, 0], "city": RNG.choice(["Bonn", "Kiel", "Ulm"], N), "b": X[:, 1]})
TABLE.loc[:20, "city"] = None
Y_TABLE = Y + 2 * (TABLE["city"] == "Kiel").to_numpy()
SMALL = {"random_state": 0}
FAST = {
    "max_epochs": 20,
    "n_synthetic": 2000,
    "hidden_layer_sizes": (32,),
    "random_state": 0,
    "device": "cpu",
}
TEACHERS = {
    "histograms": (HistGradientBoostingRegressor(max_iter=20, **SMALL), TABLE, Y_TABLE),
    "classes": (HistGradientBoostingClassifier(max_iter=10, **SMALL), TABLE, np.digitize(Y_TABLE, [0.5, 2])),
    "forest": (RandomForestClassifier(10, max_depth=5, **SMALL), X, Y > 0.5),
    "forest of three": (RandomForestClassifier(10, max_depth=5, **SMALL), X, np.digitize(Y, [0.2, 1.0])),
    "extra trees": (ExtraTreesRegressor(10, max_depth=5, **SMALL), X, Y),
    "boosting": (GradientBoostingClassifier(n_estimators=10, **SMALL), X, Y > 0.5),
}


@pytest.mark.parametrize("is_frozen", [False, True], ids=["fitted here", "frozen"])
@pytest.mark.parametrize("name", TEACHERS)
def test_students_of_other_forests(name, is_frozen):
    teacher, X, y = TEACHERS[name]
    if is_frozen:
        at_fit = X.astype({"city": "category"}) if hasattr(X, "columns") else X
        teacher = FrozenEstimator(teacher.fit(at_fit, y))
    student = GBDT2NNStudent(teacher, **FAST).fit(X, y)
    truth, reasons = student.teacher_explain(X), student.explain(X)
    assert student.fidelity(X, y)["explanation_r2"] > 0.8
    assert truth.link == reasons.link == student._task.link
    assert reasons.additivity_error(student._scores(student._read(X)).squeeze()) < 1e-6
    at_fit = X.astype({"city": "category"}) if hasattr(X, "columns") else X
    own = tree_contributions(student.teacher_, at_fit, dtype="float64")
    np.testing.assert_allclose(truth.values, own.values, rtol=0, atol=1e-12 * np.abs(own.values).max())
    again = pickle.loads(pickle.dumps(student))
    np.testing.assert_array_equal(again.teacher_explain(X).values, truth.values)
    assert again.fidelity(X) == student.fidelity(X)


@pytest.mark.parametrize("name", ["forest", "forest of three"])
def test_scores_that_are_probabilities(name):
    teacher, X, y = TEACHERS[name]
    student = GBDT2NNStudent(teacher, **FAST).fit(X, y)
    chances = student.predict_proba(X)
    assert (chances >= 0).all()
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_array_equal(student.predict(X), student.classes_[chances.argmax(axis=1)])
    decision = student.decision_function(X)
    chosen = decision > 0 if decision.ndim == 1 else decision.argmax(axis=1)
    np.testing.assert_array_equal(student.predict(X), student.classes_[chosen.astype(int)])
    explanation = student.explain(X)
    assert explanation.link == "probability"
    sums = explanation.scores()
    inside = ((sums >= 0) & (sums <= 1)).reshape(len(X), -1).all(axis=1)
    expected = chances[:, 1] if sums.ndim == 1 else chances * sums.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(sums[inside], expected[inside], atol=1e-6)
    # agreement is measured on probabilities: log-odds near 0 and 1 would hide it
    raw, other = student._scores(student._read(X)), student._adapter.scores(student._teacher_rows(X))
    clipped = np.clip(raw, 0, 1)
    centred = [s - s.mean(axis=1, keepdims=True) if s.shape[1] > 1 else s for s in (clipped, other)]
    error, total = ((centred[0] - centred[1]) ** 2).sum(), ((centred[1] - centred[1].mean(axis=0)) ** 2).sum()
    assert student.fidelity(X)["prediction_r2"] == pytest.approx(1 - error / total, abs=1e-6)
    assert agreement(raw, other, student._task)["prediction_r2"] == student.fidelity(X)["prediction_r2"]


def test_sums_that_are_no_probabilities_become_some():
    three = Task("probability", 3, np.arange(3))
    found = three.probabilities(np.array([[0.5, -0.1, 1.5], [-0.1, -0.2, 0.0], [np.nan, 0.1, 0.2]]))
    np.testing.assert_allclose(found[:2], [[1 / 3, 0, 2 / 3], [1 / 3] * 3])
    assert np.isnan(found[2]).any()
    two = Task("probability", 1, np.array(["no", "yes"]))
    np.testing.assert_allclose(two.probabilities(np.array([[1.2], [0.3]])), [[0, 1], [0.7, 0.3]])
    assert two.predict(np.array([[0.6], [0.4]])).tolist() == ["yes", "no"]


def test_labels_count_too():
    teacher, X, y = TEACHERS["forest of three"]
    student = GBDT2NNStudent(teacher, label_lambda=1.0, **FAST).fit(X, y)
    assert student.history_[-1]["train_label"] < student.history_[0]["train_label"]


def test_a_search_over_the_teacher():
    search = GridSearchCV(
        GBDT2NNStudent(DecisionTreeClassifier(random_state=0), **FAST), {"teacher__max_depth": [1, 4]}, cv=2
    ).fit(X, Y > 0.5)
    assert search.best_params_ == {"teacher__max_depth": 4}


def test_a_frozen_teacher_with_other_kinds_of_columns():
    teacher = HistGradientBoostingRegressor(max_iter=5, **SMALL).fit(
        TABLE.astype({"city": "category"}), Y_TABLE
    )
    other = TABLE.assign(city=np.arange(N))
    with pytest.raises(ValueError, match="Column 'city' of X holds numbers, but the model was fitted on t"):
        GBDT2NNStudent(FrozenEstimator(teacher), **FAST).fit(other, Y_TABLE)


def test_other_models_are_refused():
    with pytest.raises(TypeError, match="must be a tree ensemble of LightGBM, XGBoost, .* got KNeighbors"):
        GBDT2NNStudent(KNeighborsRegressor()).fit(X, Y)


@pytest.mark.parametrize(
    "teacher",
    [
        HistGradientBoostingRegressor(max_iter=20, monotonic_cst={"c": -1, "a": 1}, **SMALL),
        ExtraTreesRegressor(20, max_depth=6, monotonic_cst=[1, 0, -1], **SMALL),
    ],
    ids=["by name", "by position"],
)
def test_constraints_of_other_forests_are_kept(teacher):
    table = pd.DataFrame(X, columns=list("abc"))
    y = X[:, 0] - X[:, 2] + X[:, 1] ** 2
    student = GBDT2NNStudent(FrozenEstimator(teacher.fit(table, y)), monotone="teacher", **FAST)
    student.fit(table[["b", "c", "a"]], y)
    for column, sign in {"a": 1, "c": -1}.items():
        swept = table.iloc[[0] * 60].assign(**{column: np.linspace(-3, 3, 60)})
        assert (sign * np.diff(student.predict(swept[["b", "c", "a"]]))).min() > -1e-9
    assert student.fidelity(table[["b", "c", "a"]])["prediction_r2"] > 0.7
