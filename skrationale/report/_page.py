"""The document: heading, comparison, and one section a member."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..explanation.html import _text
from ..writing import CARD_CSS, PAGE_CSS, count_of, format_cell, format_number, shorten, visible
from ._css import REPORT_CSS
from ._measures import Measured
from ._rows import Rows, distinct
from ._sections import section
from ._summary_html import examples as example_table
from ._summary_html import importances, shown, summary

MAX_CLASSES = 10


def page(
    found: list[Measured],
    rows: Rows,
    chosen: dict[int, str],
    shares: Any,
    *,
    title: str | None,
    audit: bool,
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

    Returns
    -------
    str
        HTML.
    """
    name = _text("Comparison of estimators" if title is None else title)
    links = "".join(f'<a href="#m{i}">{shown(one.member.name)}</a>' for i, one in enumerate(found))
    sections = "".join(
        f'<section id="m{i}"><h2>{shown(one.member.name, 120)}</h2>'
        f"{section(one, rows, chosen, audit=audit)}</section>\n"
        for i, one in enumerate(found)
    )
    return visible(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>{PAGE_CSS}{CARD_CSS}{REPORT_CSS}</style>\n</head>\n"
        f'<body>\n<main class="skr skr-report">\n<h1>{name}</h1>\n{heading(found, rows)}\n'
        f"<nav>{links}</nav>\n"
        f'<section class="skr-first"><h2>Summary</h2>{summary(found, rows, links=True)}</section>\n'
        f"<section><h2>Which columns matter</h2>{importances(shares)}\n"
        f"<h3>Rows that are shown below</h3>{example_table(found, rows, chosen)}</section>\n"
        f"{sections}</main>\n</body>\n</html>\n"
    )


def card(found: list[Measured], rows: Rows) -> str:
    """Return what a notebook shows: the summary."""
    return visible(
        f'<div class="skr skr-report"><style>{CARD_CSS}{REPORT_CSS}</style>'
        f"{heading(found, rows)}{summary(found, rows, links=False)}</div>"
    )


def heading(found: list[Measured], rows: Rows) -> str:
    """Say how many there are of what."""
    given = sum(one.member.given for one in found)
    teachers = len(found) - given
    who = count_of(given, "estimator") + (f" and {count_of(teachers, 'teacher')}" if teachers else "")
    if len(rows) == rows.n_given:
        where = f"all {count_of(len(rows), 'row')} given" if len(rows) > 1 else "the one row given"
    else:
        where = f"{len(rows):,} of {rows.n_given:,} rows, drawn at random (seed {rows.seed})"
    columns = count_of(len(rows.names), "column")
    return f"<p>{who} on the same rows: {where}, {columns}. {_target(found, rows)}</p>"


def _target(found: list[Measured], rows: Rows) -> str:
    if found[0].member.classifies:
        counts = Counter(rows.y.tolist())
        labels = sorted(distinct(rows.y), key=lambda label: -counts[label])
        each = [
            f"{shorten(format_cell(label), 40)} {counts[label] / len(rows):.0%}"
            for label in labels[:MAX_CLASSES]
        ]
        left = len(counts) - MAX_CLASSES
        return _text(f"y: {', '.join(each)}{f', and {left} other labels' if left > 0 else ''}.")
    y = rows.y.astype(float)
    low, high, mean, spread = (format_number(float(v)) for v in (y.min(), y.max(), y.mean(), y.std()))
    return f"y: from {low} to {high}, mean {mean}, standard deviation {spread}."
