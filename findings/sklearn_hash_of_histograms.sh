#!/usr/bin/env bash
# scikit-learn 1.9.1: joblib.hash of a fitted HistGradientBoosting* changes when it is pickled and loaded, so that joblib.Memory does
# not know a model that comes from a file or another process and computes again. What changes is layout: empty arrays of category sets
# with other steps, scalars and a generator of numpy. A forest of scikit-learn and an MLP keep their hash.
# Seen (whether the hash is kept):
#   HistGradientBoostingRegressor: False
#   RandomForestRegressor: True
#   MLPRegressor: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/seen.py" <<'PY'
import pickle
import warnings

import joblib
from sklearn.datasets import make_regression
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore")
X, y = make_regression(100, 4, random_state=0)
for model in (
    HistGradientBoostingRegressor(max_iter=3, random_state=0),
    RandomForestRegressor(3, random_state=0),
    MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0),
):
    model.fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    print(f"{type(model).__name__}: {joblib.hash(again) == joblib.hash(model)}")
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.0 joblib==1.5.3
"$folder/venv/bin/python" "$folder/seen.py" | tee "$folder/seen"
diff <(sed -n 's/^#   //p' "$0") "$folder/seen"
