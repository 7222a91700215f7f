"""Students as ONNX graphs say what the students say, in every link, in hard cells, from raw columns."""

import numpy as np
import pandas as pd
import pytest
from conftest import mixed_table
from estimators import FAST, TREES, OneHot
from lightgbm import LGBMClassifier, LGBMRegressor
from onnx.reference import ReferenceEvaluator
from onnx_runs import assert_alike, facts, feed_of_columns, gap, run, run_matrix
from seeds import SEED
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from skrationale import GBDT2NNStudent
from skrationale.gbdt2nn._onnx import steps_of
from skrationale.serving import serving_copy

BRIEF = FAST | {"max_epochs": 2, "hidden_layer_sizes": (16, 8), "n_synthetic": 0}
TABLE, SCORE = mixed_table()
NUMBERS = TABLE[["age", "visits", "idle"]].to_numpy(dtype=float)


def classes(k):
    return np.digitize(SCORE, np.quantile(SCORE, np.arange(1, k) / k))


def fitted(teacher, X=TABLE, y=SCORE, **options):
    return GBDT2NNStudent(teacher, **BRIEF | options).fit(X, y)


def contributions_of(student, matrix, dtype="float32"):
    return student._contributions(np.asarray(matrix, dtype=dtype).astype(np.float64))


@pytest.fixture(scope="module")
def student():
    return fitted(LGBMClassifier(**TREES), y=classes(2), hidden_layer_sizes=(16,))


@pytest.fixture(scope="module")
def regression():
    return fitted(LGBMRegressor(**TREES))


MODELS = {
    "identity": lambda: fitted(LGBMRegressor(**TREES)),
    "log": lambda: fitted(LGBMRegressor(objective="poisson", **TREES), y=np.exp(SCORE / 3)),
    "logit of numbers": lambda: fitted(
        LGBMRegressor(objective="cross_entropy", **TREES), y=1 / (1 + np.exp(-SCORE))
    ),
    "logit": lambda: fitted(LGBMClassifier(**TREES), y=classes(2)),
    "softmax": lambda: fitted(LGBMClassifier(**TREES), y=classes(7)),
    "one against all": lambda: fitted(LGBMClassifier(objective="multiclassova", **TREES), y=classes(3)),
    "probability": lambda: fitted(
        RandomForestClassifier(5, max_depth=4, random_state=SEED), np.nan_to_num(NUMBERS), classes(2)
    ),
    "probabilities": lambda: fitted(
        RandomForestClassifier(5, max_depth=4, random_state=SEED), np.nan_to_num(NUMBERS), classes(3)
    ),
    "histograms": lambda: fitted(HistGradientBoostingClassifier(max_iter=5), NUMBERS, classes(3)),
    "black box": lambda: fitted(
        make_pipeline(OneHot(), LinearRegression()), explanation="permutation", max_thresholds=20
    ),
    "path": lambda: fitted(LGBMRegressor(**TREES), explanation="path"),
}


@pytest.mark.parametrize("name", MODELS)
def test_links_and_teachers(name):
    model = MODELS[name]()
    matrix = model._read(TABLE if model.n_features_in_ == 6 else NUMBERS)
    for dtype in ("float32", "float64"):
        found = assert_alike(model, matrix, dtype)
        assert gap(found["contributions"], contributions_of(model, matrix, dtype)) < (
            1e-5 if dtype == "float32" else 1e-9
        )
        answer = "probabilities" if hasattr(model, "classes_") else "prediction"
        assert list(found) == ["scores", "contributions", answer]
        total = found["contributions"].sum(axis=-1) + facts(model.to_onnx())["base_values"]
        assert gap(total, found["scores"]) < 1e-5


