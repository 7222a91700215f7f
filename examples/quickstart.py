"""Quick start: a LightGBM becomes a network with similar predictions and similar explanations.

Four tables, no downloads. All figures are of rows that neither the teacher nor the student saw in `fit`; the
times are medians of three turns on one thread, for the reasons of the same rows.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.model_selection import train_test_split

from skrationale import GBDT2NNStudent

REPORT = Path("reports") / "quickstart.html"


def make_loans(n=2000, seed=0):
    """A table as it comes: text, categories, booleans, numbers, and cells that are missing."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n).astype(float),
            "income": rng.lognormal(10.3, 0.5, n),
            "job": rng.choice(["clerk", "farmer", "nurse", "retired", "student"], n),
            "housing": pd.Categorical(rng.choice(["own", "rent", "free"], n)),
            "married": rng.random(n) < 0.5,
            "shoe_size": rng.normal(41, 2, n),
        }
    )
    score = (
        2 * np.log(X["income"] / 30_000)
        + 0.04 * (X["age"] - 45)
        + (X["job"] == "nurse")
        - 1.5 * (X["housing"] == "rent")
        + X["married"] * (X["age"] < 40)
    )
    repaid = rng.random(n) < 1 / (1 + np.exp(-2 * score))
    X.loc[rng.random(n) < 0.1, "income"] = np.nan
    X.loc[rng.random(n) < 0.1, "job"] = None
    return X, np.where(repaid, "repaid", "lost")


def seconds_a_row(calls, n_rows, turns=3):
    """Medians of calls that take turns, so that a busy moment slows all of them down."""
    times = [[] for _ in calls]
    for _ in range(turns):
        for call, own in zip(calls, times, strict=True):
            start = perf_counter()
            call()
            own.append(perf_counter() - start)
    return [median(own) / n_rows for own in times]


def distil(X, y):
    """Fit, compare with the teacher on test rows, and time the reasons of both."""
    stratify = y if y.dtype.kind != "f" else None
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=stratify)
    student = GBDT2NNStudent(random_state=0).fit(X, y)
    fidelity = student.fidelity(X_test, y_test)
    rows = X_test.sample(1000, replace=True, random_state=0)
    calls = [lambda: student.explain(rows), lambda: student.teacher_explain(rows)]
    own, tree_shap = seconds_a_row(calls, len(rows))
    figures = {
        "teacher": f"{fidelity['teacher_score']:.3f}",
        "student": f"{fidelity['score']:.3f}",
        "fidelity R2": f"{fidelity['prediction_r2']:.3f}",
        "reasons R2": f"{fidelity['explanation_r2']:.3f}",
        "top-1": f"{fidelity['top1_agreement']:.2f}",
        "us a row": f"{own * 1e6:.0f}",
        "TreeSHAP": f"{tree_shap * 1e6:.0f}",
        "ratio": f"{tree_shap / own:.0f}x",
    }
    return student, X_test, figures


def main():
    tables = {
        "breast cancer": load_breast_cancer(return_X_y=True, as_frame=True),
        "wine (3 classes)": load_wine(return_X_y=True, as_frame=True),
        "diabetes (numbers)": load_diabetes(return_X_y=True, as_frame=True),
        "loans (mixed, NaN)": make_loans(),
    }
    figures = {}
    for name, (X, y) in tables.items():
        print(f"distilling {name}: {len(X)} rows, {X.shape[1]} columns", flush=True)
        student, X_test, figures[name] = distil(X, np.asarray(y))
    print("", pd.DataFrame(figures).T.to_string(), "", sep="\n")
    print(
        "teacher, student: accuracy, or R2 of diabetes. fidelity R2: raw scores, student against teacher.\n"
        "reasons R2, top-1 (share of rows with the same first reason): against the teacher's TreeSHAP.\n"
        "us a row, TreeSHAP: microseconds for the reasons of a row, student and teacher.\n"
    )
    explanation = student.explain(X_test)
    REPORT.parent.mkdir(exist_ok=True)
    explanation.write_html(REPORT, title="Why are these loans repaid?")
    print(f"First reasons of loans: {', '.join(explanation.top(3))}. Report: {REPORT}")


if __name__ == "__main__":
    main()
