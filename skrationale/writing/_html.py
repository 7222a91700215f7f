"""HTML by templates: every text is escaped, but for what came out of a template itself.

Templates stand in the folder ``templates`` of each room. They take plain fields: texts, and
parts of a page as below.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from ._css import CARD_CSS, PAGE_CSS
from ._words import shorten, visible

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from markupsafe import Markup

UNBROKEN = 10
"""Characters of a name up to which it is not broken at underscores. Not measured."""
SCRIPT = "writing/templates/interactive.js"
LONGEST = 240
"""Characters of a name that are shown where a pointer rests on it. Not measured."""
PACKAGE = __name__.partition(".")[0]


@cache
def _environment() -> Environment:
    # here, as it would make the import of the package slow
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(PACKAGE, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # or each part would look for changes of its file
    )


@cache
def _template(path: str) -> Template:
    return _environment().get_template(path)


def render(template: str, **values: Any) -> Markup:
    """Fill a template; what it gives is not escaped again.

    Parameters
    ----------
    template : str
        Path inside the package, such as ``"report/templates/page.html"``.
    **values : object
        Its fields: texts, which are escaped, parts of a page, or lists of them.

    Returns
    -------
    Markup
        HTML.

    Examples
    --------
    >>> render("writing/templates/note.html", text="a < b")
    Markup('<p class="skr-note">a &lt; b</p>')
    """
    from markupsafe import Markup

    return Markup(_template(template).render(values))


def joined(parts: Iterable[Any]) -> Markup:
    """Put texts, which are escaped, and parts of a page one after the other.

    Examples
    --------
    >>> joined(["1 < 2", Bold("3")])
    Markup('1 &lt; 2<b>3</b>')
    """
    from markupsafe import Markup

    return Markup("").join(parts)


def document(template: str, *, css: str = "", interactive: bool = False, **values: Any) -> str:
    """Fill the template of a whole page, or of a card that a notebook shows.

    Parameters
    ----------
    template : str
        See `render`; it extends ``writing/templates/page.html`` or ``card.html``.
    css : str, default=""
        Style beside that of all pages; not escaped, so it is none of the user's.
    interactive : bool, default=False
        Whether a page holds the script that sorts and filters tables; it says so.
    **values : object
        Other fields.

    Returns
    -------
    str
        HTML without characters that hide or turn text.
    """
    from markupsafe import Markup

    style: dict[str, Any] = {"page_css": Markup(PAGE_CSS), "card_css": Markup(CARD_CSS + css)}
    style |= {"interactive": interactive, "script": _script() if interactive else ""}
    return visible(str(render(template, **style, **values)))


def notebook_html(thing: Any) -> Markup:
    """Return what a notebook shows of an object that has escaped its texts itself."""
    from markupsafe import Markup

    return Markup(thing._repr_html_())


@cache
def _script() -> Markup:
    """Return the one script that a page may hold, which takes nothing of the user's."""
    from markupsafe import Markup

    source, _, _ = _environment().loader.get_source(_environment(), SCRIPT)  # type: ignore[union-attr]
    return Markup("<script>\n") + Markup(source) + Markup("</script>")


# --- parts of a page ---------------------------------------------------------------------------------


class Part:
    """A part of a page; its fields are those of its template."""

    _template: ClassVar[str]

    def __html__(self) -> str:
        return render(f"writing/templates/{self._template}", **vars(self))


@dataclass(frozen=True)
class Bold(Part):
    """Bold text."""

    _template = "bold.html"
    text: Any


@dataclass(frozen=True)
class Titled(Part):
    """A text, and what a pointer that rests on it is told, such as an exact number or a definition.

    Examples
    --------
    >>> Titled("0.333", "0.33333333").__html__()
    Markup('<span title="0.33333333">0.333</span>')
    """

    _template = "titled.html"
    text: Any
    title: str


@dataclass(frozen=True)
class Name(Part):
    """A name of the user: shortened, longer where a pointer rests on it, and broken at underscores.

    Parameters
    ----------
    text : str
        The name.
    width : int
        Characters that are shown at most.

    Examples
    --------
    >>> Name("mean_radius_of_the_nucleus", 15).__html__()
    Markup('<span title="mean_radius_of_the_nucleus">mean_<wbr>ra…nucleus</span>')
    """

    text: str
    width: int

    def __html__(self) -> str:
        return _name(self.text, self.width)


@lru_cache(maxsize=4096)  # the same names in each row
def _name(text: str, width: int) -> Markup:
    shown = shorten(text, width)
    whole = shorten(text, LONGEST)
    title = "" if shown == whole else whole
    pieces = re.split("(?<=_)", shown) if len(shown) > UNBROKEN else [shown]
    return render("writing/templates/name.html", title=title, pieces=pieces)


@dataclass(frozen=True)
class Note(Part):
    """A remark in small letters."""

    _template = "note.html"
    text: Any


@dataclass(frozen=True)
class Mark(Part):
    """A sign, in a colour, of what passed (True), failed (False), or is no test (None).

    Examples
    --------
    >>> Mark(True).__html__()
    Markup('<span class="skr-is-good" title="passed">✓</span>')
    """

    _template = "mark.html"
    passed: bool | None


@dataclass(frozen=True)
class Folded(Part):
    """A part that a click unfolds. Print shows it too, unless it has details of what is shown already."""

    _template = "folded.html"
    summary: Any
    body: Any
    is_open: bool
    is_printed: bool = True


@dataclass(frozen=True)
class Table(Part):
    """A table; the first cell of a line names it.

    Parameters
    ----------
    caption : str
        What it shows.
    head : sequence of (str or Part)
        Names of the columns.
    classes : sequence of str
        Their style; ``""`` for none.
    lines : sequence of (sequence of (str or Part))
        The cells.
    sums : collection of int
        Lines in bold.
    rests : collection of int
        Pale lines, below a gap, that stand for several others.
    """

    _template = "table.html"
    caption: str
    head: Sequence[Any]
    classes: Sequence[str]
    lines: Sequence[Sequence[Any]]
    sums: Collection[int] = ()
    rests: Collection[int] = ()


@dataclass(frozen=True)
class Bar(Part):
    """A bar from the left, or from the middle where values have both signs.

    Parameters
    ----------
    value : float
        What is shown; nothing of NaN and infinity.
    largest : float
        The size that fills the room.
    two_sided : bool
        Whether it starts in the middle.
    title : str
        What a pointer that rests on it is told.
    """

    value: float
    largest: float
    two_sided: bool = False
    title: str = ""

    def __html__(self) -> str:
        part = abs(self.value) / self.largest if self.largest > 0 and math.isfinite(self.value) else 0.0
        width = part * (50 if self.two_sided else 100)
        left = (50 - width if self.value < 0 else 50) if self.two_sided else 0
        colour = ("skr-neg" if self.value < 0 else "skr-pos") if self.two_sided else "skr-size"
        return _bar(" skr-two" if self.two_sided else "", colour, f"{left:.1f}", f"{width:.1f}", self.title)


@lru_cache(maxsize=4096)  # a page may hold ten thousand bars, of at most about two thousand kinds
def _bar(sides: str, colour: str, left: str, width: str, title: str) -> Markup:
    return render(
        "writing/templates/bar.html", sides=sides, colour=colour, left=left, width=width, title=title
    )
