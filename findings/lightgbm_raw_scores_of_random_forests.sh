#!/usr/bin/env bash
# lightgbm 4.7.0, shap 0.51.0: with boosting_type="rf", predict returns the mean of the trees, or for classes the probability
# that belongs to that mean. But predict(raw_score=True) and predict(pred_contrib=True) return sums over the trees, so that raw
# score, base and values are too large by the number of trees. TreeExplainer takes them as they are: the base of a regression
# with 20 trees is 20 times the mean of y. No error or warning is raised. The docstring of predict does not mention rf.
# Seen (for a regression whose y has the mean 10, and for two classes; "prediction" is that of the first row, before the sigmoid
# for classes; then the raw score, and base plus values of pred_contrib, of shap, and of shap with a background):
#   LGBMRegressor, trees 1: prediction 10.13; 10.13 10.13 10.13 10.13
#   LGBMClassifier, trees 1: prediction -2.73; -2.73 -2.73 -2.73 -2.73
#   LGBMRegressor, trees 20: prediction 10.20; 203.91 203.91 203.91 203.91
#   LGBMClassifier, trees 20: prediction -2.71; -54.14 -54.14 -54.14 -54.14
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  lightgbm==4.7.0 shap==0.51.0 scikit-learn==1.9.1 numpy==2.4.0 pandas==2.3.3

cat > "$folder/seen.py" <<'PY'
import warnings

import numpy as np
import shap
from lightgbm import LGBMClassifier, LGBMRegressor

warnings.simplefilter("error")
warnings.filterwarnings("ignore", message="LightGBM binary classifier with TreeExplainer shap values output has changed")
rng = np.random.default_rng(0)
X = rng.normal(size=(500, 3)).astype(np.float32)
y = 10 + X[:, 0] + X[:, 1] * X[:, 2]
rows = X[:1]

for trees in (1, 20):
    for kind in (LGBMRegressor, LGBMClassifier):
        model = kind(boosting_type="rf", n_estimators=trees, subsample=0.5, subsample_freq=1, n_jobs=1, verbose=-1)
        model.fit(X, y if kind is LGBMRegressor else y > 11)
        if kind is LGBMRegressor:
            prediction = model.predict(rows)[0]
        else:
            chances = model.predict_proba(rows)[0]
            prediction = np.log(chances[1] / chances[0])
        found = [model.predict(rows, raw_score=True)[0], np.sum(model.predict(rows, pred_contrib=True))]
        for background in (None, X[:50]):
            explainer = shap.TreeExplainer(model, data=background)
            found.append(explainer.shap_values(rows).sum() + explainer.expected_value)
        print(f"{kind.__name__}, trees {trees}: prediction {prediction:.2f};", *(f"{one:.2f}" for one in found))
PY
cat > "$folder/expected" <<'SEEN'
LGBMRegressor, trees 1: prediction 10.13; 10.13 10.13 10.13 10.13
LGBMClassifier, trees 1: prediction -2.73; -2.73 -2.73 -2.73 -2.73
LGBMRegressor, trees 20: prediction 10.20; 203.91 203.91 203.91 203.91
LGBMClassifier, trees 20: prediction -2.71; -54.14 -54.14 -54.14 -54.14
SEEN
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
