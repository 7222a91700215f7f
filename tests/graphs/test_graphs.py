"""Graphs: options, names, constants, search trees, encoders of tables, and a library that is missing."""

import sys

import numpy as np
import pandas as pd
import pytest
from onnx_runs import TOLERANCE, gap, run, run_matrix
from seeds import SEED

from skrationale import SmoothMLPRegressor
from skrationale._task import Task
from skrationale.graphs import Graph, Steps, encoded_table, search_trees, softplus
from skrationale.graphs._export import add_answers
from skrationale.tabular import TableEncoder


@pytest.fixture(scope="module")
def smooth():
    X = np.linspace(-1, 1, 60)[:, None]
    return SmoothMLPRegressor((4,), jacobian_lambda=0, max_epochs=2, random_state=0).fit(X, X[:, 0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": "rows"}, "inputs must be 'matrix' or 'columns'. Got 'rows'"),
        ({"dtype": "float16"}, "dtype must be 'float32' or 'float64'. Got 'float16'"),
        ({"opset": 12}, "opset must be an integer from 13 to .* Got 12"),
        ({"opset": 1000}, "opset must be an integer from 13 to .* Got 1000"),
        ({"opset": "21"}, "opset must be an integer from 13 to .* Got '21'"),
    ],
)
def test_options_are_checked(smooth, options, message):
    with pytest.raises(ValueError, match=message):
        smooth.to_onnx(**options)


def test_estimators_must_be_fitted():
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        SmoothMLPRegressor().to_onnx()


