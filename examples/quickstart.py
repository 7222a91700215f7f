"""Demo: all four families on one table, compared on one page of HTML.

The table is scikit-learn's breast cancer data: 30 measurements of a tumour, which is malignant or benign.
No downloads. All figures are those of rows that no model saw in `fit`.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skrationale import (
    FLINTClassifier,
    GBDT2NNStudent,
    RationaleClassifier,
    SmoothMLPClassifier,
    SymbolicDistiller,
    make_report,
)

REPORT = Path("reports") / "quickstart.html"
COLUMNS = ["score", "auroc", "prediction_r2", "columns_used", "explain_us"]


def families():
    """One estimator of each family, with its name in the report and what it is."""
    return {
        "student": (GBDT2NNStudent(random_state=0), "a network with the contributions of a LightGBM"),
        "formula": (
            SymbolicDistiller(SmoothMLPClassifier(), maxsize=15, niterations=300, random_state=0),
            "a formula of a smooth network",
        ),
        "rationale": (RationaleClassifier(max_features=4, random_state=0), "4 columns for each row"),
        "attributes": (FLINTClassifier(n_attributes=6, random_state=0), "6 attributes in words"),
    }


def main():
    data = load_breast_cancer(as_frame=True)
    X, y = data.data, np.where(data.target == 0, "malignant", "benign")
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
    print(f"breast cancer: {len(X_train)} rows to fit, {len(X_test)} rows to test, {X.shape[1]} columns")
    models = {}
    for name, (estimator, what) in families().items():
        print(f"fitting {name}: {what}", end="", flush=True)
        start = perf_counter()
        models[name] = estimator.fit(X_train, y_train)
        print(f" ({perf_counter() - start:.0f} s)", flush=True)
    REPORT.parent.mkdir(exist_ok=True)
    report = make_report(models, X_test, y_test, REPORT, title="Four families on one table", random_state=0)
    summary = report.tables["summary"]
    print("", summary[COLUMNS].round(3).to_string(na_rep="-"), "", sep="\n")
    print("score: accuracy. prediction_r2: agreement with the teacher.")
    print("columns_used: columns per row. explain_us: microseconds per row.\n")
    row = X_test.iloc[[0]]
    print(f"Why is the first test row {models['student'].predict(row)[0]}?")
    print(f"  student: {', '.join(models['student'].explain(row).top(3))}")
    print(f"  formula: {models['formula'].formula_.simplify(digits=3)}")
    print(f"  rationale: {', '.join(models['rationale'].select(row).iloc[0].dropna().index)}")
    print(f"  attributes: {', '.join(models['attributes'].explain(row).top(2))}")
    print(f"All of them side by side: {REPORT}")


if __name__ == "__main__":
    main()
