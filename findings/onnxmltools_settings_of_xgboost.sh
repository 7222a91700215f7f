#!/usr/bin/env bash
# onnxmltools 1.16.0, xgboost-cpu 3.2.0: convert_xgboost takes models with settings that it does not heed. The ONNX, run by
# onnxruntime 1.32.0, predicts something else than XGBoost. No error is raised, and convert_xgboost gives no warning:
# - objective="reg:logistic" or "survival:cox" of a regressor: the ONNX is the sum of the trees plus the base score. The base score
#   is in units of the prediction, not of the sum: XGBoost predicts the sigmoid of the sum plus the logit of the base score, or
#   the base score times exp of the sum.
# - a regressor of two targets, or of two quantiles: the first column is the sum of the trees of both plus the first base score. The
#   second column is 0. onnxruntime logs a line on the shape of the output.
# - num_parallel_tree with three classes, and so XGBRFClassifier: trees count for the wrong class. Regressions of one target are right.
# - num_parallel_tree with early stopping: of the rounds up to the best one only a part of the trees is kept.
# - a classifier of several labels for each row: the probabilities are others, and add up to 1, as for classes.
# Seen (share of the rows that differ by more than 0.01; the first row of the ONNX, and of predict or predict_proba):
#   regression: 0% differ; ONNX 10.12, XGBoost 10.12
#   num_parallel_tree: 0% differ; ONNX 10.10, XGBoost 10.10
#   early stopping: 0% differ; ONNX 10.24, XGBoost 10.24
#     trees: ONNX 5, rounds up to the best one 5
#   num_parallel_tree, early stopping: 98% differ; ONNX 10.36, XGBoost 10.15
#     trees: ONNX 7, rounds up to the best one 21
#   reg:logistic: 99% differ; ONNX 0.71, XGBoost 0.53
#     base score 0.47; largest difference of the ONNX from the sum of the trees plus it: 0.0000
#     largest difference of XGBoost from the sigmoid or exp, as a share: 0.0000
#   survival:cox: 96% differ; ONNX 3.34, XGBoost 10.33
#     base score 1.00; largest difference of the ONNX from the sum of the trees plus it: 0.0000
#     largest difference of XGBoost from the sigmoid or exp, as a share: 0.0000
#   two quantiles: 100% differ; ONNX 6.90 0.00, XGBoost 8.79 11.29
#     base score 8.62; largest difference of the ONNX from the sum of the trees plus it: 0.0000
#     second column: 0.00 to 0.00
#   two targets: 100% differ; ONNX 10.63 0.00, XGBoost 10.12 0.26
#     base score 10.80; largest difference of the ONNX from the sum of the trees plus it: 0.0000
#     second column: 0.00 to 0.00
#   classes: 0% differ; ONNX 0.01 0.99 0.00, XGBoost 0.01 0.99 0.00
#     classes of the first trees: ONNX [0, 1, 2, 0, 1, 2, 0, 1, 2], XGBoost [0, 1, 2, 0, 1, 2, 0, 1, 2]
#     trees of another class: 0 of 60
#   classes, num_parallel_tree: 100% differ; ONNX 0.30 0.54 0.16, XGBoost 0.01 0.99 0.00
#     classes of the first trees: ONNX [0, 1, 2, 0, 1, 2, 0, 1, 2], XGBoost [0, 0, 0, 1, 1, 1, 2, 2, 2]
#     trees of another class: 120 of 180
#   classes, XGBRFClassifier: 100% differ; ONNX 0.34 0.49 0.17, XGBoost 0.10 0.84 0.06
#     classes of the first trees: ONNX [0, 1, 2, 0, 1, 2, 0, 1, 2], XGBoost [0, 0, 0, 0, 0, 0, 0, 0, 0]
#     trees of another class: 40 of 60
#   several labels: 100% differ; ONNX 1.00 0.00, XGBoost 0.00 1.00
#     sums of a row: ONNX 1.00 to 1.00, XGBoost 0.01 to 1.99
#   Expected shape from model of {-1,1} does not match actual shape of {1000,2} for output variable
#   Expected shape from model of {-1,1} does not match actual shape of {1000,2} for output variable
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  onnxmltools==1.16.0 skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0 xgboost-cpu==3.2.0 numpy==2.4.0 scikit-learn==1.9.1

cat > "$folder/seen.py" <<'PY'
import json
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
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"X": X})[-1]
    truth = (model.predict_proba if hasattr(model, "predict_proba") else model.predict)(X).reshape(found.shape)
    differ = (np.abs(found - truth) > 0.01).any(axis=1).mean()
    print(f"{name}: {differ:.0%} differ; ONNX {row(found[0])}, XGBoost {row(truth[0])}")
    return model, graph, found, truth


def show_sum(model, graph, found, truth):
    trees = model.predict(X, output_margin=True, base_margin=np.zeros(found.shape)).reshape(found.shape).sum(axis=1)
    config = json.loads(model.get_booster().save_config())
    base = json.loads(config["learner"]["learner_model_param"]["base_score"])[0]
    largest = np.abs(found[:, 0] - trees - base).max()
    print(f"  base score {base:.2f}; largest difference of the ONNX from the sum of the trees plus it: {largest:.4f}")
    if model.objective in ("reg:logistic", "survival:cox"):
        predicted = base * np.exp(trees)
        if model.objective == "reg:logistic":
            predicted = predicted / (predicted + 1 - base)
        share = np.abs(truth[:, 0] / predicted - 1).max()
        print(f"  largest difference of XGBoost from the sigmoid or exp, as a share: {share:.4f}")
    if found.shape[1] > 1:
        print(f"  second column: {span(found[:, 1])}")


