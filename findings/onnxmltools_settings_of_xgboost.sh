#!/usr/bin/env bash
# onnxmltools 1.16.0, xgboost-cpu 3.2.0: convert_xgboost, which promises an equivalent model, takes models with settings that it does
# not heed. The ONNX predicts something else than XGBoost, and no error or warning is raised:
# - objective="reg:logistic" or "survival:cox" of a regressor: no sigmoid or exp is applied, but the base is added as if it were.
# - a regressor of two targets, or of two quantiles: the trees of both are added up in the first column. The second one is 0.
# - num_parallel_tree with three classes, and so XGBRFClassifier: trees count for the wrong class. Regressions are right.
# - num_parallel_tree with early stopping: of the rounds up to the best one only a part of the trees is kept.
# - a classifier of several labels for each row: the probabilities are others, and add up to 1, as for classes.
# Seen (share of the rows that differ by more than 0.01; the first row of the ONNX, and of predict or predict_proba):
#   regression: 0% differ; ONNX 10.12, XGBoost 10.12
#   num_parallel_tree: 0% differ; ONNX 10.10, XGBoost 10.10
#   early stopping: 0% differ; ONNX 10.24, XGBoost 10.24
#   num_parallel_tree, early stopping: 98% differ; ONNX 10.36, XGBoost 10.15
#   reg:logistic: 99% differ; ONNX 0.71, XGBoost 0.53
#   survival:cox: 96% differ; ONNX 3.34, XGBoost 10.33
#   two quantiles: 100% differ; ONNX 6.90 0.00, XGBoost 8.79 11.29
#   two targets: 100% differ; ONNX 10.80 0.00, XGBoost 10.12 -10.12
#   classes: 0% differ; ONNX 0.01 0.99 0.00, XGBoost 0.01 0.99 0.00
#   classes, num_parallel_tree: 100% differ; ONNX 0.30 0.54 0.16, XGBoost 0.01 0.99 0.00
#   classes, XGBRFClassifier: 100% differ; ONNX 0.34 0.49 0.17, XGBoost 0.10 0.84 0.06
#   several labels: 100% differ; ONNX 1.00 0.00, XGBoost 0.00 1.00
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  onnxmltools==1.16.0 skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0 xgboost-cpu==3.2.0 numpy==2.4.0 scikit-learn==1.9.1

cat > "$folder/seen.py" <<'PY'
import warnings

import numpy as np
import onnxruntime
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(1000, 3)).astype(np.float32)
y = 10 + X[:, 0] + X[:, 1] ** 2
noisy = y + rng.normal(size=1000)
classes = np.digitize(y, [10, 12])
FOREST = {"num_parallel_tree": 3, "subsample": 0.7}
STOP = {"n_estimators": 300, "early_stopping_rounds": 3}


def row(numbers):
    return " ".join(f"{number:.2f}" for number in numbers)


def show(name, model, target):
    held_out = {"eval_set": [(X[500:], target[500:])], "verbose": False} if model.early_stopping_rounds else {}
    model.set_params(n_jobs=1).fit(X[:500], target[:500], **held_out)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = convert_xgboost(model, initial_types=[("X", FloatTensorType([None, 3]))])
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = session.run(None, {"X": X})[-1]
    truth = (model.predict_proba if hasattr(model, "predict_proba") else model.predict)(X).reshape(found.shape)
    differ = (np.abs(found - truth) > 0.01).any(axis=1).mean()
    print(f"{name}: {differ:.0%} differ; ONNX {row(found[0])}, XGBoost {row(truth[0])}")


def regression(name, target=y, n_estimators=20, **settings):
    show(name, XGBRegressor(n_estimators=n_estimators, **settings), target)


def probabilities(name, target=classes, model=XGBClassifier, n_estimators=20, **settings):
    show(name, model(n_estimators=n_estimators, **settings), target)


regression("regression")
regression("num_parallel_tree", **FOREST)
regression("early stopping", noisy, **STOP)
regression("num_parallel_tree, early stopping", noisy, **FOREST, **STOP)
regression("reg:logistic", 1 / (1 + np.exp(-X[:, 0])), objective="reg:logistic")
regression("survival:cox", objective="survival:cox")
regression("two quantiles", noisy, objective="reg:quantileerror", quantile_alpha=[0.1, 0.9])
regression("two targets", np.column_stack([y, -y]))
probabilities("classes")
probabilities("classes, num_parallel_tree", **FOREST)
probabilities("classes, XGBRFClassifier", model=XGBRFClassifier)
probabilities("several labels", np.column_stack([y > 11, X[:, 0] > 0]).astype(int))
PY
cat > "$folder/expected" <<'TEXT'
regression: 0% differ; ONNX 10.12, XGBoost 10.12
num_parallel_tree: 0% differ; ONNX 10.10, XGBoost 10.10
early stopping: 0% differ; ONNX 10.24, XGBoost 10.24
num_parallel_tree, early stopping: 98% differ; ONNX 10.36, XGBoost 10.15
reg:logistic: 99% differ; ONNX 0.71, XGBoost 0.53
survival:cox: 96% differ; ONNX 3.34, XGBoost 10.33
two quantiles: 100% differ; ONNX 6.90 0.00, XGBoost 8.79 11.29
two targets: 100% differ; ONNX 10.80 0.00, XGBoost 10.12 -10.12
classes: 0% differ; ONNX 0.01 0.99 0.00, XGBoost 0.01 0.99 0.00
classes, num_parallel_tree: 100% differ; ONNX 0.30 0.54 0.16, XGBoost 0.01 0.99 0.00
classes, XGBRFClassifier: 100% differ; ONNX 0.34 0.49 0.17, XGBoost 0.10 0.84 0.06
several labels: 100% differ; ONNX 1.00 0.00, XGBoost 0.00 1.00
TEXT
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
