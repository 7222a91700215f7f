"""What all displays share on the side of matplotlib: axes, words, colours."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ..writing import need_matplotlib, plain, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# After Okabe and Ito, told apart under the common kinds of colour blindness. Each has a contrast of 3 with
# white and with black; `colour_of` takes the ink of the style for the last one.
OUTPUTS = ("#0072b2", "#d57200", "#009e73", "#cc79a7", "#3a93d6", "#b8402a", "#8c7a00", "#222222")
OTHERS = "#8f8f8f"
LABEL_WIDTH = 34
NAME_WIDTH = 48
DIGIT = 6.2
"""Mean width of a digit at a tick, in points. Not measured."""
WRAP = 56
"""Characters of a line below axes. Not measured."""
GAP = 0.35
"""Room above the line that stands for several others, in lines. Not measured."""
TEXT_CONTRAST = 4.5
"""Least contrast of texts with what is behind them, as the Web Content Accessibility Guidelines ask for."""
MAX_POINTS = 20_000
"""More points than these are drawn in part, and as pixels from half of it."""
LEGEND_ABOVE: dict[str, Any] = {
    "loc": "lower right",
    "bbox_to_anchor": (1, 1),
    "borderaxespad": 0,
    "frameon": False,
    "fontsize": "small",
}


def axes_for(ax: "Axes | None", n_lines: int) -> "Axes":
    """Return `ax`, or that of a new figure with room for so many lines."""
    plt = need_matplotlib()
    if ax is not None:
        return ax
    return plt.subplots(figsize=(7.2, 1.3 + 0.36 * n_lines), layout="constrained")[1]


def plain_axes(ax: "Axes | None") -> "Axes":
    """Return `ax`, or that of a new figure for numbers against numbers."""
    plt = need_matplotlib()
    return plt.subplots(figsize=(7.2, 4.4), layout="constrained")[1] if ax is None else ax


def is_one_axes(ax: Any) -> bool:
    """Whether `ax` is an Axes of matplotlib, not a sequence of them."""
    need_matplotlib()
    from matplotlib.axes import Axes

    return isinstance(ax, Axes)


def label(text: str, width: int = LABEL_WIDTH) -> str:
    """Return one short line in which a dollar sign is a dollar sign, not mathematics."""
    return plain(shorten(text, width))


def entry(text: str, width: int = LABEL_WIDTH) -> str:
    """Return the label of a legend's entry; matplotlib leaves out those that begin with an underscore."""
    text = label(text, width)
    return f" {text}" if text.startswith("_") else text


def paper() -> str:
    """Return the colour behind what is drawn, by the style of matplotlib that is in use."""
    from matplotlib import rcParams
    from matplotlib.colors import to_hex, to_rgba

    found = np.ones(3)
    for name in ("figure.facecolor", "axes.facecolor"):  # either may let the one below shine through
        *colour, alpha = to_rgba(rcParams[name])
        found = alpha * np.array(colour) + (1 - alpha) * found
    return str(to_hex(tuple(found)))  # type: ignore[arg-type]


def shade(part: float) -> str:
    """Return a colour between that of the paper, 0, and that of texts, 1, by the style in use."""
    from matplotlib import rcParams
    from matplotlib.colors import to_hex, to_rgb

    behind, ink = np.array(to_rgb(paper())), np.array(to_rgb(rcParams["text.color"]))
    return str(to_hex(tuple((1 - part) * behind + part * ink)))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21, as the Web Content Accessibility Guidelines count it.

    Examples
    --------
    >>> contrast("#ffffff", "#000000")
    21.0
    """
    from matplotlib.colors import to_rgb

    both = []
    for colour in (one, other):
        parts = np.array(to_rgb(colour))
        linear = np.where(parts > 0.04045, ((parts + 0.055) / 1.055) ** 2.4, parts / 12.92)
        both.append(float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05)
    return max(both) / min(both)


def readable(colour: str) -> str:
    """Return a colour for texts: mixed with the ink of the style until its contrast with the paper is 4.5."""
    from matplotlib import rcParams
    from matplotlib.colors import to_hex, to_rgb

    ink, own = np.array(to_rgb(rcParams["text.color"])), np.array(to_rgb(colour))
    for part in np.linspace(0, 1, 21):
        found = str(to_hex(tuple((1 - part) * own + part * ink)))
        if contrast(found, paper()) >= TEXT_CONTRAST:
            break
    return found


def is_dark() -> bool:
    """Whether the style in use writes light on dark."""
    from matplotlib.colors import to_rgb

    return sum(to_rgb(paper())) < 1.5


def category() -> str:
    """Return the colour of what has no order."""
    return shade(0.7)


def missing() -> str:
    """Return the colour of what is missing."""
    return shade(0.45)


def colour_of(i: int) -> str:
    """Return the colour of the i-th of several series: grey from the ninth."""
    if i == len(OUTPUTS) - 1:
        return shade(0.87)
    return OUTPUTS[i] if i < len(OUTPUTS) else OTHERS


def points_wide(ax: "Axes") -> float:
    """Return the width of axes, in points, as far as it is known before the figure is drawn."""
    return float(ax.get_window_extent().width) * 72 / ax.figure.dpi


def whole_numbers(ax: "Axes") -> None:
    """Have ticks of the horizontal axis at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))


def thin_ticks(ax: "Axes") -> None:
    """Have as many ticks of large numbers as can be read side by side, with separators from 1,000."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        largest = float(np.abs(limits).max())
        if axis.get_scale() != "linear" or not 1000 <= largest < 1e9:
            continue
        widest = len(f"{largest:,.0f}") + 2
        bins = int(np.clip(points_wide(ax) / (widest * DIGIT), 2, 8))
        axis.set_major_locator(MaxNLocator(bins, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.10g}".replace("-", "−")))


def frame(ax: "Axes", xlabel: str, ylabel: str) -> None:
    """Name both axes, which carry numbers, and take away what does not carry data."""
    ax.set_xlabel(label(xlabel, NAME_WIDTH))
    ax.set_ylabel(label(ylabel, NAME_WIDTH))
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color="#888888", alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)


def note(ax: "Axes", text: str) -> None:
    """Write a remark below the name of the horizontal axis."""
    named = ax.get_xlabel()
    ax.set_xlabel(f"{named}\n{wrapped(text)}" if named else wrapped(text))


def wrapped(text: str) -> str:
    """Return what is written below axes on lines that are not wider than these."""
    return "\n".join(part for line in text.split("\n") for part in textwrap.wrap(line, WRAP) or [""])


def tidy(ax: "Axes", names: list[str], xlabel: str, *, gap: int | None = None) -> np.ndarray:
    """Name the lines, the first at the top, and take away what does not carry data.

    Before line `gap` there is some room. Returns the heights (n,) of the lines.
    """
    heights = np.arange(len(names), dtype=float)
    if gap is not None:
        heights[gap:] += GAP
    ax.set_yticks(heights, names)
    ax.set_ylim(heights[-1] + 0.6, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(plain(wrapped(xlabel)))
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.grid(axis="x", color="#888888", alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)
    return heights


def pale(bar: Any) -> None:
    """Make a bar that stands for several others pale and hatched, in its own colour."""
    colour = bar.get_facecolor()
    bar.set(facecolor=(*colour[:3], 0.3), edgecolor=colour, hatch="////", linewidth=0.8)
