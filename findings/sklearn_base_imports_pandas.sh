#!/usr/bin/env bash
# scikit-learn 1.9.1, pandas 3.1.1: `import sklearn.base`, which loading any pickled estimator needs, imports pandas wherever it is
# installed, and scipy.stats, although nothing of them is used. This is most of the time that a fresh process takes before its first
# prediction from an array. Without pandas in the environment the same code works, and only scipy.stats is imported.
# Seen:
#   with pandas: imported pandas, scipy.stats
#   without pandas: imported scipy.stats
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
    scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6 pandas==3.1.1

cat > "$folder/seen.py" <<'PY'
import sys

import sklearn.base  # noqa: F401

print("imported " + ", ".join(name for name in ("pandas", "scipy.stats") if name in sys.modules))
PY
cat > "$folder/expected" <<'TXT'
with pandas: imported pandas, scipy.stats
without pandas: imported scipy.stats
TXT
{
    echo -n "with pandas: "
    "$folder/env/bin/python" "$folder/seen.py"
    "$folder/env/bin/python" -m pip uninstall --quiet --yes --disable-pip-version-check pandas
    echo -n "without pandas: "
    "$folder/env/bin/python" "$folder/seen.py"
} | diff "$folder/expected" -
echo "as described"
