"""Sparse tables: students take small ones, and all others say what to give instead."""

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import skrationale.tabular._lazy as lazy
from skrationale import (
    FLINTClassifier,
    GBDT2NNStudent,
    RationaleClassifier,
    SmoothMLPClassifier,
    SymbolicDistiller,
    explain_pipeline,
)

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


def test_no_gigabytes_are_made_in_silence():
    large = sparse.csr_array((100_000, 2000))
    fitted = student().fit(X, Y)
    for act in (lambda: student().fit(large, np.arange(100_000) % 2), lambda: fitted.predict(large)):
        with pytest.raises(
            ValueError, match=r"100000 rows of 2000 columns would take 1.6 GB .*at most 0.13 GB"
        ):
            act()


def test_the_limit_is_that_of_the_dense_table(monkeypatch):
    monkeypatch.setattr(lazy, "MOST_DENSE_BYTES", 8 * N * 14)
    fitted = student().fit(X, Y)
    with pytest.raises(ValueError, match="raw frame .* parts of at most 120 rows"):
        fitted.explain(sparse.vstack([X, X]))
