"""GBDT2NN: does a network imitate a LightGBM and its reasons, and at what cost?

For each data set and seed, a LightGBM of 300 trees with 31 leaves and a learning rate of 0.05 (100 trees
a class for covertype) is distilled in four ways: `GBDT2NNStudent` as it is by default, the paper's joint and
independent imitation, and plain distillation of the score alone (`explanation=None`). Everything is scored
on test rows, reasons against TreeSHAP of at most 4,000 of them. Fits are timed in CPU seconds, on one thread
and after a small fit that loads what torch loads but once. Costs are medians of interleaved repeats.

    python examples/benchmarks/gbdt2nn.py                   # all sets, 3 seeds, then costs
    python examples/benchmarks/gbdt2nn.py --sets adult --seeds 1 --quick
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from _common import interleaved_medians, remembered, save, versions
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split

from skrationale import GBDT2NNStudent, TreeContributions
from skrationale.datasets import fetch_table
from skrationale.gbdt2nn import path_contributions
from skrationale.metrics import explanation_fidelity, prediction_fidelity
from skrationale.teachers.lightgbm import LightGBMTeacher

SETS = ("adult", "bank_marketing", "california_housing", "diamonds", "covertype_50k", "higgs_small")
VARIANTS: dict[str, dict[str, Any]] = {
    "additive (default)": {},
    "joint": {"imitation": "joint"},
    "independent": {"imitation": "independent"},
    "score only (lambda 0)": {"explanation": None},
}
TEST_ROWS_EXPLAINED = 4000
COST_ROWS = 10_000
COST_SETS = ("adult", "california_housing", "higgs_small")


def split(name: str, seed: int) -> tuple[Any, ...]:
    table = fetch_table(name)
    stratify = None if table.task == "regression" else table.y
    return (
        table.task,
        *train_test_split(table.X, table.y, test_size=0.25, random_state=seed, stratify=stratify),
    )


def fit_teacher(task: str, X: Any, y: Any, seed: int) -> Any:
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind = LGBMRegressor if task == "regression" else LGBMClassifier
    trees = 100 if task == "multiclass" else 300
    teacher = kind(
        n_estimators=trees, num_leaves=31, learning_rate=0.05, random_state=seed, n_jobs=1, verbose=-1
    )
    return teacher.fit(X, y)


def score(task: str, model: Any, X: Any, y: Any) -> float:
    """AUC for two classes, accuracy for more, R2 for numbers."""
    if task == "binary":
        return float(roc_auc_score(y, model.predict_proba(X)[:, 1]))
    metric = accuracy_score if task == "multiclass" else r2_score
    return float(metric(y, model.predict(X)))


def quality(name: str, seed: int, quick: bool) -> list[dict[str, Any]]:
    """Score teacher and students on one split."""
    task, X, X_test, y, y_test = split(name, seed)
    start = time.process_time()
    teacher = fit_teacher(task, X, y, seed)
    teacher_seconds = time.process_time() - start
    adapter = LightGBMTeacher(teacher)
    shown = X_test.iloc[: TEST_ROWS_EXPLAINED // (4 if task == "multiclass" else 1)]
    reasons = adapter.shap_contributions(shown, n_jobs=1)[0]
    truth = reasons[:, 0] if reasons.shape[1] == 1 else reasons.transpose(0, 2, 1)
    raw = adapter.raw_scores(X_test)
    path = path_contributions(teacher, shown).values
    row = {"set": name, "seed": seed, "n": len(X), "d": X.shape[1]}
    rows = [
        row | {"model": "teacher", "score": score(task, teacher, X_test, y_test), "fit_s": teacher_seconds},
        row | {"model": "path of the teacher"} | reasons_agreement(path, truth),
    ]
    GBDT2NNStudent(FrozenEstimator(teacher), explanation=None, max_epochs=1).fit(X[:100], y[:100])
    for variant, parameters in VARIANTS.items():
        student = GBDT2NNStudent(
            FrozenEstimator(teacher), random_state=seed, max_epochs=2 if quick else "auto", **parameters
        )
        start = time.process_time()
        student.fit(X, y)
        fitted = row | {
            "model": variant,
            "fit_s": time.process_time() - start,
            "score": score(task, student, X_test, y_test),
        }
        scores = student._scores(student._read(X_test))
        fitted |= {"raw_r2": prediction_fidelity(scores, raw)["prediction_r2"]}
        if student.explanation is not None:
            fitted |= reasons_agreement(student.explain(shown).values, truth)
        rows.append(fitted)
        print(json.dumps(fitted), flush=True)
    return rows


def reasons_agreement(values: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    agreement = explanation_fidelity(values, truth)
    return {key: agreement[key] for key in ("explanation_r2", "column_r2", "top1_agreement", "spearman")}


def cost(name: str, quick: bool) -> list[dict[str, Any]]:
    """Time a row of prediction and of reasons, each against LightGBM's `predict` in the same run."""
    task, X, X_test, y, _ = split(name, 0)
    teacher = fit_teacher(task, X, y, 0)
    student = GBDT2NNStudent(FrozenEstimator(teacher), explanation="path", random_state=0, max_epochs=1).fit(
        X, y
    )
    tables = TreeContributions(teacher)
    many = X_test.iloc[np.arange(COST_ROWS) % len(X_test)].reset_index(drop=True)
    few = many.iloc[: 100 if task == "multiclass" else 300]
    calls: dict[str, tuple[Any, int]] = {
        "LightGBM predict": (lambda: teacher.predict(many, num_threads=1), len(many)),
        "student explain (prediction and reasons)": (lambda: student.explain(many), len(many)),
        "TreeContributions (exact TreeSHAP)": (lambda: tables.explain(many, n_jobs=1), len(many)),
        "path_contributions": (lambda: path_contributions(teacher, many, n_jobs=1), len(many)),
        "LightGBM pred_contrib (TreeSHAP)": (
            lambda: teacher.predict(few, pred_contrib=True, num_threads=1),
            len(few),
        ),
    }
    calls |= peers(teacher, student, many, few)
    times = interleaved_medians({k: f for k, (f, _) in calls.items()}, repeats=3 if quick else 7)
    micros = {k: times[k]["median"] / calls[k][1] * 1e6 for k in calls}
    reference = micros["LightGBM predict"]
    own = micros["student explain (prediction and reasons)"]
    return [
        {"set": name, "operation": k, "us_a_row": v, "to_predict": v / reference, "to_student": v / own}
        for k, v in micros.items()
    ]


