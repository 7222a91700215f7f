#!/usr/bin/env bash
# skops 0.16.0, pandas 3.1.1: an estimator that keeps the types of its columns cannot be written by skops, or not be read again, where
# one of them is a category or pandas' text; pickle does both. The type of nullable integers goes through. Whoever keeps `X.dtypes` in a
# fitted estimator has to turn it into plain values first.
# Seen (skops.io.dumps and loads; pickle):
#   CategoricalDtype: TypeError: no default __reduce__ due to non-trivial __cinit__; equal
#   Int64Dtype: equal; equal
#   StringDtype: TypeError: Expected tuple, got dict; equal
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  skops==0.16.0 pandas==3.1.1 scikit-learn==1.9.1 numpy==2.4.6

cat > "$folder/seen.py" <<'PY'
import pickle

import pandas as pd
import skops.io


def through_skops(kept):
    data = skops.io.dumps(kept)
    return skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))


def seen(kept, way):
    try:
        return "equal" if way(kept) == kept else "another"
    except TypeError as error:
        return f"TypeError: {error}"


for kept in (pd.CategoricalDtype(["a", "b"]), pd.Int64Dtype(), pd.StringDtype()):
    ways = (through_skops, lambda one: pickle.loads(pickle.dumps(one)))
    print(f"{type(kept).__name__}: {'; '.join(seen(kept, way) for way in ways)}")
PY
cat > "$folder/expected" <<'SEEN'
CategoricalDtype: TypeError: no default __reduce__ due to non-trivial __cinit__; equal
Int64Dtype: equal; equal
StringDtype: TypeError: Expected tuple, got dict; equal
SEEN
"$folder/env/bin/python" "$folder/seen.py" | diff "$folder/expected" -
echo "as described"
