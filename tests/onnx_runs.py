"""Run ONNX graphs of fitted estimators, and compare them with the estimators' own answers."""

import json

import numpy as np
import onnxruntime

TOLERANCE = {"float32": 1e-5, "float64": 1e-9}
"""Of the scale of what is compared."""


def session_of(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def run(model, feed):
    """All outputs by name."""
    session = session_of(model)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feed), strict=True))


def run_matrix(model, matrix, dtype="float32"):
    return run(model, {"X": np.asarray(matrix, dtype=dtype)})


def feed_of_columns(model, table, dtype="float32", missing=""):
    """Raw columns (n, 1) as the inputs of a graph want them; missing text is empty, or another word."""
    feed = {}
    for value, name in zip(model.graph.input, table.columns, strict=True):
        column = table[name]
        if value.type.tensor_type.elem_type == 8:
            column = column.astype(object).where(column.notna(), missing)
            feed[value.name] = column.to_numpy(dtype=object)[:, None]
        else:
            feed[value.name] = column.astype(object).to_numpy(dtype=dtype)[:, None]
    return feed


def facts(model):
    """Metadata; JSON is read where it is JSON."""
    found = {}
    for prop in model.metadata_props:
        try:
            found[prop.key] = json.loads(prop.value)
        except json.JSONDecodeError:
            found[prop.key] = prop.value
    return found


def gap(found, expected):
    """Largest difference, as a share of the scale; both may have NaN in the same places."""
    expected = np.asarray(expected, dtype=np.float64)
    assert found.shape == expected.shape
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    scale = max(np.nanmax(np.abs(expected), initial=0.0), 1e-100)
    return float(np.nanmax(np.abs(found - expected), initial=0.0) / scale)


def assert_alike(fitted, matrix, dtype="float32", model=None):
    """Scores, answers and classes of a graph are those of the estimator, on rows as the reader gives them."""
    model = fitted.to_onnx(dtype=dtype) if model is None else model
    matrix = np.asarray(matrix, dtype=dtype)
    found, exact = run_matrix(model, matrix, dtype), matrix.astype(np.float64)
    task, scores = fitted._task, fitted._scores(exact)
    assert list(found)[0] == "scores"
    assert gap(found["scores"], scores) < TOLERANCE[dtype]
    if task.classes is None:
        assert gap(found["prediction"], task.predict(scores)) < TOLERANCE[dtype]
    else:
        probabilities = task.probabilities(scores)
        assert gap(found["probabilities"], probabilities) < TOLERANCE[dtype]
        assert found["probabilities"].argmax(axis=1).tolist() == probabilities.argmax(axis=1).tolist()
    return found
