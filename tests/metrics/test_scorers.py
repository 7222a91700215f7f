import pickle

import numpy as np
import pandas as pd
import pytest
from estimators import FAST, FLINT, RATIONALE, TREES
from lightgbm import LGBMClassifier, LGBMRegressor
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skrationale import FLINTClassifier, GBDT2NNStudent, RationaleClassifier
from skrationale.explanation import Explanation
from skrationale.metrics import (
    comprehensiveness,
    deletion_curve,
    entropy,
    explanation_scorer,
    infidelity,
    insertion_curve,
    sparsity,
    sufficiency,
)

NAMES = [
    "comprehensiveness",
    "sufficiency",
    "deletion",
    "insertion",
    "infidelity",
    "sparsity",
    "entropy",
    "fidelity",
    "prediction_fidelity",
]


@pytest.fixture(scope="module")
def classes():
    return make_classification(120, 5, n_informative=3, random_state=0)


@pytest.fixture(scope="module")
def student(classes):
    return GBDT2NNStudent(LGBMClassifier(**TREES), **FAST).fit(*classes)


@pytest.fixture(scope="module")
def regressor():
    X, y = make_regression(120, 5, n_informative=3, noise=1.0, random_state=0)
    return GBDT2NNStudent(LGBMRegressor(**TREES), **FAST).fit(X, y), X


def test_of_a_classifier_each_name_gives_its_number(student, classes):
    X, e, p = classes[0], student.explain(classes[0]), student.predict_proba
    fidelity = student.fidelity(X)
    expected = {
        "comprehensiveness": comprehensiveness(e, p, X),
        "sufficiency": -sufficiency(e, p, X),
        "deletion": -deletion_curve(e, p, X).area,
        "insertion": insertion_curve(e, p, X).area,
        "infidelity": -infidelity(e, student.decision_function, X),
        "sparsity": -sparsity(e),
        "entropy": -entropy(e),
        "fidelity": fidelity["explanation_r2"],
        "prediction_fidelity": fidelity["prediction_r2"],
    }
    assert list(expected) == NAMES
    assert {name: explanation_scorer(name)(student, X, None) for name in NAMES} == pytest.approx(expected)


def test_of_a_regressor_the_signs_of_the_curves_turn(regressor):
    model, X = regressor
    e = model.explain(X)
    expected = {
        "comprehensiveness": comprehensiveness(e, model.predict, X),
        "deletion": deletion_curve(e, model.predict, X).area,
        "insertion": -insertion_curve(e, model.predict, X).area,
        "infidelity": -infidelity(e, model.predict, X),
    }
    assert {name: explanation_scorer(name)(model, X) for name in expected} == pytest.approx(expected)


class Liar:
    """A model with the answers of another one, and reasons of its own."""

    def __init__(self, model, values):
        self.model, self.values = model, values

    def __getattr__(self, name):
        return getattr(self.model, name)

    def explain(self, X):
        return Explanation(self.values, 0.0)


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
@pytest.mark.parametrize("name", ["comprehensiveness", "sufficiency", "deletion", "insertion", "infidelity"])
def test_greater_is_better(student, classes, regressor, kind, name):
    model, X = (student, classes[0]) if kind == "classifier" else regressor
    values = np.random.default_rng(0).permuted(model.explain(X).values, axis=1)
    scorer = explanation_scorer(name)
    assert scorer(model, X) > scorer(Liar(model, values), X)


def test_of_a_log_link_the_logarithm_is_explained():
    X = np.random.default_rng(0).normal(size=(120, 3))
    y = np.random.default_rng(1).poisson(np.exp(X[:, 0]))
    model = GBDT2NNStudent(LGBMRegressor(objective="poisson", **TREES), **FAST).fit(X, y)
    e = model.explain(X)
    assert e.link == "log"
    expected = -infidelity(e, lambda table: np.log(model.predict(table)), X)
    assert explanation_scorer("infidelity")(model, X) == pytest.approx(expected)


def test_of_a_logit_link_of_numbers_the_log_odds_are_explained():
    X = np.random.default_rng(0).normal(size=(120, 3))
    y = expit(2 * X[:, 0])
    model = GBDT2NNStudent(LGBMRegressor(objective="cross_entropy", **TREES), **FAST).fit(X, y)
    e = model.explain(X)
    assert e.link == "logit"
    expected = -infidelity(e, lambda table: logit(model.predict(table)), X)
    assert explanation_scorer("infidelity")(model, X) == pytest.approx(expected)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_of_reasons_of_probabilities_these_are_explained(n_classes):
    X, y = make_classification(120, 6, n_informative=4, n_classes=n_classes, random_state=0)
    model = GBDT2NNStudent(RandomForestClassifier(5, max_depth=3, random_state=0), **FAST).fit(X, y)
    e = model.explain(X)
    assert e.link == "probability"
    chances = (lambda X: model.predict_proba(X)[:, 1]) if n_classes == 2 else model.predict_proba
    assert explanation_scorer("infidelity")(model, X) == pytest.approx(-infidelity(e, chances, X))


