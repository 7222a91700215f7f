"""What one may expect of RationaleDistiller beyond the promises of all estimators."""

import pickle
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from seeds import SEED
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import skrationale.rationale._distiller as room
from skrationale import to_lightgbm
from skrationale.datasets import make_syn
from skrationale.metrics import explanation_fidelity
from skrationale.rationale._audit_report import RationaleAudit
from skrationale.rationale._distiller import RationaleDistiller
from skrationale.rationale._estimator import RationaleClassifier, RationaleRegressor
from skrationale.rationale._joint import Distillation
from skrationale.rationale._selecting import SelectsColumns
from skrationale.rationale._teacher_selection import MAX_LOGIT, selection_of
from skrationale.symbolic import SmoothMLPRegressor
from skrationale.teachers import teacher_for

SMALL = {"hidden_layer_sizes": (16, 16), "lr": 5e-3, "device": "cpu", "random_state": SEED}
FAST = SMALL | {"max_epochs": 10}
BRIEF = SMALL | {"max_epochs": 2, "weight_decay": 1e-3}
TREES = {"n_estimators": 15, "num_leaves": 7, "verbose": -1, "n_jobs": 1, "random_state": SEED}


def student(teacher=None, **changes):
    return RationaleDistiller(teacher, **FAST | {"audit_teacher": False} | changes)


def brief(teacher=None, **changes):
    """A student for tests in which it need not learn much."""
    return student(teacher, **BRIEF | changes)


def line(n=400, seed=0):
    """Rows, and a number that is a sum of the first two of six columns and some noise."""
    rng = np.random.RandomState(seed + SEED)
    X = rng.normal(size=(n, 6))
    return X, 2 * X[:, 0] - X[:, 1] + 0.3 * rng.normal(size=n)


def labels(n=400, seed=0):
    X, number = line(n, seed)
    return X, np.where(number > 0, "yes", "no")


def jaccard(one, other):
    return ((one & other).sum(axis=1) / np.maximum((one | other).sum(axis=1), 1)).mean()


@pytest.fixture(scope="module")
def syn():
    """Rows of Syn4 and a fitted teacher."""
    X, y, _ = make_syn(4, 3000, random_state=1 + SEED)
    teacher = RationaleClassifier(screening=False, weight_decay=1e-3, device="cpu", random_state=SEED)
    return X, y, teacher.fit(X, y)


@pytest.fixture(scope="module")
def follower(syn):
    """A student of the teacher, fitted on the same rows."""
    X, y, teacher = syn
    return RationaleDistiller(
        FrozenEstimator(teacher),
        max_epochs=30,
        weight_decay=1e-3,
        audit_teacher=False,
        device="cpu",
        random_state=SEED,
    ).fit(X, y)


@pytest.fixture(scope="module")
def two():
    """Rows with two labels and a teacher that was fitted for a moment."""
    X, y = labels()
    return X, y, RationaleClassifier(max_features=2, **FAST | {"weight_decay": 1e-3}).fit(X, y)


@pytest.fixture
def verdict(monkeypatch):
    """Let audits find what a test wants, and count them."""
    found = SimpleNamespace(findings=("leak",), verdict="Said by a test.", asked=[])

    def audit(model, X, y, **settings):
        found.asked.append((model, X, y, settings))
        return found

    monkeypatch.setattr(SelectsColumns, "audit", audit)
    return found


