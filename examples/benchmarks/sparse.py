"""A large one-hot table: what does a student take to learn from it, and how good are its reasons?

The table has 100,000 rows and 20 categories of 100 levels each, one-hot encoded into a sparse table of 2,000
columns; the target is drawn from effects of the levels, which get smaller from category to category, and from
one interaction. The student is fitted to a teacher of 300 LightGBM trees with 31 leaves, predicts all rows,
and explains 4,000 new ones, 1,000 at a time. Each run has a process of its own, on one thread.
Memory is the most that the process held (VmHWM) beyond what it held before the fit, when all modules were
imported and a student of a small dense table had been fitted; the sparse table is not part of it. The student
makes one pass, and as many as by default, which take minutes: more passes are better and no larger.

    python examples/benchmarks/sparse.py                # stored
    python examples/benchmarks/sparse.py --rows 20000
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from _common import save, versions
from gbdt2nn import reasons_agreement
from lightgbm import LGBMClassifier
from scipy import sparse

from skrationale import GBDT2NNStudent, tree_contributions
from skrationale.metrics import prediction_fidelity

ROWS, CATEGORIES, LEVELS, NEW, PART = 100_000, 20, 100, 4_000, 1_000
TREES = {"n_estimators": 300, "learning_rate": 0.05, "n_jobs": 1, "verbose": -1}


def table(n: int, seed: int) -> tuple[Any, np.ndarray]:
    """Give a one-hot table (n, 2000) and its labels; the effects are those of all seeds."""
    sizes = 1 / np.arange(1, CATEGORIES + 1)
    effects = sizes[:, None] * np.random.default_rng(0).normal(size=(CATEGORIES, LEVELS))
    rng = np.random.default_rng(seed)
    codes = rng.integers(LEVELS, size=(n, CATEGORIES), dtype=np.int32)
    parts = [effects[j, codes[:, j]] for j in range(CATEGORIES)]
    score = np.sum(parts, axis=0) + 2 * parts[0] * parts[1]
    y = (rng.random(n) < 1 / (1 + np.exp(-score))).astype(int)
    columns = (codes + LEVELS * np.arange(CATEGORIES, dtype=np.int32)).ravel()
    ends = np.arange(0, n * CATEGORIES + 1, CATEGORIES, dtype=np.int32)
    return sparse.csr_matrix((np.ones(len(columns)), columns, ends), shape=(n, CATEGORIES * LEVELS)), y


def held(name: str) -> float:
    """Give a figure of the process's memory in MB: VmHWM or VmRSS."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def restart_peak() -> None:
    """Let VmHWM start from what is held now."""
    Path("/proc/self/clear_refs").write_text("5")


def megabytes(X: Any) -> float:
    return (X.data.nbytes + X.indices.nbytes + X.indptr.nbytes) / 2**20


def run(n: int, seed: int, passes: int | None) -> dict[str, Any]:
    """Fit one student by so many passes, or by those of the default, and measure it."""
    X, y = table(n, seed)
    X_new, y_new = table(NEW, seed + 1000)
    small = X[:2000, :LEVELS].toarray()
    GBDT2NNStudent(max_epochs=1, random_state=0).fit(small, y[:2000]).explain(small)  # modules load but once
    restart_peak()
    some = {} if passes is None else {"max_epochs": passes}
    before, start = held("VmRSS"), time.process_time()
    student = GBDT2NNStudent(LGBMClassifier(**TREES), random_state=seed, **some).fit(X, y)
    fit_s, fitted = time.process_time() - start, held("VmHWM")
    restart_peak()
    student.predict(X)
    predicted = held("VmHWM")
    restart_peak()
    start = time.process_time()
    first = student.explain(X_new[:PART]).values
    explain_s, explained = time.process_time() - start, held("VmHWM")
    rest = [student.explain(X_new[i : i + PART]).values for i in range(PART, NEW, PART)]
    reasons, truth = np.concatenate([first, *rest]), tree_contributions(student.teacher_, X_new).values
    raw = student.teacher_.predict(X_new, raw_score=True)
    used = len(student._student.bins.columns)
    peak = max(fitted, predicted, explained) - before
    return {
        "seed": seed,
        "passes": "default" if passes is None else passes,
        "sparse table, MB": megabytes(X),
        "columns that the teacher splits on": used,
        "their bins at one byte a cell, MB": n * used / 2**20,
        "fit, MB": fitted - before,
        "predict, MB": predicted - before,
        "explain, MB": explained - before,
        "times the sparse table": peak / megabytes(X),
        "fit, CPU s": fit_s,
        "explain 1,000 rows, CPU s": explain_s,
        "raw-score R2": prediction_fidelity(student.decision_function(X_new), raw)["prediction_r2"],
        "reasons R2": reasons_agreement(reasons, truth)["explanation_r2"],
        "accuracy": student.score(X_new, y_new),
        "accuracy of the teacher": float(np.mean(student.teacher_.predict(X_new) == y_new)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--one", type=int, metavar="SEED", help="run one fit and print its figures")
    parser.add_argument("--passes", type=int, help="passes of that fit; without, those of the default")
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(json.dumps(run(arguments.rows, arguments.one, arguments.passes)))
        return
    cells = []
    for seed, passes in product(range(arguments.seeds), (["--passes", "1"], [])):
        command = [sys.executable, __file__, "--rows", str(arguments.rows), "--one", str(seed), *passes]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        cells.append(json.loads(out.splitlines()[-1]))
        print(cells[-1], flush=True)
    if arguments.rows == ROWS:
        save("sparse", {"100,000 rows of 2,000 one-hot columns": cells}, {"versions": versions()})


if __name__ == "__main__":
    main()
