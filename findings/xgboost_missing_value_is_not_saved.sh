#!/usr/bin/env bash
# xgboost-cpu 3.2.0: XGBRegressor(missing=-999) and the like keep their number for missing cells out of save_model, in JSON as
# in UBJSON. load_model restores other settings that predict needs, such as the types of columns and the best round, but missing
# is NaN again, so that cells with -999 are compared with the thresholds as numbers. Predictions of rows with such a cell are
# wrong, without an error or a warning. They are right if the number is given again, XGBRegressor(missing=-999), before
# load_model, or from a pickle. The docstring says that parameters which are not part of the model, like max_depth, are not
# saved; it does not mention missing, which predictions need.
# Seen (rows of 1500 whose prediction differs by more than 0.001):
#   444 missing
#   model.json: missing nan, 444 with a missing cell, 0 others
#   model.json: missing -999, 0 with a missing cell, 0 others
#   model.ubj: missing nan, 444 with a missing cell, 0 others
#   model.ubj: missing -999, 0 with a missing cell, 0 others
#   pickle: missing -999, 0 with a missing cell, 0 others
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  xgboost-cpu==3.2.0 scikit-learn==1.9.1 numpy==2.4.0

cat > "$folder/seen.py" <<'PY'
import pickle
import warnings

import numpy as np
from xgboost import XGBRegressor

warnings.simplefilter("error")
rng = np.random.default_rng(0)
X = rng.normal(size=(1500, 2))
y = X[:, 0] + X[:, 1]
missing = rng.random(1500) < 0.3
X[missing, 0] = -999
model = XGBRegressor(n_estimators=20, missing=-999, n_jobs=1).fit(X, y)
truth = model.predict(X)


def show(name, loaded):
    off = np.abs(loaded.predict(X) - truth) > 1e-3
    print(f"{name}: missing {loaded.missing}, {(off & missing).sum()} with a missing cell, {(off & ~missing).sum()} others")


print(f"{missing.sum()} missing")
for name in ("model.json", "model.ubj"):
    model.save_model(name)
    for loaded in (XGBRegressor(), XGBRegressor(missing=-999)):
        loaded.load_model(name)
        show(name, loaded)
show("pickle", pickle.loads(pickle.dumps(model)))
PY
cat > "$folder/expected" <<'SEEN'
444 missing
model.json: missing nan, 444 with a missing cell, 0 others
model.json: missing -999, 0 with a missing cell, 0 others
model.ubj: missing nan, 444 with a missing cell, 0 others
model.ubj: missing -999, 0 with a missing cell, 0 others
pickle: missing -999, 0 with a missing cell, 0 others
SEEN
cd "$folder"
env/bin/python seen.py 2> errors | diff expected - || { tail -5 errors; exit 1; }
echo "as described"
