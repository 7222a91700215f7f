"""What all displays share on the side of matplotlib: axes, words, colours."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..writing import need_matplotlib, plain, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart under the common kinds of colour blindness; `colour_of` takes the ink of
# the style for the last one.
OUTPUTS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#222222")
OTHERS = "#9a9a9a"
LABEL_WIDTH = 34
NAME_WIDTH = 48
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


def frame(ax: "Axes", xlabel: str, ylabel: str) -> None:
    """Name both axes, which carry numbers, and take away what does not carry data."""
    ax.set_xlabel(label(xlabel, NAME_WIDTH))
    ax.set_ylabel(label(ylabel, NAME_WIDTH))
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color="#888888", alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)


def tidy(ax: "Axes", names: list[str], xlabel: str) -> None:
    """Name the lines, the first at the top, and take away what does not carry data."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(plain(xlabel))
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.grid(axis="x", color="#888888", alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)
