"""TrainingDisplay: how losses fell, epoch by epoch and stage by stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._hooks import hooks_of
from ..writing import format_number, need_matplotlib
from ._display import Display
from ._style import (
    LEGEND_ABOVE,
    OUTPUTS,
    colour_of,
    entry,
    frame,
    label,
    note,
    points_wide,
    shade,
    thin_ticks,
    whole_numbers,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

USUAL = ("train_loss", "valid_loss")
WORDS = {"train_loss": "training loss", "valid_loss": "validation loss"}
NOT_DRAWN = ("epoch", "lr", "dur", "stage")
ONE = "One epoch makes no curve: its losses are shown as points."
MAX_NAMED = 16
"""Bands of stages that are named."""
LOG_FROM = 30.0
"""Largest over smallest loss from which the axis is logarithmic."""


@dataclass(frozen=True)
class Run:
    """Epochs `first` to `last`, counted from 1 over all runs, in which one loss was lowered."""

    first: int
    last: int
    stage: str


class TrainingDisplay(Display):
    """Losses during training, with a band for each stage and a mark at the best validation loss.

    Curves are interrupted if a new network or another loss begins. The axis is logarithmic if all losses are
    positive and differ much in size. Make one with `from_estimator`.

    Parameters
    ----------
    history : sequence of dict
        One dict per epoch, in order, with losses by name. Optional keys are ``epoch``, which starts again in
        each run, and ``stage``, a name. Epochs may lack some losses.
    curves : sequence of str, default=None
        Keys of the curves. None: ``train_loss`` and ``valid_loss``, if they exist.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    Raises
    ------
    TypeError
        If `history` is not a sequence of dicts.
    ValueError
        If `history` is empty, or has no such curve; the message lists the existing ones.

    Examples
    --------
    >>> from skrationale.plotting import TrainingDisplay
    >>> history = [{"train_loss": 1 / i, "valid_loss": 1 / i + i / 50} for i in range(1, 11)]
    >>> display = TrainingDisplay(history).plot()
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['training loss', 'validation loss', 'lowest: 0.2829, epoch 7']
    """

    def __init__(self, history: Sequence[Mapping[str, Any]], *, curves: Sequence[str] | None = None) -> None:
        if isinstance(history, str | Mapping) or not isinstance(history, Sequence):
            raise TypeError(f"`history` must be a sequence of dicts, got {type(history).__name__}.")
        wrong = [row for row in history if not isinstance(row, Mapping)]
        if wrong:
            raise TypeError(f"`history` must be a sequence of dicts, got {type(wrong[0]).__name__} in it.")
        if not history:
            raise ValueError("`history` is empty: nothing was trained.")
        keys = dict.fromkeys(key for row in history for key in row)
        known = [key for key in keys if key not in NOT_DRAWN and not key.endswith("_lambda")]
        wanted = [key for key in USUAL if key in known] if curves is None else list(curves)
        if not wanted or not set(wanted) <= set(known):
            missing = [key for key in wanted if key not in known] or list(USUAL)
            raise ValueError(f"`curves` must be among {known}, got {missing}.")
        self.history = [dict(row) for row in history]
        self.curves = tuple(wanted)

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, curves: Sequence[str] | None = None, ax: "Axes | None" = None
    ) -> Self:
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        estimator : estimator with ``history_``
            Fitted.
        curves : sequence of str, default=None
            Keys of the curves. None: ``train_loss`` and ``valid_loss``, if they exist.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        TrainingDisplay
            With ``ax_`` and ``figure_``. The figure is not shown.

        Raises
        ------
        TypeError
            If `estimator` has no ``history_``.
        ValueError
            If nothing was trained, or if a curve does not exist.
        """
        history = hooks_of(estimator)._training_history()
        if history is None:
            name = type(estimator).__name__
            hint = ""
            if hooks_of(hooks_of(estimator)._fitted_teacher())._training_history() is not None:
                hint = "; that of its teacher is drawn by `from_estimator(estimator.teacher_)`"
            raise TypeError(f"`estimator` must be fitted and have a `history_`, got {name}{hint}.")
        return cls(history, curves=curves).plot(ax)

    def _draw(self, ax: "Axes | None") -> "Axes":
        plt = need_matplotlib()
        if ax is None:
            ax = plt.subplots(figsize=(7.2, 3.9), layout="constrained")[1]
        runs = _runs(self.history)
        n = len(self.history)
        values = {
            key: np.array([_number(row.get(key)) for row in self.history], dtype=np.float64)
            for key in self.curves
        }
        for i, (key, losses) in enumerate(values.items()):
            ax.plot(*_with_gaps(losses, runs), color=colour_of(i), label=entry(WORDS.get(key, key)))
            for run in runs:  # one epoch alone is no line
                if run.first == run.last:
                    ax.plot(run.first, losses[run.first - 1], ".", color=colour_of(i))
        frame(ax, "epoch", "loss")
        ax.set_xlim(0.5, n + 0.5)
        every = np.concatenate(list(values.values()))
        every = every[np.isfinite(every)]
        if every.size and every.min() > 0 and every.max() / every.min() > LOG_FROM:
            ax.set_yscale("log")
        thin_ticks(ax)
        whole_numbers(ax)
        bands = _bands(runs)
        if "valid_loss" in values:
            _mark_lowest(ax, values["valid_loss"], runs, OUTPUTS[self.curves.index("valid_loss") % 8])
        if len(bands) > 1:
            _draw_bands(ax, bands)
            ax.legend(loc="best", fontsize="small", framealpha=0.9)
        else:
            ax.legend(ncols=4, **LEGEND_ABOVE)
        if n == 1:
            note(ax, ONE)
        return ax


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)


