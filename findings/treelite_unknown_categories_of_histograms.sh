#!/usr/bin/env bash
# treelite 4.8.1, scikit-learn 1.9.1: scikit-learn's HistGradientBoosting* treat a category that training did not have as a
# missing number: it goes to the side that a split learnt for these. import_model reads such models, but sends an unknown
# category to the side of the categories that a split does not name, so predictions of its rows are wrong, without an error or a
# warning. Known categories and missing numbers are right.
# Seen (largest difference of Treelite's predictions from scikit-learn's, over 200 rows with the category, for a model that was
# trained without missing numbers and for one that was trained with some; "spread" is the standard deviation of the prediction):
#   without, spread 1.1; 3: 0.00, nan: 0.00, 10: 1.04, 50: 1.04, -1: 1.04
#   with, spread 1.8; 3: 0.00, nan: 0.00, 10: 5.32, 50: 5.32, -1: 5.32
# and rows where scikit-learn predicts something else for an unknown category than for a missing number:
#   0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  treelite==4.8.1 scikit-learn==1.9.1 numpy==2.4.0 scipy==1.17.1

cat > "$folder/seen.py" <<'PY'
import warnings

import numpy as np
import treelite
from sklearn.ensemble import HistGradientBoostingRegressor

rng = np.random.default_rng(0)
X = np.column_stack([rng.integers(0, 10, 2000), rng.normal(size=2000)]).astype(float)
y = X[:, 0] % 3 + X[:, 1]
gaps = X.copy()
gaps[::5, 0] = np.nan
other = 0
for name, table, target in (("without", X, y), ("with", gaps, np.where(np.isnan(gaps[:, 0]), 5, y))):
    model = HistGradientBoostingRegressor(max_iter=20, categorical_features=[0], random_state=0).fit(table, target)
    copy = treelite.sklearn.import_model(model)
    missing = X[:200].copy()
    missing[:, 0] = np.nan
    off = []
    for category in (3, np.nan, 10, 50, -1):
        rows = X[:200].copy()
        rows[:, 0] = category
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = treelite.gtil.predict(copy, rows).ravel()
        truth = model.predict(rows)
        off.append(f"{category}: {np.abs(found - truth).max():.2f}")
        if category in (10, 50, -1):
            other += (truth != model.predict(missing)).sum()
    print(f"{name}, spread {model.predict(table).std():.1f};", ", ".join(off))
print(other)
PY
cat > "$folder/expected" <<'SEEN'
without, spread 1.1; 3: 0.00, nan: 0.00, 10: 1.04, 50: 1.04, -1: 1.04
with, spread 1.8; 3: 0.00, nan: 0.00, 10: 5.32, 50: 5.32, -1: 5.32
0
SEEN
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
