"""What explanations of a LightGBM and its student add up to, and how many rows they take at once."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor

from skrationale import GBDT2NNStudent
from skrationale.gbdt2nn import _explaining, path_contributions

SMALL = {"n_estimators": 8, "num_leaves": 7, "verbose": -1, "n_jobs": 1, "random_state": 0}
FAST = {"hidden_layer_sizes": (16, 9), "max_epochs": 2, "n_synthetic": 100, "random_state": 0}
X = np.random.default_rng(0).normal(size=(300, 4))
COUNTS = np.round(np.exp(1 + X[:, 0])) + 1
SHARES = 1 / (1 + np.exp(-X[:, 0]))
TARGETS = dict.fromkeys(("poisson", "gamma", "tweedie"), COUNTS)
TARGETS |= {"cross_entropy": SHARES, "regression": X[:, 0]}


@pytest.mark.parametrize("objective", TARGETS)
def test_predictions_of_a_regressor_are_compared_after_its_link(objective):
    y = TARGETS[objective]
    student = GBDT2NNStudent(LGBMRegressor(objective=objective, **SMALL), **FAST).fit(X, y)
    explanation, predictions = student.explain(X), student.predict(X)
    assert explanation.additivity_error(predictions) < 1e-9
    raw = student.teacher_.predict(X, raw_score=True)
    for teacher in (student.teacher_explain(X), student.teacher_explain(X, "path")):
        assert teacher.additivity_error(student.teacher_.predict(X)) < 1e-9
        assert teacher.additivity_error(raw) < 1e-9
    assert path_contributions(student.teacher_, X).additivity_error(student.teacher_.predict(X)) < 1e-9
    if explanation.link != "identity":
        assert np.abs(explanation.scores() - predictions).max() > 0.1


def test_a_classifier_may_give_scores_or_probabilities_but_no_labels():
    y = X[:, 0] > 0
    explanation = path_contributions(LGBMClassifier(**SMALL).fit(X, y), X)
    model = LGBMClassifier(**SMALL).fit(X, y.astype(int))
    assert explanation.additivity_error(model.predict(X, raw_score=True)) < 1e-9
    assert explanation.additivity_error(model.predict_proba(X)[:, 1]) < 1e-9
    with pytest.raises(ValueError, match="only whole numbers, which seem to be labels"):
        explanation.additivity_error(model.predict(X))


def test_contributions_by_paths_keep_the_labels_of_rows():
    table = pd.DataFrame(X, columns=list("abcd"), index=pd.Index(range(300, 0, -1), name="customer"))
    explanation = path_contributions(LGBMRegressor(**SMALL).fit(table, X[:, 0]), table)
    pd.testing.assert_index_equal(explanation.to_frame().index, table.index)


def test_not_a_digit_depends_on_the_batches():
    student = GBDT2NNStudent(LGBMRegressor(**SMALL), **FAST).fit(X, X[:, 0] * X[:, 1])
    rows = np.tile(X, (15, 1)) + 0.01 * np.arange(4500)[:, None]
    for many in (rows, rows[:400]):
        whole = student.explain(many)
        assert whole.additivity_error(student.predict(many)) < 1e-12
        for options in ({"batch_size": 1}, {"batch_size": 700, "n_jobs": 2}, {"batch_size": 2049}):
            close = {"rtol": 0, "atol": 0 if len(many) > 512 else 1e-14}
            np.testing.assert_allclose(student.explain(many, **options).values, whole.values, **close)


def test_of_a_table_that_nobody_can_write_to_only_the_contributions_take_memory(monkeypatch):
    monkeypatch.setattr(_explaining, "LARGE", 2**19)
    student = GBDT2NNStudent(LGBMRegressor(**SMALL), **FAST).fit(X, X[:, 0])
    rows = np.concatenate([X] * 500)
    student.explain(rows[:5000])  # what is kept from the first call on
    for writable, tables in ((True, 2), (False, 1)):
        rows.setflags(write=writable)
        tracemalloc.start()
        try:
            explanation = student.explain(rows)
            held, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        # one number for each row more, as base values were, is a quarter of a table
        assert held < tables * rows.nbytes + 2**16
        assert peak < (tables + 0.6) * rows.nbytes
        assert np.shares_memory(explanation.data, rows) != writable
        assert not explanation.base_values.flags.writeable
        np.testing.assert_array_equal(explanation[-2:].base_values, student.explain(rows[:2]).base_values)


def test_a_view_of_a_table_is_copied_although_it_is_read_only():
    student = GBDT2NNStudent(LGBMRegressor(**SMALL), **FAST).fit(X, X[:, 0])
    rows = np.tile(X, (10, 1))
    shown = rows[:]
    shown.setflags(write=False)
    explanation = student.explain(shown)
    rows[:] = -1
    np.testing.assert_array_equal(explanation.data, np.tile(X, (10, 1)))
