"""Any fitted model is asked in one vocabulary, by one object a fit."""

import pickle
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from seeds import SEED
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from xgboost import XGBClassifier

from skrationale import (
    Explanation,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    SymbolicDistiller,
)
from skrationale.explanation.ruler import LARGEST_LOG_ODDS, on_ruler
from skrationale.tabular import TableReader
from skrationale.teachers import TeacherTable, form_for, rows_for_teacher, teacher_for, teacher_of
from skrationale.teachers import lightgbm as of_lightgbm
from skrationale.teachers._own import OwnTeacher
from skrationale.teachers._scikit import AnyTeacher
from skrationale.teachers.lightgbm import LightGBMOnRuler, LightGBMTeacher

TREES = {"n_estimators": 8, "num_leaves": 7, "verbose": -1, "n_jobs": 1, "random_state": SEED}
NET = {"hidden_layer_sizes": (4,), "max_epochs": 3, "random_state": SEED, "device": "cpu"}
BRIEF = NET | {"weight_decay": 1e-3, "early_stopping": False}
N = 200
rng = np.random.RandomState(SEED)
X = pd.DataFrame(rng.normal(size=(N, 3)), columns=["a", "b", "c"])
SCORE = (X["a"] + 2 * X["b"]).to_numpy()
TARGETS = {
    "numbers": SCORE,
    "two": np.where(SCORE > 0, "yes", "no"),
    "three": np.digitize(SCORE, [-1, 1]),
    "counts": rng.poisson(np.exp(SCORE.clip(-2, 2))),
}
MODELS = {
    "trees of numbers": (LGBMRegressor(**TREES), "numbers"),
    "trees of counts": (LGBMRegressor(objective="poisson", **TREES), "counts"),
    "trees of two": (LGBMClassifier(**TREES), "two"),
    "trees of three": (LGBMClassifier(**TREES), "three"),
    "trees one against all": (LGBMClassifier(objective="multiclassova", **TREES), "three"),
    "line": (Ridge(), "numbers"),
    "pipeline": (make_pipeline(StandardScaler(), LogisticRegression()), "three"),
    "margins": (Perceptron(random_state=SEED), "two"),
    "rationale": (RationaleClassifier(**BRIEF), "three"),
    "smooth": (SmoothMLPRegressor(jacobian_lambda=0.01, **NET), "numbers"),
}


@pytest.fixture(scope="module")
def fitted():
    """Each model fitted once."""
    return {name: model.fit(X, TARGETS[target]) for name, (model, target) in MODELS.items()}


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_every_teacher_has_the_vocabulary(name, raw, fitted):
    model = fitted[name]
    teacher = teacher_for(model, raw=raw)
    scores, probabilities = teacher.answers(X)
    assert teacher.model is model
    assert scores.shape == (N, teacher.task.n_outputs)
    assert scores.dtype == np.float64
    np.testing.assert_array_equal(teacher.scores(X), scores)
    if teacher.task.is_classification:
        np.testing.assert_array_equal(teacher.task.predict(scores), model.predict(X))
        assert probabilities.shape == (N, len(model.classes_))
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        assert teacher.confidence == ("margin" if name == "margins" else "probability")
    else:
        np.testing.assert_allclose(teacher.task.predict(scores), model.predict(X), rtol=1e-12)
        assert probabilities is None
        assert teacher.confidence is None
    sizes, reasons = teacher.sizes(X), teacher.reasons(X)
    has_reasons = name in ("rationale", "smooth")
    assert isinstance(reasons, Explanation) is has_reasons
    assert (sizes is not None) is (has_reasons or name.startswith("trees"))
    if sizes is not None:
        assert sizes.shape == X.shape
        assert (sizes >= 0).all()


@pytest.mark.parametrize(
    ("name", "raw", "kind"),
    [
        ("trees of two", False, LightGBMOnRuler),
        ("trees of two", True, LightGBMTeacher),
        ("rationale", False, AnyTeacher),
        ("rationale", True, OwnTeacher),
        ("pipeline", False, AnyTeacher),
        ("pipeline", True, AnyTeacher),
    ],
)
def test_who_answers(name, raw, kind, fitted):
    assert type(teacher_for(fitted[name], raw=raw)) is kind


