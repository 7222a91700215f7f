"""TextRationaleDistiller: a small model learns from a large one which words decide, also without labels."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ..._absent import AbsentTeacher, LeavesTeacherOut
from ..._hooks import Hooks
from ..._random import seed_unseeded
from ..._task import Task
from ...base import unchanged_on_error
from ...metrics.answers import agreement, judged, probabilities_of
from ...tabular import looks_like_classes
from ...teachers import check_one_column, check_shares, check_teacher, refuse_several_targets
from ...units import TextUnits
from .._audit_report import RationaleAudit
from .._joint import Distillation
from ._audit import audit_texts, jaccard_of
from ._base import PARAMETERS, check_shared, fit_texts
from ._estimator import TextRationaleClassifier, TextRationaleRegressor
from ._fitting import TeacherOfTexts
from ._reader import as_texts
from ._selecting import SelectsWords

FEWEST_AUDITED, AUDIT_ROWS = 500, 5000
"""Texts at least, and at most, that a teacher is audited on. Measured: on 100 a leak has an error of 0.04
nats, on 600 of 0.014."""
LEAK = 0.10
"""Leak, in nats, from which a teacher is refused. Measured: a teacher of 0.14 brought its students from an
accuracy of 0.77 down to 0.54."""
CERTAIN = 1e-4
"""Probabilities of teachers count no less. Not measured."""


class TextRationaleDistiller(LeavesTeacherOut, SelectsWords):
    """A small model that learns from a large one which words to select and what to predict (REKD [1]_).

    The student is a model like :class:`TextRationaleClassifier` or :class:`TextRationaleRegressor`, depending
    on its teacher. The loss of its selector is

    ``alpha * own + (1 - alpha) * (rationale_lambda * KL(selection) + tau**2 * KL(predictions))``,

    where `own` is its loss without a teacher. The first divergence is a mean over the words of a text, and
    both use the temperature `tau`, which falls during training. The teacher's selection is used word by word,
    so student and teacher may differ in vocabulary, size and kind. A teacher helps most with few labels and
    many texts: for the texts in `unlabelled` the student learns the teacher's predictions.

    Parameters
    ----------
    teacher : estimator, default=None
        A rationale model of texts, or any classifier of texts with `predict_proba`, or any regressor of
        texts, such as a pipeline. From the last two the student learns only predictions. An unfitted teacher
        is cloned and fitted. Wrap a fitted one in :class:`sklearn.frozen.FrozenEstimator`. None:
        :class:`TextRationaleClassifier` if `y` holds text, categories, booleans, two values or at most 30
        different integers, and otherwise :class:`TextRationaleRegressor`.
    alpha : float or "anneal", default=0.3
        Share of the student's own loss. ``"anneal"``: it rises from 0 to 1 while the temperature falls, and
        is 0.5 in the other stages.
    rationale_lambda : float, default=10.0
        Weight of the selection term.
    temperature : (float, float), default=(5.0, 0.1)
        Temperature of both terms at the beginning and at the end of training.
    distill : {"both", "rationale", "prediction"}, default="both"
        Which terms are used.
    audit_teacher : bool, default=True
        Whether to audit a teacher with rationales on the texts with labels before its student is trained. If
        its leak is above 0.1 nats, or the form of its masks reveals the target, an error is raised, because
        the student would copy this. On texts that the teacher was fitted to, a small leak is normal: see
        `teacher_audit_`. This is not done with fewer than 500 texts.
    hidden_layer_sizes : sequence of int, default=(8, 8)
        Widths of the hidden layers. The first is that of word vectors and of the selector.
    max_features, unit, contiguity, fill, max_length, min_df, n_hashed, backbone, backbone_layers : object
        As in :class:`TextRationaleClassifier`.
    max_epochs, batch_size, lr, weight_decay : object
        As in :class:`TextRationaleClassifier`.
    early_stopping, validation_fraction, n_iter_no_change : object
        As in :class:`TextRationaleClassifier`.
    device, random_state, verbose, callbacks : object
        As in :class:`TextRationaleClassifier`.

    Attributes
    ----------
    teacher_ : estimator
        The fitted teacher.
    teacher_audit_ : RationaleAudit or None
        The audit of the teacher, if there was one.
    n_unlabelled_ : int
        Number of texts without labels that were used for training.
    classes_ : ndarray of shape (C,)
        Class labels, with a classifier as teacher.

    See Also
    --------
    TextRationaleClassifier : Has all other attributes.

    References
    ----------
    .. [1] Dai, Goebel, "Learn from A Rationalist: distilling intermediate interpretable rationales", 2026,
       arXiv:2601.22531.

    Examples
    --------
    >>> from skrationale import TextRationaleDistiller
    >>> from skrationale.datasets import make_texts
    >>> texts, y, _ = make_texts(500, n_words=12, random_state=0)
    >>> student = TextRationaleDistiller(max_features=3, audit_teacher=False, random_state=0)
    >>> student = student.fit(texts[:300], y[:300], unlabelled=texts[300:])
    >>> student.n_unlabelled_
    200
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **PARAMETERS,
        "teacher": [HasMethods(["fit", "predict"]), None],
        "alpha": [Interval(Real, 0, 1, closed="both"), StrOptions({"anneal"})],
        "rationale_lambda": [Interval(Real, 0, None, closed="left")],
        "temperature": ["array-like"],
        "distill": [StrOptions({"both", "rationale", "prediction"})],
        "audit_teacher": ["boolean"],
    }
    _has_fidelity = True
    _report_parts = (*SelectsWords._report_parts, "teacher_audit")
    _of_teacher = Hooks._of_teacher | {"teacher_audit_"}
    teacher_: Any
    teacher_audit_: RationaleAudit | None
    _unlabelled: list[str]

    def __init__(
        self,
        teacher: Any = None,
        *,
        alpha: float | str = 0.3,
        rationale_lambda: float = 10.0,
        temperature: tuple[float, float] = (5.0, 0.1),
        distill: str = "both",
        audit_teacher: bool = True,
        hidden_layer_sizes: Sequence[int] = (8, 8),
        max_features: float = 0.1,
        unit: str = "word",
        contiguity: float = 0.0,
        fill: str = "marginal",
        max_length: int = 512,
        min_df: int = 3,
        n_hashed: int = 1000,
        backbone: Any = None,
        backbone_layers: int | str = 2,
        max_epochs: int | str = "auto",
        batch_size: int = 32,
        lr: float = 3e-3,
        weight_decay: float = 0.1,
        early_stopping: bool = True,
        validation_fraction: float = 0.15,
        n_iter_no_change: int | None = None,
        device: str = "auto",
        random_state: Any = None,
        verbose: int | str = "auto",
        callbacks: list[Any] | None = None,
    ) -> None:
        self.teacher = teacher
        self.alpha = alpha
        self.rationale_lambda = rationale_lambda
        self.temperature = temperature
        self.distill = distill
        self.audit_teacher = audit_teacher
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_features = max_features
        self.unit = unit
        self.contiguity = contiguity
        self.fill = fill
        self.max_length = max_length
        self.min_df = min_df
        self.n_hashed = n_hashed
        self.backbone = backbone
        self.backbone_layers = backbone_layers
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    def fit(self, X: Any, y: Any, sample_weight: Any = None, unlabelled: Any = None) -> Self:
        """Fit to texts and their target, and optionally to texts without a target.

        Parameters
        ----------
        X : list, array or Series of str of shape (n,)
            Texts.
        y : array-like of shape (n,)
            Labels or numbers. With a fitted teacher and ``alpha=0`` they are only used to measure how good
            the teacher is.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights; texts of weight 0 are left out.
        unlabelled : list, array or Series of str of shape (m,), default=None
            Texts for which the student learns the teacher's predictions; each has the mean weight.

        Returns
        -------
        self
            The fitted estimator. If fit fails, the estimator does not change.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not as described, or the teacher's rationales leak.
        """
        with unchanged_on_error(self):
            if isinstance(self.teacher, AbsentTeacher):
                self.teacher.fit(None)
            check_teacher(self.teacher, type(self).__name__)
            self._unlabelled = [] if unlabelled is None else as_texts(unlabelled, "unlabelled")
            super().fit(X, y, sample_weight)
            del self._unlabelled
        return self

    def _is_classifier(self) -> bool:
        teacher = getattr(self, "teacher", None)
        if teacher is not None:
            return is_classifier(teacher)
        return not hasattr(self, "_task") or self._task.is_classification

    def _check_parameters(self) -> None:
        check_shared(self)
        name, taus = type(self).__name__, self.temperature
        if len(taus) != 2 or not all(isinstance(tau, Real) for tau in taus) or not taus[0] > taus[1] > 0:
            raise ValueError(
                f"The 'temperature' parameter of {name} must be two positive numbers, the second smaller. "
                f"Got {taus!r} instead."
            )
        inner = unfrozen(self.teacher)
        if inner is not None and not (is_classifier(inner) or is_regressor(inner)):
            raise TypeError(
                f"The 'teacher' parameter of {name} must be a classifier or regressor. Got {inner!r}."
            )
        if inner is not None and is_classifier(inner) and not hasattr(inner, "predict_proba"):
            raise TypeError(
                f"The 'teacher' parameter of {name} must be a classifier with predict_proba. Got "
                f"{type(inner).__name__} instead."
            )
        if isinstance(inner, SelectsWords):
            for each in ("unit", "max_length"):
                if getattr(inner, each) != getattr(self, each):
                    raise ValueError(
                        f"The teacher has {each}={getattr(inner, each)!r} and {name} "
                        f"{each}={getattr(self, each)!r}; expected equal values, because they are "
                        "compared word by word."
                    )
        elif self.distill == "rationale" and inner is not None:
            raise ValueError(
                f"distill='rationale' needs a teacher that selects words; {type(inner).__name__} does not. "
                "Expected distill='prediction' or 'both'."
            )

    def _fit_texts(self, texts: list[str], y: np.ndarray, weight: np.ndarray) -> None:
        self.teacher_ = teacher = self._fitted_to(texts, y, weight)
        refuse_several_targets(teacher, "teacher")
        own = Task.of_labels(y) if is_classifier(teacher) else Task.of_numbers(y, "a classifier as teacher")
        self._task = Task.of_classes(np.asarray(teacher.classes_)) if is_classifier(teacher) else own
        if self._task.is_classification:
            self.classes_ = self._task.classes
        encoded = self._task.encode(y)
        self.teacher_audit_ = self._audited(texts, y)
        self.n_unlabelled_ = len(self._unlabelled)
        every = texts + self._unlabelled
        scores = self._teacher_scores(every)
        soft = encoded.astype(float)
        if self._unlabelled:
            rest = scores[len(texts) :]
            answers = self._task.encode(self._task.predict(rest))
            encoded = np.concatenate([encoded, answers])
            likely = self._task.probabilities(rest)[:, -1] if self._task.link == "logit" else answers
            soft = np.concatenate([soft, likely])
            weight = np.concatenate([weight, np.ones(len(rest))])
        soft_targets = soft if self._task.link == "logit" else None

        def taught(units: TextUnits) -> TeacherOfTexts:
            distillation = Distillation(self.alpha, self.rationale_lambda, self.distill)
            logits = None
            if isinstance(teacher, SelectsWords) and self.distill != "prediction":
                model = teacher._model
                logits = units.spread(model.mask_and_excess(units)[1])
            tau = (float(self.temperature[0]), float(self.temperature[1]))
            return TeacherOfTexts(distillation, tau, scores, logits, soft_targets)

        fit_texts(self, every, encoded, weight, taught)

    def _fitted_to(self, texts: list[str], y: np.ndarray, weight: np.ndarray) -> Any:
        """Give the fitted teacher."""
        teacher = self.teacher
        if isinstance(teacher, FrozenEstimator):
            check_is_fitted(unfrozen(teacher))
            return unfrozen(teacher)
        if teacher is None:
            kind = TextRationaleClassifier if looks_like_classes(y) else TextRationaleRegressor
            names = ("max_features", "unit", "contiguity", "max_length", "device", "verbose", "callbacks")
            teacher = kind(**{name: getattr(self, name) for name in names})
        teacher = seed_unseeded(clone(teacher), self.random_state)
        if (weight == weight[0]).all():
            return teacher.fit(texts, y)
        return teacher.fit(texts, y, sample_weight=weight)

    def _audited(self, texts: list[str], y: np.ndarray) -> RationaleAudit | None:
        """Audit a teacher that selects: a student would copy what leaks."""
        teacher = self.teacher_
        selects = isinstance(teacher, SelectsWords) and bool(teacher._model.selectors)
        if not self.audit_teacher or not selects or len(texts) < FEWEST_AUDITED or len(np.unique(y)) < 2:
            return None
        if self._task.is_classification and np.sort(np.bincount(self._task.encode(y)))[-2] < 2:
            return None
        report = audit_texts(teacher, texts, y, n_refits=0, max_rows=AUDIT_ROWS, random_state=0)
        if "telling" in report.findings or ("leak" in report.findings and report.leak > LEAK):
            raise ValueError(
                "The teacher's masks reveal the label, and the student would inherit this. "
                f"{report.verdict} Expected an honest teacher, or audit_teacher=False."
            )
        return report

    def _teacher_scores(self, texts: list[str]) -> np.ndarray:
        """Scores (n, K) of the teacher."""
        teacher = self.teacher_
        if isinstance(teacher, SelectsWords):
            return teacher._scores(texts)
        if not self._task.is_classification:
            numbers = teacher.predict(texts)
            check_one_column(numbers, teacher, "teacher")
            return np.asarray(numbers, dtype=float).reshape(-1, 1)
        shares = np.asarray(teacher.predict_proba(texts), dtype=float)
        check_shares(shares, teacher, texts, "teacher")
        chances = np.clip(shares, CERTAIN, 1 - CERTAIN)
        if self._task.link == "logit":
            return np.log(chances[:, -1:] / (1 - chances[:, -1:]))
        return np.log(chances)

    def fidelity(self, X: Any, y: Any = None) -> dict[str, float]:
        """Measure how well the student agrees with its teacher on given texts.

        Parameters
        ----------
        X : list, array or Series of str of shape (n,)
            Texts, preferably ones that were not in ``fit``.
        y : array-like of shape (n,), default=None
            True labels or numbers; if given, the scores of both are added.

        Returns
        -------
        dict of str to float
            The results of :func:`skrationale.metrics.prediction_fidelity`, and for a teacher with rationales
            ``rationale_jaccard``, the mean Jaccard index of both rationales. With `y` also ``score`` and
            ``teacher_score``, and for classifiers ``auroc``, ``teacher_auroc``, ``log_loss`` and
            ``teacher_log_loss``.
        """
        texts, task = as_texts(X), self._task
        scores, theirs = self._scores(texts), self._teacher_scores(texts)
        chances = probabilities_of(task, theirs)
        result = agreement(scores, theirs, task, teacher_probabilities=chances)
        if isinstance(self.teacher_, SelectsWords):
            result["rationale_jaccard"] = jaccard_of(self.mask(texts), self.teacher_.mask(texts))
        if y is not None:
            result |= judged(task, y, scores, probabilities_of(task, scores))
            found = judged(task, y, theirs, chances)
            result |= {f"teacher_{name}": value for name, value in found.items()}
        return result


def unfrozen(teacher: Any) -> Any:
    """Give what stands in a FrozenEstimator, or the teacher itself."""
    while isinstance(teacher, FrozenEstimator):
        teacher = teacher.estimator
    return teacher
