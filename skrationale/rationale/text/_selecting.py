"""What all models with a rationale for each text can be asked."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from scipy.special import expit
from sklearn.base import is_classifier
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..._carded import HasModelCard
from ..._hooks import Hooks
from ..._kinds import tags_of_kind
from ..._settled import forget_fit, unchanged_on_error
from ..._task import Task
from ..._versions import VersionedEstimator
from ..._weights import check_weights, class_factors
from ...base import score_of
from ...explanation import TextExplanation
from ...tabular import read_target
from ...units import TextUnits
from ...writing import format_share
from .._audit_report import RationaleAudit
from .._selection_warnings import warn
from ._audit import audit_texts
from ._constants import LONG_TEXTS
from ._fitting import TextFitting
from ._model import TextModel
from ._reader import as_texts

HIDDEN = " … "
"""Stands for what is hidden."""
MOST_WORDS = 1000
"""Words whose frequency is kept. Not measured."""


class SelectsWords(HasModelCard, Hooks, VersionedEstimator):
    """An estimator over texts whose predictions are made from a few units of each; it holds a `TextModel`."""

    class_weight: Any = None

    _parameter_constraints: ClassVar[dict[str, Any]] = {}
    _kind = "predicts each text from a few of its words"
    _report_parts: ClassVar[tuple[str, ...]] = ("rationale", "audit")
    _model: TextModel
    _task: Task

    def _kind_of_rows(self) -> str:
        return "texts"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to texts and their target.

        Parameters
        ----------
        X : list, array or Series of str of shape (n,)
            Texts.
        y : array-like of shape (n,)
            Labels or numbers.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights; texts of weight 0 are left out.

        Returns
        -------
        self
            The fitted estimator. If fit fails, the estimator does not change.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not as described.
        """
        with unchanged_on_error(self):
            self._validate_params()
            self._check_parameters()
            forget_fit(self)
            texts, target = as_texts(X), read_target(y)
            if len(texts) != len(target):
                raise ValueError(
                    f"X holds {len(texts)} texts and y {len(target)} values; expected the same number of "
                    "both."
                )
            weight = check_weights(sample_weight, len(target))
            if (weight == 0).any():
                kept = np.flatnonzero(weight > 0)
                texts, target, weight = [texts[i] for i in kept], target[kept], weight[kept]
            factors = class_factors(self.class_weight, target, weight, self._is_classifier())
            weight = weight if factors is None else weight * factors
            self._fit_texts(texts, target, weight / weight.mean())
        return self

    def _check_parameters(self) -> None:
        """Refuse, before any work, parameters that `_parameter_constraints` cannot express."""

    @abstractmethod
    def _fit_texts(self, texts: list[str], y: np.ndarray, weight: np.ndarray) -> None:
        """Fit on texts, with weights of mean 1; set all fitted attributes."""

    @abstractmethod
    def _is_classifier(self) -> bool:
        """Whether labels are predicted; asked before fit too."""

    def _keep(self, fitting: TextFitting, model: TextModel) -> None:
        """Take over what a fit has found, and what its training texts look like with it."""
        self._model, units, weight = model, fitting.units, fitting.weight
        mask = fitting.mask
        shown = units.spread(mask)
        self.history_, self.n_iter_, self.device_ = fitting.history, len(fitting.history), fitting.device
        self.n_words_ = model.reader.n_words
        self.mean_share_ = float(np.average(units.shares(shown), weights=weight))
        counts = np.bincount(units.unit_texts, mask, units.n_texts)
        self.mean_n_selected_ = float(np.average(counts, weights=weight))
        self.empty_rate_ = float(np.average(counts == 0, weights=weight))
        self.truncated_share_ = float(np.average(units.truncated, weights=weight))
        known = fitting.numbers >= model.reader.n_hashed
        self.unknown_share_ = float(np.mean(~known[shown])) if shown.any() else 0.0
        self.word_frequencies_ = shown_in_texts(model, units, fitting.numbers, shown)
        if self.truncated_share_ > LONG_TEXTS:
            warn(
                f"{format_share(self.truncated_share_)} of the texts have more than max_length="
                f"{model.reader.max_length} words; later words are not read."
            )

    # --- answers ---------------------------------------------------------------------------------

    def _read(self, X: Any) -> TextUnits:
        check_is_fitted(self)
        return self._model.reader.units(as_texts(X))

    def _scores(self, X: Any, mask: Any = None) -> np.ndarray:
        units = self._read(X)
        shown = self._model.mask(units) if mask is None else units.flat(mask)
        return self._model.scores(units, shown)

    def predict(self, X: Any, mask: Any = None) -> np.ndarray:
        """Predict labels, or numbers in the units of the target, only from the units of a mask.

        Parameters
        ----------
        X : list, array or Series of str of shape (n,)
            Texts.
        mask : sequence of n array-like of bool of shape (L,), default=None
            Units of each text that may be used; None: its rationale.

        Returns
        -------
        ndarray of shape (n,)
            Predictions.

        Raises
        ------
        ValueError
            If `mask` does not hold a bool array for each text, with one value for each of its units.
        """
        scores = self._scores(X, mask)
        return self._task.predict(scores)

    @available_if(lambda self: is_classifier(self))
    def predict_proba(self, X: Any, mask: Any = None) -> np.ndarray:
        """Predict class probabilities only from the units of a mask.

        Parameters
        ----------
        X : list, array or Series of str of shape (n,)
            Texts.
        mask : sequence of n array-like of bool of shape (L,), default=None
            Units of each text that may be used; None: its rationale.

        Returns
        -------
        ndarray of shape (n, C)
            Probabilities in the order of `classes_`; rows sum to one.
        """
        scores = self._scores(X, mask)
        return self._task.probabilities(scores)

    @available_if(lambda self: is_classifier(self))
    def decision_function(self, X: Any, mask: Any = None) -> np.ndarray:
        """Return raw scores computed only from the units of a mask.

        Parameters
        ----------
        X : list, array or Series of str of shape (n,)
            Texts.
        mask : sequence of n array-like of bool of shape (L,), default=None
            Units of each text that may be used; None: its rationale.

        Returns
        -------
        ndarray of shape (n,) or (n, C)
            Log-odds of the positive class for two classes, otherwise one score per class.
        """
        scores = self._scores(X, mask)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Score predictions: accuracy of labels, R2 of numbers.

        Parameters
        ----------
        X : list, array or Series of str of shape (n,)
            Texts.
        y : array-like of shape (n,)
            True labels or numbers.
        sample_weight : array-like of shape (n,), default=None
            Weights of the texts.

        Returns
        -------
        float
            Accuracy or R2.
        """
        predictions = self.predict(X)
        return score_of(self._task, y, predictions, sample_weight)

    # --- reasons ---------------------------------------------------------------------------------

    def units(self, X: Any) -> list[np.ndarray]:
        """Return the units of texts, each of which is shown or hidden as a whole.

        Parameters
        ----------
        X : list, array or Series of str of shape (n,)
            Texts.

        Returns
        -------
        list of n ndarray of int of shape (L, 2)
            Start and end of each unit, for ``text[start:end]``.
        """
        units = self._read(X)
        return units.split(units.spans)

    def mask(self, X: Any) -> list[np.ndarray]:
        """Return which units of each text its prediction uses.

        Parameters
        ----------
        X : list, array or Series of str of shape (n,)
            Texts.

        Returns
        -------
        list of n ndarray of bool of shape (L,)
            One value for each of `units`, in the form of the parameter `mask` of `predict`.
        """
        units = self._read(X)
        return units.split(self._model.mask(units))

    def get_rationale(self, X: Any, *, merge: bool = True) -> list[np.ndarray]:
        """Return which parts of each text its prediction uses.

        Parameters
        ----------
        X : list, array or Series of str of shape (n,)
            Texts.
        merge : bool, default=True
            Whether neighbouring selected units form one part, with the characters between them.

        Returns
        -------
        list of n ndarray of int of shape (k, 2)
            Start and end of each part, for ``text[start:end]``, in increasing order and without overlap.
        """
        units = self._read(X)
        masks, spans = units.split(self._model.mask(units)), units.split(units.spans)
        if not merge:
            return [span[mask] for span, mask in zip(spans, masks, strict=True)]
        return [_merged(span, mask) for span, mask in zip(spans, masks, strict=True)]

    def select(self, X: Any) -> list[str]:
        """Return the texts with only those parts that the predictions use.

        Parameters
        ----------
        X : list, array or Series of str of shape (n,)
            Texts.

        Returns
        -------
        list of n str
            The texts with " … " in place of the hidden parts.
        """
        texts = as_texts(X)
        return [_cut(text, spans) for text, spans in zip(texts, self.get_rationale(texts), strict=True)]

    def explain(self, X: Any) -> TextExplanation:
        """Return the rationale of each text.

        Parameters
        ----------
        X : list, array or Series of str of shape (n,)
            Texts.

        Returns
        -------
        TextExplanation
            `mask` is True for the units that are used. `values` holds how strongly each of these was
            selected, as a probability, and 0 for the other units. With `contiguity` that of a unit between
            others may be below one half. They do not add up to the score.
        """
        texts, units, model = as_texts(X), self._read(X), self._model
        mask, excess = model.mask_and_excess(units)
        scores = model.scores(units, mask)
        labels = self._task.predict(scores) if self._task.is_classification else ()
        return TextExplanation(
            tuple(texts),
            tuple(units.split(units.spans)),
            tuple(units.split(expit(excess) * mask)),
            tuple(units.split(mask)),
            scores,
            model.base,
            self._task.output_names,
            tuple(map(str, labels)),
            self._task.link,
            {"unit": model.reader.unit, "share": float(units.shares(units.spread(mask)).mean())},
        )

    def audit(
        self, X: Any, y: Any, *, n_refits: int = 2, max_rows: int = 10_000, random_state: Any = None
    ) -> RationaleAudit:
        """Test whether the rationales are honest, so that the shown words support the predictions.

        A selector can cheat: it first predicts the label, then shows only words that support this label, or
        words without meaning that are a code for the label.

        Parameters
        ----------
        X : list, array or Series of str of shape (n,)
            Texts that were not used in fit: at least 100, preferably some thousands.
        y : array-like of shape (n,)
            Their labels or numbers.
        n_refits : int, default=2
            Number of copies of the model fitted with other seeds, to measure how stable rationales are; 0:
            none.
        max_rows : int, default=10000
            Largest number of texts used; from more texts this number is drawn at random.
        random_state : int, RandomState or None, default=None
            Seed.

        Returns
        -------
        RationaleAudit
            A verdict in words and numbers: honest, not honest, or untested if the predictors trained for the
            test are no better than a constant. `exchanged` is NaN, because masks cannot be exchanged between
            texts.

        Raises
        ------
        ValueError
            If there are too few texts, a label on which the model was not fitted, or a parameter out of
            range.
        """
        check_is_fitted(self)
        return audit_texts(self, X, y, n_refits=n_refits, max_rows=max_rows, random_state=random_state)

    def _size(self) -> tuple[int, str]:
        return self._model.n_weights, "weight"

    # --- what scikit-learn asks ------------------------------------------------------------------

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags_of_kind(tags, self._is_classifier())


def shown_in_texts(
    model: TextModel, units: TextUnits, numbers: np.ndarray, shown: np.ndarray
) -> dict[str, float]:
    """Give for each word of the vocabulary that a mask (N,) shows the share of texts that show it.

    Most frequent words first, at most `MOST_WORDS`; words of equal share by the alphabet.
    """
    own = shown & (numbers >= model.reader.n_hashed)
    pairs = np.unique(np.column_stack([numbers[own] - model.reader.n_hashed, units.word_texts[own]]), axis=0)
    words, counts = np.unique(pairs[:, 0], return_counts=True)
    named = [
        (-count, model.reader.vocabulary[word]) for word, count in zip(words, counts.tolist(), strict=True)
    ]
    return {word: -count / units.n_texts for count, word in sorted(named)[:MOST_WORDS]}


def _merged(spans: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Join the spans (L, 2) of selected units that follow each other."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return np.column_stack([spans[first, 0], spans[last, 1]])


def _cut(text: str, spans: np.ndarray) -> str:
    """Put a mark in the place of what is outside of spans (k, 2)."""
    if not len(spans):
        return HIDDEN.strip() if text else ""
    result = HIDDEN.join(text[start:end] for start, end in spans.tolist())
    before = HIDDEN.lstrip() if text[: spans[0, 0]].strip() else ""
    after = HIDDEN.rstrip() if text[spans[-1, 1] :].strip() else ""
    return before + result + after
