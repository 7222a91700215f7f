"""The pages of all public objects, from the `__all__` of each public module."""

import importlib
import inspect
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

FOLDER = Path(__file__).parents[1] / "generated"
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

All public names. Names that are not listed here are private, and may change without notice. A name that is
public in two modules is listed under the shorter one.
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


def api_pages() -> dict[str, str]:
    """Give the text of each page by its name: an index, and one for each module.

    An object is listed once, in the first of its modules.
    """
    index, listed, pages = [INTRODUCTION, "", ".. toctree::", "   :hidden:", ""], set(), {}
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
        page = module_name.replace(".", "_")
        lines = [module_name, "=" * len(module_name), "", first, "", f".. currentmodule:: {module_name}"]
        pages[page] = "\n".join([*lines, *listing(module_name, names)]) + "\n"
        index.append(f"   {page}")
    summaries = ["", ".. list-table::", "   :header-rows: 1", "   :class: wrap", "", "   * - module"]
    summaries += ["     - what is in it"]
    for page, text in pages.items():
        name, _, _, first, *_ = text.split("\n")
        summaries += [f"   * - :doc:`{name} <{page}>`", f"     - {first}"]
    return {"api": "\n".join(index + summaries) + "\n", **pages}


def write_api_page() -> None:
    """Write the pages, if they are not so already."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    pages = api_pages()
    for name, text in pages.items():
        path = FOLDER / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in FOLDER.glob("skrationale*.rst"):
        if path.stem not in pages:
            path.unlink()


def example_first(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Put the examples of a class or function right below its summary."""
    mark = ".. rubric:: Examples"
    if what not in ("class", "function", "exception") or mark not in lines:
        return
    start = lines.index(mark)
    ends = (i for i in range(start + 1, len(lines)) if lines[i].startswith(".. rubric::"))
    stop = next(ends, len(lines))
    example = lines[start:stop]
    del lines[start:stop]
    below = next((i for i, line in enumerate(lines) if not line.strip() and any(lines[:i])), len(lines))
    lines[below:below] = ["", *example, ""]


def drop_citations(app: Sphinx, doctree: nodes.document) -> None:
    """Remove citations from the summaries on the page; they stand in the full texts."""
    if not app.env.docname.startswith("generated/skrationale"):
        return
    for citation in list(doctree.findall(pending_xref)):
        if citation.get("refdomain") == "citation":
            before = citation.parent[citation.parent.index(citation) - 1]
            citation.parent.replace(before, nodes.Text(before.astext().rstrip()))
            citation.parent.remove(citation)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what tidies the pages."""
    app.connect("doctree-read", drop_citations)
    app.connect("autodoc-process-docstring", example_first, priority=900)  # after numpydoc
    return {"parallel_read_safe": True, "parallel_write_safe": True}
