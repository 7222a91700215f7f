"""Are reasons faithful: does an answer fall without the columns that they name, and stay with them alone?

    python examples/benchmarks/faithfulness.py                     # two tables and the cost, 3 seeds
    python examples/benchmarks/faithfulness.py --part tables --only adult --seeds 1
    python examples/benchmarks/faithfulness.py --max-rows 2000     # a trial, of which nothing is kept
    python examples/benchmarks/faithfulness.py --render            # tables of what is stored

Every figure is written to ``results/faithfulness.json``; a run goes on from there.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import traceback
import warnings
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from _common import (
    RESULTS,
    interleaved_medians,
    load_cells,
    markdown_table,
    mean_and_spread,
    ratio,
    ratio_text,
    store_cell,
    versions,
)
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.datasets import load_breast_cancer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skrationale import Explanation, GBDT2NNStudent, RationaleClassifier, RationaleRegressor
from skrationale.datasets import fetch_table
from skrationale.metrics import comprehensiveness, deletion_curve, insertion_curve, sufficiency
from skrationale.tabular import TableReader

PATH = RESULTS / "faithfulness.json"
TABLES = ("adult", "california_housing")
TEST_ROWS, BACKGROUND, FEW = 1_000, 1_000, 4
KERNEL_ROWS, KERNEL_BACKGROUND, KERNEL_SAMPLES = 100, 20, 500
TREES = {"n_estimators": 300, "num_leaves": 31, "learning_rate": 0.05, "n_jobs": 1, "verbose": -1}
NOTES = f"""Means ± standard deviations over seeds, on {TEST_ROWS:,} rows of a quarter that was not used in
fit. Of adult the probability of the class predicted is judged, of california_housing the prediction, in
standard deviations of the target. Comprehensiveness (high is good) and sufficiency (low is good): how far the
answer falls, or changes, without the 10, 20 and 50 % most important columns and with these alone; of masks
without their columns and with these alone. *All columns* hides whole rows, after which nothing of the answer
is left. To exceed it is no gain: without the longitude alone, some houses stand in the sea. Deletion and
insertion: areas under the curves from no column to all. Of adult they hold the probability, so that deletion
is good when low and insertion when high; of california_housing the change, with which it is the other way
round. Hidden cells come from {BACKGROUND:,} rows of the training set (marginal, mean over 5 draws) or hold
their mean or most frequent value (mean). All explanations are judged on the same rows with the same draws.
*Student*: a GBDT2NNStudent, *teacher*: its LightGBM; *rationale model*: a Rationale* fitted to the same rows
by itself, as it is by default or with max_features={FEW}. KernelSHAP, of shap, explains the student's score
against {KERNEL_BACKGROUND} training rows with {KERNEL_SAMPLES} samples, and as it is slow on the first
{KERNEL_ROWS} rows alone, where the others are judged again. Random: an order, or a mask of the size of the
rationale, drawn for each row."""


class Setting:
    """Rows, fitted models and their reasons, each made when first asked for."""

    def __init__(self, name: str, seed: int, max_rows: int | None) -> None:
        table = fetch_table(name)
        X, y = table.X, table.y.to_numpy()
        self.seed, self.is_regression = seed, table.task == "regression"
        classes = None if self.is_regression else y
        split = train_test_split(X, y, test_size=0.25, random_state=seed, stratify=classes)
        self.X, X_test, self.y, _ = split
        if max_rows is not None:
            self.X, self.y = self.X[:max_rows], self.y[:max_rows]
        if self.is_regression:
            self.y = (self.y - self.y.mean()) / self.y.std()
        self.rows = X_test[:TEST_ROWS].reset_index(drop=True)
        self.background = self.X[:BACKGROUND].reset_index(drop=True)
        self._rationales: dict[int | None, Any] = {}

    @cached_property
    def teacher(self) -> Any:
        kind = LGBMRegressor if self.is_regression else LGBMClassifier
        return kind(random_state=self.seed, **TREES).fit(self.X, self.y)

    @cached_property
    def student(self) -> Any:
        return GBDT2NNStudent(FrozenEstimator(self.teacher), random_state=self.seed).fit(self.X, self.y)

    def rationale_model(self, k: int | None) -> Any:
        if k not in self._rationales:
            kind = RationaleRegressor if self.is_regression else RationaleClassifier
            self._rationales[k] = kind(max_features=k, random_state=self.seed).fit(self.X, self.y)
        return self._rationales[k]

    def answers(self, model: Any) -> Callable[[Any], np.ndarray]:
        return model.predict if self.is_regression else model.predict_proba

    # --- reasons --------------------------------------------------------------------------------------

    @cached_property
    def tree_shap(self) -> Explanation:
        return self.student.teacher_explain(self.rows, "tree_shap")

    @cached_property
    def student_reasons(self) -> Explanation:
        return self.student.explain(self.rows)

    @cached_property
    def random(self) -> Explanation:
        draws = np.random.default_rng(self.seed).random(self.rows.shape)
        return Explanation(draws, 0.0, feature_names=self.tree_shap.feature_names)

    @cached_property
    def all_columns(self) -> Explanation:
        """What hides whole rows: how far answers are from those of rows of which nothing is known."""
        values, names = np.ones(self.rows.shape), self.tree_shap.feature_names
        return Explanation(values, 0.0, mask=values > 0, kind="rationale", feature_names=names)

    def as_mask(self, explanation: Explanation, k: int | None) -> Explanation:
        """As many columns of each row, by absolute value, as its rationale has."""
        chosen = self.rationale_model(k).get_rationale(self.rows)
        size = np.abs(explanation.values)
        rank = np.argsort(np.argsort(-size, axis=1, kind="stable"), axis=1)
        mask = rank < chosen.sum(axis=1, keepdims=True)
        return Explanation(
            mask * 1.0, 0.0, mask=mask, kind="rationale", feature_names=explanation.feature_names
        )

    @cached_property
    def kernel_shap(self) -> Explanation:
        """Of the student's score, for the first rows."""
        import shap

        reader = TableReader().fit(self.X)

        def score(matrix: np.ndarray) -> np.ndarray:
            frame = reader.to_frame(matrix).set_axis(self.X.columns, axis=1)
            return (
                self.student.predict(frame) if self.is_regression else self.student.decision_function(frame)
            )

        some = self.X.sample(KERNEL_BACKGROUND, random_state=self.seed)
        explainer = shap.KernelExplainer(score, reader.transform(some), seed=self.seed)
        matrix = reader.transform(self.rows[:KERNEL_ROWS])
        values = explainer.shap_values(matrix, nsamples=KERNEL_SAMPLES, silent=True)
        return Explanation(values, explainer.expected_value, feature_names=reader.feature_names)


