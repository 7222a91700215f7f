#!/usr/bin/env bash
# shap 0.51.0, scikit-learn 1.9.1: TreeExplainer of a GradientBoostingClassifier with loss="exponential" starts from the
# logarithm of the odds of the classes, as with the default loss. With this loss scikit-learn starts from half of it. So base
# and values do not add up to the raw score, by the other half, the same number for each row. The values are right. No error is
# raised: the check of additivity compares with shap's own reading of the model.
# Seen (base plus values less decision_function: smallest and largest; half of the logarithm of the odds; expected_value, and
# the mean raw score of the background, where there is one):
#   log_loss: -0.0000 to 0.0000, half -1.3050; base -3.21
#   log_loss: -0.0000 to 0.0000, half -1.3050; base -3.15, mean raw score -3.15
#   exponential: -1.3050 to -1.3050, half -1.3050; base -3.23
#   exponential: -1.3050 to -1.3050, half -1.3050; base -3.20, mean raw score -1.90
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  shap==0.51.0 scikit-learn==1.9.1 numpy==2.4.0 pandas==2.3.3

cat > "$folder/seen.py" <<'PY'
import warnings

import numpy as np
import shap
from sklearn.ensemble import GradientBoostingClassifier

warnings.simplefilter("error")
rng = np.random.default_rng(0)
X = rng.normal(size=(2000, 3)).astype(np.float32).astype(float)
rare = X[:, 0] + X[:, 1] * X[:, 2] > 2
half = np.log(rare.mean() / (1 - rare.mean())) / 2

for loss in ("log_loss", "exponential"):
    model = GradientBoostingClassifier(loss=loss, n_estimators=20, random_state=0).fit(X, rare)
    score = model.decision_function(X)
    for background in (None, X[:100]):
        explainer = shap.TreeExplainer(model, data=background)
        off = explainer.shap_values(X).sum(axis=1) + explainer.expected_value - score
        base = float(np.ravel(explainer.expected_value)[0])
        print(f"{loss}: {off.min() + 0.0:.4f} to {off.max():.4f}, half {half:.4f}; base {base:.2f}", end="")
        print("" if background is None else f", mean raw score {score[:100].mean():.2f}")
PY
cat > "$folder/expected" <<'SEEN'
log_loss: -0.0000 to 0.0000, half -1.3050; base -3.21
log_loss: -0.0000 to 0.0000, half -1.3050; base -3.15, mean raw score -3.15
exponential: -1.3050 to -1.3050, half -1.3050; base -3.23
exponential: -1.3050 to -1.3050, half -1.3050; base -3.20, mean raw score -1.90
SEEN
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
