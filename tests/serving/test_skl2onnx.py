"""skl2onnx converts pipelines that end in our estimators, with reasons among the outputs."""

import sys

import numpy as np
import pytest
from conftest import mixed_table
from estimators import FLINT, RATIONALE, TREES
from lightgbm import LGBMClassifier, LGBMRegressor
from onnx_runs import gap, run
from seeds import SEED
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skrationale import FLINTClassifier, GBDT2NNStudent, RationaleRegressor, SmoothMLPRegressor
from skrationale.serving import register_skl2onnx

skl2onnx = pytest.importorskip("skl2onnx")
from skl2onnx.common.data_types import (  # noqa: E402
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)

TABLE, SCORE = mixed_table()
NUMBERS = TABLE[["age", "visits", "idle"]].fillna(40.0).to_numpy()
OPSETS = {"": 21, "ai.onnx.ml": 3}
FAST = {"hidden_layer_sizes": (16, 8), "max_epochs": 2, "n_synthetic": 0, "random_state": SEED}


@pytest.fixture(scope="module", autouse=True)
def registered():
    register_skl2onnx()
    register_skl2onnx()


def classes(k):
    return np.digitize(SCORE, np.quantile(SCORE, np.arange(1, k) / k))


def converted(model, types, **options):
    return skl2onnx.convert_sklearn(model, initial_types=types, target_opset=OPSETS, **options)


@pytest.fixture(scope="module")
def on_columns():
    return GBDT2NNStudent(LGBMRegressor(**TREES), **FAST).fit(TABLE, SCORE)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_pipeline_with_a_student(dtype):
    student = GBDT2NNStudent(LGBMClassifier(**TREES), **FAST)
    model = make_pipeline(StandardScaler(), student).fit(NUMBERS, classes(3))
    graph = skl2onnx.to_onnx(model, NUMBERS[:1].astype(dtype), target_opset=OPSETS)
    found = run(graph, {"X": NUMBERS.astype(dtype)})
    assert list(found) == ["scores", "contributions", "probabilities"]
    assert {values.dtype for values in found.values()} == {np.dtype(dtype)}
    # in float32 the scaler rounds numbers of a row or two across a threshold
    rows = np.abs(found["scores"] - model.decision_function(NUMBERS)).max(axis=1) < 1e-4
    assert rows.mean() > 0.98 if dtype == "float32" else rows.all()
    values = model[-1].explain(model[:-1].transform(NUMBERS)).values.transpose(0, 2, 1)
    assert gap(found["contributions"][rows], values[rows]) < 1e-4
    assert gap(found["probabilities"][rows], model.predict_proba(NUMBERS)[rows]) < 1e-4


def test_a_pipeline_that_encodes_text():
    names = ["visits", "idle"]
    encoder = ColumnTransformer(
        [("numbers", StandardScaler(), names), ("text", OneHotEncoder(sparse_output=False), ["city"])]
    )
    table = TABLE.fillna({"city": "Rome"})
    model = make_pipeline(encoder, SmoothMLPRegressor((4,), jacobian_lambda=0, max_epochs=2, random_state=0))
    model.fit(table, SCORE)
    types = [(name, DoubleTensorType([None, 1])) for name in names]
    graph = converted(model, [*types, ("city", StringTensorType([None, 1]))])
    feed = {name: table[[name]].to_numpy(dtype=float) for name in names}
    found = run(graph, feed | {"city": table[["city"]].to_numpy(dtype=object)})
    assert gap(found["prediction"], model.predict(table)) < 1e-6


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        (RationaleRegressor(max_features=2, **RATIONALE | {"max_epochs": 2}), "mask"),
        (FLINTClassifier(**FLINT | {"max_epochs": 2}), "attributes"),
    ],
    ids=["rationale", "flint"],
)
def test_other_families(model, reasons):
    y = SCORE if reasons == "mask" else classes(2)
    whole = make_pipeline(StandardScaler(), model).fit(NUMBERS, y)
    found = run(converted(whole, [("X", DoubleTensorType([None, 3]))]), {"X": NUMBERS})
    scaled = whole[0].transform(NUMBERS)
    if reasons == "mask":
        np.testing.assert_array_equal(found["mask"], whole[-1].get_rationale(scaled))
        assert gap(found["prediction"], whole.predict(NUMBERS)) < 1e-9
    else:
        assert gap(found["attributes"], whole[-1].transform(scaled)) < 1e-9
        assert gap(found["probabilities"], whole.predict_proba(NUMBERS)) < 1e-9


def test_an_estimator_alone_takes_columns(on_columns):
    kinds = [DoubleTensorType, StringTensorType, StringTensorType, FloatTensorType, Int64TensorType]
    kinds.append(DoubleTensorType)
    types = [(name, kind([None, 1])) for name, kind in zip(TABLE, kinds, strict=True)]
    graph = converted(on_columns, types)
    feed = {}
    for name, kind in zip(TABLE, kinds, strict=True):
        column = (
            TABLE[name].astype(object).where(TABLE[name].notna(), "" if kind is StringTensorType else np.nan)
        )
        dtype = {FloatTensorType: np.float32, Int64TensorType: np.int64, DoubleTensorType: float}.get(
            kind, object
        )
        feed[name] = column.to_numpy(dtype=dtype)[:, None]
    found = run(graph, feed)
    assert found["scores"].dtype == np.float64
    assert gap(found["prediction"], on_columns.predict(TABLE)) < 1e-9


def test_an_estimator_alone_takes_codes(on_columns):
    codes = on_columns._read(TABLE)
    found = run(converted(on_columns, [("X", DoubleTensorType([None, 6]))]), {"X": codes})
    assert gap(found["prediction"], on_columns.predict(TABLE)) < 1e-9


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ([("X", FloatTensorType([None, 5]))], "was fitted on 6 columns, but gets inputs of .5."),
        (
            [(name, FloatTensorType([None, 1])) for name in TABLE],
            "Input 'city' is a FloatTensorType, .* was text at fit; expected a StringTensorType",
        ),
        (
            [(name, StringTensorType([None, 1])) for name in TABLE],
            "column 'age' was numbers at fit; expected a FloatTensorType or DoubleTensorType",
        ),
        (
            [("X", StringTensorType([None, 6]))],
            "gets inputs of .6. columns; expected one matrix .* of numbers",
        ),
        (
            [(name, FloatTensorType([None, 1])) for name in reversed(TABLE.columns)],
            "order .'idle'.*; expected the order of the columns at fit, .'age'",
        ),
    ],
)
def test_wrong_inputs(on_columns, types, message):
    with pytest.raises(ValueError, match=message):
        converted(on_columns, types)


def test_numbers_in_another_order_are_refused():
    table = TABLE[["age", "visits"]].fillna(40.0)
    student = GBDT2NNStudent(LGBMRegressor(**TREES), **FAST).fit(table, SCORE)
    with pytest.raises(ValueError, match=r"in the order \['visits', 'age'\]"):
        converted(student, [(name, DoubleTensorType([None, 1])) for name in ("visits", "age")])


def test_models_inside_of_others_are_refused():
    voting = VotingRegressor([("a", GBDT2NNStudent(LGBMRegressor(**TREES), **FAST))]).fit(NUMBERS, SCORE)
    with pytest.raises(
        ValueError,
        match="GBDT2NNStudent gives the outputs .*expected the estimator alone, or as the last step of a",
    ):
        converted(voting, [("X", DoubleTensorType([None, 3]))])


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ImportError, match="pip install skl2onnx"):
        register_skl2onnx()
