"""GBDT2NN with monotone constraints: what does it cost to keep them in every row?

A LightGBM of 300 trees with 31 leaves and a learning rate of 0.05 is constrained in a few columns and
distilled twice: as it is by default, and with ``monotone="teacher"``; both with two layers of 64 units and 80
epochs. Fidelity is measured on test rows. For 200 of them each constrained column runs over all values that
it has in the table, and beyond; a row is broken where the score then steps the wrong way by more than
1e-9 of its range.

    python examples/benchmarks/monotone.py [--quick]
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
from _common import mean_and_spread, save, versions
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from skrationale import GBDT2NNStudent
from skrationale.datasets import fetch_table

SETS = {
    "concrete": {"cement": 1, "age": 1, "water": -1},
    "auto_mpg": {"weight": -1, "horsepower": -1, "model_year": 1},
    "credit_g": {"duration": 1, "credit_amount": 1, "age": -1},
}
SEEDS = (0, 1)
TREES = {"n_estimators": 300, "num_leaves": 31, "learning_rate": 0.05, "n_jobs": 1, "verbose": -1}
STUDENT = {"hidden_layer_sizes": (64, 64), "max_epochs": 80, "device": "cpu"}
ROWS, TOLERANCE = 200, 1e-9


def broken(student: Any, X: pd.DataFrame, table: pd.DataFrame, signs: dict[str, int]) -> tuple[float, float]:
    """Share of rows in which a constraint is broken somewhere, and the largest step over the range."""
    worst = np.zeros(len(X))
    for name, sign in signs.items():
        known = table[name].dropna().to_numpy(float)
        values = np.r_[known.min() - np.ptp(known), np.unique(known), known.max() + np.ptp(known)]
        rows = X.loc[X.index.repeat(len(values))].reset_index(drop=True)
        rows[name] = np.tile(values, len(X))
        score = student._scores(student._read(rows)).reshape(len(X), len(values)) * sign
        worst = np.maximum(worst, (np.maximum.accumulate(score, axis=1) - score).max(axis=1))
    worst /= np.ptp(student._scores(student._read(table)))
    return float((worst > TOLERANCE).mean()), float(worst.max())


def measure(name: str, seed: int) -> list[dict[str, Any]]:
    table = fetch_table(name)
    X, X_test, y, y_test = train_test_split(table.X, table.y, random_state=seed)
    signs = SETS[name]
    kind = LGBMRegressor if table.task == "regression" else LGBMClassifier
    constraints = [signs.get(column, 0) for column in X]
    teacher = kind(monotone_constraints=constraints, random_state=seed, **TREES).fit(X, y)
    found = []
    for monotone in (None, "teacher"):
        student = GBDT2NNStudent(FrozenEstimator(teacher), monotone=monotone, random_state=seed, **STUDENT)
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            student.fit(X, y)
        seconds = time.process_time() - start
        fidelity = student.fidelity(X_test, y_test)
        share, step = broken(student, X_test[:ROWS], table.X, signs)
        found.append(
            {
                "monotone": repr(monotone),
                "prediction_r2": fidelity["prediction_r2"],
                "explanation_r2": fidelity["explanation_r2"],
                "score": fidelity.get("auroc", fidelity["score"]),
                "teacher": fidelity.get("teacher_auroc", fidelity["teacher_score"]),
                "broken": share,
                "step": step,
                "seconds": seconds,
            }
        )
        print(name, seed, found[-1], flush=True)
    return found


def row_of(name: str, cells: list[dict[str, Any]]) -> dict[str, Any]:
    """One row of the table: means over seeds."""
    mean = {key: [cell[key] for cell in cells] for key in cells[0]}
    return {
        "data set": name,
        "monotone": mean["monotone"][0],
        "score (R2 or AUROC)": mean_and_spread(mean["score"]),
        "of the teacher": mean_and_spread(mean["teacher"]),
        "raw-score R2": mean_and_spread(mean["prediction_r2"]),
        "reasons R2": mean_and_spread(mean["explanation_r2"]),
        "rows broken": f"{np.mean(mean['broken']):.0%}",
        "largest step": f"{np.max(mean['step']):.1%}" if np.max(mean["step"]) > TOLERANCE else "0",
        "fit, s": mean_and_spread(mean["seconds"], digits=0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What it costs to keep monotone constraints.")
    parser.add_argument("--quick", action="store_true", help="one seed, and nothing is stored")
    quick = parser.parse_args().quick
    start, rows = time.perf_counter(), []
    for name in SETS:
        each = [measure(name, seed) for seed in (SEEDS[:1] if quick else SEEDS)]
        rows += [row_of(name, list(cells)) for cells in zip(*each, strict=True)]
    for row in rows:
        print(*row.values(), sep="  ")
    if not quick:
        title = "Students of constrained teachers on test rows, mean ± standard deviation over seeds"
        meta = {"versions": versions(), "seeds": SEEDS, "sets": SETS, "student": STUDENT}
        save("monotone", {title: rows}, meta | {"seconds": time.perf_counter() - start})


if __name__ == "__main__":
    main()
