"""Students of CatBoost: text columns, missing cells and unseen levels as the teacher reads them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from seeds import SEED
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_score
from word_tables import TEXT, WORD, mixed_table, words

from skrationale import GBDT2NNStudent, RationaleDistiller
from skrationale.metrics import explanation_fidelity

catboost = pytest.importorskip("catboost")

N = 600
QUICK = {"iterations": 15, "depth": 4, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
CATEGORIES = {"cat_features": TEXT, "max_ctr_complexity": 1, "one_hot_max_size": 6}
FAST = {"max_epochs": 8, "n_synthetic": 2000, "hidden_layer_sizes": (32,), "random_state": 0, "device": "cpu"}


def table(seed=SEED, n=N):
    return mixed_table(seed, n, ["Ulm", "Bonn", "Kiel", "Jena"], 20)


def number(X):
    of_code = X["code"].str[1:].astype(float).fillna(7) % 3
    return (X["a"].fillna(1) * (1 + (X["city"] == "Ulm")) + of_code - 2 * X["city"].isna()).to_numpy()


X = table()
Y = number(X)
TARGETS = {
    "numbers": (catboost.CatBoostRegressor, Y),
    "two classes": (catboost.CatBoostClassifier, np.where(Y > 1, "yes", "no")),
    "three classes": (catboost.CatBoostClassifier, np.digitize(Y, [0, 2])),
}


def raw(model, X):
    return np.reshape(model.predict(X, prediction_type="RawFormulaVal", thread_count=1), (len(X), -1))


@pytest.mark.parametrize("kind", ["text", "categories"])
@pytest.mark.parametrize("is_frozen", [False, True], ids=["fitted here", "frozen"])
@pytest.mark.parametrize("name", TARGETS)
def test_students_of_catboost(name, is_frozen, kind):
    make, y = TARGETS[name]
    own = X.astype(dict.fromkeys(TEXT, "category")) if kind == "categories" else X
    teacher = make(**CATEGORIES, **QUICK)
    if is_frozen:  # with its columns in another order
        teacher = FrozenEstimator(teacher.fit(words(own)[["code", "a", "b", "city"]], y))
    student = GBDT2NNStudent(teacher, **FAST).fit(own, y)
    assert student.fidelity(own, y)["explanation_r2"] > 0.8
    truth = student.teacher_explain(own)
    expected = raw(student.teacher_, words(own)[student.teacher_.feature_names_])
    assert np.abs(truth.scores().reshape(N, -1) - expected).max() <= 1e-12 * np.abs(expected).max()
    assert student.explain(own).additivity_error(student._scores(student._read(own)).squeeze()) < 1e-6
    again = pickle.loads(pickle.dumps(student))
    np.testing.assert_array_equal(again.predict(own), student.predict(own))
    np.testing.assert_array_equal(again.teacher_explain(own).values, truth.values)


@pytest.mark.parametrize("is_frozen", [False, True], ids=["fitted here", "frozen"])
def test_missing_and_unseen_levels_stay_apart(is_frozen):
    teacher = catboost.CatBoostRegressor(**CATEGORIES, **QUICK)
    if is_frozen:
        teacher = FrozenEstimator(teacher.fit(words(X), Y))
    student = GBDT2NNStudent(teacher, **FAST).fit(X, Y)
    rows = pd.concat([X[1:2]] * 3, ignore_index=True).assign(city=["Oslo", np.nan, "Ulm"], a=1.0)
    truth = student.teacher_explain(rows).scores()
    np.testing.assert_allclose(truth, raw(student.teacher_, words(rows)).ravel(), rtol=1e-12)
    assert truth[0] > truth[1] + 0.5
    found = student.predict(rows)
    assert found[0] > found[1] + 0.3
    alone = [student.predict(rows[i : i + 1])[0] for i in range(3)]
    np.testing.assert_allclose(found, alone, rtol=1e-9)


COMBINING = {"max_ctr_complexity": 3, "combinations_ctr": "Borders", "iterations": 40, "depth": 6}
LACKING = X[X["city"].isin(["Ulm", "Bonn"]) & ~X["code"].isin([f"c{i}" for i in range(8)])]


def student_of_some_levels(given=FAST, **parameters):
    """Give a frozen CatBoost, and a student that was fitted to rows without some of its levels."""
    teacher = catboost.CatBoostRegressor(**CATEGORIES | QUICK | parameters)
    teacher.fit(words(X)[["code", "a", "b", "city"]], Y)
    return teacher, GBDT2NNStudent(FrozenEstimator(teacher), **given).fit(LACKING, Y[LACKING.index])


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("tree_shap", {}),
        ("path", {}),
        ("permutation", {}),
        ("tree_shap", COMBINING),
        ("permutation", COMBINING),
    ],
)
def test_levels_that_only_the_teacher_knows_are_explained_as_it_reads_them(kind, parameters):
    teacher, student = student_of_some_levels(FAST | {"explanation": kind}, **parameters)
    expected = raw(teacher, words(X)[teacher.feature_names_]).ravel()
    before = student.teacher_explain(LACKING)
    for model in (student, pickle.loads(pickle.dumps(student))):
        for rows, scores in ((X, expected), (X[:5], expected[:5])):
            found = model.teacher_explain(rows)
            np.testing.assert_allclose(found.scores(), scores, atol=1e-9 * np.abs(expected).max())
            np.testing.assert_allclose(found.base_values[0], before.base_values[0], rtol=1e-12)
        np.testing.assert_array_equal(model.teacher_explain(LACKING).values, before.values)
    whole = GBDT2NNStudent(FrozenEstimator(teacher), **FAST | {"explanation": kind}).fit(X, Y)
    if kind != "permutation":
        values = whole.teacher_explain(X).values
        np.testing.assert_allclose(found.values, values[:5], atol=1e-9 * np.abs(expected).max())


def test_fidelity_is_measured_against_the_predictions_of_the_teacher():
    teacher, student = student_of_some_levels()
    others = {"audit_teacher": False, "early_stopping": False, "weight_decay": 1e-3, "max_epochs": 3}
    chosen = RationaleDistiller(FrozenEstimator(teacher), **others).fit(LACKING, Y[LACKING.index])
    told = teacher.predict(words(X)[teacher.feature_names_])
    for model in (student, chosen):
        found = model.fidelity(X, Y)
        assert found["teacher_score"] == pytest.approx(r2_score(Y, told))
        assert found["prediction_r2"] == pytest.approx(r2_score(told, model.predict(X)), abs=1e-6)
        table = model._teacher_rows(X)
        np.testing.assert_array_equal(teacher.predict(table), told)
    explained = student.explain(X).values, student.teacher_explain(X).values
    expected = explanation_fidelity(*explained)["explanation_r2"]
    assert student.fidelity(X)["explanation_r2"] == pytest.approx(expected)


def test_the_word_of_missing_cells_stays_beside_new_levels():
    teacher, student = student_of_some_levels()
    rows = pd.concat([X[1:2]] * 4, ignore_index=True).assign(city=["Kiel", WORD, np.nan, "Oslo"], a=1.0)
    expected = raw(teacher, words(rows)[teacher.feature_names_]).ravel()
    np.testing.assert_allclose(student.teacher_explain(rows).scores(), expected, rtol=1e-12)
    assert student._teacher_rows(rows)["city"].tolist() == ["Kiel", WORD, WORD, "Oslo"]
    assert expected[1] == expected[2] != expected[3]


def test_the_table_of_the_teacher_has_words():
    student = GBDT2NNStudent(catboost.CatBoostRegressor(**CATEGORIES, **QUICK), **FAST).fit(X, Y)
    rows = X[:2].assign(city=["Oslo", None], code=["c1", "c2"])
    made = student._teacher_rows(rows)
    assert made["city"].tolist() == ["(no level of this column)", "(missing)"]
    assert made["code"].tolist() == ["c1", "c2"]
    pd.testing.assert_frame_equal(made[["a", "b"]], rows[["a", "b"]])


def test_lists_and_tuples_of_columns():
    # scikit-learn cannot clone this CatBoost where a parameter is a list
    names = {**CATEGORIES, "cat_features": tuple(TEXT)}
    of_tuple = GBDT2NNStudent(catboost.CatBoostRegressor(**names, **QUICK), **FAST)
    assert cross_val_score(of_tuple, X, Y, cv=2).min() > 0.5
    of_list = GBDT2NNStudent(catboost.CatBoostRegressor(**CATEGORIES, **QUICK), **FAST).fit(X, Y)
    np.testing.assert_array_equal(of_list.predict(X), of_tuple.fit(X, Y).predict(X))


@pytest.mark.parametrize("given", [None, ["city"], [1]])
def test_text_that_is_not_named(given):
    teacher = catboost.CatBoostRegressor(cat_features=given, **QUICK)
    with pytest.raises(
        ValueError, match=f"Column {'code' if given else 'city'!r} of X holds text.*cat_features"
    ):
        GBDT2NNStudent(teacher, **FAST).fit(X, Y)


def test_whole_numbers_as_categories():
    table = X.assign(city=np.arange(N) % 7)
    teacher = catboost.CatBoostRegressor(**CATEGORIES, **QUICK)
    with pytest.raises(ValueError, match="Column 1 of X holds numbers, .* 'city'. Expected .* X.astype"):
        GBDT2NNStudent(teacher, **FAST).fit(table, Y)


@pytest.mark.parametrize("target", TARGETS)
def test_statistics_of_several_columns_are_explained_by_catboost(target):
    kind, y = TARGETS[target]
    combining = {"cat_features": tuple(TEXT), "max_ctr_complexity": 3, "combinations_ctr": "Borders"}
    teacher = kind(**QUICK | combining | {"iterations": 40, "depth": 6}).fit(words(X), y)
    student = GBDT2NNStudent(FrozenEstimator(teacher), **FAST | {"max_epochs": 20}).fit(X, y)
    found = student.teacher_explain(X)
    values = np.asarray(
        teacher.get_feature_importance(catboost.Pool(words(X), cat_features=TEXT), type="ShapValues")
    )
    own = values.reshape(N, -1, values.shape[-1]).transpose(0, 2, 1)[:, :-1].squeeze()
    np.testing.assert_allclose(found.values, own, rtol=0, atol=1e-9 * np.abs(own).max())
    assert found.additivity_error(raw(teacher, words(X)).squeeze()) < 1e-9
    assert student.fidelity(X)["explanation_r2"] > 0.8
    reordered = X[X.columns[::-1]]
    other = GBDT2NNStudent(FrozenEstimator(teacher), **FAST).fit(reordered, y)
    np.testing.assert_allclose(other.teacher_explain(reordered).values[:, ::-1], found.values, atol=1e-9)
    again = pickle.loads(pickle.dumps(student))
    np.testing.assert_array_equal(again.teacher_explain(X).values, found.values)
    with pytest.raises(ValueError, match="no 'path' contributions; expected explanation='tree_shap'"):
        GBDT2NNStudent(FrozenEstimator(teacher), explanation="path", **FAST).fit(X, y)


def test_missing_cells_are_a_level_where_columns_are_combined():
    combining = {"cat_features": tuple(TEXT), "max_ctr_complexity": 3, "combinations_ctr": "Borders"}
    teacher = catboost.CatBoostRegressor(**QUICK | combining | {"iterations": 40, "depth": 6})
    student = GBDT2NNStudent(teacher, **FAST).fit(X, Y)
    lacking, unknown = X.assign(city=np.nan), X.assign(city="Rom")
    assert np.abs(student.predict(lacking) - student.predict(X.assign(city="Ulm"))).max() > 0.1
    with pytest.warns(UserWarning, match="only unknown levels"):
        assert np.abs(student.predict(lacking) - student.predict(unknown)).max() > 0.1


def test_another_distiller_gives_it_words_too():
    own = {"audit_teacher": False, "early_stopping": False, "weight_decay": 1e-3, "max_epochs": 3}
    student = RationaleDistiller(catboost.CatBoostRegressor(**CATEGORIES, **QUICK), **own).fit(X, Y)
    assert student._teacher_rows(X)["city"].isna().sum() == 0
    assert np.isfinite(student.fidelity(X)["prediction_r2"])
