#!/usr/bin/env bash
# skl2onnx 1.20.0, scikit-learn 1.9.1: decision trees and forests of scikit-learn take missing numbers, and learn at each split to which
# side these go. to_onnx drops this side without an error or a warning: in the ONNX, missing numbers go right at every
# split. Predictions of rows with a missing number are wrong, those of other rows are right. A model that met no missing
# number at fit is no better: scikit-learn then sends these to the side with more training rows. With a SimpleImputer
# in front of the trees all is well.
# Seen (rows whose prediction or probability differs by more than 0.001, of 500 each):
#   DecisionTreeRegressor: with a missing number 500, without 0
#   RandomForestRegressor: with a missing number 500, without 0
#   ExtraTreesRegressor: with a missing number 500, without 0
#   RandomForestClassifier: with a missing number 500, without 0
#   ExtraTreesClassifier: with a missing number 500, without 0
#   RandomForestRegressor, none missing at fit: with a missing number 500, without 0
#   RandomForestRegressor after SimpleImputer: with a missing number 0, without 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0 scikit-learn==1.9.1 numpy==2.4.0

cat > "$folder/seen.py" <<'PY'
import warnings

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

rng = np.random.default_rng(0)
# eighths, so that float32 holds each number and each threshold between two of them
full = (rng.normal(size=(2500, 2)) * 8).round().astype(np.float32) / 8
holes = full.copy()
holes[rng.random(2500) < 0.3, 0] = np.nan
y = np.where(np.isnan(holes[:, 0]), -3.0, full[:, 0]) + full[:, 1]
rows = full[2000:].copy()
missing = rows.copy()
missing[:, 0] = np.nan
SETTINGS = {"max_depth": 4, "random_state": 0}
FOREST = {"n_estimators": 10, **SETTINGS}


def show(name, model, X, y=y):
    model.fit(X[:2000], y[:2000])
    sorts = hasattr(model, "predict_proba")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = to_onnx(model, rows, options={"zipmap": False} if sorts else None)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    wrong = []
    for table in (missing, rows):
        truth = model.predict_proba(table) if sorts else model.predict(table)[:, None]
        error = np.abs(session.run(None, {"X": table})[-1] - truth).max(axis=1)
        wrong.append(int((error > 1e-3).sum()))
    print(f"{name}: with a missing number {wrong[0]}, without {wrong[1]}")


show("DecisionTreeRegressor", DecisionTreeRegressor(**SETTINGS), holes)
show("RandomForestRegressor", RandomForestRegressor(**FOREST), holes)
show("ExtraTreesRegressor", ExtraTreesRegressor(**FOREST), holes)
show("RandomForestClassifier", RandomForestClassifier(**FOREST), holes, y > 1)
show("ExtraTreesClassifier", ExtraTreesClassifier(**FOREST), holes, y > 1)
show("RandomForestRegressor, none missing at fit", RandomForestRegressor(**FOREST), full)
show("RandomForestRegressor after SimpleImputer", make_pipeline(SimpleImputer(), RandomForestRegressor(**FOREST)), holes)
PY
cat > "$folder/expected" <<'TEXT'
DecisionTreeRegressor: with a missing number 500, without 0
RandomForestRegressor: with a missing number 500, without 0
ExtraTreesRegressor: with a missing number 500, without 0
RandomForestClassifier: with a missing number 500, without 0
ExtraTreesClassifier: with a missing number 500, without 0
RandomForestRegressor, none missing at fit: with a missing number 500, without 0
RandomForestRegressor after SimpleImputer: with a missing number 0, without 0
TEXT
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
