"""An explanation as static HTML: a card for notebooks and a page that stands alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..writing import (
    Bar,
    Folded,
    Name,
    Note,
    Part,
    Table,
    Titled,
    count_of,
    document,
    format_cell,
    format_column,
    format_number,
    format_probability,
    format_share,
    joined,
    render,
    sentence,
    shorten,
)
from .dependence_html import dependences
from .labels import label_text
from .wording import cells, others, prediction_of, quantity, rank, strength

if TYPE_CHECKING:
    from ._explanation import Explanation

MAX_FEATURES, MAX_OUTPUTS, MAX_MULTIPLES = 10, 10, 8
TEMPLATES = "explanation/templates"


def card(explanation: Explanation) -> str:
    """Return what a notebook shows: one row in full, or the features that matter over all rows."""
    body = one_row(explanation) if len(explanation) == 1 else over_rows(explanation)
    return document(f"{TEMPLATES}/card.html", heading=_heading(explanation), shown=body)


def page(explanation: Explanation, title: str | None, max_rows: int, interactive: bool) -> str:
    """Return a complete document: the features that matter, then rows one by one."""
    if not isinstance(title, str | None):
        raise TypeError(f"title must be a str or None. Got {title!r} instead.")
    if not isinstance(max_rows, int | np.integer) or isinstance(max_rows, bool) or max_rows < 0:
        raise ValueError(f"max_rows must be an integer of at least 0. Got {max_rows!r} instead.")
    if not isinstance(interactive, bool):
        raise TypeError(f"interactive must be a bool. Got {interactive!r} instead.")
    shown = min(len(explanation), max_rows)
    each = [explanation[i] for i in range(shown)]
    return document(
        f"{TEMPLATES}/page.html",
        interactive=interactive,
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


def over_rows(e: Explanation) -> Any:
    """Return the table of mean |value|, summed over outputs, and of several outputs a bar for each."""
    if not len(e):
        return Note("No rows.")
    strengths = strength(e)
    shown, rest = rank(strengths, MAX_FEATURES)
    summed = f", summed over {e.n_outputs} outputs" if e.n_outputs > 1 else ""
    caption = sentence(quantity(e, mean=True) + summed)
    parts = [_strengths(e, strengths, shown, rest, caption)]
    if len(rest):
        every = np.append(shown, rest)
        whole = _strengths(e, strengths, every, rest[:0], caption)
        parts.append(Folded(f"Show all {len(every)} features", whole, is_open=False, is_printed=False))
    if 1 < e.n_outputs <= MAX_MULTIPLES:
        parts.append(Folded("Each output by itself", _multiples(e, shown), is_open=True))
    return joined(parts)


def _strengths(
    e: Explanation, strengths: np.ndarray, shown: np.ndarray, rest: np.ndarray, caption: str
) -> Part:
    """Return a line for each feature that is shown, and one for the rest."""
    chosen = None if e.mask is None else e.mask.sum(axis=0) / max(len(e), 1)
    largest = strengths.max()
    total = float(strengths[rest].sum())
    texts = format_column([*strengths[shown], *([total] if len(rest) else [])])
    lines: list[list[Any]] = []
    for j, text in zip(shown, texts, strict=False):
        used = [] if chosen is None else [format_share(chosen[j])]
        lines.append([_name(e, j), Bar(strengths[j], largest), _exact(text, strengths[j]), *used])
    if len(rest):
        lines.append([others(len(rest)), "", texts[-1], *([] if chosen is None else [""])])
    mean = Titled("mean |value|", f"{sentence(quantity(e, mean=True))}, over {count_of(len(e), 'row')}")
    used_in = (
        [] if chosen is None else [Titled("used in", "Share of the rows whose prediction uses the column")]
    )
    head = ["feature", "", mean, *used_in]
    rests = [len(lines) - 1] if len(rest) else []
    return Table(caption, head, ["", "skr-b", "skr-n", "skr-u"][: len(head)], lines, rests=rests)


def _multiples(e: Explanation, shown: np.ndarray) -> Any:
    """Return small bars of one length for each output side by side."""
    sizes = e.mean_abs()[shown]
    largest = float(np.nanmax(sizes, initial=0.0))
    lines = [
        [_name(e, j), *(Bar(size, largest, title=format_number(size, scale=largest)) for size in row)]
        for j, row in zip(shown, sizes, strict=True)
    ]
    head = ["feature", *(Name(name, 40) for name in e.output_names)]
    caption = sentence(quantity(e, mean=True)) + ", by output"
    table = Table(caption, head, ["", *["skr-share"] * e.n_outputs], lines)
    return render(f"{TEMPLATES}/wide.html", table=table)


def one_row(e: Explanation) -> Any:
    """Return how one row came to its scores; of several outputs the highest is unfolded."""
    if e.kind == "rationale":
        return _chosen(e)
    if e.n_outputs == 1:
        return _waterfall(e, _prediction(e, 0))
    order = np.argsort(-e.scores()[0], kind="stable")
    parts: list[Part] = []
    for place, j in enumerate(order[:MAX_OUTPUTS]):
        summary = f"{shorten(e.output_names[j], 60)}: {_result(e, j)}"
        parts.append(Folded(summary, _waterfall(e.for_output(int(j)), _prediction(e, j)), is_open=place == 0))
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
    order = used[np.argsort(-weights[used], kind="stable")]
    lines = [
        [_name(e, j), *_cell(e, j), Bar(weights[j], largest), _exact(text, weights[j])]
        for j, text in zip(order, format_column(weights[order]), strict=True)
    ]
    head, classes = _columns(e, "weight")
    return Table(f"The prediction uses {len(used)} of {total} and no other", head, classes, lines)


def _waterfall(e: Explanation, prediction: tuple[str, str] | None) -> Table:
    """Return the table from base to score of one row and one output, and what the score stands for."""
    values, base, score = e.values[0], float(e.base_values[0]), float(e.scores()[0])
    sizes = np.nan_to_num(np.abs(values))
    shown, rest = rank(sizes, MAX_FEATURES)
    left_out = float(values[rest].sum())
    steps = [float(values[j]) for j in shown] + ([left_out] if len(rest) else [])
    largest = max(np.nan_to_num(np.abs(steps)).max(), 0.0)
    blank = [""] * (len(_cell(e, 0)) + 1)
    # one column, so one number of decimals; only steps have signs
    plain, signed = format_column([base, score, *steps]), format_column([*steps, base, score], sign=True)

    def line(name: Any, cell: list[Any], value: float, text: str) -> list[Any]:
        return [name, *cell, Bar(value, largest, two_sided=True), _exact(text, value)]

    lines: list[list[Any]] = [["base value", *blank, _exact(plain[0], base)]]
    lines += [line(_name(e, j), _cell(e, j), values[j], text) for j, text in zip(shown, signed, strict=False)]
    if len(rest):
        hidden = _hidden(e, rest[np.argsort(-sizes[rest], kind="stable")])
        lines.append(line(hidden, blank[1:], left_out, signed[len(shown)]))
    lines.append(["score", *blank, _exact(plain[1], score)])
    sums = [0, len(lines) - 1]
    if prediction is not None:
        lines.append([prediction[0], *blank, prediction[1]])
        sums.append(len(lines) - 1)
    head, classes = _columns(e, "contribution")
    rests = [len(shown) + 1] if len(rest) else []
    return Table(sentence(quantity(e)), head, classes, lines, sums, rests)


def _hidden(e: Explanation, rest: np.ndarray) -> Any:
    """Return the name of what is shown as one line, which a click unfolds."""
    texts = format_column(e.values[0][rest], sign=True)
    named = [f"{shorten(e.feature_names[j], 40)} {text}" for j, text in zip(rest, texts, strict=True)]
    return Folded(others(len(rest)), ", ".join(named), is_open=False, is_printed=False)


def _columns(e: Explanation, last: str) -> tuple[list[str], list[str]]:
    """Return heads and classes of a table of one row, with a column for the cells where they are known."""
    if cells(e) is None:
        return ["feature", "", last], ["", "skr-b", "skr-n"]
    return ["feature", "value", "", last], ["", "", "skr-b", "skr-n"]


def _name(e: Explanation, j: int) -> Name:
    return Name(e.feature_names[j], 80)


def _exact(text: str, value: float) -> Any:
    """Return a number that tells all of its digits, where it has more than are shown."""
    exact = f"{value:.10g}".replace("-", "−")
    return text if text.lstrip("+").replace(",", "") == exact else Titled(text, exact)


def _cell(e: Explanation, j: int) -> list[Any]:
    typed = cells(e)
    return [] if typed is None else [Name(format_cell(typed[0, j]), 80)]


def _result(e: Explanation, output: int) -> str:
    """Return the score of the first row and what it stands for."""
    score = format_number(float(np.atleast_1d(e.scores()[0])[output]), scale=1.0)
    prediction = _prediction(e, output)
    return f"score {score}" + (f" ({prediction[0]} {prediction[1]})" if prediction else "")


def _prediction(e: Explanation, output: int) -> tuple[str, str] | None:
    """Return name and value of what the score of the first row stands for, if it is not itself."""
    found = prediction_of(e, output)
    if found is None:
        return None
    name, value = found
    return name, format_probability(value) if name == "probability" else format_number(value)
