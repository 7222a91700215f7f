#!/usr/bin/env bash
# torch 2.13.0 on a CPU: a convolution keeps memory for each number of pictures that it meets, because oneDNN compiles a program for
# each shape and keeps it, up to 1,024 of them. A service that answers batches of changing size grows by hundreds of MB. Batches that
# are filled up to a few sizes keep next to nothing, and so does torch without oneDNN.
# Seen, two convolutions, 300 calls:
#   each with another number of pictures: grows by more than 50 MB
#   300 pictures each: does not
#   filled up to a multiple of 64: does not
#   each with another number, without oneDNN: does not
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.0

cat > "$folder/seen.py" <<'PY'
import sys

import torch

torch.set_num_threads(1)
torch.backends.mkldnn.set_flags(_enabled=sys.argv[1] != "plain")
layers = torch.nn.Conv2d(1, 16, 3, padding=1), torch.nn.Conv2d(16, 32, 3, padding=1)
net = torch.nn.Sequential(*layers).eval()
counts = {"changing": range(1, 301), "same": [300] * 300, "filled": [-(-n // 64) * 64 for n in range(1, 301)]}


def held():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


with torch.inference_mode():
    for _ in range(20):
        net(torch.zeros(320, 1, 8, 8))
    before = held()
    for count in counts["changing" if sys.argv[1] == "plain" else sys.argv[1]]:
        net(torch.zeros(count, 1, 8, 8))
print("grows by more than 50 MB" if held() - before > 50 else "does not")
PY
cat > "$folder/expected" <<'TXT'
each with another number of pictures: grows by more than 50 MB
300 pictures each: does not
filled up to a multiple of 64: does not
each with another number, without oneDNN: does not
TXT
{
  echo "each with another number of pictures: $("$folder/env/bin/python" "$folder/seen.py" changing)"
  echo "300 pictures each: $("$folder/env/bin/python" "$folder/seen.py" same)"
  echo "filled up to a multiple of 64: $("$folder/env/bin/python" "$folder/seen.py" filled)"
  echo "each with another number, without oneDNN: $("$folder/env/bin/python" "$folder/seen.py" plain)"
} | diff "$folder/expected" -
echo "as described"
