"""The dependence of a few columns as small pictures within a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..writing import count_of, format_number, format_share, render, shorten
from .dependence import Dependence, dependence
from .wording import quantity, rank, strength

if TYPE_CHECKING:
    from ._explanation import Explanation

WIDTH, LINE = 300, 20
"""Width of a picture and height of a line of it, in units of its own."""
TOP, BOTTOM, DENSITY, LEFT, RIGHT = 6, 116, 24, 52, 294
"""Edges of the points, height of the density below them, and edges at the sides."""
NAMES = 120
"""Width of names of levels."""
MAX_PICTURES, MAX_LEVELS, MAX_POINTS, BINS = 3, 6, 250, 30
TEMPLATES = "explanation/templates"


class Mark(NamedTuple):
    """A path with its style, and what a pointer that rests on it is told."""

    style: str
    path: str
    title: str = ""


class Text(NamedTuple):
    """A text, its place, and which of its ends is there."""

    x: int
    y: int
    anchor: str
    text: str
    title: str = ""


def dependences(e: Explanation) -> Any:
    """Return pictures of the three columns that matter most, an empty text where there is nothing to see.

    Of several outputs that one is shown to which a column contributes most.
    """
    if e.kind == "rationale" or len(e) < 3 or (e.data is None and e._typed is None):
        return ""
    sizes = e.mean_abs().reshape(len(e.feature_names), -1)
    shown, _ = rank(strength(e), len(e.feature_names))
    pictures = []
    for j in shown[:MAX_PICTURES]:
        if sizes[j].any():
            one = e.for_output(int(sizes[j].argmax())) if e.n_outputs > 1 else e
            pictures.append(_picture(one, int(j)))
    return render(f"{TEMPLATES}/dependences.html", pictures=pictures) if pictures else ""


def _picture(e: Explanation, j: int) -> Any:
    found = dependence(e, j, MAX_LEVELS)
    height, marks, texts = _of_levels(found) if found.numbers is None else _of_numbers(found)
    return render(
        f"{TEMPLATES}/dependence.html",
        name=shorten(found.feature, 80),
        quantity=quantity(e),
        width=WIDTH,
        height=height,
        marks=marks,
        texts=texts,
        across=found.numbers is not None,
    )


class _Scale:
    """Places of numbers along an edge, from the least to the largest."""

    def __init__(self, numbers: np.ndarray, start: int, end: int) -> None:
        known = numbers[np.isfinite(numbers)]
        self.low, self.high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        self.start, self.end = start, end

    def __call__(self, numbers: Any) -> Any:
        """Return whole units."""
        numbers, span = np.asarray(numbers, dtype=float), self.high - self.low
        part = (numbers - self.low) / span if 0 < span < np.inf else np.full(numbers.shape, 0.5)
        return np.rint(self.start + part * (self.end - self.start)).astype(int)


def _dots(x: np.ndarray, y: np.ndarray) -> str:
    """Return a path of points; those at one place are one."""
    return "".join(f"M{a} {b}h0" for a, b in dict.fromkeys(zip(x.tolist(), y.tolist(), strict=True)))


def _of_numbers(found: Dependence) -> tuple[int, list[Mark], list[Text]]:
    """Draw points, with the density of the column below them, and missing cells at the left."""
    rows = np.arange(len(found.values))[:: -(-len(found.values) // MAX_POINTS)]
    numbers, values = np.asarray(found.numbers), found.values
    gone = ~np.isfinite(numbers)
    across = _Scale(numbers, LEFT + 18 * gone.any(), RIGHT)
    up = _Scale(np.append(values, 0.0), BOTTOM, TOP)
    marks = [Mark("skr-axis", f"M{LEFT} {up(0.0)}H{RIGHT + 4}", "no contribution")]
    known, lost = rows[~gone[rows] & np.isfinite(values[rows])], rows[gone[rows] & np.isfinite(values[rows])]
    seen = numbers[~gone]
    low = BOTTOM + 8 + DENSITY
    if seen.size and across.high > across.low:
        counts, edges = np.histogram(seen, bins=min(BINS, 2 * len(np.unique(seen)) - 1))
        tall = low - np.rint(DENSITY * counts / counts.max()).astype(int)
        steps = "".join(f"V{a}H{b}" for a, b in zip(tall, across(edges[1:]), strict=True))
        marks.append(Mark("skr-rows", f"M{across(edges[0])} {low}{steps}V{low}Z", "how many rows"))
    marks.append(Mark("skr-dots", _dots(across(numbers[known]), up(values[known]))))
    if len(lost):
        words = f"missing: {format_share(float(gone.mean()))} of the rows"
        marks.append(Mark("skr-gone", _dots(np.full(len(lost), LEFT + 4), up(values[lost])), words))
    size = max(abs(up.low), abs(up.high))
    texts = [
        Text(LEFT - 6, TOP + 5, "end", format_number(up.high, scale=size)),
        Text(LEFT - 6, BOTTOM + 3, "end", format_number(up.low, scale=size)),
    ]
    if seen.size:
        texts += [
            Text(across.start, low + 13, "start", format_number(across.low)),
            Text(RIGHT + 4, low + 13, "end", format_number(across.high)),
        ]
    return low + 18, marks, texts


def _of_levels(found: Dependence) -> tuple[int, list[Mark], list[Text]]:
    """Draw a box for each level, from the first to the third quartile, with its median."""
    across = _Scale(np.append(found.values, 0.0), NAMES, RIGHT)
    n = len(found.levels)
    marks = [Mark("skr-axis", f"M{across(0.0)} 0V{n * LINE}", "no contribution")]
    texts = []
    for line, level in enumerate(found.levels):
        own = found.values[(found.place == line) & np.isfinite(found.values)]
        middle = line * LINE + LINE // 2
        count = count_of(int((found.place == line).sum()), "row")
        texts.append(Text(NAMES - 8, middle + 4, "end", shorten(level, 18), f"{shorten(level, 80)}: {count}"))
        if not len(own):
            continue
        quantiles = np.quantile(own, [0.05, 0.25, 0.5, 0.75, 0.95])
        a, b, c, d, e = across(quantiles)
        words = f"{shorten(level, 80)}: median {format_number(float(quantiles[2]), scale=1.0)}, {count}"
        marks += [
            Mark("skr-axis", f"M{a} {middle}H{e}"),
            Mark("skr-box", f"M{b} {middle - 6}H{max(d, b + 1)}v12H{b}Z", words),
            Mark("skr-middle", f"M{c} {middle - 7}v14"),
        ]
    size = max(abs(across.low), abs(across.high))
    texts += [
        Text(NAMES, n * LINE + 13, "start", format_number(across.low, scale=size)),
        Text(RIGHT + 4, n * LINE + 13, "end", format_number(across.high, scale=size)),
    ]
    return n * LINE + 18, marks, texts
