"""Are rationales of pictures worth their patches? What they show beside what simple rules show."""

from __future__ import annotations

import copy
from itertools import combinations
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_consistent_length

from ..._random import own_random_state
from ...tabular import read_target
from ...training import Settings
from .._audit import FEWEST_ROWS, check_audit_parameters, encode_target
from .._audit_report import METRICS, jaccard, losses, score
from .._refit import train_on_masks
from .._selection_warnings import REPORTED_ELSEWHERE
from ._audit_report import PictureAudit
from ._model import PictureModel, in_parts, occlusion_values
from ._nets import MaskedPictures

OCCLUSION_ROWS = 2000
"""Pictures at most of which patches are hidden one at a time. Not measured."""
EPOCHS, BATCH_SIZE, LR, DECAY = 8, 64, 2e-3, 1e-3
"""Of predictors that are trained to audit: epochs, most pictures of a step, learning rate, weight decay. Not
measured."""


def audit_pictures(
    model: Any, X: Any, y: Any, *, n_refits: int = 2, max_rows: int = 10_000, random_state: Any = None
) -> PictureAudit:
    """Compare the rationales of a fitted model with those of simple rules, and look for what masks tell.

    Parameters
    ----------
    model : RationaleClassifier, RationaleRegressor or RationaleDistiller
        Fitted to pictures.
    X : array-like of shape (n, H, W) or (n, C, H, W)
        At least 100 pictures that were not used to fit the model.
    y : array-like of shape (n,)
        Their labels or numbers.
    n_refits : int, default=2
        Clones fitted on one half of the pictures, to compare their rationales; 0 leaves this out.
    max_rows : int, default=10_000
        More pictures are not used; those that are used are drawn at random.
    random_state : int, RandomState or None, default=None
        Seed.

    Returns
    -------
    PictureAudit
        Numbers, findings and a verdict.

    Raises
    ------
    ValueError
        When a parameter is not as described, `y` has a label that the model does not know, or `y` does not
        vary.
    """
    check_audit_parameters(n_refits, max_rows)
    matrix, y = model._read(X), read_target(y)
    check_consistent_length(matrix, y)
    if len(y) < FEWEST_ROWS:
        raise ValueError(f"X has {len(y)} pictures; expected at least {FEWEST_ROWS}.")
    if not model._model.predictor:
        raise ValueError(
            "The model predicts the same for every picture and selects nothing: nothing to audit."
        )
    rng = own_random_state(random_state)
    drawn = rng.permutation(len(y))[:max_rows]
    pictures, y = model._form.pictures(X)[drawn], y[drawn]
    test = _Views(model, matrix[drawn], encode_target(model._task, y), rng)
    return PictureAudit(
        metric=METRICS[test.link],
        n_rows=len(y),
        grid=model._form.grid,
        n_outcomes=0 if test.classes is None else len(test.classes),
        scores=test.scores(),
        mask_only=test.mask_only(),
        leak=test.leak[0],
        leak_error=test.leak[1],
        mean_patches=float(test.mask.sum(axis=1).mean()),
        fixed=len(set(test.mask.sum(axis=1).tolist())) == 1,
        told=bool(model._model.plan.told),
        **_stability(model, pictures, y, test, n_refits, rng),
    )