@pytest.mark.parametrize("name", ["xgboost", "catboost"])
def test_students_of_other_libraries(name):
    library = pytest.importorskip(name)
    if name == "xgboost":
        teacher = library.XGBClassifier(n_estimators=8, max_depth=3, n_jobs=1, enable_categorical=True)
    else:
        quiet = {"verbose": 0, "thread_count": 1, "allow_writing_files": False}
        teacher = library.CatBoostClassifier(
            iterations=8, depth=3, cat_features=["city", "grade"], max_ctr_complexity=1, **quiet
        )
    model = fitted(teacher, y=classes(3))
    codes = model._read(TABLE)
    codes[:5, 1], codes[5:9, 1] = -1, np.nan
    for dtype in ("float32", "float64"):
        found = assert_alike(model, codes, dtype)
        assert gap(found["contributions"], contributions_of(model, codes, dtype)) < 1e-5
    new = TABLE.assign(city=["Rome"] * 5 + [None] * 5 + TABLE["city"].tolist()[10:])
    raw = run(graph := model.to_onnx(inputs="columns"), feed_of_columns(graph, new))
    assert gap(raw["scores"], model._scores(model._read(new))) < 1e-5


# --- cells ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["identity", "probability", "black box"])
def test_thresholds_and_their_neighbours(name, dtype):
    model = MODELS[name]()
    kind = np.dtype(dtype).type
    bins, width = model._student.bins, model.n_features_in_
    cells = [
        0.0,
        -0.0,
        1e-36,
        -1e-36,
        1e-35,
        -1e-35,
        -1.0,
        -0.5,
        0.5,
        1e30,
        -1e30,
        np.finfo(kind).max,
        np.nan,
    ]
    rows = []
    for column in bins.numeric:
        thresholds = column.thresholds.astype(kind)
        near = [np.nextafter(thresholds, kind(side)) for side in (-np.inf, np.inf)]
        values = np.concatenate([thresholds, *near, np.array(cells, dtype=kind)])
        rows.append(np.zeros((len(values), width), dtype=kind))
        rows[-1][:, column.column] = values
    rows = np.concatenate(rows)
    steps = steps_of(model._student, kind)
    expected = bins.encode(rows.astype(np.float64))
    for i, step in enumerate(steps):
        cells = rows[:, step.column]
        found = np.where(np.isnan(cells), step.missing, step.values[np.searchsorted(step.keys, cells)])
        np.testing.assert_array_equal(found, expected[:, i])
    assert_alike(model, rows, dtype)


def test_codes_between_and_beyond_levels(regression):
    codes = np.tile(regression._read(TABLE)[:1], (8, 1))
    codes[:, 1] = [-1, -0.5, 0, 1.5, 2, 3, 100, np.nan]
    found = assert_alike(regression, codes)
    at_unknown = np.ptp(found["scores"][[0, 5, 6]])
    assert at_unknown < 1e-5
    assert abs(found["scores"][1] - found["scores"][2]) < 1e-5


def test_categories_without_a_table_of_text():
    rng = np.random.RandomState(SEED)
    # large codes, as of places, are told apart where float32 still has them all
    X = np.column_stack([rng.choice([3.0, 70_000.0, 70_001.0, 700_000.0], 400), rng.rand(400)])
    y = (X[:, 0] == 70_001) + (X[:, 0] > 80_000) * 2.0 + X[:, 1]
    teacher = LGBMRegressor(**TREES, min_data_per_group=1, cat_smooth=0).fit(X, y, categorical_feature=[0])
    model = fitted(FrozenEstimator(teacher), X, y)
    assert len(model._student.bins.categorical) == 1
    rows = np.column_stack([[3, 70_000, 70_001, 700_000, 69_999, 5, -1, np.nan, 1e9], np.full(9, 0.5)])
    for dtype in ("float32", "float64"):
        found = assert_alike(model, rows, dtype)
    assert len(np.unique(found["scores"][:4])) > 2


def test_numbers_that_only_float64_tells_apart():
    X = np.array([[1.0], [1.0 + 1e-12]] * 100)
    model = fitted(LGBMRegressor(**TREES, min_data_in_bin=1), X, X[:, 0] > 1)
    narrow, wide = (run_matrix(model.to_onnx(dtype=dtype), X[:2], dtype) for dtype in ("float32", "float64"))
    assert wide["scores"][0] != wide["scores"][1]
    assert narrow["scores"][0] == narrow["scores"][1]


