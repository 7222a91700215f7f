#!/usr/bin/env bash
# shap 0.51.0, xgboost-cpu 3.2.0: TreeExplainer takes XGBoost models with settings that it does not heed. No error is raised,
# and the check of additivity says nothing, for it compares with shap's own reading of the trees. With a background,
# TreeExplainer(model, data=rows):
# - booster="dart" with dropped trees: the weights of the trees are left out, so values and base are of another model.
# - several classes, targets, quantiles or labels: the values are right, but expected_value has the first output's intercept in
#   all of its numbers. XGBoost keeps one intercept for each output.
# - missing=-999: such a cell is compared with the thresholds as the number -999, in rows and background.
# Without a background the values and the base are right in each case, but shap_interaction_values of a model with missing=-999
# reads its cells as numbers too: rows of a matrix do not add up to the values. pred_interactions of XGBoost are right.
# Seen (values: largest difference from Shapley values of the raw score over all sets of features, with a background of 30 rows;
# base: largest difference of expected_value from the mean raw score of the background; then, without a background, largest
# difference of base plus values from the raw score, and of the matrices' row sums from the values):
#   regression: values 0.00, base 0.00; without a background values 0.00, matrices 0.00
#   dart without drops: values 0.00, base 0.00; without a background values 0.00, matrices 0.00
#   dart: values 4.46, base 0.01; without a background values 0.00, matrices 0.00
#   missing=-999: values 1.28, base 0.19; without a background values 0.00, matrices 1.06
#   classes: values 0.00, base 0.98; without a background values 0.00, matrices 0.00
#   two targets: values 0.00, base 9.91; without a background values 0.00, matrices 0.00
#   two quantiles: values 0.00, base 1.44; without a background values 0.00, matrices 0.00
#   two labels: values 0.00, base 0.11; without a background values 0.00, matrices 0.00
# and XGBoost's own interactions, read with missing=-999 (largest difference of the row sums from its values):
#   pred_interactions 0.00
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  shap==0.51.0 xgboost-cpu==3.2.0 scikit-learn==1.9.1 numpy==2.4.0 pandas==2.3.3

cat > "$folder/seen.py" <<'PY'
from itertools import combinations
from math import comb

import numpy as np
import shap
import xgboost

rng = np.random.default_rng(0)
X = rng.normal(size=(1000, 3)).astype(np.float32)
y = 10 + X[:, 0] + X[:, 1] * X[:, 2]
gaps = X.copy()
gaps[rng.random(1000) < 0.3, 1] = -999
targets = np.column_stack([y, X[:, 2]])
settings = {"n_estimators": 15, "max_depth": 4, "n_jobs": 1, "random_state": 0}


def shapley(score, row, background):
    """Shapley values of one row by their definition: the mean score of the background with the cells of each set of features."""

    def mean(chosen):
        rows = background.copy()
        rows[:, chosen] = row[chosen]
        return score(rows).mean(axis=0)

    values = []
    for feature in range(3):
        others = [one for one in range(3) if one != feature]
        sets = [list(chosen) for size in range(3) for chosen in combinations(others, size)]
        values.append(sum((mean([*one, feature]) - mean(one)) / (3 * comb(2, len(one))) for one in sets))
    return np.array(values)


def show(name, model, table, target):
    model.set_params(**settings).fit(table, target)
    background, rows = table[:30], table[30:60]
    score = lambda cells: model.predict(cells, output_margin=True)
    explainer = shap.TreeExplainer(model, data=background)
    truth = np.array([shapley(score, row, background) for row in rows])
    values = np.abs(explainer.shap_values(rows) - truth).max()
    base = np.abs(explainer.expected_value - score(background).mean(axis=0)).max()
    print(f"{name}: values {values:.2f}, base {base:.2f}; ", end="")
    explainer = shap.TreeExplainer(model)
    found = explainer.shap_values(rows)
    total = np.abs(found.sum(axis=1) + explainer.expected_value - score(rows)).max()
    matrices = np.abs(explainer.shap_interaction_values(rows).sum(axis=2) - found).max()
    print(f"without a background values {total:.2f}, matrices {matrices:.2f}")


regressor, classifier = xgboost.XGBRegressor, xgboost.XGBClassifier
show("regression", regressor(), X, y)
show("dart without drops", regressor(booster="dart"), X, y)
show("dart", regressor(booster="dart", rate_drop=0.5), X, y)
model = regressor(missing=-999)
show("missing=-999", model, gaps, y)
show("classes", classifier(), X, np.digitize(y, [10, 11]))
show("two targets", regressor(), X, targets)
show("two quantiles", regressor(objective="reg:quantileerror", quantile_alpha=[0.3, 0.7]), X, y)
show("two labels", classifier(), X, (targets > [10, 0]).astype(int))

cells = xgboost.DMatrix(gaps, missing=-999)
values = model.get_booster().predict(cells, pred_contribs=True)
found = model.get_booster().predict(cells, pred_interactions=True).sum(axis=2)
print(f"pred_interactions {np.abs(found - values).max():.2f}")
PY
cat > "$folder/expected" <<'SEEN'
regression: values 0.00, base 0.00; without a background values 0.00, matrices 0.00
dart without drops: values 0.00, base 0.00; without a background values 0.00, matrices 0.00
dart: values 4.46, base 0.01; without a background values 0.00, matrices 0.00
missing=-999: values 1.28, base 0.19; without a background values 0.00, matrices 1.06
classes: values 0.00, base 0.98; without a background values 0.00, matrices 0.00
two targets: values 0.00, base 9.91; without a background values 0.00, matrices 0.00
two quantiles: values 0.00, base 1.44; without a background values 0.00, matrices 0.00
two labels: values 0.00, base 0.11; without a background values 0.00, matrices 0.00
pred_interactions 0.00
SEEN
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
