"""A fresh process opens a pickled student and explains few rows without what only training needs."""

import copy
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from lightgbm import LGBMClassifier, LGBMRegressor

from skrationale import GBDT2NNStudent
from skrationale.gbdt2nn._few_rows import EXACT_ROWS, WORK_OF_ONE_THREAD, dense, looked_up, silu, softplus
from skrationale.gbdt2nn._monotone_network import monotone_activation
from skrationale.serving import serving_copy

SMALL = {"n_estimators": 5, "num_leaves": 7, "verbose": -1, "n_jobs": 1, "random_state": 0}
FAST = {"hidden_layer_sizes": (16, 9), "max_epochs": 1, "n_synthetic": 100, "random_state": 0}
N = 700
RNG = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "age": RNG.normal(size=N),
        "income": np.where(RNG.random(N) < 0.1, np.nan, RNG.normal(size=N)),
        "city": pd.Categorical(RNG.choice(["Bonn", "Ulm"], N)),
        "plan": RNG.choice(["a", "b", "c"], N),
    }
)
Y = X["age"] * (1 + (X["plan"] == "b")) + X["income"].fillna(2)
RISING = {"monotone_constraints": [1, 0, 0, 0]}
STUDENTS = {
    "numbers": (GBDT2NNStudent(LGBMRegressor(**SMALL), **FAST), Y),
    "classes": (GBDT2NNStudent(LGBMClassifier(**SMALL), **FAST), np.digitize(Y, [-1, 1])),
    "independent": (GBDT2NNStudent(LGBMRegressor(**SMALL), imitation="independent", **FAST), Y),
    "monotone": (GBDT2NNStudent(LGBMRegressor(**SMALL | RISING), monotone="teacher", **FAST), Y),
}
OF_TRAINING = {"torch", "skorch", "tqdm", "matplotlib", "sympy", "onnx"}
OF_TEACHERS = {"lightgbm", "sklearn.preprocessing", "sklearn.metrics", "sklearn.linear_model"}


@pytest.fixture(scope="module")
def students():
    return {name: model.fit(X, y) for name, (model, y) in STUDENTS.items()}


def answers(model, rows):
    return [model.explain(rows).values, model.predict(rows)]


@pytest.mark.parametrize("served", [False, True])
def test_few_rows_are_explained_without_torch(students, served, tmp_path):
    models = [serving_copy(model) if served else model for model in students.values()]
    path, tables = tmp_path / "models.pkl", [X[:1], X[1:301]]
    path.write_bytes(pickle.dumps((models, tables)))
    code = f"""
import pickle, sys
models, tables = pickle.loads(open({str(path)!r}, "rb").read())
found = [[model.explain(rows).values, model.predict(rows)] for model in models for rows in tables]
print(*{OF_TRAINING | (OF_TEACHERS if served else set())!r} & sys.modules.keys())
print(pickle.dumps(found).hex())
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported, found = run.stdout.splitlines()
    assert imported == ""
    expected = [answers(model, rows) for model in models for rows in tables]
    for ours, theirs in zip(pickle.loads(bytes.fromhex(found)), expected, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", STUDENTS)
def test_few_rows_are_those_of_many(students, name):
    """Few rows are computed by numpy in float64; torch says the same of many, of scores up to float32."""
    student = students[name]
    assert len(X) > EXACT_ROWS
    many = answers(student, X)
    for n in (1, 2, 100, EXACT_ROWS):
        for ours, whole in zip(answers(student, X[:n]), many, strict=True):
            np.testing.assert_allclose(ours, whole[:n], rtol=0, atol=2e-5 * np.abs(whole).max())
    hidden, states = (student._hidden_states(student._read(rows)) for rows in (X[:100], X))
    assert len(hidden) == len(states) > 0
    for ours, whole in zip(hidden, states, strict=True):
        np.testing.assert_allclose(ours, whole[:100], rtol=0, atol=1e-13 * np.abs(whole).max())


@pytest.mark.parametrize("name", STUDENTS)
def test_states_far_below_zero_warn_of_nothing(students, name):
    student = copy.deepcopy(students[name])
    for network in student._student.networks:
        network.biases[0] -= 900
    if student._student.monotone is not None:
        student._student.monotone.dense["bias"][0] -= 900
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in (1, 3):
            assert all(np.isfinite(each).all() for each in answers(student, X[:n]))


def test_layers_of_few_rows_are_those_of_torch():
    rng = np.random.default_rng(1)
    x = np.concatenate([[-1e4, -800.0, -30.0, -0.0, 0.0, 24.9, 25.1, 800.0, 1e4], rng.normal(size=91) * 9])
    x = x.reshape(10, 10)
    shown = torch.from_numpy(x.copy())
    expected = torch.nn.functional.silu(shown).numpy()
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(silu(x.copy()), expected, rtol=1e-15, atol=1e-300)
    expected = torch.nn.functional.softplus(shown, beta=2, threshold=50).numpy()
    np.testing.assert_allclose(softplus(x), expected, rtol=1e-15, atol=1e-17)
    halves = [softplus(x[:, :5]), -softplus(-x[:, 5:])]
    np.testing.assert_allclose(np.hstack(halves), monotone_activation(shown).numpy(), rtol=1e-15, atol=1e-17)
    table, bins = rng.normal(size=(50, 7)).astype(np.float32), rng.integers(0, 50, size=(9, 6))
    expected = table.astype(np.float64)[bins].sum(axis=1)
    for n in (1, 2, 9):
        np.testing.assert_allclose(looked_up(table, bins[:n]), expected[:n], rtol=1e-15, atol=1e-15)
    assert looked_up(table, bins[:1]).tobytes() == looked_up(table, bins)[:1].tobytes()


def test_large_products_are_computed_some_rows_at_a_time():
    rng = np.random.default_rng(2)
    x, weight, bias = rng.normal(size=(37, 64)), rng.normal(size=(64, 4096)), rng.normal(size=4096)
    assert len(x) > WORK_OF_ONE_THREAD // weight.size > 1
    np.testing.assert_allclose(dense(x, weight, bias), x @ weight + bias, rtol=0, atol=1e-12)
    np.testing.assert_allclose(dense(x, weight), x @ weight, rtol=0, atol=1e-12)
    assert dense(x[:0], weight, bias).shape == (0, 4096)