class TestStudent:
    def test_masks_are_the_teachers_on_new_rows(self, syn, follower):
        X, y, true = make_syn(4, 3000, random_state=2 + SEED)
        teacher, mask = syn[2], follower.get_rationale(X)
        assert jaccard(mask, teacher.get_rationale(X)) > 0.9
        assert jaccard(mask, true) > 0.85
        assert np.corrcoef(follower.decision_function(X), teacher.decision_function(X))[0, 1] > 0.9
        assert follower.score(X, y) > teacher.score(X, y) - 0.08

    def test_it_is_a_small_model_like_its_teacher(self, syn, follower):
        assert follower.teacher_ is syn[2]
        assert follower._model.hidden == (16, 16)
        assert follower.classes_.tolist() == [0, 1]
        assert {"selection", "prediction"} == {row["stage"] for row in follower.history_}
        terms = {name for row in follower.history_ if row["stage"] == "selection" for name in row}
        assert {"train_task", "train_rationale", "train_prediction"} <= terms

    def test_fidelity_compares_reasons_and_scores(self, follower):
        X, y, _ = make_syn(4, 1000, random_state=3 + SEED)
        measured = follower.fidelity(X, y)
        assert measured["score"] == follower.score(X, y)
        assert measured["teacher_score"] == follower.teacher_.score(X, y)
        plain = student(FrozenEstimator(LogisticRegression().fit(X, y)), **BRIEF).fit(X, y).fidelity(X, y)
        reasons = explanation_fidelity(follower.explain(X).values, follower.teacher_.explain(X).values)
        assert reasons
        assert set(measured) - set(plain) == set(reasons)
        assert {name: measured[name] for name in reasons} == reasons
        assert "score" not in follower.fidelity(X)

    def test_columns_that_the_teacher_never_selects_are_never_selected(self):
        X, y = line()
        teacher = RationaleRegressor(max_features=2, **FAST | {"weight_decay": 1e-3}).fit(X, y)
        ever = teacher.get_rationale(X).any(axis=0)
        assert 2 <= ever.sum() < 5
        settings = {"alpha": 1.0, "max_features": int(ever.sum()), "weight_decay": 1e-3}
        model = student(FrozenEstimator(teacher), **settings).fit(X, y)
        mask = model.get_rationale(5 * line(3000, seed=1)[0])
        np.testing.assert_array_equal(mask, np.tile(ever, (3000, 1)))
        assert "screening" not in {row["stage"] for row in model.history_}
        model = student(FrozenEstimator(teacher), weight_decay=1e-3).fit(X, y)
        assert not model.get_rationale(X)[:, ~ever].any()

    @pytest.mark.parametrize("wanted", [5, 5 / 6])
    def test_more_columns_than_the_teacher_selects_are_found_when_asked_for(self, two, wanted):
        X, y, teacher = two
        assert teacher.get_rationale(X).any(axis=0).sum() < 5
        mask = brief(FrozenEstimator(teacher), max_features=wanted).fit(X, y).get_rationale(X)
        assert mask.sum(axis=1).mean() == pytest.approx(5, abs=0.0 if wanted == 5 else 0.2)

    def test_columns_that_never_vary_are_never_selected(self, two):
        X, y, teacher = two
        X = X.copy()
        X[:, 0] = 1.0
        model = brief(FrozenEstimator(teacher)).fit(X, y)
        assert not model.get_rationale(X)[:, 0].any()

    def test_a_rate_and_a_number_are_met(self, two):
        X, y, teacher = two
        model = brief(FrozenEstimator(teacher), max_features=1).fit(X, y)
        assert (model.get_rationale(X).sum(axis=1) == 1).all()
        model = brief(FrozenEstimator(teacher), max_features=0.2).fit(X, y)
        assert model.mean_n_selected_ == pytest.approx(1.2, abs=0.2)

    def test_clones_and_copies_predict_the_same(self, two):
        X, y, teacher = two
        model = brief(FrozenEstimator(teacher)).fit(X, y)
        answer = model.predict_proba(X)
        copy = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(copy.predict_proba(X), answer)
        np.testing.assert_array_equal(copy.get_rationale(X), model.get_rationale(X))
        assert copy.fidelity(X, y) == model.fidelity(X, y)
        again = clone(model)
        assert not hasattr(again, "teacher_")
        np.testing.assert_array_equal(again.fit(X, y).predict_proba(X), answer)

    def test_rows_without_weight_have_no_influence(self, two):
        X, y, teacher = two
        X, kept = X.copy(), np.arange(400) % 3 > 0
        X[~kept] = 50.0
        weighted = brief(FrozenEstimator(teacher)).fit(X, y, sample_weight=kept.astype(float))
        left_out = brief(FrozenEstimator(teacher)).fit(X[kept], y[kept])
        np.testing.assert_allclose(weighted.predict_proba(X), left_out.predict_proba(X), rtol=1e-6)
        np.testing.assert_array_equal(weighted.get_rationale(X), left_out.get_rationale(X))


