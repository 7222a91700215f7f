#!/usr/bin/env bash
# shap 0.51.0, lightgbm 4.7.0: TreeExplainer(model, data=rows) of several classes gives values for each class where the model is
# an LGBMClassifier. Of its booster_, and so of what lightgbm.train gives, it takes the trees of all classes for one output: it
# returns values of the sum of the classes' raw scores, without an error. Without background rows both give values for each.
# Seen (shape of values, and whether the expected value is the mean raw score of the background, or the sum of these means):
#   LGBMClassifier: (10, 4, 3) mean
#   Booster: (10, 4) sum
#   Booster, path-dependent: (10, 4, 3)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  shap==0.51.0 lightgbm==4.7.0 numpy==2.4.0 scikit-learn==1.9.1

cat > "$folder/seen.py" <<'PY'
import lightgbm
import numpy as np
import shap

rng = np.random.default_rng(0)
X = rng.normal(size=(500, 4))
model = lightgbm.LGBMClassifier(n_estimators=10, n_jobs=1, verbose=-1).fit(X, np.digitize(X[:, 0], [-1, 1]))
background = X[:50]
means = model.predict(background, raw_score=True).mean(axis=0)


def see(name, model):
    explainer = shap.TreeExplainer(model, data=background, feature_perturbation="interventional")
    shape = np.shape(explainer.shap_values(X[50:60]))
    expected = explainer.expected_value
    kinds = {"mean": means, "sum": means.sum()}
    fits = (kind for kind, base in kinds.items() if np.shape(base) == np.shape(expected) and np.allclose(base, expected))
    print(f"{name}: {shape} {next(fits, 'neither')}")


see("LGBMClassifier", model)
see("Booster", model.booster_)
print("Booster, path-dependent:", np.shape(shap.TreeExplainer(model.booster_).shap_values(X[50:60])))
PY
cat > "$folder/expected" <<'SEEN'
LGBMClassifier: (10, 4, 3) mean
Booster: (10, 4) sum
Booster, path-dependent: (10, 4, 3)
SEEN
"$folder/env/bin/python" "$folder/seen.py" 2>/dev/null | diff "$folder/expected" -
echo "as described"
