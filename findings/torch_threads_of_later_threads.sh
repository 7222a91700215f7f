#!/usr/bin/env bash
# torch 2.13.0: torch.set_num_threads sets a number for the calling thread and for all threads that use torch later, but not
# for those that have used it. A worker thread that starts while another thread has set 1 for a moment keeps 1 for good, also
# after the other has put 4 back: "set, work, put back" in one thread of a pool slows down the others.
# Seen:
#   main 4, worker that started meanwhile [1, 1], worker that started after 4
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.0

cat > "$folder/seen.py" <<'PY'
import threading

import torch

seen, later = [], []
asked, put_back = threading.Event(), threading.Event()


def work():
    seen.append(torch.get_num_threads())
    asked.set()
    put_back.wait()
    seen.append(torch.get_num_threads())


torch.set_num_threads(4)
torch.set_num_threads(1)
worker = threading.Thread(target=work)
worker.start()
asked.wait()
torch.set_num_threads(4)
put_back.set()
worker.join()
after = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
after.start()
after.join()
print(f"main {torch.get_num_threads()}, worker that started meanwhile {seen}, worker that started after {later[0]}")
PY
echo "main 4, worker that started meanwhile [1, 1], worker that started after 4" > "$folder/expected"
"$folder/env/bin/python" "$folder/seen.py" | diff "$folder/expected" -
echo "as described"
