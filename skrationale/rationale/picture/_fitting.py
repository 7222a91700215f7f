"""From pictures to a model: a predictor for all masks, what patches add to it, and an answer from a few."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..._task import Task
from ...training import (
    Settings,
    TrainResult,
    epochs_for,
    row_losses,
    seeded,
    standardise_target,
    validation_split,
)
from ...units import MaskRule
from .._price import choose_price, price_records
from .._refit import train_on_masks
from ._constants import (
    BATCH_SHARE,
    DECAY,
    EPOCHS,
    GATE_PRICE,
    LAST_EPOCHS,
    LEAST_GATE_PRICE,
    MOST_COUNTS,
    OPEN,
    PREDICTOR_LR,
    SELECTED_SHARE,
    START_SHARE,
    STEPS,
    TOLERANCE,
    VALUE_DECAY,
    VALUE_EPOCHS,
    VALUE_LR,
    WHOLE_SHARE,
)
from ._model import PictureModel, asked_values, explained, in_parts, standard_values
from ._nets import MaskedPictures
from ._plan import NetPlan, state_of
from ._stages import train_on_gates, train_on_known, train_on_values
from ._teacher import AskedTeacher, TeacherOfPictures, move_some
from ._warnings import warn_if_dim, warn_if_worse


@dataclass
class PictureFitting:
    """Stages of a fit.

    First a predictor learns from whole pictures, then from random masks; it never sees a picture's own mask,
    so that it cannot agree with a selector on a code. A selector learns what masks do to this predictor,
    which no longer changes, or the predictor's gradients with respect to masks are used. At last the
    predictor goes on with masks that were selected for other pictures.

    Parameters
    ----------
    parameters : estimator
        Read for its hyper-parameters.
    plan : NetPlan
        Builds the networks.
    matrix : ndarray of shape (n, C*H*W)
        Flat pictures.
    y : ndarray of shape (n,)
        Targets as the task encodes them.
    weight : ndarray of shape (n,)
        Weights of mean 1.
    task : Task
        What is predicted.
    seed : int
        Seed of everything drawn.
    teacher : TeacherOfPictures or None
        What is learnt from a teacher.
    """

    parameters: Any
    plan: NetPlan
    matrix: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    task: Task
    seed: int
    teacher: TeacherOfPictures | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    path: list[dict[str, Any]] = field(default_factory=list)
    """Of the numbers of patches that were compared."""
    prices: list[dict[str, Any]] = field(default_factory=list)
    """Of the prices of a gate that were compared."""
    device: str = "cpu"
    selection: str = ""
    """How patches get their values: first as asked, then as chosen."""

    def __post_init__(self) -> None:
        p = self.parameters
        self.selection = p.selection
        self.fit, self.valid = validation_split(
            self.y, p.validation_fraction, self.task.is_classification, self.seed
        )
        batch_size = max(min(int(p.batch_size) // BATCH_SHARE, len(self.fit) // 16), 1)
        self.epochs = epochs_for(p.max_epochs, len(self.fit), batch_size, steps=STEPS, limits=EPOCHS)
        self.settings = Settings.of(p).replace(
            max_epochs=self.epochs, batch_size=batch_size, early_stopping=False
        )
        self.y, self.shift, self.scale, self.base, self.constant_loss = standardise_target(
            self.y, self.weight, self.task.classes, self.task.n_outputs
        )
        channels = self.plan.image_shape[0]
        pixels = self.matrix.reshape(len(self.matrix), channels, -1)
        self.pixel_shift = np.average(pixels.mean(axis=2), axis=0, weights=self.weight)
        squares = ((pixels - self.pixel_shift[:, None]) ** 2).mean(axis=2)
        deviation = np.sqrt(np.average(squares, axis=0, weights=self.weight))
        self.pixel_scale = np.where(deviation > 0, deviation, 1.0)
        shifted = (pixels - self.pixel_shift[:, None]) / self.pixel_scale[:, None]
        self.x = shifted.astype(np.float32).reshape(-1, *self.plan.image_shape)

    @property
    def n_units(self) -> int:
        """Number L of patches."""
        return self.plan.grid[0] * self.plan.grid[1]

    # --- stages ----------------------------------------------------------------------------------

    def run(self) -> PictureModel:
        """Go through all stages."""
        if not self.scale.any() or not self.constant_loss or (self.x == self.x[:1]).all():
            self.selection = "learned" if self.selection == "auto" else self.selection
            return self._model(None, None, None, MaskRule())
        judge = self._judge()
        selector, values = self._select(judge)
        rule = self._rule(judge, values)
        predictor = self._refit(copy.deepcopy(judge), rule(values))
        return self._model(judge, selector, predictor, rule)

    def _judge(self) -> MaskedPictures:
        """Learn to predict from whole pictures, then from random masks."""
        with seeded(self.seed):
            module = self.plan.new_predictor()
        everything = np.ones((len(self.x), self.n_units), dtype=bool)
        rows, lost = self._rows(self.fit, everything), []
        share, teacher = self._share_of_labels(), self._asked()
        for name, whole, part in (
            ("whole pictures", 1.0, WHOLE_SHARE),
            ("random masks", 0.0, 1 - WHOLE_SHARE),
        ):
            cached = whole and teacher is None and "teacher_scores" in rows
            result = train_on_masks(
                module,
                rows,
                self.task.link,
                self._settings(PREDICTOR_LR, part, DECAY),
                own=True,
                selected_share=whole,
                share_of_labels=share if teacher is not None or cached else 1.0,
                teacher=teacher,
                vary=move_some,
                global_draws=self._draws,
                random_state=self.seed + 1,
            )
            self._record(name, result)
            lost.append(self._losses(module, self.valid, everything[self.valid]))
        warn_if_worse(lost[0], lost[1], self.constant_loss)
        return module

    def _select(self, judge: MaskedPictures) -> tuple[nn.Module | None, np.ndarray]:
        """Value the patches (n, L) of all pictures, by a selector where one is better or asked for."""
        asked = self.selection = self._as_told() if self.selection == "auto" else self.selection
        if asked == "gates":
            selector = self._gates(judge)
            return selector, in_parts(selector, selector, self.x)
        if asked == "occlusion":
            return None, asked_values(asked, judge, self.x, self.task.link)
        slopes = self._slopes(judge)
        if asked == "mask_gradients":
            return None, slopes
        selector = self._selector(judge, slopes)
        values = in_parts(selector, selector, self.x)
        if asked == "learned" or not slopes.any() or self._is_better(judge, values, slopes):
            self.selection = "learned"
            return selector, values
        self.selection = "mask_gradients"
        return None, slopes

    def _as_told(self) -> str:
        """Give the way in which patches are valued where it need not be found: "auto" where it must be."""
        if self.plan.selector is not None:
            return "learned"
        teacher = self.teacher
        if teacher is None or teacher.values is None or teacher.model is None:
            return "auto"
        imitable = teacher.model.selection != "mask_gradients" or teacher.distillation.distill == "rationale"
        return "learned" if imitable else "mask_gradients"

    def _slopes(self, judge: MaskedPictures) -> np.ndarray:
        """Give gradients of masks (n, L); 0 for a user's network that has none."""
        try:
            slopes = asked_values("mask_gradients", judge, self.x, self.task.link)
        except RuntimeError:  # of torch, where an operation has no derivative
            if self.plan.backbone is None:
                raise
            slopes = np.zeros((len(self.x), self.n_units))
        if self.plan.backbone is not None and not slopes.any() and self.selection == "mask_gradients":
            raise ValueError(
                "`backbone` gives scores without a gradient with respect to its input, which "
                "selection='mask_gradients' needs. Set selection='learned' or 'occlusion'."
            )
        return slopes

    def _is_better(self, judge: MaskedPictures, values: np.ndarray, others: np.ndarray) -> bool:
        """Whether patches chosen by values (n, L) are better for the judge than those chosen by others.

        Those with more right answers on held-out pictures are better, or for numbers with a lower loss. If
        these differ by at most one standard error, fewer patches are better, and then a lower loss.
        """
        (rows, weight), rules = self._judging(), []
        losses, right = [], []
        for own in (values, others):
            rules.append(self._rule(judge, own))
            scores = self._judged(judge, rows, rules[-1](own[rows]))
            losses.append(self._lost(scores, rows) * weight)
            hits = explained(scores, self.task.link).numpy() == self.y[rows]
            right.append(hits * weight if self.task.is_classification else -losses[-1])
        more = right[0] - right[1]
        if abs(more.mean()) > more.std() / math.sqrt(len(more)):
            return bool(more.mean() > 0)
        if rules[0].k != rules[1].k:
            return (rules[0].k or 0) < (rules[1].k or 0)
        return bool(losses[0].mean() <= losses[1].mean())

    def _judging(self) -> tuple[np.ndarray, np.ndarray]:
        """Give pictures to judge by, held out where any are, and their weights of mean 1."""
        rows = self.valid if self.valid.size else self.fit
        return rows, self.weight[rows] / self.weight[rows].mean()

    def _selector(self, judge: MaskedPictures, slopes: np.ndarray) -> nn.Module:
        """Learn what each patch adds to the answers of the judge, first from gradients of masks (n, L)."""
        with seeded(self.seed + 2):
            module = self.plan.new_selector(judge)
        begun = START_SHARE if slopes.any() else 0.0
        if begun:
            known = standard_values(slopes) * slopes.std(axis=1).mean()
            result = train_on_known(
                module,
                self._rows(self.fit) | {"known": known[self.fit].astype(np.float32)},
                self._settings(VALUE_LR, VALUE_EPOCHS * begun, VALUE_DECAY),
                ends=begun,
                **self._selecting(),
            )
            self._record("gradients of masks", result)
        everything = np.ones((len(self.fit), self.n_units), dtype=bool)
        whole = torch.from_numpy(in_parts(judge, judge, self.x[self.fit], everything))
        result = train_on_values(
            module,
            judge,
            self._rows(self.fit) | {"target": explained(whole, self.task.link).numpy()},
            self.task.link,
            self._settings(VALUE_LR, VALUE_EPOCHS * (1 - begun), VALUE_DECAY),
            begun=begun,
            **self._selecting(),
        )
        self._record("selection", result)
        return module.eval()

    def _gates(self, judge: MaskedPictures) -> nn.Module:
        """Learn gates of patches; validation pictures choose the price, by what hard masks lose."""
        with seeded(self.seed + 2):
            module = self.plan.new_selector(judge)
        result, states = train_on_gates(
            module,
            judge,
            self._rows(self.fit),
            self.task.link,
            self._settings(VALUE_LR, VALUE_EPOCHS, VALUE_DECAY),
            price=GATE_PRICE * self.constant_loss,
            **self._selecting(),
        )
        self._record("selection", result)
        module.eval()
        (rows, weight), losses = self._judging(), []
        for state in states:
            module.load_state_dict(state)
            values = in_parts(module, module, self.x[rows])
            losses.append(self._losses(judge, rows, self._rule(judge, values)(values)) * weight)
        prices = GATE_PRICE * (np.arange(1, len(states) + 1) / len(states)) ** 2
        best = int(np.mean(losses, axis=1).argmin())
        if self.parameters.max_features is None:
            tolerance = TOLERANCE * self.constant_loss
            best = choose_price(prices, np.array(losses), GATE_PRICE, LEAST_GATE_PRICE, tolerance)
        self.prices = price_records(prices, np.array(losses), best)
        module.load_state_dict(states[best])
        warn_if_dim(in_parts(module, module, self.x))
        return module

    def _selecting(self) -> dict[str, Any]:
        """Give what the stages of selectors share: weights of their terms, and their draws."""
        distillation = None if self.teacher is None else self.teacher.distillation
        return {
            "own_share": 1.0 if distillation is None else distillation.alpha,
            "teacher_weight": 0.0 if distillation is None else distillation.rationale_lambda,
            "global_draws": self._draws,
            "random_state": self.seed + 2,
        }

    def _rule(self, judge: MaskedPictures, values: np.ndarray) -> MaskRule:
        wanted = self.parameters.max_features
        if isinstance(wanted, Integral):
            return MaskRule.fitted(values, None, int(wanted))
        if wanted is not None:
            return MaskRule.fitted(values, float(wanted) * self.n_units, None)
        if self.parameters.selection == "gates":
            return MaskRule(threshold=-OPEN)
        return MaskRule(k=self._fewest(judge, values))

    def _fewest(self, judge: MaskedPictures, values: np.ndarray) -> int:
        """Find how few patches are nearly as good, by pictures that were held out, as any other number."""
        (rows, weight), losses = self._judging(), []
        counts = np.unique(np.linspace(1, self.n_units, MOST_COUNTS).round().astype(int))
        for count in counts:
            mask = MaskRule(k=int(count))(values[rows])
            losses.append(self._losses(judge, rows, mask) * weight)
        means = np.mean(losses, axis=1)
        apart = np.array(losses) - losses[int(means.argmin())]
        errors = apart.std(axis=1) / math.sqrt(len(rows))
        good = means - means.min() <= np.maximum(errors, TOLERANCE * self.constant_loss)
        found = int(good.argmax())
        self.path = [
            {
                "max_features": int(k),
                "validation_loss": float(m),
                "standard_error": float(e),
                "selected": i == found,
            }
            for i, (k, m, e) in enumerate(zip(counts, means, errors, strict=True))
        ]
        return int(counts[found])

    def _losses(self, module: MaskedPictures, rows: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return self._lost(self._judged(module, rows, mask), rows) if rows.size else np.zeros(0)

    def _judged(self, module: MaskedPictures, rows: np.ndarray, mask: np.ndarray) -> Tensor:
        return torch.from_numpy(in_parts(module, module, self.x[rows], mask))

    def _lost(self, scores: Tensor, rows: np.ndarray) -> np.ndarray:
        return row_losses(scores, torch.from_numpy(self.y[rows]), self.task.link).numpy()

    def _refit(self, module: MaskedPictures, mask: np.ndarray) -> MaskedPictures:
        """Go on with masks that were selected for other pictures."""
        module.requires_grad_(True)
        every = np.arange(len(self.x))
        stopping = bool(self.parameters.early_stopping and self.valid.size)
        teacher = self._asked()
        result = train_on_masks(
            module,
            self._rows(self.fit if stopping else every, mask),
            self.task.link,
            self._settings(PREDICTOR_LR, LAST_EPOCHS, DECAY, stopping=stopping),
            selected_share=SELECTED_SHARE,
            share_of_labels=self._share_of_labels() if teacher is not None else 1.0,
            teacher=teacher,
            vary=move_some,
            global_draws=self._draws,
            validation=self._rows(self.valid, mask) if stopping else None,
            random_state=self.seed + 3,
        )
        self._record("prediction", result)
        return module

    # --- what stages share -----------------------------------------------------------------------

    @property
    def _draws(self) -> bool:
        """Whether networks of a user may draw from torch's global generators."""
        return self.plan.backbone is not None or self.plan.selector is not None

    def _asked(self) -> Callable[[Tensor, Tensor], Tensor] | None:
        """Give the teacher that is asked about what the student sees."""
        teacher = self.teacher
        if teacher is None or teacher.model is None or teacher.distillation.distill == "rationale":
            return None
        return AskedTeacher(teacher.model, self.pixel_shift, self.pixel_scale, self.shift, self.scale)

    def _share_of_labels(self) -> float:
        """Weight of the labels in the losses of predictors, the rest being that of the teacher."""
        if self.teacher is None or self.teacher.distillation.distill == "rationale":
            return 1.0
        alpha = self.teacher.distillation.alpha
        return 0.5 if alpha == "anneal" else float(alpha)

    def _rows(self, rows: np.ndarray, mask: np.ndarray | None = None) -> dict[str, np.ndarray]:
        kind = np.int64 if self.task.link == "softmax" else np.float32
        found = {
            "x": self.x[rows],
            "y": self.y[rows].astype(kind),
            "weight": self.weight[rows].astype(np.float32),
        }
        if mask is not None:
            found["mask"] = mask[rows].astype(np.float32)
        teacher = self.teacher
        if teacher is None:
            return found
        if teacher.scores is not None and mask is not None:
            scores = (teacher.scores[rows] - self.shift) / np.where(self.scale > 0, self.scale, 1.0)
            found["teacher_scores"] = scores.astype(np.float32)
        if teacher.values is not None and mask is None:
            found["teacher_values"] = standard_values(teacher.values[rows]).astype(np.float32)
        return found

    def _settings(self, lr: float, epochs: float, decay: float, *, stopping: bool = False) -> Settings:
        """Give the settings of a stage; learning rate and epochs are factors of those that were asked for."""
        given = self.parameters.weight_decay
        return self.settings.replace(
            lr=lr * self.settings.lr,
            max_epochs=math.ceil(epochs * self.epochs),
            weight_decay=decay if given == "auto" else float(given),
            early_stopping=stopping,
        )

    def _model(
        self,
        judge: MaskedPictures | None,
        selector: nn.Module | None,
        predictor: MaskedPictures | None,
        rule: MaskRule,
    ) -> PictureModel:
        return PictureModel(
            self.plan,
            self.pixel_shift,
            self.pixel_scale,
            state_of(judge),
            state_of(selector),
            state_of(predictor),
            self.selection,
            rule,
            self.task.link,
            self.shift,
            self.scale,
            self.base,
        )

    def _record(self, stage: str, result: TrainResult) -> None:
        self.history += [{"stage": stage} | row for row in result.history]
        self.device = result.device