class TestDistillation:
    def test_annealing_rises_from_nothing_to_all(self):
        distillation = Distillation("anneal", 0.5, "both")
        shares = [distillation.share_of_labels(tau, (5.0, 0.1)) for tau in (5.0, 2.55, 0.1)]
        assert shares == pytest.approx([0.0, 0.5, 1.0])

    def test_without_labels_it_learns_what_the_teacher_thinks(self):
        X, y = labels()
        teacher = LogisticRegression().fit(X, y)
        wrong = np.where(y == "yes", "no", "yes")
        from_teacher, own = (
            student(FrozenEstimator(teacher), alpha=alpha, weight_decay=1e-3).fit(X, wrong)
            for alpha in (0.0, 1.0)
        )
        assert from_teacher.score(X, y) > 0.85
        assert own.score(X, wrong) > 0.85

    def test_all_ways_to_distil_differ(self, two):
        X, y, teacher = two
        ways = [{}, {"distill": "rationale"}, {"distill": "prediction"}, {"alpha": "anneal"}]
        ways += [{"alpha": 0.9}, {"rationale_lambda": 5.0}, {"temperature": (2.0, 0.5)}]
        answers = [brief(FrozenEstimator(teacher), **way).fit(X, y).explain(X).values for way in ways]
        assert all(not np.array_equal(answers[i], answers[j]) for i in range(len(ways)) for j in range(i))

    def test_predictions_alone_do_not_ask_for_reasons(self, two, monkeypatch):
        X, y, teacher = two

        def refuse(*args):
            raise AssertionError("asked for reasons")

        monkeypatch.setattr(room, "selection_of", refuse)
        model = brief(FrozenEstimator(teacher), distill="prediction").fit(X, y)
        assert not any("train_rationale" in row for row in model.history_)
        with pytest.raises(AssertionError, match="asked for reasons"):
            brief(FrozenEstimator(teacher)).fit(X, y)

    def test_reasons_alone_need_a_teacher_that_has_some(self, two):
        X, y, teacher = two
        with pytest.raises(ValueError, match="distill='rationale' needs a teacher.*LogisticRegression does"):
            brief(LogisticRegression(), distill="rationale").fit(X, y)
        model = brief(FrozenEstimator(teacher), distill="rationale").fit(X, y)
        assert not any("train_prediction" in row for row in model.history_)
        assert any("train_rationale" in row for row in model.history_)


