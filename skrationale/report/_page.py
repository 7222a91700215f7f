"""The document: heading, comparison, and one section a member."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..writing import count_of, document, format_cell, format_number, format_share, shorten
from ._css import REPORT_CSS
from ._in_short import in_short
from ._measures import Measured
from ._rows import Rows, distinct
from ._sections import section
from ._summary_html import TEMPLATES, importances, summary
from ._summary_html import examples as example_table

MAX_CLASSES = 10


def page(
    found: list[Measured],
    rows: Rows,
    chosen: dict[int, str],
    shares: Any,
    *,
    title: str | None,
    audit: bool,
    interactive: bool,
) -> str:
    """Return a complete document that stands alone.

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
    title : str or None
        Title of the page.
    audit : bool
        Whether rationales are audited.
    interactive : bool
        Whether the page holds a script that sorts and filters.

    Returns
    -------
    str
        HTML.
    """
    names = [shorten(one.member.name, 120) for one in found]
    # sections first: what fails in them is noted for the summary too
    sections = [section(one, rows, chosen, audit=audit) for one in found]
    return document(
        f"{TEMPLATES}/page.html",
        css=REPORT_CSS,
        interactive=interactive,
        title="Comparison of estimators" if title is None else title,
        heading=heading(found, rows),
        links=[shorten(one.member.name, 60) for one in found],
        in_short=in_short(found, rows, chosen, shares, audit=audit),
        summary=summary(found, rows, links=True),
        importances=importances(shares),
        examples=example_table(found, rows, chosen),
        sections=list(zip(names, sections, strict=True)),
    )


def card(found: list[Measured], rows: Rows) -> str:
    """Return what a notebook shows: the summary."""
    return document(
        f"{TEMPLATES}/card.html",
        css=REPORT_CSS,
        heading=heading(found, rows),
        summary=summary(found, rows, links=False),
    )


def heading(found: list[Measured], rows: Rows) -> str:
    """Say how many there are of what."""
    given = sum(one.member.given for one in found)
    teachers = len(found) - given
    who = count_of(given, "estimator") + (f" and {count_of(teachers, 'teacher')}" if teachers else "")
    if len(rows) == rows.n_total:
        where = f"all {count_of(len(rows), 'row')} given" if len(rows) > 1 else "the one row given"
    else:
        where = f"{len(rows):,} of {rows.n_total:,} rows, drawn at random (seed {rows.seed})"
    columns = count_of(len(rows.names), "column")
    return f"{who} on the same rows: {where}, {columns}. {_target(found, rows)}"


def _target(found: list[Measured], rows: Rows) -> str:
    if found[0].member.classifies:
        counts = Counter(rows.y.tolist())
        labels = sorted(distinct(rows.y), key=lambda label: -counts[label])
        each = [
            f"{shorten(format_cell(label), 40)} {format_share(counts[label] / len(rows))}"
            for label in labels[:MAX_CLASSES]
        ]
        left = len(counts) - MAX_CLASSES
        more = f", and {count_of(left, 'other label')}" if left > 0 else ""
        return f"y: {', '.join(each)}{more}."
    y = rows.y.astype(float)
    low, high, mean, spread = (format_number(float(v)) for v in (y.min(), y.max(), y.mean(), y.std()))
    return f"y: from {low} to {high}, mean {mean}, standard deviation {spread}."
