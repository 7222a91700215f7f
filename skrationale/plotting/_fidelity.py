"""FidelityDisplay: a student against its teacher, in answers and in reasons."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..explanation import checks
from ..explanation.ruler import centred
from ..writing import format_number, need_matplotlib
from ._answers import answers_of, pooled_r2
from ._display import PanelDisplay
from ._fidelity_panels import draw_points, draw_table, entries
from ._style import frame, note

if TYPE_CHECKING:
    from matplotlib.axes import Axes


ONE_ROW = "One row: how well the two agree shows only over many rows."


class FidelityDisplay(PanelDisplay):
    """Scores of a student against its teacher's, and contributions in a second panel, with R2.

    Each point is a row and output; in the panel of contributions it is a row, column and output. A line shows
    y = x. If there are more than 20,000 points, 20,000 are drawn, evenly spaced over the rows, but R2 is
    computed from all. Labels are drawn as a table of counts. Make one with `from_estimator` or
    `from_predictions`.

    Parameters
    ----------
    scores, teacher_scores : array-like of shape (n,) or (n, K)
        Numbers, or labels (text or booleans) of shape (n,). If K > 1 there is one number per class, and the
        mean of each row is subtracted, because it does not change probabilities.
    values, teacher_values : array-like of shape (n, d) or (n, d, K), default=None
        Contributions of both; give both or none.
    output_names : sequence of str of length K, default=None
        Names of several outputs.
    names : (str, str), default=("student", "teacher")
        Names of the two models.
    unit : str, default="score"
        Name of the scores.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The panel of scores.
    axes_ : ndarray of Axes of shape (1,) or (2,)
        All panels that were drawn last.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    r2_ : float
        R2 of the scores, as ``prediction_r2`` of `skrationale.metrics.prediction_fidelity`; for labels the
        share of rows with the same label.
    explanation_r2_ : float or None
        R2 of the contributions over all cells, as ``explanation_r2`` of
        `skrationale.metrics.explanation_fidelity`.

    Raises
    ------
    TypeError
        If a parameter is not as described above.
    ValueError
        If shapes differ.

    Examples
    --------
    >>> from skrationale.plotting import FidelityDisplay
    >>> display = FidelityDisplay.from_predictions([0.0, 1.1, 1.9], [0.0, 1.0, 2.0])
    >>> round(display.r2_, 3), len(display.axes_)
    (0.99, 1)
    """

    def __init__(
        self,
        scores: Any,
        teacher_scores: Any,
        *,
        values: Any = None,
        teacher_values: Any = None,
        output_names: Sequence[str] | None = None,
        names: tuple[str, str] = ("student", "teacher"),
        unit: str = "score",
    ) -> None:
        self.labels = np.asarray(teacher_scores).dtype.kind in "OUSb"
        self.scores, self.teacher_scores = (
            _labels(name, given) if self.labels else checks.number_array(name, given)
            for name, given in (("scores", scores), ("teacher_scores", teacher_scores))
        )
        shape = self.teacher_scores.shape
        checks.shaped("scores", self.scores, shape, "that of `teacher_scores`")
        if len(shape) not in ((1,) if self.labels else (1, 2)):
            raise ValueError(f"`scores` has shape {shape}, expected (n,)" + " or (n, K)." * (not self.labels))
        if (values is None) != (teacher_values is None):
            raise ValueError("`values` and `teacher_values` must be given together, got only one of them.")
        self.values = self.teacher_values = self.explanation_r2_ = None
        if values is not None:
            self.values = checks.number_array("values", values)
            self.teacher_values = checks.number_array("teacher_values", teacher_values)
            checks.shaped("values", self.values, self.teacher_values.shape, "that of `teacher_values`")
            if self.values.ndim not in (2, 3) or len(self.values) != shape[0]:
                raise ValueError(
                    f"`values` has shape {self.values.shape}, expected ({shape[0]}, d) or ({shape[0]}, d, K)."
                )
            self.explanation_r2_ = pooled_r2(self.teacher_values.reshape(-1, 1), self.values.reshape(-1, 1))
        k = shape[1] if len(shape) == 2 else 1
        if self.labels:
            self.r2_ = float((self.scores == self.teacher_scores).mean()) if shape[0] else np.nan
        else:
            if k > 1:
                self.scores, self.teacher_scores = centred(self.scores), centred(self.teacher_scores)
            self.r2_ = pooled_r2(self.teacher_scores, self.scores)
        self.output_names = checks.names("output_names", output_names, k, "output")
        self.names, self.unit = tuple(names), unit

    @classmethod
    def from_predictions(
        cls,
        scores: Any,
        teacher_scores: Any,
        *,
        values: Any = None,
        teacher_values: Any = None,
        ax: "Axes | Sequence[Axes] | None" = None,
        **kwargs: Any,
    ) -> Self:
        """Draw predictions of a student against those of its teacher.

        Parameters
        ----------
        scores, teacher_scores : array-like of shape (n,) or (n, K)
            Numbers; or labels (text or booleans) of shape (n,).
        values, teacher_values : array-like of shape (n, d) or (n, d, K), default=None
            Contributions of both; give both or none.
        ax : matplotlib Axes or sequence of them, default=None
            Where to draw: one Axes for each panel, or one Axes, which then shows only the scores. None: a new
            figure with all panels.
        **kwargs : object
            ``output_names``, ``names`` and ``unit`` of the class.

        Returns
        -------
        FidelityDisplay
            With ``ax_``, ``axes_`` and ``figure_``. The figure is not shown.
        """
        return cls(scores, teacher_scores, values=values, teacher_values=teacher_values, **kwargs).plot(ax)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, *, reasons: bool = True, ax: "Axes | Sequence[Axes] | None" = None
    ) -> Self:
        """Draw the predictions of a fitted distiller against those of its teacher.

        Predictions are compared on the scale of the distiller's `fidelity`, so that R2 is its
        ``prediction_r2``: numbers in the units of the target, log-odds clipped to those of the probabilities
        0.0001 and 0.9999, or log-probabilities minus their mean over more than two classes. Raw scores of a
        LightGBM, or of a teacher without ``predict_proba``, are also drawn outside these limits, but R2
        ignores differences there. For a FLINT model the interpreter is compared with the predictor;
        classifiers are compared by their labels.

        Parameters
        ----------
        estimator : estimator with ``teacher_``, or with ``predict_model`` and ``predict_interpretable``
            Fitted.
        X : DataFrame or array-like of shape (n, d)
            Rows, preferably ones that were not in ``fit``.
        reasons : bool, default=True
            Whether to draw contributions too, if both models explain the same columns in the same way.
        ax : matplotlib Axes or sequence of them, default=None
            Where to draw: one Axes for each panel, or one Axes, which then shows only the scores. None: a new
            figure with all panels.

        Returns
        -------
        FidelityDisplay
            With ``ax_``, ``axes_`` and ``figure_``. The figure is not shown.

        Raises
        ------
        TypeError
            If `estimator` has no teacher.
        """
        answers = answers_of(estimator, X, reasons=reasons)
        r2 = answers.pop("r2", None)
        display = cls(**answers)
        display.r2_ = display.r2_ if r2 is None else r2
        return display.plot(ax)

    def _n_panels(self) -> int:
        return 1 if self.values is None else 2

    def _new_axes(self) -> "list[Axes]":
        n = self._n_panels()
        plt = need_matplotlib()
        height = 4.4 + 0.4 * (len(self.scores) == 1)  # for the note
        axes = plt.subplots(1, n, figsize=(4.4 * n, height), layout="constrained", squeeze=False)[1]
        return list(axes[0])

    def _draw_panels(self, axes: "list[Axes]") -> None:
        k = 1 if self.labels or self.scores.ndim == 1 else self.scores.shape[1]
        if self.labels:
            draw_table(axes[0], self.scores, self.teacher_scores)
        else:
            draw_points(axes[0], *(a.reshape(-1, k) for a in (self.teacher_scores, self.scores)))
        self._finish(axes[0], self.unit, self.r2_, "same class" if self.labels else "R2")
        if k > 1:
            handles, texts = entries(axes[0], self.output_names)
            legend = axes[0].legend(handles, texts, loc="lower right", fontsize="small", handletextpad=0.1)
            for dot in legend.legend_handles:
                dot.set(alpha=1, sizes=[30])  # type: ignore[union-attr]
        if len(axes) > 1 and self.values is not None and self.teacher_values is not None:
            k = self.values.shape[2] if self.values.ndim == 3 else 1
            draw_points(axes[1], *(a.reshape(-1, k) for a in (self.teacher_values, self.values)))
            assert self.explanation_r2_ is not None
            self._finish(axes[1], "reasons", self.explanation_r2_, "R2")
        if len(self.scores) == 1:
            note(axes[0], ONE_ROW)

    def _finish(self, ax: "Axes", what: str, number: float, word: str) -> None:
        """Name both axes and write how well the two agree."""
        student, teacher = self.names
        frame(ax, f"{teacher}: {what}", f"{student}: {what}")
        if word != "R2":
            ax.grid(visible=False)
        text = f"{number:.1%} {word}" if word != "R2" else f"$R^2$ = {_decimals(number)}"
        ax.set_title(text, loc="left", fontsize="medium")


def _labels(name: str, given: Any) -> np.ndarray:
    return np.array([str(item) for item in np.asarray(given, dtype=object).ravel()], dtype=object).reshape(
        np.shape(given)
    )


def _decimals(number: float) -> str:
    """Return an R2 so that 1 is written only where it is 1."""
    if 0.999 <= number < 1:
        return f"{np.floor(number * 1e5) / 1e5:.5f}"
    return format_number(round(number, 3))
