#!/usr/bin/env bash
# torch 2.13.0: the moments that Adam keeps of a weight whose gradient has become zero do not reach zero. They fall by a tenth at
# each step until they are denormal, and end at the number that a tenth less rounds back to. From then on each step computes with
# denormal numbers, which some processors do many times more slowly. Such weights are common: those of a ReLU that no row reaches
# any more, or of a column that is zero in all rows. After torch.set_flush_denormal(True) the moments are zero.
# Seen:
#   moments after 2,000 steps without a gradient: denormal 1000 of 1000, zero 0 of 1000
#   with torch.set_flush_denormal(True): denormal 0 of 1000, zero 1000 of 1000
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.0

cat > "$folder/seen.py" <<'PY'
import torch


def moments():
    weight = torch.nn.Parameter(torch.linspace(-1, 1, 1000))
    optimizer = torch.optim.Adam([weight], lr=1e-3)
    for step in range(2001):
        weight.grad = torch.full((1000,), 0.1 if step == 0 else 0.0)
        optimizer.step()
    found = optimizer.state[weight]["exp_avg"].abs().view(torch.int32)  # bits, which no mode of a processor changes
    denormal = ((found > 0) & (found < 2**23)).sum().item()
    return f"denormal {denormal} of 1000, zero {(found == 0).sum().item()} of 1000"


print("moments after 2,000 steps without a gradient:", moments())
torch.set_flush_denormal(True)
print("with torch.set_flush_denormal(True):", moments())
PY
cat > "$folder/expected" <<'TXT'
moments after 2,000 steps without a gradient: denormal 1000 of 1000, zero 0 of 1000
with torch.set_flush_denormal(True): denormal 0 of 1000, zero 1000 of 1000
TXT
"$folder/env/bin/python" "$folder/seen.py" | diff "$folder/expected" -
echo "as described"
