"""Large tables are learnt by parts, and predicted some rows at a time."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression

import skrationale.gbdt2nn._labelling as of_labels
import skrationale.gbdt2nn._parts as of_parts
import skrationale.gbdt2nn._sparse as of_rows
from skrationale import GBDT2NNStudent
from skrationale.gbdt2nn._synthetic import swap_cells

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6_000, 5))
Y = X[:, 0] * X[:, 1] + np.sin(X[:, 2])
TREES = {"n_estimators": 30, "verbose": -1, "n_jobs": 1}
QUICK = {"hidden_layer_sizes": (32,), "random_state": 0}


@pytest.fixture
def any_table_is_large(monkeypatch):
    monkeypatch.setattr(of_parts, "MOST_DENSE_BYTES", 8 * X.size - 1)
    monkeypatch.setattr(of_rows, "PART_BYTES", 8 * 5 * 1_000)


@pytest.mark.usefixtures("any_table_is_large")
def test_a_large_table_is_learnt_by_parts():
    student = GBDT2NNStudent(LGBMRegressor(**TREES), max_epochs=20, **QUICK).fit(X, Y)
    found = student.fidelity(X)
    assert student.n_iter_ == len(student.history_) == 20 * 6  # parts of 1,000 rows
    assert found["prediction_r2"] > 0.95
    assert found["explanation_r2"] > 0.95
    again = GBDT2NNStudent(LGBMRegressor(**TREES), max_epochs=20, **QUICK).fit(X, Y)
    np.testing.assert_array_equal(student.predict(X), again.predict(X))


def test_a_table_of_the_limit_is_learnt_as_a_whole(monkeypatch):
    monkeypatch.setattr(of_parts, "MOST_DENSE_BYTES", 8 * X.size)
    student = GBDT2NNStudent(LGBMRegressor(**TREES), max_epochs=2, **QUICK).fit(X, Y)
    assert student.n_iter_ == 2


@pytest.mark.usefixtures("any_table_is_large")
@pytest.mark.parametrize(
    ("teacher", "parameters"),
    [
        (LGBMClassifier(**TREES), {}),
        (LGBMClassifier(**TREES), {"label_lambda": 1.0, "early_stopping": True}),
        (FrozenEstimator(LGBMClassifier(**TREES).fit(X, Y > 0)), {"max_explanation_rows": 500}),
        (LGBMClassifier(**TREES), {"explanation": None}),
    ],
    ids=["labels", "early stopping", "few explained", "none explained"],
)
def test_parts_take_all_settings(teacher, parameters):
    frame = pd.DataFrame(X, columns=list("abcde")).assign(e=pd.Categorical(np.where(X[:, 4] > 0, "p", "q")))
    fit = frame if not isinstance(teacher, FrozenEstimator) else X
    weight = np.where(X[:, 3] > 0, 2.0, 1.0)
    student = GBDT2NNStudent(teacher, max_epochs=6, **parameters, **QUICK).fit(
        fit, Y > 0, sample_weight=weight
    )
    agreement = np.mean(student.predict(fit) == student.teacher_.predict(fit))
    assert agreement > 0.9


@pytest.mark.usefixtures("any_table_is_large")
def test_any_teacher_is_learnt_by_parts():
    teacher = LinearRegression()
    student = GBDT2NNStudent(teacher, explanation="permutation", max_epochs=10, **QUICK).fit(
        X, X[:, 0] - X[:, 1]
    )
    assert student.fidelity(X)["prediction_r2"] > 0.9


def test_parts_take_less_memory(monkeypatch):
    def peak():
        tracemalloc.start()
        GBDT2NNStudent(teacher, max_epochs=2, **QUICK).fit(X, Y)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    teacher = FrozenEstimator(LGBMRegressor(**TREES).fit(X, Y))
    peak()  # what is imported but once
    whole = peak()
    monkeypatch.setattr(of_parts, "MOST_DENSE_BYTES", 0)
    monkeypatch.setattr(of_rows, "PART_BYTES", 8 * 5 * 500)
    assert peak() < whole / 3


def test_rows_predicted_by_parts_are_the_same_to_the_bit(monkeypatch):
    student = GBDT2NNStudent(LGBMRegressor(**TREES), max_epochs=1, **QUICK).fit(X, Y)
    whole = student.predict(X)
    monkeypatch.setattr(of_rows, "rows_at_once", lambda n_columns, n_outputs: 2048)
    np.testing.assert_array_equal(student.predict(X), whole)


def test_cells_come_from_donors():
    own, donors = np.zeros((50, 3)), np.arange(1.0, 13.0).reshape(4, 3)
    swapped = swap_cells(own, 1.0, np.random.RandomState(0), donors=donors)
    for j in range(3):
        assert set(swapped[:, j]) == set(donors[:, j])


@pytest.mark.usefixtures("any_table_is_large")
@pytest.mark.parametrize("weighted", [False, True])
def test_synthetic_rows_of_a_part_have_cells_of_the_whole_table(monkeypatch, weighted):
    """Cells of one part alone teach little: on 3,000 columns reasons lose a fifth of their R2."""
    seen = []

    def watched(matrix, probability, rng, weight=None, donors=None):
        seen.append((len(matrix), len(np.unique(donors, axis=0))))
        return swap_cells(matrix, probability, rng, weight, donors)

    monkeypatch.setattr(of_labels, "swap_cells", watched)
    weight = np.where(X[:, 3] > 0, 2.0, 1.0) if weighted else None
    GBDT2NNStudent(LGBMRegressor(**TREES), max_epochs=1, **QUICK).fit(X, Y, sample_weight=weight)
    assert {size for size, _ in seen} == {1_000}
    assert min(n for _, n in seen) > 3_000
