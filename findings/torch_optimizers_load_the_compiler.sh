#!/usr/bin/env bash
# torch 2.13.0: the first optimizer that a process makes imports the compiler of torch, torch._dynamo, and with it SymPy, also
# where nothing is compiled. This takes about as long as `import torch` itself, so that a script that trains a small network
# for a moment spends much of its time on it. torch.nn.Module.to_empty loads SymPy too.
# Seen:
#   before [False, False], with an optimizer [True, True], with to_empty alone [False, True]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.0

cat > "$folder/seen.py" <<'PY'
import sys

import torch


def loaded():
    return [name in sys.modules for name in ("torch._dynamo", "sympy")]


before = loaded()
if sys.argv[1] == "optimizer":
    torch.optim.AdamW(torch.nn.Linear(2, 1).parameters())
    print(f"before {before}, with an optimizer {loaded()}", end=", ")
else:
    with torch.device("meta"):
        network = torch.nn.Linear(2, 1)
    network.to_empty(device="cpu")
    print(f"with to_empty alone {loaded()}")
PY
echo "before [False, False], with an optimizer [True, True], with to_empty alone [False, True]" > "$folder/expected"
{
    "$folder/env/bin/python" "$folder/seen.py" optimizer
    "$folder/env/bin/python" "$folder/seen.py" to_empty
} | diff "$folder/expected" -
echo "as described"
