#!/usr/bin/env bash
# shap 0.51.0, xgboost-cpu 3.2.0: a Booster that stopped early predicts with all its rounds, as XGBoost documents, those after the best one
# too. TreeExplainer explains its rounds up to the best one: base and values add up to another number than what the Booster predicts. The
# check of additivity, which is on, says nothing, as it compares with the same rounds. The Booster's own values (pred_contribs) add up,
# and so does TreeExplainer for the estimator, whose predictions stop at the best round.
# Seen (largest gap between prediction and base plus values, in units of the target):
#   estimator, TreeExplainer: 0.00
#   booster, TreeExplainer: 0.25
#   booster, pred_contribs: 0.00
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  shap==0.51.0 xgboost-cpu==3.2.0 numpy==2.4.0 scikit-learn==1.9.1

cat > "$folder/seen.py" <<'PY'
import numpy as np
import shap
import xgboost

rng = np.random.default_rng(0)
X = rng.normal(size=(800, 4))
y = X[:, 0] + X[:, 1] ** 2 + rng.normal(size=800) * 0.5
model = xgboost.XGBRegressor(n_estimators=300, early_stopping_rounds=5, n_jobs=1)
model.fit(X[:400], y[:400], eval_set=[(X[400:], y[400:])], verbose=False)
booster, rows = model.get_booster(), xgboost.DMatrix(X)


def see(name, base, values, predicted):
    print(f"{name}: {np.abs(base + values.sum(axis=1) - predicted).max():.2f}")


for name, one, predicted in (
    ("estimator", model, model.predict(X)),
    ("booster", booster, booster.predict(rows)),
):
    explainer = shap.TreeExplainer(one)
    see(f"{name}, TreeExplainer", explainer.expected_value, explainer.shap_values(X), predicted)
own = booster.predict(rows, pred_contribs=True)
see("booster, pred_contribs", own[:, -1], own[:, :-1], booster.predict(rows))
PY
cat > "$folder/expected" <<'SEEN'
estimator, TreeExplainer: 0.00
booster, TreeExplainer: 0.25
booster, pred_contribs: 0.00
SEEN
"$folder/env/bin/python" "$folder/seen.py" 2>/dev/null | diff "$folder/expected" -
echo "as described"
