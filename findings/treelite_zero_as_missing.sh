#!/usr/bin/env bash
# treelite 4.4.1, lightgbm 4.7.0: a model that was trained with zero_as_missing=True is read without an error, but neither
# zeros nor missing numbers go the way that LightGBM learnt for them: both are compared with the thresholds as the number
# 0. The predictions of such rows are wrong, without a warning; those of other rows are right.
# Seen (rows whose prediction differs by more than 0.001, of 500 each):
#   with a zero 500, with a missing cell 500, with neither 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check treelite==4.4.1 lightgbm==4.7.0 numpy==2.4.0 scipy==1.17.1

cat > "$folder/seen.py" <<'PY'
import lightgbm
import numpy as np
import treelite

rng = np.random.default_rng(0)
X = rng.normal(size=(4000, 2))
X[rng.random(4000) < 0.2, 0] = 0.0
y = np.where(X[:, 0] == 0, 3.0, X[:, 0]) + X[:, 1]
options = {"objective": "regression", "zero_as_missing": True, "num_threads": 1, "verbose": -1}
model = lightgbm.train(options, lightgbm.Dataset(X, y), 50)
copy = treelite.frontend.from_lightgbm(model)

rows = rng.normal(size=(500, 2))
zero, missing = rows.copy(), rows.copy()
zero[:, 0], missing[:, 0] = 0.0, np.nan
found = []
for name, table in {"with a zero": zero, "with a missing cell": missing, "with neither": rows}.items():
    error = np.abs(treelite.gtil.predict(copy, table).ravel() - model.predict(table))
    found.append(f"{name} {int((error > 1e-3).sum())}")
print(", ".join(found))
PY
echo "with a zero 500, with a missing cell 500, with neither 0" > "$folder/expected"
"$folder/env/bin/python" "$folder/seen.py" 2>/dev/null | diff "$folder/expected" -
echo "as described"
