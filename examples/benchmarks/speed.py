"""How much faster than another commit: CPU seconds of both, in turn, one thread, each in new processes.

    git worktree add OTHER 8922940
    python examples/benchmarks/speed.py OTHER [--repeats 5] [--only "one row"] [--parts FOLDER]

A process of each commit makes what it needs, fits where that is the task, and measures; then comes the other
commit. Answers take the least of many calls within a process, fits are done once. The table gives medians
over the processes, and the median, least and largest ratio of a pair. With `--parts` finished tasks are kept
in a folder, and read from there by a later run.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import importlib
import json
import pickle
import pkgutil
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np

OWN = Path(__file__).parents[2]
STUDENT = "student.pkl"
SETS = ("adult", "bank_marketing", "california_housing", "diamonds", "covertype_50k", "higgs_small")


# --- in a process of its own, with the package of either commit ----------------------------------------


def adult() -> tuple[Any, Any]:
    from skrationale.datasets import fetch_table

    table = fetch_table("adult")
    return table.X, table.y


def syn4() -> tuple[Any, Any]:
    from skrationale.datasets import make_syn

    return make_syn(4, 10_000, random_state=0)[:2]


def student(folder: Path) -> tuple[Any, Any]:
    """Fit a student of adult once a folder, and read it."""
    from lightgbm import LGBMClassifier
    from sklearn.frozen import FrozenEstimator

    from skrationale import GBDT2NNStudent

    X, y = adult()
    path = folder / STUDENT
    if not path.exists():
        trees = LGBMClassifier(n_estimators=300, num_leaves=31, n_jobs=1, verbose=-1, random_state=0)
        model = GBDT2NNStudent(FrozenEstimator(trees.fit(X, y)), max_epochs=2, random_state=0).fit(X, y)
        path.write_bytes(pickle.dumps(model))
        (folder / "row.pkl").write_bytes(pickle.dumps(X.iloc[:1]))
    return pickle.loads(path.read_bytes()), X


def numbers(folder: Path) -> tuple[Any, np.ndarray]:
    """Fit a student of numbers alone, so that arrays can be explained."""
    from skrationale import GBDT2NNStudent

    rng = np.random.RandomState(0)
    X = rng.normal(size=(4000, 14))
    y = X[:, 0] + np.sin(X[:, 1]) + X[:, 2] * X[:, 3]
    return GBDT2NNStudent(max_epochs=2, random_state=0).fit(X, y), X


def import_all() -> None:
    """Import every module of the package, and with them what they stand on."""
    import skrationale

    for module in pkgutil.walk_packages(skrationale.__path__, "skrationale."):
        importlib.import_module(module.name)


def least(call: Callable[[int], Any], times: int) -> float:
    """CPU seconds of the fastest of some calls, after one that is not counted."""
    call(0)
    found = []
    for i in range(times):
        start = perf_counter() if times > 50 else process_time()
        call(i)
        found.append((perf_counter() if times > 50 else process_time()) - start)
    return min(found)


def one_row_of_a_frame(folder: Path) -> float:
    model, X = student(folder)
    rows = [X.iloc[i : i + 1] for i in range(300)]
    return least(lambda i: model.explain(rows[i]), len(rows))


def one_row_of_an_array(folder: Path) -> float:
    model, X = numbers(folder)
    return least(lambda i: model.explain(X[i : i + 1]), 300)


def frame(folder: Path) -> float:
    model, X = student(folder)
    return least(lambda i: model.explain(X.iloc[:10_000]), 5)


def array(folder: Path) -> float:
    model, X = numbers(folder)
    rows = np.tile(X, (3, 1))[:10_000]
    return least(lambda i: model.explain(rows), 5)


def paths(folder: Path) -> float:
    from lightgbm import LGBMRegressor

    from skrationale.gbdt2nn import path_contributions

    X = np.random.RandomState(0).normal(size=(10_000, 14))
    y = X[:, 0] + np.sin(X[:, 1]) + X[:, 2] * X[:, 3]
    trees = LGBMRegressor(n_estimators=300, num_leaves=31, n_jobs=1, verbose=-1, random_state=0).fit(X, y)
    return least(lambda i: path_contributions(trees, X), 5)


def cold_start(folder: Path) -> float:
    student(folder)
    return fresh(
        folder,
        f"""
