"""Exact TreeSHAP from tables: what does a row cost, against LightGBM's own, and is it exact?

For each data set a LightGBM of 300 trees with 31 leaves and a learning rate of 0.05 is explained on 10,000
test rows, reading included, by `TreeContributions`. LightGBM's `predict` and `pred_contrib`, and
woodelf-explainer where it is installed and takes the model, are timed in turn in the same run, on one thread.
"One row" is the mean of 300 calls, each with another row.
Further models are made of normal numbers in 30 columns: their trees are deep, and many are computed for
each row. The same models are explained against 100 background rows, by `TreeContributions` and, where all
columns are numbers, by shap's `TreeExplainer`, whose values for these are the interventional ones too.
Interaction values, by `TreeInteractions` and by shap, are of models of the columns of numbers alone: shap's
are wrong with categories.

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
import pandas as pd
from _common import interleaved_medians, ratio, ratio_text, save, versions
from gbdt2nn import COST_ROWS, COST_SETS, fit_teacher, split

from skrationale import TreeContributions, TreeInteractions, tree_contributions, tree_interactions
from skrationale.teachers.lightgbm import LightGBMTeacher

ROWS_OF_TREE_SHAP = 300
ROWS_OF_SHAP_PAIRS = 100
BACKGROUND_ROWS = 100
DEEP = ((500, 63), (300, 255))


def compared(name: str, model: Any, X: Any, quick: bool) -> list[dict[str, Any]]:
    """Build tables of a model, and time them on a table of at least 10,000 rows."""
    start = time.perf_counter()
    contributions = TreeContributions(model)
    built = time.perf_counter() - start
    many = table_of(X, np.arange(COST_ROWS) % len(X))
    few = many[:ROWS_OF_TREE_SHAP]
    single = [few[i : i + 1] for i in range(len(few))]
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
        "one row": (lambda: [contributions.explain(row) for row in single], len(single)),
    } | woodelf(model, many)
    tables = {"build_s": built, "MB": contributions.nbytes / 2**20, **errors}
    tables["trees by tables"] = contributions.n_trees_by_tables
    tables["by quadrature"] = contributions.n_trees_by_quadrature
    tables["by LightGBM"] = contributions.n_trees_by_lightgbm
    return timed(name, calls, tables, quick)


def table_of(X: Any, rows: np.ndarray) -> Any:
    """Take rows of a table by number."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def timed(
    name: str, calls: dict[str, tuple[Any, int]], tables: dict[str, Any], quick: bool
) -> list[dict[str, Any]]:
    """Time calls in turn, each with its number of rows, against the first, which is ours."""
    # one repeat of each in turn; the cost of a row is what is compared
    times = interleaved_medians({key: call for key, (call, _) in calls.items()}, repeats=1 if quick else 5)
    for key, (_, n) in calls.items():
        times[key]["times"] = [seconds / n * 1e6 for seconds in times[key]["times"]]
    rows, first = [], next(iter(calls))
    for key in calls:
        row = {"model": name, "operation": key, "us_a_row": float(np.median(times[key]["times"]))}
        row["against ours"] = ratio_text(ratio(times, key, first))
        rows.append(row | (tables if key == first else {}))
        print(json.dumps(rows[-1]), flush=True)
    return rows


