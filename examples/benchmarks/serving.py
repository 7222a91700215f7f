"""One row through an ONNX graph: what do its scores and reasons cost beside LightGBM, and are they the same?

A LightGBM of 300 trees with 31 leaves and a learning rate of 0.05 (100 trees a class for several classes)
teaches a student of the default widths. The student is trained for a few epochs only: the cost of a row and
the agreement of the graph with the student do not depend on how well it has learnt, and quality is measured
in ``gbdt2nn.py``. ONNX Runtime runs the graph on one thread, and LightGBM's ``Booster.predict`` takes the
same row as an array, the cheapest form that it takes in Python, in turn with it in one process. "One row" is
the mean of 300 calls, each with another row; both give all outputs of the row. Times are those of the
processor: all run on one thread.

    python examples/benchmarks/serving.py            # all, stored
    python examples/benchmarks/serving.py --quick --sets adult
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

import numpy as np
import onnxruntime
from _common import interleaved_medians, ratio, ratio_text, save, versions
from gbdt2nn import COST_ROWS, fit_teacher, split
from sklearn.frozen import FrozenEstimator

from skrationale import GBDT2NNStudent

SETS = ("adult", "covertype_50k")
SINGLE_ROWS, BATCH = 300, 256
EPOCHS = 2


def session_of(model: Any) -> tuple[Any, float, float]:
    """Load a graph on one thread; give its size in MB, and the milliseconds of loading, too."""
    data = model.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    start = perf_counter()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return session, len(data) / 2**20, (perf_counter() - start) * 1e3


def every(call: Callable[[Any], Any], rows: list[Any]) -> Callable[[], None]:
    """Make one call of calls with each row."""

    def calls() -> None:
        for row in rows:
            call(row)

    return calls


def feeds(session: Any, table: Any, levels: Any) -> list[dict[str, np.ndarray]]:
    """Give single rows as one input a column: text as it is, empty where it is missing."""
    cells = {}
    for node, column, known in zip(session.get_inputs(), table.columns, levels, strict=True):
        if known is None:
            cells[node.name] = table[[column]].to_numpy(dtype=np.float32)
        else:
            words = table[column].astype(object).where(table[column].notna(), "")
            cells[node.name] = words.to_numpy(dtype=object)[:, None]
    return [{name: values[i : i + 1] for name, values in cells.items()} for i in range(len(table))]


def cost(name: str, student: Any, teacher: Any, table: Any, quick: bool) -> list[dict[str, Any]]:
    """Time one row and many, in turn."""
    matrix = student._read(table)
    narrow, few = matrix.astype(np.float32), table[:SINGLE_ROWS]
    graphs = {dtype: session_of(student.to_onnx(dtype=dtype)) for dtype in ("float32", "float64")}
    raw = session_of(student.to_onnx(inputs="columns"))
    booster, n = teacher.booster_, SINGLE_ROWS
    np.testing.assert_array_equal(
        booster.predict(matrix[:n]), booster.predict(few)
    )  # codes are those it knows
    rows = [matrix[i : i + 1] for i in range(n)]
    narrow_rows = [{"X": row.astype(np.float32)} for row in rows]
    run, wide, of_columns = (session.run for session, *_ in (*graphs.values(), raw))
    calls = {
        "LightGBM predict": (every(lambda row: booster.predict(row, num_threads=1), rows), n, 1),
        "ONNX, float32": (every(lambda feed: run(None, feed), narrow_rows), n, 1),
        "ONNX, float64": (every(lambda row: wide(None, {"X": row}), rows), n, 1),
        "ONNX, one input a column": (
            every(lambda feed: of_columns(None, feed), feeds(raw[0], few, student._reader.levels)),
            n,
            1,
        ),
        "LightGBM pred_contrib": (
            every(lambda row: booster.predict(row, pred_contrib=True, num_threads=1), rows),
            n,
            1,
        ),
        "student explain": (every(student.explain, [few[i : i + 1] for i in range(n)]), n, 1),
    }
    many = len(matrix)
    parts = [{"X": narrow[i : i + BATCH]} for i in range(0, many, BATCH)]
    calls |= {
        "LightGBM predict, many": (lambda: booster.predict(matrix, num_threads=1), many, many),
        "ONNX, float32, batches": (every(lambda feed: run(None, feed), parts), many, BATCH),
        "ONNX, float32, many": (lambda: run(None, {"X": narrow}), many, many),
        "student explain, many": (lambda: student.explain(table), many, many),
    }
    timed = {key: call for key, (call, *_) in calls.items()}
    times = interleaved_medians(timed, repeats=2 if quick else 21, clock=process_time)
    found = []
    for key, (_, n_rows, _) in calls.items():
        times[key]["times"] = [seconds / n_rows * 1e6 for seconds in times[key]["times"]]
    for key, (_, _, at_once) in calls.items():
        row = {"set": name, "operation": key.partition(", many")[0].removesuffix(", batches")}
        row |= {"rows at once": at_once, "us_a_row": float(np.median(times[key]["times"]))}
        ours = "ONNX, float32" if at_once == 1 else "ONNX, float32, many"
        found.append(row | {"against ONNX, float32": ratio_text(ratio(times, key, ours))})
        print(json.dumps(found[-1]), flush=True)
    return found


def parity(name: str, student: Any, table: Any) -> list[dict[str, Any]]:
    """Compare graphs with the student on many rows."""
    found = []
    task, matrix = student._task, student._read(table)
    for dtype in ("float32", "float64"):
        session, size, load = session_of(student.to_onnx(dtype=dtype))
        given = matrix.astype(dtype)
        scores, contributions, _ = session.run(None, {"X": given})
        same = given.astype(np.float64)
        own = np.concatenate([student._scores(same[i : i + 512]) for i in range(0, len(same), 512)])
        values = np.concatenate([student._contributions(same[i : i + 512]) for i in range(0, len(same), 512)])
        classes = [task.predicted_positions(part) for part in (scores, own)]
        as_given = np.concatenate([student._scores(matrix[i : i + 512]) for i in range(0, len(same), 512)])
        crossed = np.abs(as_given - own).max(axis=1) > 1e-6 * np.abs(own).max()
        row = {
            "set": name,
            "dtype": dtype,
            "rows": len(matrix),
            "scores, error of max": float(np.abs(scores - own).max() / np.abs(own).max()),
            "contributions, error of max": float(np.abs(contributions - values).max() / np.abs(values).max()),
            "same class": f"{int((classes[0] == classes[1]).sum())} / {len(matrix)}",
            "rows that rounding carries across a threshold": int(crossed.sum()),
            "MB": size,
            "load, ms": load,
        }
        print(json.dumps(row), flush=True)
        found.append(row)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--quick", action="store_true", help="two repeats, nothing stored")
    options = parser.parse_args()
    costs: list[dict[str, Any]] = []
    alike: list[dict[str, Any]] = []
    for name in options.sets:
        task, X, X_test, y, _ = split(name, 0)
        teacher = fit_teacher(task, X, y, 0)
        student = GBDT2NNStudent(FrozenEstimator(teacher), max_epochs=EPOCHS, n_synthetic=0, random_state=0)
        student.fit(X, y)
        table = X_test.iloc[np.arange(COST_ROWS) % len(X_test)].reset_index(drop=True)
        alike += parity(name, student, table)
        costs += cost(name, student, teacher, table, options.quick)
    if not options.quick and len(options.sets) == len(SETS):
        found = versions() | {"onnxruntime": onnxruntime.__version__}
        sections = {"Cost of a row, one thread": costs, "Agreement with the student": alike}
        save("serving", sections, {"versions": found, "epochs": EPOCHS})


if __name__ == "__main__":
    main()
