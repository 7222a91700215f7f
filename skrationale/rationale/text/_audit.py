"""Is a rationale of texts honest? Whether its words alone support the predictions made from them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import torch
from scipy.special import expit, softmax
from sklearn.base import clone

from ..._random import own_random_state
from ..._task import Link
from ...tabular import read_target
from ...training import Settings, epochs_for, generator_of, hold_out
from ...units import TextUnits, ranges
from .._audit import FEWEST_ROWS, check_audit_parameters, encode_target
from .._audit_report import METRICS, RationaleAudit, erasures, losses, score
from .._selection_warnings import REPORTED_ELSEWHERE
from ._model import only_shown, scores_of
from ._network import BagPredictor
from ._reader import as_texts
from ._stages import shown_by_word, train_on_shown_words
from ._store import TextStore

SIZES, DROPOUT, BATCH_SIZE, LR, DECAY, VALIDATION = (32, 32), 0.4, 32, 3e-3, 0.1, 0.15
"""Of the predictors that are trained to audit: widths, share dropped, texts of a step, learning rate, weight
decay, share of texts held out. Not measured."""
STEPS, EPOCHS = 400, (12, 60)
"""Their steps, but so many epochs at least and at most. Not measured."""
TELLING = 0.4
"""Share of the way from a constant to a perfect score, from which what masks look like counts:
an AUROC of 0.7.
Measured: 0.52 to 0.58 of honest models of reviews, 0.73 to 0.85 of planted codes."""
N_PLACES = 10
"""Parts of a text in which shown units are counted. Not measured."""


def audit_texts(
    model: Any, X: Any, y: Any, *, n_refits: int = 2, max_rows: int = 10_000, random_state: Any = None
) -> RationaleAudit:
    """Check whether the rationales of a fitted model of texts are honest.

    As :func:`skrationale.rationale._audit.audit` does for tables, but masks are not exchanged between texts,
    which have no common units. EVAL-X sees words shown by chance, each as often as words of its kind are
    shown in the texts it is trained on.

    Parameters
    ----------
    model : TextRationaleClassifier, TextRationaleRegressor or TextRationaleDistiller
        Fitted.
    X : list, array or Series of str of shape (n,)
        At least 100 texts that were not used to fit the model.
    y : array-like of shape (n,)
        Their labels or numbers.
    n_refits : int, default=2
        Clones fitted on one half of the texts, to compare their rationales; 0 leaves this out.
    max_rows : int, default=10_000
        More texts are not used; those that are used are drawn at random.
    random_state : int, RandomState or None, default=None
        Seed.

    Returns
    -------
    RationaleAudit
        Numbers, findings and a verdict.

    Raises
    ------
    ValueError
        When a parameter is not as described, `y` has a label that the model does not know, or `y` does not
        vary.
    """
    check_audit_parameters(n_refits, max_rows)
    texts, y = as_texts(X), read_target(y)
    if len(texts) != len(y):
        raise ValueError(
            f"X holds {len(texts)} texts and y {len(y)} values; expected the same number of both."
        )
    if len(y) < FEWEST_ROWS:
        raise ValueError(f"X has {len(y)} texts; expected at least {FEWEST_ROWS}.")
    rng = own_random_state(random_state)
    drawn = rng.permutation(len(y))[:max_rows]
    texts, y = [texts[i] for i in drawn], y[drawn]
    units = model._model.reader.units(texts)
    bench = TextBench(model, units, encode_target(model._task, y), rng)
    figures = bench.losses_and_scores() | erasures(bench.answers) | bench.rates()
    stability = _stability(model, texts, y, bench.halves, n_refits, rng)
    return RationaleAudit(**figures, stability=stability, unit=unit_name(units), row="text")


def unit_name(units: TextUnits) -> str:
    """Say what units are called: words, unless several make one."""
    return "word" if len(units.spans) == len(units.word_spans) else "unit"


class TextBench:
    """Texts with their masks, an encoded target (n,), and what predictors answer.

    Parameters
    ----------
    model : estimator
        Asked for its `_model`, whose `reader`, `mask` and `scores` are used, and for its `_task`.
    units : TextUnits
        Those of n texts.
    y : ndarray of shape (n,)
        Positions of labels, or numbers.
    rng : RandomState
        Draws.
    """

    def __init__(self, model: Any, units: TextUnits, y: np.ndarray, rng: np.random.RandomState) -> None:
        self.model, self.units, self.rng, self.classes = model, units, rng, model._task.classes
        many = self.classes is not None and len(self.classes) > 2
        self.link: Link = "identity" if self.classes is None else "softmax" if many else "logit"
        self.n_outputs = len(self.classes) if many else 1
        self.shift, self.scale = float(y.mean()), float(y.std())
        self.y = (y - self.shift) / self.scale if self.classes is None else y
        self.numbers = model._model.reader.numbers(units)
        self.n_words = model._model.reader.n_words
        self.store = TextStore.of(units, self.numbers)
        self.mask = model._model.mask(units)
        self.shown = units.spread(self.mask)
        self.own = self._answers_of_model(self.mask)
        # each class is split into halves; numbers are just shuffled
        order = np.lexsort((rng.rand(len(y)), np.zeros(len(y)) if self.classes is None else y))
        self.halves = order[::2], order[1::2]
        drawn = units.spread(self._shuffled(self.mask))
        everything = np.ones(len(self.shown), dtype=bool)
        views = {"evalx": self.shown, "all": everything, "rest": ~self.shown, "random": drawn}
        self._cross_fit(views | {"random rest": ~drawn})

    def _shuffled(self, mask: np.ndarray) -> np.ndarray:
        """Give each text as many random units (U,) as a mask (U,) shows."""
        texts = self.units.unit_texts
        order = np.lexsort((self.rng.rand(len(mask)), texts))
        counts = np.bincount(texts, mask, self.units.n_texts)
        rank = np.arange(len(mask)) - np.repeat(self.units.offsets[:-1], self.units.n_units)
        result = np.zeros(len(mask), dtype=bool)
        result[order] = rank < counts[texts]
        return result

    def _answers_of_model(self, mask: np.ndarray) -> np.ndarray:
        """Probabilities (n, C) or numbers (n, 1) that the model predicts from the units of a mask (U,)."""
        task, scores = self.model._task, self.model._model.scores(self.units, mask)
        if self.classes is None:
            return (task.predict(scores)[:, None] - self.shift) / self.scale
        return task.probabilities(scores)

    # --- predictors ------------------------------------------------------------------------------

    def _cross_fit(self, views: Mapping[str, np.ndarray]) -> None:
        """Let each half of the texts be answered by predictors fitted on the other."""
        names = [*views, "own masks", "mask only", "whole"]
        self.answers = {name: np.zeros(self.own.shape) for name in names}
        looks, seed = looks_of(self.units, self.mask), int(self.rng.randint(2**31 - 100))
        exchanged = np.zeros(len(self.mask), dtype=bool)
        fresh = np.zeros(self.own.shape)
        for train, test in (self.halves, self.halves[::-1]):
            places = self.store.places(torch.from_numpy(train))[0].numpy()
            rate = float(self.shown.mean())
            chance = shown_by_word(self.numbers[places], self.shown[places], self.n_words, rate, self.numbers)
            evalx = self._fit(train, chance, self.rng.rand(len(chance)) < chance, seed)
            told = self._fit(train, self.shown.astype(float), self.shown, seed)
            whole = self._fit(train, np.ones(len(chance)), views["all"], seed)
            for name, view in views.items():
                self.answers[name][test] = self._predict(evalx, test, view)
            self.answers["own masks"][test] = self._predict(told, test, self.shown)
            self.answers["whole"][test] = self._predict(whole, test, views["all"])
            self.answers["mask only"][test] = self._boosted(looks, train, test, seed)
            there = ranges(self.units.offsets[test], self.units.n_units[test])
            exchanged[there] = self.rng.rand(len(there)) < self.units.fold(chance)[there]
            fresh[test] = self._predict(evalx, test, self.units.spread(exchanged))
        own = self._answers_of_model(exchanged)
        self.model_advantage = losses(fresh, self.y) - losses(own, self.y)

    def _fit(self, texts: np.ndarray, chance: np.ndarray, mask: np.ndarray, seed: int) -> BagPredictor:
        """Train a predictor on half of the texts, whose words are shown by chance (N,).

        Held-out texts with a mask (N,) stop the training. That of EVAL-X is drawn by chance too, or its
        confidence would be fitted to the texts' own masks.
        """
        labels = np.zeros(len(texts), dtype=int) if self.classes is None else self.y[texts]
        fit, valid = hold_out(labels, VALIDATION, self.classes is not None, seed)
        module = BagPredictor(self.n_words, SIZES, self.n_outputs, DROPOUT, generator_of(seed))
        batch_size = min(BATCH_SIZE, max(len(fit) // 8, 1))
        train_on_shown_words(
            module,
            self.store,
            torch.from_numpy(chance).float(),
            torch.from_numpy(mask),
            self._rows(texts[fit]),
            self.link,
            Settings(
                max_epochs=epochs_for("auto", len(fit), batch_size, steps=STEPS, limits=EPOCHS),
                batch_size=batch_size,
                lr=LR,
                weight_decay=DECAY,
                early_stopping=True,
                device="cpu",
            ),
            validation=self._rows(texts[valid]),
            random_state=seed,
        )
        return module.eval()

    def _rows(self, texts: np.ndarray) -> dict[str, np.ndarray]:
        kind = np.int64 if self.link == "softmax" else np.float32
        weight = np.ones(len(texts), dtype=np.float32)
        return {"row": texts.astype(np.int64), "y": self.y[texts].astype(kind), "weight": weight}

    def _predict(self, module: BagPredictor, texts: np.ndarray, shown: np.ndarray) -> np.ndarray:
        """Probabilities (m, C), or numbers (m, 1), from the words of some texts that a mask (N,) shows."""
        kept = only_shown(self.units, shown).take(texts)
        raw = scores_of(module, TextStore.of(kept, self.model._model.reader.numbers(kept)))
        if self.link == "logit":
            return np.hstack([expit(-raw), expit(raw)])
        return raw if self.classes is None else softmax(raw, axis=1)

    def _boosted(self, looks: np.ndarray, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        from lightgbm import LGBMClassifier, LGBMRegressor

        kind = LGBMRegressor if self.classes is None else LGBMClassifier
        few: dict[str, Any] = {"n_estimators": 60, "num_leaves": 7, "min_child_samples": 20}
        booster = kind(n_jobs=1, verbose=-1, random_state=seed, **few).fit(looks[train], self.y[train])
        if self.classes is None:
            return np.asarray(booster.predict(looks[test])).reshape(-1, 1)
        answers = np.zeros((len(test), len(self.classes)))
        answers[:, booster.classes_] = booster.predict_proba(looks[test])
        return answers

    # --- figures ---------------------------------------------------------------------------------

    def losses_and_scores(self) -> dict[str, Any]:
        """Compare what predictors lose and score."""
        constant = np.full_like(self.own, self.y.mean())
        if self.classes is not None:
            constant[:] = np.bincount(self.y, minlength=len(self.classes)) / len(self.y)
        n, lost = len(self.y), {name: losses(answers, self.y) for name, answers in self.answers.items()}
        gains = [losses(constant, self.y) - lost[judge] for judge in ("evalx", "own masks")]
        advantage = self.model_advantage if self.model_advantage.mean() > 0 else np.zeros(n)
        differences = {
            "leak": lost["evalx"] - lost["own masks"],
            "unsupported": lost["evalx"] - losses(self.own, self.y) - advantage,
            "missing": lost["evalx"] - min(lost["all"], lost["whole"], key=np.mean),
        }
        result: dict[str, Any] = {
            "metric": METRICS[self.link],
            "n_rows": n,
            "exchanged": float("nan"),
            "learnt_error": float(max(gains, key=np.mean).std() / np.sqrt(n)),
        }
        for name, difference in differences.items():
            result[name] = float(difference.mean())
            result[f"{name}_error"] = float(difference.std() / np.sqrt(n))
        every = {
            "constant": constant,
            "own": self.own,
            "evalx": self.answers["evalx"],
            "mask_only": self.answers["mask only"],
        }
        result |= {f"{name}_score": score(self.y, answers, self.link) for name, answers in every.items()}
        result |= {f"{name}_loss": float(losses(every[name], self.y).mean()) for name in list(every)[:3]}
        least = result["constant_score"]
        return result | {"mask_only_limit": least + TELLING * (1 - least)}

    def rates(self) -> dict[str, Any]:
        """Say how many units masks select, and in texts of which classes."""
        units, shares = self.units, self.units.shares(self.shown)
        counts = np.bincount(units.unit_texts, self.mask, units.n_texts)

        def by(labels: np.ndarray) -> dict[str, float]:
            if self.classes is None:
                return {}
            return {str(self.classes[c]): float(shares[labels == c].mean()) for c in np.unique(labels)}

        return {
            "mean_columns": float(counts.mean()),
            "empty_share": float((counts == 0).mean()),
            "full_share": float(((counts == units.n_units) & (counts > 0)).mean()),
            "rate_by_class": by(self.y),
            "rate_by_predicted_class": by(self.own.argmax(axis=1)),
        }


def looks_of(units: TextUnits, mask: np.ndarray) -> np.ndarray:
    """Describe what the mask (U,) of each text looks like, with the words unseen.

    Parameters
    ----------
    units : TextUnits
        Those of n texts.
    mask : ndarray of bool of shape (U,)
        Units that are shown.

    Returns
    -------
    ndarray of shape (n, 18)
        Share, number, units in all, mean and deviation of places in [0, 1), number, mean and longest of the
        runs, and the shares of the shown units in each tenth of the text.
    """
    rows = []
    for part in units.split(mask):
        n, count = len(part), int(part.sum())
        places = np.flatnonzero(part) / max(n, 1)
        edges = np.diff(np.concatenate([[0], part.astype(np.int8), [0]]))
        runs = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
        tenths = np.bincount((places * N_PLACES).astype(int), minlength=N_PLACES) / max(count, 1)
        shape = [0.5, 0.0, 0.0, 0.0, 0.0]
        if count:
            shape = [places.mean(), places.std(), len(runs), runs.mean(), runs.max()]
        rows.append([count / max(n, 1), count, n, *shape, *tenths])
    return np.array(rows, dtype=np.float64)


def jaccard_of(a: list[np.ndarray], b: list[np.ndarray]) -> float:
    """Mean Jaccard index of two masks of each text; of two empty ones it is 1."""
    pairs = zip(a, b, strict=True)
    return float(np.mean([(x & y).sum() / (x | y).sum() if (x | y).any() else 1.0 for x, y in pairs]))


def _stability(
    model: Any,
    texts: list[str],
    y: np.ndarray,
    halves: tuple[np.ndarray, np.ndarray],
    n_refits: int,
    rng: np.random.RandomState,
) -> float:
    """Mean Jaccard index, over one half of the texts, of the masks of clones fitted on the other half."""
    fit, compared = ([texts[i] for i in half] for half in halves)
    masks = []
    for seed in rng.randint(2**31 - 1, size=n_refits).tolist():
        refit = clone(model).set_params(random_state=seed)
        with REPORTED_ELSEWHERE.on():
            masks.append(refit.fit(fit, y[halves[0]]).mask(compared))
    return float(np.mean([jaccard_of(a, b) for a, b in combinations(masks, 2)])) if masks else float("nan")
