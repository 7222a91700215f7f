"""SymbolicDistillerCV: lambda by cross-validation, along one warm-started path a fold."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing

from .._deadline import Deadline
from .._random import fixed_seed
from ..base import agreement
from ..teachers import WEIGHTS_REACHED, Teacher, TeacherTable
from ._distiller import SymbolicDistiller
from ._search import TEACHER_SHARE
from ._smooth_teacher import is_smooth
from .engines._base import Engine

OWN = ("teacher", "jacobian_lambdas", "cv", "n_jobs", "class_weight")
"""Parameters that :class:`SymbolicDistiller` does not have, or that each fold sets; weights of classes are
among those of rows already."""

FOLDS_SHARE = 0.75
"""Share of the time left after the teacher's that the folds may take. Not measured."""
LEAST_SECONDS = 1e-3
"""What a search gets when there is no time left: none is begun then. Not measured."""


class SymbolicDistillerCV(SymbolicDistiller):
    """:class:`SymbolicDistiller` with `jacobian_lambda` chosen by the score of the formula on held-out folds.

    Each fold trains one teacher with all lambdas, where each stage starts from the weights of the one before,
    and searches for formulas once per lambda. The lambda with the best mean score is chosen. Then teacher and
    formula are fitted to all rows.

    Parameters
    ----------
    teacher : SmoothMLPRegressor or SmoothMLPClassifier, default=None
        Unfitted. None: as in :class:`SymbolicDistiller`.
    jacobian_lambdas : sequence of float, default=(0, 0.001, 0.01, 0.1)
        Increasing lambdas to compare.
    cv : int, splitter or iterable, default=3
        Folds, as in scikit-learn; with an int, classes are stratified. A splitter gets the rows with a weight
        above 0.
    n_jobs : int, default=None
        Number of folds that are fitted at the same time.
    engine, teacher_weight, n_synthetic, maxsize, model_selection : object
        As in :class:`SymbolicDistiller`.
    binary_operators, unary_operators, n_searches, niterations : object
        As in :class:`SymbolicDistiller`; `niterations` is the number for each lambda and fold.
    population_size, max_search_rows, max_variables, timeout_in_seconds : object
        As in :class:`SymbolicDistiller`.
    validation_fraction, random_state, verbose : object
        As in :class:`SymbolicDistiller`.
    class_weight : dict of label to number, or "balanced", default=None
        Weights of classes, which multiply those of rows. ``"balanced"``: equal total weights.

    Attributes
    ----------
    lambda_ : float
        The chosen lambda.
    lambda_path_ : list of dict
        For each lambda: ``jacobian_lambda``, ``teacher_score``, ``formula_score`` (accuracy or R2 on held-out
        folds, means), ``formula_score_std``, ``fidelity_r2`` (of formula and teacher on held-out folds),
        ``mean_grad_norm`` and ``selected``.

    See Also
    --------
    SymbolicDistiller : Has all other attributes, and chooses lambda on one held-out part of the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skrationale import SmoothMLPRegressor, SymbolicDistillerCV
    >>> X = np.random.RandomState(0).uniform(-2, 2, (150, 2))
    >>> y = 3 * X[:, 0] * X[:, 1]
    >>> network = SmoothMLPRegressor(hidden_layer_sizes=(16, 16), max_epochs=30)
    >>> settings = {"niterations": 2, "n_searches": 1, "maxsize": 8, "random_state": 0}
    >>> search = SymbolicDistillerCV(network, jacobian_lambdas=[0, 0.01], cv=2, **settings)
    >>> search = search.fit(X, y)
    >>> [step["jacobian_lambda"] for step in search.lambda_path_]
    [0.0, 0.01]
    >>> search.score(X, y) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        name: constraint
        for name, constraint in SymbolicDistiller._parameter_constraints.items()
        if name != "jacobian_lambda"
    } | {"jacobian_lambdas": ["array-like"], "cv": ["cv_object"], "n_jobs": [Integral, None]}

    jacobian_lambda = "auto"  # of the teacher: a path

    def __init__(
        self,
        teacher: Any = None,
        *,
        jacobian_lambdas: Sequence[float] = (0.0, 0.001, 0.01, 0.1),
        cv: Any = 3,
        n_jobs: int | None = None,
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
        super().__init__(
            teacher,
            engine=engine,
            teacher_weight=teacher_weight,
            n_synthetic=n_synthetic,
            maxsize=maxsize,
            model_selection=model_selection,
            binary_operators=binary_operators,
            unary_operators=unary_operators,
            n_searches=n_searches,
            niterations=niterations,
            population_size=population_size,
            max_search_rows=max_search_rows,
            max_variables=max_variables,
            timeout_in_seconds=timeout_in_seconds,
            validation_fraction=validation_fraction,
            random_state=random_state,
            verbose=verbose,
            class_weight=class_weight,
        )
        self.jacobian_lambdas = jacobian_lambdas
        self.cv = cv
        self.n_jobs = n_jobs

    def _check_parameters(self) -> None:
        from ..smooth.base import check_lambdas  # imports torch

        super()._check_parameters()
        check_lambdas(type(self).__name__, self.jacobian_lambdas)
        if self.teacher is not None and not is_smooth(self.teacher):
            raise ValueError(
                "SymbolicDistillerCV chooses lambda, which only smooth teachers have. Got the teacher "
                f"{type(self.teacher).__name__}; expected an unfitted SmoothMLPRegressor or "
                "SmoothMLPClassifier, or None."
            )

    def _configure(self, teacher: Any) -> Any:
        teacher._deadline = self._deadline.part(TEACHER_SHARE)
        return teacher.set_params(
            jacobian_lambda="auto", jacobian_lambdas=list(map(float, self.jacobian_lambdas))
        )

    def _fit_teacher(
        self, X: Any, matrix: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None
    ) -> tuple[Any, TeacherTable]:
        path, form = super()._fit_teacher(X, matrix, y, sample_weight)
        self.lambda_path_ = self._compare(X, y, sample_weight, len(path.lambda_path_))
        chosen = next(step["jacobian_lambda"] for step in self.lambda_path_ if step["selected"])
        return path.at_lambda(chosen), form

    def _teachers(self) -> list[Teacher]:
        return [self._adapter]

    def _accept_teacher(self) -> None:
        path = self.lambda_path_
        super()._accept_teacher()
        self.lambda_path_ = path

    def _compare(
        self, table: Any, y: np.ndarray, sample_weight: np.ndarray | None, n_lambdas: int
    ) -> list[dict[str, Any]]:
        """Measure teacher and formula for each of the first lambdas on held-out folds."""
        classifier = self._are_classes(y) if self.teacher is None else is_classifier(self.teacher)
        folds = list(check_cv(self.cv, y, classifier=classifier).split(np.zeros((len(y), 1)), y))
        if not isinstance(self.cv, Integral | None) and not hasattr(self.cv, "split"):
            folds = [self._with_weight(k, fold) for k, fold in enumerate(folds)]
        if not folds:
            raise ValueError("cv has no folds; expected at least one.")
        one = copy.copy(self)  # with one seed, that folds side by side do not share a generator
        one.random_state = fixed_seed(self.random_state)
        waves = -(-len(folds) // effective_n_jobs(self.n_jobs))
        seconds = self._deadline.part(FOLDS_SHARE / waves).left()
        measured = Parallel(n_jobs=self.n_jobs)(
            delayed(one._measure)(table, y, sample_weight, fit, held_out, seconds) for fit, held_out in folds
        )
        steps = []
        # where time was short, some paths are shorter: they begin alike
        for stages in zip(*(measured_in_time[:n_lambdas] for measured_in_time in measured), strict=False):
            step = {name: float(np.mean([stage[name] for stage in stages])) for name in stages[0]}
            step["formula_score_std"] = float(np.std([stage["formula_score"] for stage in stages]))
            steps.append(step)
        best = max(steps, key=lambda step: step["formula_score"])
        return [step | {"selected": step is best} for step in steps]

    def _with_weight(self, k: int, fold: Any) -> tuple[np.ndarray, np.ndarray]:
        """Give the positions of a given fold, which are those among all rows, among the rows with weight."""
        n, place = len(self._kept), np.cumsum(self._kept) - 1
        parts = [np.asarray(part) for part in fold]
        parts = [
            np.flatnonzero(part) if part.dtype == bool and part.shape == (n,) else part for part in parts
        ]
        known = [part.ndim == 1 and part.dtype.kind in "iu" and bool((abs(part) < n).all()) for part in parts]
        if len(parts) != 2 or not all(known):
            got = ", ".join(f"an array of {part.dtype} of shape {part.shape}" for part in parts)
            raise ValueError(
                f"cv[{k}] must hold rows to fit on and rows held out, as positions from 0 to {n - 1} or as "
                f"masks of {n} booleans. Got {got or 'nothing'} instead."
            )
        fit, held_out = (place[part[self._kept[part]]] for part in parts)
        return fit, held_out

    def _measure(
        self,
        table: Any,
        y: np.ndarray,
        sample_weight: np.ndarray | None,
        fit: np.ndarray,
        held_out: np.ndarray,
        seconds: float,
    ) -> list[dict[str, float]]:
        """Train along the path on one fold and search a formula for each of its teachers."""
        X, X_held_out = _safe_indexing(table, fit), _safe_indexing(table, held_out)
        weights, counts = (None if sample_weight is None else sample_weight[part] for part in (fit, held_out))
        teacher = self.teacher if self.teacher is not None else self._default_teacher(self._are_classes(y))
        one = copy.copy(self)
        deadline = one._deadline = Deadline(seconds)
        path = one._unfitted(teacher).fit(X, y[fit], sample_weight=weights)
        settings = {name: value for name, value in self.get_params(deep=False).items() if name not in OWN}
        stages: list[dict[str, float]] = []
        for step in path.lambda_path_:
            teacher = path.at_lambda(step["jacobian_lambda"])
            if self.timeout_in_seconds is not None:
                part = deadline.left() / (len(path.lambda_path_) - len(stages))
                settings["timeout_in_seconds"] = max(part, LEAST_SECONDS)
            distiller = SymbolicDistiller(FrozenEstimator(teacher), **settings)
            with WEIGHTS_REACHED.on():  # the teacher was fitted with them
                distiller.fit(X, y[fit], sample_weight=weights)
            scores = distiller._scores(distiller._read(X_held_out))
            answers = distiller._adapter.answers(X_held_out)
            fidelity = agreement(
                scores, answers[0], distiller._task, teacher_probabilities=answers[1], sample_weight=counts
            )["prediction_r2"]
            stages.append(
                {
                    "jacobian_lambda": step["jacobian_lambda"],
                    "teacher_score": teacher.score(X_held_out, y[held_out], counts),
                    "formula_score": distiller.score(X_held_out, y[held_out], counts),
                    "fidelity_r2": fidelity,
                    "mean_grad_norm": step["mean_grad_norm"],
                }
            )
        return stages
