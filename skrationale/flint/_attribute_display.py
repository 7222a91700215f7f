"""AttributeDisplay: an attribute as pictures, or as the columns that it depends on."""

from __future__ import annotations

import textwrap
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..units import as_picture
from ..writing import NEGATIVE, POSITIVE, SIZE, need_matplotlib, plain, shorten
from ._describe import MAX_COLUMNS, AttributeDescription
from ._pictures import Pictures, largest_classes, pictures_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAP = 0.35
"""Space between the pictures of two classes, in pictures."""
PALE, OPAQUE = 1.0, 0.85
"""How much paler an image is below a map, in its range of pixels; opacity of the map where it is largest. Not
measured."""


class AttributeDisplay:
    """An attribute of a fitted FLINT model, drawn.

    For images: the images in which the attribute is largest, in one frame per class. Below them are maps of
    where it is (orange patches raise it, blue ones lower it), and the images after the attribute was raised
    further ("activation maximisation with partial initialisation"). For a table: the importance of its
    columns, and its rule. Make one with `from_estimator`, or with the model's `plot_attribute`.

    Parameters
    ----------
    name : str
        Name of the attribute.
    pictures : tuple of Pictures, default=()
        Images, one entry per class.
    limits : (float, float), default=(0.0, 1.0)
        Values of pixels that are drawn black and white.
    description : AttributeDescription, default=None
        The description to draw if there are no pictures.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    axes_ : ndarray of Axes of shape (1 to 3, n_pictures)
        Axes of the pictures, inside `ax_`; empty for a table.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skrationale import FLINTClassifier
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> images = X.reshape(-1, 1, 8, 8)
    >>> model = FLINTClassifier(n_attributes=4, max_epochs=4, random_state=0).fit(images, y)
    >>> display = model.plot_attribute(0, n_samples=2, n_classes=1, maximise=False)
    >>> display.axes_.shape
    (2, 2)
    """

    ax_: Axes
    axes_: np.ndarray
    figure_: Figure

    def __init__(
        self,
        name: str,
        pictures: tuple[Pictures, ...] = (),
        *,
        limits: tuple[float, float] = (0.0, 1.0),
        description: AttributeDescription | None = None,
    ) -> None:
        self.name = name
        self.pictures = pictures
        self.limits = limits
        self.description = description

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        attribute: int | str,
        X: Any = None,
        *,
        n_samples: int = 3,
        n_classes: int = 2,
        maximise: bool | str = "auto",
        where: bool = True,
        ax: Axes | None = None,
    ) -> Self:
        """Draw an attribute of a fitted model.

        Parameters
        ----------
        estimator : FLINTClassifier or FLINTRegressor
            Fitted.
        attribute : int or str
            Its position or name.
        X : DataFrame or array-like of shape (n, d), or images (n, C, H, W) or (n, H, W), default=None
            Rows to show. None: training rows, which the model keeps.
        n_samples : int, default=3
            Number of images per class.
        n_classes : int, default=2
            Largest number of classes: those for which the attribute is most relevant.
        maximise : bool or "auto", default="auto"
            Whether images are also shown with the attribute raised. ``"auto"``: only with the built-in
            network.
        where : bool, default=True
            Whether to show where in each image the attribute is.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        AttributeDisplay
            With ``ax_`` and ``figure_``. The figure is not shown.

        Raises
        ------
        ValueError
            If there is no such attribute, if a number is below 1, or if `maximise` is True and the predictor
            has no gradients.
        """
        for word, number in (("n_samples", n_samples), ("n_classes", n_classes)):
            if not isinstance(number, Integral) or number < 1:
                raise ValueError(f"{word} must be an integer of at least 1. Got {number!r} instead.")
        if not (isinstance(maximise, bool | np.bool_) or maximise == "auto"):
            raise ValueError(f"maximise must be True, False or 'auto'. Got {maximise!r} instead.")
        matrix = estimator._training_rows if X is None else estimator._read(X)
        names = list(estimator.get_feature_names_out())
        j = position_of(attribute, names)
        if estimator.image_shape_ is None:
            return cls(names[j], description=estimator.describe_attribute(j, X)).plot(ax)
        limits = float(estimator._training_rows.min()), float(estimator._training_rows.max())
        pictures = pictures_of(
            estimator._model,
            j,
            matrix,
            estimator.image_shape_,
            _members(estimator, j, matrix, n_classes),
            limits,
            int(n_samples),
            estimator.predictor is None and estimator._model.source is not None
            if isinstance(maximise, str)
            else bool(maximise),
            (lambda rows: estimator.attribute_map(j, rows)) if where else None,
        )
        return cls(names[j], pictures, limits=limits).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw, on `ax` or in a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        AttributeDisplay
            Itself.
        """
        plt = need_matplotlib()
        if ax is None:
            ax = plt.subplots(figsize=self._size(), layout="constrained")[1]
        self.ax_ = ax
        self.figure_ = ax.figure  # type: ignore[assignment]
        if self.description is None:
            self._draw_pictures(ax)
        else:
            self.axes_ = np.empty((0, 0), dtype=object)
            self._draw_columns(ax, self.description)
        return self

    def _size(self) -> tuple[float, float]:
        if self.description is not None:
            return 7.2, 1.7 + 0.36 * len(self.description.columns.head(MAX_COLUMNS))
        return max(3.2, 0.6 + 1.15 * self._n_across()), 0.9 + 1.35 * len(self._lines(self.pictures[0]))

    def _n_across(self) -> float:
        return sum(len(group.rows) for group in self.pictures) + GAP * (len(self.pictures) - 1)

    @staticmethod
    def _lines(group: Pictures) -> dict[str, tuple[np.ndarray, np.ndarray | None, np.ndarray | None]]:
        """Give images, what is drawn over them and what is written below them, of each line."""
        lines: dict[str, Any] = {"largest": (group.samples, None, group.values)}
        if group.where is not None:
            lines["where"] = group.samples, group.where, None
        if group.maximised is not None:
            lines["raised"] = group.maximised, None, group.maximised_values
        return lines

    def _draw_pictures(self, ax: Axes) -> None:
        words = list(self._lines(self.pictures[0]))
        width, height = 1 / self._n_across(), 1 / len(words)
        ax.set_axis_off()
        ax.set_title(plain(self.name), pad=22)
        axes: list[list[Axes]] = [[] for _ in words]
        left = 0.0
        for group in self.pictures:
            self._frame(ax, left * width, len(group.rows) * width, plain(group.title))
            for line, (images, over, values) in enumerate(self._lines(group).values()):
                for i, image in enumerate(images):
                    place = ((left + i) * width, 1 - (line + 0.88) * height, 0.94 * width, 0.86 * height)
                    inset = self._draw_picture(ax, place, image, None if over is None else over[i])
                    if values is not None:
                        inset.set_xlabel(f"{values[i]:.2f}", size="small", labelpad=2)
                    axes[line].append(inset)
            left += len(group.rows) + GAP
        for word, line_axes in zip(words, axes, strict=True):
            line_axes[0].set_ylabel(word, size="small")
        if "where" in words:
            note = "where: orange patches raise it, blue ones lower it"
            ax.text(0.5, -0.05, note, ha="center", va="top", size="small", transform=ax.transAxes)
        self.axes_ = np.array(axes, dtype=object)

    @staticmethod
    def _frame(ax: Axes, left: float, width: float, title: str) -> None:
        """Draw a frame around the pictures of a class, and its title above."""
        from matplotlib.patches import Rectangle

        style: dict[str, Any] = {"transform": ax.transAxes, "clip_on": False}
        edge: dict[str, Any] = {"fill": False, "edgecolor": "#888888", "linewidth": 0.8}
        ax.add_patch(Rectangle((left - 0.012, -0.035), width + 0.01, 1.045, **style, **edge))
        ax.text(left + width / 2, 1.02, title, ha="center", va="bottom", size="small", **style)

    def _draw_picture(
        self,
        ax: Axes,
        place: tuple[float, float, float, float],
        image: np.ndarray,
        over: np.ndarray | None,
    ) -> Axes:
        inset = ax.inset_axes(place)
        if over is None:
            inset.imshow(**as_picture(image, self.limits))
        else:
            self._draw_map(inset, image, over)
        inset.set(xticks=[], yticks=[])
        inset.spines[:].set_visible(False)
        return inset

    def _draw_map(self, inset: Axes, image: np.ndarray, over: np.ndarray) -> None:
        """Draw a pale grey image, and a map (gh, gw) over it, in a scale that all share."""
        from matplotlib.colors import to_rgb

        low, high = self.limits
        inset.imshow(image.mean(axis=0), cmap="gray", vmin=low - PALE * (high - low), vmax=high)
        largest = max(float(np.abs(group.where).max()) for group in self.pictures if group.where is not None)
        colours = np.where((over > 0)[..., None], to_rgb(POSITIVE), to_rgb(NEGATIVE))
        alpha = OPAQUE * np.abs(over) / (largest or 1.0)
        height, width = image.shape[1:]
        extent = (-0.5, width - 0.5, height - 0.5, -0.5)
        inset.imshow(np.dstack([colours, alpha]), extent=extent, interpolation="nearest")

    def _draw_columns(self, ax: Axes, description: AttributeDescription) -> None:
        table = description.columns.head(MAX_COLUMNS)
        names = [plain(shorten(str(name), 34)) for name in table["column"]]
        ax.barh(range(len(names)), table["importance"], height=0.68, color=SIZE)
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(max(len(names), 1) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("importance of the column")
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.grid(axis="x", color="#888888", alpha=0.25, linewidth=0.8)
        ax.set_axisbelow(True)
        rule = "It hardly varies." if description.rule is None else str(description.rule)
        ax.set_title(plain(self.name) + "\n" + plain(textwrap.fill(rule, 72)), loc="left", size="small")


def position_of(attribute: int | str, names: list[str]) -> int:
    """Give the position of an attribute from its position or name.

    Parameters
    ----------
    attribute : int or str
        As the user gave it.
    names : list of J str
        Names of the attributes.

    Raises
    ------
    ValueError
        When there is no such attribute.
    """
    if isinstance(attribute, str):
        if attribute in names:
            return names.index(attribute)
    elif (
        isinstance(attribute, Integral)
        and not isinstance(attribute, bool)
        and -len(names) <= attribute < len(names)
    ):
        return int(attribute) % len(names)
    raise ValueError(
        f"attribute must be a position below {len(names)} or one of the names of attributes. Got "
        f"{attribute!r} instead."
    )


def _members(estimator: Any, j: int, matrix: np.ndarray, n_classes: int) -> dict[str, np.ndarray]:
    """Give titles, and the rows that the interpreter assigns to the classes an attribute is relevant for."""
    task, relevance = estimator._task, estimator.global_relevance_[:, j]
    answers = estimator._model.interpret(estimator._model.attributes(matrix))
    if not task.is_classification:
        return {f"all images, relevance {relevance[0]:.2f}": np.arange(len(matrix))}
    explained = task.predicted_positions(answers)
    return {
        f"class {task.classes[c]}, relevance {relevance[c]:.2f}": np.flatnonzero(explained == c)
        for c in largest_classes(relevance, explained, n_classes)
    }
