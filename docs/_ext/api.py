"""The page of all public objects, from the `__all__` of each public module."""

import importlib
import inspect
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

PAGE = Path(__file__).parents[1] / "generated" / "api.rst"
MODULES = (
    "skrationale",
    "skrationale.gbdt2nn",
    "skrationale.formula",
    "skrationale.smooth",
    "skrationale.symbolic",
    "skrationale.rationale",
    "skrationale.flint",
    "skrationale.explanation",
    "skrationale.batches",
    "skrationale.metrics",
    "skrationale.plotting",
    "skrationale.report",
    "skrationale.serving",
    "skrationale.datasets",
)
INTRODUCTION = """\
API reference
=============

All public names. What is not listed here is private, and may change without notice. Names that are public in
two places stand where they are shortest.
"""


def listing(module_name: str, names: list[str]) -> list[str]:
    """Write the table of a module's objects, classes first."""
    module = importlib.import_module(module_name)
    classes = [name for name in names if inspect.isclass(getattr(module, name))]
    others = [name for name in names if name not in classes]
    out = []
    for group, template in ((classes, "class"), (others, "base")):
        if group:
            out += ["", ".. autosummary::", "   :toctree: api", "   :nosignatures:"]
            out += [f"   :template: autosummary/{template}.rst", ""]
            out += [f"   {name}" for name in sorted(group)]
    return out


def api_page() -> str:
    """Write the page; an object is listed once, in the first of its modules."""
    lines, listed = [INTRODUCTION], set()
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        names = [
            name
            for name in module.__all__
            if callable(getattr(module, name)) and id(getattr(module, name)) not in listed
        ]
        listed |= {id(getattr(module, name)) for name in names}
        if not names:
            continue
        first = (inspect.getdoc(module) or "").split("\n")[0]
        lines += ["", module_name, "-" * len(module_name), "", first, "", f".. currentmodule:: {module_name}"]
        lines += listing(module_name, names)
    return "\n".join(lines) + "\n"


def write_api_page() -> None:
    """Write the page, if it is not so already."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    text = api_page()
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        PAGE.write_text(text, encoding="utf-8")


def drop_citations(app: Sphinx, doctree: nodes.document) -> None:
    """Remove citations from the summaries on the page; they stand in the full texts."""
    if app.env.docname != "generated/api":
        return
    for citation in list(doctree.findall(pending_xref)):
        if citation.get("refdomain") == "citation":
            before = citation.parent[citation.parent.index(citation) - 1]
            citation.parent.replace(before, nodes.Text(before.astext().rstrip()))
            citation.parent.remove(citation)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what tidies the page."""
    app.connect("doctree-read", drop_citations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
