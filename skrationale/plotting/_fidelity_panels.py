"""What a panel of a FidelityDisplay shows: points, or a table of classes."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ..writing import SIZE, count_of, plain, shorten
from ._style import MAX_POINTS, OUTPUTS, colour_of, entry, paper, points_wide, shade

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_CLASSES = 20
"""Labels that are written beside a table of classes."""
CLASS_WIDTH, LINES = 14, 3
"""Characters in a line of a class's name, and lines. Not measured."""
DEEPEST = 0.8
"""Strength of the colour of all rows of a class. Not measured."""
CHARACTER = 6.2
"""Mean width of a digit at a tick, in points. Not measured."""


def draw_points(ax: "Axes", teacher: np.ndarray, student: np.ndarray) -> None:
    """Draw points (m, K), one colour an output, and the line on which both agree."""
    m, k = teacher.shape
    shown: np.ndarray = np.unique(np.linspace(0, max(m - 1, 0), min(m, MAX_POINTS // k)).astype(np.intp))
    few = len(shown) * k <= 500
    style: dict[str, Any] = {
        "s": 22 if few else 9,
        "alpha": 0.8 if few else 0.35,
        "linewidths": 0,
        "rasterized": 2 * len(shown) * k > MAX_POINTS,
    }
    for c in range(k):
        ax.scatter(teacher[shown, c], student[shown, c], color=colour_of(c) if k > 1 else SIZE, **style)
    points = np.concatenate([teacher[shown].ravel(), student[shown].ravel()])
    points = points[np.isfinite(points)]
    low, high = (points.min(), points.max()) if points.size else (0.0, 1.0)
    room = 0.05 * (high - low) or 0.5
    ends = (low - room, high + room)
    ax.plot(ends, ends, color=shade(0.75), linewidth=1, linestyle="--", zorder=3)
    ax.set(xlim=ends, ylim=ends)
    ax.set_box_aspect(1)
    thin_ticks(ax)
    if len(shown) < m:
        ax.set_title(f"{len(shown) * k:,} of {m * k:,} points", loc="left", fontsize="small")


def draw_table(ax: "Axes", student: np.ndarray, teacher: np.ndarray) -> None:
    """Draw counts of pairs of labels, shaded by shares of the teacher's; disagreement in another colour."""
    from matplotlib.colors import to_rgb

    classes = sorted(set(student) | set(teacher))
    place = {name: i for i, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype=np.intp)
    np.add.at(counts, ([place[a] for a in teacher], [place[a] for a in student]), 1)
    share = (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).T[..., None]
    same = np.eye(len(classes), dtype=bool)[..., None]
    behind, ink = np.array(to_rgb(paper())), np.array(to_rgb(shade(1.0)))
    image = behind + (DEEPEST * share) * (np.where(same, to_rgb(SIZE), to_rgb(OUTPUTS[5])) - behind)
    if counts.size:
        ax.imshow(image, origin="lower", zorder=1)
    if len(classes) <= 10:
        for i, j in np.argwhere(counts):
            darker = ink if np.abs(ink - image[j, i]).sum() > np.abs(behind - image[j, i]).sum() else behind
            ax.text(
                i, j, f"{counts[i, j]:,}", color=tuple(darker), ha="center", va="center", fontsize="small"
            )
    ticks = range(len(classes)) if len(classes) <= MAX_CLASSES else []
    names = [wrapped(classes[i]) for i in ticks]
    turned = len(classes) * max((len(line) for name in names for line in name.split("\n")), default=0) > 34
    ax.set_xticks(ticks, names, rotation=90 if turned else 0)
    ax.set_yticks(ticks, names)
    ax.tick_params(length=0)
    ends = (-0.5, max(len(classes), 1) - 0.5)
    ax.set(xlim=ends, ylim=ends)
    ax.set_box_aspect(1)


def wrapped(name: str) -> str:
    r"""Return the name of a class on several lines, whole but for very long ones.

    Examples
    --------
    >>> wrapped("a price far above that of the street")
    'a price far\nabove that of\nthe street'
    """
    lines = textwrap.wrap(shorten(name, LINES * CLASS_WIDTH), CLASS_WIDTH)
    return plain("\n".join(lines))


def thin_ticks(ax: "Axes") -> None:
    """Have as many ticks of numbers as can be read side by side, with separators from 1,000."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    limits = np.abs([*ax.get_xlim(), *ax.get_ylim()])
    if not 1000 <= limits.max() < 1e9:
        return
    widest = len(f"{limits.max():,.0f}") + 2
    bins = int(np.clip(points_wide(ax) / (widest * CHARACTER), 2, 8))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(bins, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.10g}".replace("-", "−")))


def entries(ax: "Axes", names: tuple[str, ...]) -> tuple[list[Any], list[str]]:
    """Return handles and texts of a legend: the coloured outputs, and one entry for the grey ones."""
    dots = list(ax.collections)[: len(names)]
    texts = [entry(name, 20) for name in names]
    if len(names) > len(OUTPUTS):
        rest = len(names) - len(OUTPUTS)
        return dots[: len(OUTPUTS) + 1], [*texts[: len(OUTPUTS)], count_of(rest, "other output")]
    return dots, texts
