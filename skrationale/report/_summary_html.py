"""The tables of a report that compare all of its members."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..explanation.labels import label_text
from ..writing import (
    Bar,
    Bold,
    Folded,
    Name,
    Note,
    Table,
    Titled,
    format_cell,
    format_column,
    format_number,
    format_probability,
    joined,
    render,
    shorten,
    simple_cell,
)
from ._doubt import ERRORS, error_of_difference
from ._measures import (
    LABEL_MEASURES,
    MEASURES,
    N_DRAWS,
    N_FILLS,
    NOISE,
    RANKED,
    SHARES,
    STABILITY_ROWS,
    Measured,
)
from ._rows import Rows, distinct

TEMPLATES = "report/templates"
HIGH, LOW = 1.0, -1.0
MAX_COLUMNS = 15
COLUMN_WORDS = "Mean absolute contribution of the column, as a share of the sum over all columns"
WORDS = {
    "auroc": ("AUROC", HIGH),
    "log_loss": ("log-loss", LOW),
    "prediction_r2": (MEASURES["prediction_r2"], HIGH),
    "same_class": (MEASURES["same_class"], HIGH),
    "explanation_r2": (MEASURES["explanation_r2"], HIGH),
    "top1_agreement": (MEASURES["top1_agreement"], HIGH),
    "comprehensiveness": ("comprehensiveness", HIGH),
    "sufficiency": ("sufficiency", LOW),
    "columns_used": ("columns used per row", LOW),
    "stability": ("stability", HIGH),
    "kilobytes": ("kB", LOW),
    "predict_us": ("µs per row to predict", LOW),
    "explain_us": ("µs per row to explain", LOW),
}
"""Heads of columns, and whether high or low is good."""


DEFINITIONS = {
    "score": "Against y: share of rows with the right class, or R2",
    "auroc": "Area under the ROC curve against y: how well the scores sort the classes; 0.5 is chance",
    "log_loss": "Mean negative logarithm, in nats, of the probability given to the class in y",
    "prediction_r2": "R2 of the raw scores against those of the teacher",
    "same_class": "Share of rows with the class that the teacher predicts",
    "explanation_r2": "R2 of the contributions against those of the teacher",
    "top1_agreement": "Share of rows whose strongest column is that of the teacher",
    "comprehensiveness": "How much predictions fall if the most important columns are hidden; high is good",
    "sufficiency": "How much predictions fall if only the most important columns are kept; low is good",
    "columns_used": "Mean number of columns with a contribution that is not 0",
    "stability": "Cosine similarity of contributions with and without a little noise: 1 means equal",
    "kilobytes": "Size when pickled, without the teacher",
    "predict_us": "Median time to predict, in microseconds per row",
    "explain_us": "Median time to explain, in microseconds per row",
}
"""What heads of columns tell when a pointer rests on them."""
COSTS = ("columns_used", "kilobytes", "predict_us", "explain_us")


class Footnotes:
    """Numbered notes that say why figures are missing."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def mark(self, reason: str) -> Any:
        """Return a dash with the number of a reason."""
        if not reason:
            return "–"
        if reason not in self.texts:
            self.texts.append(reason)
        return render(f"{TEMPLATES}/missing.html", number=self.texts.index(reason) + 1)


def summary(found: list[Measured], rows: Rows, *, links: bool) -> Any:
    """Return the tables of all figures: answers, reasons, costs."""
    classifies = found[0].member.classifies
    words = {"score": ("accuracy" if classifies else "R2", HIGH)} | WORDS
    answers = ["score", *([*LABEL_MEASURES, "same_class"] if classifies else []), "prediction_r2"]
    reasons = [
        "columns_used",
        "comprehensiveness",
        "sufficiency",
        "stability",
        "explanation_r2",
        "top1_agreement",
    ]
    costs = ["kilobytes", "predict_us", "explain_us"]
    constant = constant_answer(rows, classifies=classifies)
    return render(
        f"{TEMPLATES}/summary.html",
        answers=_figures(found, "Answers", answers, words, links=links, with_kind=True, constant=constant),
        reasons=_figures(found, "Reasons", reasons, words, links=False),
        costs=_figures(found, "Costs", costs, words, links=False, with_parts=True),
        classifies=classifies,
        n_errors=f"{ERRORS:.0f}",
        shares=", ".join(f"{share:.0%}" for share in SHARES),
        n_fills=N_FILLS,
        noise=NOISE,
        n_draws=N_DRAWS,
        n_stable=min(len(rows), STABILITY_ROWS),
        n_rows=f"{len(rows):,}",
    )


