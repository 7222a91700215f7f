"""LambdaPathDisplay: how measures change with the weight of a term."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._hooks import hooks_of
from ..explanation import checks
from ..writing import format_number, need_matplotlib, shorten
from ._candidates import best_of_each, column, known_keys, spread_of
from ._display import PanelDisplay
from ._style import LEGEND_ABOVE, OUTPUTS, colour_of, entry, frame, note, thin_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ONE = "One value: there is no path to show. Compare several values, or read the measures as numbers."
NOT_DRAWN = ("selected", "admissible", "n_iter", "seconds", "standard_error")


class LambdaPathDisplay(PanelDisplay):
    """Measures against lambda on a logarithmic axis, with the chosen lambda and bands of error.

    Measures with different units have panels of their own, one below the other. The axis is linear below the
    smallest positive lambda, so that 0 is on it. Make one with `from_estimator`, `from_cv_results`, or from
    numbers.

    Parameters
    ----------
    lambdas : array-like of shape (m,)
        Values, in any order.
    measures : dict of str to array-like of shape (m,)
        Name and numbers of each measure; NaN for missing numbers.
    errors : dict of str to array-like of shape (m,), default=None
        Half widths of the bands, for some of the measures.
    chosen : float, default=None
        The chosen lambda.
    name : str, default="lambda"
        Name of the parameter.
    error_name : str, default="error"
        Name of the bands.
    chosen_name : str, default="chosen"
        Why this lambda was chosen.
    panels : sequence of sequences of str, default=None
        Measures that share a panel; None: each has its own.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The first panel.
    axes_ : ndarray of Axes of shape (n_panels,)
        All panels that were drawn last.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    Raises
    ------
    TypeError
        If a parameter is not of the type above.
    ValueError
        If lengths differ, if there is nothing to draw, or if a panel or error names no measure.

    Examples
    --------
    >>> from skrationale.plotting import LambdaPathDisplay
    >>> path = LambdaPathDisplay([0, 0.01, 0.1], {"loss": [0.5, 0.3, 0.4]}, chosen=0.01).plot()
    >>> path.ax_.get_xscale(), path.ax_.get_legend().get_texts()[-1].get_text()
    ('symlog', 'chosen: 0.01')
    """

    def __init__(
        self,
        lambdas: Any,
        measures: Mapping[str, Any],
        *,
        errors: Mapping[str, Any] | None = None,
        chosen: float | None = None,
        name: str = "lambda",
        error_name: str = "error",
        chosen_name: str = "chosen",
        panels: Sequence[Sequence[str]] | None = None,
    ) -> None:
        self.lambdas = checks.number_array("lambdas", lambdas)
        if self.lambdas.ndim != 1 or not self.lambdas.size or not np.isfinite(self.lambdas).all():
            raise ValueError(
                f"`lambdas` must be one or more finite numbers, got an array of shape {self.lambdas.shape}."
            )
        self.measures = self._columns("measures", measures)
        self.errors = self._columns("errors", {} if errors is None else errors)
        if not self.measures:
            raise ValueError("`measures` is empty, expected at least one measure.")
        self.panels = [[key] for key in self.measures] if panels is None else [list(keys) for keys in panels]
        for title, keys in (("errors", list(self.errors)), ("panels", sum(self.panels, []))):
            unknown = [key for key in keys if key not in self.measures]
            if unknown:
                raise ValueError(f"`{title}` must name measures among {list(self.measures)}, got {unknown}.")
        if not self.panels or not all(self.panels):
            raise ValueError(f"`panels` must be lists of measures, got {panels!r}.")
        self.chosen = None if chosen is None else float(chosen)
        self.name, self.error_name, self.chosen_name = name, error_name, chosen_name

    def _columns(self, title: str, table: Mapping[str, Any]) -> dict[str, np.ndarray]:
        if not isinstance(table, Mapping):
            raise TypeError(f"`{title}` must be a dict, got {type(table).__name__}.")
        columns = {key: checks.number_array(f"{title}[{key!r}]", value) for key, value in table.items()}
        for key, array in columns.items():
            checks.shaped(f"{title}[{key!r}]", array, self.lambdas.shape, "one number a lambda")
        return columns

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        measures: Sequence[str] | None = None,
        ax: "Axes | Sequence[Axes] | None" = None,
    ) -> Self:
        """Draw the lambdas that a fitted estimator compared.

        Parameters
        ----------
        estimator : estimator with ``lambda_path_``
            Fitted: a rationale model, a SmoothMLP, a SymbolicDistiller.
        measures : sequence of str, default=None
            Keys of ``lambda_path_``; None: all measures.
        ax : matplotlib Axes or sequence of them, default=None
            Where to draw: one Axes for each panel, or one Axes, which then shows only the first panel. None:
            a new figure with all panels.

        Returns
        -------
        LambdaPathDisplay
            With ``ax_``, ``axes_`` and ``figure_``. The figure is not shown.

        Raises
        ------
        TypeError
            If `estimator` has no ``lambda_path_``.
        ValueError
            If no lambdas were compared, or if a measure does not exist.
        """
        path = hooks_of(estimator)._lambdas_compared()
        if path is None:
            raise TypeError(
                f"`estimator` must be fitted and have a `lambda_path_`, got {type(estimator).__name__}."
            )
        if not path:
            raise ValueError("`estimator` has an empty `lambda_path_`: no lambdas were compared in its fit.")
        name = next(key for key in path[0] if key.endswith("_lambda"))
        known = [key for key in path[0] if key != name and key not in NOT_DRAWN and not key.endswith("_std")]
        wanted = known if measures is None else list(measures)
        unknown = [key for key in wanted if key not in known]
        if unknown or not wanted:
            raise ValueError(f"`measures` must be among {known}, got {unknown}.")
        errors = {}
        for key in wanted:
            error = "standard_error" if key == "validation_loss" else f"{key}_std"
            if error in path[0]:
                errors[key] = [step[error] for step in path]
        return cls(
            [step[name] for step in path],
            {key: [step[key] for step in path] for key in wanted},
            errors=errors,
            chosen=next((step[name] for step in path if step.get("selected")), None),
            name=name,
            error_name="standard error" if "validation_loss" in errors else "standard deviation over folds",
            panels=_alike(wanted),
        ).plot(ax)

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        param: str,
        *,
        measures: Sequence[str] | None = None,
        ax: "Axes | Sequence[Axes] | None" = None,
    ) -> Self:
        """Draw scores of a search against one of its parameters.

        If several candidates have the same value of the parameter, the one with the highest first measure is
        drawn. The value with the highest first measure of all is marked as the best.

        Parameters
        ----------
        cv_results : dict
            ``cv_results_`` of a fitted GridSearchCV or a similar search.
        param : str
            Name of a parameter with numbers, as in the grid or as a key (``"param_..."``).
        measures : sequence of str, default=None
            Keys; None: all ``"mean_test_..."``. Bands are one standard deviation over folds.
        ax : matplotlib Axes or sequence of them, default=None
            Where to draw: one Axes for each panel, or one Axes, which then shows only the first panel. None:
            a new figure with all panels.

        Returns
        -------
        LambdaPathDisplay
            With ``ax_``, ``axes_`` and ``figure_``. The figure is not shown.

        Raises
        ------
        ValueError
            If there is no such parameter or measure; the message lists the existing ones.
        """
        keys = [key for key in known_keys(cv_results) if key.startswith("param_")]
        key = param if param in keys else f"param_{param}"
        if key not in keys:
            names = [key.removeprefix("param_") for key in keys]
            raise ValueError(f"`param` must be one of {names}, got {param!r}.")
        lambdas = column(cv_results, "param", key)
        tests = [name for name in cv_results if name.startswith("mean_test_")]
        wanted = tests if measures is None else list(measures)
        if not wanted:
            raise ValueError(f"`measures` must be among {known_keys(cv_results)}, got none.")
        table = {name: column(cv_results, "measures", name) for name in wanted}
        first = np.nan_to_num(table[wanted[0]], nan=-np.inf)
        kept = best_of_each(lambdas, first)
        spreads = {name: spread_of(cv_results, name) for name in wanted}
        return cls(
            lambdas[kept],
            {name: values[kept] for name, values in table.items()},
            errors={name: values[kept] for name, values in spreads.items() if values is not None},
            chosen=lambdas[kept[first[kept].argmax()]] if np.isfinite(first[kept]).any() else None,
            name=key.removeprefix("param_"),
            error_name="standard deviation over folds",
            chosen_name="best",
        ).plot(ax)

    def _n_panels(self) -> int:
        return len(self.panels)

    def _new_axes(self) -> "list[Axes]":
        n = len(self.panels)
        size = (6.4, 1.2 + (2.6 if n == 1 else 1.7 * n))
        axes = need_matplotlib().subplots(
            n, 1, figsize=size, layout="constrained", sharex=True, squeeze=False
        )
        axes[0].align_ylabels(axes[1][:, 0])
        return list(axes[1][:, 0])

    def _draw_panels(self, axes: "list[Axes]") -> None:
        order = np.argsort(self.lambdas, kind="stable")
        lambdas = self.lambdas[order]
        stacked, labelled = len(axes) > 1, False
        for i, (ax, keys) in enumerate(zip(axes, self.panels, strict=False)):
            for k, key in enumerate(keys):
                values, colour = self.measures[key][order], colour_of(k)
                ax.plot(lambdas, values, "o-", color=colour, markersize=4, label=entry(_words(key)))
                if key in self.errors:
                    error = np.nan_to_num(self.errors[key][order])
                    band = None if labelled else f"± {self.error_name}"
                    ends, labelled = (values - error, values + error), True
                    ax.fill_between(lambdas, *ends, color=colour, alpha=0.2, linewidth=0, label=band)
            last = not stacked or i == len(axes) - 1
            frame(ax, self.name if last else "", _words(keys[0]) if len(keys) == 1 else "")
            if self.chosen is not None:
                text = f"{self.chosen_name}: {format_number(self.chosen)}" if i == 0 else None
                ax.axvline(self.chosen, color=OUTPUTS[5], linestyle="--", linewidth=1.4, label=text)
            _scale(ax, lambdas)
            thin_ticks(ax)
            _legend(ax, n_lines=len(keys))
        if len(np.unique(lambdas)) == 1:
            note(axes[-1], ONE)


def _scale(ax: "Axes", lambdas: np.ndarray) -> None:
    """Make the axis logarithmic, with room for 0, where lambdas are not negative."""
    positive = lambdas[lambdas > 0]
    if lambdas.min() < 0 or not positive.size or len(np.unique(lambdas)) < 2:
        return
    if len(positive) == len(lambdas):
        ax.set_xscale("log")
        return
    ax.set_xscale("symlog", linthresh=positive.min(), linscale=0.6)
    ax.set_xlim(-0.25 * positive.min(), positive.max() * 1.25)


def _legend(ax: "Axes", *, n_lines: int) -> None:
    """Name the lines where there are several, and what else has a name."""
    handles, texts = ax.get_legend_handles_labels()
    line = ax.get_lines()[0]
    kept = [i for i, handle in enumerate(handles) if n_lines > 1 or handle is not line]
    if kept:
        ax.legend([handles[i] for i in kept], [texts[i] for i in kept], ncols=2, **LEGEND_ABOVE)


def _alike(keys: list[str]) -> list[list[str]]:
    """Put accuracies and R2, which have one unit, on one panel."""
    shares = [key for key in keys if key.endswith(("_score", "_r2"))]
    panels = [shares] if len(shares) > 1 else []
    return panels + [[key] for key in keys if [shares] != panels or key not in shares]


def _words(key: str) -> str:
    return shorten(key.replace("_", " "), 28)
