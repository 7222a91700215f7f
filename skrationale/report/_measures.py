"""Measure each member of a report on the same rows; what fails is noted in words."""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter
from typing import Any, TextIO

import numpy as np
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import _safe_indexing

from .._hooks import hooks_of
from .._pipelines import named_by
from ..explanation import Explanation, TextExplanation
from ..metrics import comprehensiveness, noise_stability, sparsity, sufficiency
from ..metrics.labels import label_measures
from ..tabular import UNKNOWN_REPORTED
from ..writing import shorten
from ._costs import kilobytes, microseconds_a_row, parts
from ._doubt import error_of, error_of_share, parts_of_labels, parts_of_r2
from ._members import Member, kind_in_words
from ._rows import Rows, distinct

SHARES = (0.1, 0.2, 0.5)
"""Shares of columns that are hidden, or left, to see whether reasons are the model's own."""
N_FILLS = 5
PARTS, FEWEST = 10, 20
"""Parts of the rows, each of so many at least, whose R2 with the teacher are compared. Not measured."""
_FILTERS = threading.RLock()
STABILITY_ROWS, NOISE, N_DRAWS = 50, 0.05, 3
MEASURES = {
    "prediction_r2": "score R2",
    "same_class": "same class",
    "explanation_r2": "reasons R2",
    "top1_agreement": "same first reason",
}
"""What is taken from `fidelity`, and how it is called."""
LABEL_MEASURES = ("auroc", "log_loss")
"""Of classifiers, beside accuracy: where one class is rare, that says little."""
REASON_MEASURES = ("comprehensiveness", "sufficiency", "columns_used", "stability")
FOR_COLUMNS = "it needs columns, and texts have no columns"
"""Of an explanation itself, whatever the teacher says."""
RANKED = ("score", *LABEL_MEASURES, *MEASURES, "comprehensiveness", "sufficiency", "stability")
"""Of which the best is named, where it is sure; costs and columns used are no contest."""
NO_REASONS = "it has no explanations"


@dataclass(eq=False)
class Measured:
    """A member of a report and what was found out about it.

    Parameters
    ----------
    member : Member
        Who.
    kind : str
        What it is, in words.
    figures : dict of str to float
        Measures; one that could not be taken is missing or NaN.
    parts : str
        What it is made of.
    missing : dict of str to str
        Measures that could not be taken, and why.
    warnings : list of str
        What was warned of.
    predictions : ndarray of shape (n,), optional
        Labels or numbers.
    answers : ndarray of shape (n, C) or (n,), optional
        Probabilities, or numbers.
    labels : list, optional
        What the columns of `answers` mean.
    seconds : dict of str to float
        How long ``"predict"`` and ``"explain"`` took for all rows at first.
    explanation : Explanation, optional
        Reasons of all rows.
    texts : TextExplanation, optional
        Words that decided in all rows, where these are texts.
    by_row : dict of str to ndarray of shape (n,)
        What each row adds to a figure, which is their mean.
    errors : dict of str to float
        Standard errors of figures, as far as they are known.
    fixed_errors : dict of str to float
        Those of figures that are no means over rows.
    """

    member: Member
    kind: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    parts: str = ""
    missing: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    predictions: np.ndarray | None = None
    answers: np.ndarray | None = None
    labels: list[Any] | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    explanation: Explanation | None = None
    texts: TextExplanation | None = None
    by_row: dict[str, np.ndarray] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    fixed_errors: dict[str, float] = field(default_factory=dict)

    def attempt(self, what: str | Sequence[str], function: Callable[[], Any]) -> Any:
        """Call a function; where it fails note why, and return None."""
        try:
            with self.recording_warnings():
                return function()
        except Exception as error:
            words = shorten(str(error) or type(error).__name__, 300)
            for name in [what] if isinstance(what, str) else what:
                self.missing[name] = words
            return None

    @contextmanager
    def recording_warnings(self) -> Iterator[None]:
        """Take down warnings instead of passing them on."""
        with _recorded_warnings() as recorded:
            try:
                yield
            finally:
                self._note_warnings(recorded)

    def _note_warnings(self, recorded: Sequence[Any]) -> None:
        for warning in recorded:
            words = shorten(str(warning.message), 300)
            # not those about names of columns in tables that the report has made, nor about versions
            ours = "feature names" in words or issubclass(
                warning.category, DeprecationWarning | FutureWarning
            )
            if not ours and words not in self.warnings:
                self.warnings.append(words)


