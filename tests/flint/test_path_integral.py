"""Contributions of columns to FLINT's scores are integrated gradients, found with few points of the way."""

import numpy as np
import pandas as pd
import pytest

import skrationale.flint._column_reasons as column_reasons
from skrationale import FLINTClassifier, FLINTRegressor
from skrationale._tensors import as_tensor
from skrationale.flint._path_integral import N_INTERVALS, PathIntegral

RNG = np.random.default_rng(0)
N = 400
X = pd.DataFrame(RNG.normal(size=(N, 5)), columns=list("abcde")).assign(city=RNG.choice(["Bonn", "Ulm"], N))
Y = np.sin(2 * X["a"]) + X["b"] * X["c"] + (X["city"] == "Ulm")
FAST = {"max_epochs": 12, "n_attributes": 6, "random_state": 0}
MODELS = {
    "numbers": (FLINTRegressor(**FAST), Y),
    "classes": (FLINTClassifier(**FAST), np.digitize(Y, [-0.5, 0.5])),
    "last layer": (FLINTRegressor(hidden_layer_sizes=(16, 12, 8), hidden_layers=(-1, 0), **FAST), Y),
    "one layer": (FLINTRegressor(hidden_layer_sizes=(20,), **FAST), Y),
}


@pytest.fixture(scope="module", params=MODELS)
def parts(request):
    """The integral, encoded rows, and the integral by gradients at a number of midpoints."""
    model, y = MODELS[request.param]
    model.fit(X, y)
    own, start = model._model, model._mean_row
    encoded = own.source.encoder.encode_matrix(model._read(X))

    def by_midpoints(x, n_points, monkeypatch):
        monkeypatch.setattr(column_reasons, "N_POINTS", n_points)
        return column_reasons._gradients(own.score_function(), x, as_tensor(start))

    return PathIntegral(own, start), encoded, by_midpoints


def test_it_is_nearer_to_the_integral_than_many_midpoints(parts, monkeypatch):
    integral, x, by_midpoints = parts
    expected, found = by_midpoints(x, 2048, monkeypatch), integral(x)
    assert found.shape == expected.shape
    error = ((found - expected) ** 2).mean()
    assert error < ((by_midpoints(x, 6 * N_INTERVALS, monkeypatch) - expected) ** 2).mean()
    assert error < 1e-4 * expected.var()


def test_without_a_kink_on_the_way_it_is_exact(parts, monkeypatch):
    integral, x, by_midpoints = parts
    start = integral._start.numpy()
    near = start + 1e-4 * (x[:50] - start)
    found, expected = integral(near), by_midpoints(near, 4, monkeypatch)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3 * np.abs(expected).max())
    assert not integral(start[None].astype(float)).any()


def test_rows_are_computed_some_at_a_time(parts):
    integral, x, _ = parts
    many = np.tile(x, (3, 1))
    np.testing.assert_allclose(integral(many), np.tile(integral(x), (3, 1, 1)), rtol=0, atol=1e-5)
