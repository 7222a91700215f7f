"""What a report says about one of its members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._hooks import hooks_of
from ..explanation.html import _folded, _one_row, _over_rows, _table, _text
from ..explanation.labels import label_text
from ..writing import format_cell, format_number, shorten
from ._measures import Measured
from ._rows import Rows
from ._summary_html import answer, figure, shown, wide

MAX_FORMULA, MAX_FORMULAS, MAX_FRONT, MAX_WARNINGS = 5000, 12, 15, 8
FRONT = {"r2": "R2", "fidelity_r2": "fidelity R2"}


def section(one: Measured, rows: Rows, examples: dict[int, str], *, audit: bool) -> str:
    """Return all that there is to say about a member beside its figures; what fails says so."""
    parts = [f"<p>{_text(shorten(one.kind, 300))}.{_students(one)}</p>", f"<p>{_figures(one)}</p>"]
    table = one.attempt("table", lambda: one.member.table(rows.X)) if one.member.heads else rows.X
    model = one.member.model
    makers: dict[str, tuple[str, Callable[[], str]]] = {
        "formula": ("the formula", lambda: formulas(one, table)),
        "attributes": ("the attributes", lambda: attributes(model, table)),
        "rationale": ("the rationales", lambda: rationales(one)),
        "audit": ("the audit", lambda: audited(model, table, rows, audit)),
        "teacher_audit": ("the audit of its teacher", lambda: audited_teacher(model)),
    }
    for what, make in (makers[part] for part in one.member.report_parts):
        made = one.attempt(what, make)
        parts.append(_failed(what, one.missing[what]) if made is None else made)
    parts.append(_reasons(one, rows, examples))
    parts.append(_warnings(one, rows))
    return "".join(parts)


def _failed(what: str, why: str) -> str:
    return f'<p class="skr-note">Not shown: {what}, since it failed: {_text(why)}</p>'


def _students(one: Measured) -> str:
    return f" Teacher of {shown(', '.join(one.member.students), 200)}." if one.member.students else ""


def _figures(one: Measured) -> str:
    metric = "Accuracy" if one.member.classifies else "R2"
    words = {"score": f"{metric} {{}}", "columns_used": "{} columns used a row"}
    return ", ".join(
        text.format(figure(name, one.figures[name])) for name, text in words.items() if name in one.figures
    )


# --- by family --------------------------------------------------------------------------------------


def formulas(one: Measured, table: Any) -> str:
    """Return formulas with what they are worth, their front, and where they may fail."""
    model = one.member.model
    trust = [f"{'accuracy' if one.member.classifies else 'R2'} {figure('score', one.figures['score'])}"]
    if "prediction_r2" in one.figures:
        trust.append(f"fidelity to the teacher: R2 {figure('prediction_r2', one.figures['prediction_r2'])}")
    found = model.formulas_
    texts = [f"{formula.output_name} = {formula}" for formula in found[:MAX_FORMULAS]]
    shown_texts = "".join(f"<code>{_text(shorten(text, MAX_FORMULA))}</code>" for text in texts)
    link = (
        "" if found[0].link == "identity" else f" The formula gives the score, whose link is {found[0].link}."
    )
    left = len(found) - MAX_FORMULAS
    more = f'<p class="skr-note">{left} other formulas not shown.</p>' if left > 0 else ""
    warned = [words for formula in found[:MAX_FORMULAS] for words in formula.domain_warnings(table)]
    one.warnings += [words for words in dict.fromkeys(warned) if words not in one.warnings]
    return (
        f"<h3>Formula</h3><p>On these rows: {', '.join(trust)}.{link}</p>"
        f'<div class="skr-formula">{shown_texts}</div>{more}{_fronts(model)}'
    )


def _fronts(model: Any) -> str:
    parts = []
    fronts = hooks_of(model)._formula_fronts() or []
    for (front, _), formula in zip(fronts[:MAX_FORMULAS], model.formulas_, strict=False):
        # R2 against y is that of numbers alone
        known = {name: head for name, head in FRONT.items() if front[name].notna().any()}
        lines = [
            [str(symbols), *map(_three, figures), _text(shorten(str(equation), 300))]
            for symbols, *figures, equation in front[["complexity", *known, "equation"]]
            .tail(MAX_FRONT)
            .itertuples(index=False, name=None)
        ]
        name = shorten(formula.output_name, 60)
        caption = f"Formulas for {name}, from short to exact, with R2 on validation rows of fit"
        head = ["symbols", *known.values(), "formula"]
        parts.append(wide(_table(caption, head, ["", *["skr-n"] * len(known), "skr-words"], lines)))
    return _folded("Other formulas that were found", "".join(parts), is_open=False) if parts else ""


def _three(number: Any) -> str:
    return format_number(float(f"{float(number):.3g}"))


def attributes(model: Any, table: Any) -> str:
    """Return the attributes with their rules, and how often they explain nothing."""
    described = model.describe()
    share = float(np.mean(model.disagreement(table)))
    words = (
        f"On {share:.1%} of these rows the network and its interpreter predict differently: "
        "there the attributes explain nothing of the network."
        if share
        else "On all of these rows the network and its interpreter agree."
    )
    return f"<h3>Attributes</h3><p>{words}</p>{described._repr_html_()}"


def rationales(one: Measured) -> str:
    """Return how many columns predictions are made from."""
    explanation = one.explanation
    if explanation is None or explanation.mask is None:
        return ""
    sizes = explanation.mask.sum(axis=1)
    low, middle, high = np.quantile(sizes, [0.1, 0.5, 0.9], method="nearest")
    d = explanation.mask.shape[1]
    empty = f" In {np.mean(sizes == 0):.0%} of the rows there is none." if (sizes == 0).any() else ""
    spread = f"{low:.0f} to {high:.0f}" if low < high else f"{low:.0f}"
    return (
        f"<h3>Rationale</h3><p>A prediction is made from {middle:.0f} of {d} columns in the median row, from "
        f"{spread} in 80% of the rows.{empty} Below, “used in” is the share of these rows in which "
        "a column was used.</p>"
    )


def audited(model: Any, table: Any, rows: Rows, audit: bool) -> str:
    """Return the verdict about rationales, where it was asked for."""
    if not audit:
        return '<p class="skr-note">Not audited; <b>audit=True</b> does it.</p>'
    report = model.audit(table, rows.y, n_refits=0, random_state=rows.seed)
    return f"<p><b>Audit.</b> {_text(report.verdict)}</p>"


def audited_teacher(model: Any) -> str:
    """Return the verdict about the rationales of its teacher, where that was audited in fit."""
    earlier = model.teacher_audit_
    return "" if earlier is None else f"<p><b>Audit of its teacher, in fit.</b> {_text(earlier.verdict)}</p>"


# --- of all ------------------------------------------------------------------------------------------


def _reasons(one: Measured, rows: Rows, examples: dict[int, str]) -> str:
    explanation = one.explanation
    if explanation is None:
        why = one.missing.get("reasons", "")
        return f'<p class="skr-note">No reasons are shown: {_text(why)}.</p>'
    by = "by column; by attribute is above" if "attributes" in one.member.report_parts else ""
    each = []
    for place, (i, why) in enumerate(examples.items()):
        said = "" if one.predictions is None else f", predicted {answer(one.predictions[i])}"
        truth = shown(format_cell(rows.y[i]), 40)
        heading = f"<b>Row {_text(label_text(rows.labels, i))}</b> ({_text(why)}): y is {truth}{said}"
        each.append(_folded(heading, _one_row(explanation[i]), is_open=place < 2))
    bars = one.attempt("importances", lambda: _over_rows(explanation)) or ""
    return (
        f"<h3>Columns that matter{f' ({by})' if by else ''}</h3>{bars}<h3>Rows with their reasons</h3>"
        f"{''.join(each)}"
    )


def _warnings(one: Measured, rows: Rows) -> str:
    if not one.warnings:
        return ""
    each = "".join(f"<li>{_text(shorten(words, 400))}</li>" for words in one.warnings[:MAX_WARNINGS])
    left = len(one.warnings) - MAX_WARNINGS
    more = f"<li>{left} more</li>" if left > 0 else ""
    labelled = rows.is_frame and not one.member.heads
    drawn = len(rows) < rows.n_given and not labelled
    note = '<p class="skr-note">Rows are counted among those of this report.</p>' if drawn else ""
    return f"<h3>Warnings</h3><ul>{each}{more}</ul>{note}"