import pickle
model = pickle.load(open({str(folder / STUDENT)!r}, "rb"))
row = pickle.load(open({str(folder / "row.pkl")!r}, "rb"))
model.explain(row)
""",
    )


def bare_start(folder: Path) -> float:
    return fresh(folder, "import pandas, sklearn.base")


def fresh(folder: Path, lines: str) -> float:
    """CPU seconds that lines take in a new process, whose modules were compiled before."""
    code = f"import time\nstart = time.process_time()\n{lines}\nprint(time.process_time() - start)"
    # in a folder without the package, which `-c` would import; with bytecode, as it is installed
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    run = [sys.executable, "-c", code]
    for _ in range(2):  # the first writes the bytecode
        done = subprocess.run(run, capture_output=True, check=True, cwd=folder, env=environment)
    return float(done.stdout)


def fit(make: Callable[[], Any], data: Callable[[], tuple[Any, Any]]) -> float:
    """CPU seconds of a fit, without imports, which commits do at different moments."""
    X, y = data()
    import_all()
    start = process_time()
    make().fit(X, y)
    return process_time() - start


def fit_of_student(folder: Path) -> float:
    from skrationale import GBDT2NNStudent

    return fit(lambda: GBDT2NNStudent(random_state=0), adult)


def fit_to_given_trees(name: str) -> Callable[[Path], float]:
    """Fit a student of trees that are fitted before, to three quarters of a data set."""

    def measured(folder: Path) -> float:
        from lightgbm import LGBMClassifier, LGBMRegressor
        from sklearn.frozen import FrozenEstimator
        from sklearn.model_selection import train_test_split

        from skrationale import GBDT2NNStudent
        from skrationale.datasets import fetch_table

        table = fetch_table(name)
        kind = LGBMRegressor if table.task == "regression" else LGBMClassifier
        n_trees = 100 if table.task == "multiclass" else 300
        stratify = None if table.task == "regression" else table.y
        X, _, y, _ = train_test_split(table.X, table.y, test_size=0.25, random_state=0, stratify=stratify)
        trees = kind(n_estimators=n_trees, num_leaves=31, learning_rate=0.05, n_jobs=1, verbose=-1)
        teacher = FrozenEstimator(trees.fit(X, y))
        GBDT2NNStudent(teacher, explanation=None, max_epochs=1).fit(X[:100], y[:100])  # imports
        return fit(lambda: GBDT2NNStudent(teacher, random_state=0), lambda: (X, y))

    return measured


def fit_of_rationales(folder: Path) -> float:
    from skrationale import RationaleClassifier

    return fit(lambda: RationaleClassifier(random_state=0), syn4)


def fit_of_rationales_of_adult(folder: Path) -> float:
    from skrationale import RationaleClassifier

    return fit(lambda: RationaleClassifier(random_state=0), adult)


def fit_of_a_small_model(folder: Path) -> float:
    from skrationale import RationaleDistiller

    return fit(lambda: RationaleDistiller(random_state=0), syn4)


def fit_of_flint(folder: Path) -> float:
    from sklearn.datasets import load_digits

    from skrationale import FLINTClassifier

    return fit(lambda: FLINTClassifier(random_state=0), lambda: load_digits(return_X_y=True))


def fit_of_flint_to_a_large_table(folder: Path) -> float:
    from skrationale import FLINTClassifier

    return fit(lambda: FLINTClassifier(random_state=0), adult)


def flint_of_digits() -> tuple[Any, Any]:
    from sklearn.datasets import load_digits

    from skrationale import FLINTClassifier

    X, y = load_digits(return_X_y=True)
    return FLINTClassifier(max_epochs=3, random_state=0).fit(X, y), X


def columns_of_flint(folder: Path) -> float:
    model, X = flint_of_digits()
    return least(lambda i: model.explain(X, by="column"), 3)


def predictions_of_flint(folder: Path) -> float:
    model, X = flint_of_digits()
    return least(lambda i: model.predict(X), 20)


def fit_of_formula(folder: Path) -> float:
    from skrationale import SymbolicDistiller

    rng = np.random.RandomState(0)
    X = rng.normal(size=(500, 6))
    y = X[:, 0] * X[:, 1] + np.sin(X[:, 2]) + 0.1 * rng.normal(size=500)
    return fit(lambda: SymbolicDistiller(random_state=0), lambda: (X, y))


def fit_of_formula_of_adult(folder: Path) -> float:
    from skrationale import SymbolicDistiller

    return fit(lambda: SymbolicDistiller(random_state=0), adult)


TASKS: dict[str, Callable[[Path], float]] = {
    "explain, one row of a DataFrame": one_row_of_a_frame,
    "explain, one row of an array": one_row_of_an_array,
    "explain, 10,000 rows of a DataFrame": frame,
    "explain, 10,000 rows of an array": array,
    "fresh process: load a student, explain one row": cold_start,
    "fresh process: import pandas and sklearn.base alone": bare_start,
    "path_contributions, 10,000 rows": paths,
    "GBDT2NNStudent().fit, adult": fit_of_student,
    **{f"GBDT2NNStudent().fit to given trees, {name}": fit_to_given_trees(name) for name in SETS},
    "RationaleClassifier().fit, Syn4, 10,000 rows": fit_of_rationales,
    "RationaleClassifier().fit, adult": fit_of_rationales_of_adult,
    "RationaleDistiller().fit, Syn4, 10,000 rows": fit_of_a_small_model,
    "FLINTClassifier().fit, digits": fit_of_flint,
    "FLINTClassifier().fit, adult": fit_of_flint_to_a_large_table,
    "SymbolicDistiller().fit, 500 rows": fit_of_formula,
    "SymbolicDistiller().fit, adult": fit_of_formula_of_adult,
    'FLINTClassifier().explain(by="column"), digits': columns_of_flint,
    "FLINTClassifier().predict, digits": predictions_of_flint,
}


# --- both commits in turn --------------------------------------------------------------------------------


def measure(tree: Path, task: str, folder: Path) -> float:
    command = [sys.executable, __file__, "--measure", task, str(folder)]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(json.loads(found.stdout.splitlines()[-1]))


def compare(task: str, other: Path, repeats: int, folders: dict[Path, Path]) -> dict[str, Any]:
    seconds: dict[Path, list[float]] = {other: [], OWN: []}
    for _ in range(repeats):
        for tree, found in seconds.items():
            found.append(measure(tree, task, folders[tree]))
    ratios = [a / b for a, b in zip(seconds[other], seconds[OWN], strict=True)]
    return {
        "task": task,
        "seconds, other commit": median(seconds[other]),
        "seconds, this commit": median(seconds[OWN]),
        "times as fast": f"{median(ratios):.1f} ({min(ratios):.1f}-{max(ratios):.1f})",
    }


def commit_of(tree: Path) -> str:
    command = ["git", "-C", str(tree), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("other", nargs="?", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--parts", type=Path, default=None, help="folder of finished tasks")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(TASKS[options.measure[0]](Path(options.measure[1])))
        return
    from _common import remembered, save, versions

    other, rows = options.other.resolve(), []
    with tempfile.TemporaryDirectory() as name:
        folders = {tree: Path(name) / part for tree, part in ((other, "other"), (OWN, "own"))}
        for folder in folders.values():
            folder.mkdir()
        for task in TASKS:
            if options.only in task:
                key = "-".join((*map(commit_of, folders), str(options.repeats), *re.findall(r"\w+", task)))
                rows += remembered(
                    options.parts, key, lambda t=task: [compare(t, other, options.repeats, folders)]
                )
                print(json.dumps(rows[-1]), flush=True)
    if not options.only:
        meta = {"repeats": options.repeats, "other commit": commit_of(other), "versions": versions()}
        save("speed", {"CPU seconds, one thread": rows}, meta)


if __name__ == "__main__":
    main()
