#!/usr/bin/env bash
# xgboost-cpu 3.2.0: XGBRegressor(objective="reg:pseudohubererror") with default settings predicts numbers far above all of y,
# if y is far from zero. XGBoost computes the base score by one step of Newton's method from zero: the sum of the gradients over
# the sum of the second derivatives, which for this loss shrink with the third power of y. Of y around 10 that is about 900, of
# y around 100 about a million. There all second derivatives are so small that with min_child_weight=1 no split is made, so each
# row gets the base score. No error or warning is raised. With base_score=median of y, or with reg:absoluteerror, which also has
# a default base score, all is well.
# Seen (of 100 trees, for y that is the sum of two columns and of a centre, standard deviation of y 1.4: smallest and largest
# prediction; base score, and the step of Newton's method; share of the variance of y that is explained if base_score is the
# median, and by reg:absoluteerror):
#   centre 0: -4 to 5; base score -0.06064, step -0.06064; 1.00, 1.00
#   centre 3: -94 to 57; base score 7.955, step 7.955; 1.00, 1.00
#   centre 10: 873 to 873; base score 873, step 873; 1.00, 1.00
#   centre 100: 996904 to 996904; base score 9.969e+05, step 9.969e+05; 1.00, 1.00
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  xgboost-cpu==3.2.0 scikit-learn==1.9.1 numpy==2.4.0

cat > "$folder/seen.py" <<'PY'
import warnings

import numpy as np
from xgboost import XGBRegressor

warnings.simplefilter("error")
rng = np.random.default_rng(0)
X = rng.normal(size=(1500, 2))
for centre in (0, 3, 10, 100):
    y = centre + X[:, 0] + X[:, 1]
    model = XGBRegressor(objective="reg:pseudohubererror", n_jobs=1).fit(X, y)
    found = model.predict(X)
    step = np.sum(y / np.sqrt(1 + y**2)) / np.sum((1 + y**2) ** -1.5)
    print(f"centre {centre}: {found.min():.0f} to {found.max():.0f}; base score {model.intercept_[0]:.4g}, step {step:.4g}", end="")
    model.set_params(base_score=np.median(y))
    share = model.fit(X, y).score(X, y)
    other = XGBRegressor(objective="reg:absoluteerror", n_jobs=1).fit(X, y).score(X, y)
    print(f"; {share:.2f}, {other:.2f}")
PY
cat > "$folder/expected" <<'SEEN'
centre 0: -4 to 5; base score -0.06064, step -0.06064; 1.00, 1.00
centre 3: -94 to 57; base score 7.955, step 7.955; 1.00, 1.00
centre 10: 873 to 873; base score 873, step 873; 1.00, 1.00
centre 100: 996904 to 996904; base score 9.969e+05, step 9.969e+05; 1.00, 1.00
SEEN
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
