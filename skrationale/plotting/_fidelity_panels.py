"""What a panel of a FidelityDisplay shows: points, or a table of classes."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ..writing import SIZE, count_of, plain, shorten
from ._style import MAX_POINTS, OUTPUTS, colour_of, entry, paper, points_wide, shade, thin_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_CLASSES = 20
"""Labels that are written beside a table of classes."""
CLASS_WIDTH, LINES = 14, 3
"""Characters in a line of a class's name, and lines. Not measured."""
LONGER, LINE, KNOWN_WIDTH = 21, 12.5, 0.7
"""Characters in a line of an upright name, its height in points, and the share of the width of new axes that
is left beside names. Not measured."""
DEEPEST = 0.8
"""Strength of the colour of all rows of a class. Not measured."""


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
        ax.set_title(f"{len(shown) * k:,} of {m * k:,} points", loc="right", fontsize="small")


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
    # as many lines as there is room for
    fit = int(KNOWN_WIDTH * points_wide(ax) / (max(len(classes), 1) * LINE))
    longer = [wrapped(classes[i], LONGER, min(max(fit, 1), LINES)) for i in ticks]
    names = [wrapped(classes[i]) for i in ticks]
    names = longer if any(name.count("\n") >= fit for name in names) else names
    turned = len(classes) * max((len(line) for name in names for line in name.split("\n")), default=0) > 34
    ax.set_xticks(ticks, longer if turned else names, rotation=90 if turned else 0)
    ax.set_yticks(ticks, names)
    ax.tick_params(length=0)
    ends = (-0.5, max(len(classes), 1) - 0.5)
    ax.set(xlim=ends, ylim=ends)
    ax.set_box_aspect(1)


def wrapped(name: str, width: int = CLASS_WIDTH, most: int = LINES) -> str:
    r"""Return the name of a class on several lines, whole but for very long ones.

    Examples
    --------
    >>> wrapped("a price far above that of the street")
    'a price far\nabove that of\nthe street'
    """
    lines = textwrap.wrap(shorten(name, most * width), width)
    if len(lines) > most:  # breaks at blanks took some room
        lines = textwrap.wrap(shorten(name, (most - 1) * width), width)
    return plain("\n".join(lines))


def entries(ax: "Axes", names: tuple[str, ...]) -> tuple[list[Any], list[str]]:
    """Return handles and texts of a legend: the coloured outputs, and one entry for the grey ones."""
    dots = list(ax.collections)[: len(names)]
    texts = [entry(name, 20) for name in names]
    if len(names) > len(OUTPUTS):
        rest = len(names) - len(OUTPUTS)
        return dots[: len(OUTPUTS) + 1], [*texts[: len(OUTPUTS)], count_of(rest, "other output")]
    return dots, texts
