#!/usr/bin/env bash
# shap 0.51.0, lightgbm 4.7.0: TreeExplainer(model).shap_interaction_values of a LightGBM that splits on a category are wrong, without
# an error or a warning. shap_values of the same explainer are right, for LightGBM itself computes them. Interaction values
# are computed from the trees as shap reads them, where a set of levels such as 0||2 is no set any more. So rows of a matrix
# do not add up to the columns' shap values, nor the whole matrix to the raw score. Numbers are right, and so is one 0/1
# column for each level. For the same reason matrices are wrong where NaN comes only after training, and with
# zero_as_missing=True (see shap_interventional_missing_numbers.sh), and a Booster of several classes, unlike its
# LGBMClassifier, has one matrix for the sum of their raw scores.
# Seen (largest difference from LightGBM's own contributions, over the largest of these: shap_values, rows of the matrices;
# and the shape of these):
#   category column: 0.00, 0.92, (1000, 2, 2)
#   categorical_feature: 0.00, 0.92, (1000, 2, 2)
#   numbers: 0.00, 0.00, (1000, 2, 2)
#   one column a level: 0.00, 0.00, (1000, 7, 7)
#   NaN after training: 0.00, 0.47, (1000, 2, 2)
#   zero_as_missing: 0.00, 1.12, (1000, 2, 2)
#   LGBMClassifier: 0.00, 0.00, (1000, 2, 2, 3)
#   its booster_: 0.00, sum of classes, (1000, 2, 2)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  shap==0.51.0 lightgbm==4.7.0 numpy==2.4.0 pandas==3.0.6 scikit-learn==1.9.1

cat > "$folder/seen.py" <<'PY'
import warnings

import lightgbm
import numpy as np
import pandas as pd
import shap

warnings.simplefilter("error", UserWarning)
rng = np.random.default_rng(0)
n = 1000
code, x = rng.integers(0, 6, n), rng.normal(size=n)
y = np.array([3.0, -2, 0, 5, -4, 1])[code] * (1 + x)
numbers = np.column_stack([code, x]).astype(float)
SETTINGS = {"n_estimators": 20, "n_jobs": 1, "verbose": -1}


def show(name, model, rows):
    truth = model.predict(rows, pred_contrib=True)
    explainer = shap.TreeExplainer(model)
    values, matrices = explainer.shap_values(rows), explainer.shap_interaction_values(rows)
    sums = matrices.sum(axis=2)
    d = rows.shape[1]
    by_class = truth.reshape(n, -1, d + 1)[..., :-1].transpose(0, 2, 1)
    truth = by_class if by_class.shape[2] > 1 else by_class[..., 0]
    scale = np.abs(truth).max()
    off = np.abs(values - truth).max() / scale
    if sums.shape == truth.shape:
        how = f"{np.abs(sums - truth).max() / scale:.2f}"
    else:
        how = "sum of classes" if np.allclose(sums, by_class.sum(axis=2)) else "something else"
    print(f"{name}: {off:.2f}, {how}, {matrices.shape}")


regressor = lightgbm.LGBMRegressor(**SETTINGS)
table = pd.DataFrame({"code": pd.Categorical(code), "x": x})
show("category column", regressor.fit(table, y), table)
show("categorical_feature", regressor.fit(numbers, y, categorical_feature=[0]), numbers)
show("numbers", lightgbm.LGBMRegressor(**SETTINGS).fit(numbers, y), numbers)
each = np.column_stack([code[:, None] == np.arange(6), x]).astype(float)
show("one column a level", lightgbm.LGBMRegressor(**SETTINGS).fit(each, y), each)
holes = numbers.copy()
holes[::3, 1] = np.nan
show("NaN after training", lightgbm.LGBMRegressor(**SETTINGS).fit(numbers, y), holes)
show("zero_as_missing", lightgbm.LGBMRegressor(zero_as_missing=True, **SETTINGS).fit(numbers, y), numbers)
classifier = lightgbm.LGBMClassifier(**SETTINGS).fit(numbers, np.digitize(y, [-1, 1]))
show("LGBMClassifier", classifier, numbers)
show("its booster_", classifier.booster_, numbers)
PY
cat > "$folder/expected" <<'TEXT'
category column: 0.00, 0.92, (1000, 2, 2)
categorical_feature: 0.00, 0.92, (1000, 2, 2)
numbers: 0.00, 0.00, (1000, 2, 2)
one column a level: 0.00, 0.00, (1000, 7, 7)
NaN after training: 0.00, 0.47, (1000, 2, 2)
zero_as_missing: 0.00, 1.12, (1000, 2, 2)
LGBMClassifier: 0.00, 0.00, (1000, 2, 2, 3)
its booster_: 0.00, sum of classes, (1000, 2, 2)
TEXT
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