class _Views:
    """Pictures (n, C, H, W), an encoded target (n,), and masks (n, L) by the model and by simple rules."""

    def __init__(self, model: Any, matrix: np.ndarray, y: np.ndarray, rng: np.random.RandomState) -> None:
        inner: PictureModel = model._model
        self.model, self.inner, self.rng = model, inner, rng
        self.classes, self.link = model._task.classes, inner.link
        self.shift, self.scale = float(y.mean()), float(y.std())
        self.y = (y - self.shift) / self.scale if self.classes is None else y
        self.x = inner.encode(matrix).astype(np.float32)
        self.seed = int(rng.randint(2**31 - 100))
        self.judge = inner.plan.predictor_of(inner.judge).float()
        self.predictor = inner.plan.predictor_of(inner.predictor).float()
        self.mask = inner.mask(matrix)
        counts = self.mask.sum(axis=1)
        self.random = largest(rng.rand(*self.mask.shape), counts)
        self.contrast = largest(contrasts(self.x, inner.plan.units.groups, inner.n_units), counts)
        few = slice(0, OCCLUSION_ROWS)
        values = in_parts(lambda x: occlusion_values(self.judge, x, self.link), self.judge, self.x[few])
        self.occlusion = largest(values, counts[few])
        order = np.lexsort((rng.rand(len(y)), np.zeros(len(y)) if self.classes is None else y))
        self.halves = order[::2], order[1::2]
        self.exchanged, self.told = self._cross_fit()
        self.leak = self._leak()

    def answers(self, net: MaskedPictures, mask: np.ndarray, rows: Any = slice(None)) -> np.ndarray:
        """Give probabilities (m, C) or standardised numbers (m, 1) of pictures and masks (m, L)."""
        return self._read(in_parts(net, net, self.x[rows], mask))

    def _read(self, raw: np.ndarray) -> np.ndarray:
        scores = raw * self.inner.scale + self.inner.shift
        if self.classes is None:
            return (scores - self.shift) / self.scale
        return self.model._task.probabilities(scores)

    def _cross_fit(self) -> tuple[np.ndarray, np.ndarray]:
        """Train predictors with masks of other pictures, and with own ones; they answer the other half."""
        found = []
        for own in (False, True):
            raw = np.zeros((len(self.y), self.inner.plan.n_outputs))
            for fit, test in (self.halves, self.halves[::-1]):
                net = self._trained(fit, own)
                raw[test] = in_parts(net, net, self.x[test], self.mask[test])
            found.append(self._read(raw))
        return found[0], found[1]

    def _trained(self, rows: np.ndarray, own: bool) -> MaskedPictures:
        net = copy.deepcopy(self.judge).requires_grad_(True)
        y = self.y
        if self.classes is None:  # in the units of the network
            y = (y * self.scale + self.shift - self.inner.shift[0]) / self.inner.scale[0]
        data = {
            "x": self.x[rows],
            "y": y[rows].astype(np.int64 if self.link == "softmax" else np.float32),
            "weight": np.ones(len(rows), dtype=np.float32),
            "mask": self.mask[rows].astype(np.float32),
        }
        settings = Settings(
            max_epochs=EPOCHS,
            batch_size=max(min(BATCH_SIZE, len(rows) // 8), 1),
            lr=LR,
            weight_decay=DECAY,
            device=self.model.device,
        )
        train_on_masks(
            net,
            data,
            self.link,
            settings,
            own=own,
            selected_share=0.8,
            global_draws=self.inner.plan.backbone is not None,
            random_state=self.seed,
        )
        return net.cpu().eval()

    # --- figures ---------------------------------------------------------------------------------

    def _leak(self) -> tuple[float, float]:
        gain = losses(self.exchanged, self.y) - losses(self.told, self.y)
        return float(gain.mean()), float(gain.std() / np.sqrt(len(gain)))

    def scores(self) -> dict[str, tuple[float, float, float, int]]:
        """Score, loss, its standard error and the number of pictures, of each way to show patches."""
        everything = np.ones_like(self.mask)
        constant = np.full((len(self.y), 1 if self.classes is None else len(self.classes)), self.y.mean())
        if self.classes is not None:
            constant[:] = np.bincount(self.y, minlength=len(self.classes)) / len(self.y)
        views = {
            "all patches, EVAL-X": self.answers(self.judge, everything),
            "all patches, model": self.answers(self.predictor, everything),
            "rationale, model": self.answers(self.predictor, self.mask),
            "rationale, refit on masks of other pictures": self.exchanged,
            "rationale, told its own masks": self.told,
            "rationale, EVAL-X": self.answers(self.judge, self.mask),
            "random patches, EVAL-X": self.answers(self.judge, self.random),
            "most contrast, EVAL-X": self.answers(self.judge, self.contrast),
            "occlusion, EVAL-X": self.answers(self.judge, self.occlusion, slice(0, len(self.occlusion))),
            "constant": constant,
        }
        found = {}
        for name, answers in views.items():
            y = self.y[: len(answers)]
            lost = losses(answers, y)
            error = float(lost.std() / np.sqrt(len(y)))
            found[name] = (score(y, answers, self.link), float(lost.mean()), error, len(y))
        return found

    def mask_only(self) -> dict[str, float]:
        """Score of gradient boosting from masks alone, without a pixel."""
        masks = {"rationale": self.mask, "most contrast": self.contrast, "random patches": self.random}
        return {name: self._boosted(mask.astype(np.float32)) for name, mask in masks.items()}

    def _boosted(self, cells: np.ndarray) -> float:
        from lightgbm import LGBMClassifier, LGBMRegressor

        kind = LGBMRegressor if self.classes is None else LGBMClassifier
        answers = np.zeros((len(self.y), 1 if self.classes is None else len(self.classes)))
        for fit, test in (self.halves, self.halves[::-1]):
            booster = kind(n_estimators=60, num_leaves=15, n_jobs=1, verbose=-1, random_state=self.seed)
            booster.fit(cells[fit], self.y[fit])
            if self.classes is None:
                answers[test, 0] = booster.predict(cells[test])
            else:
                answers[np.ix_(test, booster.classes_)] = booster.predict_proba(cells[test])
        return score(self.y, answers, self.link)


def contrasts(x: np.ndarray, groups: np.ndarray, n_units: int) -> np.ndarray:
    """Give the standard deviation (n, L) of the pixels of each patch, over all channels."""
    flat = x.reshape(len(x), -1).astype(float)
    sums = np.zeros((2, len(x), n_units))
    for unit in range(n_units):
        pixels = flat[:, groups == unit]
        sums[:, :, unit] = pixels.mean(axis=1), (pixels**2).mean(axis=1)
    return np.sqrt(np.maximum(sums[1] - sums[0] ** 2, 0.0))


def largest(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Give masks (n, L) of the largest values (n, L), so many (n,) in each row."""
    ranks = np.argsort(np.argsort(-values, axis=1, kind="stable"), axis=1, kind="stable")
    return ranks < counts[:, None]


def _stability(
    model: Any, pictures: np.ndarray, y: np.ndarray, test: _Views, n_refits: int, rng: np.random.RandomState
) -> dict[str, float]:
    """Mean Jaccard index of rationales of clones with other seeds, and that of random masks as large."""
    fit, compared = test.halves
    masks = []
    for seed in rng.randint(2**31 - 1, size=n_refits).tolist():
        refit = clone(model).set_params(random_state=seed)
        with REPORTED_ELSEWHERE.on():
            refit.fit(pictures[fit], y[fit])
        masks.append(refit.get_rationale(pictures[compared]).reshape(len(compared), -1))
    if not masks:
        return {"stability": float("nan"), "chance_stability": float("nan")}
    drawn = [largest(rng.rand(*mask.shape), mask.sum(axis=1)) for mask in masks]
    means = [np.mean([jaccard(a, b) for a, b in combinations(some, 2)]) for some in (masks, drawn)]
    return {"stability": float(means[0]), "chance_stability": float(means[1])}
