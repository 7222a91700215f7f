"""What all displays share on the side of matplotlib: axes, words, colours."""

from typing import TYPE_CHECKING, Any

from ..writing import need_matplotlib, plain, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart under the common kinds of colour blindness.
OUTPUTS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#222222")
OTHERS = "#9a9a9a"
MISSING = "#a6a6a6"
CATEGORY = "#4d4d4d"
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


def colour_of(i: int) -> str:
    """Return the colour of the i-th of several series: grey from the ninth."""
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
