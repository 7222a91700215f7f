#!/usr/bin/env bash
# skl2onnx 1.20.0, scikit-learn 1.9.1: to_onnx takes some steps with settings that it leaves out, or with missing numbers that it does
# not treat as scikit-learn does. The ONNX, run by onnxruntime 1.32.0, returns something else. No error is raised, and to_onnx gives no warning:
# - KNeighborsRegressor and KNeighborsClassifier with weights="distance": all neighbours weigh the same, as with "uniform".
# - MaxAbsScaler(clip=True): nothing is clipped.
# - Normalizer("max"): rows are divided by their largest number, not by the largest size: signs change, or numbers grow.
# - SimpleImputer(add_indicator=True): the columns that tell what was missing are not there.
# - OrdinalEncoder: a missing number is -1, with encoded_missing_value=9 and without it.
# - PowerTransformer(): a missing number, which scikit-learn keeps as missing, becomes a number.
# Seen (rows of the ONNX, and of scikit-learn):
#   KNeighborsRegressor(n_neighbors=2): ONNX [[0.5], [2.0]], scikit-learn [[0.5], [2.0]]
#   KNeighborsRegressor(n_neighbors=2, weights='distance'): ONNX [[0.5], [2.0]], scikit-learn [[0.9], [2.5]]
#   KNeighborsClassifier(n_neighbors=2): ONNX [[0.5, 0.5], [0.0, 1.0]], scikit-learn [[0.5, 0.5], [0.0, 1.0]]
#   KNeighborsClassifier(n_neighbors=2, weights='distance'): ONNX [[0.5, 0.5], [0.0, 1.0]], scikit-learn [[0.1, 0.9], [0.0, 1.0]]
#   MaxAbsScaler(clip=True): ONNX [[0.5], [2.0]], scikit-learn [[0.5], [1.0]]
#   Normalizer(norm='max'): ONNX [[0.5, 1.0], [1.0, 2.0], [1.0, -8.0]], scikit-learn [[0.5, 1.0], [-0.5, -1.0], [0.12, -1.0]]
#   SimpleImputer(add_indicator=True): ONNX [[1.0, 2.0], [1.0, 4.0]], scikit-learn [[1.0, 2.0, 0.0], [1.0, 4.0, 1.0]]
#   OrdinalEncoder(): ONNX [[0.0], [1.0], [-1.0]], scikit-learn [[0.0], [1.0], [nan]]
#   OrdinalEncoder(encoded_missing_value=9): ONNX [[0.0], [1.0], [-1.0]], scikit-learn [[0.0], [1.0], [9.0]]
#   PowerTransformer(): ONNX [[-0.04], [-3.56]], scikit-learn [[-0.04], [nan]]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  skl2onnx==1.20.0 scikit-learn==1.9.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.0 scipy==1.17.1

cat > "$folder/seen.py" <<'PY'
import warnings

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.impute import SimpleImputer
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import MaxAbsScaler, Normalizer, OrdinalEncoder, PowerTransformer

nan = np.nan


def show(step, X, rows, y=None, **options):
    X, rows = np.array(X, dtype=np.float32), np.array(rows, dtype=np.float32)
    step.fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = to_onnx(step, X[:1], options={id(step): options} if options else None)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    method = next(name for name in ("predict_proba", "predict", "transform") if hasattr(step, name))
    truth, found = getattr(step, method)(rows), session.run(None, {"X": rows})[-1]
    truth, found = (np.round(one.astype(float), 2).tolist() for one in (truth.reshape(len(rows), -1), found))
    print(f"{step}: ONNX {found}, scikit-learn {truth}")


points, rows = [[0], [1], [3]], [[0.9], [2.5]]
show(KNeighborsRegressor(2), points, rows, y=[0.0, 1.0, 3.0])
show(KNeighborsRegressor(2, weights="distance"), points, rows, y=[0.0, 1.0, 3.0])
show(KNeighborsClassifier(2), points, rows, y=[0, 1, 1], zipmap=False)
show(KNeighborsClassifier(2, weights="distance"), points, rows, y=[0, 1, 1], zipmap=False)
show(MaxAbsScaler(clip=True), [[1], [2]], [[1], [4]])
show(Normalizer("max"), [[1, 2]], [[1, 2], [-1, -2], [0.5, -4]])
show(SimpleImputer(add_indicator=True), [[1, 2], [nan, 4]], [[1, 2], [nan, 4]])
show(OrdinalEncoder(), [[5], [7], [nan]], [[5], [7], [nan]])
show(OrdinalEncoder(encoded_missing_value=9), [[5], [7], [nan]], [[5], [7], [nan]])
show(PowerTransformer(), [[1], [2], [4]], [[2], [nan]])
PY
cat > "$folder/expected" <<'TEXT'
KNeighborsRegressor(n_neighbors=2): ONNX [[0.5], [2.0]], scikit-learn [[0.5], [2.0]]
KNeighborsRegressor(n_neighbors=2, weights='distance'): ONNX [[0.5], [2.0]], scikit-learn [[0.9], [2.5]]
KNeighborsClassifier(n_neighbors=2): ONNX [[0.5, 0.5], [0.0, 1.0]], scikit-learn [[0.5, 0.5], [0.0, 1.0]]
KNeighborsClassifier(n_neighbors=2, weights='distance'): ONNX [[0.5, 0.5], [0.0, 1.0]], scikit-learn [[0.1, 0.9], [0.0, 1.0]]
MaxAbsScaler(clip=True): ONNX [[0.5], [2.0]], scikit-learn [[0.5], [1.0]]
Normalizer(norm='max'): ONNX [[0.5, 1.0], [1.0, 2.0], [1.0, -8.0]], scikit-learn [[0.5, 1.0], [-0.5, -1.0], [0.12, -1.0]]
SimpleImputer(add_indicator=True): ONNX [[1.0, 2.0], [1.0, 4.0]], scikit-learn [[1.0, 2.0, 0.0], [1.0, 4.0, 1.0]]
OrdinalEncoder(): ONNX [[0.0], [1.0], [-1.0]], scikit-learn [[0.0], [1.0], [nan]]
OrdinalEncoder(encoded_missing_value=9): ONNX [[0.0], [1.0], [-1.0]], scikit-learn [[0.0], [1.0], [9.0]]
PowerTransformer(): ONNX [[-0.04], [-3.56]], scikit-learn [[-0.04], [nan]]
TEXT
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