@pytest.mark.parametrize("n", [1, 2, 1000])
def test_any_number_of_rows(student, n):
    codes = student._read(TABLE)[np.arange(n) % len(TABLE)]
    found = assert_alike(student, codes)
    assert len(found["contributions"]) == n


def test_no_rows(student):
    found = run_matrix(student.to_onnx(), np.zeros((0, 6)))
    assert found["scores"].shape == (0, 1)
    assert found["contributions"].shape == (0, 1, 6)


# --- what a teacher may lack ------------------------------------------------------------------------------


def test_a_constant_teacher():
    with pytest.warns(UserWarning, match="predicts the same"):
        model = fitted(LGBMRegressor(**TREES | {"min_child_samples": 10_000}))
    found = assert_alike(model, model._read(TABLE))
    assert found["contributions"].shape == (240, 1, 6)
    assert not found["contributions"].any()


def test_one_class_alone():
    model = fitted(LGBMClassifier(**TREES), y=np.zeros(240, dtype=int))
    assert (assert_alike(model, model._read(TABLE))["probabilities"] == 1).all()


def test_one_column():
    model = fitted(LGBMRegressor(**TREES), TABLE[["city"]])
    graph = model.to_onnx(inputs="columns")
    found = run(graph, feed_of_columns(graph, TABLE[["city"]]))
    assert gap(found["scores"], model._scores(model._read(TABLE[["city"]]))) < 1e-5
    assert_alike(model, model._read(TABLE[["city"]]))


def test_columns_that_the_teacher_ignores_have_no_contribution():
    X = TABLE.assign(flat=1.0, nothing=np.nan)
    model = fitted(LGBMRegressor(**TREES), X)
    assert len(model._student.bins.columns) < 8
    found = assert_alike(model, model._read(X))
    unused = np.setdiff1d(np.arange(8), model._student.bins.columns)
    assert {6, 7} <= set(unused)
    assert not found["contributions"][:, :, unused].any()
    assert found["contributions"].any()


# --- schemes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"explanation": None}, {"explanation_lambda": 0.0}])
def test_students_without_reasons_give_scores_alone(options):
    model = fitted(LGBMClassifier(**TREES), y=classes(3), **options)
    found = assert_alike(model, model._read(TABLE))
    assert list(found) == ["scores", "probabilities"]
    assert facts(model.to_onnx())["explanation"] is None


@pytest.mark.parametrize("imitation", ["joint", "independent"])
def test_schemes_that_do_not_add_up_are_refused(imitation):
    model = fitted(LGBMRegressor(**TREES), imitation=imitation, max_epochs=1)
    with pytest.raises(ValueError, match=f"imitation='{imitation}' .* Expected imitation='additive'"):
        model.to_onnx()


@pytest.mark.parametrize("explanation", ["tree_shap", None])
def test_monotone_students(explanation):
    teacher = LGBMRegressor(**TREES, monotone_constraints=[1, 0, -1])
    model = fitted(teacher, NUMBERS, monotone="teacher", explanation=explanation)
    for dtype in ("float32", "float64"):
        found = assert_alike(model, NUMBERS, dtype)
        if explanation:
            assert gap(found["contributions"], contributions_of(model, NUMBERS, dtype)) < 1e-5
    rows = np.tile([[40.0, 3.0, 0.0]], (500, 1))
    rows[:, 0] = np.linspace(0, 80, 500)
    found = run_matrix(model.to_onnx(dtype="float64"), rows, "float64")["scores"]
    assert np.diff(found, axis=0).min() >= -1e-14
    assert np.ptp(found) > 0


def test_the_standards_own_evaluator_agrees(student):
    graph = student.to_onnx()
    codes = student._read(TABLE).astype(np.float32)
    scores, contributions, probabilities = ReferenceEvaluator(graph).run(None, {"X": codes})
    found = run_matrix(graph, codes)
    assert gap(scores, found["scores"]) < 1e-5
    assert gap(contributions, found["contributions"]) < 1e-5
    assert gap(probabilities, found["probabilities"]) < 1e-5


