"""Tables beyond memory: what do parquet files explained into parquet files cost, in CPU seconds and in
memory?

Rows are drawn from adult, its whole numbers moved by up to 1, and written in files of 250,000 rows with row
groups of 50,000. Each measurement is a process of its own: `explain_dataset`, or `pandas.read_parquet` and
`explain`, with scores, of all rows in memory, which writes nothing. Memory is the peak of the process, less
what it takes after its imports. The student has 3 layers of 256 units, the trees are 300 of 31 leaves. One
run is killed when its first part is there, and run again.

    python examples/benchmarks/scale.py               # 200,000 and 2,000,000 rows, stored
    python examples/benchmarks/scale.py --quick       # 200,000 rows, once, not stored
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from _common import save, versions

ROWS_OF_A_FILE, ROWS_OF_A_GROUP = 250_000, 50_000
FEW, MANY = 200_000, 2_000_000
WAYS = {"in memory": {}, "explain_dataset": {}, "explain_dataset, top=3": {"top": 3}}


# --- in a process of its own ------------------------------------------------------------------------


def peak_mb() -> float:
    """Largest memory of this process; ru_maxrss would count that of the parent before exec."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(model_path: str, way: str, source: str, destination: str) -> None:
    """Explain once, and print what it took."""
    import lightgbm  # noqa: F401
    import torch  # noqa: F401

    from skrationale import explain_dataset
    from skrationale.flint import FLINTClassifier  # noqa: F401
    from skrationale.gbdt2nn import GBDT2NNStudent  # noqa: F401
    from skrationale.rationale import RationaleClassifier  # noqa: F401

    imports = peak_mb()
    model = pickle.loads(Path(model_path).read_bytes())
    loaded, start, wall = peak_mb(), time.process_time(), time.perf_counter()
    if way == "in memory":
        X = pd.read_parquet(source).drop(columns="key")
        explanation = model.explain(X)
        n_rows = len(model.decision_function(X) if explanation.kind == "rationale" else explanation.scores())
    else:
        n_rows = explain_dataset(model, source, destination, keep=["key"], **WAYS[way]).rows
    cpu = time.process_time() - start
    found = {"rows": n_rows, "CPU s": cpu, "wall s": time.perf_counter() - wall, "rows a CPU s": n_rows / cpu}
    found |= {"MB over imports": peak_mb() - imports, "of these the model": loaded - imports}
    print(json.dumps(found))


def in_process(*arguments: str) -> list[str]:
    return [sys.executable, __file__, "--measure", *arguments]


# --- data and models --------------------------------------------------------------------------------


def make_data(folder: Path, X: Any, n_rows: int) -> None:
    """Write files of rows drawn from a table."""
    rng, folder = np.random.default_rng(0), folder / str(n_rows)
    folder.mkdir()
    for number, start in enumerate(range(0, n_rows, ROWS_OF_A_FILE)):
        size = min(ROWS_OF_A_FILE, n_rows - start)
        part = X.iloc[rng.integers(len(X), size=size)].reset_index(drop=True)
        for name in part.columns:
            if part[name].dtype.kind in "iu":
                part[name] += rng.integers(-1, 2, size)
        part["key"] = np.arange(start, start + size)
        part.to_parquet(folder / f"{number}.parquet", row_group_size=ROWS_OF_A_GROUP)


def make_models(X: Any, y: Any) -> dict[str, Any]:
    from lightgbm import LGBMClassifier
    from sklearn.frozen import FrozenEstimator

    from skrationale import FLINTClassifier, GBDT2NNStudent, RationaleClassifier, TreeContributions

    trees = LGBMClassifier(
        n_estimators=300, num_leaves=31, learning_rate=0.05, n_jobs=1, verbose=-1, random_state=0
    ).fit(X, y)
    few = {"max_epochs": 3, "random_state": 0}  # answers cost the same whatever was learnt
    student = GBDT2NNStudent(FrozenEstimator(trees), hidden_layer_sizes=(256, 256, 256), **few)
    return {
        "GBDT2NNStudent": student.fit(X, y),
        "TreeContributions": TreeContributions(trees),
        "RationaleClassifier": RationaleClassifier(**few).fit(X, y),
        "FLINTClassifier": FLINTClassifier(**few).fit(X, y),
    }


# --- what is compared -------------------------------------------------------------------------------


