"""Formulas of classes beside other models that people can read, with the defaults of each.

Real tables of two classes, and iris with three, a quarter of the rows held back. Logistic regression and the
tree of depth 4 read one-hot codes, imputed and standardised numbers; the EBM (`interpret-core`) reads the
table as it is, and has pairs of columns too. AUROC of several classes is that of each against all others.
Symbols count what a reader has to read: every node of a formula; four for each weight of a logistic
regression (sum, product, weight and column); three for each split of a tree and one for each leaf; one for
each number in the tables of an EBM. Times are those of one thread: of `fit`, and of our `explain`, which
gives exact Shapley values with 100 rows as the background, for up to 1,000 test rows at once.

    python examples/benchmarks/symbolic_classes.py [--seeds 3] [--only titanic iris]

Fits are written to ``results/symbolic_classes_rows.jsonl``; a run goes on from what is there.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import warnings
from collections.abc import Callable
from importlib.metadata import version
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
import torch
from _common import RESULTS, mean_and_spread, save, versions
from interpret.glassbox import ExplainableBoostingClassifier
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skrationale import SmoothMLPClassifier, SymbolicDistiller
from skrationale.datasets import fetch_table

ROWS = RESULTS / "symbolic_classes_rows.jsonl"
TABLES = ("titanic", "credit_g", "telco_churn", "adult")


def load(name: str) -> tuple[Any, np.ndarray]:
    if name == "iris":
        return load_iris(return_X_y=True, as_frame=True)
    table = fetch_table(name)
    return table.X, np.asarray(table.y)


def prepared(model: Any) -> Any:
    """Put codes of categories, and standardised numbers, before a model."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    codes = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(
        make_column_transformer(
            (numbers, make_column_selector(dtype_include="number")),
            (codes, make_column_selector(dtype_exclude="number")),
        ),
        model,
    )


def symbols_of_formulas(model: Any) -> int:
    return sum(formula.complexity for formula in model.formulas_)


def symbols_of_weights(model: Any) -> int:
    weights = model[-1].coef_
    return int(4 * np.count_nonzero(weights) + len(weights))


def symbols_of_tree(model: Any) -> int:
    tree = model[-1].tree_
    splits = int((tree.children_left >= 0).sum())
    return 3 * splits + tree.node_count - splits


def symbols_of_tables(model: Any) -> int:
    return int(sum(np.size(scores) for scores in model.term_scores_))


METHODS: dict[str, tuple[Callable[[int], Any], Callable[[Any], int]]] = {
    "formula": (
        lambda seed: SymbolicDistiller(SmoothMLPClassifier(), random_state=seed),
        symbols_of_formulas,
    ),
    "formula, accuracy": (
        lambda seed: SymbolicDistiller(SmoothMLPClassifier(), model_selection="accuracy", random_state=seed),
        symbols_of_formulas,
    ),
    "logistic regression": (lambda seed: prepared(LogisticRegression(max_iter=2000)), symbols_of_weights),
    "tree of depth 4": (
        lambda seed: prepared(DecisionTreeClassifier(max_depth=4, random_state=seed)),
        symbols_of_tree,
    ),
    "EBM": (lambda seed: ExplainableBoostingClassifier(random_state=seed, n_jobs=1), symbols_of_tables),
}


def measure(name: str, seed: int) -> list[dict[str, Any]]:
    """Fit each method to one split of a table."""
    X, y = load(name)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=seed)
    rows = []
    for method, (make, symbols) in METHODS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            start = process_time()
            model = make(seed).fit(X, y)
            seconds = process_time() - start
            shares = model.predict_proba(X_test)
        scores = shares if shares.shape[1] > 2 else shares[:, 1]
        rows.append(
            {
                "table": name,
                "seed": seed,
                "method": method,
                "AUROC": roc_auc_score(y_test, scores, multi_class="ovr"),
                "accuracy": float(np.mean(model.predict(X_test) == y_test)),
                "log-loss": log_loss(y_test, shares, labels=model.classes_),
                "symbols": symbols(model),
                "CPU s": seconds,
                "explain, us a row": explained(model, X_test[:1000]),
            }
        )
    return rows


def explained(model: Any, X: Any) -> float | None:
    """Microseconds that one row takes, after a first call."""
    if not isinstance(model, SymbolicDistiller):
        return None
    model.explain(X)
    start = process_time()
    model.explain(X)
    return 1e6 * (process_time() - start) / len(X)


def read() -> pd.DataFrame:
    return pd.DataFrame(map(json.loads, ROWS.read_text().splitlines() if ROWS.exists() else []))


def report() -> None:
    """Write a table for each data set."""
    found, sections = read(), {}
    for name, part in found.groupby("table", sort=False):
        lines = []
        for method, fits in part.groupby("method", sort=False):
            line: dict[str, Any] = {"method": method}
            for value in ("AUROC", "accuracy", "log-loss"):
                line[value] = mean_and_spread(fits[value])
            line |= {"symbols": int(fits["symbols"].median()), "CPU s": float(fits["CPU s"].median())}
            row = fits["explain, us a row"].median()
            lines.append(line | {"explain, us a row": None if pd.isna(row) else float(row)})
        sections[str(name)] = lines
    used = versions() | {"interpret-core": version("interpret-core")}
    save("symbolic_classes", sections, {"seeds": int(found["seed"].nunique()), "versions": used})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=["iris", *TABLES])
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = read()
    done = set(zip(found["table"], found["seed"], strict=True)) if len(found) else set()
    for seed in range(options.seeds):
        for name in options.only:
            if (name, seed) not in done:
                rows = measure(name, seed)
                with ROWS.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(row) + "\n" for row in rows)
                for row in rows:
                    print(row, flush=True)
    report()


if __name__ == "__main__":
    main()
