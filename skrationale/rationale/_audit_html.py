"""The checks of an audit in groups, each with a mark that says whether it passed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..writing import Check, check_tables, document, render

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


def card(report: RationaleAudit, checks: Sequence[Check]) -> str:
    """Return what a notebook shows of an audit."""
    return document(
        "rationale/templates/audit_card.html", verdict=verdict(report), tables=check_tables(GROUPS, checks)
    )


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
