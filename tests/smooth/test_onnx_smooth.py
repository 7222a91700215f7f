"""Smooth networks as ONNX graphs."""

import numpy as np
import pytest
from conftest import mixed_table
from onnx_runs import assert_alike, facts, feed_of_columns, gap, run
from seeds import SEED

from skrationale import SmoothMLPClassifier, SmoothMLPRegressor

TABLE, SCORE = mixed_table()
BRIEF = {"hidden_layer_sizes": (8, 4), "max_epochs": 3, "jacobian_lambda": 0.01, "random_state": SEED}


@pytest.mark.parametrize("activation", ["silu", "tanh", "softplus", "relu"])
def test_numbers(activation):
    model = SmoothMLPRegressor(activation=activation, **BRIEF).fit(TABLE, 1000 + SCORE)
    for dtype in ("float32", "float64"):
        found = assert_alike(model, model._read(TABLE), dtype)
        assert list(found) == ["scores", "prediction"]
    new = TABLE.assign(city=["Rome", None] * 120)
    graph = model.to_onnx(inputs="columns")
    assert gap(run(graph, feed_of_columns(graph, new))["prediction"], model.predict(new)) < 1e-5


@pytest.mark.parametrize("k", [2, 3])
def test_classes(k):
    labels = np.digitize(SCORE, np.quantile(SCORE, np.arange(1, k) / k))
    model = SmoothMLPClassifier(**BRIEF).fit(TABLE, labels)
    for dtype in ("float32", "float64"):
        found = assert_alike(model, model._read(TABLE), dtype)
        assert found["probabilities"].shape == (240, k)
    assert facts(model.to_onnx())["explanation"] is None


def test_a_constant():
    model = SmoothMLPRegressor(**BRIEF).fit(TABLE, np.full(240, 5.0))
    assert (assert_alike(model, model._read(TABLE))["prediction"] == 5).all()


@pytest.mark.parametrize("size", [1e60, 1e-60])
def test_targets_that_float32_cannot_hold(size):
    model = SmoothMLPRegressor(**BRIEF).fit(TABLE, SCORE * size)
    with pytest.raises(ValueError, match="which float32 cannot hold; expected dtype='float64'"):
        model.to_onnx()
    assert_alike(model, model._read(TABLE), "float64")
