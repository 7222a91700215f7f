"""An explanation as static HTML: a card for notebooks and a page that stands alone.

Every string of the user goes through `_text`; numbers go through `format_number`.
"""

import html
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..writing import CARD_CSS, PAGE_CSS, count_of, format_cell, format_number, sentence, shorten, visible
from .labels import label_text
from .wording import cells, others, quantity, rank

if TYPE_CHECKING:
    from ._explanation import Explanation

MAX_FEATURES, MAX_OUTPUTS = 10, 10


def card(explanation: "Explanation") -> str:
    """Return what a notebook shows: one row in full, or the features that matter over all rows."""
    body = _one_row(explanation) if len(explanation) == 1 else _over_rows(explanation)
    return visible(f'<div class="skr"><style>{CARD_CSS}</style>{_heading(explanation)}{body}</div>')


def page(explanation: "Explanation", title: str | None, max_rows: int) -> str:
    """Return a complete document: the features that matter, then rows one by one."""
    if not isinstance(title, str | None):
        raise TypeError(f"title must be a str or None. Got {title!r} instead.")
    if not isinstance(max_rows, int | np.integer) or isinstance(max_rows, bool) or max_rows < 0:
        raise ValueError(f"max_rows must be an integer of at least 0. Got {max_rows!r} instead.")
    title = _text("Explanation" if title is None else title)
    shown = min(len(explanation), max_rows)
    each = [explanation[i] for i in range(shown)]
    rows = "".join(
        _folded(f"{row_name(row)}: {_row_summary(row)}", _one_row(row), is_open=i == 0)
        for i, row in enumerate(each)
    )
    count = f"<p>{shown:,} of {count_of(len(explanation), 'row')}.</p>"
    examples = f"<h2>Rows, one by one</h2>\n{count}\n{rows}" if shown else ""
    return visible(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{PAGE_CSS}{CARD_CSS}</style>\n</head>\n"
        f'<body>\n<main class="skr">\n<h1>{title}</h1>\n{_heading(explanation)}\n'
        f"<h2>Over all rows</h2>\n{_over_rows(explanation)}\n{examples}\n</main>\n</body>\n</html>\n"
    )


def row_name(e: "Explanation", i: int = 0) -> str:
    """Return how row i is called in the user's table, as HTML.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> row_name(Explanation([[1.0], [2.0]], 0.0)[1]), row_name(Explanation([[1.0]], 0.0, index=["<b>"]))
    ('Row 1', 'Row &lt;b&gt;')
    """
    return f"Row {_text(label_text(e.index, i))}"


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def _heading(e: "Explanation") -> str:
    names = [shorten(name, 40) for name in e.output_names[:MAX_OUTPUTS]]
    outputs = _text(", ".join(names)) + (", …" if e.n_outputs > MAX_OUTPUTS else "")
    sizes = {"row": len(e), "feature": len(e.feature_names), "output": e.n_outputs}
    counts = ", ".join(count_of(size, word) for word, size in sizes.items())
    if len(e) == 1 and e.index is not None:
        counts = f"{row_name(e)}; {counts}"
    formula = f"<code>{_text(e.formula)}</code>" if e.formula else ""
    return f"<p><b>Explanation</b> ({e.kind}): {counts} ({outputs}); link: {e.link}.</p>{formula}"


def _over_rows(e: "Explanation") -> str:
    """Return the table of mean |value|, summed over outputs."""
    if not len(e):
        return '<p class="skr-note">No rows.</p>'
    strength = e.mean_abs().reshape(len(e.feature_names), -1).sum(axis=1)
    chosen = None if e.mask is None else e.mask.sum(axis=0) / max(len(e), 1)
    shown, rest = rank(strength, MAX_FEATURES)
    largest = strength.max()
    rows = []
    for j in shown:
        used = [] if chosen is None else [f"{chosen[j]:.0%}"]
        rows.append([_name(e, j), _bar(strength[j], largest), _number(strength[j], largest), *used])
    if len(rest):
        total = strength[rest].sum()
        rows.append([others(len(rest)), "", _number(total, largest), *([] if chosen is None else [""])])
    head = ["feature", "", "mean |value|"] + ([] if chosen is None else ["used in"])
    summed = f", summed over {e.n_outputs} outputs" if e.n_outputs > 1 else ""
    caption = sentence(quantity(e, mean=True) + summed)
    return _table(caption, head, ["", "skr-b", "skr-n", "skr-u"], rows)


def _one_row(e: "Explanation") -> str:
    """Return how one row came to its scores; of several outputs the highest is unfolded."""
    if e.kind == "rationale":
        return _chosen(e)
    if e.n_outputs == 1:
        return _waterfall(e)
    order = np.argsort(-e.scores()[0], kind="stable")
    parts = []
    for place, j in enumerate(order[:MAX_OUTPUTS]):
        summary = f"{_text(shorten(e.output_names[j], 60))}: {_result(e, j)}"
        parts.append(_folded(summary, _waterfall(e.for_output(int(j))), is_open=place == 0))
    if e.n_outputs > MAX_OUTPUTS:
        left = count_of(e.n_outputs - MAX_OUTPUTS, "other output")
        parts.append(f'<p class="skr-note">{left} not shown.</p>')
    return "".join(parts)


