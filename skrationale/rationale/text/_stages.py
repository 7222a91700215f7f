"""Stages of a fit: a predictor of random words, a selector judged by it, and a predictor of shown words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from ...training import Batch, Settings, TrainResult, row_losses, soft_losses, train
from .._gates import temperature_at
from .._joint import Distillation
from .._losses import excess_cost, prediction_divergence, selection_divergence
from ._encoder import EncoderPredictor, StateSelector
from ._network import BagPredictor, Words, WordSelector
from ._store import TextStore, only

LEAST_SHARE = 0.05
"""Least share of words that the first predictor is shown. Not measured."""
WANTED = 0.8
"""Share of texts whose words are shown as often as words of their kind are selected; in the others words are
shown by chance. Not measured."""
WHOLE = 0.15
"""Share of texts that are shown whole to a backbone that is tuned. Not measured."""
PRIOR = 2.0
"""Words, shown at the wanted rate, that are added to the count of each word. Not measured."""
Rows = Mapping[str, np.ndarray]


def random_shares(n: int, low: float, generator: Generator | None, device: torch.device) -> Tensor:
    """Draw for each of n texts the share of its words that is shown, from a least one to all."""
    return low + (1 - low) * torch.rand(n, generator=generator, device=device)


def train_on_random_words(
    module: BagPredictor,
    store: TextStore,
    pool: Tensor,
    rows: Rows,
    link: str,
    settings: Settings,
    *,
    share_of_labels: float = 1.0,
    **options: Any,
) -> TrainResult:
    """Train a predictor on texts in which words are replaced by words of other texts.

    Parameters
    ----------
    module : BagPredictor
        Trained in place.
    store : TextStore
        The words.
    pool : Tensor of int of shape (m,)
        Positions of words that others are replaced by.
    rows : mapping of str to ndarray
        ``row`` (n,), positions of texts, ``y`` (n,) and ``weight`` (n,).
    link : {"identity", "logit", "softmax"}
        What the scores are.
    settings : Settings
        Epochs, learning rate and so on.
    share_of_labels : float, default=1.0
        Weight of the labels, the rest being that of the teacher's predictions, ``teacher_scores`` (n, K).
    **options : object
        Of :func:`skrationale.training.train`.

    Returns
    -------
    TrainResult
    """

    def loss(module: Any, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        words, _ = store.batch(batch["row"])
        generator, n = batch.generator, len(words.numbers)
        share = random_shares(len(words.lengths), LEAST_SHARE, generator, words.numbers.device)
        shown = torch.rand(n, generator=generator, device=share.device) < share[words.texts]
        numbers = torch.where(shown, words.numbers, store.draw(n, pool, generator))
        scores = module(type(words)(numbers, words.offsets), generator)
        return _prediction_loss(scores, batch, link, share_of_labels)

    return train(module, loss, rows, settings, global_draws=False, **options)


def _prediction_loss(
    scores: Tensor, batch: Batch, link: str, share_of_labels: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of scores (B, K) against labels, and for the rest against the scores of a teacher."""
    losses, weight = row_losses(scores, batch["y"], link), batch["weight"]
    task = (losses * weight).mean()
    if share_of_labels == 1:
        return task, {"task": task.detach()}
    taught = soft_losses(scores, batch["teacher_scores"], link)
    total = ((share_of_labels * losses + (1 - share_of_labels) * taught) * weight).mean()
    return total, {"task": task.detach(), "prediction": (taught * weight).mean().detach()}


