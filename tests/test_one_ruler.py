"""The same answers of a student and its teacher have the same fidelity, whoever asks for it."""

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from scipy.special import expit, logit
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.svm import SVC

from skrationale import FLINTClassifier, GBDT2NNStudent, RationaleDistiller, SymbolicDistiller
from skrationale._task import Task
from skrationale.metrics import explanation_scorer
from skrationale.symbolic import SymbolicDistillerCV

FAMILIES = {"gbdt2nn": GBDT2NNStudent, "rationale": RationaleDistiller, "symbolic": SymbolicDistiller}
rng = np.random.RandomState(0)
X = rng.normal(size=(300, 3))
NOISE = rng.normal(size=(300, 4))
SURE = {"n_estimators": 80, "learning_rate": 0.5, "min_child_samples": 2, "verbose": -1, "n_jobs": 1}
TARGETS = {
    "binary": (LGBMClassifier(**SURE), X[:, 0] > 0.5),
    "softmax": (LGBMClassifier(**SURE), np.digitize(X[:, 0], [-0.5, 0.5])),
    "one-vs-all": (LGBMClassifier(objective="multiclassova", **SURE), np.digitize(X[:, 0], [-0.5, 0.5])),
    "four": (LGBMClassifier(**SURE), np.digitize(X[:, 0], [-1, 0, 1])),
    "numbers": (LGBMRegressor(**SURE), X[:, 0] + X[:, 1]),
    "poisson": (LGBMRegressor(objective="poisson", **SURE), np.exp(X[:, 0]).round()),
    "gamma": (LGBMRegressor(objective="gamma", **SURE), np.exp(X[:, 0])),
}
"""Teachers who are very sure of themselves, and what they were taught."""


def untrained(family, teacher, y, monkeypatch):
    """A distiller that knows its teacher but has learnt nothing."""
    monkeypatch.setattr(FAMILIES[family], "_distil", lambda self, *data: None)
    model = FAMILIES[family](FrozenEstimator(teacher)).fit(X, y)
    if family == "gbdt2nn":
        model._student = SimpleNamespace(imitated="path")
        monkeypatch.setattr(FAMILIES[family], "_teacher_reasons", lambda self, X: None)
    return model


def answering(model, said):
    """Let a model answer with probabilities (n, C) or numbers (n,), said in the units of its family."""
    if model._task.classes is None:
        scores = np.log(said)[:, None] if model._task.link == "log" else said[:, None]
    elif model._task.n_outputs == 1:
        scores = logit(said[:, 1:])
    elif model._task.link == "logit":
        scores = logit(said)
    else:
        # one number more for all classes of a row says nothing
        scores = np.log(said) + 10 * NOISE[:, :1]
    model._scores = lambda matrix: scores
    if isinstance(model, RationaleDistiller):
        model._model = SimpleNamespace(scores=model._scores)
    return model


def student_of(teacher):
    """What a fair student of a teacher would answer."""
    if not hasattr(teacher, "predict_proba"):
        return teacher.predict(X) * (1 + 0.1 * NOISE[:, 0])
    probabilities = teacher.predict_proba(X)
    classes = probabilities.shape[1]
    softened = np.exp(0.5 * np.log(np.maximum(probabilities, 1e-9)) + 0.3 * NOISE[:, :classes])
    return softened / softened.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("target", TARGETS)
def test_fidelity_is_the_same_in_every_family_and_at_every_door(target, monkeypatch):
    teacher, y = TARGETS[target]
    said = student_of(teacher.fit(X, y))
    figures, doors = {}, {}
    for family in FAMILIES:
        model = answering(untrained(family, teacher, y, monkeypatch), said)
        figures[family] = model.fidelity(X, y)
        doors[family, "scorer"] = explanation_scorer("prediction_fidelity")(model, X)
        doors[family, "display"] = shown_r2(model)
    for family, found in figures.items():
        assert found == pytest.approx(figures["rationale"], rel=1e-5, abs=1e-9), family
    expected = figures["rationale"]["prediction_r2"]
    assert 0 < expected < 1
    assert doors == pytest.approx(dict.fromkeys(doors, expected), rel=1e-5)


def shown_r2(model):
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    from skrationale.plotting import FidelityDisplay

    display = FidelityDisplay.from_estimator(model, X, reasons=False)
    plt.close(display.figure_)
    return display.r2_


