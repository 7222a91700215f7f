"""Distilled formulas as ONNX graphs."""

import numpy as np
import pytest
from conftest import mixed_table
from estimators import QUICK, QUICK_SEARCH
from onnx_runs import assert_alike, facts, feed_of_columns, gap, run

from skrationale import SmoothMLPClassifier, SmoothMLPRegressor, SymbolicDistiller, SymbolicDistillerCV

TABLE, SCORE = mixed_table()
SEARCH = QUICK_SEARCH | {"maxsize": 9, "teacher_weight": 1}


@pytest.mark.parametrize("k", [1, 2, 3])
def test_distillers(k):
    labels = np.digitize(SCORE, np.quantile(SCORE, np.arange(1, k) / k))
    teacher = SmoothMLPRegressor(**QUICK) if k == 1 else SmoothMLPClassifier(**QUICK)
    model = SymbolicDistiller(teacher, jacobian_lambda=None, **SEARCH).fit(TABLE, SCORE if k == 1 else labels)
    for dtype in ("float32", "float64"):
        found = assert_alike(model, model._read(TABLE), dtype)
        assert list(found) == ["scores", "prediction" if k == 1 else "probabilities"]
    graph = model.to_onnx(inputs="columns", dtype="float64")
    found = run(graph, feed_of_columns(graph, TABLE, "float64"))
    assert gap(found["scores"], model._scores(model._read(TABLE))) < 1e-12
    assert facts(graph)["formulas"] == list(map(str, model.formulas_))


def test_distillers_with_folds():
    model = SymbolicDistillerCV(SmoothMLPRegressor(**QUICK), jacobian_lambdas=(0.0, 0.1), cv=2, **SEARCH)
    assert_alike(model.fit(TABLE, SCORE), model._read(TABLE), "float64")
