"""Teachers of all libraries: is every forest rewritten exactly, do students imitate it as well as LightGBM?

For each data set and seed, forests of every library (300 rounds, a learning rate of 0.05, some 31 leaves;
bagged forests of 100 trees with at least 20 rows a leaf) and a pipeline around a neural network are distilled
by `GBDT2NNStudent` as it is by default. Forests that take no categories see these as numbers. Everything is
scored on test rows: scores on the student's own scale, reasons against exact TreeSHAP of at most 4,000 rows,
and for the pipeline against permutation values of 40 pairs a row for 100 rows.

Then exact reasons are timed in turn with those of the library itself and of shap, in one run on one thread,
and it is measured how far each is from adding up to what the model says.

    python examples/benchmarks/teachers.py                   # all, 3 seeds, stored
    python examples/benchmarks/teachers.py --sets adult --seeds 1 --quick
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from _common import interleaved_medians, mean_and_spread, ratio, ratio_text, save, versions
from gbdt2nn import COST_ROWS, TEST_ROWS_EXPLAINED, fit_teacher, reasons_agreement, score, split
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skrationale import GBDT2NNStudent, TreeContributions, to_lightgbm, tree_contributions
from skrationale.metrics import prediction_fidelity

SETS = ("adult", "california_housing")
FEW_ROWS = 300
PAIRS_OF_TRUTH, ROWS_OF_TRUTH = 40, 100
LIBRARIES = ("xgboost-cpu", "xgboost", "catboost")
PIPELINE = "pipeline of an MLP"


def as_numbers(X: pd.DataFrame) -> pd.DataFrame:
    """Turn categories into numbers, for forests that take none; a missing cell is one below all."""
    kinds = X.select_dtypes(exclude="number").columns
    return X.assign(**{name: X[name].astype("category").cat.codes.astype(float) for name in kinds})


def codes_of(X: pd.DataFrame) -> pd.DataFrame:
    """Turn categories into codes, for a model that is told which columns hold some."""
    kinds = X.select_dtypes(exclude="number").columns
    coded = as_numbers(X)
    return coded.assign(**{name: coded[name].where(coded[name] >= 0) for name in kinds})


def as_words(X: pd.DataFrame) -> pd.DataFrame:
    """Turn categories into text without missing cells, as CatBoost wants them."""
    kinds = X.select_dtypes(exclude="number").columns
    return X.assign(
        **{name: X[name].astype(object).where(X[name].notna(), "(missing)").astype(str) for name in kinds}
    )


def models(task: str, X: pd.DataFrame, seed: int) -> dict[str, tuple[Any, Any]]:
    """Unfitted models of each library, and what makes their table of ours."""
    from catboost import CatBoostClassifier, CatBoostRegressor
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        ExtraTreesRegressor,
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
        RandomForestClassifier,
        RandomForestRegressor,
    )
    from xgboost import XGBClassifier, XGBRegressor

    numbers = task == "regression"
    kinds = X.select_dtypes(exclude="number").columns.tolist()
    bagged = {"n_estimators": 100, "min_samples_leaf": 20, "random_state": seed, "n_jobs": 1}
    xgb = (XGBRegressor if numbers else XGBClassifier)(
        n_estimators=300,
        max_depth=5,
        learning_rate=0.05,
        enable_categorical=True,
        n_jobs=1,
        random_state=seed,
    )
    hist = (HistGradientBoostingRegressor if numbers else HistGradientBoostingClassifier)(
        max_iter=300, learning_rate=0.05, early_stopping=False, random_state=seed
    )
    hist_of_codes = clone(hist).set_params(categorical_features=kinds)
    cat = (CatBoostRegressor if numbers else CatBoostClassifier)(
        iterations=300,
        depth=6,
        max_ctr_complexity=1,
        cat_features=tuple(kinds),  # scikit-learn cannot clone a list here
        thread_count=1,
        random_seed=seed,
        verbose=0,
        allow_writing_files=False,
    )
    return {
        "XGBoost": (xgb, _same),
        "HistGradientBoosting": (hist, _same),
        "HistGradientBoosting, codes": (
            hist_of_codes,
            codes_of,
        ),
        "CatBoost": (cat, as_words),
        "RandomForest": (
            (RandomForestRegressor if numbers else RandomForestClassifier)(**bagged),
            as_numbers,
        ),
        "ExtraTrees": ((ExtraTreesRegressor if numbers else ExtraTreesClassifier)(**bagged), as_numbers),
        PIPELINE: (pipeline(numbers, kinds, seed), _same),
    }


def _same(X: pd.DataFrame) -> pd.DataFrame:
    return X


def pipeline(numbers: bool, kinds: list[str], seed: int) -> Any:
    """A model of which nothing is known but its predictions."""
    from sklearn.compose import TransformedTargetRegressor, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

    words = OneHotEncoder(handle_unknown="ignore", min_frequency=20)
    rest = make_pipeline(
        SimpleImputer(), QuantileTransformer(output_distribution="normal", random_state=seed)
    )
    options = {"hidden_layer_sizes": (32,), "max_iter": 15, "alpha": 1e-2, "random_state": seed}
    network: Any = MLPClassifier(**options)
    if numbers:
        network = TransformedTargetRegressor(MLPRegressor(**options), transformer=StandardScaler())
    return make_pipeline(make_column_transformer((words, kinds), remainder=rest), network)


def quality(name: str, seed: int, quick: bool) -> list[dict[str, Any]]:
    """Score teachers and students on one split."""
    task, X, X_test, y, y_test = split(name, seed)
    if quick:
        X, y = X[:2000], y[:2000]
    teachers = {"LightGBM": (fit_teacher(task, X, y, seed), _same)}
    labels = y if task == "regression" else np.unique(y, return_inverse=True)[1]
    coded = y_test if task == "regression" else np.searchsorted(np.unique(y), y_test)
    rows = []
    for library, (model, table) in {**teachers, **models(task, X, seed)}.items():
        own, own_test, target = table(X), table(X_test), y if library == "LightGBM" else labels
        truth_y = y_test if library == "LightGBM" else coded
        teacher = model if library == "LightGBM" else clone(model).fit(own, target)
        kind = {"explanation": "permutation"} if library == PIPELINE else {}
        student = GBDT2NNStudent(
            FrozenEstimator(teacher), random_state=seed, max_epochs=2 if quick else "auto", **kind
        )
        start = time.process_time()
        student.fit(own, target)
        row = {"set": name, "seed": seed, "teacher": library, "fit_s": time.process_time() - start}
        row |= {"teacher_score": score(task, teacher, own_test, truth_y)}
        row |= {"score": score(task, student, own_test, truth_y)}
        matrix = student._read(own_test)
        asked = student._adapter
        found, said = student._scores(matrix), asked.scores(asked.form.of_matrix(matrix))
        row |= {"raw_r2": prediction_fidelity(found, said)["prediction_r2"]}
        row |= reasons(student, own_test)
        if library != PIPELINE:
            row |= exactness(teacher, own, own_test[:2000], asked)
        rows.append(row)
        print(json.dumps(rows[-1]), flush=True)
    return rows


def reasons(student: GBDT2NNStudent, X: Any) -> dict[str, float]:
    """Agreement with the teacher's own reasons."""
    if student.explanation == "permutation":
        X = X[:ROWS_OF_TRUTH]
        found = [student.teacher_explain(X).values for _ in range(2)]
        return reasons_agreement(student.explain(X).values, found[0])
    X = X[:TEST_ROWS_EXPLAINED]
    return reasons_agreement(student.explain(X).values, student.teacher_explain(X).values)


