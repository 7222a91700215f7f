"""What an audit of rationales found, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score

from ..writing import Check, count_of, encodable, format_share
from ._audit_html import card

METRICS = {"identity": "R2", "logit": "AUROC", "softmax": "accuracy"}
LEAK, NUMBER_LEAK = 0.015 / math.log(2), 0.02
"""Shares of a constant's loss, of classes and of numbers, from which a gain beyond the cells counts. What
they find in honest and in leaking models is tested in tests/long/test_audit_of_fits.py; not measured else."""
MISSING = 0.15
"""Share of what all cells tell from which what the rationale leaves out counts. Not measured."""
STABLE, EXCHANGED = 0.7, 0.25
"""Least agreement of masks over refits, a mean Jaccard index, and least share of masks that could be
exchanged. Not measured."""
NEARLY_ALL = 0.95
"""Share of rows whose rationale is empty, or has all columns, from which that is said of the model. Not
measured."""
ERRORS = 2.0
"""Standard errors that a difference must exceed: about 1 in 40 does so by chance. Not measured."""


@dataclass(frozen=True)
class RationaleAudit:
    """Figures that say whether rationales are honest, with a verdict in words.

    EVAL-X is a predictor that has never seen a row with its own mask, but with masks of other rows and with
    random ones. It cannot read the target from the mask, so its score shows how well the shown values support
    the prediction. Losses are log-losses in nats, or for regression squared errors as shares of the target's
    variance.

    Parameters
    ----------
    metric : {"AUROC", "accuracy", "R2"}
        Kind of the scores, for two classes, more classes and regression.
    n_rows : int
        Number of rows that were used.
    exchanged : float
        Share of rows that could get the mask of another row. If it is small, a leak cannot be found.
    constant_score, constant_loss : float
        Score and loss of a constant prediction.
    own_score, own_loss : float
        Score and loss of the model, from its rationales.
    evalx_score, evalx_loss : float
        Score and loss of EVAL-X, from the same values.
    leak, leak_error : float
        What a mask reveals beyond the values that it shows, and its standard error: the loss of EVAL-X minus
        the loss of a predictor that was trained in the same way on rows with their own masks.
    unsupported, unsupported_error : float
        How much lower the model's own loss is than the shown values support, and its standard error: the loss
        of EVAL-X minus the model's, corrected because the model was trained on more rows.
    missing, missing_error : float
        What the rationale leaves out, and its standard error: the loss of EVAL-X from the rationale minus the
        loss from all columns, of EVAL-X or of gradient boosting.
    mask_only_score : float
        Score of gradient boosting from the mask without any value. Honest masks may also score better than a
        constant, if they depend on the values that determine the target.
    sufficiency, random_sufficiency : float
        How much the probability that EVAL-X gives to its class falls if only the rationale, or an equal
        number of random columns, is kept; for regression the mean absolute change in standard deviations of
        the target.
    comprehensiveness, random_comprehensiveness : float
        The same if the rationale, or an equal number of random columns, is hidden.
    stability : float
        Mean Jaccard index of the rationales of refitted models with other seeds; NaN without refits.
    mean_columns, empty_share, full_share : float
        Mean number of selected columns, share of rows with none, and share of rows with all that vary.
    rate_by_class, rate_by_predicted_class : mapping of str to float
        Mean share of columns selected in the rows of a class, true or predicted; empty for numbers.
    learnt_error : float, default=0.0
        Standard error of the difference between the loss of a constant and that of EVAL-X, or of the
        predictor that is told the masks if it is better, on rows that they were not fitted to.
    unit, row : str, default="column", "row"
        What is selected, and of what.
    mask_only_limit : float, default=inf
        Limit of `mask_only_score`, used for texts, where the form of a mask should reveal nothing.
    one_mask : bool, default=False
        Whether all rows have the same rationale, which then has nothing to leak.

    Examples
    --------
    >>> from skrationale.datasets import make_syn
    >>> from skrationale.rationale._audit import audit
    >>> from skrationale.rationale._estimator import RationaleRegressor
    >>> X, y, _ = make_syn(1, 1000, regression=True, random_state=0)
    >>> model = RationaleRegressor(max_features=2, max_epochs=5, random_state=0).fit(X[:500], y[:500])
    >>> report = audit(model, X[500:], y[500:], n_refits=0, random_state=0)
    >>> report.honest, report.mean_columns
    (True, 2.0)
    >>> report.to_frame().columns.tolist()
    ['check', 'value', 'standard_error', 'good']
    """

    metric: str
    n_rows: int
    exchanged: float
    constant_score: float
    constant_loss: float
    own_score: float
    own_loss: float
    evalx_score: float
    evalx_loss: float
    leak: float
    leak_error: float
    unsupported: float
    unsupported_error: float
    missing: float
    missing_error: float
    mask_only_score: float
    sufficiency: float
    random_sufficiency: float
    comprehensiveness: float
    random_comprehensiveness: float
    stability: float
    mean_columns: float
    empty_share: float
    full_share: float
    rate_by_class: Mapping[str, float]
    rate_by_predicted_class: Mapping[str, float]
    learnt_error: float = 0.0
    unit: str = "column"
    row: str = "row"
    mask_only_limit: float = math.inf
    one_mask: bool = False

    # --- judgement -------------------------------------------------------------------------------

    @property
    def leak_limit(self) -> float:
        """`leak` and `unsupported` above it are findings, if they also exceed two standard errors."""
        return (NUMBER_LEAK if self.metric == "R2" else LEAK) * self.constant_loss

    @property
    def missing_limit(self) -> float:
        """`missing` above this limit is a finding, if it also exceeds two standard errors."""
        explained = self.constant_loss - (self.evalx_loss - self.missing)
        return MISSING * max(explained, 0.0)

    @property
    def told_loss(self) -> float:
        """Loss of the predictor that is trained and tested with each row's own mask."""
        return self.evalx_loss - self.leak

    @property
    def has_judge(self) -> bool:
        """Whether EVAL-X, or the predictor that reads the masks, beats a constant by two standard errors.

        If both have learnt nothing, because there are too few rows or nothing to learn, their losses are
        equal whatever the masks reveal. A leak of 0 is then no sign of honesty.
        """
        learnt = self.constant_loss - min(self.evalx_loss, self.told_loss)
        return learnt > 0 and learnt > ERRORS * self.learnt_error

    @property
    def findings(self) -> tuple[str, ...]:
        """Names of what is wrong.

        ``"leak"``: masks reveal more than the values that they show. ``"unsupported"``: the model predicts
        better than the shown values support. ``"empty"``, ``"everything"``: hardly any row has a column, or
        lacks one. ``"insufficient"``: the rationale leaves out much of what the columns say. ``"unstable"``:
        refitted models select other columns. ``"untested"``: too few masks could be exchanged to find a leak,
        or the test predictors have learnt nothing (see `has_judge`). Then neither ``"leak"`` nor
        ``"unsupported"`` can be found. The same holds if all rows have one mask, which reveals nothing about
        a row. ``"telling"``: how much of a text is shown, and where, reveals the target.
        """
        judged, may_leak = self.has_judge, self.has_judge and not self.one_mask
        found = {
            "leak": may_leak and _exceeds(self.leak, self.leak_error, self.leak_limit),
            "unsupported": may_leak and _exceeds(self.unsupported, self.unsupported_error, self.leak_limit),
            "empty": self.empty_share > NEARLY_ALL,
            "everything": self.full_share > NEARLY_ALL,
            "insufficient": _exceeds(self.missing, self.missing_error, self.missing_limit),
            "unstable": self.stability < STABLE,
            "untested": self.exchanged < EXCHANGED or not judged,
            "telling": self.mask_only_score > self.mask_only_limit,
        }
        return tuple(name for name, holds in found.items() if holds)

    @property
    def honest(self) -> bool:
        """Whether the shown cells support the predictions: neither ``"leak"`` nor ``"unsupported"``.

        Also False if the test predictors have learnt nothing, because then nothing is tested; `verdict` says
        so.
        """
        return self.has_judge and not {"leak", "unsupported"} & set(self.findings)

    @property
    def verdict(self) -> str:
        """The findings in a few sentences."""
        unit = "of the variance" if self.metric == "R2" else "nats"
        leak = f"the masks reveal {_pair(self.leak, self.leak_error)} {unit} beyond the cells they show"
        own = f"{_pair(self.unsupported, self.unsupported_error)} {unit} better than these cells support"
        if not self.has_judge:
            loss = "squared error" if self.metric == "R2" else "log-loss"
            first = (
                "It is untested whether the rationale is honest: fresh predictors have learnt nothing from "
                f"the shown cells and masks. Their {loss} is {min(self.evalx_loss, self.told_loss):.3f}, and "
                f"that of a constant {self.constant_loss:.3f}."
            )
        elif self.one_mask:
            same = (
                f"The same {count_of(round(self.mean_columns), self.unit)}" if self.mean_columns else "None"
            )
            first = f"{same} for every {self.row}: the masks cannot leak."
        elif not self.honest:
            first = f"The rationale is not honest: {leak}, and the model predicts {own}."
        elif "untested" in self.findings:
            first = f"It is hardly tested whether the rationale is honest: {leak}."
        else:
            first = f"The rationale is honest: {leak}."
        sentences = [
            first,
            f"The model has {self.metric} {self.own_score:.3f}; a fresh predictor has {self.evalx_score:.3f} "
            f"from the shown cells, and a constant {self.constant_score:.3f}.",
        ]
        remarks = {
            "empty": f"In {format_share(self.empty_share)} of the {self.row}s no {self.unit} is selected.",
            "everything": f"In {format_share(self.full_share)} of the {self.row}s all {self.unit}s are "
            "selected.",
            "insufficient": f"The rationale leaves out {_pair(self.missing, self.missing_error)} {unit} of "
            "the information in all "
            f"{'cells' if self.unit == 'column' else f'{self.unit}s'}.",
            "telling": f"The masks alone, without the values of any {self.unit}, predict the target: "
            f"{self.metric} {self.mask_only_score:.3f}.",
            "untested": (
                f"Masks that could be tried on other rows: {format_share(self.exchanged)}. This audit may "
                "miss leaks."
            )
            if self.exchanged < EXCHANGED
            else f"More {self.row}s may help, if the {self.unit}s have any information about the target.",
            "unstable": f"It is unstable: rationales of refits have a Jaccard index of {self.stability:.2f}.",
        }
        return " ".join(sentences + [remarks[name] for name in self.findings if name in remarks])

    # --- forms -----------------------------------------------------------------------------------

    def to_frame(self) -> Any:
        """Return all checks as a table.

        Returns
        -------
        DataFrame
            With the columns ``check``, ``value``, ``standard_error`` (NaN where there is none) and ``good``,
            which says in words what is good.
        """
        import pandas as pd

        rows = [tuple(map(encodable, one[1:5])) for one in self._checks()]
        return pd.DataFrame(rows, columns=["check", "value", "standard_error", "good"])

    def _checks(self) -> list[Check]:
        return [*self._leak_checks(), *self._sufficiency_checks(), *self._stability_checks()]

    def _leak_checks(self) -> list[Check]:
        metric, none, found = self.metric, math.nan, self.findings
        loss, may_leak = self._loss_name, self.has_judge and not self.one_mask
        learnt = self.constant_loss - ERRORS * self.learnt_error
        telling = not math.isinf(self.mask_only_limit)
        alone = f"below {self.mask_only_limit:.3g}" if telling else "low; honest masks reveal something too"
        near, told = f"below {self.leak_limit:.3g}", f"this, or that of EVAL-X, below {learnt:.3g}"
        leaks, gains = ("leak" not in found, "unsupported" not in found) if may_leak else (None, None)
        exchanged = self.exchanged >= EXCHANGED
        return [
            Check("leak", "leak of the mask", self.leak, self.leak_error, near, leaks),
            Check("leak", "unsupported gain", self.unsupported, self.unsupported_error, near, gains),
            Check(
                "leak",
                "share of masks exchanged",
                self.exchanged,
                none,
                f"at least {EXCHANGED:.0%}",
                exchanged,
                share=True,
            ),
            Check("leak", f"{loss}, told the masks", self.told_loss, none, told, self.has_judge),
            Check("leak", f"{loss}, EVAL-X", self.evalx_loss, none, "low"),
            Check("leak", f"{loss}, model", self.own_loss, none, "no less than EVAL-X"),
            Check("leak", f"{loss}, constant", self.constant_loss, none, ""),
            Check(
                "leak",
                f"{metric}, mask only",
                self.mask_only_score,
                none,
                alone,
                "telling" not in found if telling else None,
            ),
        ]

    def _sufficiency_checks(self) -> list[Check]:
        metric, none = self.metric, math.nan
        kept, gone = self.sufficiency, self.comprehensiveness
        left = (self.missing, self.missing_error, f"below {self.missing_limit:.3g}")
        group = "sufficiency"
        return [
            Check(group, "left out", *left, "insufficient" not in self.findings),
            Check(
                group, "sufficiency", kept, none, "below random", _holds(kept < self.random_sufficiency, kept)
            ),
            Check(group, "sufficiency, random", self.random_sufficiency, none, ""),
            Check(
                group,
                "comprehensiveness",
                gone,
                none,
                "above random",
                _holds(gone > self.random_comprehensiveness, gone),
            ),
            Check(group, "comprehensiveness, random", self.random_comprehensiveness, none, ""),
            Check(group, f"{metric}, model", self.own_score, none, "no more than EVAL-X"),
            Check(group, f"{metric}, EVAL-X", self.evalx_score, none, "high"),
            Check(group, f"{metric}, constant", self.constant_score, none, ""),
        ]

    def _stability_checks(self) -> list[Check]:
        none, found, group, row = math.nan, self.findings, "stability", self.row
        stable = _holds(self.stability >= STABLE, self.stability)
        empty, full = "empty" not in found, "everything" not in found
        rates = {f"rate in class {name}": rate for name, rate in self.rate_by_class.items()}
        rates |= {
            f"rate where {name} is predicted": rate for name, rate in self.rate_by_predicted_class.items()
        }
        return [
            Check(group, "stability", self.stability, none, f"at least {STABLE}", stable),
            Check(group, f"{self.unit}s in a {row}", self.mean_columns, none, "few"),
            Check(
                group,
                f"share of {row}s without a {self.unit}",
                self.empty_share,
                none,
                "low",
                empty,
                share=True,
            ),
            Check(
                group,
                f"share of {row}s with every {self.unit}",
                self.full_share,
                none,
                "low",
                full,
                share=True,
            ),
            *(Check(group, name, rate, none, "", share=True) for name, rate in rates.items()),
        ]

    @property
    def _loss_name(self) -> str:
        return "squared error / variance" if self.metric == "R2" else "log-loss"

    def __str__(self) -> str:
        table = self.to_frame().to_string(index=False, na_rep="", float_format="{:.4f}".format)
        return f"{self.verdict}\n\n{table}"

    def _repr_html_(self) -> str:
        return card(self, self._checks())


