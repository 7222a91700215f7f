"""Attributes: do network and interpreter agree, are there few for a row, and does a short rule describe them?

    python examples/benchmarks/flint.py                      # five tables and three sets of images, 3 seeds
    python examples/benchmarks/flint.py --part tables --only adult --seeds 1
    python examples/benchmarks/flint.py --render             # tables of what is stored

On one thread the tables take about a quarter of an hour, the images as long. Every finished fit is written to
``results/flint.json``; a run goes on from there. Images are read from ``<name>.npz`` in the folder of
``SKRATIONALE_DATA``, with arrays ``X_train``, ``y_train``, ``X_test`` and ``y_test``; they keep their split.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import traceback
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
import torch
from _common import RESULTS, load_cells, markdown_table, mean_and_spread, store_cell, versions
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LassoCV, LogisticRegression
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skrationale import FLINTClassifier, FLINTRegressor
from skrationale.datasets import fetch_table
from skrationale.flint._rules import RuleColumns
from skrationale.tabular import TableEncoder

PATH = RESULTS / "flint.json"
TABLES = ("digits", "breast_cancer", "adult", "covertype_50k", "california_housing")
IMAGES = ("mnist_8k", "fashion_mnist_10k", "quickdraw3")
ALONE = {
    "fidelity_lambda": 1e-12,
    "reconstruction_lambda": 0.0,
    "conciseness_lambda": 0.0,
    "sparsity_lambda": 0.0,
    "rule_lambda": 0.0,
}
"""The same network trained by the same means for its own task alone."""
# accuracy of f, of g and fidelity in percent, as printed in the paper, trained on 60,000 to 80,000 images
PUBLISHED = {
    "mnist_8k": ("98.9", "98.3", "98.7"),
    "fashion_mnist_10k": ("90.5", "86.8", "91.5"),
    "quickdraw3": ("85.7 (ten classes)", "85.4", "90.8"),
}
NOTES = """Means ± standard deviations over seeds, on a quarter of the rows that was not used in fit, of
images on their test images. Score: accuracy, of adult AUROC, of california_housing R2; *model* is the
network, *interpreter* the sum of attributes. Fidelity: share of rows with the same class, or R2, of the
interpreter against the network. Attributes a row: those with more than 1/tau of the largest relevance.
Rule R2: median over attributes, of trees of depth 5 fitted on the training rows, on the test rows.
*Alone*: the same network without an interpreter. *Post hoc*: for a scikit-learn network of (64, 64) with
early stopping, which is also what the surrogates explain: an L1 linear model, and a tree of depth 4, each
fitted to its predictions for the training rows. Seconds are CPU seconds of a fit, by the
clock for images and surrogates, and for what is post hoc without those of the network."""


class Encoded(TransformerMixin, BaseEstimator):
    """The table as a network takes it."""

    def fit(self, X: Any, y: Any = None) -> Encoded:
        self.encoder_ = TableEncoder().fit(X)
        return self

    def transform(self, X: Any) -> np.ndarray:
        return self.encoder_.transform(X)


# --- data ---------------------------------------------------------------------------------------------


@cache
def table(name: str) -> tuple[Any, np.ndarray, str]:
    """Rows, targets and task."""
    if name in ("digits", "breast_cancer"):
        X, y = (load_digits if name == "digits" else load_breast_cancer)(return_X_y=True)
        return X, y, "multiclass" if name == "digits" else "binary"
    found = fetch_table(name)
    return found.X, found.y.to_numpy(), found.task


def images(name: str) -> tuple[Any, Any, np.ndarray, np.ndarray, str]:
    """Images (n, 1, H, W) with pixels from 0 to 1, and labels, split as they are stored."""
    folder = Path(os.environ.get("SKRATIONALE_DATA", Path.home() / "skrationale_data"))
    stored = np.load(folder / f"{name}.npz")
    X, X_test = (stored[key][:, None] / 255.0 for key in ("X_train", "X_test"))
    return X, X_test, stored["y_train"], stored["y_test"], "multiclass"


def split(data: tuple[Any, np.ndarray, str], seed: int) -> tuple[Any, Any, np.ndarray, np.ndarray, str]:
    X, y, task = data
    classes = None if task == "regression" else y
    return *train_test_split(X, y, test_size=0.25, random_state=seed, stratify=classes), task


# --- measures -----------------------------------------------------------------------------------------


def measured(model: Any, X: Any, X_test: Any, y_test: np.ndarray, task: str, name: str) -> dict[str, Any]:
    """What is told of a fitted FLINT."""
    figures = model.fidelity(X_test, y_test)
    row = {
        "model": figures["model_score"],
        "interpreter": figures["interpreter_score"],
        "fidelity": figures.get("same_class", figures["prediction_r2"]),
        "active": model.n_active_attributes_,
    }
    if name == "adult":
        scores, phi = model._model.answers(model._read(X_test))
        row["model"] = roc_auc_score(y_test, scores[:, 0])
        row["interpreter"] = roc_auc_score(y_test, model._model.interpret(phi)[:, 0])
    concise = model.conciseness(X_test, (2.0, 5.0))
    row |= {"tau 2": concise[2.0], "tau 5": concise[5.0]}
    return row if np.ndim(X) > 2 else row | {"rule": rule_r2(model, X, X_test)}


def rule_r2(model: Any, X: Any, X_test: Any) -> float:
    """Median over active attributes of the R2 on test rows of a tree of depth 5."""
    matrix, test = model._read(X), model._read(X_test)
    columns = RuleColumns(model._reader, matrix)
    rows, test_rows = columns.transform(matrix), columns.transform(test)
    phi, test_phi = model._model.attributes(matrix), model._model.attributes(test)
    leaf = max(5, len(matrix) // 200)
    found = []
    for j in np.flatnonzero(model.active_attributes_):
        tree = DecisionTreeRegressor(max_depth=5, min_samples_leaf=leaf, random_state=0)
        found.append(r2_score(test_phi[:, j], tree.fit(rows, phi[:, j]).predict(test_rows)))
    return float(np.median(found)) if found else float("nan")


def timed(fit: Callable[[], Any]) -> tuple[Any, float]:
    start = process_time()
    model = fit()
    return model, process_time() - start


# --- fits ---------------------------------------------------------------------------------------------


def table_jobs(name: str, seed: int) -> dict[str, Callable[[], dict[str, Any]]]:
    X, X_test, y, y_test, task = split(table(name), seed)
    if task == "regression":
        y, y_test = (y - y.mean()) / y.std(), (y_test - y.mean()) / y.std()
    flint = FLINTRegressor if task == "regression" else FLINTClassifier
    kind = MLPRegressor if task == "regression" else MLPClassifier

    @cache
    def network() -> Any:
        mlp = kind(hidden_layer_sizes=(64, 64), early_stopping=True, random_state=seed)
        return make_pipeline(Encoded(), mlp).fit(X, y)

    def fitted(*predictor: Any, **settings: Any) -> dict[str, Any]:
        model, seconds = timed(lambda: flint(*predictor, random_state=seed, **settings).fit(X, y))
        return measured(model, X, X_test, y_test, task, name) | {"seconds": seconds}

    def alone() -> dict[str, Any]:
        row = fitted(**ALONE)
        return {key: row[key] for key in ("model", "seconds")}

    def surrogate(make: Callable[[], Any]) -> dict[str, Any]:
        encode, said = network()[0], network().predict(X)
        if len(np.unique(said)) < 2:
            return {}
        model, seconds = timed(lambda: make().fit(encode.transform(X), said))
        told, wanted = model.predict(encode.transform(X_test)), network().predict(X_test)
        agreed = r2_score(wanted, told) if task == "regression" else float(np.mean(wanted == told))
        return {"fidelity": agreed, "seconds": seconds}

    linear = LassoCV if task == "regression" else linear_classifier
    tree = DecisionTreeRegressor if task == "regression" else DecisionTreeClassifier
    return {
        "alone": alone,
        "by design": fitted,
        "by design, rule_lambda=0": lambda: fitted(rule_lambda=0.0),
        "post hoc": lambda: fitted(FrozenEstimator(network())),
        "L1 linear surrogate": lambda: surrogate(linear),
        "tree of depth 4": lambda: surrogate(lambda: tree(max_depth=4, random_state=0)),
    }


def linear_classifier() -> LogisticRegression:
    return LogisticRegression(l1_ratio=1.0, solver="saga", C=1.0, max_iter=200)


def image_jobs(name: str, seed: int) -> dict[str, Callable[[], dict[str, Any]]]:
    X, X_test, y, y_test, task = images(name)

    def fitted(**settings: Any) -> dict[str, Any]:
        model, seconds = timed(lambda: FLINTClassifier(random_state=seed, **settings).fit(X, y))
        return measured(model, X, X_test, y_test, task, name) | {"seconds": seconds}

    def alone() -> dict[str, Any]:
        row = fitted(**ALONE)
        return {key: row[key] for key in ("model", "seconds")}

    return {"alone": alone, "by design": fitted}


PARTS: dict[str, tuple[tuple[str, ...], Callable[[str, int], dict[str, Callable[[], dict[str, Any]]]]]] = {
    "tables": (TABLES, table_jobs),
    "images": (IMAGES, image_jobs),
}


# --- all of it ----------------------------------------------------------------------------------------

SHOWN = {
    "model": ("model", 4, 1.0),
    "interpreter": ("interpreter", 4, 1.0),
    "fidelity": ("fidelity", 3, 1.0),
    "attributes a row, tau 2": ("tau 2", 2, 1.0),
    "tau 5": ("tau 5", 2, 1.0),
    "active": ("active", 1, 1.0),
    "rule R2": ("rule", 3, 1.0),
    "seconds": ("seconds", 1, 1.0),
}


def lines(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """A line a data set and method."""
    found = []
    for (name, method), group in cells.groupby(["data", "method"], sort=False):
        line = {"data": name, "method": method}
        found.append(
            line | {t: mean_and_spread(group[c], d, s) for t, (c, d, s) in SHOWN.items() if c in group}
        )
        if method == "by design" and name in PUBLISHED:
            f, g, fidelity = PUBLISHED[name]
            printed = {"model": f, "interpreter": g, "fidelity": fidelity}
            found.append({"data": name, "method": "the paper, in percent"} | printed)
    return found


def render() -> str:
    """Write ``flint.md`` from what is stored; give the text."""
    if not PATH.exists():
        return "There is no flint.json yet."
    stored = json.loads(PATH.read_text(encoding="utf-8"))
    cells = pd.DataFrame(stored["cells"])
    text = ["# flint", NOTES]
    for part, (names, _) in PARTS.items():
        rows = cells[cells["part"] == part].dropna(axis=1, how="all")
        if len(rows):
            rows = rows.sort_values("data", key=lambda column, n=names: column.map(n.index), kind="stable")
            text.append(f"## {part}\n\n{markdown_table(lines(rows))}")
    used = ", ".join(f"{package} {number}" for package, number in stored["meta"]["versions"].items())
    text.append(f"Made by `python examples/benchmarks/flint.py`; {used}.")
    content = "\n\n".join(text) + "\n"
    PATH.with_suffix(".md").write_text(content, encoding="utf-8")
    return content


def run(part: str, options: argparse.Namespace) -> None:
    """Fit what is not stored yet; what fails is told, and tried again by the next run."""
    names, jobs = PARTS[part]
    done = {(c["data"], c["method"], c["seed"]) for c in load_cells(PATH)}
    for seed in range(options.seeds):
        for name in names:
            if options.only and name not in options.only:
                continue
            for method, job in jobs(name, seed).items():
                if (name, method, seed) in done:
                    continue
                try:
                    cell = {"part": part, "data": name, "method": method, "seed": seed} | job()
                except Exception:
                    print(f"{name}, {method}, seed {seed} failed:\n{traceback.format_exc()}", flush=True)
                    continue
                store_cell(PATH, cell, {"versions": versions()})
                print(json.dumps(cell), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--only", nargs="*", default=[], help="names of data sets")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--render", action="store_true", help="fit nothing")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    for part in () if options.render else options.part:
        run(part, options)
    print(render())


if __name__ == "__main__":
    main()
