"""Does a fit end when `timeout_in_seconds` says so? And how long do three classes take?

Wall time of one fit with a limit of 12 seconds on each of nine tables, the network included, and CPU time of
fits without a limit on iris. Run it where nothing else runs: what is measured is the clock on the wall.

    python examples/benchmarks/symbolic_time.py
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from statistics import mean
from time import perf_counter, process_time
from typing import Any

import numpy as np
import torch
from _common import save, versions
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from symbolic import REAL, load

from skrationale import SymbolicDistiller

LIMIT, SEEDS = 12.0, 5


def in_time(name: str, seed: int) -> dict[str, Any]:
    X, X_test, y, y_test = load(name, seed)
    start = perf_counter()
    distiller = SymbolicDistiller(timeout_in_seconds=LIMIT, random_state=seed).fit(X, y)
    seconds = perf_counter() - start
    return {
        "data": name,
        "seconds": seconds,
        "times the limit": seconds / LIMIT,
        "R2": distiller.score(X_test, y_test),
    }


def three_classes(seed: int) -> tuple[float, float]:
    """CPU seconds of a fit to iris with default parameters, and its accuracy."""
    X, y = load_iris(return_X_y=True, as_frame=True)
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=seed)
    start = process_time()
    distiller = SymbolicDistiller(random_state=seed).fit(X, y)
    return process_time() - start, distiller.score(X_test, y_test)


def main() -> None:
    torch.set_num_threads(1)
    three_classes(0)  # modules load but once
    rows = [in_time(name, 0) for name in REAL]
    seconds, accuracies = np.transpose([three_classes(seed) for seed in range(SEEDS)])
    iris = {"CPU s, median": np.median(seconds), "CPU s, most": seconds.max(), "accuracy": mean(accuracies)}
    sections = {
        f"Wall time with a limit of {LIMIT:g} s, one fit each": rows,
        f"Iris, three classes; {SEEDS} seeds": [iris],
    }
    save("symbolic_time", sections, {"versions": versions()})


if __name__ == "__main__":
    main()
