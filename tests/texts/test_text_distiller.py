"""TextRationaleDistiller: words arrive, labels are not needed, and leaking teachers are refused."""

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier, is_regressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skrationale import TextRationaleClassifier, TextRationaleDistiller, TextRationaleRegressor
from skrationale.datasets import make_texts
from skrationale.rationale.text import _distiller
from skrationale.serving import load, save, serving_copy

TEXTS, Y, TRUTH = make_texts(1100, n_words=16, random_state=0)
NEW = TEXTS[900:]
QUICK = {"hidden_layer_sizes": (4,), "max_epochs": 2, "lr": 1e-2, "random_state": 0, "max_features": 3}
LABELS = np.array(["no", "yes"])[Y]


@pytest.fixture(scope="module")
def teacher():
    settings = {"hidden_layer_sizes": (16, 16), "max_epochs": 6, "lr": 1e-2, "random_state": 0}
    return TextRationaleClassifier(max_features=3, **settings).fit(TEXTS[:900], LABELS[:900])


def student(teacher, **options):
    return TextRationaleDistiller(FrozenEstimator(teacher), **QUICK | options)


def test_the_teachers_words_arrive_with_few_labels(teacher):
    settings = {"max_epochs": 10, "hidden_layer_sizes": (8, 8)}
    few = student(teacher, **settings).fit(TEXTS[:60], LABELS[:60], unlabelled=TEXTS[60:400])
    alone = TextRationaleClassifier(**QUICK | settings).fit(TEXTS[:60], LABELS[:60])
    assert few.n_unlabelled_ == 340
    assert few.teacher_ is teacher
    found = few.fidelity(NEW, LABELS[900:])
    assert found["rationale_jaccard"] > 0.6
    assert found["score"] > alone.score(NEW, LABELS[900:]) + 0.1
    assert found["teacher_score"] == teacher.score(NEW, LABELS[900:])
    assert {"prediction_r2", "auroc", "teacher_log_loss"} <= set(found)


def test_selection_and_prediction_can_be_learnt_alone(teacher):
    answers = [
        student(teacher, distill=distill, alpha=alpha).fit(TEXTS[:100], LABELS[:100]).decision_function(NEW)
        for distill, alpha in (("both", 0.3), ("rationale", 0.3), ("prediction", 0.3), ("both", "anneal"))
    ]
    for i, one in enumerate(answers):
        assert np.isfinite(one).all()
        assert all(not np.array_equal(one, other) for other in answers[i + 1 :])


def test_any_classifier_or_regressor_of_texts_teaches_predictions():
    black_box = make_pipeline(TfidfVectorizer(), LogisticRegression())
    model = TextRationaleDistiller(black_box, **QUICK).fit(
        TEXTS[:200], LABELS[:200], unlabelled=TEXTS[200:250]
    )
    assert is_classifier(model)
    assert "rationale_jaccard" not in model.fidelity(NEW)
    assert model.teacher_audit_ is None
    assert not hasattr(black_box, "classes_")
    numbers = TextRationaleDistiller(make_pipeline(TfidfVectorizer(), Ridge()), **QUICK)
    assert is_regressor(numbers)
    assert np.isfinite(numbers.fit(TEXTS[:100], Y[:100] * 3.5, unlabelled=TEXTS[100:150]).predict(NEW)).all()
    several = np.array(["a", "b", "c"])[Y[:150] + np.arange(150) % 2]
    third = clone(model).fit(TEXTS[:150], several, unlabelled=TEXTS[150:200])
    np.testing.assert_allclose(third.predict_proba(NEW).sum(axis=1), 1)


def test_the_default_teacher_follows_the_target_and_a_served_student_has_none(tmp_path):
    model = TextRationaleDistiller(audit_teacher=False, **QUICK).fit(TEXTS[:30], LABELS[:30])
    assert isinstance(model.teacher_, TextRationaleClassifier)
    numbers = TextRationaleDistiller(audit_teacher=False, **QUICK).fit(
        TEXTS[:30], np.linspace(0, 1.5, 30) ** 2
    )
    assert isinstance(numbers.teacher_, TextRationaleRegressor)
    assert is_regressor(numbers)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(NEW), model.predict_proba(NEW))
    pytest.importorskip("skops")
    served = load(save(serving_copy(model), tmp_path / "model.skops"))
    np.testing.assert_array_equal(served.predict_proba(NEW), model.predict_proba(NEW))
    with pytest.raises(AttributeError, match="copy without its teacher"):
        served.fidelity(NEW)
    with pytest.raises(ValueError, match="copy without its teacher"):
        clone(served).fit(TEXTS[:30], LABELS[:30])


