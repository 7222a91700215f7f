"""A student that learns from a stream: what does it lose against training in memory, and how much memory?

The teacher (300 LightGBM trees of 31 leaves) is fitted to adult. The stream gives rows of its training set in
which each cell is another row's with a chance of 1 in 5, made as they are read, so that there is no end of
them. A student learns 600,000 of these rows in batches of 20,000, and another from all of them in memory, in
as many steps; both again with 6,000 explained rows only. Each runs in a process of its own, on one thread;
memory is the most that the process took beyond what it had before the fit. Scored on the real test rows: raw
scores, and reasons against exact TreeSHAP.

    python examples/benchmarks/stream.py                # 3 seeds, stored
    python examples/benchmarks/stream.py --rows 40000 --seeds 1
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _common import mean_and_spread, save, versions
from gbdt2nn import fit_teacher, reasons_agreement, split
from sklearn.frozen import FrozenEstimator

from skrationale import GBDT2NNStudent, tree_contributions
from skrationale.metrics import prediction_fidelity

BATCH, PIECE, FEW = 20_000, 7_000, 6_000
WAYS = {
    "in memory": {},
    "stream": {},
    "in memory, 6,000 rows explained": {"max_explanation_rows": FEW},
    "stream, 6,000 rows explained": {"max_explanation_rows": FEW},
    "stream, 6,000 rows explained, no pool": {"max_explanation_rows": FEW},
}


def tables(X: pd.DataFrame, n: int, seed: int) -> Iterator[pd.DataFrame]:
    """Give n rows near those of a table, a piece at a time."""
    rng = np.random.default_rng(seed)
    for first in range(0, n, PIECE):
        size = min(PIECE, n - first)
        rows = rng.integers(len(X), size=size)
        piece = {}
        for name in X.columns:
            others = np.where(rng.random(size) < 0.2, rng.integers(len(X), size=size), rows)
            piece[name] = X[name].take(others).reset_index(drop=True)
        yield pd.DataFrame(piece)


def run(way: str, seed: int, n: int) -> dict[str, float]:
    """Fit one student and score it."""
    task, X, X_test, y, _ = split("adult", seed)
    teacher = fit_teacher(task, X, y, seed)
    truth = tree_contributions(teacher, X_test)
    options: dict[str, Any] = WAYS[way] | {"random_state": seed, "n_synthetic": n}
    student = GBDT2NNStudent(FrozenEstimator(teacher), max_epochs=1, **options)
    # what torch loads but once
    GBDT2NNStudent(FrozenEstimator(teacher), max_epochs=1, random_state=0).fit(X[:600], y[:600])
    if "no pool" in way:
        from skrationale.gbdt2nn import _stream

        _stream.SHARE_EXPLAINED = 0.0
    whole = pd.concat(tables(X, n, seed), ignore_index=True) if "memory" in way else None
    labels = None if whole is None else teacher.predict(whole)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    if whole is None:
        student.fit_batches(lambda: tables(X, n, seed), n_batches=n // BATCH, buffer_rows=BATCH)
    else:
        student.fit(whole, labels)
    seconds = time.process_time() - start
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    scores, wanted = student.decision_function(X_test), teacher.predict(X_test, raw_score=True)
    found = reasons_agreement(student.explain(X_test).values, truth.values)
    return {
        "raw_r2": prediction_fidelity(scores, wanted)["prediction_r2"],
        "explanation_r2": found["explanation_r2"],
        "cpu_s": seconds,
        "memory_mb": used / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=600_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("WAY", "SEED"), help="run one fit and print its figures")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(run(arguments.one[0], int(arguments.one[1]), arguments.rows)))
        return
    cells = []
    for seed in range(arguments.seeds):
        for way in WAYS:
            command = [
                sys.executable,
                str(Path(__file__)),
                "--rows",
                str(arguments.rows),
                "--one",
                way,
                str(seed),
            ]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            cells.append({"way": way, "seed": seed, **json.loads(out.splitlines()[-1])})
            print(cells[-1], flush=True)
    rows = []
    for way in WAYS:
        of_way = [cell for cell in cells if cell["way"] == way]
        row = {"way": way}
        for name, digits in (("raw_r2", 4), ("explanation_r2", 4), ("cpu_s", 0), ("memory_mb", 0)):
            row[name] = mean_and_spread([cell[name] for cell in of_way], digits)
        rows.append(row)
    if arguments.rows == 600_000:
        meta = {"rows": arguments.rows, "batch": BATCH, "cells": cells, "versions": versions()}
        save("stream", {"Adult, 600,000 rows in batches of 20,000": rows}, meta)


if __name__ == "__main__":
    main()
