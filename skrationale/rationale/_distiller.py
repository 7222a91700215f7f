"""RationaleDistiller: a small model learns from a large one which columns a row needs."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._hooks import hooks_of
from .._kinds import CLASS_WEIGHT
from ..base import BaseDistiller
from ..explanation import Explanation
from ..teachers import Teacher, TeacherTable, confidence_of, teacher_for
from ._audit import FEWEST_ROWS
from ._audit_report import RationaleAudit
from ._base import PARAMETERS, check_shared
from ._estimator import RationaleClassifier, RationaleRegressor
from ._fitting import TeacherTargets
from ._joint import Distillation
from ._selecting import SelectsColumns
from ._selection_warnings import warn
from ._teacher_selection import selection_of
from .picture import PictureForm

AUDIT_ROWS = 5000
"""Rows at most that a teacher is audited on. Not measured."""


class RationaleDistiller(SelectsColumns, BaseDistiller):
    """A small model that learns from a large one which columns to select and what to predict (REKD [1]_).

    The student is a model like :class:`RationaleClassifier` or :class:`RationaleRegressor`, depending on its
    teacher. Its loss is

    ``alpha * own + (1 - alpha) * (rationale_lambda * KL(selection) + tau**2 * KL(predictions))``,

    where `own` is its loss without a teacher. The first divergence is a sum over columns, and both use the
    temperature `tau`, which falls during training. Columns that the teacher never selects are not used. The
    last stage learns from labels and from the teacher's predictions.

    From a teacher without rationales the student learns the predictions. If the teacher has contributions for
    each row (a LightGBM has TreeSHAP values, and models of this package have `explain`), columns whose
    contributions are larger than average count as its selection.

    For pictures the selection term is the mean squared difference between the values of patches, which are
    standardised in each picture. There is no temperature. During training the teacher is asked about the same
    masked pictures as the student, which has the grid of its teacher. Half of them are moved by up to 1/16
    of their sides or mirrored: of these the student learns what the teacher says, not the label. A teacher
    that was not fitted to pictures is asked once about whole ones, as flat rows, for the first stage only.

    Parameters
    ----------
    teacher : estimator, default=None
        A rationale model, any classifier with `predict_proba`, or any regressor. An unfitted one is cloned
        and fitted. Wrap a fitted one in :class:`sklearn.frozen.FrozenEstimator`. None:
        :class:`RationaleClassifier` if `y` holds text, categories, booleans, two values or at most 30
        different integers, and otherwise :class:`RationaleRegressor`.
    alpha : float or "anneal", default=0.3
        Share of the student's own loss. ``"anneal"``: it rises from 0 to 1 while the temperature falls, and
        is 0.5 in the last stage. For pictures it rises while the selector is trained.
    rationale_lambda : float, default=0.5
        Weight of the selection term.
    temperature : (float, float), default=(5.0, 0.1)
        Temperature of both terms and of random gates, at the beginning and at the end of training.
    distill : {"both", "rationale", "prediction"}, default="both"
        Which terms are used.
    audit_teacher : bool, default=True
        Whether to audit a teacher with rationales on the training rows before its student is trained. If its
        masks reveal the label, a warning is given, because the student would copy this. This is not done with
        fewer than 100 rows, nor for pictures.
    hidden_layer_sizes : sequence of int or "auto", default="auto"
        Widths of the hidden layers. The student's selector and its predictor have the same. ``"auto"``:
        (16, 16) for tables and (8, 16, 16) for pictures.
    max_features, sparsity_lambda, relaxation, fill, screening, grid, backbone, selector, selection : object
        As in :class:`RationaleClassifier`.
    max_epochs, batch_size, lr, weight_decay : object
        As in :class:`RationaleClassifier`.
    early_stopping, validation_fraction, n_iter_no_change : object
        As in :class:`RationaleClassifier`.
    device, random_state, verbose, callbacks : object
        As in :class:`RationaleClassifier`.
    class_weight : dict of label to number, or "balanced", default=None
        Weights of classes, which multiply those of rows. ``"balanced"``: equal total weights.

    Attributes
    ----------
    teacher_ : estimator
        The fitted teacher.
    teacher_audit_ : RationaleAudit or None
        The audit of the teacher, if there was one.
    classes_ : ndarray of shape (C,)
        Class labels, with a classifier as teacher.

    See Also
    --------
    RationaleClassifier : Has all other attributes.

    References
    ----------
    .. [1] Dai, Goebel, "Learn from A Rationalist: distilling intermediate interpretable rationales", 2026,
       arXiv:2601.22531.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skrationale import RationaleClassifier, RationaleDistiller
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> teacher = RationaleClassifier(max_epochs=10, random_state=0)
    >>> student = RationaleDistiller(teacher, hidden_layer_sizes=(8,), max_epochs=10, random_state=0)
    >>> student.fit(X, y).score(X, y) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CLASS_WEIGHT,
        **PARAMETERS,
        "teacher": [HasMethods(["fit", "predict"]), None],
        "alpha": [Interval(Real, 0, 1, closed="both"), StrOptions({"anneal"})],
        "rationale_lambda": [Interval(Real, 0, None, closed="left")],
        "distill": [StrOptions({"both", "rationale", "prediction"})],
        "audit_teacher": ["boolean"],
    }
    _usual_sizes = ((16, 16), (8, 16, 16))
    _report_parts = ("rationale", "audit", "teacher_audit")
    _of_teacher = BaseDistiller._of_teacher | {"teacher_audit_"}
    teacher_audit_: RationaleAudit | None

    def __init__(
        self,
        teacher: Any = None,
        *,
        alpha: float | str = 0.3,
        rationale_lambda: float = 0.5,
        temperature: tuple[float, float] = (5.0, 0.1),
        distill: str = "both",
        audit_teacher: bool = True,
        hidden_layer_sizes: Sequence[int] | str = "auto",
        max_features: float | None = None,
        sparsity_lambda: float | str = "auto",
        relaxation: str = "soft",
        fill: str = "marginal",
        screening: bool = True,
        grid: int | tuple[int, int] | None = None,
        backbone: Any = None,
        selector: Any = None,
        selection: str = "auto",
        max_epochs: int | str = "auto",
        batch_size: int = 256,
        lr: float = 1e-3,
        weight_decay: float | str = "auto",
        early_stopping: bool = True,
        validation_fraction: float = 0.15,
        n_iter_no_change: int | None = None,
        device: str = "auto",
        random_state: Any = None,
        verbose: int | str = "auto",
        callbacks: list[Any] | None = None,
        class_weight: dict[Any, float] | str | None = None,
    ) -> None:
        self.teacher = teacher
        self.alpha = alpha
        self.rationale_lambda = rationale_lambda
        self.temperature = temperature
        self.distill = distill
        self.audit_teacher = audit_teacher
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_features = max_features
        self.sparsity_lambda = sparsity_lambda
        self.relaxation = relaxation
        self.fill = fill
        self.screening = screening
        self.grid = grid
        self.backbone = backbone
        self.selector = selector
        self.selection = selection
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
        self.class_weight = class_weight

    def _check_parameters(self) -> None:
        check_shared(self)

    def _default_teacher(self, classifier: bool, matrix: np.ndarray) -> Any:
        model = RationaleClassifier if classifier else RationaleRegressor
        return model(
            max_features=self.max_features,
            grid=self.grid,
            device=self.device,
            random_state=self.random_state,
            verbose=self.verbose,
            callbacks=self.callbacks,
        )

    def _check_teacher(self, teacher: Any) -> None:
        if is_classifier(teacher) and confidence_of(teacher) != "probability":
            raise TypeError(
                f"The 'teacher' parameter of RationaleDistiller must be a classifier with predict_proba. Got "
                f"{type(teacher).__name__} instead."
            )

    def _adapt(self, teacher: Any, form: TeacherTable) -> Teacher:
        return teacher_for(teacher, form, raw=isinstance(teacher, SelectsColumns))

    def _rows_to_fit(self, teacher: Any, rows: Any) -> Any:
        return self._form.as_given(rows) if hooks_of(teacher)._takes_pictures else rows

    def _accept_teacher(self) -> None:
        known = getattr(self.teacher_, "n_features_in_", self.n_features_in_)
        if known != self.n_features_in_:
            raise ValueError(
                f"The teacher was fitted on {known} columns, but X has {self.n_features_in_}; expected "
                "the same columns."
            )

    def _distil(self, X: Any, matrix: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> None:
        distillation = Distillation(self.alpha, self.rationale_lambda, self.distill)
        taught = self._form.learn(self, X, matrix, y, distillation)
        self._form.fit(self, matrix, y, sample_weight, taught)

    def _columns_taught(self, X: Any, y: np.ndarray, distillation: Distillation) -> TeacherTargets:
        """Ask the teacher about the rows of a table."""
        table = self._adapter.form.rows(X)
        self.teacher_audit_ = self._audited(table, y)
        logits, columns = (None, None) if self.distill == "prediction" else selection_of(self._adapter, table)
        if logits is None:
            self._need_selection("selects columns or has reasons")
        form = self._adapter.form
        logits = None if logits is None else form.back(logits)
        columns = columns if columns is None or form.order is None else np.sort(form.order[columns])
        columns = columns if columns is not None and columns.size else None
        return TeacherTargets(distillation, self._adapter.scores(table), logits, columns)

    def _need_selection(self, what: str) -> None:
        """Refuse to learn from selections alone where there are none."""
        if self.distill == "rationale":
            raise ValueError(
                f"distill='rationale' needs a teacher that {what}; {type(self.teacher_).__name__} does not. "
                "Expected distill='prediction' or 'both'."
            )

    def _audited(self, table: Any, y: np.ndarray) -> RationaleAudit | None:
        """Audit a teacher that selects, and warn when it leaks: a student would copy that."""
        teacher = self.teacher_
        if not self.audit_teacher or not isinstance(teacher, SelectsColumns):
            return None
        rare = self._task.classes is not None and np.sort(np.bincount(y, minlength=2))[-2] < 2
        if len(y) < FEWEST_ROWS or rare or not teacher._model.columns.size:
            return None
        labels = y if self._task.classes is None else self._task.classes[y]
        report: Any = teacher.audit(table, labels, n_refits=0, max_rows=AUDIT_ROWS, random_state=0)
        if "leak" in report.findings:
            warn(f"The teacher's masks reveal the label, and the student inherits this. {report.verdict}")
        return report

    def fidelity(self, X: Any, y: Any = None) -> dict[str, float]:
        """Measure how well the student agrees with its teacher on given rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d), or pictures of shape (n, H, W) or (n, C, H, W)
            Rows, preferably ones that were not in ``fit``.
        y : array-like of shape (n,), default=None
            True labels or numbers; if given, the scores of both are added.

        Returns
        -------
        dict of str to float
            As in :meth:`skrationale.GBDT2NNStudent.fidelity`.
        """
        check_is_fitted(self)
        if isinstance(self._form, PictureForm):
            self._read(X)  # refuses pixels in other units, which flat ones do not show
        return super().fidelity(self._form.flat(X), y)

    def _teacher_reasons(self, X: Any) -> Explanation | None:
        # those of others are no rationales
        return super()._teacher_reasons(X) if isinstance(self.teacher_, SelectsColumns) else None