def judged(explanation: Explanation, **asked: Any) -> dict[str, float]:
    """All measures; of masks, which are no order, only those that hide them as a whole."""
    found: dict[str, float] = {}
    for fill in ("marginal", "mean"):
        asked["fill"] = fill
        found[f"{fill} comprehensiveness"] = float(comprehensiveness(explanation, **asked))
        found[f"{fill} sufficiency"] = float(sufficiency(explanation, **asked))
        if explanation.kind != "rationale":
            found[f"{fill} deletion"] = deletion_curve(explanation, **asked).area
            found[f"{fill} insertion"] = insertion_curve(explanation, **asked).area
    return found


def table_jobs(setting: Setting) -> dict[tuple[str, str], Callable[[], dict[str, Any]]]:
    """What is judged, by the model that is asked and the explanation."""
    orders = {
        "student's reasons": lambda: setting.student_reasons,
        "teacher's TreeSHAP": lambda: setting.tree_shap,
        "random order": lambda: setting.random,
    }
    models: dict[str, Callable[[], Any]] = {
        "student": lambda: setting.student,
        "teacher": lambda: setting.teacher,
    }

    def job(model: str, reasons: Callable[[], Explanation], n: int) -> dict[str, Any]:
        explanation = reasons()[:n]
        answers = setting.answers(models[model]())
        found = judged(explanation, predict=answers, X=setting.rows[:n], background=setting.background)
        if explanation.mask is not None:
            found["columns"] = float(explanation.mask.sum(axis=1).mean())
        return found

    few = f"student, first {KERNEL_ROWS} rows"
    kernel = {"KernelSHAP of the student": lambda: setting.kernel_shap}
    plan = [("student", "student", orders, TEST_ROWS), ("teacher", "teacher", orders, TEST_ROWS)]
    for k, model in ((None, "rationale model"), (FEW, f"rationale model of {FEW} columns")):
        models[model] = partial(setting.rationale_model, k)
        masks = mask_reasons(setting, k)
        plan += [
            (model, model, masks, TEST_ROWS),
            ("teacher", f"teacher, masks of the {model}", masks, TEST_ROWS),
        ]
    plan += [("student", few, orders | kernel, KERNEL_ROWS)]
    return {
        (where, name): partial(job, model, make, n)
        for model, where, reasons, n in plan
        for name, make in reasons.items()
    }


def mask_reasons(setting: Setting, k: int | None) -> dict[str, Callable[[], Explanation]]:
    """Rationales of at most k columns, and masks of the same size by other means."""
    return {
        "rationale": lambda: setting.rationale_model(k).explain(setting.rows),
        "student's reasons, as many": lambda: setting.as_mask(setting.student_reasons, k),
        "teacher's TreeSHAP, as many": lambda: setting.as_mask(setting.tree_shap, k),
        "random columns, as many": lambda: setting.as_mask(setting.random, k),
        "all columns": lambda: setting.all_columns,
    }


