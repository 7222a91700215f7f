#!/usr/bin/env bash
# torch 2.13.0: torch.nn.functional.softplus is not monotone in float64. Above `threshold=20` it returns x itself, which is
# 2e-9 less than log(1 + exp(x)) at 20: so it steps down there, and a network that is monotone on paper is not. With
# threshold=50 the step is below rounding.
# Seen:
#   softplus(20) = 20.000000002061153, softplus(20 + 1e-9) = 20.000000001
#   rising with threshold=50: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.0

cat > "$folder/seen.py" <<'PY'
import torch
from torch.nn.functional import softplus

x = torch.tensor([20.0, 20.0 + 1e-9], dtype=torch.float64)
low, high = softplus(x).tolist()
print(f"softplus(20) = {low}, softplus(20 + 1e-9) = {high}")
low, high = softplus(x, threshold=50).tolist()
print(f"rising with threshold=50: {high > low}")
PY
cat > "$folder/expected" <<'TEXT'
softplus(20) = 20.000000002061153, softplus(20 + 1e-9) = 20.000000001
rising with threshold=50: True
TEXT
"$folder/env/bin/python" "$folder/seen.py" | diff "$folder/expected" -
echo "as described"
