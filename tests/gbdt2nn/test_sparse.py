"""Sparse tables: students take them, and all others say what to give instead."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import skrationale.gbdt2nn._parts as of_lessons
import skrationale.gbdt2nn._sparse as of_students
import skrationale.tabular._lazy as lazy
from skrationale import (
    FLINTClassifier,
    GBDT2NNStudent,
    RationaleClassifier,
    SmoothMLPClassifier,
    SymbolicDistiller,
    TreeContributions,
    explain_pipeline,
    tree_contributions,
)
from skrationale.gbdt2nn import path_contributions

RNG = np.random.default_rng(0)
N = 120
TABLE = pd.DataFrame({"city": RNG.choice(list("abcdefgh"), N), "shop": RNG.choice(list("uvwxyz"), N)})
Y = np.where((TABLE["city"] < "d") & (TABLE["shop"] < "x"), "yes", "no")
ENCODER = make_column_transformer((OneHotEncoder(), ["city"]), (OneHotEncoder(), ["shop"]))
X = ENCODER.fit_transform(TABLE)
TREES = {"n_estimators": 5, "min_child_samples": 5, "verbose": -1, "n_jobs": 1}
QUICK = {"hidden_layer_sizes": (8,), "max_epochs": 3, "random_state": 0}


def student():
    return GBDT2NNStudent(LGBMClassifier(**TREES), n_synthetic=40, **QUICK)


@pytest.mark.parametrize("form", ["csr", "csc", "lil"])
def test_a_small_sparse_table_is_read_like_the_dense_one(form):
    given = sparse.csr_array(X).asformat(form)
    own, dense = student().fit(given, Y), student().fit(X.toarray(), Y)
    np.testing.assert_array_equal(own.predict_proba(given), dense.predict_proba(X.toarray()))
    np.testing.assert_array_equal(own.predict(given), dense.predict(X.toarray()))
    np.testing.assert_array_equal(own.explain(given).values, dense.explain(X.toarray()).values)
    assert own.explain(given).additivity_error(own.decision_function(given)) < 1e-6
    assert own.fidelity(given, Y) == dense.fidelity(X.toarray(), Y)
    assert own.score(given, Y) == dense.score(X.toarray(), Y)
    np.testing.assert_array_equal(
        own.teacher_explain(given).values, dense.teacher_explain(X.toarray()).values
    )


def test_a_pipeline_with_a_default_encoder_works_and_its_reasons_go_back():
    assert sparse.issparse(X)
    pipeline = make_pipeline(ENCODER, student()).fit(TABLE, Y)
    explanation = explain_pipeline(pipeline, TABLE)
    assert explanation.feature_names == ("city", "shop")
    assert explanation.additivity_error(pipeline.decision_function(TABLE)) < 1e-6
    assert explanation.display_data[:, 0].tolist() == TABLE["city"].tolist()


@pytest.mark.parametrize(
    "model",
    [
        SmoothMLPClassifier(**QUICK),
        RationaleClassifier(**QUICK),
        FLINTClassifier(**QUICK),
        SymbolicDistiller(SmoothMLPClassifier(**QUICK)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_other_estimators_say_what_to_give(model):
    with pytest.raises(TypeError, match=r"sparse table of 14 columns.*raw frame.*sparse_output=False"):
        model.fit(X, Y)
    with pytest.raises(TypeError, match="raw frame"):
        make_pipeline(ENCODER, model).fit(TABLE, Y)


def test_explaining_makes_no_gigabytes_in_silence():
    fitted, large = student().fit(X, Y), sparse.csr_array((2_000_000, 14))
    for act in (fitted.explain, fitted.teacher_explain, fitted.fidelity):
        with pytest.raises(ValueError, match=r"take 0.2 GB .*at most 0.13 GB.*at most 1198372 rows"):
            act(large)


@pytest.fixture
def all_large(monkeypatch):
    """Take every sparse table for a large one, of which 64 rows are dense at a time."""
    monkeypatch.setattr(lazy, "MOST_DENSE_BYTES", 0)
    monkeypatch.setattr(of_students, "MOST_DENSE_BYTES", 2**20)
    monkeypatch.setattr(of_students, "PART_BYTES", 0)
    monkeypatch.setattr(of_students, "LEAST_ROWS", 64)


def large_student(teacher=None, **parameters):
    options = {"max_epochs": 60, "hidden_layer_sizes": (32,), "random_state": 0, "lr": 0.02}
    return GBDT2NNStudent(LGBMClassifier(**TREES) if teacher is None else teacher, **options | parameters)


def test_a_large_table_is_learnt_from_part_by_part(all_large):
    fitted = large_student().fit(X, Y)
    dense = X.toarray()
    of_teacher = fitted.teacher_.predict(dense, raw_score=True)
    assert r2_score(of_teacher, fitted.decision_function(dense)) > 0.98
    known = fitted.teacher_.predict(dense, pred_contrib=True)[:, :-1]
    assert r2_score(known.ravel(), fitted.explain(dense).values.ravel()) > 0.95
    np.testing.assert_allclose(fitted.predict_proba(X), fitted.predict_proba(dense), atol=1e-6)
    assert fitted.score(X, Y) == fitted.score(dense, Y)
    assert fitted.n_features_in_ == 14
    assert fitted.feature_importances_.sum() == pytest.approx(1)
    # the teacher is that of the sparse table, and of the dense one
    twin = LGBMClassifier(**TREES, random_state=fitted.teacher_.random_state).fit(dense, Y)
    np.testing.assert_allclose(twin.predict(dense, raw_score=True), of_teacher)


@pytest.mark.parametrize(
    "parameters",
    [
        {"explanation": "path"},
        {"explanation": None},
        {"label_lambda": 0.5, "class_weight": "balanced"},
        {"early_stopping": True},
        {"monotone": "teacher"},
        {"max_explanation_rows": 70},
    ],
    ids=str,
)
def test_parameters_hold_for_a_large_table(all_large, parameters):
    parts = [X.tocsc(), sparse.coo_array(X.astype(bool))]
    first, again = (large_student(**parameters, max_epochs=8).fit(part, Y) for part in parts)
    np.testing.assert_array_equal(first.predict_proba(parts[0]), again.predict_proba(parts[1]))
    assert len(first.history_) == first.n_iter_ == (8 * N) // 64
    assert ("valid_loss" in first.history_[0]) == ("early_stopping" in parameters)


def test_other_tasks_and_frozen_teachers_of_a_large_table(all_large):
    y = np.asarray(X @ np.arange(14.0))
    weight = np.where(np.arange(N) < 60, 1.0, 0.0)
    trees = LGBMRegressor(**TREES)
    fitted = large_student(trees).fit(X, y, weight)
    twin = LGBMRegressor(**TREES, random_state=fitted.teacher_.random_state).fit(X[:60], y[:60])
    np.testing.assert_allclose(fitted.teacher_.predict(X), twin.predict(X))
    assert r2_score(twin.predict(X), fitted.predict(X)) > 0.9
    frozen = large_student(FrozenEstimator(twin)).fit(X, y)
    assert frozen.teacher_ is twin
    assert r2_score(twin.predict(X), frozen.predict(X)) > 0.9
    three = large_student(max_epochs=20).fit(X, y % 3)
    assert three.predict_proba(X).shape == (N, 3)
    assert three.explain(X.toarray()).values.shape == (N, 14, 3)


def test_what_a_large_table_cannot_have_is_refused(all_large):
    with pytest.raises(TypeError, match=r"120 rows and 14 columns.*LightGBM.*got RandomForestClassifier"):
        large_student(RandomForestClassifier()).fit(X, Y)
    with pytest.raises(ValueError, match=r"14 columns, too large.*got 'permutation'"):
        large_student(explanation="permutation").fit(X, Y)
    fitted = large_student(max_epochs=2).fit(X, Y)
    with pytest.raises(ValueError, match="13 features"):
        fitted.predict(X[:, :13])
    wrong = sparse.csr_matrix(X, dtype=float, copy=True)
    wrong.data[0] = np.inf
    with pytest.raises(ValueError, match=rf"infinity in column.*'x{wrong.indices[0]}'"):
        fitted.predict(wrong)
    with pytest.raises(ValueError, match="complex128"):
        fitted.predict(X.astype(complex))
    with pytest.raises(ValueError, match=r"3000 columns; expected at most 2048"):
        large_student().fit(sparse.csr_array((N, 3000)), Y)


def test_a_fit_takes_a_fraction_of_the_dense_table(monkeypatch):
    monkeypatch.setattr(lazy, "MOST_DENSE_BYTES", 2**25)
    monkeypatch.setattr(of_students, "PART_BYTES", 2**21)
    monkeypatch.setattr(of_lessons, "TABLE_BYTES", 0)
    n, d = 3_000, 2_000  # 48 MB as a dense table
    columns = np.random.default_rng(0).integers(d, size=(n, 5))
    columns[:, 0] %= 10
    large = sparse.coo_array((np.ones(5 * n), (np.repeat(np.arange(n), 5), columns.ravel())), (n, d))
    y = np.where(columns[:, 0] < 5, "yes", "no")
    student().fit(X, Y)  # what is imported but once
    tracemalloc.start()
    fitted = student().set_params(max_epochs=1).fit(large, y)
    assert fitted.score(large, y) > 0.7
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6


def test_batches_of_a_stream_may_be_sparse():
    teacher = LGBMClassifier(**TREES).fit(X.toarray(), Y)
    given = {"n_batches": 4, "buffer_rows": 60}
    own = large_student(FrozenEstimator(teacher)).fit_batches([X[:60], X[60:]], **given)
    dense = large_student(FrozenEstimator(teacher)).fit_batches([X[:60].toarray(), X[60:].toarray()], **given)
    np.testing.assert_array_equal(own.predict_proba(X), dense.predict_proba(X))


@pytest.mark.parametrize("background", [None, X[:20]], ids=["path-dependent", "interventional"])
def test_reasons_of_trees_take_a_small_sparse_table(background, monkeypatch):
    model, dense = LGBMClassifier(**TREES).fit(X, Y), X.toarray()
    wanted = tree_contributions(model, dense, background=None if background is None else dense[:20]).values
    np.testing.assert_array_equal(tree_contributions(model, X, background=background).values, wanted)
    np.testing.assert_allclose(
        TreeContributions(model, background=background).explain(X).values, wanted, atol=1e-6
    )
    np.testing.assert_allclose(path_contributions(model, X).values, path_contributions(model, dense).values)
    monkeypatch.setattr(lazy, "MOST_DENSE_BYTES", 8 * 14 * 60)
    with pytest.raises(ValueError, match="parts of at most 60 rows"):
        tree_contributions(model, X)