def test_a_teacher_that_tells_only_a_margin_is_compared_like_one_with_probabilities(monkeypatch):
    y = (X[:, 0] > 0).astype(int)
    teacher = LogisticRegression(C=1e4).fit(X, y)

    class Margin(LogisticRegression):
        predict_proba = None

        def __getattribute__(self, name):
            if name == "predict_proba":
                raise AttributeError(name)
            return super().__getattribute__(name)

    shy = Margin(C=1e4).fit(X, y)
    assert np.abs(shy.decision_function(X)).max() > 20
    said = student_of(teacher)
    open_hearted, other = (
        answering(untrained("symbolic", one, y, monkeypatch), said) for one in (teacher, shy)
    )
    expected, found = open_hearted.fidelity(X, y), other.fidelity(X, y)
    assert np.isnan(found.pop("teacher_log_loss"))
    assert expected.pop("teacher_log_loss") == pytest.approx(log_loss(y, teacher.predict_proba(X)))
    assert found == pytest.approx(expected, rel=1e-6)
    assert shown_r2(other) == pytest.approx(expected["prediction_r2"])


def test_probabilities_of_nought_and_one_have_an_end(monkeypatch):
    y = X[:, 0] > 0
    teacher = RandomForestClassifier(5, random_state=0).fit(X, y)
    assert (teacher.predict_proba(X) == 0).any()
    for family in ("rationale", "symbolic"):
        scores = untrained(family, teacher, y, monkeypatch)._adapter.scores(X)
        assert np.abs(scores).max() == pytest.approx(np.log(9999))


@pytest.mark.parametrize("target", ["binary", "softmax", "one-vs-all"])
@pytest.mark.parametrize("family", FAMILIES)
def test_with_y_classifiers_are_judged_by_auroc_and_log_loss(family, target, monkeypatch):
    teacher, y = TARGETS[target]
    model = answering(untrained(family, teacher.fit(X, y), y, monkeypatch), student_of(teacher))
    truth = np.where(NOISE[:, 0] > 1, np.roll(y, 1), y)  # so that nobody is perfect
    found, own, other = model.fidelity(X, truth), model.predict_proba(X), teacher.predict_proba(X)
    other /= other.sum(axis=1, keepdims=True)
    for name, chances in (("", own), ("teacher_", other)):
        chances = chances[:, 1] if target == "binary" else chances
        area = roc_auc_score(truth, chances, multi_class="ovr")
        assert found[f"{name}auroc"] == pytest.approx(area, abs=1e-9)
        assert found[f"{name}log_loss"] == pytest.approx(log_loss(truth, chances), rel=1e-5)
    assert "auroc" not in model.fidelity(X)
    assert "log_loss" not in model.fidelity(X)


def test_what_is_undefined_is_nan(monkeypatch):
    teacher, y = TARGETS["softmax"]
    model = answering(untrained("rationale", teacher.fit(X, y), y, monkeypatch), student_of(teacher))
    one = model.fidelity(X, np.ones(300, int))
    assert np.isnan(one["auroc"])
    assert np.isfinite(one["log_loss"])
    two = model.fidelity(X, y.clip(0, 1))
    each = [roc_auc_score(y.clip(0, 1) == k, model.predict_proba(X)[:, k]) for k in (0, 1)]
    assert two["auroc"] == pytest.approx(np.mean(each))
    unknown = model.fidelity(X, np.r_[7, y[1:]])
    assert np.isnan([unknown["auroc"], unknown["log_loss"], unknown["teacher_auroc"]]).all()
    assert unknown["score"] == pytest.approx(np.mean(model.predict(X)[1:] == y[1:]) * 299 / 300)
    broken = answering(model, np.full((300, 3), np.nan))
    assert np.isnan(broken.fidelity(X, y)["auroc"])


def test_a_rare_class_that_accuracy_does_not_see():
    from skrationale.metrics.labels import label_measures

    y = np.arange(200) < 10
    always_no = np.column_stack([np.full(200, 0.95), np.full(200, 0.05)])
    good = np.column_stack([0.55 - 0.3 * y, 0.45 + 0.3 * y]) - 0.2 * np.c_[-np.ones(200), np.ones(200)]
    assert label_measures(y, always_no, [False, True])["auroc"] == 0.5
    assert label_measures(y, good, [False, True])["auroc"] == 1.0
    assert label_measures(y, always_no, [False, True])["log_loss"] == pytest.approx(0.1985, abs=1e-3)
    words = label_measures(np.where(y, "yes", "no").astype(object), good, np.array(["no", "yes"]))
    assert words["auroc"] == 1.0


def test_regressors_have_neither(monkeypatch):
    teacher, y = TARGETS["numbers"]
    model = answering(untrained("gbdt2nn", teacher.fit(X, y), y, monkeypatch), student_of(teacher))
    assert set(model.fidelity(X, y)) == {"prediction_r2", "score", "teacher_score"}


@pytest.mark.parametrize(
    ("teacher", "error", "match"),
    [
        (
            SVC(decision_function_shape="ovo"),
            ValueError,
            "The largest score from decision_function of SVC is not that of the",
        ),
        (RidgeClassifier(), None, None),
    ],
)
def test_margins_of_pairs_of_classes_are_no_scores_of_classes(teacher, error, match, monkeypatch):
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    model = untrained("symbolic", teacher.fit(X, y), y, monkeypatch)
    if error is None:
        np.testing.assert_allclose(model._adapter.scores(X), teacher.decision_function(X))
        return
    with pytest.raises(error, match=match):
        model._adapter.scores(X)


