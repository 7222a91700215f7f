#!/usr/bin/env bash
# ebm2onnx 3.3.1, interpret-core 0.7.8: to_onnx takes an ExplainableBoostingRegressor with objective="poisson_deviance",
# "gamma_deviance" or "tweedie_deviance", but leaves out the exponential that predict takes of the sum of the terms. The ONNX,
# run by onnxruntime 1.32.0, returns the logarithm of the prediction. No error or warning is raised.
# Seen (first prediction of the ONNX and of the model; over 1000 rows the largest difference, and the largest difference of the
# ONNX from the logarithm):
#   rmse: ONNX 3.49, model 3.49; off 0.00
#   poisson_deviance: ONNX 1.23, model 3.43; off 5.73, from the logarithm 0.00
#   gamma_deviance: ONNX 1.24, model 3.46; off 5.31, from the logarithm 0.00
#   tweedie_deviance:variance_power=1.5: ONNX 1.24, model 3.45; off 5.51, from the logarithm 0.00
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  ebm2onnx==3.3.1 interpret-core==0.7.8 onnx==1.23.2 onnxruntime==1.32.0 scikit-learn==1.6.1 numpy==2.4.0 pandas==2.3.3

cat > "$folder/seen.py" <<'PY'
import warnings

import ebm2onnx
import numpy as np
import onnxruntime
import pandas as pd
from interpret.glassbox import ExplainableBoostingRegressor

rng = np.random.default_rng(0)
X = pd.DataFrame(rng.normal(size=(1000, 2)), columns=["a", "b"])
y = np.exp(1 + X["a"] / 2) + rng.random(1000)

for objective in ("rmse", "poisson_deviance", "gamma_deviance", "tweedie_deviance:variance_power=1.5"):
    model = ExplainableBoostingRegressor(
        objective=objective, interactions=0, max_rounds=200, outer_bags=2, n_jobs=1, random_state=0
    ).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = ebm2onnx.to_onnx(model, ebm2onnx.get_dtype_from_pandas(X))
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {name: X[name].to_numpy() for name in X})[0].ravel()
    truth = model.predict(X)
    logarithm = "" if objective == "rmse" else f", from the logarithm {np.abs(found - np.log(truth)).max():.2f}"
    print(f"{objective}: ONNX {found[0]:.2f}, model {truth[0]:.2f}; off {np.abs(found - truth).max():.2f}{logarithm}")
PY
cat > "$folder/expected" <<'SEEN'
rmse: ONNX 3.49, model 3.49; off 0.00
poisson_deviance: ONNX 1.23, model 3.43; off 5.73, from the logarithm 0.00
gamma_deviance: ONNX 1.24, model 3.46; off 5.31, from the logarithm 0.00
tweedie_deviance:variance_power=1.5: ONNX 1.24, model 3.45; off 5.51, from the logarithm 0.00
SEEN
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
