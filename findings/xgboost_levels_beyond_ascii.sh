#!/usr/bin/env bash
# xgboost-cpu 3.2.0: levels of a pandas category are kept in the model as bytes of UTF-8, cut where letters end, not bytes. A level with a
# letter beyond ASCII shifts all that follow, and two levels may become the same. A model that has learnt each level perfectly then
# predicts one for another, from the very frame it was fitted on and more so from a part of it, mostly without a word; some levels
# raise an error about a level that was in the training set. The codes that its trees learnt are right: as an array of codes,
# the same rows get what they should. In xgboost-cpu 2.1.4, which keeps no levels, so do frames.
# Seen (predictions for one row of each level; right would be 0 1 2):
#   plain: frame 0 1 2, reversed levels 0 1 2, codes 0 1 2
#   umlauts: frame 0 1 0, reversed levels 0 0 0, codes 0 1 2
#   cities in Japanese: frame 0 1 2, reversed levels 1 1 0, codes 0 1 2
#   drinks: frame 0 1 2, reversed levels XGBoostError, codes 0 1 2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  xgboost-cpu==3.2.0 pandas==2.3.3 numpy==2.4.0 scikit-learn==1.9.1

cat > "$folder/seen.py" <<'PY'
import numpy as np
import pandas as pd
import xgboost

codes = np.random.default_rng(0).integers(0, 3, 600)


def shown(ask):
    try:
        return " ".join(f"{value:.0f}" for value in ask())
    except Exception as error:
        return type(error).__name__


def see(name, levels):
    def frame(codes, levels_now):
        return pd.DataFrame({"level": pd.Categorical(np.array(levels, object)[codes], categories=levels_now)})

    model = xgboost.XGBRegressor(n_estimators=60, n_jobs=1, enable_categorical=True)
    model.fit(frame(codes, levels), codes)
    one_each = np.arange(3)
    array = xgboost.DMatrix(
        one_each[:, None], feature_names=["level"], feature_types=["c"], enable_categorical=True
    )
    print(
        f"{name}: frame {shown(lambda: model.predict(frame(one_each, levels)))}, "
        f"reversed levels {shown(lambda: model.predict(frame(one_each, levels[::-1])))}, "
        f"codes {shown(lambda: model.get_booster().predict(array))}"
    )


see("plain", ["ale", "oil", "tea"])
see("umlauts", ["ä", "ö", "ü"])
see("cities in Japanese", ["東京", "大阪", "京都"])
see("drinks", ["café", "thé", "vin"])
PY
cat > "$folder/expected" <<'SEEN'
plain: frame 0 1 2, reversed levels 0 1 2, codes 0 1 2
umlauts: frame 0 1 0, reversed levels 0 0 0, codes 0 1 2
cities in Japanese: frame 0 1 2, reversed levels 1 1 0, codes 0 1 2
drinks: frame 0 1 2, reversed levels XGBoostError, codes 0 1 2
SEEN
"$folder/env/bin/python" "$folder/seen.py" 2>/dev/null | diff "$folder/expected" -
echo "as described"
