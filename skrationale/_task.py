"""What is predicted: a number, one of two classes, or one of many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, softmax
from sklearn.utils.multiclass import check_classification_targets

Link = Literal["identity", "log", "logit", "softmax", "probability"]


def apply_link(scores: np.ndarray, link: Link) -> np.ndarray:
    """Turn raw scores into the response they stand for.

    Parameters
    ----------
    scores : ndarray of shape (n, K)
        Raw scores.
    link : {"identity", "log", "logit", "softmax", "probability"}
        How scores and response are linked.

    Returns
    -------
    ndarray of shape (n, K)
        Values, exponentials, or probabilities of each output.

    Examples
    --------
    >>> import numpy as np
    >>> apply_link(np.array([[0.0]]), "logit")
    array([[0.5]])
    """
    if link == "log":
        return np.exp(scores)
    if link == "logit":
        return expit(scores)
    if link == "softmax":
        return softmax(scores, axis=1)
    return np.clip(scores, 0.0, 1.0) if link == "probability" else scores


@dataclass(frozen=True, eq=False)
class Task:
    """One object for regression, two classes and many: link, names, encoding and decoding.

    Parameters
    ----------
    link : {"identity", "log", "logit", "softmax", "probability"}
        Link between raw scores and response.
    n_outputs : int
        Number K of raw scores a row has: one for regression and for two classes.
    classes : ndarray of shape (C,), default=None
        Class labels in the order of the scores; None for regression.
    """

    link: Link
    n_outputs: int
    classes: np.ndarray | None = None

    @classmethod
    def of_classes(cls, classes: np.ndarray) -> Task:
        """Classify into these labels (C,), in rising order: with one score for up to two, else one each."""
        return cls("logit", 1, classes) if len(classes) <= 2 else cls("softmax", len(classes), classes)

    @classmethod
    def of_labels(cls, y: np.ndarray) -> Task:
        """Classify into the labels that a target (n,) holds; refuse one of numbers."""
        check_classification_targets(y)
        return cls.of_classes(np.unique(y))

    @classmethod
    def of_numbers(cls, y: np.ndarray, classifier: str) -> Task:
        """Predict numbers; refuse a target (n,) of text, and name the classifier to take instead."""
        try:
            finite = bool(np.isfinite(y.astype(np.float64)).all())
        except ValueError:
            finite = False
        if not finite:
            raise ValueError(
                f"y holds text that is not a number; expected numbers. For labels use {classifier}."
            )
        return cls("identity", 1)

    @property
    def is_classification(self) -> bool:
        """Whether labels are predicted."""
        return self.classes is not None

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the K scores; for two classes the positive class alone."""
        if self.classes is None:
            return ("prediction",)
        if self.n_outputs == 1:
            return (str(self.classes[-1]),)
        return tuple(str(label) for label in self.classes)

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Encode targets: floats for regression, positions in `classes` else.

        Raises
        ------
        ValueError
            When `y` holds a label that is not among the classes.
        """
        if self.classes is None:
            return np.asarray(y, dtype=np.float64)
        unknown = np.setdiff1d(y, self.classes)
        if unknown.size:
            raise ValueError(
                f"y holds label(s) {unknown[:5].tolist()} that are not among the classes of the fitted "
                f"model; expected labels among {self.classes[:20].tolist()}."
            )
        return np.searchsorted(self.classes, y)

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Class probabilities of shape (n, C) from raw scores of shape (n, K), rows summing to one."""
        assert self.classes is not None
        if len(self.classes) == 1:
            return np.ones((len(scores), 1))
        response = apply_link(scores, self.link)
        if self.n_outputs == 1:
            return np.hstack([1 - response, response])
        # one-vs-all scores are K separate probabilities, and a sum of reasons may be below 0 for all classes
        total = response.sum(axis=1, keepdims=True)
        nothing = total <= 0  # NaN stays NaN
        return np.where(nothing, 1.0 / response.shape[1], response / np.where(nothing, 1.0, total))

    def predict(self, scores: np.ndarray) -> np.ndarray:
        """Labels, or numbers in the response's units, of shape (n,) from scores of shape (n, K)."""
        if self.classes is None:
            return apply_link(scores, self.link)[:, 0]
        return self.classes[self.predicted_positions(scores)]

    def predicted_positions(self, scores: np.ndarray) -> np.ndarray:
        """Positions (n,) in `classes` of the labels that scores (n, K) predict."""
        assert self.classes is not None
        if self.n_outputs == 1:
            middle = 0.5 if self.link == "probability" else 0.0
            return np.minimum((scores[:, 0] > middle).astype(int), len(self.classes) - 1)
        return scores.argmax(axis=1)
