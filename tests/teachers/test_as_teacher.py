"""Boosters and model files as fitted estimators that teach."""

import pickle

import lightgbm
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor
from seeds import SEED
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from skrationale import GBDT2NNStudent, RationaleDistiller, as_teacher, tree_contributions

N = 300
RNG = np.random.default_rng(SEED)
TABLE = pd.DataFrame(
    {"a": RNG.normal(size=N), "city": RNG.choice(["Bonn", "Kiel", "Ulm"], N), "b": RNG.normal(size=N)}
)
X = TABLE.astype({"city": "category"})
Y = (X["a"] + 2 * (X["city"] == "Kiel")).to_numpy()
FAST = {"max_epochs": 3, "random_state": 0, "device": "cpu"}


def booster_of(objective, y, **more):
    params = {"objective": objective, "verbose": -1, "num_threads": 1, "seed": 0, **more}
    return lightgbm.train(params, lightgbm.Dataset(X, y), 10)


def test_a_regressor():
    booster = booster_of("poisson", np.exp(Y).round())
    model = as_teacher(booster)
    assert is_regressor(model)
    np.testing.assert_allclose(model.predict(X), booster.predict(X), rtol=1e-12)
    np.testing.assert_array_equal(model.predict(TABLE), model.predict(X))  # text as levels
    assert model.n_features_in_ == 3
    assert list(model.feature_names_in_) == ["a", "city", "b"]


@pytest.mark.parametrize(
    ("objective", "labels"), [("binary", ["no", "yes"]), ("multiclass", ["low", "mid", "top"])]
)
def test_classifiers(objective, labels):
    at = np.digitize(Y, [0.5, 2])[:N] if len(labels) == 3 else (Y > 1).astype(int)
    booster = booster_of(objective, at, **({"num_class": 3} if len(labels) == 3 else {}))
    model = as_teacher(booster, classes=labels)
    assert is_classifier(model)
    chances = booster.predict(X)
    expected = chances if chances.ndim == 2 else np.column_stack([1 - chances, chances])
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), np.array(labels)[expected.argmax(axis=1)])
    assert as_teacher(booster).classes_.tolist() == list(range(len(labels)))


@pytest.mark.parametrize(
    ("objective", "labels"), [("binary", ["yes", "no"]), ("multiclass", ["mid", "top", "low"])]
)
def test_labels_may_come_in_any_order(objective, labels):
    """scikit-learn sorts labels, and so do we; the scores go with them."""
    at = np.digitize(Y, [0.5, 2]) if len(labels) == 3 else (Y > 1).astype(int)
    booster = booster_of(objective, at, **({"num_class": 3} if len(labels) == 3 else {}))
    model = as_teacher(booster, classes=labels)
    assert model.classes_.tolist() == sorted(labels)
    given = as_teacher(booster).predict_proba(X)
    for k, label in enumerate(labels):
        of_label = model.predict_proba(X)[:, sorted(labels).index(label)]
        np.testing.assert_allclose(of_label, given[:, k], rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(model.predict(X), np.array(labels)[given.argmax(axis=1)])
    reasons = tree_contributions(model, X, dtype="float64")
    own = tree_contributions(booster, X, dtype="float64")
    if objective == "binary":
        np.testing.assert_allclose(reasons.values, -own.values, atol=1e-12)
    else:
        np.testing.assert_allclose(reasons.values, own.values[..., [2, 0, 1]], atol=1e-12)


def test_a_file_and_a_pickle_answer_alike(tmp_path):
    booster = booster_of("binary", Y > 1)
    path = tmp_path / "model.txt"
    booster.save_model(path)
    model = as_teacher(booster)
    for other in (as_teacher(path), as_teacher(str(path)), pickle.loads(pickle.dumps(model)), clone(model)):
        np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))


def test_students_and_reasons():
    labels = np.where(Y > 1, "yes", "no")
    booster = booster_of("binary", Y > 1)
    model = as_teacher(booster, classes=["no", "yes"])
    student = GBDT2NNStudent(FrozenEstimator(model), **FAST).fit(TABLE, labels)
    assert student.classes_.tolist() == ["no", "yes"]
    assert student.explain(TABLE[:3]).output_names == ("yes",)
    truth = booster.predict(X, pred_contrib=True)[:, :-1]
    np.testing.assert_allclose(student.teacher_explain(TABLE).values, truth, atol=1e-9)
    assert tree_contributions(FrozenEstimator(model), X).output_names == ("yes",)
    selector = RationaleDistiller(FrozenEstimator(model), **FAST).fit(TABLE, labels)
    assert set(selector.predict(TABLE)) <= {"no", "yes"}


def test_what_is_no_booster_is_refused(tmp_path):
    booster = booster_of("binary", Y > 1)
    with pytest.raises(
        TypeError, match="`model` must be a Booster of LightGBM or XGBoost, .* got LGBMRegressor"
    ):
        as_teacher(LGBMRegressor())
    with pytest.raises(TypeError, match="got int"):
        as_teacher(3)
    with pytest.raises(FileNotFoundError):
        as_teacher(tmp_path / "none.txt")
    for classes in (["no"], ["a", "a"], [["a"], ["b"]]):
        with pytest.raises(ValueError, match="`classes` must hold 2 different labels, one for each class"):
            as_teacher(booster, classes=classes)
    with pytest.raises(ValueError, match="`classes` is for classifiers"):
        as_teacher(booster_of("regression", Y), classes=[0, 1])
    with pytest.raises(ValueError, match="the model was fitted on 3"):
        as_teacher(booster).predict(X[["a", "city"]])
    with pytest.raises(ValueError, match="is fitted already: give it in a FrozenEstimator"):
        GBDT2NNStudent(as_teacher(booster), **FAST).fit(X, Y > 1)
    with pytest.raises(ValueError, match="objective 'cross_entropy_lambda', whose raw score"):
        as_teacher(booster_of("cross_entropy_lambda", (Y > 1) * 1.0))


def test_it_is_fitted_although_nobody_fitted_it():
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(as_teacher(booster_of("regression", Y)))
    with pytest.raises(NotFittedError):
        check_is_fitted(LGBMRegressor())