class TestTeachers:
    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_trees_select_what_is_more_than_average_in_their_row(self, n_classes):
        X, number = line()
        y = np.digitize(number, [0] if n_classes == 2 else [-1, 1])
        teacher = LGBMClassifier(**TREES).fit(X, y)
        logits, columns = selection_of(teacher_for(teacher), X)
        sizes = teacher.predict(X, pred_contrib=True).reshape(400, -1, 7)[:, :, :6]
        sizes = np.abs(sizes).sum(axis=1)
        np.testing.assert_array_equal(logits > 0, sizes > sizes.mean(axis=1, keepdims=True))
        clear = np.abs(logits) < MAX_LOGIT
        expected = np.log(np.maximum(sizes, 1e-300) / sizes.mean(axis=1, keepdims=True))
        np.testing.assert_allclose(logits[clear], expected[clear], rtol=1e-6)
        assert np.abs(logits).max() <= MAX_LOGIT
        assert columns is None
        asked = teacher_for(teacher)
        np.testing.assert_allclose(asked.task.probabilities(asked.scores(X)), teacher.predict_proba(X))
        model = student(clone(teacher), weight_decay=1e-3).fit(X, y)
        assert model.score(X, y) > 0.8
        assert model.selection_frequencies_[0] > 0.7
        assert any("train_rationale" in row for row in model.history_)

    @pytest.mark.parametrize("n_rows", [100, 400])  # few rows are explained without tables
    def test_forests_of_other_libraries_select_too(self, n_rows):
        X, number = line()
        teacher = RandomForestRegressor(20, max_depth=4, random_state=0).fit(X, number)
        logits, columns = selection_of(teacher_for(teacher), X[:n_rows])
        sizes = np.abs(to_lightgbm(teacher).predict(X[:n_rows], pred_contrib=True)[:, :-1])
        np.testing.assert_array_equal(logits > 0, sizes > sizes.mean(axis=1, keepdims=True))
        assert columns is None
        model = student(FrozenEstimator(teacher), distill="rationale").fit(X, number)
        assert any("train_rationale" in row for row in model.history_)

    def test_trees_without_a_split_select_nothing(self):
        X, y = labels(60)
        teacher = LGBMClassifier(**TREES | {"min_child_samples": 50}).fit(X, y)
        assert (selection_of(teacher_for(teacher), X)[0] < 0).all()

    def test_a_rationale_model_selects_its_rationale(self, two):
        X, _, teacher = two
        logits, columns = selection_of(teacher_for(teacher), X)
        np.testing.assert_array_equal(logits > 0, teacher.get_rationale(X))
        np.testing.assert_array_equal(columns, np.flatnonzero(teacher.get_rationale(X).any(axis=0)))
        scores = teacher_for(teacher, raw=True).scores(X)
        np.testing.assert_array_equal(scores[:, 0], teacher.decision_function(X))

    def test_a_teacher_that_explains_itself_is_asked(self):
        X, y = line()
        teacher = SmoothMLPRegressor(
            hidden_layer_sizes=(8,), max_epochs=10, jacobian_lambda=0.01, device="cpu", random_state=SEED
        ).fit(X, y)
        logits, columns = selection_of(teacher_for(teacher), X)
        sizes = np.abs(teacher.explain(X).values)
        np.testing.assert_array_equal(logits > 0, sizes > sizes.mean(axis=1, keepdims=True))
        assert columns is None
        model = student(FrozenEstimator(teacher), distill="rationale", weight_decay=1e-3).fit(X, y)
        assert model.selection_frequencies_[0] > 0.5

    def test_a_black_box_teaches_its_predictions(self):
        X, y = labels()
        teacher = make_pipeline(StandardScaler(), LogisticRegression())
        assert selection_of(teacher_for(clone(teacher).fit(X, y)), X) == (None, None)
        model = student(teacher, weight_decay=1e-3).fit(X, y)
        assert model.score(X, y) > 0.85
        assert np.corrcoef(model.decision_function(X), model.teacher_.decision_function(X))[0, 1] > 0.8
        assert not hasattr(teacher[-1], "coef_")  # a clone was fitted
        assert not any("train_rationale" in row for row in model.history_)

    def test_sure_probabilities_become_finite_scores(self):
        X, y = labels()

        class Sure(LogisticRegression):
            def predict_proba(self, X):
                return np.eye(2)[(super().predict_proba(X)[:, 1] > 0.5).astype(int)]

        teacher = Sure().fit(X, y)
        scores = teacher_for(teacher).scores(X)
        np.testing.assert_allclose(np.abs(scores), np.log(9999), rtol=1e-6)
        np.testing.assert_array_equal(scores[:, 0] > 0, teacher.predict(X) == "yes")

    @pytest.mark.parametrize(
        "teacher",
        [LinearRegression(), LGBMRegressor(**TREES), RandomForestRegressor(10, random_state=SEED)],
        ids=["linear", "trees", "forest"],
    )
    def test_regressors_teach_numbers_in_their_units(self, teacher):
        X, y = line()
        model = student(teacher, alpha=0.0, weight_decay=1e-3, max_epochs=20).fit(X, 1000 * y + 5000)
        assert not hasattr(model, "classes_")
        assert model.score(X, 1000 * y + 5000) > 0.75
        assert abs(model.predict(X).mean() - 5000) < 300
        assert model.teacher_.predict(X).std() > 1000

    def test_the_default_teacher_is_for_the_kind_of_target(self):
        X, number = line(120)
        settings = {"max_features": 2, "verbose": 0}
        for y, kind in ((number > 0, RationaleClassifier), (number, RationaleRegressor)):
            made = RationaleDistiller(**BRIEF | settings)._default_teacher(kind is RationaleClassifier, X)
            assert type(made) is kind
            assert made.max_features == 2
            assert made._layer_sizes() == (64, 64)
            made.set_params(max_epochs=1, weight_decay=1e-3)
            asked = []
            model = brief(**settings)
            model._default_teacher = lambda *args, made=made, asked=asked: asked.append(args[0]) or made
            model.fit(X, y)
            assert asked == [kind is RationaleClassifier]
            assert type(model.teacher_) is kind

    def test_a_classifier_without_probabilities_is_refused(self):
        X, y = labels()
        for teacher in (LinearSVC(), FrozenEstimator(LinearSVC().fit(X, y))):
            with pytest.raises(TypeError, match="classifier with predict_proba. Got LinearSVC instead"):
                brief(teacher).fit(X, y)

    def test_a_teacher_of_other_columns_or_classes_is_refused(self, two):
        X, y, teacher = two
        with pytest.raises(ValueError, match="fitted on 6 columns, but X has 4; expected the same columns"):
            brief(FrozenEstimator(teacher)).fit(X[:, :4], y)
        with pytest.raises(
            ValueError, match=r"label\(s\) \['maybe'\] that are not among the classes of the fitted model"
        ):
            brief(FrozenEstimator(teacher)).fit(X, np.where(X[:, 0] > 1, "maybe", y))

    def test_a_teacher_may_know_more_classes(self):
        X, number = line()
        teacher = LogisticRegression().fit(X, np.digitize(number, [-1, 1]))
        kept = number < 1
        model = brief(FrozenEstimator(teacher)).fit(X[kept], np.digitize(number, [-1, 1])[kept])
        assert model.classes_.tolist() == [0, 1, 2]
        assert model.predict_proba(X).shape == (400, 3)
        assert np.isfinite(model.predict_proba(X)).all()


