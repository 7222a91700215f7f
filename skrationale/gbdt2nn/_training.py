"""Train a student network on what its teacher said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..training import (
    Batch,
    Settings,
    TrainResult,
    epochs_for,
    generator_of,
    soft_losses,
    train,
    validation_split,
)
from ._bins import TeacherBins
from ._losses import explanation_loss, label_loss, score_loss
from ._monotone_network import MonotoneStudent
from ._network import StudentNetwork

# Figures of examples/benchmarks/results/gbdt2nn.md were made with these values; none with others are kept.
MAX_GRADIENT_NORM = 1.0
"""Of the loss in units of the score's standard deviation. Without clipping, training was seen to collapse on
some seeds; the value is not measured."""
SMALL_DATA, VARIANTS_SMALL, VARIANTS_LARGE = 20_000, 4, 1
"""Training rows; synthetic rows that go with each of them in an epoch, below and from so many. Not
measured."""
STEPS, STEPS_MANY, EPOCHS = 2000, 5000, (2, 200)
"""Steps of training for one score a row, and for several; least and most epochs. Measured: half the steps
lose .003 of raw-score R2 on 15,000 to 37,000 rows."""
LAYERS, LAYERS_MANY = (256, 128, 128), (384, 256, 256)
"""Units of the hidden layers for one score a row, and for several. Measured on seven classes: with LAYERS
raw scores lose .002 of R2, and .004 of the rows get another class than the teacher's; (128, 256, 256) lose
more."""
ROWS_OF_STEPS = 10_000
"""Training rows below which steps fall with their square root. Measured on 5,600 rows: 1,500 steps give what
2,000 do."""
SHARE_EXPLAINED = 0.3
"""Least part of the rows of an epoch that carry contributions: where fewer rows do, these are repeated.
Measured on a single pass through 600,000 rows of which 6,000 are explained: reasons gain .12 of R2 by it."""
PROBABILITIES, PROBABILITIES_AT_END = 10.0, 18.0
"""Weight of the loss of softmax probabilities against that of scores, in the first half of training and at
its end. Measured on seven classes, three seeds: accuracy beside the teacher's is .003 to .005 lower with 10
throughout, and .0013, .0007, .0014 and .0000 lower with 16, 18, 20 and 30 at the end; R2 of raw scores is
.99145, .99140, .99136 and .99117 with these four. Without this loss .007 more of the accuracy is lost, and 50
throughout costs .006 of R2."""


@dataclass(frozen=True)
class Targets:
    """Training rows with the teacher's answers; scores and reasons are in units of `scale` above `base`.

    Parameters
    ----------
    encoded : ndarray of shape (n, 1 + c, d')
        Bins of each row, and of c synthetic rows that go with it.
    scores : ndarray of shape (n, 1 + c, K)
        Their raw scores by the teacher.
    reasons : ndarray of shape (n, 1 + c, K, d') or (n, 1, K, d') or None
        Their contributions, or those of the rows alone, where `explained`.
    explained : ndarray of bool of shape (n,)
        Rows that carry contributions.
    y : ndarray of shape (n,)
        Encoded target; numbers with the link "identity" in the same units as the scores.
    weight : ndarray of shape (n,)
        Weights of mean 1.
    base : ndarray of shape (K,)
        Base of the teacher.
    scale : float
        Standard deviation of its raw score.
    link : str
        Link of its scores.
    """

    encoded: np.ndarray
    scores: np.ndarray
    reasons: np.ndarray | None
    explained: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    base: np.ndarray
    scale: float
    link: str

    @property
    def n_variants(self) -> int:
        """Number c of synthetic rows for each row."""
        return self.encoded.shape[1] - 1

    def tensors(
        self, rows: np.ndarray | slice, variants: Sequence[int] | None = None
    ) -> dict[str, np.ndarray]:
        """Arrays of some rows for training, with some of the synthetic rows of each, or with all (None)."""
        data = self.with_variants(rows, variants) | {"weight": self.weight[rows], "y": self.y[rows]}
        if self.reasons is not None:
            data["reason_weight"] = (self.weight * self.explained)[rows]
        return data

    def with_variants(
        self, rows: np.ndarray | slice, variants: Sequence[int] | None
    ) -> dict[str, np.ndarray]:
        """Those of these arrays in which synthetic rows stand behind each row."""
        arrays = {"encoded": self.encoded, "scores": self.scores}
        if self.reasons is not None:
            arrays["reasons"] = self.reasons

        def chosen(values: np.ndarray) -> np.ndarray:
            if variants is None or values.shape[1] == 1:
                return values[rows]
            kept = [0, *(1 + k for k in variants)]
            return values[rows, kept] if isinstance(rows, slice) else values[rows[:, None], kept]

        return {name: chosen(values) for name, values in arrays.items()}


def train_student(
    bins: TeacherBins,
    targets: Targets,
    scheme: str,
    parameters: Any,
    seed: int,
    signs: np.ndarray | None = None,
) -> TrainResult:
    """Train a network of the given scheme.

    Parameters
    ----------
    bins : TeacherBins
        Bins of the columns.
    targets : Targets
        What to learn.
    scheme : {"additive", "joint", "independent", "score"}
        Outputs of the network.
    parameters : GBDT2NNStudent
        Read for its hyper-parameters.
    seed : int
        Seed of weights, shuffles and held-out rows.
    signs : ndarray of shape (d,), default=None
        Columns in which the score must rise (1) or fall (-1); None: it is free.

    Returns
    -------
    TrainResult
    """
    p, settings = parameters, Settings.of(parameters)
    n, _, n_scores = targets.scores.shape
    # not class by class: what is learnt are the teacher's scores
    rows, held_out = validation_split(
        targets.scores[:, 0], settings.validation_fraction, False, seed, needed=settings.early_stopping
    )
    n_variants = targets.n_variants
    shown = min(n_variants, n_shown(n))
    data: dict[str, Any] = targets.tensors(rows, range(shown))
    explained = targets.explained[rows]
    few_explained = targets.reasons is not None and 0 < explained.mean() < SHARE_EXPLAINED
    rng = np.random.RandomState(seed)

    def next_rows(epoch: int, _: Batch) -> dict[str, Any]:
        """Give each row the next few of its variants, round and round; put explained rows in other places."""
        found: dict[str, Any] = {}
        if n_variants > shown:
            picked = [(k + shown * (epoch - 1)) % n_variants for k in range(shown)]
            found = targets.with_variants(rows, picked)
        if few_explained:
            index = np.arange(len(rows))
            places = rng.permutation(len(rows))[: int(SHARE_EXPLAINED * len(rows))]
            index[places] = rng.choice(np.flatnonzero(explained), len(places))
            found = {name: values[index] for name, values in (data | found).items()}
        return found

    batch_rows = max(1, settings.batch_size // (1 + shown))
    epochs = epochs_of(settings, n, len(rows), n_scores, batch_rows)
    hook = next_rows if n_variants > shown or few_explained else None
    return train(
        module_of(bins, n_scores, scheme, p, seed, signs),
        student_loss(targets, p.explanation_lambda, p.label_lambda),
        data,
        settings.replace(max_epochs=epochs, batch_size=batch_rows, early_stopping=bool(len(held_out))),
        validation=targets.tensors(held_out, ()) if len(held_out) else None,
        clip_norm=MAX_GRADIENT_NORM,
        epoch_hook=hook,
        random_state=seed,
        global_draws=False,
    )


def epochs_of(settings: Settings, n: int, n_trained: int, n_scores: int, batch_rows: int) -> int:
    """Give the passes over the rows that are trained on, of n in all with K scores."""
    steps = int((STEPS if n_scores == 1 else STEPS_MANY) * min(1, n / ROWS_OF_STEPS) ** 0.5)
    return epochs_for(settings.max_epochs, n_trained, batch_rows, steps=steps, limits=EPOCHS)


def module_of(
    bins: TeacherBins, n_scores: int, scheme: str, parameters: Any, seed: int, signs: np.ndarray | None
) -> torch.nn.Module:
    """Make the network that is trained; parameters as of `train_student`."""
    layers = parameters.hidden_layer_sizes
    if isinstance(layers, str):
        layers = LAYERS if n_scores == 1 else LAYERS_MANY
    shape = (layers, n_scores, scheme)
    if signs is None:
        return StudentNetwork(bins, *shape, generator_of(seed))
    return MonotoneStudent(bins, *shape, signs, generator_of(seed))


def n_shown(n: int) -> int:
    """How many synthetic rows go with each of n training rows in an epoch, where there are so many."""
    return VARIANTS_SMALL if n < SMALL_DATA else VARIANTS_LARGE


def student_loss(targets: Targets, explanation_lambda: float, label_lambda: float) -> Any:
    """Build the loss of a batch: ``score + explanation_lambda * explanation + label_lambda * label``.

    With a softmax the probabilities of scores count too, for they hang on small differences of large scores.
    """
    base = torch.as_tensor(targets.base, dtype=torch.float32)

    def loss(module: torch.nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        encoded, wanted, weight = batch["encoded"], batch["scores"], batch["weight"]
        b, c = encoded.shape[:2]
        scores, reasons = module(encoded.flatten(0, 1))
        scores = scores.view(b, c, -1)
        terms = {"score": score_loss(scores, wanted, weight)}
        total = terms["score"]
        if reasons is not None and "reasons" in batch:
            known = batch["reasons"]
            own = reasons.view(b, c, *reasons.shape[1:])[:, : known.shape[1]]
            terms["explanation"] = explanation_loss(own, known, batch["reason_weight"])
            total = total + explanation_lambda * terms["explanation"]
        if targets.link == "softmax":
            student, teacher = (raw.flatten(0, 1) * targets.scale + base.to(raw) for raw in (scores, wanted))
            losses = soft_losses(student, teacher, "softmax").view(b, c).mean(1)
            terms["probability"] = (losses * weight).sum() / weight.sum()
            done = batch.progress if module.training else 1.0
            total = total + probability_weight(done) * terms["probability"]
        if isinstance(module, MonotoneStudent) and module.sums is not None:
            # reasons that nearly add up by themselves need little spreading
            terms["sum"] = score_loss(module.sums.view(b, c, -1), wanted, weight)
            total = total + terms["sum"]
        if label_lambda:
            raw, y = scores[:, 0], batch["y"]
            if targets.link != "identity":
                raw = raw * targets.scale + base.to(raw)
            terms["label"] = label_loss(raw, y, weight, targets.link)
            total = total + label_lambda * terms["label"]
        return total, terms

    return loss


def probability_weight(progress: float) -> float:
    """Weight of the loss of probabilities: it rises in the second half of training, once scores are near."""
    return PROBABILITIES + (PROBABILITIES_AT_END - PROBABILITIES) * max(0.0, 2 * progress - 1)


def score_scale(scores: np.ndarray, base: np.ndarray, weight: np.ndarray) -> float:
    """Weighted standard deviation of scores (n, K), mean over outputs; else their distance from base."""
    centre = np.average(scores, axis=0, weights=weight)
    spread = float(np.sqrt(np.average((scores - centre) ** 2, axis=0, weights=weight)).mean())
    distance = float(np.abs(scores - base).max())
    return spread if spread > 1e-9 * distance else distance