def exactness(model: Any, X: Any, some: Any, asked: Any) -> dict[str, float]:
    """How far the rewritten forest is from the model itself, as a share of the largest raw score."""
    own = own_raw_scores(model, some)
    given = X if type(model).__module__.startswith("catboost") else None
    exact = tree_contributions(
        to_lightgbm(model, given) if given is not None else model, some, dtype="float64"
    )
    scale = np.abs(own).max()
    return {"error": float(np.abs(exact.scores() - own).max() / scale)}


def own_raw_scores(model: Any, X: Any) -> np.ndarray:
    """Ask a model for raw scores (n,), in the units of its reasons."""
    library = type(model).__module__.partition(".")[0]
    if library == "lightgbm":
        return model.predict(X, raw_score=True)
    if library == "xgboost":
        return model.predict(X, output_margin=True)
    if library == "catboost":
        return np.asarray(model.predict(X, prediction_type="RawFormulaVal"))
    if hasattr(model, "decision_function"):
        return model.decision_function(X)
    return model.predict_proba(X)[:, 1] if hasattr(model, "predict_proba") else model.predict(X)


def costs(name: str, quick: bool) -> list[dict[str, Any]]:
    """Time exact reasons in turn with those of the library and of shap."""
    task, X, X_test, y, _ = split(name, 0)
    if quick:
        X, y = X[:2000], y[:2000]
    y = y if task == "regression" else np.unique(y, return_inverse=True)[1]
    rows = []
    for library, (model, table) in models(task, X, 0).items():
        if library == PIPELINE:
            continue
        own = table(X)
        fitted = clone(model).fit(own, y)
        many = table(X_test).iloc[np.arange(COST_ROWS) % len(X_test)].reset_index(drop=True)
        few = many[:FEW_ROWS]
        start = time.perf_counter()
        booster = to_lightgbm(fitted, own if library == "CatBoost" else None)
        rewritten_s = time.perf_counter() - start
        tables = TreeContributions(booster)
        said = own_raw_scores(fitted, few)
        exact = TreeContributions(booster, dtype="float64").explain(few)
        errors = {"TreeContributions.explain": off(exact.scores(), said)}
        calls: dict[str, tuple[Any, int]] = {
            "TreeContributions.explain": (lambda t=tables, m=many: t.explain(m, n_jobs=1), len(many))
        }
        for peer, call in peers(library, fitted, few).items():
            try:
                errors[peer] = off(call().sum(axis=1), said)
                calls[peer] = (call, len(few))
            except Exception as error:
                print(f"{peer} of {library} left out:", repr(error)[:200])
        times = interleaved_medians({key: call for key, (call, _) in calls.items()}, 1 if quick else 5)
        first = next(iter(calls))
        for key, (_, n) in calls.items():
            times[key]["times"] = [seconds / n * 1e6 for seconds in times[key]["times"]]
        for key in calls:
            row = {"set": name, "model": library, "operation": key}
            row |= {"us_a_row": float(np.median(times[key]["times"]))}
            row |= {"against ours": ratio_text(ratio(times, key, first)), "additivity error": errors[key]}
            if key == first:
                row |= {"rewritten_s": rewritten_s}
            rows.append(row)
            print(json.dumps(row), flush=True)
    return rows


