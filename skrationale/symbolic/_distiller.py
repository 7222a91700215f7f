"""SymbolicDistiller: a teacher, trained to be smooth, becomes a formula."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._batches import check_batching, in_batches, one_or_several
from .._callers import outside
from .._deadline import Deadline
from .._kinds import CLASS_WEIGHT
from .._random import own_random_state
from .._scales import to_shares
from ..base import BaseDistiller
from ..explanation import Explanation
from ..formula import Formula
from ..formula.nodes import write_formulas
from ..formula.shapley import FormulaShapley
from ..formula.variables import check_columns, make_variables, variable_values
from ..graphs import Graph
from ..teachers import Teacher
from ..training import TRAINING_CONSTRAINTS
from ._distillation import Data, empty_formulas, label_rows, make_fronts, refit_front
from ._front import MODEL_SELECTIONS, Fronts, choose
from ._rows import most_useful, rows_between, split_distinct
from ._search import TEACHER_SHARE, Searcher
from ._selection import choose_share, search_terms
from ._smooth_teacher import is_smooth, smooth_teacher
from ._targets import target_as_scores
from ._views import views_of
from .engines import resolve_engine
from .engines._base import Engine, EngineError

MAX_ROWS = 10_000
"""Formulas are fitted to and compared on so many rows, chosen at random. Not measured."""
N_BACKGROUND = 100
"""Training rows that Shapley values are computed against. Not measured."""


class SymbolicDistiller(BaseDistiller):
    """Distil a teacher, trained to be smooth, into a formula [1]_.

    Symbolic regression [2]_ searches for a formula of the teacher's scores (log-odds of a classifier), or one
    per class for more than two classes. By default, and in the paper, the teacher is a network whose gradient
    is penalised (`jacobian_lambda`), because a function that is not smooth has no short formula. Any other
    estimator is distilled as it is. The terms of all searches are pooled, weighted by least squares, and
    their constants are fitted in float64.

    Parameters
    ----------
    teacher : classifier or regressor, default=None
        Unfitted (it is cloned and fitted), or fitted in a :class:`sklearn.frozen.FrozenEstimator`. None:
        :class:`SmoothMLPClassifier` if `y` holds text, categories or booleans, and otherwise
        :class:`SmoothMLPRegressor`: numbers are never treated as labels here.
    jacobian_lambda : float, "auto" or None, default="auto"
        The `jacobian_lambda` of a `SmoothMLP` teacher that is fitted here. It replaces the teacher's own
        value; None keeps it. ``"auto"`` trains with several lambdas, and searches for terms with the network
        of the middle one. Among the networks whose formula is nearly as accurate as the best (a loss higher
        by at most 2 % or one standard error), it then takes the one whose formula has the highest fidelity.
        With other teachers a number raises an error.
    engine : {"auto", "operon", "pysr"} or Engine, default="auto"
        The search engine. ``"auto"``: Operon, or PySR if Operon is missing.
    teacher_weight : float or "auto", default="auto"
        Weight a of the teacher in the target of the search, ``a * score + (1 - a) * y``. ``"auto"`` tries 1,
        0.5 and 0, and takes the largest whose formula is nearly as accurate as the best: on validation rows
        its loss against `y` exceeds the lowest by at most 2 %.
    n_synthetic : int, default=0
        Number of added rows between neighbouring training rows, labelled by the teacher.
    maxsize : int, default=30
        Largest complexity of a formula: variables, functions and operations, without constants.
    model_selection : {"best", "accuracy", "score"}, default="best"
        Which formula of the Pareto front is chosen, as in PySR. ``"best"``: the highest score among formulas
        with at most 1.5 times the lowest loss. ``"accuracy"``: the lowest loss. ``"score"``: the highest.
    binary_operators : sequence of str, default=("+", "-", "*", "aq")
        Any of "+", "-", "*", "/", "^", "max", "min", and "aq", which is ``a / sqrt(1 + b^2)``.
    unary_operators : sequence of str, default=("sin", "exp", "square", "sqrtabs")
        Any of "sin", "cos", "tan", "tanh", "exp", "log", "sqrt", "abs", "sign", "square", "cube", "logabs",
        "sqrtabs".
    n_searches : int, default=4
        Number of searches. The first one searches for a whole formula and has 85 % of `niterations`; each of
        the others searches for a formula of the residual. With ``teacher_weight="auto"`` two first searches
        start, for `y` and for the teacher, and the one whose formula is more accurate continues; if the loss
        of a teacher is at most 1 % of that of a constant, all search for `y`, which may follow a law.
    niterations : int, default=None
        Iterations of the engine over all searches and outputs. None: its default, or as time allows.
    population_size : int, default=None
        Number of expressions in the population. None: the engine's default.
    max_search_rows : int, default=1000
        Largest number of rows for the engine, chosen at random. Up to 10,000 are used to fit constants and to
        compare formulas.
    max_variables : int, default=20
        Largest number of variables for the engine: the most important ones for a LightGBM of teacher and `y`.
    timeout_in_seconds : float, default=None
        Time limit of the whole fit. A smooth teacher that is fitted here may take a quarter of it; the time
        of other teachers is not limited. With a limit the formula depends on how busy the computer is.
    validation_fraction : float, default=0.2
        Share of the rows held out for validation. If these are fewer than 10, none are held out. Formulas are
        compared on them. Equal rows count once here. If none are held out, all rows are used for both fitting
        and comparing.
    random_state : int, RandomState or None, default=None
        Seed of all random numbers: weights, shuffles, held-out rows. Also of the searches and a default
        teacher.
    verbose : int or "auto", default="auto"
        0: silent, 1: a progress bar, 2: a table of losses. ``"auto"``: a bar in notebooks
        and terminals, after 3 seconds. They show the training of a default teacher.
    class_weight : dict of label to number, or "balanced", default=None
        Weights of classes, which multiply those of rows. ``"balanced"``: equal total weights.

    Attributes
    ----------
    teacher_ : estimator
        The fitted teacher.
    formula_ : Formula
        The chosen formula, in the units of your columns; only if there is one output.
    formulas_ : list of Formula
        The chosen formulas, one per output.
    equations_ : DataFrame, or list of them for more than two classes
        The Pareto front: complexity, loss, score, equation, sympy_format, lambda_format (as in PySR),
        fidelity_r2, r2, warnings. Losses and R2 are those of validation rows.
    pareto_front_ : list of Formula, or list of lists of them for more than two classes
        The formulas of the Pareto front.
    lambda_ : float
        The lambda of a `SmoothMLP` teacher.
    lambda_path_ : list of dict
        That of the teacher; see :class:`SmoothMLPRegressor`. With ``"auto"`` also ``formula_loss`` (against
        `y`) and ``fidelity_r2`` (against the network) of a sum of terms on validation rows.
    teacher_weight_ : float
        The chosen weight of the teacher.
    selection_ : list of dict
        For each weight tried: ``teacher_weight``, ``loss`` (against `y`, on validation rows), ``complexity``,
        ``standard_error`` (of the difference to the loss of the smallest weight, row by row) and
        ``selected``.
    classes_ : ndarray of shape (C,)
        Class labels, for classifiers.
    n_features_in_ : int
        Number of columns d.
    feature_names_in_ : ndarray of shape (d,)
        Their names, if all are strings.
    feature_importances_ : ndarray of shape (d,)
        Mean absolute Shapley value on background rows, summed over outputs and scaled to sum to 1.

    Raises
    ------
    EngineError
        If the engine is missing or fails.

    Notes
    -----
    All fits use row weights. An engine without weights, such as Operon, gets rows drawn by their weight.

    References
    ----------
    .. [1] Dhar, Fong, Motani, "Teaching the Teacher: improving neural network distillability for symbolic
       regression via Jacobian regularization", 2025, arXiv:2507.22767.
    .. [2] Cranmer, "Interpretable machine learning for science with PySR and SymbolicRegression.jl", 2023,
       arXiv:2305.01582.

    Examples
    --------
    >>> import numpy as np
    >>> from skrationale import SymbolicDistiller
    >>> X = np.random.RandomState(0).uniform(-2, 2, (200, 3))
    >>> y = 3 * X[:, 0] * X[:, 1] + X[:, 2]
    >>> distiller = SymbolicDistiller(jacobian_lambda=0.001, random_state=0).fit(X, y)
    >>> distiller.formula_.variables
    ('x0', 'x1', 'x2')
    >>> distiller.score(X, y) > 0.99
    True
    """

    _labels_may_be_numbers = False  # a law may well have few values
    _report_parts: ClassVar[tuple[str, ...]] = ("formula",)
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CLASS_WEIGHT,
        "teacher": [HasMethods(["fit", "predict"]), None],
        "jacobian_lambda": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"}), None],
        "engine": [StrOptions({"auto", "operon", "pysr"}), Engine],
        "teacher_weight": [Interval(Real, 0, 1, closed="both"), StrOptions({"auto"})],
        "n_synthetic": [Interval(Integral, 0, None, closed="left")],
        "maxsize": [Interval(Integral, 1, None, closed="left")],
        "model_selection": [StrOptions(set(MODEL_SELECTIONS))],
        "binary_operators": ["array-like"],
        "unary_operators": ["array-like"],
        "n_searches": [Interval(Integral, 1, None, closed="left")],
        "niterations": [Interval(Integral, 1, None, closed="left"), None],
        "population_size": [Interval(Integral, 2, None, closed="left"), None],
        "max_search_rows": [Interval(Integral, 10, None, closed="left")],
        "max_variables": [Interval(Integral, 1, None, closed="left")],
        "timeout_in_seconds": [Interval(Real, 0, None, closed="neither"), None],
        **{name: TRAINING_CONSTRAINTS[name] for name in ("validation_fraction", "random_state", "verbose")},
    }

    def __init__(
        self,
        teacher: Any = None,
        *,
        jacobian_lambda: float | str | None = "auto",
        engine: str | Engine = "auto",
        teacher_weight: float | str = "auto",
        n_synthetic: int = 0,
        maxsize: int = 30,
        model_selection: str = "best",
        binary_operators: Sequence[str] = ("+", "-", "*", "aq"),
        unary_operators: Sequence[str] = ("sin", "exp", "square", "sqrtabs"),
        n_searches: int = 4,
        niterations: int | None = None,
        population_size: int | None = None,
        max_search_rows: int = 1000,
        max_variables: int = 20,
        timeout_in_seconds: float | None = None,
        validation_fraction: float = 0.2,
        random_state: Any = None,
        verbose: int | str = "auto",
        class_weight: dict[Any, float] | str | None = None,
    ) -> None:
        self.teacher = teacher
        self.jacobian_lambda = jacobian_lambda
        self.engine = engine
        self.teacher_weight = teacher_weight
        self.n_synthetic = n_synthetic
        self.maxsize = maxsize
        self.model_selection = model_selection
        self.binary_operators = binary_operators
        self.unary_operators = unary_operators
        self.n_searches = n_searches
        self.niterations = niterations
        self.population_size = population_size
        self.max_search_rows = max_search_rows
        self.max_variables = max_variables
        self.timeout_in_seconds = timeout_in_seconds
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.verbose = verbose
        self.class_weight = class_weight

    def _is_classifier(self) -> bool:
        # numbers are regressed when there is no teacher, so that is what an unfitted one says
        return super()._is_classifier() and (self.teacher is not None or hasattr(self, "_task"))

    def _check_parameters(self) -> None:
        engine = resolve_engine(self.engine)
        engine.check_settings()
        engine.check_operators(self.binary_operators, self.unary_operators)
        if reason := engine.available():
            raise EngineError(f"engine={self.engine!r} cannot be used: {reason}")
        if isinstance(self.jacobian_lambda, Real) and not (self.teacher is None or is_smooth(self.teacher)):
            raise ValueError(
                f"jacobian_lambda={self.jacobian_lambda!r} is only for smooth teachers that this estimator "
                f"fits itself. Got the teacher {type(self.teacher).__name__}; expected "
                "SmoothMLPRegressor() or SmoothMLPClassifier(), or jacobian_lambda='auto'."
            )

    def _begin_fit(self) -> None:
        super()._begin_fit()
        self._deadline = Deadline(self.timeout_in_seconds)

    # --- the teacher -----------------------------------------------------------------------------

    def _default_teacher(self, classifier: bool, matrix: np.ndarray | None = None) -> Any:
        seed = own_random_state(self.random_state).randint(2**31 - 1)
        return smooth_teacher(classifier, random_state=seed, verbose=self.verbose)

    def _configure(self, teacher: Any) -> Any:
        if is_smooth(teacher) and self.jacobian_lambda is not None:
            teacher.set_params(jacobian_lambda=self.jacobian_lambda)
        if is_smooth(teacher):
            teacher._deadline = self._deadline.part(TEACHER_SHARE)
        return teacher

    def _check_rows(self, matrix: np.ndarray, numbers: np.ndarray | None) -> None:
        check_columns(self._reader, matrix)

    def _check_teacher(self, teacher: Any) -> None:
        """Any classifier or regressor will do."""

    def _accept_teacher(self) -> None:
        if is_smooth(self.teacher_):
            self.lambda_, self.lambda_path_ = self.teacher_.lambda_, self.teacher_.lambda_path_

    def _teachers(self) -> list[Teacher]:
        """Give the teachers that may be distilled: all of a path that was trained here, or the one."""
        if self.jacobian_lambda == "auto" and (self.teacher is None or is_smooth(self.teacher)):
            path = (self.teacher_.at_lambda(step["jacobian_lambda"]) for step in self.lambda_path_)
            return [self._adapt(teacher, self._adapter.form) for teacher in path]
        return [self._adapter]

    # --- the formula -----------------------------------------------------------------------------

    def _distil(self, X: Any, matrix: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> None:
        rng = own_random_state(self.random_state)
        rng.randint(2**31 - 1)  # the default teacher's seed
        variables = make_variables(self._reader, matrix, weights=sample_weight)
        weights = np.ones(len(matrix)) if sample_weight is None else sample_weight
        if len(matrix) > MAX_ROWS:
            rows = np.sort(rng.permutation(len(matrix))[:MAX_ROWS])
            X, matrix, y, weights = _safe_indexing(X, rows), matrix[rows], y[rows], weights[rows]
        teachers, table = self._teachers(), self._adapter.form.rows(X)
        scores = [teacher.scores(table) for teacher in teachers]
        truths = [target_as_scores(y, score, self._task, weights) for score in scores]
        V = variable_values(variables, matrix)
        useful = most_useful(V, np.hstack([scores[0], truths[0]]), weights, self.max_variables)
        variables, V = tuple(variables[j] for j in useful), V[:, useful]
        alternatives = [Data(V, *pair, weights) for pair in zip(scores, truths, strict=True)]
        classes = self._task.is_classification
        fit_rows, valid_rows = split_distinct(V, y, self.validation_fraction, classes, rng)
        fits, valids = ([data.part(rows) for data in alternatives] for rows in (fit_rows, valid_rows))
        if self.n_synthetic:
            made = rows_between(_safe_indexing(X, fit_rows), self._reader, self.n_synthetic, rng)
            V_made = variable_values(variables, self._reader.transform(made))
            extra = label_rows(teachers, self._adapter.form.rows(made), V_made)
            fits = [fit + more for fit, more in zip(fits, extra, strict=True)]
        shares = (1.0, 0.5, 0.0) if self.teacher_weight == "auto" else (float(self.teacher_weight),)
        outputs, y_valid = range(self._task.n_outputs), y[valid_rows]
        searchers = Searcher.all_of(self, fits[0].V, len(outputs), self._deadline)
        counted, allowed = fit_rows[weights[fit_rows] > 0], searchers[0].operators
        views = partial(views_of, teachers, variables, matrix[counted], allowed)
        chosen, measured = search_terms(searchers, fits, valids, y_valid, self._task, shares, rng, views)
        if measured:
            steps = enumerate(zip(self.lambda_path_, measured, strict=True))
            self.lambda_path_ = [step | new | {"selected": i == chosen} for i, (step, new) in steps]
            self._adapter, self.teacher_ = teachers[chosen], teachers[chosen].model
            self.lambda_ = self.teacher_.lambda_
        fit, valid = fits[chosen], valids[chosen]
        templates = empty_formulas(variables, V, self._reader, self._task)
        fronts = [make_fronts(searchers[k], fit, valid, templates[k], k, shares, rng) for k in outputs]
        share, self.selection_ = choose_share(fronts, valid, y_valid, self._task, self.model_selection)
        self.teacher_weight_ = share
        refitted = [refit_front(fronts[k][share], alternatives[chosen], k, share) for k in outputs]
        del self._deadline
        self._fronts = Fronts(refitted, [choose(front, self.model_selection) for front in refitted])
        self._background = V[rng.permutation(len(V))[:N_BACKGROUND]]
        shapley = FormulaShapley(self.formulas_, self.n_features_in_, self._background)
        importance = np.abs(shapley.shapley_values(self._background)[0]).mean(axis=0).sum(axis=-1)
        self.feature_importances_ = to_shares(importance)

    # --- what was found --------------------------------------------------------------------------

    def _fitted_fronts(self) -> Fronts:
        if not hasattr(self, "_fronts"):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet: call fit first.")
        return self._fronts

    @property
    def formulas_(self) -> list[Formula]:
        """The chosen formulas, one per output."""
        return self._fitted_fronts().formulas

    @property
    def formula_(self) -> Formula:
        """The chosen formula, if there is one output."""
        return self._fitted_fronts().formula

    @property
    def equations_(self) -> Any:
        """The Pareto front as a DataFrame; a list of them for several outputs."""
        return self._fitted_fronts().tables

    @property
    def pareto_front_(self) -> Any:
        """The formulas of the Pareto front; a list of lists for several outputs."""
        return self._fitted_fronts().candidates

    def set_formula(self, index: int | Sequence[int]) -> Self:
        """Choose other rows of the Pareto front. Predictions and explanations then use them.

        Parameters
        ----------
        index : int or sequence of K int
            Row of `equations_`, one for each output.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `index` does not hold one integer for each output, or the front has no such row.
        """
        check_is_fitted(self)
        self._fronts = self._fronts.with_choice(index)
        return self

    def _kind_in_words(self) -> str:
        formulas = self.formulas_
        words = f"{len(formulas)} formulas, one a class" if len(formulas) > 1 else "a formula"
        return f"{words}, of {self._size()[0]} symbols"

    def _size(self) -> tuple[int, str]:
        return sum(formula.complexity for formula in self.formulas_), "symbol"

    def _scores(self, matrix: np.ndarray) -> np.ndarray:
        scores = np.column_stack([formula.predict_codes(matrix) for formula in self.formulas_])
        wrong = np.count_nonzero(~np.isfinite(scores).all(axis=1))
        if wrong:
            warnings.warn(
                f"The formula has no finite value on {wrong} of {len(scores)} rows; "
                "`formula_.domain_warnings(X)` shows the causes.",
                RuntimeWarning,
                stacklevel=outside(),
            )
        return scores

    def _write_onnx(self, graph: Graph, matrix: str) -> dict[str, Any]:
        formulas = self.formulas_
        write_formulas(graph, matrix, formulas)
        return {"kind": "formula", "explanation": None, "formulas": [str(formula) for formula in formulas]}

    def explain(self, X: Any, *, batch_size: int | None = None, n_jobs: int | None = None) -> Explanation:
        """Return the exact Shapley values of the formula, with 100 training rows as background.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.
        batch_size : int, default=None
            Rows computed at once; None limits the memory automatically.
        n_jobs : int, default=None
            Number of threads that share the batches; None: 1.

        Returns
        -------
        Explanation
            Of kind ``"formula"``: `values` of shape (n, d), or (n, d, C) for more than two classes, in the
            units of the score. Base value and values add up to the score, up to rounding of the largest.
            ``meta["standard_error"]`` is 0 unless a term has more than 10 columns and is sampled.
        """
        check_batching(batch_size, n_jobs)
        (matrix, few), formulas = self._read_rows(X), self.formulas_
        shapley = FormulaShapley(formulas, self.n_features_in_, self._background)

        def part(rows: slice) -> list[np.ndarray]:
            values, *rest = shapley.shapley_values(variable_values(formulas[0].all_variables, matrix[rows]))
            return [one_or_several(values), *rest]

        size = batch_size or shapley.rows_at_once
        values, error, undefined = in_batches(part, len(matrix), size, n_jobs)
        shapley.warn(undefined)
        text = "\n".join(f"{formula.output_name} = {formula}" for formula in formulas)
        meta = {"background_rows": len(self._background), "standard_error": float(error.max())}
        rest: dict[str, Any] = {"few": few, "formula": text, "kind": "formula", "meta": meta}
        return self._explanation_of(X, matrix, values, one_or_several(shapley.base), **rest)