class TestAudit:
    def test_a_leaking_teacher_warns(self, two, verdict):
        X, y, teacher = two
        with pytest.warns(
            UserWarning, match=r"masks reveal the label, and the student inherits this. Said by a test\."
        ):
            model = brief(FrozenEstimator(teacher), audit_teacher=True).fit(X, y)
        assert model.teacher_audit_ is verdict
        ((asked, rows, target, settings),) = verdict.asked
        assert asked is teacher
        assert rows is X
        np.testing.assert_array_equal(target, y)
        assert settings == {"n_refits": 0, "max_rows": 5000, "random_state": 0}

    def test_other_findings_do_not_warn(self, two, verdict):
        X, y, teacher = two
        verdict.findings = ("insufficient", "unsupported")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = brief(FrozenEstimator(teacher), audit_teacher=True).fit(X, y)
        assert model.teacher_audit_ is verdict

    def test_an_honest_teacher_does_not_warn(self, two):
        X, y, teacher = two
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = brief(FrozenEstimator(teacher), audit_teacher=True).fit(X, y)
        assert isinstance(model.teacher_audit_, RationaleAudit)
        assert "leak" not in model.teacher_audit_.findings
        assert model.teacher_audit_.n_rows == 400

    def test_no_audit_unless_there_is_something_to_audit(self, two, verdict):
        X, y, teacher = two
        for model, n in (
            (brief(FrozenEstimator(teacher), audit_teacher=False), 400),
            (brief(FrozenEstimator(teacher), audit_teacher=True), 99),
            (brief(LogisticRegression(), audit_teacher=True), 400),
        ):
            assert model.fit(X[:n], y[:n]).teacher_audit_ is None
        assert verdict.asked == []

    @pytest.mark.parametrize("kind", [RationaleClassifier, RationaleRegressor])
    def test_a_constant_target_is_learnt_without_an_audit(self, kind):
        X, _ = line(200)
        y = np.full(200, 3)
        model = brief(kind(**BRIEF), audit_teacher=True).fit(X, y)
        assert model.teacher_audit_ is None
        assert (model.predict(X) == 3).all()
