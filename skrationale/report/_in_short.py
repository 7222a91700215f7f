"""Three questions of a reader in haste: which model, which columns, and whether reasons can be trusted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..explanation.labels import label_text
from ..explanation.wording import cells
from ..writing import format_cell, format_number, format_share, join_names, render, shorten
from ._doubt import ERRORS, error_of, error_of_difference
from ._measures import Measured
from ._rows import Rows
from ._summary_html import TEMPLATES, constant_answer, figure

MAX_NAMES = 3


def in_short(found: list[Measured], rows: Rows, chosen: dict[int, str], shares: Any, *, audit: bool) -> Any:
    """Return the questions with their answers.

    Parameters
    ----------
    found : list of Measured
        Members with their figures.
    rows : Rows
        The rows they were measured on.
    chosen : dict of int to str
        The rows that are shown, and why.
    shares : DataFrame of shape (d, m)
        Shares of columns in the reasons.
    audit : bool
        Whether rationales are audited.

    Returns
    -------
    Markup
        A list.
    """
    given = [one for one in found if one.member.given]
    answers = {
        "Which model should I take?": _which_model(given, rows),
        "Which columns matter most?": _which_columns(given, rows, chosen, shares),
        "Can I trust these reasons?": _trust(given, audit=audit),
    }
    return render(f"{TEMPLATES}/in_short.html", answers={q: a for q, a in answers.items() if a})


def _name(one: Measured) -> str:
    return shorten(one.member.name, 40)


def _known(given: list[Measured], name: str) -> list[Measured]:
    return [one for one in given if not math.isnan(one.figures.get(name, math.nan))]


def _which_model(given: list[Measured], rows: Rows) -> str:
    """Name the best score, those that are not clearly worse, and what they cost."""
    scored = _known(given, "score")
    if not scored:
        return ""
    classifies = given[0].member.classifies
    metric = "accuracy" if classifies else "R2"
    best = max(scored, key=lambda one: one.figures["score"])
    error = figure("score", best.errors.get("score", math.nan))
    value = figure("score", best.figures["score"]) + (f" ± {error}" if error else "")
    constant = constant_answer(rows, classifies=classifies)
    least = constant.figures.get("score", math.nan)
    doubt = ERRORS * best.errors.get("score", math.nan)
    if best.figures["score"] - least <= doubt:
        return (
            f"None is clearly better than the {constant.name}, the same prediction for every row ({metric} "
            f"{figure('score', least)}); the best, {_name(best)}, has {value}."
        )
    text = f"{_name(best)} has the best {metric}, {value}."
    alike = [best]
    for one in scored:
        pair = ((best.by_row, one.by_row), (best.errors, one.errors))
        limit = ERRORS * error_of_difference("score", *pair)
        if one is not best and not best.figures["score"] - one.figures["score"] > limit:
            alike.append(one)
    if len(alike) > 1:
        text += f" Not clearly worse: {join_names([_name(one) for one in alike[1:]])}."
        sized = _known(alike, "kilobytes")
        if len(sized) > 1:
            small = min(sized, key=lambda one: one.figures["kilobytes"])
            size = figure("kilobytes", small.figures["kilobytes"])
            text += f" Of these {_name(small)} is the smallest ({size} kB)"
            sparse = _known(alike, "columns_used")
            few = min(sparse, key=lambda one: one.figures["columns_used"], default=None)
            text += (
                "." if few is None else f", and {_name(few)} uses the fewest columns per row ({_used(few)})."
            )
    return text


def _used(one: Measured) -> str:
    return figure("columns_used", one.figures["columns_used"])


def _which_columns(given: list[Measured], rows: Rows, chosen: dict[int, str], shares: Any) -> str:
    """Name the columns with the largest mean share, and the strongest of each model in the first row."""
    if not shares.shape[1]:
        return ""
    means = shares.mean(axis=1).iloc[:MAX_NAMES]
    named = [f"{shorten(str(name), 40)} {format_share(share)}" for name, share in means.items() if share > 0]
    if not named:
        return "None: no model has a reason that is not 0."
    text = f"Share of the reasons, on average over the models: {join_names(named)}."
    i = next(iter(chosen), None)
    strongest = [] if i is None else [words for one in given if (words := _strongest(one, i))]
    if i is not None and strongest:
        text += f" In row {label_text(rows.labels, i)}: {'; '.join(strongest[:MAX_NAMES])}."
        text += " More rows follow below." if len(chosen) > 1 else ""
    return text


def _strongest(one: Measured, i: int) -> str:
    """Return the strongest column of a row, with its cell and contribution."""
    e = one.explanation
    if e is None:
        return ""
    values = np.nan_to_num(e.values[i].reshape(len(e.feature_names), -1))
    j, k = np.unravel_index(int(np.abs(values).argmax()), values.shape)
    if values[j, k] == 0:
        return ""
    typed = cells(e)
    cell = "" if typed is None else f" = {shorten(format_cell(typed[i, j]), 24)}"
    sign = e.kind != "rationale"
    return f"{_name(one)}: {shorten(e.feature_names[j], 40)}{cell} ({format_number(values[j, k], sign=sign)})"


def _trust(given: list[Measured], *, audit: bool) -> str:
    """Say whose answers fall more when the columns named are hidden than when all others are."""
    measured = [one for one in given if {"comprehensiveness", "sufficiency"} <= set(one.by_row)]
    if not measured:
        return ""
    own: list[str] = []
    others: list[str] = []
    for one in measured:
        more = one.by_row["comprehensiveness"] - one.by_row["sufficiency"]
        error = error_of(more)
        sure = not math.isnan(error) and float(more.mean()) > ERRORS * error
        (own if sure else others).append(_name(one))
    text = ""
    if own:
        text = (
            f"{join_names(own)}: predictions change more when the columns with the largest contributions are "
            "hidden than when all others are, so these reasons fit the model."
        )
    if others:
        text += f" This is not true for {join_names(others)}: do not trust these reasons."
    steady = _known(given, "stability")
    if steady:
        worst = min(steady, key=lambda one: one.figures["stability"])
        value = figure("stability", worst.figures["stability"])
        text += f" The least stable under a little noise is {_name(worst)} ({value})."
    chosen = [_name(one) for one in given if "audit" in one.member.report_parts]
    if chosen:
        text += f" The rationales of {join_names(chosen)} are {'audited below' if audit else 'not audited'}."
    return text.strip()
