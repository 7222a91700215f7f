"""Weights of rows are read everywhere by one rule: work where ratios are clear, else say what is wrong."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from estimators import QUICK, QUICK_SEARCH
from lightgbm import LGBMRegressor
from sklearn.base import clone

from skrationale import (
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPRegressor,
    SymbolicDistiller,
    SymbolicDistillerCV,
)
from skrationale._weights import check_weights
from skrationale.metrics import explanation_fidelity, prediction_fidelity
from skrationale.tabular import TableEncoder

N = 40
X = np.random.RandomState(0).normal(size=(N, 2))
Y = X[:, 0] - X[:, 1]
SMOOTH = SmoothMLPRegressor(jacobian_lambda=0.01, **QUICK)
TREES = LGBMRegressor(n_estimators=3, verbose=-1, n_jobs=1)
MAKERS = {
    "gbdt2nn": lambda: GBDT2NNStudent(TREES, n_synthetic=0, **QUICK),
    "smooth": lambda: clone(SMOOTH),
    "symbolic": lambda: SymbolicDistiller(SMOOTH, jacobian_lambda=0.01, **QUICK_SEARCH),
    "symbolic-cv": lambda: SymbolicDistillerCV(SMOOTH, jacobian_lambdas=[0.0], cv=2, **QUICK_SEARCH),
    "rationale": lambda: RationaleRegressor(**QUICK),
    "rationale-distiller": lambda: RationaleDistiller(TREES, **QUICK),
    "flint": lambda: FLINTRegressor(n_attributes=2, **QUICK),
}


def with_cell(value, dtype=object):
    weight = np.ones(N, dtype=dtype)
    weight[3] = value
    return weight


WRONG = {
    "zero": (np.zeros(N), "sample_weight is zero in every row"),
    "false": (np.zeros(N, dtype=bool), "sample_weight is zero in every row"),
    "far-apart": (
        np.where(Y > 0, 1e300, 1e-300),
        "from 1e-300 to 1e\\+300, and the small ones would have no effect",
    ),
    "lost-in-a-sum": (with_cell(1e-20), "from 1e-20 to 1, and the small ones would have no effect"),
    "nan": (with_cell(np.nan, float), "sample_weight is missing in row 3"),
    "infinite": (with_cell(np.inf, float), "sample_weight is infinite in row 3"),
    "beyond-a-float": (with_cell(10**400), "sample_weight is infinite in row 3"),
    "negative": (with_cell(-1.0, float), "sample_weight is -1.0 in row 3; expected .* 0 or more"),
    "none": ([None, *[1.0] * (N - 1)], "sample_weight is missing in row 0"),
    "nullable": (pd.Series([1, None] * (N // 2), dtype="Int64"), "sample_weight is missing in row 1"),
    "text": (["1"] * N, "sample_weight holds values of type <U1; expected numbers"),
    "one-text": (with_cell("much"), "sample_weight is 'much' in row 3; expected a number"),
    "a-text-of-digits": (with_cell("2"), "sample_weight is '2' in row 3; expected a number"),
    "complex": (np.ones(N, dtype=complex), "sample_weight holds values of type complex128"),
    "short": (np.ones(N - 1), r"sample_weight has shape \(39,\); expected \(40,\), one weight per row"),
    "two-dimensional": (np.ones((N, 1)), r"sample_weight has shape \(40, 1\); expected \(40,\)"),
    "ragged": ([[1.0], [1.0, 2.0]], r"sample_weight holds rows of several lengths; expected \(40,\)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_weights_that_cannot_be_meant_are_refused(name):
    weight, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        check_weights(weight, N)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_every_fit_and_score_refuses_them(make):
    for name in ("zero", "far-apart", "lost-in-a-sum", "negative", "text", "nullable", "two-dimensional"):
        weight, message = WRONG[name]
        with pytest.raises(ValueError, match=message):
            make().fit(X, Y, sample_weight=weight)
    model = make().fit(X, Y)
    for name in ("zero", "far-apart", "negative", "a-text-of-digits", "short"):
        weight, message = WRONG[name]
        with pytest.raises(ValueError, match=message):
            model.score(X, Y, sample_weight=weight)


@pytest.mark.parametrize("size", [1e308, 1e-308, 5e-324])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_equal_weights_of_any_size_are_equal_weights(make, size):
    weighted = make().fit(X, Y, sample_weight=np.full(N, size))
    np.testing.assert_array_equal(weighted.predict(X), make().fit(X, Y, sample_weight=np.ones(N)).predict(X))
    assert weighted.score(X, Y, np.full(N, size)) == pytest.approx(weighted.score(X, Y))


def test_ratios_alone_count():
    weight = np.random.RandomState(1).randint(1, 5, N).astype(float)
    ordinary = clone(SMOOTH).fit(X, Y, sample_weight=weight).predict(X)
    for factor in (2.0**1000, 2.0**-1000):
        np.testing.assert_array_equal(
            clone(SMOOTH).fit(X, Y, sample_weight=factor * weight).predict(X), ordinary
        )


@pytest.mark.parametrize(
    "weight",
    [
        pd.Series(np.arange(N) % 3, index=np.arange(N)[::-1]),
        pd.Series(np.arange(N) % 3, dtype="Int64"),
        pd.Series(np.arange(N) % 3, dtype="Float32"),
        (np.arange(N) % 3).tolist(),
        (np.arange(N) % 3).astype(np.uint8),
        [Decimal(k % 3) for k in range(N)],
    ],
    ids=["index", "Int64", "Float32", "list", "uint8", "decimal"],
)
def test_weights_come_in_many_types_and_are_read_in_their_order(weight):
    np.testing.assert_array_equal(check_weights(weight, N), np.arange(N) % 3)


def test_truths_and_one_number_are_weights():
    np.testing.assert_array_equal(check_weights(pd.Series(Y > 0, dtype="boolean"), N), Y > 0)
    np.testing.assert_array_equal(check_weights(3, N), np.full(N, 3.0))
    np.testing.assert_array_equal(check_weights(None, N), np.ones(N))


@pytest.mark.parametrize("function", [prediction_fidelity, explanation_fidelity])
def test_metrics_read_them_alike(function):
    for name in ("zero", "far-apart", "nan", "negative", "text"):
        weight, message = WRONG[name]
        with pytest.raises(ValueError, match=message):
            function(X, X + 0.1, sample_weight=weight)
    plain = function(X, X + 0.1, sample_weight=np.ones(N))
    for size in (1e308, 1e-308):
        assert function(X, X + 0.1, sample_weight=np.full(N, size)) == pytest.approx(plain)


def test_reasons_are_compared_where_only_rows_without_any_have_weight():
    teacher = np.where(np.arange(N)[:, None] < 5, 0.0, X)
    found = explanation_fidelity(X, teacher, sample_weight=np.arange(N) < 5)
    assert np.isnan(found["cosine"])


def test_the_encoder_reads_them_alike():
    with pytest.raises(ValueError, match="zero in every row"):
        TableEncoder().fit(X, np.zeros(N))
    huge = TableEncoder().fit(X, np.full(N, 1e308)).transform(X)
    np.testing.assert_array_equal(huge, TableEncoder().fit(X, np.ones(N)).transform(X))
