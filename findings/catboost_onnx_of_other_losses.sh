#!/usr/bin/env bash
# catboost 1.2.10, onnxruntime 1.32.0: save_model(format="onnx") takes models of the losses below, but the graph leaves out what
# predict does after the sum of the trees, or does something else. No error is raised, and save_model gives no Python warning:
# - Poisson, Tweedie: "predictions" is the logarithm of what CatBoostRegressor.predict returns. onnxruntime logs a line on the
#   shape of the output, but also does so for RMSE, where the numbers are right.
# - MultiClassOneVsAll: "probabilities" are a softmax over the classes. predict_proba has a sigmoid for each class. The most
#   probable class is the same one in all rows here.
# - MultiLogloss, where a row can have several labels: "probabilities" are a softmax too, so that they add up to 1, and "label"
#   is one number for each row.
# Seen (share of the rows whose numbers differ by more than 0.01; the first row of the ONNX, and of CatBoost):
#   RMSE: 0% differ; ONNX 10.28, CatBoost 10.28
#   Poisson: 100% differ; ONNX 0.03, CatBoost 1.03
#     largest difference from the logarithm: 0.0000
#   Tweedie:variance_power=1.5: 100% differ; ONNX 0.02, CatBoost 1.02
#     largest difference from the logarithm: 0.0000
#   MultiClass: 0% differ; ONNX 0.02 0.98 0.00, CatBoost 0.02 0.98 0.00
#     largest difference of the ONNX from the softmax: 0.0000
#     largest difference of CatBoost from the sigmoids: 0.5649
#     sums of a row: ONNX 1.00 to 1.00, CatBoost 1.00 to 1.00
#     rows with another most probable class: 0
#   MultiClassOneVsAll: 100% differ; ONNX 0.16 0.70 0.14, CatBoost 0.32 0.68 0.29
#     largest difference of the ONNX from the softmax: 0.0000
#     largest difference of CatBoost from the sigmoids: 0.0000
#     sums of a row: ONNX 1.00 to 1.00, CatBoost 1.28 to 1.39
#     rows with another most probable class: 0
#   MultiLogloss: 100% differ; ONNX 0.00 1.00, CatBoost 0.02 0.98
#     largest difference of the ONNX from the softmax: 0.0000
#     largest difference of CatBoost from the sigmoids: 0.0000
#     sums of a row: ONNX 1.00 to 1.00, CatBoost 0.01 to 1.98
#     shape of the labels: ONNX (1000,), CatBoost (1000, 2)
#   Expected shape from model of {-1} does not match actual shape of {1000,1} for output predictions
#   Expected shape from model of {-1} does not match actual shape of {1000,1} for output predictions
#   Expected shape from model of {-1} does not match actual shape of {1000,1} for output predictions
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  catboost==1.2.10 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.0 pandas==2.3.3

cat > "$folder/seen.py" <<'PY'
import warnings

import numpy as np
import onnxruntime
from catboost import CatBoostClassifier, CatBoostRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(1000, 3)).astype(np.float32)
y = 10 + X[:, 0] + X[:, 1] ** 2
counts = rng.poisson(np.exp(X[:, 0]))
classes = np.digitize(y, [10, 12])
labels = np.column_stack([y > 11, X[:, 0] > 0]).astype(int)
SETTINGS = {"iterations": 20, "thread_count": 1, "verbose": 0, "allow_writing_files": False}


def row(numbers):
    return " ".join(f"{number:.2f}" for number in numbers)


def largest(differences):
    return f"{np.abs(differences).max():.4f}"


def span(numbers):
    return f"{numbers.min():.2f} to {numbers.max():.2f}"


def show(loss, model, target):
    model.set_params(loss_function=loss, **SETTINGS).fit(X, target)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.save_model("model.onnx", format="onnx")
    session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    *label, found = session.run(None, {"features": X})
    if isinstance(found, list):
        found = np.array([[one[key] for key in sorted(one)] for one in found])
        truth = model.predict_proba(X)
    else:
        truth = model.predict(X).reshape(found.shape)
    differ = (np.abs(found - truth) > 0.01).any(axis=1).mean()
    print(f"{loss}: {differ:.0%} differ; ONNX {row(found[0])}, CatBoost {row(truth[0])}")
    if not label:
        if loss != "RMSE":
            print(f"  largest difference from the logarithm: {largest(found - np.log(truth))}")
        return
    powers = np.exp(model.predict(X, prediction_type="RawFormulaVal"))
    print(f"  largest difference of the ONNX from the softmax: {largest(found - powers / powers.sum(axis=1, keepdims=True))}")
    print(f"  largest difference of CatBoost from the sigmoids: {largest(truth - powers / (1 + powers))}")
    print(f"  sums of a row: ONNX {span(found.sum(axis=1))}, CatBoost {span(truth.sum(axis=1))}")
    if loss == "MultiLogloss":
        print(f"  shape of the labels: ONNX {label[0].shape}, CatBoost {model.predict(X).shape}")
    else:
        print(f"  rows with another most probable class: {(found.argmax(axis=1) != truth.argmax(axis=1)).sum()}")


show("RMSE", CatBoostRegressor(), y)
show("Poisson", CatBoostRegressor(), counts)
show("Tweedie:variance_power=1.5", CatBoostRegressor(), counts)
show("MultiClass", CatBoostClassifier(), classes)
show("MultiClassOneVsAll", CatBoostClassifier(), classes)
show("MultiLogloss", CatBoostClassifier(), labels)
PY
cat > "$folder/expected" <<'TEXT'
RMSE: 0% differ; ONNX 10.28, CatBoost 10.28
Poisson: 100% differ; ONNX 0.03, CatBoost 1.03
  largest difference from the logarithm: 0.0000
Tweedie:variance_power=1.5: 100% differ; ONNX 0.02, CatBoost 1.02
  largest difference from the logarithm: 0.0000
MultiClass: 0% differ; ONNX 0.02 0.98 0.00, CatBoost 0.02 0.98 0.00
  largest difference of the ONNX from the softmax: 0.0000
  largest difference of CatBoost from the sigmoids: 0.5649
  sums of a row: ONNX 1.00 to 1.00, CatBoost 1.00 to 1.00
  rows with another most probable class: 0
MultiClassOneVsAll: 100% differ; ONNX 0.16 0.70 0.14, CatBoost 0.32 0.68 0.29
  largest difference of the ONNX from the softmax: 0.0000
  largest difference of CatBoost from the sigmoids: 0.0000
  sums of a row: ONNX 1.00 to 1.00, CatBoost 1.28 to 1.39
  rows with another most probable class: 0
MultiLogloss: 100% differ; ONNX 0.00 1.00, CatBoost 0.02 0.98
  largest difference of the ONNX from the softmax: 0.0000
  largest difference of CatBoost from the sigmoids: 0.0000
  sums of a row: ONNX 1.00 to 1.00, CatBoost 0.01 to 1.98
  shape of the labels: ONNX (1000,), CatBoost (1000, 2)
Expected shape from model of {-1} does not match actual shape of {1000,1} for output predictions
Expected shape from model of {-1} does not match actual shape of {1000,1} for output predictions
Expected shape from model of {-1} does not match actual shape of {1000,1} for output predictions
TEXT
cd "$folder"
{ env/bin/python seen.py 2> errors; grep -oE "Expected shape from model.*predictions" errors; } | diff expected - || { tail -5 errors; exit 1; }
echo "as described"
