"""Is a rationale honest? Whether its cells alone support the predictions made from it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from numbers import Integral
from typing import Any

import numpy as np
import torch
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_consistent_length

from .._random import own_random_state
from .._task import Link, Task
from ..tabular import TableEncoder, as_frame_or_array, read_target
from ..training import Settings, generator_of, hold_out, limit_threads
from ..units import table_units
from ._audit_report import METRICS, RationaleAudit, erasures, jaccard, losses, rates, score
from ._joint import Arrays
from ._network import MaskedPredictor
from ._refit import train_on_masks
from ._selection_warnings import REPORTED_ELSEWHERE

FEWEST_ROWS = 100
"""Rows that an audit needs. Not measured."""
HIDDEN, BATCH_SIZES, EPOCHS, LR, DECAY, VALIDATION = (128, 128), (32, 256), 16, 5e-3, 0.01, 0.15
"""Of the predictors that are trained to audit: units of the layers, least and most rows of a step, epochs,
learning rate, weight decay, share of rows held out. Not measured."""
COPIES, ROUNDS = 4, 32
"""Masks that a row is trained with, and how often masks are exchanged to find these. Not measured."""


def audit(
    model: Any, X: Any, y: Any, *, n_refits: int = 2, max_rows: int = 10_000, random_state: Any = None
) -> RationaleAudit:
    """Check whether the rationales of a fitted model are honest.

    The choice of columns may reveal the target although the values of these columns do not. Then scores are
    good, but the rationale explains nothing. All predictors of this test are trained on one half of the rows
    and tested on the other half.

    Parameters
    ----------
    model : RationaleClassifier, RationaleRegressor or RationaleDistiller
        Fitted.
    X : DataFrame or array-like of shape (n, d)
        At least 100 rows that were not used to fit the model.
    y : array-like of shape (n,)
        Their labels or numbers.
    n_refits : int, default=2
        Number of clones that are fitted on one half of the rows, to compare their rationales; 0: none.
    max_rows : int, default=10_000
        Largest number of rows to use; they are drawn at random.
    random_state : int, RandomState or None, default=None
        Seed.

    Returns
    -------
    RationaleAudit
        Figures, findings and a verdict.

    Raises
    ------
    ValueError
        If a parameter is not as described, `y` has a label that the model does not know, or `y` does not
        vary.

    Notes
    -----
    EVAL-X, a predictor, is trained with masks selected for other rows, so it cannot read the target off them.
    Any mask in any row would be a harder task than that of a predictor that has each row's own mask as input,
    and EVAL-X would lag behind even where masks are honest. So a row gets the mask of another one only where
    the cells it then shows may bear this mask: put into the other row, they leave its mask as it is. Whether
    they do depends on the shown cells and the other row, and tells nothing of the row's hidden cells or
    target. Where cells determine the mask, both predictors see the same masks, and there is no leak.

    Judges that have learnt nothing cannot see a leak. So where neither EVAL-X nor the predictor with
    the masks loses less than a constant does, by more than two standard errors over the rows they were not
    fitted to, the finding is ``"untested"``, and the rationale is not called honest.

    The model itself has mostly seen more rows than EVAL-X, and may be better for that alone. So its gain is
    lessened by what it gains where both get such exchanged masks. Those look to it like masks of its own,
    but what they tell is of another row.
    """
    check_audit_parameters(n_refits, max_rows)
    X, y = as_frame_or_array(X), read_target(y)
    matrix = model._read(X)
    check_consistent_length(matrix, y)
    if len(y) < FEWEST_ROWS:
        raise ValueError(f"X has {len(y)} rows; expected at least {FEWEST_ROWS}.")
    rng = own_random_state(random_state)
    drawn = rng.permutation(len(y))[:max_rows]
    X, y = _safe_indexing(X, drawn), y[drawn]
    test = _AuditPredictions(model, matrix[drawn], encode_target(model._task, y), rng)
    figures = test.losses_and_scores() | {"one_mask": bool((test.mask == test.mask[0]).all())}
    figures |= erasures(test.answers)
    figures |= rates(test.mask, test.varying, test.y, test.own.argmax(axis=1), test.classes)
    return RationaleAudit(**figures, stability=_stability(model, X, y, test.halves, n_refits, rng))


class _AuditPredictions:
    """Rows (n, d) of numbers and codes, an encoded target (n,), and what predictors answer to them."""

    def __init__(self, model: Any, matrix: np.ndarray, y: np.ndarray, rng: np.random.RandomState) -> None:
        self.model, self.matrix, self.classes, self.rng = model, matrix, model._task.classes, rng
        many = self.classes is not None and len(self.classes) > 2
        self.link: Link = "identity" if self.classes is None else "softmax" if many else "logit"
        self.seed = int(rng.randint(2**31 - 100))
        self.shift, self.scale = float(y.mean()), float(y.std())
        self.y = (y - self.shift) / self.scale if self.classes is None else y
        encoder = TableEncoder().fit_matrix(model._reader, matrix)
        self.x, self.units = encoder.encode_matrix(matrix).astype(np.float32), table_units(encoder)
        self.varying = self.units.varying(self.x)
        self.mask = mask = model._model.mask(matrix)
        self.own = self._model_predictions(np.arange(len(y)), mask)
        # each class is split into halves; numbers are just shuffled
        order = np.lexsort((rng.rand(len(y)), np.zeros(len(y)) if self.classes is None else y))
        self.halves = order[::2], order[1::2]
        drawn = rng.rand(*mask.shape).argsort(axis=1) < mask.sum(axis=1, keepdims=True)
        views = {"evalx": mask, "all": np.ones_like(mask), "rest": ~mask, "random": drawn}
        self._cross_fit(views | {"random rest": ~drawn})

    def _model_predictions(self, rows: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Probabilities (m, C) or numbers (m, 1) that the model itself predicts from the cells of a mask."""
        task, scores = self.model._task, self.model._model.scores(self.matrix[rows], mask)
        if self.classes is None:
            return (task.predict(scores)[:, None] - self.shift) / self.scale
        return task.probabilities(scores)

    # --- predictors ------------------------------------------------------------------------------

    def _cross_fit(self, views: Mapping[str, np.ndarray]) -> None:
        """Let each half of the rows be answered by predictors fitted on the other.

        Beside those of EVAL-X to the views (n, d) there are ``"own masks"``, of a predictor fitted on rows
        with their own masks, and of gradient boosting ``"mask only"`` and ``"boosted"``, from all cells.
        `model_advantage` is how much less than EVAL-X the model loses where masks are exchanged.
        """
        others = ("own masks", "mask only", "boosted")
        self.answers = {name: np.zeros(self.own.shape) for name in [*views, *others]}
        advantages = []
        for train, test in (self.halves, self.halves[::-1]):
            evalx, with_own_masks = self._fit(train)
            for name, view in views.items():
                self.answers[name][test] = self._predict_masked(evalx, test, view[test])
            self.answers["own masks"][test] = self._predict_masked(with_own_masks, test, self.mask[test])
            self.answers["mask only"][test] = self._predict_boosted(self.mask.astype(np.float32), train, test)
            self.answers["boosted"][test] = self._predict_boosted(self.x, train, test)
            rows, bearers = self._exchange(test)
            if not len(rows):  # no mask fits another row
                continue
            mask = self.mask[bearers]
            fresh, own = self._predict_masked(evalx, rows, mask), self._model_predictions(rows, mask)
            advantages.append(losses(fresh, self.y[rows]) - losses(own, self.y[rows]))
        self.model_advantage = np.concatenate([np.zeros(0), *advantages])
        self.exchanged = len(self.model_advantage) / (COPIES * len(self.y))

    def _exchange(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows (m,) and others whose masks their cells may bear: put into those, they keep them."""
        pairs, wanted = np.zeros((2, 0), dtype=int), COPIES * len(rows)
        for _ in range(ROUNDS):
            given = self.rng.permutation(rows)
            others = np.roll(given, 1)
            mask = self.mask[others]
            mixed = np.where(mask, self.matrix[given], self.matrix[others])
            kept = (self.model._model.mask(mixed) == mask).all(axis=1)
            pairs = np.hstack([pairs, [given[kept], others[kept]]])
            if pairs.shape[1] >= wanted:
                break
        return pairs[0, :wanted], pairs[1, :wanted]

    def _fit(self, rows: np.ndarray) -> list[MaskedPredictor]:
        """Train EVAL-X and a predictor that has the rows' own masks, else on the same."""
        labels = np.zeros(len(rows), dtype=int) if self.classes is None else self.y[rows]
        fit, valid = hold_out(labels, VALIDATION, self.classes is not None, self.seed)
        pairs = zip(self._training_rows(rows[fit]), self._training_rows(rows[valid]), strict=True)
        return [self._train(*pair, len(rows)) for pair in pairs]

    def _training_rows(self, rows: np.ndarray) -> list[dict[str, np.ndarray]]:
        """Rows, repeated, with masks of others and with their own; random ones where too few are found."""
        given, others = self._exchange(rows)
        rest = np.resize(rows, COPIES * len(rows) - len(given))
        drawn = self.rng.rand(len(rest), self.mask.shape[1]) < self.rng.rand(len(rest), 1)
        index = np.concatenate([given, rest])
        shared = {
            "x": self.x[index],
            "y": self.y[index].astype(np.int64 if self.link == "softmax" else np.float32),
            "weight": np.ones(len(index), dtype=np.float32),
        }
        return [
            shared | {"mask": np.vstack([self.mask[bearers], drawn]).astype(np.float32)}
            for bearers in (others, given)
        ]

    def _train(self, rows: Arrays, validation: Arrays, n: int) -> MaskedPredictor:
        theirs = self.model._layer_sizes()
        hidden = theirs if sum(theirs) > sum(HIDDEN) else HIDDEN
        n_outputs = self.own.shape[1] if self.link == "softmax" else 1
        groups, n_columns = torch.from_numpy(self.units.groups), self.mask.shape[1]
        module = MaskedPredictor(hidden, groups, n_columns, n_outputs, generator_of(self.seed))
        train_on_masks(
            module,
            rows,
            self.link,
            Settings(
                max_epochs=EPOCHS,
                batch_size=int(np.clip(n // 16, *BATCH_SIZES)),
                lr=LR,
                weight_decay=DECAY,
                early_stopping=True,
                device=self.model.device,
            ),
            own=True,  # masks were exchanged already
            validation=validation,
            random_state=self.seed,
        )
        return module.cpu().eval()

    def _predict_masked(self, module: MaskedPredictor, rows: np.ndarray, mask: np.ndarray) -> np.ndarray:
        x, shown = torch.from_numpy(self.x[rows]), torch.from_numpy(mask.astype(np.float32))
        with torch.no_grad(), limit_threads():
            scores = module(x, shown).double().numpy()
        if self.link == "logit":
            return np.hstack([expit(-scores), expit(scores)])
        return scores if self.classes is None else softmax(scores, axis=1)

    def _predict_boosted(self, cells: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        from lightgbm import LGBMClassifier, LGBMRegressor

        kind = LGBMRegressor if self.classes is None else LGBMClassifier
        booster = kind(num_leaves=15, n_jobs=1, verbose=-1, random_state=self.seed)
        booster.fit(cells[train], self.y[train])
        if self.classes is None:
            return np.asarray(booster.predict(cells[test])).reshape(-1, 1)
        answers = np.zeros((len(test), len(self.classes)))
        answers[:, booster.classes_] = booster.predict_proba(cells[test])
        return answers

    # --- figures ---------------------------------------------------------------------------------

    def losses_and_scores(self) -> dict[str, Any]:
        """Compare what predictors lose and score."""
        constant = np.full_like(self.own, self.y.mean())
        if self.classes is not None:
            constant[:] = np.bincount(self.y, minlength=len(self.classes)) / len(self.y)
        n, lost = len(self.y), {name: losses(answers, self.y) for name, answers in self.answers.items()}
        gains = [losses(constant, self.y) - lost[judge] for judge in ("evalx", "own masks")]
        advantage = self.model_advantage
        advantage = advantage if advantage.size and advantage.mean() > 0 else np.zeros(1)
        differences = {
            "leak": [lost["evalx"] - lost["own masks"]],
            "unsupported": [lost["evalx"] - losses(self.own, self.y), -advantage],
            "missing": [lost["evalx"] - min(lost["all"], lost["boosted"], key=np.mean)],
        }
        result: dict[str, Any] = {"metric": METRICS[self.link], "n_rows": n, "exchanged": self.exchanged}
        result["learnt_error"] = float(max(gains, key=np.mean).std() / np.sqrt(n))
        for name, parts in differences.items():
            result[name] = float(sum(part.mean() for part in parts))
            # an exchange repeats rows
            variance = sum(part.var() / min(len(part), n) for part in parts)
            result[f"{name}_error"] = float(np.sqrt(variance))
        every = {
            "constant": constant,
            "own": self.own,
            "evalx": self.answers["evalx"],
            "mask_only": self.answers["mask only"],
        }
        result |= {f"{name}_score": score(self.y, answers, self.link) for name, answers in every.items()}
        result |= {f"{name}_loss": float(losses(every[name], self.y).mean()) for name in list(every)[:3]}
        return result


def check_audit_parameters(n_refits: int, max_rows: int) -> None:
    if not isinstance(n_refits, Integral) or n_refits < 0 or n_refits == 1:
        raise ValueError(f"n_refits is {n_refits!r}; expected 0, or an integer of at least 2 to compare.")
    if not isinstance(max_rows, Integral) or max_rows < FEWEST_ROWS:
        raise ValueError(f"max_rows is {max_rows!r}; expected an integer of at least {FEWEST_ROWS}.")


def encode_target(task: Task, y: np.ndarray) -> np.ndarray:
    """Encode a target, in which there must be something to tell apart."""
    encoded = task.encode(y)
    if task.classes is None:
        if np.ptp(encoded) == 0:
            raise ValueError(f"y is {encoded[0]} in all rows; expected numbers that vary.")
    elif (np.bincount(encoded) >= 2).sum() < 2:
        raise ValueError(f"y holds {np.unique(y).tolist()}; expected at least two labels, each in two rows.")
    return encoded


def _stability(
    model: Any,
    X: Any,
    y: np.ndarray,
    halves: tuple[np.ndarray, np.ndarray],
    n_refits: int,
    rng: np.random.RandomState,
) -> float:
    """Mean Jaccard index, over one half of the rows, of the masks of clones fitted on the other half."""
    fit, compared = (_safe_indexing(X, half) for half in halves)
    masks = []
    for seed in rng.randint(2**31 - 1, size=n_refits).tolist():
        refit = clone(model).set_params(random_state=seed)
        with REPORTED_ELSEWHERE.on():
            masks.append(refit.fit(fit, y[halves[0]]).get_rationale(compared))
    return float(np.mean([jaccard(a, b) for a, b in combinations(masks, 2)])) if masks else float("nan")