@pytest.mark.parametrize(
    ("findings", "leak", "refused"),
    [(("leak",), 0.2, True), (("telling",), 0.0, True), (("leak",), 0.05, False), ((), 0.2, False)],
)
def test_a_leaking_teacher_is_refused(teacher, monkeypatch, findings, leak, refused):
    report = SimpleNamespace(findings=findings, leak=leak, verdict="It leaks.")
    monkeypatch.setattr(_distiller, "audit_texts", lambda *_, **__: report)
    model = student(teacher, max_epochs=1)
    if refused:
        with pytest.raises(
            ValueError, match="masks reveal the label, and the student would inherit this. It leaks."
        ):
            model.fit(TEXTS[:500], LABELS[:500])
        assert not hasattr(model, "teacher_")
        assert student(teacher, max_epochs=1).fit(TEXTS[:60], LABELS[:60]).teacher_audit_ is None
    else:
        assert model.fit(TEXTS[:500], LABELS[:500]).teacher_audit_ is report


def test_an_honest_teacher_is_audited(teacher):
    audit = student(teacher, max_epochs=1).fit(TEXTS[:600], LABELS[:600]).teacher_audit_
    assert audit.n_rows == 600
    assert audit.leak < 0.1
    assert "telling" not in audit.findings


class TwoLabels(ClassifierMixin, BaseEstimator):
    """Two labels for each text, with nothing that would say so before it is asked."""

    def fit(self, X, y):
        self.classes_ = np.arange(2)
        return self

    def predict(self, X):
        return np.ones((len(X), 2))

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.75)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_teachers_of_several_targets_are_refused():
    texts, y = TEXTS[:100], Y[:100]
    two = np.column_stack([y, 1 - y])
    network = make_pipeline(TfidfVectorizer(), MLPClassifier((4,), max_iter=5, random_state=0))
    line = make_pipeline(TfidfVectorizer(), Ridge())
    for model, target in ((network, y), (line, y * 1.5), (TwoLabels(), y)):
        with pytest.raises(
            ValueError, match=rf"'teacher' parameter .* Got {type(model).__name__} with 2 targets"
        ):
            student(model.fit(texts, two)).fit(texts, target)


def test_teachers_that_cannot_teach_are_refused(teacher):
    for change, message in (
        ({"unit": "sentence"}, "The teacher has unit='word' and TextRationaleDistiller unit='sentence'"),
        ({"max_length": 7}, "The teacher has max_length=512 and .* max_length=7"),
        ({"temperature": (1.0, 2.0)}, "'temperature' parameter"),
        ({"alpha": 2.0}, "'alpha' parameter .* Got 2.0"),
    ):
        with pytest.raises(ValueError, match=message):
            student(teacher, **change).fit(TEXTS[:50], LABELS[:50])
    with pytest.raises(TypeError, match="classifier with predict_proba. Got LinearSVC"):
        TextRationaleDistiller(LinearSVC(), **QUICK).fit(TEXTS[:50], LABELS[:50])
    with pytest.raises(
        ValueError, match="distill='rationale' needs a teacher that selects words; Ridge does not"
    ):
        TextRationaleDistiller(Ridge(), distill="rationale", **QUICK).fit(TEXTS[:50], Y[:50])
    with pytest.raises(TypeError, match="unlabelled is one str"):
        student(teacher).fit(TEXTS[:50], LABELS[:50], unlabelled="a text")
    with pytest.raises(ValueError, match="maybe"):
        student(teacher).fit(TEXTS[:50], np.where(Y[:50], "yes", "maybe"))


class Unsure(ClassifierMixin, BaseEstimator):
    """Is right in sign, and never surer than 70 %."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        yes = np.array([0.7 if text.count("good") > text.count("bad") else 0.3 for text in X])
        return np.column_stack([1 - yes, yes])

    def predict(self, X):
        return self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)]


def test_probabilities_are_fitted_to_those_of_the_teacher_where_there_are_no_labels():
    """Its answers alone, yes or no, would make a student surer than its teacher."""
    model = TextRationaleDistiller(
        Unsure(), alpha=0.0, **QUICK | {"hidden_layer_sizes": (8, 8), "max_epochs": 4}
    )
    model.fit(TEXTS[:40], LABELS[:40], unlabelled=TEXTS[40:900])
    assert model.predict_proba(NEW).max(axis=1).mean() < 0.65