def _row_summary(e: "Explanation") -> str:
    if e.kind == "rationale":
        return f"{e.mask.sum()} of {count_of(len(e.feature_names), 'feature')} used"  # type: ignore[union-attr]
    if e.n_outputs == 1:
        return _result(e, 0)
    best = int(np.argsort(-e.scores()[0], kind="stable")[0])
    return f"{_text(shorten(e.output_names[best], 60))}, {_result(e, best)}"


def _folded(summary: str, body: str, *, is_open: bool) -> str:
    return f"<details{' open' if is_open else ''}><summary>{summary}</summary>{body}</details>\n"


def _chosen(e: "Explanation") -> str:
    """Return the cells that the prediction of one row was made from."""
    used = np.flatnonzero(e.mask[0])  # type: ignore[index]
    total = count_of(len(e.feature_names), "feature")
    if not len(used):
        return f'<p class="skr-note">The prediction uses none of {total}.</p>'
    weights = np.abs(e.values[0].reshape(len(e.feature_names), -1)).sum(axis=1)
    largest = np.nan_to_num(weights[used]).max(initial=0.0)
    rows = [
        [_name(e, j), *_cell(e, j), _bar(weights[j], largest), _number(weights[j], largest)]
        for j in used[np.argsort(-weights[used], kind="stable")]
    ]
    head, classes = _columns(e, "weight")
    caption = f"The prediction uses {len(used)} of {total} and no other"
    return _table(caption, head, classes, rows)


def _waterfall(e: "Explanation") -> str:
    """Return the table from base to score of one row and one output."""
    values = e.values[0]
    strength = np.nan_to_num(np.abs(values))
    shown, rest = rank(strength, MAX_FEATURES)
    left_out = float(values[rest].sum())
    largest = max(strength.max(), abs(left_out) if np.isfinite(left_out) else 0.0)
    blank = [""] * (len(_cell(e, 0)) + 1)

    def line(name: str, cell: list[str], value: float) -> list[str]:
        return [name, *cell, _bar(value, largest, two_sided=True), _number(value, largest, sign=True)]

    rows = [["base value", *blank, _number(e.base_values[0], largest)]]
    rows += [line(_name(e, j), _cell(e, j), values[j]) for j in shown]
    if len(rest):
        rows.append(line(others(len(rest)), blank[1:], left_out))
    score = float(e.scores()[0])
    rows.append(["score", *blank, _number(score, largest)])
    sums = [0, len(rows) - 1]
    prediction = _prediction(e, 0)
    if prediction is not None:
        rows.append([prediction[0], *blank, prediction[1]])
        sums.append(len(rows) - 1)
    head, classes = _columns(e, "contribution")
    return _table(sentence(quantity(e)), head, classes, rows, sums)


def _columns(e: "Explanation", last: str) -> tuple[list[str], list[str]]:
    """Return heads and classes of a table of one row, with a column for the cells where they are known."""
    if cells(e) is None:
        return ["feature", "", last], ["", "skr-b", "skr-n"]
    return ["feature", "value", "", last], ["", "", "skr-b", "skr-n"]


def _name(e: "Explanation", j: int) -> str:
    return _text(shorten(e.feature_names[j], 80))


def _cell(e: "Explanation", j: int) -> list[str]:
    typed = cells(e)
    return [] if typed is None else [_text(shorten(format_cell(typed[0, j]), 80))]


def _result(e: "Explanation", output: int) -> str:
    """Return the score of the first row and what it stands for."""
    score = format_number(float(np.atleast_1d(e.scores()[0])[output]), scale=1.0)
    prediction = _prediction(e, output)
    return f"score {score}" + (f" ({prediction[0]} {prediction[1]})" if prediction else "")


def _prediction(e: "Explanation", output: int) -> tuple[str, str] | None:
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


def _bar(value: float, largest: float, *, two_sided: bool = False) -> str:
    """Return a bar from the left, or from the middle where values have both signs."""
    part = abs(value) / largest if largest > 0 and math.isfinite(value) else 0.0
    width = part * (50 if two_sided else 100)
    left = (50 - width if value < 0 else 50) if two_sided else 0
    sides = " skr-two" if two_sided else ""
    sign = "skr-neg" if value < 0 else "skr-pos"
    colour = sign if two_sided else "skr-size"
    style = f"left:{left:.1f}%;width:{width:.1f}%"
    return f'<div class="skr-bar{sides}" aria-hidden="true"><i class="{colour}" style="{style}"></i></div>'


def _table(
    caption: str,
    head: Sequence[str],
    classes: Sequence[str],
    rows: Sequence[Sequence[str]],
    sums: Sequence[int] = (),
) -> str:
    """Return a table; `rows` hold HTML, `caption` and `head` text."""
    classes = [f' class="{name}"' if name else "" for name in classes]
    top = "".join(f'<th scope="col"{c}>{_text(h)}</th>' for h, c in zip(head, classes, strict=False))
    lines = []
    for i, (name, *rest) in enumerate(rows):
        cells_ = "".join(f"<td{c}>{cell}</td>" for cell, c in zip(rest, classes[1:], strict=False))
        bold = ' class="skr-sum"' if i in sums else ""
        lines.append(f'<tr{bold}><th scope="row">{name}</th>{cells_}</tr>')
    return (
        f"<table><caption>{_text(caption)}</caption><thead><tr>{top}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table>"
    )