def losses(answers: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Log-losses (n,) of probabilities (n, C), or squared errors of numbers (n, 1)."""
    if answers.shape[1] == 1:
        return (answers[:, 0] - y) ** 2
    return -np.log(np.maximum(answers[np.arange(len(y)), y], np.finfo(np.float64).eps))


def score(y: np.ndarray, answers: np.ndarray, link: str) -> float:
    """Score probabilities (n, C), or numbers (n, 1), by the metric of a link."""
    if link == "identity":
        return float(r2_score(y, answers[:, 0]))
    if link == "logit":
        return float(roc_auc_score(y, answers[:, 1]))
    return float(accuracy_score(y, answers.argmax(axis=1)))


def erasures(answers: Mapping[str, np.ndarray]) -> dict[str, float]:
    """How predictions, (n, C) or (n, 1), change when cells outside a rationale, or inside it, are hidden."""
    views = {
        "sufficiency": "evalx",
        "comprehensiveness": "rest",
        "random_sufficiency": "random",
        "random_comprehensiveness": "random rest",
    }
    full = answers["all"]
    best = full.argmax(axis=1)[:, None]
    changes = {name: np.take_along_axis(full - answers[view], best, 1) for name, view in views.items()}
    if full.shape[1] == 1:
        changes = {name: np.abs(change) for name, change in changes.items()}
    return {name: float(change.mean()) for name, change in changes.items()}


def rates(
    mask: np.ndarray, varying: np.ndarray, y: np.ndarray, predicted: np.ndarray, classes: np.ndarray | None
) -> dict[str, Any]:
    """How many columns masks (n, d) select, and in rows of which classes, given by positions (n,)."""

    def by(labels: np.ndarray) -> dict[str, float]:
        if classes is None:
            return {}
        return {str(classes[c]): float(mask[labels == c].mean()) for c in np.unique(labels)}

    return {
        "mean_columns": float(mask.sum(axis=1).mean()),
        "empty_share": float((~mask.any(axis=1)).mean()),
        "full_share": float(mask[:, varying].all(axis=1).mean()),
        "rate_by_class": by(y),
        "rate_by_predicted_class": by(predicted),
    }


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Mean Jaccard index of the rows of two masks (n, d); of two empty rows it is 1."""
    union = (a | b).sum(axis=1)
    return float(np.divide((a & b).sum(axis=1), union, out=np.ones(len(a)), where=union > 0).mean())


def _exceeds(value: float, error: float, limit: float) -> bool:
    return value > limit and value > ERRORS * error


def _holds(test: bool, value: float) -> bool | None:
    """Return the outcome of a test, None where the figure is not there."""
    return None if math.isnan(value) else bool(test)


def _pair(value: float, error: float) -> str:
    return f"{value:.3f} ± {error:.3f}"
