"""From rows to a model: which columns matter at all, which in each row, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .._task import Task
from ..tabular import TableEncoder
from ..training import (
    Settings,
    TrainResult,
    epochs_for,
    generator_of,
    get_state,
    standardise_target,
    validation_split,
)
from ..units import MaskRule, constant_fill
from ._constants import (
    AUXILIARY_WIDTH,
    EPOCHS,
    FEW_COLUMNS,
    LEAST_PRICE,
    MANY_ROWS,
    N_PIECES,
    PAPER_LAMBDA,
    PAPER_RATE,
    PERHAPS,
    RATE_PRICE,
    REFIT_DECAY,
    REFIT_EPOCHS,
    REFIT_LR,
    SCREENING_EPOCHS,
    SCREENING_LR,
    SCREENING_POWER,
    SCREENING_PRICE,
    SELECTED_SHARE,
    SELECTION_POWER,
    STEPS,
    TOLERANCE,
    USUAL_PRICE,
    WITH_FEW_ROWS,
    WITH_MANY_ROWS,
)
from ._encoded import EncodedColumns
from ._joint import (
    Arrays,
    Distillation,
    GiveUp,
    JointLoss,
    evaluate_snapshots,
    logits_of,
    snapshot_epochs,
    train_joint,
)
from ._model import RationaleModel, State
from ._network import ConstantSelector, MaskedPredictor, SelectAndPredict, mlp
from ._price import PricePath, choose_price, is_below
from ._refit import train_on_masks


@dataclass(frozen=True)
class TeacherTargets:
    """What a student learns from a teacher in the training rows, and how."""

    distillation: Distillation
    scores: np.ndarray
    """Scores (n, K)."""
    logits: np.ndarray | None
    """Of each column (n, d) how much the teacher wants it."""
    columns: np.ndarray | None
    """Columns (c,) that the teacher selects at all."""


@dataclass
class Fitting:
    """Stages of a fit over the rows of one table.

    Parameters
    ----------
    parameters : estimator
        Read for its hyper-parameters.
    encoder : TableEncoder
        Encodes the rows.
    matrix : ndarray of shape (n, d)
        Rows as numbers and codes.
    y : ndarray of shape (n,)
        Targets as the task encodes them.
    weight : ndarray of shape (n,)
        Weights of mean 1.
    task : Task
        What is predicted.
    seed : int
        Seed of everything drawn.
    teacher_targets : TeacherTargets or None
        What is learnt from a teacher.
    """

    parameters: Any
    encoder: TableEncoder
    matrix: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    task: Task
    seed: int
    teacher_targets: TeacherTargets | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    path: list[dict[str, Any]] = field(default_factory=list)
    device: str = "cpu"

    def __post_init__(self) -> None:
        p = self.parameters
        self.n_columns = self.matrix.shape[1]
        self.paper = getattr(p, "preset", None) == "paper"
        self.marginal = p.fill == "marginal" and not self.paper
        self.fit, self.valid = validation_split(
            self.y, p.validation_fraction, self.task.is_classification, self.seed
        )
        self.many_rows = len(self.fit) >= MANY_ROWS
        self.plan = WITH_MANY_ROWS if self.many_rows else WITH_FEW_ROWS
        batch_size = max(min(int(p.batch_size), len(self.fit) // 16), 1)
        self.epochs = epochs_for(p.max_epochs, len(self.fit), batch_size, steps=STEPS, limits=EPOCHS)
        self.settings = Settings.of(p).replace(
            max_epochs=self.epochs, batch_size=batch_size, early_stopping=False
        )
        self.y, self.shift, self.scale, self.base, self.constant_loss = standardise_target(
            self.y, self.weight, self.task.classes, self.task.n_outputs
        )

    # --- stages ----------------------------------------------------------------------------------

    def run(self) -> RationaleModel:
        """Go through all stages."""
        every = self._encode(np.arange(self.n_columns))
        varying = every.units.varying(every.x)
        if not varying.size or not self.scale.any() or not self.constant_loss:
            return self._model(every.take(varying[:0]), {}, {}, MaskRule(), None)
        encoded = every.take(varying)
        if self.paper:
            return self._as_in_the_paper(encoded)
        encoded, state, rule = self._select(every.take(self._screen(encoded)))
        predictor = self._refit(encoded, state, rule)
        return self._model(encoded, state, get_state(predictor), rule, None)

    def _encode(self, columns: np.ndarray, n_pieces: int = 0) -> EncodedColumns:
        encoder = self.encoder
        if n_pieces:
            encoder = TableEncoder(n_pieces=n_pieces).fit_matrix(encoder.reader, self.matrix, self.weight)
        return EncodedColumns.of(encoder, self.matrix, columns)

    def _screen(self, encoded: EncodedColumns) -> np.ndarray:
        """Leave out columns that no row needs: gates that are the same for all rows learn first."""
        columns = encoded.columns
        targets, fewest = self.teacher_targets, math.ceil(self._n_wanted() or 1)
        if targets is not None and targets.columns is not None:
            selected = np.intersect1d(columns, targets.columns)
            return selected if selected.size >= fewest else columns
        few = not self.many_rows and len(columns) <= FEW_COLUMNS
        if not self.parameters.screening or not self.valid.size or len(columns) < 2 or few:
            return columns
        gates = ConstantSelector(len(columns))
        module = self._module(encoded, gates, 0)
        price = SCREENING_PRICE * self.constant_loss
        loss = JointLoss(self.task.link, "soft", (1.0, 1.0), "count", price, 0.0, SCREENING_POWER)
        snapshots = self._train(
            module, loss, encoded, "screening", SCREENING_LR, SCREENING_EPOCHS, self._decays()[0]
        )
        _, losses = self._evaluate(module, snapshots, encoded, None, None)
        module.load_state_dict(snapshots[int(losses.mean(axis=1).argmin())])
        logits = gates.logits.detach().cpu().numpy()
        rank = np.argsort(np.argsort(-logits, kind="stable"), kind="stable")
        return columns[(logits > 0) | (rank < fewest)]

    def _select(self, plain: EncodedColumns) -> tuple[EncodedColumns, State, MaskRule]:
        """Learn which of the columns a row needs, and at which price; see numbers as that does best."""
        if not self.valid.size:
            module, _, _ = self._path(plain, self._decays()[0])
            rule = MaskRule.fitted(self._logits(module, plain), self._count(), self._k())
            return plain, get_state(module.selector), rule
        least = self._least()
        tolerance = TOLERANCE * self.constant_loss if least else 0.0
        paths = [self._evaluated_path(plain, decay) for decay in self._decays()]
        path = min(paths, key=lambda path: path.best_losses(least).mean())
        piecewise = self._encode(plain.columns, N_PIECES) if self.many_rows else plain
        if piecewise.x.shape[1] > plain.x.shape[1]:
            other = self._evaluated_path(piecewise, self._decays()[0], path)
            path = other if other.snapshots and other.clearly_below(path, least) else path
        best = choose_price(path.prices, path.losses, USUAL_PRICE, least, tolerance)
        self.path = path.to_records(best)
        path.module.load_state_dict(path.snapshots[best])
        return path.encoded, get_state(path.module.selector), path.rules[best]

    def _evaluated_path(self, encoded: EncodedColumns, decay: float, rival: Any = None) -> PricePath:
        module, snapshots, prices = self._path(encoded, decay, rival)
        rules, losses = self._evaluate(module, snapshots, encoded, self._count(), self._k())
        return PricePath(encoded, module, snapshots, prices, rules, losses)

    def _path(
        self, encoded: EncodedColumns, decay: float, rival: Any = None
    ) -> tuple[SelectAndPredict, list[dict[str, Tensor]], np.ndarray]:
        """Train selector and predictor; give them, their states on the way, and the price of each state.

        A training that is behind a rival ends early, and gives no state.
        """
        p, count = self.parameters, self._count()
        chooses = p.sparsity_lambda == "auto" and self.valid.size > 0
        price = USUAL_PRICE if p.sparsity_lambda == "auto" else float(p.sparsity_lambda)
        if chooses:
            price = self.plan.price if count is None else RATE_PRICE
        module = self._module(encoded, self._selector(encoded), 1)
        loss = JointLoss(
            self.task.link,
            p.relaxation,
            tuple(p.temperature),
            "count" if count is None else "excess",
            price * self.constant_loss,
            0.0 if count is None else count,
            SELECTION_POWER,
            distillation=None if self.teacher_targets is None else self.teacher_targets.distillation,
        )
        ends = snapshot_epochs(self.epochs)
        judge = GiveUp(ends[len(ends) // 3], lambda: self._is_behind(module, encoded, rival))
        early = [judge] * (rival is not None)
        snapshots = self._train(module, loss, encoded, "selection", self.plan.lr, 1.0, decay, early)
        snapshots = [] if judge.gave_up else snapshots
        share = np.arange(1, len(snapshots) + 1) / len(ends)
        if not chooses:
            snapshots, share = snapshots[-1:], share[-1:]
        return module, snapshots, price * share**SELECTION_POWER

    def _is_behind(self, module: SelectAndPredict, encoded: EncodedColumns, rival: PricePath) -> bool:
        losses = self._evaluate(module, [module.state_dict()], encoded, self._count(), self._k())[1][0]
        return not is_below(losses, rival.best_losses(self._least()), PERHAPS)

    def _least(self) -> float:
        """Lowest price that is looked at."""
        free = self._n_wanted() is None and self.parameters.sparsity_lambda == "auto"
        return LEAST_PRICE if free else 0.0

    def _decays(self) -> tuple[float, ...]:
        given = self.parameters.weight_decay
        return self.plan.decays if given == "auto" else (float(given),)

    def _refit(self, encoded: EncodedColumns, selector: State, rule: MaskRule) -> MaskedPredictor:
        """Learn to predict from the cells that hard masks show."""
        p = self.parameters
        model = self._model(encoded, selector, {}, rule, None)
        mask = model.mask(self.matrix)[:, encoded.columns].astype(np.float32)
        groups, n_columns, n_outputs = (
            torch.from_numpy(encoded.units.groups),
            len(encoded.columns),
            self.task.n_outputs,
        )
        generator = generator_of(self.seed + 2)
        module = MaskedPredictor(p._layer_sizes(), groups, n_columns, n_outputs, generator)
        share = 1.0
        if self.teacher_targets is not None and self.teacher_targets.distillation.distill != "rationale":
            alpha = self.teacher_targets.distillation.alpha
            share = 0.5 if alpha == "anneal" else float(alpha)
        rows, validation = self._stopping(self._rows(encoded) | {"mask": mask})
        result = train_on_masks(
            module,
            rows,
            self.task.link,
            self._settings(REFIT_LR, REFIT_EPOCHS, REFIT_DECAY, stopping=validation is not None),
            selected_share=SELECTED_SHARE,
            share_of_labels=share,
            validation=validation,
            random_state=self.seed + 2,
        )
        self._record("prediction", result)
        return module

    def _as_in_the_paper(self, encoded: EncodedColumns) -> RationaleModel:
        """Drawn gates, zeros in hidden cells, a target for the batch's mean count, one training."""
        p, n = self.parameters, self.n_columns
        wanted = self._n_wanted()
        price = PAPER_LAMBDA if p.sparsity_lambda == "auto" else float(p.sparsity_lambda)
        module = self._module(encoded, self._selector(encoded), 1)
        target = PAPER_RATE * n if wanted is None else wanted
        loss = JointLoss(self.task.link, "gumbel", tuple(p.temperature), "squared", price, target, power=0.0)
        rows, validation = self._stopping(self._rows(encoded))
        result, _ = train_joint(
            module,
            loss,
            rows,
            self._settings(1.0, 1.0, self._decays()[0], stopping=validation is not None),
            marginal=False,
            schedule=None,
            validation=validation,
            random_state=self.seed + 1,
        )
        self._record("selection", result)
        rule = MaskRule.fitted(self._logits(module, encoded), None, self._k())
        fill = module.fill.detach().cpu().numpy()
        return self._model(encoded, get_state(module.selector), get_state(module.predictor), rule, fill)

    # --- what stages share -----------------------------------------------------------------------

    def _count(self) -> float | None:
        """Mean number of columns wanted by a rate."""
        wanted = self.parameters.max_features
        return None if wanted is None or isinstance(wanted, Integral) else float(wanted) * self.n_columns

    def _k(self) -> int | None:
        wanted = self.parameters.max_features
        return int(wanted) if isinstance(wanted, Integral) else None

    def _n_wanted(self) -> float | None:
        """Columns a row, by rate or number."""
        k = self._k()
        return self._count() if k is None else float(k)

    def _model(
        self,
        encoded: EncodedColumns,
        selector: State,
        predictor: State,
        rule: MaskRule,
        fill: np.ndarray | None,
    ) -> RationaleModel:
        return RationaleModel(
            encoded.encoder,
            encoded.columns,
            self.parameters._layer_sizes(),
            selector,
            predictor,
            rule,
            fill,
            self.shift,
            self.scale,
            self.base,
        )

    def _module(self, encoded: EncodedColumns, selector: nn.Module, stage: int) -> SelectAndPredict:
        groups = torch.from_numpy(encoded.units.groups)
        kind = "zero" if self.paper else self.parameters.fill
        fill = torch.from_numpy(constant_fill(kind, encoded.x, self.weight)).float()
        generator = generator_of(self.seed + 10 + stage)
        predictor = mlp(len(groups), self._auxiliary(), self.task.n_outputs, generator)
        return SelectAndPredict(selector, predictor, groups, fill, kind == "token")

    def _selector(self, encoded: EncodedColumns) -> nn.Module:
        sizes = self.parameters._layer_sizes()
        return mlp(encoded.units.n_inputs, sizes, len(encoded.columns), generator_of(self.seed + 1))

    def _stopping(
        self, rows: dict[str, np.ndarray]
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray] | None]:
        """Give the rows to train on, and those that early stopping looks at; None: it is not asked for."""
        if not (self.parameters.early_stopping and self.valid.size):
            return rows, None
        return _taken(rows, self.fit), _taken(rows, self.valid)

    def _auxiliary(self) -> list[int]:
        sizes = self.parameters._layer_sizes()
        return list(sizes) if self.paper else [max(size, AUXILIARY_WIDTH) for size in sizes]

    def _rows(self, encoded: EncodedColumns) -> dict[str, np.ndarray]:
        kind = np.int64 if self.task.link == "softmax" else np.float32
        rows = {
            "x": encoded.x,
            "y": self.y.astype(kind),
            "weight": self.weight.astype(np.float32),
        }
        if self.teacher_targets is not None:
            scores = (self.teacher_targets.scores - self.shift) / self.scale
            rows["teacher_scores"] = scores.astype(np.float32)
            if self.teacher_targets.logits is not None:
                rows["teacher_logits"] = self.teacher_targets.logits[:, encoded.columns].astype(np.float32)
        return rows

    def _settings(self, lr: float, epochs: float, decay: float, *, stopping: bool = False) -> Settings:
        """Give the settings of a stage; learning rate and epochs are factors of those that were asked for."""
        return self.settings.replace(
            lr=lr * self.settings.lr,
            max_epochs=math.ceil(epochs * self.epochs),
            weight_decay=decay,
            early_stopping=stopping,
        )

    def _train(
        self,
        module: SelectAndPredict,
        loss: JointLoss,
        encoded: EncodedColumns,
        name: str,
        lr: float,
        epochs: float,
        decay: float,
        callbacks: Sequence[GiveUp] = (),
    ) -> list[dict[str, Tensor]]:
        rows, settings = self._rows(encoded), self._settings(lr, epochs, decay)
        result, snapshots = train_joint(
            module,
            loss,
            _taken(rows, self.fit),
            settings.replace(callbacks=[*(settings.callbacks or ()), *callbacks]),
            marginal=self.marginal,
            validation=_taken(rows, self.valid) if self.valid.size else None,
            schedule=None,
            optimizer="adam",
            random_state=self.seed + 1,
        )
        self._record(name, result)
        return snapshots

    def _evaluate(
        self,
        module: SelectAndPredict,
        snapshots: list[dict[str, Tensor]],
        encoded: EncodedColumns,
        count: float | None,
        k: int | None,
    ) -> tuple[list[MaskRule], np.ndarray]:
        rows = self._rows(encoded)
        return evaluate_snapshots(
            module,
            snapshots,
            _taken(rows, self.fit),
            _taken(rows, self.valid),
            marginal=self.marginal,
            link=self.task.link,
            count=count,
            k=k,
            seed=self.seed,
        )

    def _logits(self, module: SelectAndPredict, encoded: EncodedColumns) -> np.ndarray:
        x = torch.as_tensor(encoded.x, device=module.groups.device)
        return logits_of(module.selector, x)

    def _record(self, stage: str, result: TrainResult) -> None:
        self.history += [{"stage": stage} | row for row in result.history]
        self.device = result.device


def _taken(rows: Arrays, index: np.ndarray) -> dict[str, np.ndarray]:
    return {name: array[index] for name, array in rows.items()}
