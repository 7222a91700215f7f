"""From texts to a model: words that decide, and what follows from them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Generator, Tensor

from ..._task import Task
from ...training import (
    Settings,
    TrainResult,
    epochs_for,
    generator_of,
    get_state,
    limit_threads,
    resolve_device,
    row_losses,
    standardise_target,
    validation_split,
)
from ...units import Pieces, TextUnits, ranges
from .._joint import Distillation
from ._constants import (
    BACKBONE_LR,
    DROPOUT,
    EPOCHS,
    FEWEST_TO_COMPARE,
    FEWEST_TO_SPLIT,
    FIRST_DROPOUT,
    FOLDS,
    LAST_DROPOUT,
    LAST_EPOCHS,
    MANY_TEXTS,
    PRICE,
    STEPS,
    TUNING_BATCH,
    TUNING_EPOCHS,
)
from ._encoder import Encoder, EncoderPredictor, StateReader, StateSelector, all_states, check_memory
from ._model import State, TextModel, logits_of, parts_of, scores_of
from ._network import BagPredictor, WordSelector
from ._reader import WordReader
from ._rule import TextRule
from ._stages import (
    shown_at_random,
    shown_by_word,
    train_on_random_words,
    train_on_shown_words,
    train_selector,
)
from ._store import TextStore

PLAIN = {"schedule": None, "optimizer": "adam"}


@dataclass(frozen=True)
class TeacherOfTexts:
    """What a student learns from a teacher in the training texts, and how."""

    distillation: Distillation
    temperature: tuple[float, float]
    scores: np.ndarray
    """Scores (n, K)."""
    logits: np.ndarray | None
    """Of each word (N,) how much the teacher wants it."""
    targets: np.ndarray | None
    """Probabilities (n,) of the second class in the place of labels."""


@dataclass
class TextFitting:
    """Stages of a fit.

    First a predictor learns from texts in which words are replaced by words of other texts; it is then
    frozen, and a selector learns which words it needs. Both are done once for each part of the texts, on all
    others, so that there are masks of texts which their selector has not seen. At last a predictor learns to
    read shown words alone. With a backbone that predictor comes first, and is shown words at random: what
    selectors read are the states of its tuned backbone, and it is not trained any more.

    Parameters
    ----------
    parameters : estimator
        Read for its hyper-parameters.
    reader : WordReader
        Numbers the words.
    units : TextUnits
        Those of the n texts.
    y : ndarray of shape (n,)
        Targets as the task encodes them.
    weight : ndarray of shape (n,)
        Weights of mean 1.
    task : Task
        What is predicted.
    seed : int
        Seed of everything drawn.
    teacher : TeacherOfTexts or None
        What is learnt from a teacher.
    encoder : Encoder or None
        Reads texts for the selectors, and shown words to predict.
    """

    parameters: Any
    reader: WordReader
    units: TextUnits
    y: np.ndarray
    weight: np.ndarray
    task: Task
    seed: int
    teacher: TeacherOfTexts | None = None
    encoder: Encoder | None = None
    history: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        p = self.parameters
        self.device = str(resolve_device(p.device))
        self.sizes = tuple(map(int, p.hidden_layer_sizes))
        self.fit, self.valid = validation_split(
            self.y, p.validation_fraction, self.task.is_classification, self.seed
        )
        self.k = int(p.max_features) if isinstance(p.max_features, Integral) else None
        self.rate = float(p.max_features)
        if self.k is not None:
            shares = np.minimum(self.k / np.maximum(self.units.n_units, 1), 1.0)
            self.rate = float(np.average(shares, weights=self.weight))
        self.y, self.shift, self.scale, self.base, self.constant_loss = standardise_target(
            self.y, self.weight, self.task.classes, self.task.n_outputs
        )
        self.numbers = self.reader.numbers(self.units)
        self.store = TextStore.of(self.units, self.numbers, self.device)
        self.mask = np.zeros(len(self.units.spans), dtype=bool)

    # --- stages ----------------------------------------------------------------------------------

    def run(self) -> TextModel:
        """Go through all stages."""
        if not len(self.units.spans) or not self.scale.any() or not self.constant_loss:
            return self._model((), (), TextRule(), {})
        tuned = None if self.encoder is None else self._tuned(self.encoder)
        folds = self._folds()
        chance, logits = np.zeros(len(self.numbers)), np.zeros(len(self.numbers))
        states, levels = [], []
        for i, fold in enumerate(folds):
            others = np.setdiff1d(self.fit, fold) if len(folds) > 1 else fold
            selector = self._selector(others, i)
            [own] = logits_of([selector], self.store)
            level, shown, places = self._shown(own, fold)
            chance[places] = shown
            logits += (own - level) / len(folds)
            states.append(get_state(selector))
            levels.append(level)
        judges = self.valid if len(self.valid) >= FEWEST_TO_COMPARE else np.arange(self.units.n_texts)
        unit_logits = self.units.fold(logits)
        taken = self.units.take(judges)
        rule = TextRule.fitted(
            taken,
            unit_logits[self._unit_places(judges)],
            self.weight[judges],
            self.rate,
            self.k,
            float(self.parameters.contiguity),
        )
        if rule.k is None and not rule.contiguity:
            rule = rule.apart_from(unit_logits)
        self.mask = rule(self.units, unit_logits)
        rows = np.concatenate([self._word_places(fold) for fold in folds])
        chance = shown_by_word(self.numbers[rows], chance[rows], self.reader.n_words, self.rate, self.numbers)
        mask = self.units.spread(self.mask)
        predictor = self._predictor(chance, mask) if tuned is None else tuned
        self._calibrate(predictor, mask)
        if self.encoder is not None:
            self.encoder.to("cpu")
        return self._model(tuple(states), tuple(levels), rule, get_state(predictor))

    def _tuned(self, encoder: Encoder) -> EncoderPredictor:
        """Learn to predict from random words alone, and let the tuned backbone read all texts."""
        check_memory(encoder, len(self.numbers))
        encoder = self.encoder = encoder.suited_to(np.diff(self.units.word_offsets))
        pieces, generator = Pieces.of(self.units.words, encoder.backbone), generator_of(self.seed + 5)
        module = EncoderPredictor(
            encoder.to(self.device), pieces, self.task.n_outputs, LAST_DROPOUT, generator
        )
        settings = self._settings(len(self.fit), TUNING_EPOCHS)
        settings = settings.replace(
            batch_size=min(settings.batch_size, TUNING_BATCH), lr=BACKBONE_LR * self.parameters.lr
        )
        lengths = torch.from_numpy(np.diff(self.units.word_offsets))
        mask = shown_at_random(lengths, generator).numpy()
        self._train_last(module, None, mask, settings)
        reader = StateReader(encoder, module.parameters_by_name(), self.units, self.device)
        with limit_threads(encoder.work):
            self.store.states = all_states(reader, parts_of(self.store))
        return module

    def _folds(self) -> list[np.ndarray]:
        """Split the texts, so that each part is judged by a selector that was fitted on the others."""
        if len(self.fit) < FEWEST_TO_SPLIT:
            return [self.fit]
        n_folds = 2 if len(self.fit) >= MANY_TEXTS else FOLDS
        order = np.lexsort((np.random.RandomState(self.seed + 3).rand(len(self.fit)), self.y[self.fit]))
        return [np.sort(self.fit[order[i::n_folds]]) for i in range(n_folds)]

    def _selector(self, texts: np.ndarray, i: int) -> WordSelector | StateSelector:
        """Train a predictor of random words on some texts, and a selector that it judges."""
        seed, n_words, link = self.seed + 10 * i, self.reader.n_words, self.task.link
        generator = generator_of(seed + 1)
        judge = BagPredictor(n_words, self.sizes, self.task.n_outputs, FIRST_DROPOUT, generator)
        pool = torch.from_numpy(self._word_places(texts)).to(self.device)
        rows, settings = self._rows(texts), self._settings(len(texts))
        options: dict[str, Any] = {"random_state": seed + 1, **PLAIN}
        share = self._share_of_labels()
        result = train_on_random_words(
            judge, self.store, pool, rows, link, settings, share_of_labels=share, **options
        )
        self._record("random words", result)
        for parameter in judge.eval().parameters():
            parameter.requires_grad_(False)
        selector = self._empty_selector(generator_of(seed + 2))
        taught: dict[str, Any] = {}
        if self.teacher is not None:
            logits = self.teacher.logits
            taught = {
                "distillation": self.teacher.distillation,
                "temperature": self.teacher.temperature,
                "logits": None if logits is None else self._tensor(logits),
            }
        result = train_selector(
            selector,
            judge,
            self.store,
            pool if self.parameters.fill == "marginal" else None,
            rows,
            link,
            settings,
            rate=self.rate,
            price=PRICE * self.constant_loss,
            **taught,
            **options,
        )
        self._record("selection", result)
        return selector.eval()

    def _empty_selector(self, generator: Generator) -> WordSelector | StateSelector:
        n_words, n_hashed, width = self.reader.n_words, self.reader.n_hashed, self.sizes[0]
        if self.encoder is None:
            return WordSelector(n_words, width, n_hashed, DROPOUT, generator)
        return StateSelector(n_words, self.encoder.width, width, n_hashed, DROPOUT, generator)

    def _shown(self, logits: np.ndarray, texts: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Give the level at which logits (N,) of some texts have the wanted share, and what is then shown."""
        taken, places = self.units.take(texts), self._word_places(texts)
        values = taken.fold(logits[places])
        rule = TextRule.fitted(taken, values, self.weight[texts], self.rate, self.k, 0.0)
        if self.k is None:
            level = max(rule.threshold, -1e6)
        else:
            level = TextRule.fitted(taken, values, self.weight[texts], self.rate, None, 0.0).threshold
        return level, taken.spread(rule(taken, values)), places

    def _predictor(self, chance: np.ndarray, mask: np.ndarray) -> BagPredictor:
        """Learn to predict from shown words alone."""
        generator, n_outputs = generator_of(self.seed + 5), self.task.n_outputs
        module = BagPredictor(self.reader.n_words, self.sizes, n_outputs, LAST_DROPOUT, generator)
        self._train_last(module, chance, mask, self._settings(len(self.fit), LAST_EPOCHS))
        return module

    def _train_last(
        self,
        module: BagPredictor | EncoderPredictor,
        chance: np.ndarray | None,
        mask: np.ndarray,
        settings: Settings,
    ) -> None:
        """Train what reads shown words alone, and judge it by the masks of held-out texts."""
        p = self.parameters
        stopping = p.early_stopping and len(self.valid) > 0
        result = train_on_shown_words(
            module,
            self._words_to_predict_from(),
            None if chance is None else self._tensor(chance),
            self._tensor(mask),
            self._rows(self.fit),
            self.task.link,
            settings.replace(weight_decay=p.weight_decay, early_stopping=stopping),
            share_of_labels=self._share_of_labels(),
            validation=self._rows(self.valid) if stopping else None,
            random_state=self.seed + 5,
        )
        self._record("prediction", result)
        module.eval()

    def _words_to_predict_from(self) -> TextStore:
        """Give numbers of words, or with a backbone positions among different words as typed."""
        return self.store if self.encoder is None else TextStore.of(self.units, self.units.codes, self.device)

    def _calibrate(self, predictor: BagPredictor | EncoderPredictor, mask: np.ndarray) -> None:
        """Scale the scores of classes so that probabilities of held-out texts are as right as can be."""
        if not self.task.is_classification or len(self.valid) < FEWEST_TO_COMPARE:
            return
        texts = torch.from_numpy(self.valid).to(self.device)
        words = self._words_to_predict_from().shown(texts, self._tensor(mask))
        raw = torch.from_numpy(scores_of(predictor, TextStore(words.numbers, words.offsets, None)))
        y, weight = torch.from_numpy(self._targets()[self.valid]), torch.from_numpy(self.weight[self.valid])

        def loss(factor: float) -> float:
            return float((row_losses(raw * math.exp(factor), y, self.task.link) * weight).mean())

        found = minimize_scalar(loss, bounds=(-1.5, 1.5), method="bounded")
        self.scale = self.scale * math.exp(found.x)

    # --- what stages share -----------------------------------------------------------------------

    def _share_of_labels(self) -> float:
        """Weight of the labels in the losses of predictors, the rest being that of the teacher."""
        if self.teacher is None or self.teacher.distillation.distill == "rationale":
            return 1.0
        alpha = self.teacher.distillation.alpha
        return 0.5 if alpha == "anneal" else float(alpha)

    def _word_places(self, texts: np.ndarray) -> np.ndarray:
        return self.store.places(torch.from_numpy(texts).to(self.device))[0].cpu().numpy()

    def _unit_places(self, texts: np.ndarray) -> np.ndarray:
        return ranges(self.units.offsets[texts], self.units.n_units[texts])

    def _tensor(self, values: np.ndarray) -> Tensor:
        kind = values.dtype if values.dtype == bool else np.float32
        return torch.from_numpy(values.astype(kind)).to(self.device)

    def _targets(self) -> np.ndarray:
        """Give encoded targets (n,); without a label, the teacher's probability of the second class."""
        return self.y if self.teacher is None or self.teacher.targets is None else self.teacher.targets

    def _rows(self, texts: np.ndarray) -> dict[str, np.ndarray]:
        kind = np.int64 if self.task.link == "softmax" else np.float32
        rows = {
            "row": texts.astype(np.int64),
            "y": self._targets()[texts].astype(kind),
            "weight": self.weight[texts].astype(np.float32),
        }
        if self.teacher is not None:
            rows["teacher_scores"] = ((self.teacher.scores[texts] - self.shift) / self.scale).astype(
                np.float32
            )
        return rows

    def _settings(self, n: int, factor: float = 1.0) -> Settings:
        p = self.parameters
        batch_size = max(min(int(p.batch_size), n // 8), 1)
        epochs = epochs_for(p.max_epochs, n, batch_size, steps=STEPS, limits=EPOCHS)
        return Settings.of(p).replace(
            max_epochs=math.ceil(factor * epochs),
            batch_size=batch_size,
            weight_decay=0.0,
            early_stopping=False,
            device=self.device,
        )

    def _model(
        self, selectors: tuple[State, ...], levels: tuple[float, ...], rule: TextRule, predictor: State
    ) -> TextModel:
        return TextModel(
            self.reader,
            self.sizes,
            selectors,
            levels,
            rule,
            predictor,
            self.shift,
            self.scale,
            self.base,
            self.encoder,
        )

    def _record(self, stage: str, result: TrainResult) -> None:
        self.history += [{"stage": stage} | row for row in result.history]
