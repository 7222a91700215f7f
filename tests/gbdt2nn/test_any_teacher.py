"""Any model as the teacher: its scores, and its reasons by permutation."""

import pickle

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from seeds import SEED
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, StackingRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from skrationale import GBDT2NNStudent
from skrationale.gbdt2nn import _labels

FAST = {
    "explanation": "permutation",
    "hidden_layer_sizes": (32,),
    "max_epochs": 30,
    "n_synthetic": 0,
    "random_state": SEED,
}
RNG = np.random.RandomState(SEED)
X = RNG.normal(size=(300, 4))
Y = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2])
TABLE = pd.DataFrame(
    {
        "age": np.where(RNG.rand(300) < 0.1, np.nan, X[:, 0]),
        "city": pd.Series(RNG.choice(["Bonn", "Ulm", "Köln"], 300), dtype=object).where(X[:, 1] < 1, None),
        "grade": pd.Categorical(RNG.choice(["low", "mid"], 300)),
        "rooms": RNG.randint(1, 6, 300),
    }
)
TARGET = 2 * (TABLE["city"] == "Ulm") + TABLE["age"].fillna(3) * (TABLE["grade"] == "low") + TABLE["rooms"]


def pipeline(last):
    encoder = make_column_transformer(
        (OneHotEncoder(), ["city", "grade"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), ["age", "rooms"]),
    )
    return make_pipeline(encoder, last)


def smooth():
    return make_pipeline(PolynomialFeatures(3), Ridge())


@pytest.fixture(scope="module")
def student():
    return GBDT2NNStudent(smooth(), **FAST | {"max_epochs": 100, "n_synthetic": 600}).fit(X, Y)


def test_reasons_of_a_smooth_model_are_learnt(student):
    more = np.random.RandomState(1 + SEED).normal(size=(100, 4))
    fidelity = student.fidelity(more)
    assert fidelity["prediction_r2"] > 0.7
    assert fidelity["explanation_r2"] > 0.7
    explanation, teacher = student.explain(more), student.teacher_explain(more)
    for one, name in ((explanation, "student"), (teacher, "teacher")):
        assert (one.meta["explanation"], one.meta["model"]) == ("permutation", name)
        assert one.meta["background_rows"] == 300
    assert explanation.additivity_error(student.predict(more)) < 1e-9
    assert teacher.additivity_error(student.teacher_.predict(more)) < 1e-9
    np.testing.assert_array_equal(explanation.base_values, teacher.base_values)
    np.testing.assert_allclose(teacher.base_values, student.teacher_.predict(X).mean())


def test_text_categories_and_missing_cells_reach_a_pipeline_as_they_were():
    student = GBDT2NNStudent(pipeline(Ridge()), **FAST | {"n_synthetic": 300}).fit(TABLE, TARGET)
    assert student.fidelity(TABLE)["prediction_r2"] > 0.6
    explanation = student.teacher_explain(TABLE)
    assert explanation.additivity_error(student.teacher_.predict(TABLE)) < 1e-9