def _runs(history: list[dict[str, Any]]) -> list[Run]:
    """Cut a history where the stage changes or epochs start anew."""
    starts, names = [0], [_stage(history[0])]
    for i in range(1, len(history)):
        row, before = history[i], history[i - 1]
        again = "epoch" in row and "epoch" in before and row["epoch"] <= before["epoch"]
        if again or _stage(row) != names[-1]:
            starts.append(i)
            names.append(_stage(row))
    ends = [*starts[1:], len(history)]
    return [Run(start + 1, end, name) for start, end, name in zip(starts, ends, names, strict=True)]


def _stage(row: Mapping[str, Any]) -> str:
    """Name the stage of an epoch: as it says, or by the lambda that it was trained with."""
    if "stage" in row:
        return str(row["stage"])
    weights = [f"λ = {format_number(_number(row[key]))}" for key in row if key.endswith("_lambda")]
    return ", ".join(weights)


def _bands(runs: list[Run]) -> list[Run]:
    """Join neighbouring runs of one stage."""
    bands: list[Run] = []
    for run in runs:
        if bands and bands[-1].stage == run.stage:
            bands[-1] = Run(bands[-1].first, run.last, run.stage)
        else:
            bands.append(run)
    return bands


def _with_gaps(losses: np.ndarray, runs: list[Run]) -> tuple[np.ndarray, np.ndarray]:
    """Return epochs and losses with NaN between runs, so that a line is interrupted there."""
    cuts = [run.first - 1 for run in runs[1:]]
    epochs = np.arange(1.0, len(losses) + 1)
    return np.insert(epochs, cuts, np.nan), np.insert(losses, cuts, np.nan)


def _mark_lowest(ax: "Axes", losses: np.ndarray, runs: list[Run], colour: str) -> None:
    """Mark the lowest validation loss of each run."""
    found = []
    for run in runs:
        own = losses[run.first - 1 : run.last]
        if np.isfinite(own).any():
            found.append(run.first + int(np.nanargmin(own)))
    if not found:
        return
    heights = losses[np.array(found) - 1]
    text = "lowest of each run"
    if len(found) == 1:
        text = f"lowest: {format_number(heights[0])}, epoch {found[0]}"
    ax.plot(
        found, heights, "o", color=colour, markeredgecolor=shade(0.87), markersize=7, zorder=4, label=text
    )


def _draw_bands(ax: "Axes", bands: list[Run]) -> None:
    """Shade every other stage, and write the names above: upright where they would not fit side by side."""
    n, width = bands[-1].last, points_wide(ax)
    names = [label(band.stage, 24) for band in bands]
    fits = all(
        6.5 * len(name) < width * (band.last - band.first + 1) / n
        for name, band in zip(names, bands, strict=True)
    )
    for i, (band, name) in enumerate(zip(bands, names, strict=True)):
        if i % 2:
            ax.axvspan(band.first - 0.5, band.last + 0.5, color="#888888", alpha=0.13, linewidth=0, zorder=0)
        if len(bands) <= MAX_NAMED:
            ax.annotate(
                name,
                ((band.first + band.last) / 2, 1),
                (0, 4),
                xycoords=ax.get_xaxis_transform(),
                textcoords="offset points",
                ha="center",
                va="bottom",
                rotation=0 if fits else 90,
                fontsize="small",
                annotation_clip=False,
            )
