"""Formulas as MathML, which browsers draw by themselves: no script and no address outside."""

from html import escape
from typing import Any

from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator


def _mathml(latex: str, display: str) -> str:
    try:
        return convert(latex, display=display)
    except Exception as error:
        raise ExtensionError(f"The formula {latex!r} is not understood: {error!r}") from error


def _inline(self: HTML5Translator, node: Any) -> None:
    self.body.append(_mathml(node.astext(), "inline"))
    raise SkipNode


def _block(self: HTML5Translator, node: Any) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math equation"))
    self.body.append(_mathml(" ".join(node.astext().split()), "block"))
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({escape(str(number))})</span>')
    self.body.append("</div>")
    raise SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer under the name that `html_math_renderer` gives."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