def costs(name: str, n_rows: int, ways: list[str], folder: Path, repeats: int) -> list[dict[str, Any]]:
    """Measure ways in turn, each in new processes."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for repeat in range(repeats):
        for way in ways:
            out = folder / f"{name} {n_rows} {way} {repeat}".replace(",", "").replace(" ", "-")
            arguments = (str(folder / f"{name}.pkl"), way, str(folder / str(n_rows)), str(out))
            text = subprocess.run(in_process(*arguments), capture_output=True, text=True, check=True).stdout
            found[way].append(json.loads(text.splitlines()[-1]))
            size = sum(path.stat().st_size for path in out.glob("*")) if out.exists() else 0
            found[way][-1]["bytes a row"] = size / n_rows
    rows = []
    for way, repeated in found.items():
        row = {"model": name, "rows": n_rows, "way": way}
        for key in ("CPU s", "rows a CPU s", "MB over imports", "of these the model", "bytes a row"):
            row[key] = median(each[key] for each in repeated) or None
        speeds = [
            each["rows a CPU s"] / memory["rows a CPU s"]
            for each, memory in zip(repeated, found[ways[0]], strict=True)
        ]
        row["speed against memory"] = f"{median(speeds):.2f} ({min(speeds):.2f}-{max(speeds):.2f})"
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def exactness(name: str, model: Any, folder: Path) -> dict[str, Any]:
    """Compare what was written with `explain`, with scores, of all rows in memory."""
    X = pd.read_parquet(folder / str(FEW))
    explanation = model.explain(X.drop(columns="key"))
    got = pd.read_parquet(folder / f"{name}-{FEW}-explain_dataset-0")
    columns = [f"reason.{each}" for each in explanation.feature_names]
    values = explanation.values.astype(np.float64)
    error = np.abs(got[columns].to_numpy(dtype=np.float64) - values).max()
    row = {"model": name, "largest difference": float(error), "largest reason": float(np.abs(values).max())}
    if explanation.kind != "rationale":
        total = explanation.base_values + got[columns].to_numpy(dtype=np.float64).sum(axis=1)
        row["base and written reasons against written score"] = float(np.abs(total - got["score"]).max())
    row["order of rows kept"] = str(bool((got["key"].to_numpy() == X["key"].to_numpy()).all()))
    return row


def killed(name: str, n_rows: int, folder: Path) -> dict[str, Any]:
    """Kill a run when a part is there, and run it again."""
    out, whole = folder / "killed", folder / f"{name}-{n_rows}-explain_dataset-0"
    arguments = (str(folder / f"{name}.pkl"), "explain_dataset", str(folder / str(n_rows)), str(out))
    with subprocess.Popen(in_process(*arguments), stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not (out / "part-00000.parquet").exists():
            time.sleep(0.01)
        time.sleep(0.2)  # the next part has begun
        process.send_signal(signal.SIGKILL)
    left = sorted(path.name for path in out.iterdir())
    text = subprocess.run(in_process(*arguments), capture_output=True, text=True, check=True).stdout
    again = json.loads(text.splitlines()[-1])
    same = {path.name: path.read_bytes() for path in out.iterdir()} == {
        path.name: path.read_bytes() for path in whole.iterdir()
    }
    return {
        "rows": n_rows,
        "parts": len(list(whole.iterdir())),
        "finished when killed": sum(not name.startswith(".") for name in left),
        "unfinished": sum(name.startswith(".") for name in left),
        "CPU s of the second run": again["CPU s"],
        "files are those of a run that was not killed": str(same),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(*options.measure)
        return
    from skrationale.datasets import fetch_table

    table = fetch_table("adult")
    sizes = [FEW] if options.quick else [FEW, MANY]
    repeats = 1 if options.quick else options.repeats
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for n_rows in sizes:
            make_data(folder, table.X, n_rows)
        models = make_models(table.X, table.y)
        for name, model in models.items():
            (folder / f"{name}.pkl").write_bytes(pickle.dumps(model))
        rows = []
        for name in models:
            first = name in ("GBDT2NNStudent", "TreeContributions")
            for n_rows in sizes if first else [FEW]:
                ways = list(WAYS) if first and n_rows == FEW else list(WAYS)[:2]
                rows += costs(name, n_rows, ways, folder, repeats)
        exact = [exactness(name, model, folder) for name, model in models.items()]
        again = [killed("GBDT2NNStudent", sizes[-1], folder)]
    print(json.dumps([exact, again], indent=1))
    if not options.quick:
        used = versions() | {"pyarrow": version("pyarrow")}
        sections = {
            "Memory and speed": rows,
            f"Against explain in memory, {FEW:,} rows": exact,
            "A run that was killed, and run again": again,
        }
        save("scale", sections, {"repeats": repeats, "versions": used})


if __name__ == "__main__":
    main()
