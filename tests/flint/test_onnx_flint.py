"""FLINT as ONNX graphs: attributes, and the scores of the one that decides."""

import numpy as np
import pytest
import torch
from conftest import mixed_table
from estimators import FLINT
from onnx_runs import assert_alike, facts, feed_of_columns, gap, run
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrationale import FLINTClassifier, FLINTRegressor

TABLE, SCORE = mixed_table()
BRIEF = FLINT | {"max_epochs": 3}


def classes(k):
    return np.digitize(SCORE, np.quantile(SCORE, np.arange(1, k) / k))


@pytest.mark.parametrize("decides", ["interpreter", "model"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_attributes_and_scores(k, decides):
    kind = FLINTRegressor if k == 1 else FLINTClassifier
    model = kind(decide_with=decides, **BRIEF).fit(TABLE, 100 + SCORE if k == 1 else classes(k))
    matrix = model._read(TABLE)
    for dtype in ("float32", "float64"):
        found = assert_alike(model, matrix, dtype)
        assert list(found)[:2] == ["scores", "attributes"]
        expected = model._model.attributes(matrix.astype(dtype).astype(np.float64))
        assert gap(found["attributes"], expected) < (1e-5 if dtype == "float32" else 1e-9)
    graph = model.to_onnx(inputs="columns", dtype="float64")
    raw = run(graph, feed_of_columns(graph, TABLE, "float64"))
    assert gap(raw["attributes"], model.transform(TABLE)) < 1e-9
    known = facts(graph)
    assert known["decides"] == decides
    if decides == "interpreter":
        total = raw["attributes"] @ np.transpose(known["weights"]) + known["bias"]
        assert gap(raw["scores"], total) < 1e-9


def test_some_hidden_layers():
    model = FLINTRegressor(hidden_layers=(1,), **BRIEF).fit(TABLE, SCORE)
    assert_alike(model, model._read(TABLE))


def test_a_constant():
    model = FLINTRegressor(**BRIEF).fit(TABLE, np.full(240, 3.0))
    found = assert_alike(model, model._read(TABLE))
    assert not found["attributes"].any()


X = TABLE[["age", "visits", "idle"]].fillna(40.0)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("decides", ["interpreter", "model"])
def test_given_networks_of_scikit_learn(activation, decides):
    network = MLPClassifier((6, 4), activation=activation, max_iter=20, random_state=0)
    labels = classes(2 if decides == "model" else 3)
    fitted = FrozenEstimator(network.fit(X[["idle", "age", "visits"]], labels))  # in another order
    model = FLINTClassifier(fitted, decide_with=decides, hidden_layers=(1,), **BRIEF).fit(X, labels)
    for dtype in ("float32", "float64"):
        found = assert_alike(model, X.to_numpy(), dtype)
        expected = model._model.attributes(X.to_numpy(dtype=dtype).astype(float))
        assert gap(found["attributes"], expected) < 1e-5


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_given_networks_of_numbers():
    network = MLPRegressor((6,), max_iter=20, random_state=0)
    if "loss" in network.get_params():
        network.set_params(loss="poisson")
    model = FLINTRegressor(network, **BRIEF).fit(X, np.exp(SCORE / 3))
    assert_alike(model, X.to_numpy(), "float64")


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_other_given_predictors_and_images_are_refused():
    given = FLINTClassifier(make_pipeline(StandardScaler(), MLPClassifier((4,), max_iter=20)), **BRIEF)
    with pytest.raises(ValueError, match="a given predictor, a Pipeline, .* expected predictor=None"):
        given.fit(X, classes(2)).to_onnx()
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    with pytest.raises(ValueError, match="a given predictor, a Wrapped"):
        FLINTClassifier(module, **BRIEF).fit(X, classes(2)).to_onnx()
    pixels = np.random.RandomState(0).rand(40, 1, 6, 6)
    images = FLINTClassifier(n_attributes=3, max_epochs=1, random_state=0).fit(pixels, np.arange(40) % 2)
    with pytest.raises(ValueError, match="FLINT of images .* expected a table"):
        images.to_onnx()