def train_selector(
    module: WordSelector | StateSelector,
    predictor: BagPredictor,
    store: TextStore,
    pool: Tensor | None,
    rows: Rows,
    link: str,
    settings: Settings,
    *,
    rate: float,
    price: float,
    distillation: Distillation | None = None,
    temperature: tuple[float, float] = (5.0, 0.1),
    logits: Tensor | None = None,
    **options: Any,
) -> TrainResult:
    """Train a selector against a predictor that is not moved, while words beyond a rate become dearer.

    Parameters
    ----------
    module : WordSelector or StateSelector
        Trained in place.
    predictor : BagPredictor
        Judges what is shown.
    store : TextStore
        The words.
    pool : Tensor of int of shape (m,) or None
        Positions of words that fill hidden ones; None: these are nothing.
    rows : mapping of str to ndarray
        ``row``, ``y``, ``weight`` (n,), and with a teacher ``teacher_scores`` (n, K).
    link : {"identity", "logit", "softmax"}
        What the scores are.
    settings : Settings
        Epochs, learning rate and so on.
    rate : float
        Mean share of words that costs nothing.
    price : float
        Of all words beyond, at the end; it rises with the square of the progress.
    distillation : Distillation, default=None
        What a teacher adds.
    temperature : (float, float), default=(5.0, 0.1)
        Of the teacher's terms, at the beginning and at the end.
    logits : Tensor of shape (N,), default=None
        How much a teacher wants each word.
    **options : object
        Of :func:`skrationale.training.train`.

    Returns
    -------
    TrainResult
    """

    def loss(module: Any, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        words, places = store.batch(batch["row"])
        weight, generator = batch["weight"], batch.generator
        wanted = module(words, generator)
        keep = torch.sigmoid(wanted)
        fill = None if pool is None else store.draw(len(keep), pool, generator)
        scores = predictor.filled(words, keep, fill)
        task = (row_losses(scores, batch["y"], link) * weight).mean()
        shares = words.means(keep)
        terms = {"task": task.detach(), "share": (shares * weight).mean().detach()}
        total = task + price * batch.progress**2 * excess_cost(shares[:, None], weight, rate)
        if distillation is not None:
            total = _taught(total, wanted, scores, words, places, batch, terms)
        return total, terms

    def _taught(
        own: Tensor, wanted: Tensor, scores: Tensor, words: Any, places: Tensor, batch: Batch, terms: Any
    ) -> Tensor:
        assert distillation is not None
        tau, weight = temperature_at(batch.progress, temperature), batch["weight"]
        taught = own.new_zeros(())
        if logits is not None and distillation.distill != "prediction":
            each = selection_divergence(logits[places][:, None], wanted[:, None], tau)
            terms["rationale"] = (words.means(each) * weight).mean()
            taught = taught + distillation.rationale_lambda * terms["rationale"]
        if distillation.distill != "rationale":
            rows = prediction_divergence(batch["teacher_scores"], scores, link, tau)
            terms["prediction"] = (rows * weight).mean()
            taught = taught + terms["prediction"]
        share = distillation.share_of_labels(tau, temperature)
        return share * own + (1 - share) * taught

    return train(module, loss, rows, settings, global_draws=False, **options)


def shown_by_word(
    numbers: np.ndarray, shown: np.ndarray, n_words: int, rate: float, asked: np.ndarray | None = None
) -> np.ndarray:
    """Give how often words of a kind are shown where they occur.

    Parameters
    ----------
    numbers : ndarray of int of shape (N,)
        Numbers of words.
    shown : ndarray of shape (N,)
        Which of them are shown.
    n_words : int
        How many numbers there are.
    rate : float
        What is expected of a word that does not occur.
    asked : ndarray of int of shape (M,), default=None
        Words whose shares are wanted; None: `numbers`.

    Returns
    -------
    ndarray of shape (M,)
    """
    count = np.bincount(numbers, minlength=n_words)
    times = np.bincount(numbers, shown, minlength=n_words)
    return ((times + PRIOR * rate) / (count + PRIOR))[numbers if asked is None else asked]


def train_on_shown_words(
    module: BagPredictor | EncoderPredictor,
    store: TextStore,
    chance: Tensor | None,
    mask: Tensor | None,
    rows: Rows,
    link: str,
    settings: Settings,
    *,
    share_of_labels: float = 1.0,
    **options: Any,
) -> TrainResult:
    """Train a predictor that reads the shown words alone, never a text with its own mask.

    Words are shown by chance, each as often as words of its kind are selected. What is shown then tells no
    more than the words themselves.

    Parameters
    ----------
    module : BagPredictor or EncoderPredictor
        Trained in place.
    store : TextStore
        The words.
    chance : Tensor of shape (N,) or None
        How often each word is shown. A mask of 0 and 1 shows most texts with this mask, to measure what it
        gives away. None: all words of a text alike, from few of them to all.
    mask : Tensor of bool of shape (N,) or None
        The masks that validation texts are judged with.
    rows : mapping of str to ndarray
        ``row``, ``y``, ``weight`` (n,), and with a teacher ``teacher_scores`` (n, K).
    link : {"identity", "logit", "softmax"}
        What the scores are.
    settings : Settings
        Epochs, learning rate and so on.
    share_of_labels : float, default=1.0
        Weight of the labels, the rest being that of the teacher's predictions.
    **options : object
        Of :func:`skrationale.training.train`.

    Returns
    -------
    TrainResult
    """

    def loss(module: Any, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        texts, generator = batch["row"], batch.generator
        if module.training or mask is None:
            places, offsets = store.places(texts)
            lengths = offsets[1:] - offsets[:-1]
            if chance is None:
                drawn = shown_at_random(lengths, generator)
            else:
                drawn = _drawn(chance[places], lengths, generator)
            words = only(Words(store.numbers[places], offsets), drawn)
        else:
            words = store.shown(texts, mask)
        share = share_of_labels if module.training else 1.0
        return _prediction_loss(module(words, generator), batch, link, share)

    return train(module, loss, rows, settings, global_draws=False, **options)


def shown_at_random(lengths: Tensor, generator: Generator | None) -> Tensor:
    """Draw a mask (N,) of the words of B texts: the share of each text by chance, some texts whole."""
    n, device = len(lengths), lengths.device
    share = random_shares(n, LEAST_SHARE, generator, device)
    share[torch.rand(n, generator=generator, device=device) < WHOLE] = 1.0
    limit = share.repeat_interleave(lengths)
    return torch.rand(len(limit), generator=generator, device=device) < limit


def _drawn(chance: Tensor, lengths: Tensor, generator: Generator | None) -> Tensor:
    """Draw a mask (N,) of the words of B texts: by the chance of each, in some texts by one of the text."""
    n, device = len(lengths), chance.device
    by_word = torch.rand(n, generator=generator, device=device) < WANTED
    share = random_shares(n, 0.0, generator, device)
    limit = torch.where(by_word.repeat_interleave(lengths), chance, share.repeat_interleave(lengths))
    return torch.rand(len(chance), generator=generator, device=device) < limit
