#!/usr/bin/env bash
# lightgbm 4.7.0: in a numeric column that is named in categorical_feature, a code is cut towards zero before it is looked
# up. So -0.5 and -0.99 are category 0, while -1 is an unknown category, and 2.9 is category 2: who marks "unknown" by a
# negative number that is then averaged or jittered gets the prediction of category 0.
# Seen (prediction equal to that of which code):
#   -0.5 as 0, -0.99 as 0, -1.0 as missing, 2.9 as 2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check lightgbm==4.7.0 numpy==2.4.0 scikit-learn==1.9.1

cat > "$folder/seen.py" <<'PY'
import lightgbm
import numpy as np

rng = np.random.default_rng(0)
code = rng.integers(0, 4, 400).astype(float)
X = np.column_stack([code, rng.normal(size=400)])
y = np.array([5.0, -3.0, 1.0, 9.0])[code.astype(int)]
model = lightgbm.LGBMRegressor(n_estimators=50, min_child_samples=5, min_data_per_group=5, n_jobs=1, verbose=-1)
model.fit(X, y, categorical_feature=[0])


def predict(value):
    return round(float(model.predict([[value, 0.0]])[0]), 6)


known = {predict(float(k)): str(k) for k in range(4)} | {predict(np.nan): "missing"}
print(", ".join(f"{value} as {known[predict(value)]}" for value in (-0.5, -0.99, -1.0, 2.9)))
PY
echo "-0.5 as 0, -0.99 as 0, -1.0 as missing, 2.9 as 2" > "$folder/expected"
"$folder/env/bin/python" "$folder/seen.py" 2>/dev/null | diff "$folder/expected" -
echo "as described"