@pytest.mark.parametrize("name", [name for name in MODELS if name != "margins"])
def test_raw_scores_on_the_ruler_are_those_of_the_public_methods(name, fitted):
    raw, ruled = (teacher_for(fitted[name], raw=flag) for flag in (True, False))
    classes = ruled.task.classes
    found = on_ruler(raw.scores(X), raw.task.link, None if classes is None else len(classes))
    np.testing.assert_allclose(found, ruled.scores(X), rtol=1e-6, atol=1e-6)


def test_the_ruler_has_ends_and_raw_scores_have_none():
    sure = LGBMClassifier(n_estimators=200, learning_rate=1.0, verbose=-1, n_jobs=1).fit(X, TARGETS["two"])
    assert np.abs(teacher_for(sure).scores(X)).max() == pytest.approx(LARGEST_LOG_ODDS)
    assert np.abs(teacher_for(sure, raw=True).scores(X)).max() > LARGEST_LOG_ODDS


@pytest.mark.parametrize("kind", ["tree_shap", "path"])
@pytest.mark.parametrize("name", [name for name in MODELS if name.startswith("trees")])
def test_contributions_of_a_forest_add_up_to_its_raw_scores(name, kind, fitted):
    forest = teacher_for(fitted[name], raw=True)
    values, base = forest.contributions(kind)(X)
    assert values.shape == (N, forest.n_outputs, forest.n_features)
    np.testing.assert_allclose(base + values.sum(axis=-1), forest.scores(X), atol=1e-9)
    assert len(forest.splits()) == forest.n_features == 3


def test_reasons_come_back_by_the_columns_of_the_student():
    turned = ["c", "a", "b"]
    model = SmoothMLPClassifier(jacobian_lambda=0.01, **NET).fit(X[turned], TARGETS["two"])
    teacher = teacher_for(model, TeacherTable(np.array([2, 0, 1])))
    table = teacher.form.rows(X)
    assert list(table) == turned
    assert teacher.reasons(table).feature_names == ("a", "b", "c")
    values = model.explain(X[turned]).values
    np.testing.assert_array_equal(teacher.reasons(table).values, values[:, [1, 2, 0]])
    np.testing.assert_array_equal(teacher.sizes(table), np.abs(values))


@pytest.mark.parametrize("kind", [Ridge, LGBMRegressor])
def test_rows_and_their_codes_are_one_table(kind):
    table = X.assign(city=np.where(X["a"] > 0, "Ulm", "Bonn"))
    reader = TableReader().fit(table)
    form = form_for(kind(), reader, fitted=False)
    made = form.of_matrix(reader.transform(table))
    pd.testing.assert_frame_equal(made, form.rows(table), check_dtype=kind is LGBMRegressor)
    assert (str(made["city"].dtype) == "category") is (kind is LGBMRegressor)


@pytest.mark.parametrize("explanation", ["tree_shap", "path"])
def test_a_forest_is_read_once_a_fit(explanation, monkeypatch):
    made, original = [], of_lightgbm.LightGBMTeacher.__init__

    def counted(self, *args):
        made.append(args)
        original(self, *args)

    monkeypatch.setattr(of_lightgbm.LightGBMTeacher, "__init__", counted)
    model = GBDT2NNStudent(LGBMRegressor(**TREES), explanation=explanation, **NET).fit(X, SCORE)
    model.fidelity(X)
    model.teacher_explain(X)
    assert len(made) == 1


@pytest.mark.parametrize(
    "student",
    [
        GBDT2NNStudent(LGBMClassifier(**TREES), **NET),
        RationaleDistiller(LGBMClassifier(**TREES), audit_teacher=False, **BRIEF),
        RationaleDistiller(FrozenEstimator(GaussianNB().fit(X, TARGETS["two"])), **BRIEF),
    ],
    ids=["forest", "trees on the ruler", "any model"],
)
def test_a_pickled_student_can_still_ask_its_one_teacher(student):
    student.fit(X, TARGETS["two"])
    again = pickle.loads(pickle.dumps(student))
    assert again._adapter.model is again.teacher_
    rows = again._teacher_rows(X)
    np.testing.assert_array_equal(again._adapter.scores(rows), student._adapter.scores(rows))
    assert again.fidelity(X) == student.fidelity(X)