# --- raw columns and metadata -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_raw_columns(student, dtype):
    graph = student.to_onnx(inputs="columns", dtype=dtype)
    new = TABLE.astype({"city": object, "grade": object})
    new.loc[:9, "city"], new.loc[5:20, "grade"] = "Rome", None
    found = run(graph, feed_of_columns(graph, new, dtype))
    matrix = student._read(new).astype(dtype)
    expected = run_matrix(student.to_onnx(dtype=dtype), matrix, dtype)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)
    assert {value.type.tensor_type.elem_type for value in graph.graph.input} == {
        8,
        1 if dtype == "float32" else 11,
    }


def test_levels_that_are_numbers_and_names_that_are_taken():
    X = pd.DataFrame(
        {
            "scores": pd.Categorical(np.arange(240) % 3 + 0.5),
            "": pd.Categorical(np.arange(240) % 2 == 0),
            "value_0": TABLE["age"],
            "plain": TABLE["city"].astype(object).where(TABLE["city"].notna(), "nan"),
        }
    )
    model = fitted(LGBMRegressor(**TREES), X, SCORE + X["scores"].astype(float).to_numpy())
    graph = model.to_onnx(inputs="columns")
    names = facts(graph)["input_names"]
    assert names == ["scores_", "column", "value_0", "plain"]
    feed = feed_of_columns(graph, X)
    assert gap(run(graph, feed)["scores"], model._scores(model._read(X))) < 1e-5
    feed["scores_"] = np.where(np.arange(240)[:, None] % 2, 7.0, np.nan).astype(np.float32)
    codes = model._read(X)
    codes[:, 0] = np.where(np.arange(240) % 2, -1.0, np.nan)
    assert gap(run(graph, feed)["scores"], model._scores(codes)) < 1e-5


@pytest.mark.parametrize("missing", ["", "nan", "None", "<NA>"])
def test_texts_that_stand_for_missing_cells(student, missing):
    graph = student.to_onnx(inputs="columns")
    feed = feed_of_columns(graph, TABLE[:3].assign(city=missing))
    expected = student._scores(student._read(TABLE[:3].assign(city=None)))
    assert gap(run(graph, feed)["scores"], expected) < 1e-5


def test_levels_that_are_dates_need_codes():
    X = pd.DataFrame({"day": pd.Categorical(pd.date_range("2020-01-01", periods=3).repeat(80))})
    model = fitted(LGBMRegressor(**TREES), X)
    with pytest.raises(ValueError, match="Column 'day' .* a Timestamp; .* Expected inputs='matrix'"):
        model.to_onnx(inputs="columns")
    assert_alike(model, model._read(X))


def test_levels_that_float32_cannot_hold():
    X = pd.DataFrame({"place": pd.Categorical(np.repeat([16_777_216, 16_777_217, 5], 80))})
    model = fitted(LGBMRegressor(**TREES), X)
    with pytest.raises(ValueError, match="Column 'place' .* expected dtype='float64', or inputs='matrix'"):
        model.to_onnx(inputs="columns")
    graph = model.to_onnx(inputs="columns", dtype="float64")
    found = run(graph, feed_of_columns(graph, X, "float64"))
    assert gap(found["prediction"], model.predict(X)) < 1e-9


def test_a_copy_without_its_teacher(student):
    served = serving_copy(student)
    assert facts(served.to_onnx())["teacher"] is None
    assert_alike(served, student._read(TABLE))


def test_metadata(student):
    found = facts(student.to_onnx())
    assert found["feature_names"] == list(TABLE.columns)
    assert found["levels"][1] == ["Bonn", "Köln", "Ulm"]
    assert found["levels"][0] is None
    assert found["output_names"] == ["1"]
    assert found["classes"] == [0, 1]
    assert (found["link"], found["kind"], found["explanation"]) == ("logit", "additive", "tree_shap")
    assert (found["teacher"], found["estimator"]) == ("LGBMClassifier", "GBDT2NNStudent")
    assert found["base_values"] == student._student.base.tolist()
    assert {"skrationale_version", "onnx_version"} <= set(found)
