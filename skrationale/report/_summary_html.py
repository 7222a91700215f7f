"""The tables of a report that compare all of its members."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..explanation.html import _bar, _table, _text
from ..explanation.labels import label_text
from ..writing import count_of, format_cell, format_number, shorten, simple_cell
from ._measures import LABEL_MEASURES, MEASURES, N_DRAWS, N_FILLS, NOISE, SHARES, STABILITY_ROWS, Measured
from ._rows import Rows

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


def wide(table: str) -> str:
    """Let a table scroll on narrow screens."""
    return f'<div class="skr-wide-table">{table}</div>'


def shown(name: str, width: int = 60) -> str:
    """Return a name of the user as HTML."""
    return _text(shorten(name, width))


class Notes:
    """Numbered reasons for which figures are missing."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def mark(self, reason: str) -> str:
        """Return a dash with the number of a reason."""
        if not reason:
            return "–"
        if reason not in self.reasons:
            self.reasons.append(reason)
        return f"–<sup>{self.reasons.index(reason) + 1}</sup>"

    def html(self) -> str:
        """Return the list of reasons."""
        each = "".join(f"<li>not measured: {_text(reason)}</li>" for reason in self.reasons)
        return f'<ol class="skr-missing">{each}</ol>' if each else ""


def summary(found: list[Measured], rows: Rows, *, links: bool) -> str:
    """Return the tables of all figures: answers, reasons, costs."""
    classifies = found[0].member.classifies
    metric = "accuracy" if classifies else "R2"
    words = {"score": (metric, HIGH)} | WORDS
    answers = ["score", *([*LABEL_MEASURES, "same_class"] if classifies else []), "prediction_r2"]
    reasons = [
        "columns_used",
        "comprehensiveness",
        "sufficiency",
        "stability",
        "explanation_r2",
        "top1_agreement",
    ]
    unit = "probabilities of the class predicted" if classifies else "units of y"
    shares = ", ".join(f"{share:.0%}" for share in SHARES)
    few = min(len(rows), STABILITY_ROWS)
    parts = [
        _figures(found, "Answers", answers, words, links=links, with_kind=True),
        f'<p class="skr-note">{_against_y(rows) if classifies else "R2 against y. "}'
        "Score R2: R2 of the raw scores against those of the teacher"
        + (", with probabilities below 0.0001 or above 0.9999 read as these" if classifies else "")
        + ". For FLINT its interpreter is compared with its network instead. Best in bold.</p>",
        _figures(found, "Reasons", reasons, words, links=False),
        f'<p class="skr-note">Comprehensiveness (high is good) and sufficiency (low is good): how far '
        f"answers fall, in {unit}, when the first {shares} of the columns by these reasons are hidden, "
        f"or all others are; cells of other rows stand in for hidden ones, the same draws for all "
        f"({N_FILLS} a row). "
        f"Stability: cosine of reasons with those after noise of {NOISE} standard deviations ({N_DRAWS} "
        f"draws, {few} rows). Reasons R2 and same first reason: agreement with the reasons of the teacher. "
        "Reasons that fall together with the answers are the model's own; they are no causes.</p>",
        _figures(
            found, "Costs", ["kilobytes", "predict_us", "explain_us"], words, links=False, with_parts=True
        ),
        f'<p class="skr-note">kB: pickled, with the steps of a Pipeline and without the teacher. Times: '
        f"medians of three turns, {len(rows):,} rows at once (fewer where that takes long), so they hold for "
        "this machine and this moment.</p>",
    ]
    return "".join(parts)


def _against_y(rows: Rows) -> str:
    """Say what answers are measured by, and what an answer that is the same for all rows would have."""
    shares = np.unique(rows.y.astype(str), return_counts=True)[1] / len(rows)
    loss = -float((shares * np.log(shares)).sum())
    return (
        "Accuracy, AUROC (for more than two classes the mean over those in y, each against all others) and "
        f"log-loss (in nats) against y. A constant has at best accuracy {figure('score', shares.max())}, "
        f"AUROC 0.500 and log-loss {figure('log_loss', loss)}. "
        "Same class: share of rows with the class that the teacher predicts. "
    )