@dataclass(frozen=True)
class Constant:
    """The best answer that is the same for all rows.

    Parameters
    ----------
    name, kind : str
        What it is.
    figures : dict of str to float
        Its figures.
    """

    name: str
    kind: str
    figures: dict[str, float]


def constant_answer(rows: Rows, *, classifies: bool) -> Constant:
    """Give the majority class with the shares of all, or the mean."""
    if not classifies:
        mean = format_number(float(rows.y.astype(float).mean()))
        varies = len(distinct(rows.y)) > 1
        return Constant("mean of y", f"{mean} for every row", {"score": 0.0} if varies else {})
    labels = distinct(rows.y)
    shares = np.array([np.mean([label == other for other in rows.y.tolist()]) for label in labels])
    figures = {"score": float(shares.max()), "log_loss": -float((shares * np.log(shares)).sum())}
    figures |= {"auroc": 0.5} if len(labels) > 1 else {}
    most = answer(labels[int(shares.argmax())])
    return Constant("majority class", f"{most} for every row, with the shares of the classes here", figures)


def _figures(
    found: list[Measured],
    caption: str,
    names: list[str],
    words: dict[str, tuple[str, float]],
    *,
    links: bool,
    with_kind: bool = False,
    with_parts: bool = False,
    constant: Constant | None = None,
) -> Any:
    footnotes = Footnotes()
    known = {} if constant is None else constant.figures
    columns = [_column(found, name, words[name][1], footnotes, known.get(name)) for name in names]
    head: list[Any] = ["", *(Titled(words[name][0], DEFINITIONS[name]) for name in names)]
    classes = ["", *("skr-n skr-time" if name.endswith("_us") else "skr-n" for name in names)]
    if with_parts:
        columns.insert(0, [one.parts or "–" for one in found])
        head.insert(1, "made of")
        classes.insert(1, "skr-n")
    if with_kind:
        columns.append([_kind(one) for one in found])
        head.append("what it is")
        classes.append("skr-words")
    lines = []
    for i, one in enumerate(found):
        name = Name(one.member.name, 60)
        shown = render(f"{TEMPLATES}/link.html", number=i, name=name) if links else name
        lines.append([shown, *(column[i] for column in columns)])
    if constant is not None:
        same = (figure(name, known[name]) if name in known else "–" for name in names)
        lines.append([constant.name, *same, constant.kind])
    table = Table(caption, head, classes, lines)
    return render(f"{TEMPLATES}/figures.html", table=table, missing=footnotes.texts)


def _kind(one: Measured) -> str:
    taught = one.member.students
    teaches = f"; teacher of {shorten(', '.join(taught), 60)}" if taught and one.member.given else ""
    return shorten(one.kind, 160) + teaches


def _column(
    found: list[Measured], name: str, good: float, footnotes: Footnotes, constant: float | None
) -> list[Any]:
    values = [one.figures.get(name, math.nan) for one in found]
    texts = figures(name, values)
    bold = best_text(found, name, good, constant)
    cells: list[Any] = []
    for one, value, text in zip(found, values, texts, strict=True):
        if not text:
            cells.append(footnotes.mark(one.missing.get(name, "")))
            continue
        exact = f"{value:.10g}"
        shown = Titled(Bold(text) if text == bold else text, exact) if exact != text else text
        error = figure(name, one.errors.get(name, math.nan))
        cells.append(render(f"{TEMPLATES}/error.html", figure=shown, error=error) if error else shown)
    return cells


def best_text(found: list[Measured], name: str, good: float, constant: float | None = None) -> str | None:
    """Return how the best figure reads, if it is better than every other beyond doubt.

    What reads alike is alike.

    Parameters
    ----------
    found : list of Measured
        With their figures.
    name : str
        Which figure.
    good : float
        1 where high is good, -1 where low is.
    constant : float or None
        Figure of an answer that is the same for all rows, which it must be better than too.

    Returns
    -------
    str or None
        Nothing where another is as good within `ERRORS` standard errors of the difference, or these are not
        known, and of what is no contest.
    """
    known = [one for one in found if not math.isnan(one.figures.get(name, math.nan))]
    if name not in RANKED or len(known) < 2:
        return None
    best = max(known, key=lambda one: good * one.figures[name])
    text = figure(name, best.figures[name])
    others = [one for one in known if figure(name, one.figures[name]) != text]
    if not others:
        return None
    gains = [good * (best.figures[name] - one.figures[name]) for one in others]
    errors = [
        error_of_difference(name, (best.by_row, one.by_row), (best.errors, one.errors)) for one in others
    ]
    if constant is not None:
        gains.append(good * (best.figures[name] - constant))
        errors.append(best.errors.get(name, math.nan))
    sure = all(gain > ERRORS * error for gain, error in zip(gains, errors, strict=True))
    return text if sure else None


