"""Explanation quality as scorers, for model selection."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import logit
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline

from ..explanation import Explanation
from ._curves import FaithfulnessCurve, deletion_curve, insertion_curve
from ._faithfulness import comprehensiveness, sufficiency
from ._infidelity import infidelity
from ._sparsity import entropy, sparsity


def _answers(model: Any, explanation: Explanation) -> Callable[[Any], np.ndarray]:
    return model.predict_proba if is_classifier(model) else model.predict


def _scores(model: Any, explanation: Explanation) -> Callable[[Any], np.ndarray]:
    """Give what an explanation adds up to."""
    if is_classifier(model):
        if explanation.link == "probability":
            columns = 1 if explanation.values.ndim == 2 else slice(None)
            return lambda table: model.predict_proba(table)[:, columns]
        return model.decision_function
    scale = {"log": np.log, "logit": logit}.get(explanation.link)
    return model.predict if scale is None else lambda table: scale(model.predict(table))


@dataclass(frozen=True)
class _Measure:
    """How a name is scored: what is computed of an explanation, and whether high or low is good."""

    function: Callable[..., Any]
    sign: float
    asked: Callable[[Any, Explanation], Callable[[Any], np.ndarray]] | None = None

    @property
    def settings(self) -> list[str]:
        given = inspect.signature(self.function).parameters
        return [name for name in given if name not in ("explanation", "predict", "X", "per_row")]

    def score(self, model: Any, X: Any, settings: dict[str, Any], explain_params: dict[str, Any]) -> float:
        if not hasattr(model, "explain"):
            raise TypeError(
                f"{type(model).__name__} has no method explain; expected an estimator with explain, "
                "or a Pipeline that ends with one."
            )
        explanation = model.explain(X, **explain_params)
        if self.asked is None:
            return self.sign * self.function(explanation, **settings)
        found = self.function(explanation, self.asked(model, explanation), X, **settings)
        if isinstance(found, FaithfulnessCurve):
            return self.sign * (found.area if found.measure == "answer" else -found.area)
        return self.sign * found


@dataclass(frozen=True)
class _Fidelity:
    """How the agreement of a distiller with its teacher is scored."""

    key: str
    settings: tuple[str, ...] = ()

    def score(self, model: Any, X: Any, settings: dict[str, Any], explain_params: dict[str, Any]) -> float:
        if not hasattr(model, "fidelity"):
            raise TypeError(f"{type(model).__name__} has no method fidelity; expected a distiller.")
        found = model.fidelity(X)
        if self.key not in found:
            names = ", ".join(map(repr, found))
            raise ValueError(f"{type(model).__name__}.fidelity does not return {self.key!r}, only {names}.")
        return found[self.key]


MEASURES: dict[str, _Measure | _Fidelity] = {
    "comprehensiveness": _Measure(comprehensiveness, 1.0, _answers),
    "sufficiency": _Measure(sufficiency, -1.0, _answers),
    "deletion": _Measure(deletion_curve, -1.0, _answers),
    "insertion": _Measure(insertion_curve, 1.0, _answers),
    "infidelity": _Measure(infidelity, -1.0, _scores),
    "sparsity": _Measure(sparsity, -1.0),
    "entropy": _Measure(entropy, -1.0),
    "fidelity": _Fidelity("explanation_r2"),
    "prediction_fidelity": _Fidelity("prediction_r2"),
}


@dataclass(frozen=True, repr=False)
class ExplanationScorer:
    """Scorer of a fitted estimator; made by :func:`explanation_scorer`."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    explain_params: dict[str, Any] = field(default_factory=dict)

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
        """Score an estimator on rows (n, d); `y` is not used."""
        model, settings = estimator, self.settings
        if isinstance(estimator, Pipeline):
            model = estimator[-1]
            if len(estimator) > 1:
                X = estimator[:-1].transform(X)
                if settings.get("background") is not None:
                    settings = settings | {"background": estimator[:-1].transform(settings["background"])}
        return float(MEASURES[self.name].score(model, X, settings, self.explain_params))

    def __repr__(self) -> str:
        settings = self.settings | ({"explain_params": self.explain_params} if self.explain_params else {})
        words = [repr(self.name), *(f"{name}={value!r}" for name, value in settings.items())]
        return f"explanation_scorer({', '.join(words)})"


def explanation_scorer(
    name: str, *, explain_params: Mapping[str, Any] | None = None, **settings: Any
) -> ExplanationScorer:
    """Make a scorer of explanations for ``GridSearchCV``, ``cross_validate`` and similar functions.

    A higher score is always better: for measures where low is good, the scorer returns the negative value.

    Parameters
    ----------
    name : str
        One of

        - ``"comprehensiveness"``; ``"sufficiency"``, negative;
        - ``"deletion"``, ``"insertion"``: areas of the curves; the area is negative if low is good, which
          holds for deletion of classifiers and for insertion of regressors;
        - ``"infidelity"``, ``"sparsity"``, ``"entropy"``: all negative;
        - ``"fidelity"``: R2 of a distiller's reasons against those of its teacher; ``"prediction_fidelity"``:
          R2 of its predictions.
    explain_params : mapping, default=None
        Other arguments of the estimator's `explain`, such as ``{"by": "column"}``.
    **settings : dict
        Parameters of the function of this name, such as `fill`, `shares`, `n_fills` and `random_state`.

    Returns
    -------
    callable
        ``scorer(estimator, X, y) -> float``, which can be pickled and cloned. It uses class probabilities of
        classifiers and predictions of regressors; infidelity uses the explained score. If the estimator is
        the last step of a Pipeline, it gets the transformed table, and a `background` is transformed too.

    Raises
    ------
    ValueError
        If there is no such name; the message lists the existing ones.
    TypeError
        If there is no such setting.

    Examples
    --------
    >>> from skrationale.metrics import explanation_scorer
    >>> scoring = {"r2": "r2", "sufficiency": explanation_scorer("sufficiency", n_fills=3)}
    >>> scoring["sufficiency"]
    explanation_scorer('sufficiency', n_fills=3)

    It goes into ``GridSearchCV(estimator, grid, scoring=scoring, refit="r2")``, and alone into
    ``cross_validate(estimator, X, y, scoring=explanation_scorer("fidelity"))``.
    """
    if name not in MEASURES:
        raise ValueError(f"name must be one of {', '.join(map(repr, MEASURES))}. Got {name!r} instead.")
    known = MEASURES[name].settings
    unknown = [setting for setting in settings if setting not in known]
    if unknown:
        there_are = f"expected some of {', '.join(map(repr, known))}" if known else "it has none"
        raise TypeError(f"{name!r} has no setting {unknown[0]!r}; {there_are}.")
    return ExplanationScorer(name, settings, dict(explain_params or {}))