def _figures(
    found: list[Measured],
    caption: str,
    names: list[str],
    words: dict[str, tuple[str, float]],
    *,
    links: bool,
    with_kind: bool = False,
    with_parts: bool = False,
) -> str:
    notes = Notes()
    columns = [_column(found, name, words[name][1], notes) for name in names]
    head = ["", *(words[name][0] for name in names)]
    classes = ["", *(["skr-n skr-time" if name.endswith("_us") else "skr-n" for name in names])]
    if with_parts:
        columns.insert(0, [_text(one.parts) or "–" for one in found])
        head.insert(1, "made of")
        classes.insert(1, "skr-n")
    if with_kind:
        columns.append([_kind(one) for one in found])
        head.append("what it is")
        classes.append("skr-words")
    lines = []
    for i, one in enumerate(found):
        name = shown(one.member.name)
        lines.append([f'<a href="#m{i}">{name}</a>' if links else name, *(column[i] for column in columns)])
    return wide(_table(caption, head, classes, lines)) + notes.html()


def _kind(one: Measured) -> str:
    taught = one.member.students
    return shown(one.kind, 160) + (
        f"; teacher of {shown(', '.join(taught))}" if taught and one.member.given else ""
    )


def _column(found: list[Measured], name: str, good: float, notes: Notes) -> list[str]:
    values = np.array([one.figures.get(name, math.nan) for one in found])
    texts = [figure(name, value) for value in values]
    best = np.nanmax(good * values) if np.isfinite(values).sum() > 1 else math.nan
    of_best = {text for text, value in zip(texts, values, strict=True) if good * value == best}
    # what reads alike is alike
    bold = of_best if len(set(texts) - {""}) > 1 else set()
    cells = []
    for one, text in zip(found, texts, strict=True):
        if not text:
            cells.append(notes.mark(one.missing.get(name, "")))
        else:
            cells.append(f"<b>{text}</b>" if text in bold else text)
    return cells


def figure(name: str, value: float) -> str:
    """Return a figure with as many digits as are worth reading; an empty text for NaN."""
    if math.isnan(value):
        return ""
    if name in ("columns_used", "kilobytes", "predict_us", "explain_us"):
        return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"
    if name in ("comprehensiveness", "sufficiency") and abs(value) >= 10:
        return format_number(value)
    return f"{value:.3f}".replace("-", "−")


def importances(table: Any) -> str:
    """Return the shares (d, m) of columns in the reasons of all members side by side."""
    if not table.shape[1]:
        return '<p class="skr-note">No estimator gives reasons.</p>'
    values = table.to_numpy(dtype=float)
    largest = float(np.nanmax(values, initial=0.0))
    lines = []
    for name, shares in zip(table.index[:MAX_COLUMNS], values, strict=False):
        cells = [
            "–" if math.isnan(share) else f"{share:.1%}{_bar(float(share), largest)}" for share in shares
        ]
        lines.append([shown(str(name), 80), *cells])
    left = len(table) - MAX_COLUMNS
    rest = f'<p class="skr-note">{count_of(left, "other column")} not shown.</p>' if left > 0 else ""
    head = ["column", *(shorten(name, 40) for name in table.columns)]
    caption = "Share of each column in the mean absolute reasons"
    return wide(_table(caption, head, ["", *["skr-share"] * table.shape[1]], lines)) + rest


def examples(found: list[Measured], rows: Rows, chosen: dict[int, str]) -> str:
    """Return the truth and all answers for the rows that are shown."""
    truths = {i: simple_cell(rows.y[i]) for i in chosen}
    lines = [
        ["why it is shown", *(_text(why) for why in chosen.values())],
        ["<b>y</b>", *(f"<b>{answer(truth)}</b>" for truth in truths.values())],
    ]
    for one in found:
        if one.predictions is not None:
            lines.append([shown(one.member.name), *(_said(one, i, truth) for i, truth in truths.items())])
    head = ["", *(f"row {label_text(rows.labels, i)}" for i in chosen)]
    return wide(_table("What is predicted", head, ["", *["skr-cell"] * len(chosen)], lines))


def _said(one: Measured, i: int, truth: Any) -> str:
    said = simple_cell(one.predictions[i])  # type: ignore[index]
    text = answer(said)
    if one.labels is None:
        return text
    # a sign, no colour
    sign = "" if said == truth else " ✗"
    sure = float(np.max(one.answers[i]))  # type: ignore[index]
    return f"{text} ({sure:.0%}){sign}"


def answer(said: Any) -> str:
    """Return a label or a number as HTML."""
    return shown(format_cell(said), 40)