@pytest.mark.parametrize(
    "teacher",
    [
        HistGradientBoostingRegressor(max_iter=5, categorical_features="from_dtype"),
        StackingRegressor([("linear", LinearRegression())], DecisionTreeRegressor(max_depth=3), cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_unfitted_teachers_are_fitted(teacher):
    table = TABLE[["age", "grade", "rooms"]].fillna({"age": 0.0})
    table = table if "Hist" in type(teacher).__name__ else table[["age", "rooms"]]
    student = GBDT2NNStudent(teacher, **FAST | {"max_epochs": 2}).fit(table, TARGET)
    error = student.teacher_explain(table[:20]).additivity_error(student.teacher_.predict(table[:20]))
    assert error < 1e-9


def test_text_that_was_not_there_at_fit_reaches_the_teacher():
    words = RNG.choice(["warm", "cold", "new", "old"], (300, 2))
    table = pd.DataFrame({"text": [" ".join(pair) for pair in words], "size": X[:, 0]})
    teacher = make_pipeline(
        make_column_transformer((CountVectorizer(), "text"), remainder="passthrough"), LinearRegression()
    ).fit(table, 3.0 * (words == "warm").sum(axis=1) + X[:, 0])
    student = GBDT2NNStudent(FrozenEstimator(teacher), **FAST | {"max_epochs": 2}).fit(table, Y)
    new = pd.DataFrame({"text": ["warm warm warm", "warm old"], "size": [0.0, 1.0]})
    explanation = student.teacher_explain(new)
    assert explanation.additivity_error(teacher.predict(new)) < 1e-9
    other_texts = teacher.predict(table.assign(size=0.0)).mean()
    assert explanation.values[0, 0] == pytest.approx(teacher.predict(new[:1])[0] - other_texts, abs=1e-3)


@pytest.mark.parametrize(
    ("model", "margins"),
    [(LogisticRegression(), False), (SVC(random_state=SEED), True), (RidgeClassifier(), True)],
    ids=["probabilities", "svc", "ridge"],
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_classifiers(model, margins, n_classes):
    labels = np.array(["a", "b", "c"])[np.digitize(Y, [0.0, 1.0][: n_classes - 1])]
    student = GBDT2NNStudent(model, **FAST).fit(X[:100], labels[:100])
    shape = (50, 4) if n_classes == 2 else (50, 4, 3)
    few, teacher = X[:50], student.teacher_explain(X[:50])
    assert student.explain(few).values.shape == teacher.values.shape == shape
    assert student.fidelity(few, labels[:50])["same_class"] > 0.7
    scores = student._adapter.scores(few).reshape(teacher.scores().shape)
    assert teacher.additivity_error(scores) < 1e-9
    if margins:
        np.testing.assert_allclose(scores, student.teacher_.decision_function(few), atol=1e-9)


def test_a_lightgbm_is_explained_by_permutation_too():
    teacher = LGBMRegressor(n_estimators=20, num_leaves=7, verbose=-1, n_jobs=1).fit(X, Y)
    student = GBDT2NNStudent(FrozenEstimator(teacher), **FAST).fit(X, Y)
    found = student.teacher_explain(X)
    assert found.meta["explanation"] == student.explain(X).meta["explanation"] == "permutation"
    assert found.additivity_error(teacher.predict(X)) < 1e-9
    shap = student.teacher_explain(X, "tree_shap")
    assert shap.meta == {"explanation": "tree_shap", "model": "teacher"}
    assert np.abs(found.values - shap.values).max() > 0
    assert np.corrcoef(found.values.ravel(), shap.values.ravel())[0, 1] > 0.9
    log = GBDT2NNStudent(LGBMRegressor(objective="poisson", n_estimators=5, verbose=-1, n_jobs=1), **FAST)
    log.fit(X, np.exp(Y))
    assert log.teacher_explain(X).additivity_error(np.log(log.teacher_.predict(X))) < 1e-9
    linear = LGBMRegressor(linear_tree=True, n_estimators=5, verbose=-1, n_jobs=1)
    both = GBDT2NNStudent(linear, **FAST).fit(X, Y)
    assert both.teacher_explain(X).additivity_error(both.teacher_.predict(X)) < 1e-9


def test_a_forest_of_probabilities_is_explained_by_these():
    student = GBDT2NNStudent(RandomForestClassifier(5, max_depth=3, random_state=SEED), **FAST).fit(X, Y > 0)
    found = student.teacher_explain(X)
    assert found.link == "probability"
    assert found.additivity_error(student.teacher_.predict_proba(X)[:, 1]) < 1e-9
    assert student.fidelity(X)["explanation_r2"] > 0.5


def test_a_lightgbm_keeps_its_constraints():
    teacher = LGBMRegressor(monotone_constraints=[1, 0, 0, 0], n_estimators=10, verbose=-1, n_jobs=1)
    student = GBDT2NNStudent(teacher, monotone="teacher", **FAST).fit(X, Y)
    high = X + [3, 0, 0, 0]
    assert (student.predict(high[:50]) >= student.predict(X[:50])).all()
    assert student.explain(X).additivity_error(student.predict(X)) < 1e-5


def test_scores_alone_are_learnt_from_any_model():
    student = GBDT2NNStudent(smooth(), **FAST | {"explanation": None, "max_epochs": 60}).fit(X, Y)
    assert student.fidelity(X)["prediction_r2"] > 0.8
    assert student._teacher_explainer() is None
    with pytest.raises(ValueError, match="no contributions"):
        student.explain(X)
    with pytest.raises(ValueError, match="Pipeline has no 'tree_shap' contributions. Tree"):
        student.teacher_explain(X)


def test_what_cannot_be_says_what_to_do(student):
    for kind in ("tree_shap", "path"):
        with pytest.raises(TypeError, match="must be a tree ensemble of LightGBM.*explanation='permutation'"):
            GBDT2NNStudent(smooth(), explanation=kind).fit(X, Y)
        with pytest.raises(ValueError, match=f"Pipeline has no '{kind}' contributions. Tree"):
            student.teacher_explain(X, kind)
    with pytest.raises(ValueError, match="monotone='teacher' needs trees"):
        GBDT2NNStudent(smooth(), monotone="teacher", **FAST).fit(X, Y)
    trees = GBDT2NNStudent(LGBMRegressor(n_estimators=2, verbose=-1), **FAST | {"explanation": "path"})
    with pytest.raises(ValueError, match="no 'permutation' contributions. Tree"):
        trees.fit(X, Y).teacher_explain(X, "permutation")
    with pytest.raises(ValueError, match="teacher expects 3"):
        GBDT2NNStudent(FrozenEstimator(smooth().fit(X[:, :3], Y)), **FAST).fit(X, Y)


def test_the_seed_decides_and_the_global_generator_is_left_alone():
    teacher = FrozenEstimator(smooth().fit(X, Y))
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one, two = (GBDT2NNStudent(teacher, **FAST).fit(X, Y) for _ in range(2))
    np.testing.assert_array_equal(one.explain(X).values, two.explain(X).values)
    np.testing.assert_array_equal(one.teacher_explain(X).values, two.teacher_explain(X).values)
    other = clone(one).set_params(random_state=1 + SEED).fit(X, Y)
    assert not np.array_equal(other.teacher_explain(X).values, one.teacher_explain(X).values)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    again = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(again.teacher_explain(X).values, one.teacher_explain(X).values)
    np.testing.assert_array_equal(again.explain(X).values, one.explain(X).values)


def test_a_refit_without_permutation_forgets_the_walks(student):
    other = clone(student).fit(X, Y).set_params(teacher=LGBMRegressor(n_estimators=2, verbose=-1))
    other.set_params(explanation="tree_shap").fit(X, Y)
    assert other.teacher_explain(X).meta == {"explanation": "tree_shap", "model": "teacher"}


def test_weights_choose_the_background():
    weight = np.where(X[:, 0] > 0, 1.0, 0.0)
    teacher = FrozenEstimator(smooth().fit(X, Y))
    student = GBDT2NNStudent(teacher, **FAST | {"max_epochs": 2}).fit(X, Y, sample_weight=weight + 0.5)
    mean = np.average(student.teacher_.predict(X), weights=weight + 0.5)
    np.testing.assert_allclose(student.explain(X).base_values, mean)
    some = GBDT2NNStudent(teacher, **FAST | {"max_epochs": 2}).fit(X, Y, sample_weight=weight)
    assert some.explain(X).meta["background_rows"] == weight.sum()
    assert some._walks.background[:, 0].min() > 0


def test_searches_find_parameters_of_both():
    grid = {"teacher__ridge__alpha": [1e6, 1.0], "explanation_lambda": [1.0]}
    search = GridSearchCV(GBDT2NNStudent(smooth(), **FAST | {"max_epochs": 10}), grid, cv=2).fit(X, Y)
    assert search.best_params_["teacher__ridge__alpha"] == 1


def test_few_rows_have_several_pairs_and_many_are_explained_in_part(monkeypatch):
    asked = []
    original = _labels.Labels.contributions

    def counted(self, matrix):
        asked.append((len(matrix), self._n_pairs))
        return original(self, matrix)

    monkeypatch.setattr(_labels.Labels, "contributions", counted)
    short = FAST | {"max_epochs": 1, "n_synthetic": 300}
    teacher = FrozenEstimator(smooth().fit(X, Y))
    GBDT2NNStudent(teacher, **short).fit(X, Y)
    GBDT2NNStudent(teacher, max_explanation_rows=600, **short).fit(X, Y)
    monkeypatch.setattr(_labels, "EVALUATIONS_OF_FEW", 8 * 300 * 3)
    GBDT2NNStudent(teacher, **short).fit(X, Y)
    monkeypatch.setattr(_labels, "EVALUATIONS", 8 * 50)
    GBDT2NNStudent(teacher, **short).fit(X, Y)
    assert asked == [(300, 20), (300, 20), (300, 20), (300, 3), (50, 18)]


def test_fidelity_explains_some_rows(student, monkeypatch):
    monkeypatch.setattr(_labels, "EVALUATIONS_OF_FIDELITY", 0)
    monkeypatch.setattr(_labels, "FEWEST_COMPARED", 7)
    rows = []
    original = type(student._walks).explain
    monkeypatch.setattr(
        type(student._walks), "explain", lambda self, some: rows.append(len(some)) or original(self, some)
    )
    assert student.fidelity(X)["explanation_r2"] > 0.5
    assert rows == [7]


def test_a_constant_teacher():
    student = GBDT2NNStudent(LinearRegression(), **FAST).fit(X, np.full(300, 0.1))
    assert (student.explain(X).values == 0).all()
    np.testing.assert_array_equal(student.predict(X), student.teacher_.predict(X))
    only = GBDT2NNStudent(LGBMClassifier(verbose=-1, n_jobs=1), **FAST).fit(X, np.full(300, "a"))
    assert set(only.predict(X)) == {"a"}
