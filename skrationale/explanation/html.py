"""An explanation as static HTML: a card for notebooks and a page that stands alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..writing import (
    Bar,
    Folded,
    Note,
    Part,
    Table,
    count_of,
    document,
    format_cell,
    format_number,
    joined,
    render,
    sentence,
    shorten,
)
from .dependence_html import dependences
from .labels import label_text
from .wording import cells, others, quantity, rank, strength

if TYPE_CHECKING:
    from ._explanation import Explanation

MAX_FEATURES, MAX_OUTPUTS = 10, 10
TEMPLATES = "explanation/templates"


def card(explanation: Explanation) -> str:
    """Return what a notebook shows: one row in full, or the features that matter over all rows."""
    body = one_row(explanation) if len(explanation) == 1 else over_rows(explanation)
    return document(f"{TEMPLATES}/card.html", heading=_heading(explanation), shown=body)


def page(explanation: Explanation, title: str | None, max_rows: int) -> str:
    """Return a complete document: the features that matter, then rows one by one."""
    if not isinstance(title, str | None):
        raise TypeError(f"title must be a str or None. Got {title!r} instead.")
    if not isinstance(max_rows, int | np.integer) or isinstance(max_rows, bool) or max_rows < 0:
        raise ValueError(f"max_rows must be an integer of at least 0. Got {max_rows!r} instead.")
    shown = min(len(explanation), max_rows)
    each = [explanation[i] for i in range(shown)]
    return document(
        f"{TEMPLATES}/page.html",
        title="Explanation" if title is None else title,
        heading=_heading(explanation),
        over_rows=over_rows(explanation),
        dependences=dependences(explanation),
        count=f"{shown:,} of {count_of(len(explanation), 'row')}",
        rows=[
            Folded(f"{row_name(row)}: {_row_summary(row)}", one_row(row), is_open=i == 0)
            for i, row in enumerate(each)
        ],
    )


def row_name(e: Explanation, i: int = 0) -> str:
    """Return how row i is called in the user's table.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> row_name(Explanation([[1.0], [2.0]], 0.0)[1]), row_name(Explanation([[1.0]], 0.0, index=["a b"]))
    ('Row 1', 'Row a b')
    """
    return f"Row {label_text(e.index, i)}"


def over_rows(e: Explanation) -> Part:
    """Return the table of mean |value|, summed over outputs."""
    if not len(e):
        return Note("No rows.")
    strengths = strength(e)
    chosen = None if e.mask is None else e.mask.sum(axis=0) / max(len(e), 1)
    shown, rest = rank(strengths, MAX_FEATURES)
    largest = strengths.max()
    lines: list[list[Any]] = []
    for j in shown:
        used = [] if chosen is None else [f"{chosen[j]:.0%}"]
        lines.append([_name(e, j), Bar(strengths[j], largest), _number(strengths[j], largest), *used])
    if len(rest):
        total = strengths[rest].sum()
        lines.append([others(len(rest)), "", _number(total, largest), *([] if chosen is None else [""])])
    used_in = [] if chosen is None else ["used in"]
    head = ["feature", "", "mean |value|", *used_in]
    summed = f", summed over {e.n_outputs} outputs" if e.n_outputs > 1 else ""
    caption = sentence(quantity(e, mean=True) + summed)
    return Table(caption, head, ["", "skr-b", "skr-n", "skr-u"][: len(head)], lines)


def one_row(e: Explanation) -> Any:
    """Return how one row came to its scores; of several outputs the highest is unfolded."""
    if e.kind == "rationale":
        return _chosen(e)
    if e.n_outputs == 1:
        return _waterfall(e)
    order = np.argsort(-e.scores()[0], kind="stable")
    parts: list[Part] = []
    for place, j in enumerate(order[:MAX_OUTPUTS]):
        summary = f"{shorten(e.output_names[j], 60)}: {_result(e, j)}"
        parts.append(Folded(summary, _waterfall(e.for_output(int(j))), is_open=place == 0))
    if e.n_outputs > MAX_OUTPUTS:
        parts.append(Note(f"{count_of(e.n_outputs - MAX_OUTPUTS, 'other output')} not shown."))
    return joined(parts)


def _heading(e: Explanation) -> Any:
    names = [shorten(name, 40) for name in e.output_names[:MAX_OUTPUTS]]
    sizes = {"row": len(e), "feature": len(e.feature_names), "output": e.n_outputs}
    counts = ", ".join(count_of(size, word) for word, size in sizes.items())
    return render(
        f"{TEMPLATES}/heading.html",
        kind=e.kind,
        counts=f"{row_name(e)}; {counts}" if len(e) == 1 and e.index is not None else counts,
        outputs=", ".join(names) + (", …" if e.n_outputs > MAX_OUTPUTS else ""),
        link=e.link,
        formula=e.formula,
    )


def _row_summary(e: Explanation) -> str:
    if e.kind == "rationale":
        return f"{e.mask.sum()} of {count_of(len(e.feature_names), 'feature')} used"  # type: ignore[union-attr]
    if e.n_outputs == 1:
        return _result(e, 0)
    best = int(np.argsort(-e.scores()[0], kind="stable")[0])
    return f"{shorten(e.output_names[best], 60)}, {_result(e, best)}"


def _chosen(e: Explanation) -> Part:
    """Return the cells that the prediction of one row was made from."""
    used = np.flatnonzero(e.mask[0])  # type: ignore[index]
    total = count_of(len(e.feature_names), "feature")
    if not len(used):
        return Note(f"The prediction uses none of {total}.")
    weights = np.abs(e.values[0].reshape(len(e.feature_names), -1)).sum(axis=1)
    largest = np.nan_to_num(weights[used]).max(initial=0.0)
    lines = [
        [_name(e, j), *_cell(e, j), Bar(weights[j], largest), _number(weights[j], largest)]
        for j in used[np.argsort(-weights[used], kind="stable")]
    ]
    head, classes = _columns(e, "weight")
    return Table(f"The prediction uses {len(used)} of {total} and no other", head, classes, lines)


def _waterfall(e: Explanation) -> Table:
    """Return the table from base to score of one row and one output."""
    values = e.values[0]
    sizes = np.nan_to_num(np.abs(values))
    shown, rest = rank(sizes, MAX_FEATURES)
    left_out = float(values[rest].sum())
    largest = max(sizes.max(), abs(left_out) if np.isfinite(left_out) else 0.0)
    blank = [""] * (len(_cell(e, 0)) + 1)

    def line(name: str, cell: list[str], value: float) -> list[Any]:
        return [name, *cell, Bar(value, largest, two_sided=True), _number(value, largest, sign=True)]

    lines: list[list[Any]] = [["base value", *blank, _number(e.base_values[0], largest)]]
    lines += [line(_name(e, j), _cell(e, j), values[j]) for j in shown]
    if len(rest):
        lines.append(line(others(len(rest)), blank[1:], left_out))
    lines.append(["score", *blank, _number(float(e.scores()[0]), largest)])
    sums = [0, len(lines) - 1]
    prediction = _prediction(e, 0)
    if prediction is not None:
        lines.append([prediction[0], *blank, prediction[1]])
        sums.append(len(lines) - 1)
    head, classes = _columns(e, "contribution")
    return Table(sentence(quantity(e)), head, classes, lines, sums)


def _columns(e: Explanation, last: str) -> tuple[list[str], list[str]]:
    """Return heads and classes of a table of one row, with a column for the cells where they are known."""
    if cells(e) is None:
        return ["feature", "", last], ["", "skr-b", "skr-n"]
    return ["feature", "value", "", last], ["", "", "skr-b", "skr-n"]


def _name(e: Explanation, j: int) -> str:
    return shorten(e.feature_names[j], 80)


def _cell(e: Explanation, j: int) -> list[str]:
    typed = cells(e)
    return [] if typed is None else [shorten(format_cell(typed[0, j]), 80)]


def _result(e: Explanation, output: int) -> str:
    """Return the score of the first row and what it stands for."""
    score = format_number(float(np.atleast_1d(e.scores()[0])[output]), scale=1.0)
    prediction = _prediction(e, output)
    return f"score {score}" + (f" ({prediction[0]} {prediction[1]})" if prediction else "")


def _prediction(e: Explanation, output: int) -> tuple[str, str] | None:
    """Return name and value of what the score of the first row stands for, if it is not itself."""
    scores = np.atleast_1d(e.scores()[0])
    score = float(scores[output])
    if not np.isfinite(scores).all():
        return None
    if e.link == "logit" and e.n_outputs == 1:
        return "probability", format_number(0.5 * (1 + math.tanh(score / 2)))
    if e.link == "softmax" and e.n_outputs > 1:
        weights = np.exp(scores - scores.max())
        return "probability", format_number(float(weights[output] / weights.sum()))
    if e.link == "log" and score < 700:
        return "prediction", format_number(math.exp(score))
    return None


def _number(value: float, largest: float, *, sign: bool = False) -> str:
    return format_number(float(value), scale=float(largest), sign=sign)
