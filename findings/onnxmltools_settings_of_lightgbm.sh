#!/usr/bin/env bash
# onnxmltools 1.16.0, lightgbm 4.7.0: convert_lightgbm takes models with settings that change the prediction, but leaves them out.
# The ONNX predicts something else than LightGBM, and no error or warning is raised:
# - boosting_type="rf": the sum of the trees is divided by 100, whatever their number is. 20 trees predict a fifth.
# - linear_tree=True: each leaf predicts its constant, without its linear model.
# - reg_sqrt=True: the prediction is not squared again.
# - sigmoid=2: the score is not multiplied by 2.
# - objective="multiclassova": the scores go through a softmax in place of a sigmoid for each class.
# Seen (median of the ratio of the ONNX to LightGBM, and the largest difference, of predictions or of probabilities):
#   default: ratio 1.00, difference 0.00
#   rf of 100 trees: ratio 1.00, difference 0.00
#   rf of 20 trees: ratio 0.20, difference 11.15
#   linear_tree: ratio 1.00, difference 8.14
#   reg_sqrt: ratio 0.31, difference 11.11
#   classes: ratio 1.00, difference 0.00
#   sigmoid=2: ratio 1.00, difference 0.15
#   multiclassova: ratio 0.20, difference 0.38
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  onnxmltools==1.16.0 skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0 lightgbm==4.7.0 numpy==2.4.0 pandas==2.3.3 scikit-learn==1.9.1

cat > "$folder/seen.py" <<'PY'
import warnings

import numpy as np
import onnxruntime
from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

rng = np.random.default_rng(0)
X = rng.normal(size=(1000, 3)).astype(np.float32)
y = 10 + X[:, 0] + X[:, 1] ** 2
labels = np.digitize(y, [10, 12])
FOREST = {"boosting_type": "rf", "subsample": 0.5, "subsample_freq": 1}


def show(name, model, truth):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = convert_lightgbm(model, initial_types=[("X", FloatTensorType([None, 3]))], zipmap=False)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = session.run(None, {"X": X})[-1].reshape(truth.shape)
    print(f"{name}: ratio {np.median(found / truth):.2f}, difference {np.abs(found - truth).max():.2f}")


def regression(name, n_estimators=20, **settings):
    model = LGBMRegressor(n_estimators=n_estimators, n_jobs=1, verbose=-1, **settings).fit(X, y)
    show(name, model, model.predict(X))


def classes(name, labels, **settings):
    model = LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1, **settings).fit(X, labels.astype(int))
    show(name, model, model.predict_proba(X))


regression("default")
regression("rf of 100 trees", 100, **FOREST)
regression("rf of 20 trees", **FOREST)
regression("linear_tree", linear_tree=True)
regression("reg_sqrt", reg_sqrt=True)
classes("classes", labels)
classes("sigmoid=2", labels > 0, sigmoid=2.0)
classes("multiclassova", labels, objective="multiclassova")
PY
cat > "$folder/expected" <<'TEXT'
default: ratio 1.00, difference 0.00
rf of 100 trees: ratio 1.00, difference 0.00
rf of 20 trees: ratio 0.20, difference 11.15
linear_tree: ratio 1.00, difference 8.14
reg_sqrt: ratio 0.31, difference 11.11
classes: ratio 1.00, difference 0.00
sigmoid=2: ratio 1.00, difference 0.15
multiclassova: ratio 0.20, difference 0.38
TEXT
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