def test_teachers_of_students_of_this_package_and_others(fitted):
    student = RationaleDistiller(LGBMClassifier(**TREES), audit_teacher=False, **BRIEF)
    teacher = teacher_of(student.fit(X, TARGETS["two"]))
    assert teacher.model is student.teacher_
    np.testing.assert_array_equal(teacher.scores(rows_for_teacher(student, X)), student._adapter.scores(X))
    other = SimpleNamespace(teacher_=fitted["line"])
    assert teacher_of(other).task.link == "identity"
    assert list(rows_for_teacher(other, X[["c", "b", "a"]])) == ["a", "b", "c"]
    assert teacher_of(fitted["smooth"]) is None


def test_labels_alone_are_no_scores():
    class Labels(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return np.full(len(X), self.classes_[0])

    teacher = teacher_for(Labels().fit(X, TARGETS["two"]))
    assert teacher.confidence is None
    with pytest.raises(TypeError, match="Labels has neither predict_proba nor decision_function"):
        teacher.scores(X)


def test_a_library_is_imported_when_one_of_its_models_is_asked():
    code = """
import sys
import numpy as np
from sklearn.linear_model import Ridge
from skrationale.teachers import teacher_for
X = np.eye(3)
teacher_for(Ridge().fit(X, X[:, 0]), raw=True).scores(X)
print({"lightgbm", "torch", "skrationale.teachers.lightgbm", "skrationale.teachers._own"} & set(sys.modules))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


# --- several targets ------------------------------------------------------------------------------

BRIEF_MLP = {"hidden_layer_sizes": (4,), "max_iter": 5, "random_state": SEED}
OF_SEVERAL = {
    "network": MLPClassifier(**BRIEF_MLP),
    "pipeline": make_pipeline(StandardScaler(), MLPClassifier(**BRIEF_MLP)),
    "search": GridSearchCV(MLPClassifier(**BRIEF_MLP), {"alpha": [0.1]}, cv=2),
    "trees": RandomForestClassifier(n_estimators=3, random_state=SEED),
    "one against rest": OneVsRestClassifier(LogisticRegression()),
    "margins": RidgeClassifier(),
    "XGBoost": XGBClassifier(n_estimators=2, n_jobs=1),
    "network of numbers": MLPRegressor(**BRIEF_MLP),
    "line": LinearRegression(),
    "neighbours": KNeighborsRegressor(),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", OF_SEVERAL)
@pytest.mark.parametrize(
    "kind",
    [
        RationaleDistiller,
        SymbolicDistiller,
        lambda teacher: GBDT2NNStudent(teacher, explanation="permutation"),
    ],
)
def test_a_teacher_of_several_targets_is_refused(name, kind):
    numbers = X[["a", "b"]].to_numpy()
    model = OF_SEVERAL[name]
    labels = hasattr(model, "decision_function") or hasattr(model, "predict_proba")
    teacher = FrozenEstimator(model.fit(X, numbers > 0 if labels else numbers))
    named = type(model).__name__
    with pytest.raises(
        ValueError, match=rf"'teacher' parameter must predict 1 target .* Got {named} with 2 targets"
    ):
        kind(teacher).fit(X, (numbers[:, 0] > 0) if labels else numbers[:, 0])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_several_targets_of_pictures_are_refused():
    pictures = np.random.RandomState(SEED).rand(60, 1, 4, 4)
    labels = pictures[:, 0, 0, :3] > 0.5
    model = MLPClassifier(**BRIEF_MLP).fit(pictures.reshape(60, -1), labels)
    with pytest.raises(ValueError, match="Got MLPClassifier with 3 targets"):
        RationaleDistiller(FrozenEstimator(model)).fit(pictures, labels[:, 0])


def test_probabilities_of_each_class_need_no_sum_of_one(fitted):
    model = fitted["trees one against all"]
    assert np.abs(model.predict_proba(X).sum(axis=1) - 1).max() > 0.01
    chances = teacher_for(make_pipeline(FunctionTransformer(), model)).answers(X)[1]
    np.testing.assert_allclose(chances.sum(axis=1), 1)
