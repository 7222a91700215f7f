"""Problems, peers, measures and fits of the benchmark of rationales."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Callable
from functools import cache, partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skrationale import RationaleClassifier, RationaleDistiller, RationaleRegressor
from skrationale.datasets import fetch_table, make_syn
from skrationale.tabular import TableEncoder

TEST_ROWS = 10_000
SWITCH = 10
HELD_OUT = 0.15


class Problem(NamedTuple):
    """Rows to fit, rows to test, and in synthetic problems the true columns of the latter."""

    task: str
    X: Any
    y: np.ndarray
    X_test: Any
    y_test: np.ndarray
    truth: np.ndarray | None = None
    switches: bool = False

    @property
    def d(self) -> int:
        return self.X.shape[1]


class SynSetting(NamedTuple):
    number: int
    n_features: int = 11
    correlation: float = 0.0
    n_train: int = 10_000

    def __str__(self) -> str:
        details = (
            (self.n_features != 11, f"{self.n_features} columns"),
            (bool(self.correlation), f"correlation {self.correlation:g}"),
            (self.n_train != 10_000, f"{self.n_train:,} rows"),
        )
        return ", ".join([f"Syn{self.number}", *(text for holds, text in details if holds)])

    def _draw(self, n: int, random_state: int, **kind: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        shape = {"n_features": self.n_features, "correlation": self.correlation}
        return make_syn(self.number, n, random_state=random_state, **shape, **kind)

    def problem(self, seed: int) -> Problem:
        X, y, _ = self._draw(self.n_train, 2 * seed)
        return Problem("binary", X, y, *self._draw(TEST_ROWS, 2 * seed + 1), self.number > 3)

    def best_auroc(self, seed: int) -> float:
        """AUROC of the true probabilities."""
        _, y, _ = self._draw(TEST_ROWS, 2 * seed + 1)
        _, exponent, _ = self._draw(TEST_ROWS, 2 * seed + 1, regression=True, noise=0.0)
        return float(roc_auc_score(y, -exponent))


def real_problem(name: str, seed: int, max_rows: int | None) -> Problem:
    """A fifth of a real table is for the test; numbers to predict are standardised."""
    table = fetch_table(name)
    X, y = table.X, table.y.to_numpy()
    if max_rows is not None and max_rows < len(X):
        rows = np.random.RandomState(seed).permutation(len(X))[:max_rows]
        X, y = X.iloc[rows].reset_index(drop=True), y[rows]
    classes = None if table.task == "regression" else y
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=seed, stratify=classes)
    if classes is None:
        y, y_test = (y - y.mean()) / y.std(), (y_test - y.mean()) / y.std()
    return Problem(table.task, X, y, X_test, y_test)


# --- measures -----------------------------------------------------------------------------------------


def score(problem: Problem, model: Any, columns: Any = None) -> float:
    """AUROC for two classes, accuracy for more, R2 for numbers."""
    X = problem.X_test if columns is None else problem.X_test[columns]
    if problem.task == "binary":
        return float(roc_auc_score(problem.y_test, model.predict_proba(X)[:, 1]))
    metric = accuracy_score if problem.task == "multiclass" else r2_score
    return float(metric(problem.y_test, np.asarray(model.predict(X)).ravel()))


def selection(problem: Problem, chosen: np.ndarray) -> dict[str, float]:
    """How well chosen columns (n, d) agree with the true ones, a mean over rows."""
    truth = problem.truth
    if truth is None:
        return {"n_selected": float(chosen.sum(axis=1).mean())}
    hits, n_chosen, n_true = (mask.sum(axis=1) for mask in (chosen & truth, chosen, truth))
    found = {
        "tpr": hits / n_true,
        "fdr": 1 - np.where(n_chosen, hits / np.maximum(n_chosen, 1), 1.0),
        "f1": 2 * hits / (n_chosen + n_true),
        "n_selected": n_chosen,
    }
    if problem.switches:
        found["switch"] = chosen[:, SWITCH]
    return {name: float(np.mean(values)) for name, values in found.items()}


def oracle(problem: Problem, weights: np.ndarray) -> dict[str, float]:
    """The same of the columns of largest weight (n, d) when the true number of each row is given."""
    rank = np.argsort(np.argsort(-weights, axis=1, kind="stable"), axis=1)
    found = selection(problem, rank < problem.truth.sum(axis=1, keepdims=True))
    return {f"oracle_{name}": found[name] for name in ("tpr", "switch") if name in found}


def timed(fit: Callable[[], Any]) -> tuple[Any, float]:
    start = perf_counter()
    model = fit()
    return model, perf_counter() - start


# --- peers --------------------------------------------------------------------------------------------


@cache
def available(module: str) -> bool:
    """Whether a peer can be imported; where not, the reason is printed once."""
    try:
        importlib.import_module(module)
    except ImportError as error:
        print(f"{module} left out: {error}", flush=True)
        return False
    return True


def fit_lightgbm(problem: Problem, seed: int, columns: Any = None) -> Any:
    kind = LGBMRegressor if problem.task == "regression" else LGBMClassifier
    model = kind(n_estimators=300, learning_rate=0.05, random_state=seed, n_jobs=1, verbose=-1)
    return model.fit(problem.X if columns is None else problem.X[columns], problem.y)


def tree_shap_sizes(model: Any, X: np.ndarray) -> np.ndarray:
    return np.abs(model.predict(X, pred_contrib=True)[:, :-1])


class EncodedMLP:
    """scikit-learn's network of two hidden layers of 64 on the encoded table, with early stopping."""

    def __init__(self, task: str, seed: int) -> None:
        kind = MLPRegressor if task == "regression" else MLPClassifier
        self.encoder = TableEncoder()
        self.model = kind(
            hidden_layer_sizes=(64, 64),
            early_stopping=True,
            validation_fraction=HELD_OUT,
            random_state=seed,
        )

    def fit(self, X: Any, y: np.ndarray) -> EncodedMLP:
        self.model.fit(self.encoder.fit(X).transform(X), y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        return self.model.predict(self.encoder.transform(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        return self.model.predict_proba(self.encoder.transform(X))


class TabNet:
    """pytorch-tabnet as it is by default, stopped on 15 % of the rows; categories as codes."""

    def __init__(self, task: str, seed: int) -> None:
        self.task, self.seed = task, seed

    def fit(self, X: Any, y: np.ndarray) -> TabNet:
        from pytorch_tabnet.tab_model import TabNetClassifier, TabNetRegressor

        table, target = pd.DataFrame(X), y
        levels = {
            j: len(t.cat.categories) + 1 for j, t in enumerate(map(table.get, table)) if _is_category(t)
        }
        self.means = table.select_dtypes("number").mean()
        kind = TabNetRegressor if self.task == "regression" else TabNetClassifier
        self.model = kind(
            cat_idxs=list(levels),
            cat_dims=list(levels.values()),
            seed=self.seed,
            verbose=0,
            device_name="cpu",
        )
        if self.task == "regression":
            target = y[:, None]
        fit, held_out = train_test_split(
            np.arange(len(y)),
            test_size=HELD_OUT,
            random_state=self.seed,
            stratify=None if self.task == "regression" else y,
        )
        codes = self._codes(X)
        with contextlib.redirect_stdout(io.StringIO()):
            self.model.fit(
                codes[fit],
                target[fit],
                eval_set=[(codes[held_out], target[held_out])],
                batch_size=min(1024, len(fit)),  # a last batch that is not full is dropped
                compute_importance=False,
            )
        return self

    def _codes(self, X: Any) -> np.ndarray:
        table = pd.DataFrame(X).fillna(self.means)
        columns = [t.cat.codes + 1 if _is_category(t) else t for t in map(table.get, table)]
        return np.column_stack(columns).astype(np.float32)

    def predict(self, X: Any) -> np.ndarray:
        return self.model.predict(self._codes(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        return self.model.predict_proba(self._codes(X))

    def weights(self, X: Any) -> np.ndarray:
        """Its masks, summed over steps with the sizes of their decisions."""
        with torch.no_grad():
            return self.model.explain(self._codes(X))[0]


def _is_category(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype)


class Invase:
    """The invase package on a network of scikit-learn: the answers are this network's, from all columns."""

    def __init__(self, task: str, seed: int, n_epoch: int) -> None:
        self.network, self.seed, self.n_epoch = EncodedMLP(task, seed), seed, n_epoch

    def fit(self, X: np.ndarray, y: np.ndarray) -> Invase:
        from invase import INVASE

        self.network.fit(X, y)
        self.model = INVASE(
            self.network,
            pd.DataFrame(X),
            pd.Series(y),
            n_epoch=self.n_epoch,
            n_folds=1,
            prefit=True,
            random_state=self.seed,
        )
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.network.predict_proba(X)

    def weights(self, X: np.ndarray) -> np.ndarray:
        """Importances from 0 to 1, without a cut of their own."""
        return self.model.explain(pd.DataFrame(X)).to_numpy()


# --- what is measured of one fit --------------------------------------------------------------------


def rationale_row(problem: Problem, fit: Callable[[], Any]) -> Row:
    model, seconds = timed(fit)
    chosen = model.get_rationale(problem.X_test)
    return {"score": score(problem, model), "seconds": seconds} | selection(problem, chosen)


def plain_row(problem: Problem, fit: Callable[[], Any], columns: Any = None) -> Row:
    model, seconds = timed(fit)
    n_selected = problem.d if columns is None else len(columns)
    return {"score": score(problem, model, columns), "seconds": seconds, "n_selected": n_selected}


def weighing_row(problem: Problem, model: Any, cut: bool = True) -> Row:
    """Of a peer that weighs columns: those of a positive weight, and the largest if their number is given."""
    _, seconds = timed(lambda: model.fit(problem.X, problem.y))
    weights = model.weights(problem.X_test)
    row = {"score": score(problem, model), "seconds": seconds}
    row |= selection(problem, weights > 0) if cut else {}
    return row if problem.truth is None else row | oracle(problem, weights)


def lightgbm_row(problem: Problem, fit: Callable[[], Any]) -> Row:
    model, seconds = timed(fit)
    sizes = tree_shap_sizes(model, problem.X_test)
    return {"score": score(problem, model), "seconds": seconds} | oracle(problem, sizes)


SMALL = (8, 8)
LAMBDAS = (0.01, 0.02, 0.04, 0.06, 0.08)
NUMBERS = (2, 4, 6)
TABLES = (
    *("adult", "telco_churn", "credit_g", "bank_marketing", "covertype_50k"),
    "california_housing",
)
SYN = (
    *map(SynSetting, range(1, 7)),
    SynSetting(4, n_features=100),
    *(SynSetting(number, correlation=0.5) for number in (4, 5, 6)),
    SynSetting(4, n_train=1000),
)
QUICK_ROWS = 2000

Row = dict[str, Any]
Jobs = dict[str, Callable[[], Row]]


# --- parts: for a setting and a seed, what there is to fit ----------------------------------------------


def syn_jobs(setting: SynSetting, seed: int, quick: bool) -> Jobs:
    p = setting.problem(seed)
    rate = float(p.truth.sum(axis=1).mean()) / p.d
    ours = partial(RationaleClassifier, random_state=seed)
    jobs: Jobs = {
        "LightGBM, TreeSHAP": lambda: lightgbm_row(p, lambda: fit_lightgbm(p, seed)),
        "ours": lambda: rationale_row(p, lambda: ours().fit(p.X, p.y)),
        "ours, preset='paper'": lambda: rationale_row(
            p, lambda: ours(preset="paper", max_features=rate).fit(p.X, p.y)
        ),
        "true probabilities": lambda: {"score": setting.best_auroc(seed)},
    }
    if available("pytorch_tabnet.tab_model"):
        jobs["TabNet"] = lambda: weighing_row(p, TabNet(p.task, seed))
    if seed == 0 and setting == SYN[3] and available("invase"):
        n_epoch = 51 if quick else 200
        jobs["invase"] = lambda: weighing_row(p, Invase(p.task, seed, n_epoch), cut=False)
    return jobs


def student_jobs(setting: SynSetting, seed: int, quick: bool) -> Jobs:
    p = setting.problem(seed)
    ours = partial(RationaleClassifier, random_state=seed)
    teacher = cache(lambda: ours().fit(p.X, p.y))
    paper = cache(lambda: ours(preset="paper", max_features=0.36).fit(p.X, p.y))
    trees = cache(lambda: fit_lightgbm(p, seed))

    def alone(value: float | str) -> Row:
        return rationale_row(p, lambda: ours(SMALL, sparsity_lambda=value).fit(p.X, p.y))

    def taught(fitted: Callable[[], Any], distill: str = "both") -> Row:
        frozen = FrozenEstimator(fitted())
        settings = {"hidden_layer_sizes": SMALL, "audit_teacher": False, "random_state": seed}
        return rationale_row(p, lambda: RationaleDistiller(frozen, distill=distill, **settings).fit(p.X, p.y))

    jobs: Jobs = {
        "LightGBM, TreeSHAP": lambda: lightgbm_row(p, trees),
        "teacher": lambda: rationale_row(p, teacher),
        "bad teacher (preset='paper')": lambda: rationale_row(p, paper),
        "alone": lambda: alone("auto"),
        "REKD": lambda: taught(teacher),
    }
    if not quick:
        jobs |= {f"alone, lambda {value:g}": partial(alone, value) for value in LAMBDAS}
        jobs["REKD, selection term only"] = lambda: taught(teacher, "rationale")
        jobs["REKD, prediction term only"] = lambda: taught(teacher, "prediction")
        jobs["REKD from the bad teacher"] = lambda: taught(paper)
    return jobs | {"REKD from LightGBM": lambda: taught(trees)}


def real_jobs(name: str, seed: int, quick: bool) -> Jobs:
    p = real_problem(name, seed, QUICK_ROWS if quick else None)
    kind = RationaleRegressor if p.task == "regression" else RationaleClassifier
    trees = cache(lambda: fit_lightgbm(p, seed))

    @cache
    def ours(k: int | None, sizes: tuple[int, ...] = (64, 64)) -> Any:
        rate = None if k is None else k / p.d
        return kind(sizes, max_features=rate, random_state=seed).fit(p.X, p.y)

    def taught(k: int | None) -> Row:
        frozen = FrozenEstimator(ours(k))
        rate = None if k is None else k / p.d
        settings = {"hidden_layer_sizes": SMALL, "audit_teacher": False, "random_state": seed}
        return rationale_row(
            p, lambda: RationaleDistiller(frozen, max_features=rate, **settings).fit(p.X, p.y)
        )

    def best_columns(k: int) -> list[Any]:
        gain = trees().booster_.feature_importance("gain")
        return list(p.X.columns[(-gain).argsort(kind="stable")[:k]])

    def trees_of(columns: list[Any]) -> Row:
        return plain_row(p, lambda: fit_lightgbm(p, seed, columns), columns)

    def network_of(columns: list[Any]) -> Row:
        return plain_row(p, lambda: EncodedMLP(p.task, seed).fit(p.X[columns], p.y), columns)

    jobs: Jobs = {
        "LightGBM": lambda: plain_row(p, trees),
        "MLP (64, 64)": lambda: plain_row(p, lambda: EncodedMLP(p.task, seed).fit(p.X, p.y)),
    }
    for k in (None, 4) if quick else (None, *NUMBERS):
        jobs["ours" + told(k)] = lambda k=k: rationale_row(p, lambda: ours(k))
    for k in (None, 4):
        jobs["student alone" + told(k)] = lambda k=k: rationale_row(p, lambda: ours(k, SMALL))
        jobs["student, REKD" + told(k)] = partial(taught, k)
    for k in NUMBERS:
        jobs[f"LightGBM, the same {k} columns"] = lambda k=k: trees_of(best_columns(k))
        jobs[f"MLP (64, 64), the same {k} columns"] = lambda k=k: network_of(best_columns(k))
    if available("pytorch_tabnet.tab_model"):
        jobs["TabNet"] = lambda: weighing_row(p, TabNet(p.task, seed))
    return jobs


def told(k: int | None) -> str:
    return "" if k is None else f", {k} a row"


PARTS: dict[str, tuple[tuple[Any, ...], int, Callable[[Any, int, bool], Jobs]]] = {
    "syn": (SYN, 5, syn_jobs),
    "student": (SYN[3:6], 3, student_jobs),
    "real": (TABLES, 2, real_jobs),
}
QUICK = {"syn": (SYN[3],), "student": (SYN[3],), "real": TABLES[:3:2] + TABLES[-1:]}