@contextmanager
def _recorded_warnings() -> Iterator[list[warnings.WarningMessage]]:
    """Collect the warnings of this thread; those of others are shown. Python filters for all: take turns."""
    me, recorded = threading.get_ident(), list[warnings.WarningMessage]()
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("always")
        others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if threading.get_ident() == me:
                recorded.append(warnings.WarningMessage(message, category, filename, lineno, file, line))
            else:
                others(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield recorded


def measure(members: list[Member], rows: Rows) -> list[Measured]:
    """Measure members, and time them in turns.

    Parameters
    ----------
    members : list of Member
        Whom.
    rows : Rows
        On what.

    Returns
    -------
    list of Measured
        In the order of `members`.

    Raises
    ------
    ValueError
        When an estimator that the user gave cannot predict the rows; teachers and measures may fail.
    """
    found = [_measure(member, rows) for member in members]
    both = [(one, what) for what in ("predict", "explain") for one in found]
    calls = [_call(one, rows, what) for one, what in both]
    with _recorded_warnings():
        times = microseconds_a_row(calls, [one.seconds.get(what, 0.0) for one, what in both], len(rows))
    for (one, what), time in zip(both, times, strict=True):
        one.figures[f"{what}_us"] = time
        one.missing[f"{what}_us"] = one.missing.get("answers" if what == "predict" else "reasons", "")
    for one in found:
        one.attempt("errors", lambda one=one: _measure_errors(one, rows))  # type: ignore[misc]
        one.missing.pop("errors", None)
        known = {name for name, value in one.figures.items() if not math.isnan(value)}
        one.missing |= {name: "undefined on these rows" for name in one.figures if name not in one.missing}
        one.missing = {name: why for name, why in one.missing.items() if name not in known}
    return found


def _call(one: Measured, rows: Rows, what: str) -> Callable[[int], Any] | None:
    """Give what a user would run for some of the rows; None where it is known to fail."""
    member = one.member
    act = member.predict if what == "predict" else member.explainer
    if act is None or what not in one.seconds:
        return None

    def call(size: int) -> None:
        part = rows.X if size == len(rows) else _safe_indexing(rows.X, np.arange(size))
        with suppress(Exception):  # it went well for all rows
            act(member.table(part))

    return call


def _measure(member: Member, rows: Rows) -> Measured:
    one = Measured(member)
    one.kind = one.attempt("kind", lambda: kind_in_words(member)) or type(member.model).__name__
    one.parts = one.attempt("parts", lambda: parts(member.model)) or ""
    size = one.attempt("kilobytes", lambda: kilobytes(member.model, member.pipelines if member.given else ()))
    one.figures["kilobytes"] = math.nan if size is None else size
    table = _measure_predictions(one, rows)
    if table is None:
        names = ("score", *LABEL_MEASURES, *MEASURES, *REASON_MEASURES, "reasons")
        one.missing |= dict.fromkeys(names, one.missing.get("answers", ""))
        return one
    with UNKNOWN_REPORTED.on():  # predictions of the same rows have warned
        _measure_fidelity(one, table)
        if member.explainer is None:
            one.missing |= dict.fromkeys((*REASON_MEASURES, "reasons"), NO_REASONS)
            return one
        _reasons(one, table, rows)
    return one


def _measure_predictions(one: Measured, rows: Rows) -> Any:
    """Ask for predictions and score them; return the table that is explained, or None where it fails."""
    member = one.member
    try:
        with one.recording_warnings():
            start = perf_counter()
            table = member.table(rows.X)
            one.predictions = np.asarray(member.predict(table))
            one.seconds["predict"] = perf_counter() - start
    except Exception as error:
        if member.given:
            raise ValueError(f"The estimator {member.name!r} cannot predict X: {error}") from error
        one.missing["answers"] = shorten(str(error), 300)
        return None
    metric = accuracy_score if member.classifies else r2_score
    score = one.attempt("score", lambda: float(metric(rows.y, one.predictions)))
    if score is not None:
        one.figures["score"] = score
        if math.isnan(score):
            one.missing["score"] = "R2 needs at least two rows"
    if not member.classifies:
        one.missing |= dict.fromkeys(LABEL_MEASURES, "it predicts numbers")
        one.answers = np.asarray(one.predictions, dtype=float)
        return table
    one.labels = np.asarray(member.model.classes_).tolist()
    if member.gives_probabilities:
        one.answers = one.attempt("answers", lambda: np.asarray(member.answers(table), dtype=float))
    if one.answers is None:
        one.answers = (np.asarray(one.predictions)[:, None] == np.asarray(one.labels)).astype(float)
    _measure_probabilities(one, table, rows)
    return table


def _measure_probabilities(one: Measured, table: Any, rows: Rows) -> None:
    """Measure AUROC and log-loss of what a classifier says of its classes."""
    member = one.member
    found = one.attempt(LABEL_MEASURES, lambda: member.probabilities(table))
    if found is None:
        return
    measured = one.attempt(LABEL_MEASURES, lambda: label_measures(rows.y, found, member.model.classes_))
    one.figures |= measured or {}
    if measured and not any(map(math.isnan, measured.values())):
        one.by_row |= parts_of_labels(rows.y, found, one.labels or [])
    if not member.gives_probabilities:
        one.figures["log_loss"] = math.nan
        one.by_row.pop("log_loss", None)
        one.missing["log_loss"] = "it predicts no probabilities"
    if set(distinct(rows.y)) - set(one.labels or ()):
        one.missing |= dict.fromkeys(LABEL_MEASURES, "y holds a label on which the model was not fitted")
    elif len(distinct(rows.y)) == 1:
        one.missing["auroc"] = "y holds only one label"


def _measure_fidelity(one: Measured, table: Any) -> None:
    """Measure the agreement of a student with its teacher, or of an interpreter with its network."""
    model, names = one.member.model, list(MEASURES)
    if not hooks_of(model)._has_fidelity:
        one.missing |= dict.fromkeys(names, "it has no teacher")
        return
    found = one.attempt(names, lambda: model.fidelity(table))
    if found is None:
        return
    one.figures |= {name: float(found[name]) for name in names if name in found}
    _measure_parts(one, table, [name for name in ("prediction_r2", "explanation_r2") if name in found])
    one.missing |= dict.fromkeys(
        ("explanation_r2", "top1_agreement"), "its teacher has no contributions to compare with"
    )
    one.missing["same_class"] = (
        "its fidelity does not include this figure" if one.member.classifies else "it predicts numbers"
    )
    one.missing["prediction_r2"] = "its fidelity does not include this figure"


def _measure_parts(one: Measured, table: Any, names: list[str]) -> None:
    """Give standard errors of R2 with the teacher, from how they differ among ten parts of the rows."""
    n = len(table)
    if n < PARTS * FEWEST:
        return
    parts = [_safe_indexing(table, np.arange(k, n, PARTS)) for k in range(PARTS)]
    found = one.attempt("errors", lambda: [one.member.model.fidelity(part) for part in parts])
    for name in names if found else ():
        values = np.array([float(each[name]) for each in found])
        if np.isfinite(values).all():
            one.fixed_errors[name] = float(values.std(ddof=1) / math.sqrt(PARTS))


def _reasons(one: Measured, table: Any, rows: Rows) -> None:
    """Explain the rows, and measure the explanations."""
    member = one.member
    start = perf_counter()
    explanation = one.attempt([*REASON_MEASURES, "reasons"], lambda: member.explainer(table))  # type: ignore[misc]
    if explanation is None:
        return
    one.seconds["explain"] = perf_counter() - start
    if isinstance(explanation, TextExplanation):
        one.texts = explanation
        one.missing |= dict.fromkeys(REASON_MEASURES, FOR_COLUMNS)
        return
    settings: dict[str, Any] = {"shares": SHARES, "n_fills": N_FILLS, "random_state": rows.seed}
    asked = (explanation, member.answers, table)
    unit = 1.0 if member.classifies else float(rows.y.astype(float).std())
    settings["per_row"] = True
    for name, falls in (("comprehensiveness", comprehensiveness), ("sufficiency", sufficiency)):
        _take(one, name, partial(_falls, one, name, partial(falls, *asked, **settings), unit))
    _take(one, "columns_used", lambda: sparsity(explanation))
    few = _safe_indexing(table, np.arange(min(len(rows), STABILITY_ROWS)))
    noise: dict[str, Any] = {"noise": NOISE, "n_draws": N_DRAWS, "random_state": rows.seed}
    _take(one, "stability", partial(_stability, one, member.explainer, few, noise | {"per_row": True}))
    one.explanation = one.attempt("cells", lambda: as_typed(explanation, member, rows)) or explanation


def _stability(one: Measured, explain: Any, few: Any, noise: dict[str, Any]) -> float:
    """Give the mean cosine under noise; keep those of the rows."""
    cosines = noise_stability(explain, few, **noise)["cosine"]
    one.by_row["stability"] = cosines
    return float(cosines.mean())


def _falls(one: Measured, name: str, measured: Callable[[], Any], unit: float) -> float:
    """Give the mean fall of answers, of numbers in standard deviations of y; keep those of the rows (n,)."""
    falls = measured()
    if unit == 0:
        raise ValueError("y does not vary, so its standard deviation is 0")
    one.by_row[name] = falls / unit
    return float(falls.mean()) / unit


def _measure_errors(one: Measured, rows: Rows) -> None:
    """Say how sure the figures are that are means over rows, or shares of them."""
    n, figures = len(rows), one.figures
    if one.predictions is not None and not math.isnan(figures.get("score", math.nan)):
        if one.member.classifies:
            one.by_row["score"] = _alike(rows.y, one.predictions)
        elif np.ptp(rows.y.astype(float)) > 0:
            one.by_row["score"] = parts_of_r2(rows.y.astype(float), np.asarray(one.predictions, dtype=float))
    one.errors = {name: error_of(parts) for name, parts in one.by_row.items()}
    one.errors |= one.fixed_errors
    one.errors |= {
        name: error_of_share(figures[name], n)
        for name in ("same_class", "top1_agreement")
        if 0 <= figures.get(name, math.nan) <= 1 and n > 1
    }


def _alike(y: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Say of labels (n,) of any types which are the same: 1, else 0."""
    return np.array([float(a == b) for a, b in zip(y.tolist(), predicted.tolist(), strict=True)])


def _take(one: Measured, name: str, function: Callable[[], Any]) -> None:
    value = one.attempt(name, function)
    if value is not None:
        one.figures[name] = value


def as_typed(explanation: Explanation, member: Member, rows: Rows) -> Explanation:
    """Put the names and cells of the user's table into what was explained behind steps of a Pipeline."""
    if not member.pipelines:
        return explanation
    explanation = named_by(member.head, explanation, rows.X)
    names = explanation.feature_names
    if len(set(rows.names)) == len(rows.names) and set(names) <= set(rows.names):
        places = [rows.names.index(name) for name in names]
        return replace(explanation, display_data=rows.cells()[:, places])
    return explanation


def by_sources(one: Measured, rows: Rows, grouped: bool | Mapping[str, Any]) -> None:
    """Sum reasons of columns that steps of a Pipeline made to the columns of the report's table."""
    explanation, member = one.explanation, one.member
    by = member.head if isinstance(grouped, bool) else grouped
    if explanation is None or not grouped or by is None or set(explanation.feature_names) <= set(rows.names):
        return
    table = rows.X if rows.is_frame else None
    found = one.attempt("grouped", lambda: explanation.grouped(by, table))
    why = one.missing.pop("grouped", None)
    if found is None:
        one.warnings.append(
            f"Contributions belong to the columns that the model gets, not to the columns of X: {why}"
        )
    else:
        one.explanation = found
