#!/usr/bin/env bash
# scikit-learn 1.9.1: QuantileTransformer(output_distribution="normal") maps values within an absolute 1e-7 of the ends of a
# column to -5.2 or 5.2. A column in small units (1e-8, as of charges or concentrations) becomes one constant without a
# warning, and at 1e-6 a fifth of its values fall on the ends. The same column times a power of ten is mapped well.
# Seen (unit, different values of 1000, standard deviation):
#   1.0 999 1.02
#   1e-06 815 2.32
#   1e-08 1 0.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.0

cat > "$folder/seen.py" <<'PY'
import numpy as np
from sklearn.preprocessing import QuantileTransformer

column = np.random.default_rng(0).uniform(size=(1000, 1))
for unit in (1.0, 1e-6, 1e-8):
    made = QuantileTransformer(n_quantiles=100, output_distribution="normal", random_state=0)
    found = made.fit_transform(column * unit)
    print(unit, len(np.unique(found.round(6))), round(float(found.std()), 2))
PY
cat > "$folder/expected" <<'TEXT'
1.0 999 1.02
1e-06 815 2.32
1e-08 1 0.0
TEXT
"$folder/env/bin/python" "$folder/seen.py" | diff "$folder/expected" -
echo "as described"
