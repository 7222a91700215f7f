"""Rationale models as ONNX graphs: the same cells are selected, and the same scores follow."""

import numpy as np
import pytest
from conftest import mixed_table
from estimators import RATIONALE
from onnx_runs import assert_alike, facts, feed_of_columns, gap, run, run_matrix
from sklearn.ensemble import HistGradientBoostingClassifier

from skrationale import RationaleClassifier, RationaleDistiller, RationaleRegressor

TABLE, SCORE = mixed_table()
BRIEF = RATIONALE | {"max_epochs": 3}
NUMBERS = TABLE[["age", "visits", "idle"]].fillna(40.0)


def classes(k):
    return np.digitize(SCORE, np.quantile(SCORE, np.arange(1, k) / k))


MODELS = {
    "above a threshold": (lambda: RationaleClassifier(**BRIEF), classes(2)),
    "so many on average": (lambda: RationaleClassifier(max_features=0.4, **BRIEF), classes(3)),
    "so many in each row": (lambda: RationaleRegressor(max_features=2, **BRIEF), SCORE),
    "paper": (lambda: RationaleClassifier(preset="paper", max_features=0.5, **BRIEF), classes(3)),
    "paper, numbers": (
        lambda: RationaleRegressor(preset="paper", max_features=0.5, fill="mean", **BRIEF),
        SCORE,
    ),
    "distilled": (
        lambda: RationaleDistiller(RationaleClassifier(**BRIEF), audit_teacher=False, **BRIEF),
        classes(2),
    ),
}


def assert_same_masks(model, matrix):
    for dtype in ("float32", "float64"):
        found = assert_alike(model, matrix, dtype)
        assert list(found)[1] == "mask"
        expected = model._model.mask(np.asarray(matrix, dtype=dtype).astype(np.float64))
        np.testing.assert_array_equal(found["mask"], expected)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_masks_and_scores(name):
    make, y = MODELS[name]
    model = make().fit(TABLE, y)
    matrix = model._read(TABLE)
    matrix[:9, 1:3] = np.random.RandomState(0).choice([-1, np.nan], (9, 2))
    mask = assert_same_masks(model, matrix)["mask"]
    assert 0 < mask.mean() < 1
    graph = model.to_onnx(inputs="columns")
    found = run(graph, feed_of_columns(graph, TABLE))
    assert gap(found["scores"], model._scores(model._read(TABLE).astype(np.float32))) < 1e-5
    assert facts(graph)["kind"] == "rationale"


def test_a_student_of_trees():
    teacher = HistGradientBoostingClassifier(max_iter=5)
    model = RationaleDistiller(teacher, audit_teacher=False, **BRIEF).fit(NUMBERS, classes(2))
    assert_same_masks(model, model._read(NUMBERS))


def test_rows_without_any_column():
    model = RationaleClassifier(**BRIEF).fit(TABLE, classes(2))
    rule = model._model.rule
    object.__setattr__(rule, "threshold", 1e9)
    found = assert_same_masks(model, model._read(TABLE))
    assert not found["mask"].any()
    assert np.ptp(found["scores"]) == 0


def test_logits_that_are_the_threshold_are_not_selected():
    model = RationaleClassifier(max_features=0.4, **BRIEF).fit(TABLE, classes(2))
    matrix = model._read(TABLE)
    logits = np.sort(model._model._logits(*model._model.encode(matrix)), axis=None)
    for threshold in logits[::60]:  # rounding selects some of these where thresholds are not raised
        object.__setattr__(model._model.rule, "threshold", float(threshold))
        found = run_matrix(model.to_onnx(dtype="float64"), matrix, "float64")["mask"]
        np.testing.assert_array_equal(found, model._model.mask(matrix))


def test_one_class_needs_no_columns():
    model = RationaleClassifier(**BRIEF).fit(TABLE, np.zeros(240, dtype=int))
    assert not assert_same_masks(model, model._read(TABLE))["mask"].any()


def test_one_column():
    model = RationaleRegressor(**BRIEF).fit(TABLE[["age"]], SCORE)
    assert_same_masks(model, model._read(TABLE[["age"]]))