def cost(kind: str, seed: int) -> dict[str, Any]:
    """Seconds of both measures against those of one batched predict of as many rows."""
    X, y = load_breast_cancer(return_X_y=True)
    if kind == "LogisticRegression":
        model = LogisticRegression(max_iter=5_000).fit(X, y)
    else:
        model = LGBMClassifier(random_state=seed, **TREES).fit(X, y)
    if kind == "GBDT2NNStudent":
        model = GBDT2NNStudent(FrozenEstimator(model), random_state=seed).fit(X, y)
    draws = np.random.default_rng(seed)
    rows = X[draws.integers(0, len(X), TEST_ROWS)]
    explanation = Explanation(draws.normal(size=rows.shape), 0.0)
    sizes: list[int] = []

    def counted(table: Any) -> np.ndarray:
        sizes.append(len(table))
        return model.predict_proba(table)

    def both(predict: Callable[[Any], np.ndarray]) -> None:
        comprehensiveness(explanation, predict, rows)
        sufficiency(explanation, predict, rows)

    both(counted)
    many = rows[np.arange(sum(sizes)) % len(rows)]
    calls = {
        "measures": lambda: both(model.predict_proba),
        "predict": lambda: model.predict_proba(many),
        "predict once": lambda: model.predict_proba(rows),
    }
    times = interleaved_medians(calls)
    return {
        "evaluations": sum(sizes),
        "seconds": times["measures"]["median"],
        "ratio": ratio(times, "measures", "predict"),
        "ratio to one predict of the rows": ratio(times, "measures", "predict once"),
    }


# --- all of it ----------------------------------------------------------------------------------------

SHOWN = ("comprehensiveness", "sufficiency", "deletion", "insertion")


def lines(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """A line a data set, explanation and fill."""
    found = []
    for (name, method), group in cells.groupby(["data", "explanation"], sort=False):
        for fill in ("marginal", "mean"):
            line: dict[str, Any] = {"data": name, "explanation": method, "fill": fill}
            if "columns" in group:
                line["columns"] = mean_and_spread(group["columns"], 1)
            measures = {m: f"{fill} {m}" for m in SHOWN if f"{fill} {m}" in group}
            found.append(line | {m: mean_and_spread(group[c], 4) for m, c in measures.items()})
    return found


def cost_lines(cells: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "model": cell["explanation"],
            "evaluations": cell["evaluations"],
            "seconds": cell["seconds"],
            "to one predict of as many rows": ratio_text(cell["ratio"]),
            "to one predict of the rows": ratio_text(cell["ratio to one predict of the rows"]),
        }
        for _, cell in cells.iterrows()
    ]


def render(cells: list[dict[str, Any]]) -> str:
    """Tables of cells."""
    frame = pd.DataFrame(cells)
    text = ["# faithfulness", NOTES]
    for where, rows in frame.groupby("judged by", sort=False):
        rows = rows.dropna(axis=1, how="all").sort_values("data", kind="stable")
        if where == "cost":
            title = "comprehensiveness and sufficiency of 1,000 rows of 30 columns (breast_cancer)"
            text.append(f"## cost of {title}\n\n{markdown_table(cost_lines(rows))}")
        else:
            text.append(f"## judged by the {where}\n\n{markdown_table(lines(rows))}")
    return "\n\n".join(text) + "\n\n"


def write() -> str:
    """Write ``faithfulness.md`` from what is stored; give the text."""
    if not PATH.exists():
        return "There is no faithfulness.json yet."
    stored = json.loads(PATH.read_text(encoding="utf-8"))
    used = ", ".join(f"{package} {number}" for package, number in stored["meta"]["versions"].items())
    content = render(stored["cells"]) + f"Made by `python examples/benchmarks/faithfulness.py`; {used}.\n"
    PATH.with_suffix(".md").write_text(content, encoding="utf-8")
    return content


def jobs(options: argparse.Namespace) -> Any:
    """Keys of cells, and what fills them."""
    for seed in range(options.seeds):
        for name in TABLES if "tables" in options.part else ():
            if options.only and name not in options.only:
                continue
            found = table_jobs(Setting(name, seed, options.max_rows))
            yield from (((name, *key, seed), job) for key, job in found.items())
    for kind in ("GBDT2NNStudent", "LightGBM", "LogisticRegression") if "cost" in options.part else ():
        yield ("breast_cancer", "cost", kind, 0), partial(cost, kind, 0)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Fill what is not stored yet; what fails is told, and tried again by the next run."""
    trial, keys = options.max_rows is not None, ("data", "judged by", "explanation", "seed")
    cells = [] if trial else load_cells(PATH)
    done = {tuple(cell[key] for key in keys) for cell in cells}
    for key, job in jobs(options):
        if key in done:
            continue
        try:
            cell = dict(zip(keys, key, strict=True)) | job()
        except Exception:
            print(f"{', '.join(map(str, key))} failed:\n{traceback.format_exc()}", flush=True)
            continue
        cells.append(cell)
        if not trial:
            store_cell(PATH, cell, {"versions": versions()})
        print(json.dumps(cell), flush=True)
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", nargs="*", choices=["tables", "cost"], default=["tables", "cost"])
    parser.add_argument("--only", nargs="*", default=[], help="names of data sets")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--max-rows", type=int, help="fit to so many rows, and keep nothing")
    parser.add_argument("--render", action="store_true", help="fit nothing")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    cells = [] if options.render else run(options)
    print(render(cells) if options.max_rows is not None else write())


if __name__ == "__main__":
    main()