def off(sums: np.ndarray, said: np.ndarray) -> float:
    """How far sums of reasons are from what a model says, as a share of the largest score."""
    return float(np.abs(sums - said).max() / np.abs(said).max())


def peers(library: str, model: Any, X: Any) -> dict[str, Any]:
    """Reasons (n, d + 1), base values last, by the library itself and by shap."""
    found: dict[str, Any] = {}
    if library == "XGBoost":
        import xgboost

        data = xgboost.DMatrix(X, enable_categorical=True, nthread=1)
        found["the library's own"] = lambda: model.get_booster().predict(data, pred_contribs=True)
    if library == "CatBoost":
        from catboost import Pool

        pool = Pool(X, cat_features=model.get_cat_feature_indices(), thread_count=1)
        found["the library's own"] = lambda: model.get_feature_importance(
            pool, type="ShapValues", thread_count=1
        )
    found["shap TreeExplainer"] = lambda: by_shap(model, X)
    return found


def by_shap(model: Any, X: Any) -> np.ndarray:
    """Reasons by shap, without its check, so that it can be seen what it would have found."""
    from shap import TreeExplainer

    explainer = TreeExplainer(model)
    values = np.asarray(explainer.shap_values(X, check_additivity=False))
    base = np.ravel(explainer.expected_value)[-1]
    values = values[..., -1] if values.ndim == 3 else values
    return np.column_stack([values, np.full(len(values), base)])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="few rows and epochs, nothing stored")
    chosen = parser.parse_args()
    cells = [
        row
        for name in chosen.sets
        for seed in range(chosen.seeds)
        for row in quality(name, seed, chosen.quick)
    ]
    timed = [row for name in chosen.sets for row in costs(name, chosen.quick)]
    if not chosen.quick:
        used = versions() | {name: number for name in LIBRARIES if (number := _installed(name))}
        meta = {"seeds": chosen.seeds, "versions": used, "cells": cells}
        save("teachers", {"Students": summary(cells), "Exact reasons": timed}, meta)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except ModuleNotFoundError:
        return None


def summary(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean and spread over the seeds."""
    keys = ("teacher_score", "score", "raw_r2", "explanation_r2", "top1_agreement", "fit_s")
    rows = []
    for name, teacher in dict.fromkeys((cell["set"], cell["teacher"]) for cell in cells):
        own = [cell for cell in cells if (cell["set"], cell["teacher"]) == (name, teacher)]
        row = {"set": name, "teacher": teacher}
        row |= {key: mean_and_spread((cell[key] for cell in own), 1 if key == "fit_s" else 4) for key in keys}
        errors = [cell["error"] for cell in own if "error" in cell]
        rows.append(row | {"rewritten, largest error": f"{max(errors):.1e}" if errors else ""})
    return rows


if __name__ == "__main__":
    main()
