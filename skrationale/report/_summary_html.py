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
    Note,
    Table,
    count_of,
    format_cell,
    format_number,
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
WORDS = {
    "auroc": ("AUROC", HIGH),
    "log_loss": ("log-loss", LOW),
    "prediction_r2": (MEASURES["prediction_r2"], HIGH),
    "same_class": (MEASURES["same_class"], HIGH),
    "explanation_r2": (MEASURES["explanation_r2"], HIGH),
    "top1_agreement": (MEASURES["top1_agreement"], HIGH),
    "comprehensiveness": ("comprehensiveness", HIGH),
    "sufficiency": ("sufficiency", LOW),
    "columns_used": ("columns used a row", LOW),
    "stability": ("stability", HIGH),
    "kilobytes": ("kB", LOW),
    "predict_us": ("µs a row to predict", LOW),
    "explain_us": ("µs a row to explain", LOW),
}
"""Heads of columns, and whether high or low is good."""


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
    head = ["", *(words[name][0] for name in names)]
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
        name = shorten(one.member.name, 60)
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
    texts = [figure(name, one.figures.get(name, math.nan)) for one in found]
    bold = best_text(found, name, good, constant)
    cells: list[Any] = []
    for one, text in zip(found, texts, strict=True):
        if not text:
            cells.append(footnotes.mark(one.missing.get(name, "")))
            continue
        shown = Bold(text) if text == bold else text
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
    if name in ("columns_used", "kilobytes", "predict_us", "explain_us"):
        return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:.3f}".replace("-", "−")


def importances(table: Any) -> Any:
    """Return the shares (d, m) of columns in the reasons of all members side by side."""
    if not table.shape[1]:
        return Note("No estimator gives reasons.")
    values = table.to_numpy(dtype=float)
    largest = float(np.nanmax(values, initial=0.0))
    lines = []
    for name, shares in zip(table.index[:MAX_COLUMNS], values, strict=False):
        lines.append([shorten(str(name), 80), *(_share(float(share), largest) for share in shares)])
    left = len(table) - MAX_COLUMNS
    head = ["column", *(shorten(name, 40) for name in table.columns)]
    caption = "Share of each column in the mean absolute reasons"
    shown = wide(Table(caption, head, ["", *["skr-share"] * table.shape[1]], lines))
    return joined([shown, Note(f"{count_of(left, 'other column')} not shown.")]) if left > 0 else shown


def _share(share: float, largest: float) -> Any:
    """Return a share with its bar; a dash where a column is not used, or not there."""
    if math.isnan(share) or share == 0:
        return "–"
    return joined([f"{share:.1%}" if share >= 0.0005 else "under 0.1%", Bar(share, largest)])


def examples(found: list[Measured], rows: Rows, chosen: dict[int, str]) -> Any:
    """Return the truth and all answers for the rows that are shown."""
    truths = {i: simple_cell(rows.y[i]) for i in chosen}
    lines: list[list[Any]] = [
        ["why it is shown", *chosen.values()],
        [Bold("y"), *(Bold(answer(truth)) for truth in truths.values())],
    ]
    for one in found:
        if one.predictions is not None:
            answers = (_answer_of(one, i, truth) for i, truth in truths.items())
            lines.append([shorten(one.member.name, 60), *answers])
    head = ["", *(f"row {label_text(rows.labels, i)}" for i in chosen)]
    return wide(Table("What is predicted", head, ["", *["skr-cell"] * len(chosen)], lines))


def _answer_of(one: Measured, i: int, truth: Any) -> str:
    predicted = simple_cell(one.predictions[i])  # type: ignore[index]
    text = answer(predicted)
    if one.labels is None:
        return text
    # a sign, no colour
    sign = "" if predicted == truth else " ✗"
    sure = float(np.max(one.answers[i]))  # type: ignore[index]
    return f"{text} ({sure:.0%}){sign}"


def answer(predicted: Any) -> str:
    """Return a label or a number as words."""
    return shorten(format_cell(predicted), 40)


def wide(table: Table) -> Any:
    """Let a table scroll on narrow screens."""
    return render(f"{TEMPLATES}/figures.html", table=table, missing=[])
