"""What a panel of a FidelityDisplay shows: points, or a table of classes."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..writing import SIZE, count_of
from ._style import MAX_POINTS, OUTPUTS, colour_of, entry, label, shade

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_CLASSES = 20
"""Labels that are written beside a table of classes."""


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
    if len(shown) < m:
        ax.set_title(f"{len(shown) * k:,} of {m * k:,} points", loc="left", fontsize="small")


def draw_table(ax: "Axes", student: np.ndarray, teacher: np.ndarray) -> None:
    """Draw counts of pairs of labels as areas; those that agree in another colour."""
    classes = sorted(set(student) | set(teacher))
    place = {name: i for i, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype=np.intp)
    np.add.at(counts, ([place[a] for a in teacher], [place[a] for a in student]), 1)
    x, y = np.nonzero(counts)
    n = counts[x, y]
    size = 2400 / max(len(classes), 2) ** 1.5
    colours = [SIZE if same else OUTPUTS[5] for same in x == y]
    ax.scatter(x, y, s=size * n / max(n.max(initial=1), 1), color=colours, zorder=3)
    if len(classes) <= 10:
        for i, j, count in zip(x, y, n, strict=True):
            above = (0, 3 + size**0.5 / 2)
            ax.annotate(
                f"{count:,}", (i, j), above, textcoords="offset points", ha="center", fontsize="small"
            )
    ticks = range(len(classes)) if len(classes) <= MAX_CLASSES else []
    names = [label(classes[i], 16) for i in ticks]
    turned = sum(map(len, names)) > 30
    ax.set_xticks(ticks, names, rotation=90 if turned else 0)
    ax.set_yticks(ticks, names)
    ends = (-0.7, len(classes) - 0.3)
    ax.set(xlim=ends, ylim=ends)
    ax.set_box_aspect(1)


def entries(ax: "Axes", names: tuple[str, ...]) -> tuple[list[Any], list[str]]:
    """Return handles and texts of a legend: the coloured outputs, and one entry for the grey ones."""
    dots = list(ax.collections)[: len(names)]
    texts = [entry(name, 20) for name in names]
    if len(names) > len(OUTPUTS):
        rest = len(names) - len(OUTPUTS)
        return dots[: len(OUTPUTS) + 1], [*texts[: len(OUTPUTS)], count_of(rest, "other output")]
    return dots, texts