class Strange(LogisticRegression):
    def predict_proba(self, X):
        return self.told(super().predict_proba(X))


@pytest.mark.parametrize(
    ("told", "match"),
    [
        (np.log, "predict_proba of Strange gave no probabilities in 300 of 300 rows"),
        (np.zeros_like, "gave no probabilities in 300 of 300 rows; expected numbers from 0 to 1, not all"),
        (lambda p: p[:, :1], r"gave scores of shape \(300, 1\), 0 of them not finite; expected 2"),
        (lambda p: p * np.nan, "600 of them not finite"),
    ],
    ids=["logarithms", "zeros", "one column", "nan"],
)
@pytest.mark.parametrize("family", ["rationale", "symbolic"])
def test_answers_that_are_no_probabilities_are_refused(family, told, match, monkeypatch):
    y = X[:, 0] > 0
    teacher = Strange().fit(X, y)
    teacher.told = told
    with pytest.raises(ValueError, match=match):
        untrained(family, teacher, y, monkeypatch)._adapter.scores(X)


class Path(BaseEstimator):
    """A path of one fitted teacher."""

    lambda_path_: ClassVar = [{"jacobian_lambda": 0.0, "mean_grad_norm": 1.0}]

    def fit(self, X, y, sample_weight=None):
        return self

    def at_lambda(self, value):
        return LogisticRegression(C=1e4).fit(X, np.where(X[:, 0] > 0, "yes", "no"))


def test_along_a_path_fidelity_is_on_the_same_ruler(monkeypatch):
    """Each stage of SymbolicDistillerCV, on its held-out rows."""
    y = np.where(X[:, 0] > 0, "yes", "no")
    far = {"_scores": lambda self, matrix: 100 * X[: len(matrix), :1]}
    path = Path()
    monkeypatch.setattr(SymbolicDistiller, "_distil", lambda self, *data: None)
    for name, value in far.items():
        monkeypatch.setattr(SymbolicDistiller, name, value)
    search = SymbolicDistillerCV()
    monkeypatch.setattr(search, "_default_teacher", lambda *args: path)
    monkeypatch.setattr(search, "_are_classes", lambda y: True)
    monkeypatch.setattr(search, "_configure", lambda teacher: teacher)
    rows = np.arange(300)
    (stage,) = search._measure(X, y, None, rows, rows, np.inf)
    teacher = np.clip(path.at_lambda(0).decision_function(X), *np.log([1 / 9999, 9999]))
    own = np.clip(100 * X[:, 0], *np.log([1 / 9999, 9999]))
    expected = 1 - ((own - teacher) ** 2).sum() / ((teacher - teacher.mean()) ** 2).sum()
    assert stage["fidelity_r2"] == pytest.approx(expected)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_an_interpreter_and_its_network_are_measured_alike(n_classes):
    y = np.digitize(X[:, 0], [0] if n_classes == 2 else [-0.5, 0.5])
    teacher = LogisticRegression(C=1e4).fit(X, y)
    model, scores = FLINTClassifier(), teacher.decision_function(X).reshape(300, -1)
    own = scores + 30 * (scores > 10) + (10 * NOISE[:, :1] if n_classes == 3 else 0.5 * NOISE[:, :1])
    model._task, model._read = Task.of_classes(teacher.classes_), lambda X: X
    model._model = SimpleNamespace(answers=lambda matrix: (scores, own), interpret=lambda phi: phi)
    found = model.fidelity(X, y)
    assert found["model_log_loss"] == pytest.approx(log_loss(y, teacher.predict_proba(X)), abs=1e-6)
    chances = teacher.predict_proba(X)[:, 1] if n_classes == 2 else teacher.predict_proba(X)
    assert found["model_auroc"] == pytest.approx(roc_auc_score(y, chances, multi_class="ovr"))
    assert found["interpreter_auroc"] > 0.9
    assert found["prediction_r2"] > 0.98
    assert found["interpreter_log_loss"] > 0


def test_expit_and_margins_meet():
    from skrationale.explanation.ruler import log_odds, on_ruler

    margins = np.linspace(-60, 60, 101)[:, None]
    probabilities = expit(np.hstack([-margins, margins]))
    np.testing.assert_allclose(log_odds(probabilities), on_ruler(margins, "logit", 2), atol=1e-9)
    scores = 20 * NOISE[:, :3]
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    once = log_odds(shares / shares.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(once, on_ruler(scores + NOISE[:, 3:], "softmax", 3), atol=1e-9)
    np.testing.assert_allclose(on_ruler(once, "softmax", 3), once, atol=1e-12)
    assert (on_ruler(margins, "logit", 1) == 0).all()