def test_in_a_grid_search_beside_accuracy(classes):
    student = GBDT2NNStudent(LGBMClassifier(**TREES), **FAST)
    search = GridSearchCV(
        student,
        {"max_epochs": [1, 20]},
        scoring={
            "accuracy": "accuracy",
            "comprehensiveness": explanation_scorer("comprehensiveness", n_fills=2),
        },
        refit="accuracy",
        cv=2,
        error_score="raise",
    ).fit(*classes)
    found = search.cv_results_["mean_test_comprehensiveness"]
    assert found[0] != found[1]
    assert np.isfinite(found).all()
    assert clone(search).scoring["comprehensiveness"] == search.scoring["comprehensiveness"]


def test_alone_in_a_grid_search_the_better_reasons_win(classes):
    student = GBDT2NNStudent(LGBMClassifier(**TREES), **FAST)
    search = GridSearchCV(
        student, {"max_epochs": [1, 30]}, scoring=explanation_scorer("fidelity"), cv=2, error_score="raise"
    ).fit(*classes)
    assert search.best_params_ == {"max_epochs": 30}


def test_at_the_end_of_a_pipeline(classes):
    X, y = classes
    frame = pd.DataFrame(X * 100).add_prefix("c")
    pipeline = make_pipeline(StandardScaler(), GBDT2NNStudent(LGBMClassifier(**TREES), **FAST))
    scoring = {name: explanation_scorer(name) for name in NAMES}
    found = cross_validate(pipeline, frame, y, scoring=scoring, cv=2, error_score="raise")
    assert all(np.isfinite(found[f"test_{name}"]).all() for name in NAMES)
    alone = cross_validate(pipeline, frame, y, scoring=scoring["sufficiency"], cv=2, error_score="raise")
    np.testing.assert_allclose(alone["test_score"], found["test_sufficiency"])
    fitted = pipeline.fit(frame, y)
    Z, model = fitted[:-1].transform(frame), fitted[-1]
    expected = comprehensiveness(model.explain(Z), model.predict_proba, Z, background=Z[:20])
    got = explanation_scorer("comprehensiveness", background=frame[:20])(fitted, frame)
    assert got == pytest.approx(expected)


def test_a_pipeline_of_one_step(student, classes):
    scorer = explanation_scorer("entropy")
    assert scorer(Pipeline([("student", student)]), classes[0]) == scorer(student, classes[0])


def test_rationales_and_attributes_are_scored(classes):
    X, y = classes
    rationale = RationaleClassifier(**RATIONALE).fit(X, y)
    e = rationale.explain(X)
    assert explanation_scorer("sparsity")(rationale, X) == -e.mask.sum(1).mean()
    expected = -sufficiency(e, rationale.predict_proba, X, fill="mean")
    assert explanation_scorer("sufficiency", fill="mean")(rationale, X) == pytest.approx(expected)
    flint = FLINTClassifier(**FLINT).fit(X, y)
    scorer = explanation_scorer("sufficiency", explain_params={"by": "column"})
    assert scorer(flint, X) == pytest.approx(
        -sufficiency(flint.explain(X, by="column"), flint.predict_proba, X)
    )
    with pytest.raises(ValueError, match="give an explanation by column"):
        explanation_scorer("sufficiency")(flint, X)


def test_scorers_are_plain_data():
    scorer = explanation_scorer("deletion", n_steps=3, explain_params={"by": "column"})
    assert repr(scorer) == "explanation_scorer('deletion', n_steps=3, explain_params={'by': 'column'})"
    assert pickle.loads(pickle.dumps(scorer)) == scorer
    assert clone(scorer, safe=False) == scorer


def test_wrong_names_and_settings():
    with pytest.raises(ValueError, match=f"name must be one of {', '.join(map(repr, NAMES))}. Got 'clarity'"):
        explanation_scorer("clarity")
    with pytest.raises(
        TypeError, match="'comprehensiveness' has no setting 'n_steps'; expected some of 'background'"
    ):
        explanation_scorer("comprehensiveness", n_steps=3)
    with pytest.raises(TypeError, match="'fidelity' has no setting 'fill'; it has none"):
        explanation_scorer("fidelity", fill="mean")


def test_estimators_that_cannot_be_scored(classes):
    X, y = classes
    model = LogisticRegression().fit(X, y)
    with pytest.raises(TypeError, match="LogisticRegression has no method explain"):
        explanation_scorer("entropy")(make_pipeline(StandardScaler(), model).fit(X, y), X)
    with pytest.raises(TypeError, match="LogisticRegression has no method fidelity; expected a distiller"):
        explanation_scorer("fidelity")(model, X)
    flint = FLINTClassifier(**FLINT).fit(X, y)
    with pytest.raises(ValueError, match="fidelity does not return 'explanation_r2', only 'prediction_r2'"):
        explanation_scorer("fidelity")(flint, X)
