"""How do time and memory of a student grow with the rows and the columns of a table?

The table has normal columns; the target hangs on ten of them, and has noise. A student with default
parameters is fitted to LightGBM with 100 trees of 31 leaves, and explains all rows. Each table has a process
of its own, on one thread. Seconds are CPU seconds. Memory is the most that the process held (VmHWM) beyond
what it held before, when the table was made and all modules had been imported; the table is not part of it,
what is returned is. A read-only table (``X.setflags(write=False)``) is kept without a copy. Tables above
128 MB are learnt by parts.

    python examples/benchmarks/growth.py                # stored, with a plot
    python examples/benchmarks/growth.py --one 10000 30
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import ctypes
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from _common import RESULTS, save, versions
from lightgbm import LGBMRegressor
from sklearn.frozen import FrozenEstimator
from sparse import held, restart_peak

from skrationale import GBDT2NNStudent

SIZES = [(10_000, 30), (100_000, 30), (1_000_000, 30), (10_000, 300), (10_000, 3_000)]
NEW = 5_000
TITLE = "Time and memory of a student, one thread"
TREES = {"n_estimators": 100, "n_jobs": 1, "verbose": -1}


def table(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Give normal columns (n, d) and a target (n,) of ten of them, evenly spread."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    z = X[:, np.linspace(0, d - 1, 10).astype(int)]
    y = z[:, 0] * z[:, 1] + np.sin(2 * z[:, 2]) + np.maximum(z[:, 3], 0) + z[:, 4:].sum(axis=1) / 3
    return X, y + 0.3 * rng.standard_normal(n)


def settled() -> float:
    """Give free memory back to the system, let the peak start anew, and say what is held now, in MB."""
    ctypes.CDLL(None).malloc_trim(0)
    restart_peak()
    return held("VmRSS")


def run(n: int, d: int) -> dict[str, Any]:
    """Fit a student to a table of one size, explain the table, and measure both."""
    small, of_small = table(2_000, 10, 1)
    GBDT2NNStudent(LGBMRegressor(**TREES), max_epochs=1).fit(small, of_small).explain(small)
    X, y = table(n, d, 0)
    before, start = settled(), time.process_time()
    teacher = LGBMRegressor(**TREES).fit(X, y)
    of_teacher, teacher_mb = time.process_time() - start, held("VmHWM") - before
    before, start = settled(), time.process_time()
    student = GBDT2NNStudent(FrozenEstimator(teacher), random_state=0).fit(X, y)
    fit_s, fit_mb = time.process_time() - start, held("VmHWM") - before
    before, start = settled(), time.process_time()
    explanation = student.explain(X)
    explain_s, explain_mb = time.process_time() - start, held("VmHWM") - before
    del explanation
    X.setflags(write=False)
    before = settled()
    explanation = student.explain(X)
    read_only_mb = held("VmHWM") - before
    del explanation
    agreement = student.fidelity(table(NEW, d, 2)[0])
    megabytes = X.nbytes / 2**20
    return {
        "rows": n,
        "columns": d,
        "table, MB": megabytes,
        "teacher, CPU s": of_teacher,
        "fit, CPU s": fit_s,
        "explain, CPU s": explain_s,
        "explain, µs a row": 1e6 * explain_s / n,
        "teacher, times the table": teacher_mb / megabytes,
        "fit, times the table": fit_mb / megabytes,
        "explain, times the table": explain_mb / megabytes,
        "explain a read-only table, times the table": read_only_mb / megabytes,
        "raw-score R2": agreement["prediction_r2"],
        "reasons R2": agreement["explanation_r2"],
    }


def draw(cells: list[dict[str, Any]], path: Path) -> None:
    """Plot seconds against rows and against columns, on logarithmic axes."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharey=True, layout="constrained")
    for ax, name, fixed in zip(axes, ("rows", "columns"), ({"columns": 30}, {"rows": 10_000}), strict=True):
        ((other, value),) = fixed.items()
        shown = [cell for cell in cells if cell[other] == value]
        sizes = [cell[name] for cell in shown]
        for work, marker in {"teacher": "s", "fit": "o", "explain": "^"}.items():
            ax.plot(sizes, [cell[f"{work}, CPU s"] for cell in shown], marker=marker, label=work)
        first = shown[0]["explain, CPU s"] / sizes[0]
        ax.plot(sizes, [first * size for size in sizes], ":", color="grey", label="linear")
        ax.set(xscale="log", yscale="log", xlabel=f"{name} ({value:,} {other})", xticks=sizes)
        ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
        ax.minorticks_off()
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("CPU seconds")
    axes[0].legend()
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--one", type=int, nargs=2, metavar=("ROWS", "COLUMNS"), help="print one table's figures"
    )
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(run(*arguments.one)))
        return
    cells = []
    for n, d in SIZES:
        command = [sys.executable, __file__, "--one", str(n), str(d)]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        cells.append(json.loads(out.splitlines()[-1]))
        print(cells[-1], flush=True)
    draw(cells, RESULTS / "growth.png")
    save("growth", {TITLE: cells}, {"versions": versions()})
    page = RESULTS / "growth.md"
    shown = f"## {TITLE}\n\n![CPU seconds against rows and against columns](growth.png)\n"
    page.write_text(page.read_text(encoding="utf-8").replace(f"## {TITLE}\n", shown), encoding="utf-8")


if __name__ == "__main__":
    main()