def test_a_missing_library_is_named(smooth, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'skrationale\[onnx\]'"):
        smooth.to_onnx()


def graph_of(dtype="float32", width=1):
    graph = Graph(dtype, 21)
    return graph, graph.input("X", graph.float_type, width)


def finished(graph, value, width, dtype=None):
    graph.add("Identity", value, name="scores")
    graph.output("scores", [width], dtype)
    return graph.model("test", {})


def test_constants_are_kept_once_and_fit_the_type():
    graph, x = graph_of()
    assert graph.constant([1.0, 2.0]) == graph.constant(np.array([1.0, 2.0]))
    assert graph.constant([1, 2]) != graph.constant([1.0, 2.0])
    for number in (1e40, 1e-40):
        with pytest.raises(ValueError, match="which float32 cannot hold; expected dtype='float64'"):
            graph.constant(number)
    assert graph.constant([1e-40, 1.0]) != graph.constant([-np.inf, np.nan])
    model = finished(graph, x, 1)
    assert not model.graph.initializer  # none is used


def test_models_that_no_file_holds_are_refused(monkeypatch):
    monkeypatch.setattr("skrationale.graphs._graph.LARGEST_FILE", 100)
    graph, x = graph_of()
    with pytest.raises(ValueError, match="GiB as ONNX; expected less than 2"):
        finished(graph, x, 1)


@pytest.mark.parametrize("opset", [13, 17, 21])
def test_older_operators(smooth, opset):
    model = smooth.to_onnx(opset=opset)
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == opset
    assert gap(run_matrix(model, [[0.5]])["prediction"], smooth.predict([[0.5]])) < 1e-5


# --- search trees ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("missing", [0, 3, 9])
def test_search_trees_are_exact(dtype, missing):
    rng = np.random.default_rng(SEED)
    keys = np.sort(np.concatenate([rng.normal(size=30), [1 + 1e-12, 1 + 2e-12, -1e300, 1e300, 16777217.0]]))

    def function(x):
        return np.where(np.isnan(x), missing, np.searchsorted(keys, x) // 4)

    steps = Steps.of(1, keys, function, dtype)
    with np.errstate(over="ignore"):
        cells = keys.astype(dtype)
    cells = np.concatenate(
        [cells, *(np.nextafter(cells, dtype(side)) for side in (-np.inf, np.inf)), [np.nan]]
    )
    rows = np.column_stack([np.zeros(len(cells)), cells]).astype(dtype)
    rows = rows[~np.isinf(rows[:, 1])]
    graph, x = graph_of(np.dtype(dtype).name, 2)
    alone = Steps.of(0, np.array([]), lambda x: np.full(len(x), 7), dtype)
    model = finished(graph, search_trees(graph, x, [steps, alone]), 2, np.int32)
    found = run(model, {"X": rows})["scores"]
    np.testing.assert_array_equal(found[:, 0], function(rows[:, 1].astype(np.float64)))
    assert (found[:, 1] == 7).all()


# --- encoders -------------------------------------------------------------------------------------------


def encoder_table():
    rng = np.random.default_rng(SEED)
    n = 300
    table = pd.DataFrame(
        {
            "year": 2020 + 1e-3 * rng.normal(size=n),
            "large": 1e33 * rng.normal(size=n),
            "flat": 3.0,
            "city": rng.choice([f"c{k}" for k in range(60)], n, p=np.arange(1, 61) / 1830),
            "kind": rng.choice(["a", "b"], n),
            "pieces": rng.normal(size=n),
        }
    )
    table.loc[::9, ["year", "kind"]] = None
    table.loc[::11, "city"] = None
    return table


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_pieces", [0, 4])
def test_encoders_of_tables(dtype, n_pieces):
    table = encoder_table()
    encoder = TableEncoder(n_pieces=n_pieces, max_categories=8).fit(table)
    assert {"city = other", "kind = missing", "year is missing"} <= set(encoder.encoded_names)
    matrix = encoder.reader.transform(table)
    matrix[:3, 3:5], matrix[3, 3:5] = -1, [59, 2]
    matrix[4] = np.nan
    matrix = matrix.astype(dtype)
    graph, x = graph_of(dtype, 6)
    model = finished(graph, encoded_table(graph, x, encoder), len(encoder.groups))
    expected = encoder.encode_matrix(matrix.astype(np.float64))
    found = run(model, {"X": matrix})["scores"]
    for i, name in enumerate(encoder.encoded_names):
        assert gap(found[:, i], expected[:, i]) < (2e-7 if dtype == "float32" else 1e-12), name


@pytest.mark.parametrize("columns", [["city"], ["year"], ["pieces"]])
def test_encoders_of_one_column(columns):
    table = encoder_table()[columns]
    encoder = TableEncoder(numeric="none").fit(table)
    matrix = encoder.reader.transform(table).astype(np.float32)
    graph, x = graph_of("float32", 1)
    model = finished(graph, encoded_table(graph, x, encoder), len(encoder.groups))
    assert gap(run(model, {"X": matrix})["scores"], encoder.encode_matrix(matrix.astype(float))) < 1e-6


def test_quantiles_have_no_plan():
    with pytest.raises(ValueError, match="numeric='quantile' has no plan"):
        TableEncoder(numeric="quantile").fit(np.arange(20.0)[:, None]).plan()


# --- answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "task",
    [
        Task("identity", 1),
        Task("log", 1),
        Task("logit", 1),
        Task("logit", 1, np.array([0, 1])),
        Task("logit", 1, np.array(["only"])),
        Task("probability", 1, np.array([0, 1])),
        Task("softmax", 3, np.arange(3)),
        Task("logit", 3, np.arange(3)),
        Task("probability", 3, np.arange(3)),
    ],
    ids=lambda task: f"{task.link}, {task.n_outputs} of {task.classes}",
)
def test_answers_of_every_task(task):
    scores = np.random.default_rng(SEED).normal(size=(50, task.n_outputs)) * 3
    scores[0] = -1
    for dtype, tolerance in TOLERANCE.items():
        graph, x = graph_of(dtype, task.n_outputs)
        graph.add("Identity", x, name="scores")
        graph.output("scores", [task.n_outputs])
        add_answers(graph, task)
        found = run_matrix(graph.model("test", {}), scores, dtype)
        if task.classes is None:
            assert gap(found["prediction"], task.predict(scores)) < tolerance
        else:
            assert gap(found["probabilities"], task.probabilities(scores)) < tolerance


def test_softplus_does_not_overflow():
    for dtype, tolerance in TOLERANCE.items():
        graph, x = graph_of(dtype)
        rows = np.array([[-1e4], [-50.0], [-1.0], [0.0], [3.0], [800.0], [1e4]])
        found = run_matrix(finished(graph, softplus(graph, x), 1), rows, dtype)["scores"]
        assert gap(found, np.logaddexp(0, rows)) < tolerance