def show_trees(model, graph, found, truth):
    kept = len(set(attributes(graph)["nodes_treeids"].ints))
    rounds = model.best_iteration + 1
    print(f"  trees: ONNX {kept}, rounds up to the best one {rounds * (model.num_parallel_tree or 1)}")


def show_classes(model, graph, found, truth):
    ids = attributes(graph)
    of_tree = dict(zip(ids["class_treeids"].ints, ids["class_ids"].ints))
    trees = json.loads(model.get_booster().save_raw("json"))["learner"]["gradient_booster"]["model"]["tree_info"]
    wrong = sum(of_tree[tree] != its_class for tree, its_class in enumerate(trees))
    print(f"  classes of the first trees: ONNX {list(of_tree.values())[:9]}, XGBoost {trees[:9]}")
    print(f"  trees of another class: {wrong} of {len(trees)}")


def show_sums(model, graph, found, truth):
    print(f"  sums of a row: ONNX {span(found.sum(axis=1))}, XGBoost {span(truth.sum(axis=1))}")


def attributes(graph):
    return {attribute.name: attribute for node in graph.graph.node for attribute in node.attribute}


def span(numbers):
    return f"{numbers.min():.2f} to {numbers.max():.2f}"


def regression(name, target=y, n_estimators=20, **settings):
    return show(name, XGBRegressor(n_estimators=n_estimators, **settings), target)


def probabilities(name, target=classes, model=XGBClassifier, n_estimators=20, **settings):
    return show(name, model(n_estimators=n_estimators, **settings), target)


regression("regression")
regression("num_parallel_tree", **FOREST)
show_trees(*regression("early stopping", noisy, **STOP))
show_trees(*regression("num_parallel_tree, early stopping", noisy, **FOREST, **STOP))
show_sum(*regression("reg:logistic", 1 / (1 + np.exp(-X[:, 0])), objective="reg:logistic"))
show_sum(*regression("survival:cox", objective="survival:cox"))
show_sum(*regression("two quantiles", noisy, objective="reg:quantileerror", quantile_alpha=[0.1, 0.9]))
show_sum(*regression("two targets", np.column_stack([y, 2 * X[:, 0]])))
show_classes(*probabilities("classes"))
show_classes(*probabilities("classes, num_parallel_tree", **FOREST))
show_classes(*probabilities("classes, XGBRFClassifier", model=XGBRFClassifier))
show_sums(*probabilities("several labels", np.column_stack([y > 11, X[:, 0] > 0]).astype(int)))
PY
cat > "$folder/expected" <<'TEXT'
regression: 0% differ; ONNX 10.12, XGBoost 10.12
num_parallel_tree: 0% differ; ONNX 10.10, XGBoost 10.10
early stopping: 0% differ; ONNX 10.24, XGBoost 10.24
  trees: ONNX 5, rounds up to the best one 5
num_parallel_tree, early stopping: 98% differ; ONNX 10.36, XGBoost 10.15
  trees: ONNX 7, rounds up to the best one 21
reg:logistic: 99% differ; ONNX 0.71, XGBoost 0.53
  base score 0.47; largest difference of the ONNX from the sum of the trees plus it: 0.0000
  largest difference of XGBoost from the sigmoid or exp, as a share: 0.0000
survival:cox: 96% differ; ONNX 3.34, XGBoost 10.33
  base score 1.00; largest difference of the ONNX from the sum of the trees plus it: 0.0000
  largest difference of XGBoost from the sigmoid or exp, as a share: 0.0000
two quantiles: 100% differ; ONNX 6.90 0.00, XGBoost 8.79 11.29
  base score 8.62; largest difference of the ONNX from the sum of the trees plus it: 0.0000
  second column: 0.00 to 0.00
two targets: 100% differ; ONNX 10.63 0.00, XGBoost 10.12 0.26
  base score 10.80; largest difference of the ONNX from the sum of the trees plus it: 0.0000
  second column: 0.00 to 0.00
classes: 0% differ; ONNX 0.01 0.99 0.00, XGBoost 0.01 0.99 0.00
  classes of the first trees: ONNX [0, 1, 2, 0, 1, 2, 0, 1, 2], XGBoost [0, 1, 2, 0, 1, 2, 0, 1, 2]
  trees of another class: 0 of 60
classes, num_parallel_tree: 100% differ; ONNX 0.30 0.54 0.16, XGBoost 0.01 0.99 0.00
  classes of the first trees: ONNX [0, 1, 2, 0, 1, 2, 0, 1, 2], XGBoost [0, 0, 0, 1, 1, 1, 2, 2, 2]
  trees of another class: 120 of 180
classes, XGBRFClassifier: 100% differ; ONNX 0.34 0.49 0.17, XGBoost 0.10 0.84 0.06
  classes of the first trees: ONNX [0, 1, 2, 0, 1, 2, 0, 1, 2], XGBoost [0, 0, 0, 0, 0, 0, 0, 0, 0]
  trees of another class: 40 of 60
several labels: 100% differ; ONNX 1.00 0.00, XGBoost 0.00 1.00
  sums of a row: ONNX 1.00 to 1.00, XGBoost 0.01 to 1.99
Expected shape from model of {-1,1} does not match actual shape of {1000,2} for output variable
Expected shape from model of {-1,1} does not match actual shape of {1000,2} for output variable
TEXT
cd "$folder"
{ env/bin/python seen.py 2> errors; grep -oE "Expected shape from model.*variable" errors; } | diff expected - || { tail -5 errors; exit 1; }
echo "as described"
