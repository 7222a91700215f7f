"""The checks of an audit in groups, each with a mark that says whether it passed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..writing import Mark, Table, document, render, shorten

if TYPE_CHECKING:
    from ._audit_report import RationaleAudit

TEMPLATE = "rationale/templates/audit.html"
GROUPS = {
    "leak": "Leak: does the mask reveal more than the cells it shows?",
    "sufficiency": "Sufficiency: do the shown cells support the predictions?",
    "stability": "Stability and size: are the rationales the same after a refit, and small?",
}
"""What the checks of a group ask."""
WORDS = {
    "leak": "leaks",
    "unsupported": "predicts better than its cells support",
    "empty": "is empty",
    "everything": "has all columns",
    "insufficient": "leaves out much",
    "unstable": "is unstable",
    "telling": "has masks that reveal the target",
}
"""What a finding says of the rationale, in a few words."""


class Check(NamedTuple):
    """One line of an audit.

    Parameters
    ----------
    group : str
        One of `GROUPS`.
    name : str
        What was measured.
    value, error : float
        The figure and its standard error, NaN where there is none.
    good : str
        What is good, in words.
    passed : bool or None
        Whether it is; None of figures that are no test, and of what could not be tested.
    share : bool
        Whether the figure is a share, which is written as a percentage.
    """

    group: str
    name: str
    value: float
    error: float
    good: str
    passed: bool | None = None
    share: bool = False


def card(report: RationaleAudit, checks: Sequence[Check]) -> str:
    """Return what a notebook shows of an audit."""
    return document("rationale/templates/audit_card.html", verdict=verdict(report), tables=tables(checks))


def verdict(report: RationaleAudit) -> Any:
    """Return the verdict in the colour and with the sign of what it says."""
    found = set(report.findings)
    wrong = [words for name, words in WORDS.items() if name in found]
    if "untested" in found and not found & {"leak", "unsupported"}:
        kind, sign, short = "unknown", "?", "Hardly tested" if report.has_judge else "Untested"
    elif found & {"leak", "unsupported", "telling"}:
        kind, sign, short = "bad", "✗", "Do not trust these rationales"
    elif wrong:
        kind, sign, short = "unknown", "!", "Honest, with a remark"
    else:
        kind, sign, short = "good", "✓", "Honest"
    if wrong:
        short = f"{short}. The rationale {' and '.join(wrong)}"
    return render(TEMPLATE, kind=kind, sign=sign, short=f"{short}.", verdict=report.verdict)


def tables(checks: Sequence[Check]) -> list[Table]:
    """Return a table for each group."""
    found = []
    for group, caption in GROUPS.items():
        lines = [
            [shorten(one.name, 80), Mark(one.passed), _figure(one), shorten(one.good, 80)]
            for one in checks
            if one.group == group
        ]
        head = ["check", "", "value", "good is"]
        found.append(Table(caption, head, ["", "skr-u", "skr-n skr-pair", "skr-words"], lines))
    return found


def _figure(one: Check) -> str:
    """Return a figure of three decimals with its error, or a percentage."""
    if math.isnan(one.value):
        return "–"
    if one.share:
        return f"{one.value:.1%}"
    text = f"{one.value:.3f}" + ("" if math.isnan(one.error) else f" ± {one.error:.3f}")
    return text.replace("-", "−")
