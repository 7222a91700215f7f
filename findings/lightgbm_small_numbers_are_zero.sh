#!/usr/bin/env bash
# lightgbm 4.7.0: a number of at most 1e-35 in size counts as zero, in fit and in predict. A column in a unit so small that all
# its numbers are below that bound (a product of many probabilities, say) is a constant to it: its log says "no meaningful features",
# and nothing with verbose=-1. One that lies around the bound is learnt in part, without a word. In another unit both are learnt in full.
# Seen (unit: R2 on the training rows, number of distinct predictions):
#   1e-20: 0.99, 32
#   1e-35: 0.48, 3
#   1e-36: 0, 1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check lightgbm==4.7.0 numpy==2.4.0 scikit-learn==1.9.1

cat > "$folder/seen.py" <<'PY'
import warnings

import lightgbm
import numpy as np
from sklearn.metrics import r2_score

warnings.simplefilter("error")
x = np.random.default_rng(0).normal(size=500)
y = np.where(x > 0.5, 3.0, -1.0)
for unit in (1e-20, 1e-35, 1e-36):
    X = (x * unit)[:, None]
    predictions = lightgbm.LGBMRegressor(n_estimators=50, n_jobs=1, verbose=-1).fit(X, y).booster_.predict(X)
    print(f"{unit}: {r2_score(y, predictions):.2g}, {len(np.unique(predictions))}")
PY
printf '1e-20: 0.99, 32\n1e-35: 0.48, 3\n1e-36: 0, 1\n' > "$folder/expected"
"$folder/env/bin/python" "$folder/seen.py" 2>/dev/null | grep -v Warning | diff "$folder/expected" -
echo "as described"
