"""Descriptions of attributes as text and as static HTML."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..explanation.labels import label_text
from ..writing import (
    Bar,
    Name,
    Note,
    Table,
    count_of,
    decimals,
    document,
    format_cell,
    format_column,
    format_number,
    format_share,
    join_names,
    render,
    shorten,
)
from ._rules import Rule

if TYPE_CHECKING:
    from ._describe import AttributeDescription

TEMPLATES = "flint/templates"
HEAD = ["attribute", "used in", "speaks", "rule for its largest values", "R2"]
MAX_OUTPUTS, MAX_SHOWN_COLUMNS, MAX_OPEN = 10, 5, 3
CSS = """
.skr .skr-rule {margin: .5em 0; padding: .4em .6em; overflow-wrap: anywhere;
  background: rgba(128, 128, 128, .14)}
.skr details.skr-one {margin: 1em 0 0; padding: .5em 0 0; border-top: 2px solid rgba(128, 128, 128, .28)}
.skr .skr-rows {overflow-x: auto}
.skr .skr-rows table {table-layout: auto}
.skr .skr-rows .skr-n {width: auto}
.skr .skr-rows th, .skr .skr-rows td {overflow-wrap: break-word}
.skr .skr-wide {width: 42%}
"""


def split(descriptions: Iterable[AttributeDescription]) -> tuple[list[AttributeDescription], list[str]]:
    """Part the attributes that are relevant in some row, most often first, from remarks about the others."""
    every = list(descriptions)
    used = sorted((d for d in every if d.active and d.relevant_share), key=lambda d: -d.relevant_share)
    unused = [d.name for d in every if d.active and not d.relevant_share]
    dead = [d.name for d in every if not d.active]
    remarks = []
    if unused:
        remarks.append(f"Relevant in no row: {join_names(unused, 30)}.")
    if dead:
        remarks.append(f"Dead (almost constant over the rows): {join_names(dead, 30)}.")
    return used, remarks


def summary(d: AttributeDescription) -> str:
    """Say what an attribute speaks for and how often, without its name."""
    if not d.active:
        return "dead: it is almost constant over the rows"
    words = ("speaks for", "against" if d.speaks_for else "speaks against")
    if len(d.weights) == 1:
        words = ("raises the score of", "lowers the score of")
    found = zip(words, (d.speaks_for, d.speaks_against), strict=True)
    sides = [f"{word} {join_names(names)}" for word, names in found if names]
    used = f"used in {format_share(d.relevant_share)} of rows" if d.relevant_share else "relevant in no row"
    return f"{', '.join(sides) or 'has no weight'}; {used}"


def lines(d: AttributeDescription) -> str:
    """Describe an attribute in a few lines of text."""
    text = [f"{shorten(d.name, 60)}: {summary(d)}."]
    if d.rule is not None:
        low, middle, high = _values(d)
        text.append(f"Values: {low} (10% quantile), {middle} (median), {high} (90% quantile).")
        if len(d.columns):
            top = d.columns.head(5).itertuples(index=False)
            named = ", ".join(f"{shorten(name, 40)} {size:.2f}" for name, size, _ in top)
            text.append(f"Columns, with importance: {named}.")
        text.append(_rule(d.rule))
    return "\n  ".join(text)


def text_table(descriptions: Iterable[AttributeDescription]) -> str:
    """Return a table of the attributes in use, and remarks about the others."""
    used, remarks = split(descriptions)
    rows = [HEAD, *([shorten(cell, 100) for cell in row] for row in _cells(used))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows] if used else []
    return "\n".join(table + remarks) or "no attributes"


def cards(descriptions: Iterable[AttributeDescription]) -> str:
    """Return what a notebook shows: one attribute in full, or an overview and folded attributes."""
    return document(f"{TEMPLATES}/card.html", css=CSS, **_body(list(descriptions)))


def page(descriptions: Iterable[AttributeDescription], title: str) -> str:
    """Return a complete document."""
    if not isinstance(title, str):
        raise TypeError(f"title must be a str or None. Got {title!r} instead.")
    return document(f"{TEMPLATES}/page.html", css=CSS, title=title, **_body(list(descriptions)))


def _body(descriptions: list[AttributeDescription]) -> dict[str, Any]:
    """Give the fields of ``attributes.html``."""
    if len(descriptions) == 1:
        return {"count": "", "overview": None, "notes": [], "attributes": [_attribute(descriptions[0], True)]}
    used, remarks = split(descriptions)
    return {
        "count": f"{len(used)} of {len(descriptions)} attributes are in use.",
        "overview": Table("Most used first", HEAD, ["", "skr-n", "", "skr-wide", "skr-n"], _cells(used)),
        "notes": [Note(remark) for remark in remarks],
        "attributes": [_attribute(d, i < MAX_OPEN) for i, d in enumerate(used)],
    }


def _cells(used: list[AttributeDescription]) -> list[list[str]]:
    """Return one row an attribute, under `HEAD`."""
    rows = []
    for d in used:
        sides = [f"for {join_names(d.speaks_for)}"] if d.speaks_for else []
        sides += [f"against {join_names(d.speaks_against)}"] if d.speaks_against else []
        rule = "no short rule" if d.rule is None or not d.rule.is_short_rule else d.rule.text
        r2 = "" if d.rule is None else decimals(d.rule.r2)
        rows.append([shorten(d.name, 60), format_share(d.relevant_share), ", ".join(sides), rule, r2])
    return rows


def _rule(rule: Rule) -> str:
    return f"Rule: {rule}." if rule.is_short_rule else str(rule)


def _values(d: AttributeDescription) -> list[str]:
    largest = max(abs(value) for value in d.quantiles.values())
    return [format_number(value, scale=largest) for value in d.quantiles.values()]


def _attribute(d: AttributeDescription, is_open: bool) -> Any:
    fields: dict[str, Any] = {"name": shorten(d.name, 80), "summary": summary(d), "is_open": is_open}
    if d.rule is not None:
        low, middle, high = _values(d)
        fields |= {
            "rule": _rule(d.rule),
            "values": f"Its median is {middle}; in 80% of rows it is between {low} and {high}.",
            "weights": _weights(d),
            "columns": _columns(d),
            "rows": [
                _rows(d, d.prototypes, "Rows in which it is largest"),
                _rows(d, d.contrast, "Rows in which it is smallest, for contrast"),
            ],
        }
    return render(f"{TEMPLATES}/attribute.html", has_rule=d.rule is not None, **fields)


def _weights(d: AttributeDescription) -> Table:
    names = sorted(d.weights, key=lambda name: -abs(d.weights[name]))[:MAX_OUTPUTS]
    largest = max((abs(d.weights[name]) for name in names), default=0.0)
    texts = format_column([d.weights[name] for name in names], sign=True)
    lines = [
        [
            Name(name, 60),
            Bar(d.weights[name], largest, two_sided=True),
            text,
            decimals(d.relevance[name]) or "no rows",
        ]
        for name, text in zip(names, texts, strict=True)
    ]
    left = len(d.weights) - len(names)
    caption = "Weights" + (f", the {MAX_OUTPUTS} largest of {len(d.weights)}" if left else "")
    return Table(caption, ["output", "", "weight", "relevance"], ["", "skr-b", "skr-n", "skr-n"], lines)


def _columns(d: AttributeDescription) -> Table | None:
    if not len(d.columns):
        return None
    largest = d.columns["importance"].max()
    lines = [
        [Name(name, 60), Bar(size, largest), decimals(size), decimals(direction, sign=True)]
        for name, size, direction in d.columns.itertuples(index=False)
    ]
    head = ["column", "", "importance", "Spearman"]
    return Table("Columns that it depends on", head, ["", "skr-b", "skr-n", "skr-n"], lines)


def _rows(d: AttributeDescription, frame: Any, caption: str) -> Table | None:
    """Return rows of the user's table, with the columns that matter most."""
    if not len(frame):
        return None
    names = list(frame.columns[2:])
    important = [names.index(name) for name in d.columns["column"][:MAX_SHOWN_COLUMNS]]
    others = [i for i in range(len(names)) if i not in important]
    places = [*important, *others][:MAX_SHOWN_COLUMNS]
    left = len(names) - len(places)
    if left:
        caption += f" ({count_of(left, 'column')} not shown)"
    head = ["row", "value", "output", *(shorten(names[i], 30) for i in places)]
    lines = []
    values = format_column(frame.iloc[:, 0])
    for i, cells in enumerate(frame.itertuples(index=False, name=None)):
        typed = [cells[1], *(cells[2 + i] for i in places)]
        shown = [shorten(format_cell(cell), 40) for cell in typed]
        lines.append([label_text(frame.index, i), values[i], *shown])
    return Table(caption, head, [""] * len(head), lines)
