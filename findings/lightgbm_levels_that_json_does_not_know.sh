#!/usr/bin/env bash
# lightgbm 4.7.0 with pandas 3.0.6: LGBMRegressor.fit says "Circular reference detected" when a category column has
# levels that JSON does not know: intervals (pd.cut), periods, time stamps or bytes. Nothing is circular: after training
# the levels are written as JSON into the model, and what the encoder cannot write it hands to itself again. The error
# comes after the whole training, and names neither the column nor the type. The same levels as text are fitted.
# Seen:
#   interval: ValueError: Circular reference detected
#   period: ValueError: Circular reference detected
#   bytes: ValueError: Circular reference detected
#   interval as text: fitted
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check lightgbm==4.7.0 pandas==3.0.6 scikit-learn==1.9.1

cat > "$folder/seen.py" <<'PY'
import lightgbm
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n = 300
age = pd.Series(pd.cut(rng.uniform(0, 90, n), [0, 30, 60, 90]))
months = pd.period_range("2020-01", periods=3, freq="M")
columns = {
    "interval": age,
    "period": pd.Series(months[rng.integers(0, 3, n)]).astype("category"),
    "bytes": pd.Series(np.array([b"a", b"b", b"c"], dtype=object)[rng.integers(0, 3, n)]).astype("category"),
    "interval as text": age.astype(str).astype("category"),
}
for name, column in columns.items():
    table = pd.DataFrame({"column": column, "x": rng.normal(size=n)})
    try:
        lightgbm.LGBMRegressor(n_estimators=3, n_jobs=1, verbose=-1).fit(table, table["x"])
    except ValueError as error:
        print(f"{name}: {type(error).__name__}: {error}")
    else:
        print(f"{name}: fitted")
PY
cat > "$folder/expected" <<'TEXT'
interval: ValueError: Circular reference detected
period: ValueError: Circular reference detected
bytes: ValueError: Circular reference detected
interval as text: fitted
TEXT
"$folder/env/bin/python" "$folder/seen.py" | diff "$folder/expected" -
echo "as described"