def peers(teacher: Any, student: Any, many: Any, few: Any) -> dict[str, tuple[Any, int]]:
    """Add the peers that are installed and take this model."""
    found: dict[str, tuple[Any, int]] = {}
    reader = student._reader
    matrix, few_matrix = (reader.transform(table) for table in (many, few))
    try:
        import shap

        explainer = shap.TreeExplainer(teacher)
        explainer.shap_values(few.iloc[:5])
        found["shap.TreeExplainer"] = (lambda: explainer.shap_values(few), len(few))
    except Exception as error:
        print("shap.TreeExplainer left out:", error)
    if all(levels is None for levels in reader.levels):
        try:
            from woodelf import WoodelfExplainer

            woodelf = WoodelfExplainer(teacher, feature_perturbation="tree_path_dependent")
            woodelf.shap_values(many.iloc[:50], verbose=False)
            found["woodelf-explainer"] = (lambda: woodelf.shap_values(many, verbose=False), len(many))
        except Exception as error:
            print("woodelf-explainer left out:", repr(error)[:200])
    else:
        print("woodelf-explainer left out: categorical splits")
    try:
        import hummingbird.ml

        model = hummingbird.ml.convert(teacher, "torch", few_matrix.astype(np.float32))
        model.predict(few_matrix.astype(np.float32))
        found["hummingbird predict"] = (lambda: model.predict(matrix.astype(np.float32)), len(many))
    except Exception as error:
        print("hummingbird left out:", repr(error)[:200])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="two epochs a student; for trying the script")
    parser.add_argument("--skip", nargs="*", default=[], choices=["quality", "cost"])
    parser.add_argument("--parts", type=Path, default=None, help="folder of finished rows, to go on from")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    rows: list[dict[str, Any]] = []
    for name in options.sets if "quality" not in options.skip else ():
        for seed in range(options.seeds):
            rows += remembered(
                options.parts, f"{name}-{seed}", lambda n=name, s=seed: quality(n, s, options.quick)
            )
    costs: list[dict[str, Any]] = []
    for name in COST_SETS if "cost" not in options.skip else ():
        costs += remembered(options.parts, f"cost-{name}", lambda n=name: cost(n, options.quick))
    if not options.quick and len(options.sets) == len(SETS):
        report(rows, costs, options.seeds)
    else:
        print(json.dumps(rows + costs, indent=1))


def three_digits(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def report(rows: list[dict[str, Any]], costs: list[dict[str, Any]], seeds: int) -> None:
    """Store every row, and tables of means with the spread over seeds."""
    names = list(dict.fromkeys(row["set"] for row in rows))
    models = list(dict.fromkeys(row["model"] for row in rows))

    def cell(name: str, model: str, column: str) -> str:
        values = [r[column] for r in rows if (r["set"], r["model"]) == (name, model) and column in r]
        digits = 1 if column == "fit_s" else 4
        return f"{np.mean(values):.{digits}f} ± {np.std(values):.{digits}f}" if values else ""

    student = next(iter(VARIANTS))
    summary = [
        {
            "data set": name,
            "teacher": cell(name, "teacher", "score"),
            "student": cell(name, student, "score"),
            "raw-score R2": cell(name, student, "raw_r2"),
            "reasons R2": cell(name, student, "explanation_r2"),
            "same first reason": cell(name, student, "top1_agreement"),
        }
        for name in names
    ]
    columns = ("score", "raw_r2", "explanation_r2", "top1_agreement", "fit_s")
    detail = [
        {"data set": name, "model": model} | {column: cell(name, model, column) for column in columns}
        for name in names
        for model in models
    ]
    cost_table = [
        {
            "data set": r["set"],
            "operation": r["operation"],
            "µs a row": three_digits(r["us_a_row"]),
            "against `predict`": three_digits(r["to_predict"]),
            "against the student": three_digits(r["to_student"]),
        }
        for r in costs
    ]
    save(
        "gbdt2nn",
        {
            "The default student on test rows, mean ± standard deviation over seeds": summary,
            "All students; fit_s: CPU seconds of a fit beyond the teacher's": detail,
            f"Cost of a row, one thread, {COST_ROWS} rows at once": cost_table,
        },
        {"versions": versions(), "seeds": list(range(seeds)), "rows": rows, "costs": costs},
    )


if __name__ == "__main__":
    main()
