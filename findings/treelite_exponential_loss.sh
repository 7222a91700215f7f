#!/usr/bin/env bash
# treelite 4.8.1, scikit-learn 1.9.1: import_model takes a GradientBoostingClassifier with loss="exponential" and predicts other
# probabilities than predict_proba, without an error or a warning. Of a raw score s, scikit-learn makes the probability
# 1 / (1 + exp(-2 s)) with this loss. Treelite makes 1 / (1 + exp(-s)), as with the default loss: all probabilities are too
# close to 0.5. The more probable class is the same one, and so is the raw score.
# Seen (largest difference of the probability of class 1 from predict_proba: Treelite's, and that of Treelite's raw scores
# if they are doubled before the sigmoid, for the exponential loss only; rows of 1000 with another class; the smallest and the
# largest probability of each library):
#   log_loss: difference 0.00, classes 0; Treelite 0.07 to 0.93, scikit-learn 0.07 to 0.93
#   exponential: difference 0.15, doubled 0.00, classes 0; Treelite 0.14 to 0.85, scikit-learn 0.03 to 0.97
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
from scipy.special import expit
from sklearn.ensemble import GradientBoostingClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(1000, 3))
labels = (X[:, 0] + X[:, 1] ** 2 > 1).astype(int)

for loss in ("log_loss", "exponential"):
    model = GradientBoostingClassifier(loss=loss, n_estimators=20, random_state=0).fit(X, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        copy = treelite.sklearn.import_model(model)
    found, truth = treelite.gtil.predict(copy, X).ravel(), model.predict_proba(X)[:, 1]
    print(f"{loss}: difference {np.abs(found - truth).max():.2f}, ", end="")
    if loss == "exponential":
        score = treelite.gtil.predict(copy, X, pred_margin=True).ravel()
        print(f"doubled {np.abs(expit(2 * score) - truth).max():.2f}, ", end="")
    print(f"classes {((found > 0.5) != (truth > 0.5)).sum()}; ", end="")
    print(f"Treelite {found.min():.2f} to {found.max():.2f}, scikit-learn {truth.min():.2f} to {truth.max():.2f}")
PY
cat > "$folder/expected" <<'TEXT'
log_loss: difference 0.00, classes 0; Treelite 0.07 to 0.93, scikit-learn 0.07 to 0.93
exponential: difference 0.15, doubled 0.00, classes 0; Treelite 0.14 to 0.85, scikit-learn 0.03 to 0.97
TEXT
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
