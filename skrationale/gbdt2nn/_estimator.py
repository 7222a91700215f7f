"""GBDT2NNStudent: a tree ensemble, or any model, becomes a network with its reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from .._batches import check_batching, one_or_several
from .._kinds import CLASS_WEIGHT
from .._random import own_random_state
from .._scales import to_shares
from ..base import BaseDistiller, ReadableNetwork
from ..explanation import Explanation
from ..tabular import as_frame_or_array, densely
from ..teachers import (
    PermutationWalks,
    ScoreTeacher,
    Teacher,
    TeacherTable,
    check_forest,
    is_forest,
    signs_of,
    some_rows,
    teacher_for,
    unfrozen,
    warn_of_constraints,
)
from ..teachers.lightgbm import LightGBMTeacher, default_lightgbm, few_jobs
from ..training import TRAINING_CONSTRAINTS, check_training_parameters, or_auto
from ._explaining import values_in_batches
from ._few_rows import EXACT_ROWS
from ._from_batches import LearnsFromBatches
from ._labels import TREE_KINDS, TeacherReasons, has_trees, rows_compared
from ._onnx import StudentExport
from ._sparse import ReadsSparse, scores_of

if TYPE_CHECKING:
    from ..training import TrainResult
    from ._plan import Plan


class GBDT2NNStudent(StudentExport, LearnsFromBatches, ReadsSparse, BaseDistiller, ReadableNetwork):
    """A network that imitates a tree ensemble, or any model, and its contributions [1]_.

    The input of the student is one bin per column, between the teacher's own split thresholds, or between
    values of training rows if the teacher has no thresholds. It returns one contribution per column, and its
    raw score is the teacher's base value plus their sum. It is trained on the teacher's raw scores and
    contributions together, for the training rows and for synthetic rows near them.

    Parameters
    ----------
    teacher : classifier or regressor, default=None
        A tree ensemble that :func:`to_lightgbm` takes, or any model with ``explanation="permutation"`` or
        None. It may be unfitted (it is cloned and fitted), or fitted and wrapped in
        :class:`sklearn.frozen.FrozenEstimator`. None means a LightGBM of 300 trees with 31 leaves and a
        learning rate of 0.05: a classifier if `y` holds text, categories, booleans, two values or at most 30
        different integers, and otherwise a regressor.
    explanation : {"tree_shap", "path", "permutation"} or None, default="tree_shap"
        Contributions to imitate: exact TreeSHAP, looked up in tables as :class:`TreeContributions` does, or
        path contributions (Saabas). ``"permutation"`` is for any teacher (see Notes). With None only the
        score is imitated, and there is no `explain`.
    imitation : {"additive", "joint", "independent"}, default="additive"
        ``"additive"``: the score is the sum of the contributions, by construction. The two schemes of the
        paper are for comparison, and their contributions do not add up to the score: ``"joint"`` has one head
        for the score and one for the contributions, and ``"independent"`` has two networks.
    explanation_lambda : float, default=10.0
        Weight of the squared error of contributions, relative to that of the score. With 0 there is no
        `explain`.
    label_lambda : float, default=0.0
        Weight of the loss against the labels `y` themselves.
    n_synthetic : int or "auto", default="auto"
        Number of synthetic rows that the teacher labels, rounded up to whole copies of the training rows.
        ``"auto"``: 100,000, but 4 to 100 per training row. Each epoch uses 4 per training row, or 1 from
        20,000 training rows on.
    swap_probability : float, default=0.3
        Share of the values of a synthetic row that come from other rows.
    monotone : "teacher" or None, default=None
        ``"teacher"``: the score keeps the teacher's monotone constraints in every row, by construction (see
        Notes). None: the student imitates the teacher, and may break them.
    max_thresholds : int, default=255
        Largest number of split thresholds per column that the student uses: those with the largest gain. The
        default is the number of bins of LightGBM, so no threshold is lost.
    max_explanation_rows : int or "auto", default="auto"
        Largest number of rows whose contributions are learnt: training rows, chosen at random, and if this is
        enough for all rows also synthetic ones. ``"auto"``: all rows, or 20,000 training rows if the forest
        is too large for tables. With ``"permutation"``: all training rows, up to 4 million scores of the
        teacher.
    hidden_layer_sizes : sequence of int or "auto", default="auto"
        Widths of the hidden layers. ``"auto"``: (256, 128, 128), or (384, 256, 256) for several classes.
    max_epochs : int or "auto", default="auto"
        Passes over the training rows. ``"auto"``: the number that gives a fixed number of steps. That is
        2000, or 5000 for more than two classes, and falls with the square root of the rows below 10,000, but
        2 to 200 epochs.
    batch_size : int, default=512
        Rows per step. These include synthetic rows.
    lr : float, default=6e-3
        Peak of the learning rate. The rate rises at first and then falls until the end of training.
    weight_decay : float, default=1e-4
        Weight decay. The optimiser is AdamW.
    early_stopping : bool, default=False
        Whether to keep the weights that were best on held-out rows, and to stop after `n_iter_no_change`
        epochs without improvement there. An interrupt (Ctrl-C) then ends training with a warning; otherwise
        it is raised.
    validation_fraction : float, default=0.1
        Share of the rows held out for validation. If these are fewer than 10, none are held out. They are
        held out only with `early_stopping`.
    n_iter_no_change : int or None, default=10
        Training stops early after this number of epochs without improvement. None: it never stops early.
    device : str, default="auto"
        ``"cpu"``, ``"cuda"``, ...; ``"auto"`` uses a GPU if there is one.
    random_state : int, RandomState or None, default=None
        Seed of all random numbers: weights, shuffles, held-out rows. It is also used for synthetic rows and
        for a default teacher.
    verbose : int or "auto", default="auto"
        0: silent, 1: a progress bar, 2: a table of losses. ``"auto"``: a bar in notebooks
        and terminals, after 3 seconds.
    callbacks : list of skorch callbacks, default=None
        Called during training.
    class_weight : dict of label to number, or "balanced", default=None
        Weights of classes, which multiply those of rows. ``"balanced"``: equal total weights.

    Attributes
    ----------
    teacher_ : estimator
        The fitted teacher.
    classes_ : ndarray of shape (C,)
        Class labels, for classifiers.
    n_features_in_ : int
        Number of columns d.
    feature_names_in_ : ndarray of shape (d,)
        Their names, if all are strings.
    feature_importances_ : ndarray of shape (d,)
        Mean absolute contribution on training rows, summed over outputs and scaled to sum to 1.
    history_ : list of dict
        One dict per epoch: ``epoch``, ``lr``, ``dur`` in seconds, ``train_loss``, for held-out rows
        ``valid_loss``, and the terms of both. Terms are ``score``, ``explanation``, ``label`` (against `y`),
        for more than two classes ``probability`` and, of a monotone student, ``sum``.
    n_iter_ : int
        Number of epochs.
    device_ : str
        Where the student was trained.

    Notes
    -----
    Raw scores and contributions are log-odds for two classes, and one score per class for more classes. For
    regression they are in the units of the target, or of its logarithm for Poisson, gamma and Tweedie
    objectives. Classifiers that are random forests, extremely randomized trees or single trees have
    contributions in units of probability instead. Up to 512 rows are computed in float64 by
    NumPy, and more in float32 by torch: the same row may then differ by about 1e-6 of the score's scale
    between small and large tables.

    With ``explanation="permutation"`` contributions are interventional Shapley values of the score of any
    model: its log-odds, decision function or prediction, or the raw score of a forest. Unknown values are
    replaced by those of at most 1,000 training rows, the background, whose mean score is the base value. Each
    training row is explained by one random order of the columns and its reverse [2]_, or by up to 20 such
    pairs if there are few rows. This has no bias, and the network averages the noise [3]_. It takes at most
    two scores of the teacher for each column, row and pair, and once 16,000 for each column.

    With ``monotone="teacher"`` the score has a network of its own. On the way from a constrained column to
    the score all weights have one sign and all activations are increasing, so no row breaks a constraint
    beyond rounding in float64. Missing values are not compared with numbers. Contributions come from a second
    network, and the rest of the score is shared among them in proportion to their size.

    References
    ----------
    .. [1] Huang, Li, Yan, Luo, Li, "Joint learning of interpretation and distillation", 2020,
       arXiv:2005.11638.
    .. [2] Strumbelj, Kononenko, "Explaining prediction models and individual predictions with feature
       contributions", 2014.
    .. [3] "Stochastic amortization: a unified approach to accelerate feature and data attribution", 2024,
       arXiv:2401.15866.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skrationale import GBDT2NNStudent
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> student = GBDT2NNStudent(max_epochs=20, random_state=0).fit(X, y)
    >>> explanation = student.explain(X)
    >>> explanation.values.shape
    (442, 10)
    >>> bool(explanation.additivity_error(student.predict(X)) < 1e-9)
    True
    """

    _kind = "a network whose score is the sum of its reasons"
    _unreadable = (*BaseDistiller._unreadable, "0.1.0.dev1", "0.1.0.dev2")
    _of_teacher = BaseDistiller._of_teacher | {"_walks"}
    _adapter: LightGBMTeacher | ScoreTeacher
    _walks: PermutationWalks | None = None
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CLASS_WEIGHT,
        **TRAINING_CONSTRAINTS,
        **or_auto("hidden_layer_sizes"),
        "teacher": [HasMethods(["fit", "predict"]), None],
        "explanation": [StrOptions({"tree_shap", "path", "permutation"}), None],
        "imitation": [StrOptions({"additive", "joint", "independent"})],
        "explanation_lambda": [Interval(Real, 0, None, closed="left")],
        "label_lambda": [Interval(Real, 0, None, closed="left")],
        "n_synthetic": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "swap_probability": [Interval(Real, 0, 1, closed="both")],
        "monotone": [StrOptions({"teacher"}), None],
        "max_thresholds": [Interval(Integral, 1, None, closed="left")],
        "max_explanation_rows": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    }

    def __init__(
        self,
        teacher: Any = None,
        *,
        explanation: str | None = "tree_shap",
        imitation: str = "additive",
        explanation_lambda: float = 10.0,
        label_lambda: float = 0.0,
        n_synthetic: int | str = "auto",
        swap_probability: float = 0.3,
        monotone: str | None = None,
        max_thresholds: int = 255,
        max_explanation_rows: int | str = "auto",
        hidden_layer_sizes: Sequence[int] | str = "auto",
        max_epochs: int | str = "auto",
        batch_size: int = 512,
        lr: float = 6e-3,
        weight_decay: float = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | None = 10,
        device: str = "auto",
        random_state: Any = None,
        verbose: int | str = "auto",
        callbacks: list[Any] | None = None,
        class_weight: dict[Any, float] | str | None = None,
    ) -> None:
        self.teacher = teacher
        self.explanation = explanation
        self.imitation = imitation
        self.explanation_lambda = explanation_lambda
        self.label_lambda = label_lambda
        self.n_synthetic = n_synthetic
        self.swap_probability = swap_probability
        self.monotone = monotone
        self.max_thresholds = max_thresholds
        self.max_explanation_rows = max_explanation_rows
        self.hidden_layer_sizes = hidden_layer_sizes
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
        check_training_parameters(self)
        if self.monotone and self.explanation is not None and self.imitation != "additive":
            raise ValueError(
                "monotone='teacher' needs contributions that add up: expected imitation='additive'. Got "
                f"{self.imitation!r} instead."
            )
        if self.teacher is not None:
            self._check_teacher(unfrozen(self.teacher))

    # --- the teacher -----------------------------------------------------------------------------

    def _default_teacher(self, classifier: bool, matrix: np.ndarray) -> Any:
        seed = own_random_state(self.random_state).randint(2**31 - 1)
        return default_lightgbm(classifier, seed, few_jobs(matrix))

    def _check_teacher(self, teacher: Any) -> None:
        if self.explanation in TREE_KINDS:
            check_forest(teacher)
        elif self.monotone and not is_forest(teacher):
            raise ValueError(
                "monotone='teacher' needs trees, whose constraints can be read: expected monotone=None for "
                f"the teacher {type(teacher).__name__}."
            )

    def _adapt(self, teacher: Any, form: TeacherTable) -> Teacher:
        try:
            return teacher_for(teacher, form, raw=True) if is_forest(teacher) else ScoreTeacher(teacher, form)
        except ValueError:  # raw scores that are no sums over leaves
            if self.explanation in TREE_KINDS:
                raise
        return ScoreTeacher(teacher, form)

    def _accept_teacher(self) -> None:
        expected = self._adapter.n_features
        if expected != self.n_features_in_:
            raise ValueError(
                f"X has {self.n_features_in_} features, but the fitted teacher expects {expected}."
            )
        reader = self._adapter.form.reader
        assert reader is not None
        self._reader = reader  # which knows the levels at the teacher's fit too

    def _teacher_reasons(self, X: Any) -> Explanation | None:
        return self.teacher_explain(X) if self._student.imitated else None

    def _both_reasons(self, X: Any) -> tuple[np.ndarray, np.ndarray] | None:
        if self._walks is not None:
            table = as_frame_or_array(X)
            X = some_rows(table, rows_compared(self._walks, len(table)))
        return super()._both_reasons(X)

    def _teacher_explainer(self) -> Callable[[Any], Explanation] | None:
        known = self._walks is not None or has_trees(self._adapter)
        return self.teacher_explain if known else None

    def teacher_explain(self, X: Any, explanation: str | None = None) -> Explanation:
        """Return the teacher's own contributions, for comparison.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.
        explanation : {"tree_shap", "path", "permutation"}, default=None
            Kind of contributions. None: the kind that the student imitates, or TreeSHAP. The first two kinds
            need trees. ``"permutation"`` needs a student that imitates it, and returns means of 20 pairs of
            permutations.

        Returns
        -------
        Explanation
            Of kind ``"additive"``.

        Raises
        ------
        ValueError
            If the teacher has no such contributions.
        """
        matrix = self._read(densely(X))
        kind = explanation or self._student.imitated or "tree_shap"
        if kind not in (*TREE_KINDS, "permutation"):
            expected = "'tree_shap', 'path', 'permutation' or None"
            raise ValueError(f"explanation must be {expected}. Got {explanation!r} instead.")
        asked = TeacherReasons(self._adapter, self._walks, self._reader)
        base, values, meta = asked.of_kind(kind, X, matrix)
        return self._explanation_of(X, matrix, values, one_or_several(base), kind="additive", meta=meta)

    # --- the student -----------------------------------------------------------------------------

    def _distil(self, X: Any, matrix: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> None:
        from ._learning import learn  # imports torch, which few rows are explained without

        learn(self, matrix, y, sample_weight)

    def _keep(self, plan: Plan, result: TrainResult | None) -> None:
        """Take over what was trained."""
        self._walks = plan.walks
        self.history_, self.n_iter_, self.device_ = [], 0, "cpu"
        if result is not None:
            self.history_, self.n_iter_, self.device_ = result.history, result.n_iter, result.device
        self._student = plan.compiled(result)

    def _weigh_columns(self, matrix: np.ndarray, weight: np.ndarray) -> None:
        importance = np.average(np.abs(self._contributions(matrix)), axis=0, weights=weight).sum(axis=0)
        self.feature_importances_ = to_shares(importance)

    def _signs(self) -> np.ndarray | None:
        """Columns (d,) in which the score must rise (1) or fall (-1); None where it is free in all."""
        columns = self._reader.feature_names, self._adapter.form.order
        return signs_of(self.teacher_, *columns) if self.monotone else None

    def _warn_of_constraints(self) -> None:
        if self.monotone is None:
            keeps = "set monotone='teacher', or " if isinstance(self._adapter, LightGBMTeacher) else ""
            way_out = f"If this must not happen, {keeps}predict with the teacher."
            warn_of_constraints(self.teacher_, self._reader.feature_names, self._adapter.form.order, way_out)

    def _scores(self, matrix: np.ndarray) -> np.ndarray:
        return scores_of(self._student.answer, matrix, self.device_)

    def _hidden_states(self, matrix: np.ndarray) -> list[np.ndarray]:
        return self._student.hidden_states(matrix)

    def _contributions(self, matrix: np.ndarray, exact: bool | None = None) -> np.ndarray:
        """Contributions (n, K, d) of the student; columns unknown to the teacher have none."""
        used = self._student.answer(matrix, self.device_, exact)[1]
        assert used is not None
        values = np.zeros((*used.shape[:2], self.n_features_in_))
        if used.shape[2]:
            values[:, :, self._student.bins.columns] = used
        return values

    def explain(self, X: Any, *, batch_size: int | None = None, n_jobs: int | None = None) -> Explanation:
        """Return the contribution of each column to the raw score of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.
        batch_size : int, default=None
            Rows computed at once, rounded up to a multiple of 2048 if there are more than 512 rows. Results
            do not depend on it. None: 2048 or more.
        n_jobs : int, default=None
            Number of threads that share the batches; None: 1.

        Returns
        -------
        Explanation
            Of kind ``"additive"``: `values` of shape (n, d), or (n, d, C) for more than two classes, in the
            units of the raw score. A read-only array of float64 that owns its memory is not copied: do not
            write to it any more. With ``imitation="additive"`` the base value and the values add up to
            `decision_function`, or to the raw score of a regressor.

        Raises
        ------
        ValueError
            If the student was fitted with ``explanation=None`` or ``explanation_lambda=0``. The contributions
            of such a student would be arbitrary.
        """
        check_batching(batch_size, n_jobs)
        matrix, few = self._read_rows(densely(X), keep=True)
        student = self._student
        if not student.imitated:
            raise ValueError(
                "This student has no contributions: it was fitted with explanation=None or "
                "explanation_lambda=0. Expected explanation='tree_shap', 'path' or 'permutation', and "
                "explanation_lambda > 0."
            )
        base, exact = student.base, len(matrix) <= EXACT_ROWS
        values = values_in_batches(
            lambda rows: self._contributions(rows, exact), matrix, len(base), batch_size, n_jobs
        )
        rest: dict[str, Any] = {"few": few, "kind": "additive", "meta": student.meta}
        return self._explanation_of(X, matrix, values, one_or_several(base), **rest)
