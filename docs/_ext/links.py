"""Whether links into built pages lead somewhere: ``python docs/_ext/links.py docs/_build/html README.md``.

Links within the pages are looked up in the folder, files and anchors, and so are those of the README to the
address of the documentation. Addresses of other sites are not opened.
"""

import re
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The anchors of a page, and the addresses that it links to or loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what an element is called, and where it leads."""
        for name, value in attrs:
            if value and name in ("id", "name"):
                self.anchors.add(value)
            elif value and name in ("href", "src") and tag in ("a", "img", "link", "script"):
                self.links.add(value)


def read_pages(folder: Path) -> dict[Path, Page]:
    """Read all pages of a folder."""
    paths = [path for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts]  # templates
    return {path: Page(path.read_text(encoding="utf-8")) for path in paths}


def leads_somewhere(target: Path, fragment: str, pages: dict[Path, Page]) -> bool:
    """Whether a file is there and, if it is a page, has an anchor."""
    anchor = unquote(fragment)
    known = pages[target].anchors if target in pages else {"", anchor}
    return target.is_file() and anchor in known


def broken_links(folder: Path) -> list[str]:
    """List the links within a folder of pages that lead nowhere, as "page: link"."""
    pages = read_pages(folder)
    broken = []
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not leads_somewhere(target, parts.fragment, pages):
                broken.append(f"{path.relative_to(folder)}: {link}")
    return broken


def broken_links_from(text: str, base: str, folder: Path) -> list[str]:
    """List the links of a Markdown text to an address, whose pages a folder holds, that lead nowhere."""
    pages = read_pages(folder)
    links = [link for link in re.findall(r"""https?://[^\s)"'<>]+""", text) if link.startswith(base)]
    broken = []
    for link in links:
        path, _, fragment = link.removeprefix(base).partition("#")
        if not leads_somewhere(folder / unquote(path or "index.html"), fragment, pages):
            broken.append(link)
    return broken


if __name__ == "__main__":
    built, readme = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    project = tomllib.loads((readme.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project["urls"]["Documentation"]
    found = broken_links(built) + broken_links_from(readme.read_text(encoding="utf-8"), address, built)
    print(*found, f"{len(found)} links lead nowhere", sep="\n")
    sys.exit(bool(found))