def figure(name: str, value: float) -> str:
    """Return a figure with as many digits as are worth reading; an empty text for NaN."""
    if math.isnan(value):
        return ""
    return figures(name, [value])[0]


def figures(name: str, values: list[float]) -> list[str]:
    """Return the figures of a column, all with as many decimals; empty texts for NaN.

    Examples
    --------
    >>> figures("kilobytes", [12.34, 5678.9]), figures("score", [0.5, -0.25])
    (['12.3', '5,678.9'], ['0.500', '−0.250'])
    """
    places = 3
    if name in COSTS:
        places = 1 if min((abs(value) for value in values if not math.isnan(value)), default=0) < 100 else 0
    texts = ["" if math.isnan(value) else f"{value:,.{places}f}" for value in values]
    return [text.replace("-", "−") for text in texts]


def importances(table: Any) -> Any:
    """Return the shares (d, m) of columns in the reasons of all members side by side."""
    if not table.shape[1]:
        return Note("No estimator has explanations.")
    values = table.to_numpy(dtype=float)
    largest = float(np.nanmax(values, initial=0.0))
    lines = [
        [Name(str(name), 80), *(_share(float(share), largest) for share in shares)]
        for name, shares in zip(table.index, values, strict=True)
    ]
    head = [Titled("column", COLUMN_WORDS), *(Name(name, 40) for name in table.columns)]
    classes = ["", *["skr-share"] * table.shape[1]]
    parts = [
        wide(
            Table(
                "Share of each column in the mean absolute contributions", head, classes, lines[:MAX_COLUMNS]
            )
        )
    ]
    if len(lines) > MAX_COLUMNS:
        rest = wide(Table("The other columns", head, classes, lines[MAX_COLUMNS:]))
        parts.append(Folded(f"Show all {len(lines)} columns", rest, is_open=False))
    return joined(parts)


def _share(share: float, largest: float) -> Any:
    """Return a share with its bar; a dash where a column is not used, or not there."""
    if math.isnan(share) or share == 0:
        return "–"
    return joined([f"{share:.1%}" if share >= 0.0005 else "under 0.1%", Bar(share, largest)])


def examples(found: list[Measured], rows: Rows, chosen: dict[int, str]) -> Any:
    """Return the truth and all answers for the rows that are shown."""
    asked = [one for one in found if one.predictions is not None]
    columns = [_answers(asked, rows, i) for i in chosen]
    lines: list[list[Any]] = [["why it is shown", *chosen.values()]]
    lines.append([Bold("y"), *(Bold(column[0]) for column in columns)])
    for place, one in enumerate(asked):
        lines.append([Name(one.member.name, 60), *(column[place + 1] for column in columns)])
    head = ["", *(f"row {label_text(rows.labels, i)}" for i in chosen)]
    return wide(Table("What is predicted", head, ["", *["skr-cell"] * len(chosen)], lines))


def _answers(asked: list[Measured], rows: Rows, i: int) -> list[Any]:
    """Return the truth of a row and what each member says, numbers with as many decimals."""
    truth = simple_cell(rows.y[i])
    if asked and asked[0].labels is None:
        numbers = [float(truth), *(float(one.predictions[i]) for one in asked)]  # type: ignore[index]
        pairs = zip(format_column(numbers), numbers, strict=True)
        return [Titled(text, f"{number:.10g}") for text, number in pairs]
    return [answer(truth), *(_label_of(one, i, truth) for one in asked)]


def _label_of(one: Measured, i: int, truth: Any) -> str:
    """Return a label with its probability, and a sign where it is wrong."""
    predicted = simple_cell(one.predictions[i])  # type: ignore[index]
    sign = "" if predicted == truth else " ✗"
    sure = float(np.max(one.answers[i]))  # type: ignore[index]
    return f"{answer(predicted)} ({format_probability(sure)}){sign}"


def answer(predicted: Any) -> str:
    """Return a label or a number as words."""
    return shorten(format_cell(predicted), 40)


def wide(table: Table) -> Any:
    """Let a table scroll on narrow screens."""
    return render(f"{TEMPLATES}/figures.html", table=table, missing=[])
