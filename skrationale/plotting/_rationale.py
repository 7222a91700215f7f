"""RationaleDisplay: which cells each prediction was made from."""

from typing import TYPE_CHECKING

import numpy as np

from ..explanation import Explanation
from ..writing import count_of, format_number
from ._display import ExplanationDisplay
from ._style import (
    LEGEND_ABOVE,
    axes_for,
    category,
    is_dark,
    label,
    note,
    paper,
    shade,
    tidy,
    whole_numbers,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WEAK, STRONG = "#4a90c8", "#00264a"
WEAK_ON_DARK, STRONG_ON_DARK = "#2a6a98", "#dff1ff"
ONE_ROW = "One row: its card, `explanation[i]` in a notebook, also shows the cells."
UNUSED = 0.07
"""Shade of cells that were not used."""
MAX_CLUSTERED = 2000
"""Distinct masks that are clustered; more are sorted."""
MAX_OPTIMAL = 200
"""Distinct masks whose tree is also turned so that neighbours are alike: its time grows with their square."""
FEW_ROWS = 60
"""So many rows at most are told apart by lines."""


class RationaleDisplay(ExplanationDisplay):
    """A heat map of the cells that predictions used: a line for each column, rows side by side.

    The most used columns are at the top, each with the share of rows that use it. Several columns that no row
    uses are listed in words. Rows with similar rationales are neighbours: distinct masks are clustered
    (average linkage of Hamming distances), or sorted if there are more than 2000. The colour shows the weight
    with which a cell was selected. Cells that were not used have the colour of the background, slightly
    shaded. Make one with `from_explanation` or `from_estimator`.

    Parameters
    ----------
    explanation : Explanation
        The explanation to draw, of kind ``"rationale"``, with one output and any number of rows.
    max_display : int, default=None
        Largest number of columns: the most used ones are drawn, and the others are summarised in words. None:
        20.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    columns_ : ndarray of shape (at most max_display,)
        Positions of the columns drawn, from the top.
    rows_ : ndarray of shape (n,)
        Positions of the rows, from the left.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.plotting import RationaleDisplay
    >>> mask = [[True, False], [True, True]]
    >>> e = Explanation([[0.9, 0], [0.8, 0.6]], 0, mask=mask, kind="rationale", feature_names=["age", "pay"])
    >>> display = RationaleDisplay.from_explanation(e)
    >>> [text.get_text() for text in display.ax_.texts]
    ['100% of rows', '50%']
    """

    _word = "rationale display"
    _usual = 20

    columns_: np.ndarray
    rows_: np.ndarray

    def _check_explanation(self, explanation: Explanation) -> None:
        if explanation.kind != "rationale":
            raise ValueError(
                "a rationale display shows which cells were used, got an explanation of kind "
                f"{explanation.kind!r}, whose predictions use all of them: use a bar or beeswarm display."
            )
        self._need_one_output(explanation)

    def _draw_explanation(self, explanation: Explanation, ax: "Axes | None") -> "Axes":
        e, mask = explanation, explanation.mask
        assert mask is not None
        share = mask.mean(axis=0) if len(e) else np.zeros(mask.shape[1])
        order = np.argsort(-share, kind="stable")
        n_used = int((share > 0).sum())
        n_lines = (
            n_used if 0 < n_used < len(order) - 1 else len(order)
        )  # but for one, those never used are words
        n_lines = min(n_lines, self.max_display)
        self.columns_, rest = order[:n_lines], order[n_lines:]
        self.rows_ = _row_order(mask, np.nansum(e.values, axis=1))
        cells = np.ix_(self.rows_, self.columns_)
        ax = axes_for(ax, len(self.columns_) + 1)
        tidy(ax, [label(e.feature_names[j]) for j in self.columns_], _words(len(e), share[rest]))
        _heat_map(ax, mask[cells].T, e.values[cells].T)
        for line, j in enumerate(self.columns_):
            text = _percent(share[j]) + (" of rows" if line == 0 else "")
            ax.annotate(
                text,
                (1, line),
                (5, 0),
                xycoords=ax.get_yaxis_transform(),
                textcoords="offset points",
                va="center",
                fontsize="small",
                annotation_clip=False,
            )
        if len(e) == 1:
            note(ax, ONE_ROW)
        return ax


def _row_order(mask: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the positions of rows (n,) that put like masks (n, d) side by side, and equal ones by weight."""
    if not len(mask):
        return np.zeros(0, dtype=np.intp)
    frequent = np.argsort(-mask.mean(axis=0), kind="stable")
    # Packed bits sort as the masks do, the most used column first, in an eighth of the memory.
    packed = np.packbits(~mask[:, frequent], axis=1)
    _, first, which = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    place = np.arange(len(first))
    if 2 < len(first) <= MAX_CLUSTERED:
        place[_leaves(mask[first])] = np.arange(len(first))
    return np.lexsort((-weight, place[which.ravel()]))


def _leaves(masks: np.ndarray) -> np.ndarray:
    """Return the order of distinct masks (m, d) along the tree of a clustering, the fullest end first."""
    from scipy.cluster.hierarchy import leaves_list, linkage

    tree = linkage(masks, method="average", metric="hamming", optimal_ordering=len(masks) <= MAX_OPTIMAL)
    leaves = leaves_list(tree)
    return leaves if masks[leaves[0]].sum() >= masks[leaves[-1]].sum() else leaves[::-1]


def _heat_map(ax: "Axes", mask: np.ndarray, weights: np.ndarray) -> None:
    """Draw cells (columns, rows), and say in a legend what the colours are."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb
    from matplotlib.patches import Patch

    weak, strong = (WEAK_ON_DARK, STRONG_ON_DARK) if is_dark() else (WEAK, STRONG)
    colours = LinearSegmentedColormap.from_list("weak_strong", [weak, strong])
    known = mask & ~np.isnan(weights)
    used = weights[known]
    # A probability is above one half where a cell is used.
    low, high = (min(used.min(), 0.5), max(used.max(), 1.0)) if used.size else (0.5, 1.0)
    image = np.empty((*mask.shape, 3), dtype=np.uint8)
    image[:] = np.round(255 * np.array(to_rgb(shade(UNUSED))))
    image[mask] = np.round(255 * np.array(to_rgb(category())))
    image[known] = colours((used - low) / (high - low), bytes=True)[:, :3]
    n_lines, n_rows = mask.shape
    if mask.size:
        ax.imshow(
            image, aspect="auto", interpolation="nearest", extent=(0, n_rows, n_lines - 0.5, -0.5), zorder=1
        )
    ax.set(xlim=(0, max(n_rows, 1)), ylim=(n_lines - 0.5, -0.5))
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    if n_rows > 1:
        whole_numbers(ax)
    else:
        ax.set_xticks([])
    ax.hlines(np.arange(1, n_lines) - 0.5, 0, max(n_rows, 1), color=paper(), linewidth=2, zorder=2)
    if n_rows <= FEW_ROWS:
        ax.vlines(np.arange(1, n_rows), -0.5, n_lines - 0.5, color=paper(), linewidth=1, zorder=2)
    entries = [(shade(UNUSED), "not used")]
    if used.size and used.min() == used.max():
        entries.append((colours((used[0] - low) / (high - low)), f"used, weight {format_number(used[0])}"))
    elif used.size:
        entries += [(weak, f"used, weight {format_number(low)}"), (strong, f"weight {format_number(high)}")]
    if (mask & ~known).any():
        entries.append((category(), "used, weight undefined"))
    handles = [Patch(facecolor=colour, label=text) for colour, text in entries]
    ax.legend(handles=handles, ncols=len(handles), handlelength=1.2, columnspacing=1.2, **LEGEND_ABOVE)


def _percent(share: float) -> str:
    """Return a share as a percentage that is 0 or 100 only where it is exactly that.

    Examples
    --------
    >>> _percent(0.004), _percent(0.999), _percent(0.25), _percent(0.0)
    ('<1%', '>99%', '25%', '0%')
    """
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1 else f"{share:.0%}"


def _words(n_rows: int, rest: np.ndarray) -> str:
    """Return what stands below the heat map: how many rows there are, and which columns are not drawn."""
    words = f"{n_rows:,} rows, similar rationales side by side" if n_rows > 1 else count_of(n_rows, "row")
    if not len(rest):
        return words
    columns = count_of(len(rest), "other column")
    use = f"used in at most {_percent(rest.max())} of rows" if rest.max() > 0 else "never used"
    return f"{words}\n{columns}: {use}"
