"""Exact TreeSHAP from tables: what does a row cost, against LightGBM's own, and is it exact?

For each data set a LightGBM of 300 trees with 31 leaves and a learning rate of 0.05 is explained on 10,000
test rows, reading included, by `TreeContributions`. LightGBM's `predict` and `pred_contrib`, and
woodelf-explainer where it is installed and takes the model, are timed in turn in the same run, on one thread.
Further models are made of normal numbers in 30 columns: their trees are deep, and many are computed for
each row.

    python examples/benchmarks/exact.py                   # all, stored
    python examples/benchmarks/exact.py --sets adult --quick
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
from typing import Any

import numpy as np
from _common import interleaved_medians, ratio, ratio_text, save, versions
from gbdt2nn import COST_ROWS, COST_SETS, fit_teacher, split

from skrationale import TreeContributions
from skrationale.teachers.lightgbm import LightGBMTeacher

ROWS_OF_TREE_SHAP = 300
DEEP = ((500, 63), (300, 255))


def compared(name: str, model: Any, X: Any, quick: bool) -> list[dict[str, Any]]:
    """Build tables of a model, and time them on a table of at least 10,000 rows."""
    start = time.perf_counter()
    contributions = TreeContributions(model)
    built = time.perf_counter() - start
    many = X.iloc[np.arange(COST_ROWS) % len(X)] if hasattr(X, "iloc") else X[:COST_ROWS]
    few = many[:ROWS_OF_TREE_SHAP]
    truth = LightGBMTeacher(model).shap_contributions(few, n_jobs=1)[0].transpose(0, 2, 1)
    errors = {}
    for dtype in ("float32", "float64"):
        tables = contributions if dtype == "float32" else TreeContributions(model, dtype=dtype)
        values = tables.explain(few).values.reshape(truth.shape)
        errors[f"error, {dtype}"] = float(np.abs(values - truth).max() / np.abs(truth).max())
    ours = many if contributions.n_trees_by_quadrature == 0 else many[: COST_ROWS // 5]  # milliseconds a row
    calls: dict[str, tuple[Any, int]] = {
        "TreeContributions.explain": (lambda: contributions.explain(ours, n_jobs=1), len(ours)),
        "LightGBM predict": (lambda: model.predict(many, num_threads=1), len(many)),
        "LightGBM pred_contrib": (lambda: model.predict(few, pred_contrib=True, num_threads=1), len(few)),
        "one row": (lambda: contributions.explain(many[:1]), 1),
    } | woodelf(model, many)
    # one repeat of each in turn; the cost of a row is what is compared
    times = interleaved_medians({key: call for key, (call, _) in calls.items()}, repeats=1 if quick else 5)
    for key, (_, rows) in calls.items():
        times[key]["times"] = [seconds / rows * 1e6 for seconds in times[key]["times"]]
    rows = []
    for key in calls:
        row = {"model": name, "operation": key, "us_a_row": float(np.median(times[key]["times"]))}
        row["against the tables"] = ratio_text(ratio(times, key, "TreeContributions.explain"))
        if key == "TreeContributions.explain":
            row |= {"build_s": built, "MB": contributions.nbytes / 2**20, **errors}
            row["trees by tables"] = contributions.n_trees_by_tables
            row["by quadrature"] = contributions.n_trees_by_quadrature
            row["by LightGBM"] = contributions.n_trees_by_lightgbm
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def woodelf(model: Any, X: Any) -> dict[str, tuple[Any, int]]:
    """Add woodelf-explainer where it is installed and takes this model."""
    try:
        from woodelf import WoodelfExplainer

        explainer = WoodelfExplainer(model, feature_perturbation="tree_path_dependent")
        explainer.shap_values(X[:50], verbose=False)
    except Exception as error:
        print("woodelf-explainer left out:", repr(error)[:200])
        return {}
    return {"woodelf-explainer": (lambda: explainer.shap_values(X, verbose=False), len(X))}


def deep_model(n_trees: int, n_leaves: int) -> tuple[Any, np.ndarray]:
    """Fit trees that ask many columns."""
    from lightgbm import LGBMRegressor

    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 30))
    y = X[:, 0] * X[:, 1] + np.sin(X[:, 2] * X[:, 3]) + 0.3 * X[:, 4:].sum(axis=1) + rng.normal(size=len(X))
    model = LGBMRegressor(n_estimators=n_trees, num_leaves=n_leaves, learning_rate=0.05, n_jobs=1, verbose=-1)
    return model.fit(X, y), X


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", default=list(COST_SETS))
    parser.add_argument("--quick", action="store_true", help="one repeat, no deep models, nothing stored")
    options = parser.parse_args()
    sections: dict[str, list[dict[str, Any]]] = {"Cost of a row, one thread, 300 trees of 31 leaves": []}
    for name in options.sets:
        task, X, X_test, y, _ = split(name, 0)
        model = fit_teacher(task, X, y, 0)
        sections["Cost of a row, one thread, 300 trees of 31 leaves"] += compared(
            name, model, X_test, options.quick
        )
    if options.quick:
        return
    sections["Trees that ask many columns"] = [
        row
        for n_trees, n_leaves in DEEP
        for row in compared(f"{n_trees} trees of {n_leaves} leaves", *deep_model(n_trees, n_leaves), False)
    ]
    save("exact", sections, {"versions": versions(), "rows": COST_ROWS})


if __name__ == "__main__":
    main()