def against_background(name: str, model: Any, X: Any, quick: bool) -> list[dict[str, Any]]:
    """Build tables against the first rows of a table, and time them on at least 10,000 of the others."""
    background, X = X[:BACKGROUND_ROWS], X[BACKGROUND_ROWS:]
    start = time.perf_counter()
    contributions = TreeContributions(model, background=background)
    built = time.perf_counter() - start
    many = table_of(X, np.arange(COST_ROWS) % len(X))
    few = many[:ROWS_OF_TREE_SHAP]
    ours = many if contributions.n_trees_by_pairs == 0 else many[: COST_ROWS // 5]  # milliseconds a row
    calls: dict[str, tuple[Any, int]] = {
        "TreeContributions.explain": (lambda: contributions.explain(ours, n_jobs=1), len(ours)),
        "one row": (lambda: contributions.explain(many[:1]), 1),
        "tree_contributions, 300 rows": (
            lambda: tree_contributions(model, few, background=background),
            len(few),
        ),
    }
    exact = TreeContributions(model, background=background, dtype="float64").explain(few)
    size = np.abs(exact.values).max()
    tables = {
        "build_s": built,
        "MB": contributions.nbytes / 2**20,
        "error, float32": float(np.abs(contributions.explain(few).values - exact.values).max() / size),
        "additivity error, float64": exact.additivity_error(LightGBMTeacher(model).raw_scores(few)[:, 0]),
        "trees by tables": contributions.n_trees_by_tables,
        "by pairs": contributions.n_trees_by_pairs,
    }
    explainer = shap_explainer(model, background)
    if explainer is not None:
        # its check fails for numbers next to a threshold, which it rounds to float32
        calls["shap TreeExplainer"] = (lambda: explainer.shap_values(few, check_additivity=False), len(few))
        off = np.abs(explainer.shap_values(few, check_additivity=False) - exact.values).max(axis=1) / size
        tables |= {"shap off, median row": float(np.median(off)), "worst row": float(off.max())}
    return timed(name, calls, tables, quick)


def interacting(name: str, model: Any, X: Any, quick: bool) -> list[dict[str, Any]]:
    """Time interaction values of a model of numbers on at most 10,000 rows, no two of them equal."""
    start = time.perf_counter()
    interactions = TreeInteractions(model)
    built = time.perf_counter() - start
    many = X.drop_duplicates()[:COST_ROWS]
    few = many[:ROWS_OF_SHAP_PAIRS]
    calls: dict[str, tuple[Any, int]] = {
        f"TreeInteractions.explain, {len(many)} rows": (
            lambda: interactions.explain(many, n_jobs=1),
            len(many),
        ),
        "TreeInteractions.explain, 100 rows": (lambda: interactions.explain(few, n_jobs=1), len(few)),
        "tree_interactions, 1000 rows": (lambda: tree_interactions(model, many[:1000], n_jobs=1), 1000),
    }
    exact = TreeInteractions(model, dtype="float64").explain(few).values
    size = np.abs(exact).max()
    ours = {
        "build_s": built,
        "error, float32": float(np.abs(interactions.explain(few).values - exact).max() / size),
    }
    explainer = shap_explainer(model)
    if explainer is not None:
        calls["shap shap_interaction_values"] = (lambda: explainer.shap_interaction_values(few), len(few))
        ours["shap off"] = float(np.abs(explainer.shap_interaction_values(few) - exact).max() / size)
    return timed(name, calls, ours, quick)


def shap_explainer(model: Any, background: Any = None) -> Any:
    """Make shap's explainer where it is installed and all columns are numbers; None elsewhere."""
    if hasattr(background, "select_dtypes") and background.select_dtypes(exclude="number").shape[1]:
        print("shap left out: its interventional values know no categories")
        return None
    try:
        from shap import TreeExplainer
    except ImportError as error:
        print("shap left out:", repr(error)[:200])
        return None
    kind = "tree_path_dependent" if background is None else "interventional"
    return TreeExplainer(model, data=background, feature_perturbation=kind)


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
    parser.add_argument("--no-deep", action="store_true", help="store all but the deep models")
    options = parser.parse_args()
    shallow = "Cost of a row, one thread, 300 trees of 31 leaves"
    against = f"Against {BACKGROUND_ROWS} background rows"
    pairs = "Interaction values, columns of numbers, one thread, 300 trees of 31 leaves"
    sections: dict[str, list[dict[str, Any]]] = {shallow: [], against: [], pairs: []}
    for name in options.sets:
        task, X, X_test, y, _ = split(name, 0)
        model = fit_teacher(task, X, y, 0)
        sections[shallow] += compared(name, model, X_test, options.quick)
        sections[against] += against_background(name, model, X_test, options.quick)
        numbers = X.select_dtypes("number")
        model = fit_teacher(task, numbers, y, 0)
        every = pd.concat([X_test[numbers.columns], numbers])
        sections[pairs] += interacting(name, model, every, options.quick)
    if options.quick:
        return
    deep = "Trees that ask many columns"
    if not options.no_deep:
        sections[deep] = []
    for n_trees, n_leaves in () if options.no_deep else DEEP:
        name = f"{n_trees} trees of {n_leaves} leaves"
        model, X = deep_model(n_trees, n_leaves)
        sections[deep] += compared(name, model, X, False)
        sections[against] += against_background(name, model, X, False)
    save("exact", sections, {"versions": versions(), "rows": COST_ROWS})


if __name__ == "__main__":
    main()
