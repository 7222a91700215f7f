"""What a report says about one of its members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._hooks import hooks_of
from ..explanation.dependence_html import dependences
from ..explanation.html import one_row, over_rows
from ..explanation.labels import label_text
from ..writing import (
    Bold,
    Folded,
    Note,
    Table,
    count_of,
    format_share,
    joined,
    notebook_html,
    render,
    shorten,
)
from ._measures import Measured
from ._rows import Rows
from ._summary_html import TEMPLATES, answer, figure, wide
from ._texts import one_text, shown

MAX_FORMULA, MAX_FORMULAS, MAX_FRONT, MAX_WARNINGS = 5000, 12, 15, 8
FRONT = {"r2": "R2", "fidelity_r2": "fidelity R2"}


def section(one: Measured, rows: Rows, examples: dict[int, str], *, audit: bool) -> Any:
    """Return all that there is to say about a member beside its figures; what fails says so."""
    table = one.attempt("table", lambda: one.member.table(rows.X)) if one.member.pipelines else rows.X
    model = one.member.model
    makers: dict[str, tuple[str, Callable[[], Any]]] = {
        "formula": ("the formula", lambda: formulas(one, table)),
        "attributes": ("the attributes", lambda: attributes(model, table)),
        "rationale": ("the rationales", lambda: rationales(one)),
        "audit": ("the audit", lambda: audited(model, table, rows, audit)),
        "teacher_audit": ("the audit of its teacher", lambda: audited_teacher(model)),
    }
    parts = []
    for what, make in (makers[part] for part in one.member.report_parts):
        made = one.attempt(what, make)
        failed = f"Not shown: {what}, because it failed: {one.missing.get(what, '')}"
        parts.append(Note(failed) if made is None else made)
    reasons = _reasons(one, rows, examples)
    return render(
        f"{TEMPLATES}/section.html",
        kind=shorten(one.kind, 300),
        students=shorten(", ".join(one.member.students), 200) if one.member.students else None,
        figures=_figures(one),
        parts=parts,
        reasons=reasons,
        warnings=[shorten(words, 400) for words in one.warnings[:MAX_WARNINGS]],
        n_more=len(one.warnings) - MAX_WARNINGS,
        # where rows have no labels, warnings may count those drawn
        counted=len(rows) < rows.n_total and not (rows.is_frame and not one.member.pipelines),
    )


def _figures(one: Measured) -> str:
    metric = "Accuracy" if one.member.classifies else "R2"
    words = {"score": f"{metric} {{}}", "columns_used": "{} columns used per row"}
    return ", ".join(
        text.format(figure(name, one.figures[name])) for name, text in words.items() if name in one.figures
    )


# --- by family --------------------------------------------------------------------------------------


def formulas(one: Measured, table: Any) -> Any:
    """Return formulas with what they are worth, their front, and where they may fail."""
    model = one.member.model
    trust = [f"{'accuracy' if one.member.classifies else 'R2'} {figure('score', one.figures['score'])}"]
    if "prediction_r2" in one.figures:
        trust.append(f"fidelity to the teacher: R2 {figure('prediction_r2', one.figures['prediction_r2'])}")
    found = model.formulas_
    warned = [words for formula in found[:MAX_FORMULAS] for words in formula.domain_warnings(table)]
    one.warnings += [words for words in dict.fromkeys(warned) if words not in one.warnings]
    left = len(found) - MAX_FORMULAS
    return render(
        f"{TEMPLATES}/formulas.html",
        trust=", ".join(trust),
        link=found[0].link,
        formulas=[
            shorten(f"{formula.output_name} = {formula}", MAX_FORMULA) for formula in found[:MAX_FORMULAS]
        ],
        more=count_of(left, "other formula") if left > 0 else "",
        fronts=_fronts(model),
    )


def _fronts(model: Any) -> Any:
    parts = []
    fronts = hooks_of(model)._formula_fronts() or []
    for (front, _), formula in zip(fronts[:MAX_FORMULAS], model.formulas_, strict=False):
        # R2 against y is that of numbers alone
        known = {name: head for name, head in FRONT.items() if front[name].notna().any()}
        shown = front[["complexity", *known, "equation"]].tail(MAX_FRONT)
        figures = [[figure(name, float(value)) for value in shown[name]] for name in known]
        lines = [
            [str(symbols), *cells, shorten(str(equation), 300)]
            for symbols, *cells, equation in zip(
                shown["complexity"], *figures, shown["equation"], strict=True
            )
        ]
        name = shorten(formula.output_name, 60)
        caption = f"Formulas for {name}, from short to exact, with R2 on validation rows of fit"
        head = ["symbols", *known.values(), "formula"]
        parts.append(wide(Table(caption, head, ["", *["skr-n"] * len(known), "skr-words"], lines)))
    return Folded("Other formulas that were found", joined(parts), is_open=False) if parts else ""


def attributes(model: Any, table: Any) -> Any:
    """Return the attributes with their rules, and how often they explain nothing."""
    described = model.describe()
    share = float(np.mean(model.disagreement(table)))
    return render(
        f"{TEMPLATES}/attributes.html",
        differs=f"{share:.1%}" if share else "",
        described=notebook_html(described),
    )


def rationales(one: Measured) -> Any:
    """Return how many columns predictions are made from."""
    explanation = one.explanation
    if one.texts is not None:
        return shown(one.texts)
    if explanation is None or explanation.mask is None:
        return ""
    sizes = explanation.mask.sum(axis=1)
    low, middle, high = np.quantile(sizes, [0.1, 0.5, 0.9], method="nearest")
    return render(
        f"{TEMPLATES}/rationale.html",
        always=bool((sizes == middle).all()),
        middle=f"{middle:.0f}",
        n_columns=explanation.mask.shape[1],
        spread=f"{low:.0f} to {high:.0f}" if low < high else f"{low:.0f}",
        empty=format_share(float(np.mean(sizes == 0))) if (sizes == 0).any() else "",
    )


def audited(model: Any, table: Any, rows: Rows, audit: bool) -> Any:
    """Return the verdict about rationales, where it was asked for."""
    if not audit:
        return Note(joined(["Not audited; ", Bold("audit=True"), " does it."]))
    report = model.audit(table, rows.y, n_refits=0, random_state=rows.seed)
    return render(f"{TEMPLATES}/audit.html", name="Audit", audit=notebook_html(report))


def audited_teacher(model: Any) -> Any:
    """Return the verdict about the rationales of its teacher, where that was audited in fit."""
    earlier = model.teacher_audit_
    name = "Audit of its teacher, made during fit"
    return (
        "" if earlier is None else render(f"{TEMPLATES}/audit.html", name=name, audit=notebook_html(earlier))
    )


# --- of all ------------------------------------------------------------------------------------------


def _reasons(one: Measured, rows: Rows, examples: dict[int, str]) -> Any:
    explanation, texts = one.explanation, one.texts
    if texts is None and explanation is None:
        return Note(f"No reasons are shown: {one.missing.get('reasons', '')}.")
    each = []
    for place, (i, why) in enumerate(examples.items()):
        summary = render(
            f"{TEMPLATES}/example.html",
            name=f"Row {label_text(rows.labels, i)}",
            why=why,
            truth=answer(rows.y[i]),
            predicted=None if one.predictions is None else answer(one.predictions[i]),
        )
        body = "" if explanation is None else one_row(explanation[i])
        each.append(Folded(summary, body if texts is None else one_text(texts, i), is_open=place < 2))
    if explanation is None:
        return render(f"{TEMPLATES}/marked_texts.html", texts=each)
    return render(
        f"{TEMPLATES}/reasons.html",
        by_column="attributes" in one.member.report_parts,
        bars=one.attempt("importances", lambda: over_rows(explanation)) or "",
        dependences=one.attempt("dependences", lambda: dependences(explanation)) or "",
        rows=each,
    )
