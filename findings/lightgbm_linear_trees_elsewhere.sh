#!/usr/bin/env bash
# lightgbm 4.7.0 with shap 0.51.0, m2cgen 0.10.0, eli5 0.16.0 and lleaves 1.3.0: with linear_tree=True, a leaf predicts by a
# line through some of the columns. These packages take such a model without an error or a warning, and use the constant of the
# leaf, which LightGBM keeps for rows with missing numbers: TreeExplainer with a background, the code that m2cgen writes, the
# contributions of eli5's explain_prediction, and the compiled model of lleaves. shap's check of additivity says nothing, for it
# compares with shap's own reading of the trees. Without a background shap raises LightGBM's error, "not implemented for linear
# trees".
# Seen (largest difference from the prediction, over 50 rows, of a model without and with linear_tree; after shap, m2cgen and
# eli5 the standard deviation of the prediction):
#   shap, linear_tree=False: 0.00
#   m2cgen, linear_tree=False: 0.00
#   eli5, linear_tree=False: 0.00
#   shap, linear_tree=True: 2.18
#   m2cgen, linear_tree=True: 2.18
#   eli5, linear_tree=True: 2.18
#   1.2
#   lleaves, linear_tree=False: 0.00
#   lleaves, linear_tree=True: 2.18
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  lightgbm==4.7.0 shap==0.51.0 m2cgen==0.10.0 eli5==0.16.0 scikit-learn==1.9.1 numpy==2.4.0 pandas==2.3.3
python3 -m venv "$folder/other"
"$folder/other/bin/python" -m pip install --quiet --disable-pip-version-check \
  lightgbm==4.7.0 lleaves==1.3.0 llvmlite==0.43.0 scikit-learn==1.6.1 numpy==2.2.6 pandas==2.3.3

cat > "$folder/data.py" <<'PY'
import lightgbm
import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(1000, 3)).astype(np.float32).astype(float)
y = 10 + X[:, 0] + X[:, 1] * X[:, 2]
rows = X[:50]


def models():
    for linear in (False, True):
        model = lightgbm.LGBMRegressor(n_estimators=20, linear_tree=linear, n_jobs=1, verbose=-1)
        yield linear, model.fit(X, y)


def show(name, linear, found, model):
    off = np.abs(found - model.predict(rows)).max()
    print(f"{name}, linear_tree={linear}: {off:.2f}")
PY
cat > "$folder/seen.py" <<'PY'
import warnings

import eli5
import m2cgen
import shap
from data import X, models, rows, show

warnings.simplefilter("error")
for linear, model in models():
    explainer = shap.TreeExplainer(model, data=X[:100])
    show("shap", linear, explainer.shap_values(rows).sum(axis=1) + explainer.expected_value, model)
    code = {}
    exec(m2cgen.export_to_python(model), code)
    show("m2cgen", linear, [code["score"](row) for row in rows.tolist()], model)
    parts = [eli5.explain_prediction(model, row).targets[0].feature_weights for row in rows]
    show("eli5", linear, [sum(one.weight for one in part.pos + part.neg) for part in parts], model)
print(f"{model.predict(rows).std():.1f}")
PY
cat > "$folder/other.py" <<'PY'
import lleaves
from data import models, rows, show

for linear, model in models():
    model.booster_.save_model("model.txt")
    compiled = lleaves.Model("model.txt")
    compiled.compile()
    show("lleaves", linear, compiled.predict(rows), model)
PY
cat > "$folder/expected" <<'SEEN'
shap, linear_tree=False: 0.00
m2cgen, linear_tree=False: 0.00
eli5, linear_tree=False: 0.00
shap, linear_tree=True: 2.18
m2cgen, linear_tree=True: 2.18
eli5, linear_tree=True: 2.18
1.2
lleaves, linear_tree=False: 0.00
lleaves, linear_tree=True: 2.18
SEEN
cd "$folder"
{ env/bin/python seen.py; other/bin/python other.py; } 2> errors | diff expected - || { tail -5 errors; exit 1; }
echo "as described"
