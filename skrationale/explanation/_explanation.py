"""Explanation: one type for the reasons of all families."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _frame, _grouping, _joining, checks, labels
from ._cells import DisplayData
from ._selecting import fields_of_rows
from .wording import strength, strongest

if TYPE_CHECKING:
    import shap

    from ..plotting import BarDisplay, BeeswarmDisplay, DependenceDisplay, RationaleDisplay, WaterfallDisplay

KINDS = ("additive", "rationale", "attribute", "formula")
PLOTS = ("bar", "waterfall", "beeswarm", "rationale", "dependence")
LINKS = ("identity", "log", "logit", "softmax", "probability")


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Explanation of predictions: one number for each row, original column and output.

    Below, n is the number of rows, d of original columns and k of outputs. Arrays are read-only. They are
    copied, except those of float64 that are read-only already and own their memory: do not write to these any
    more. A binary classifier has one output: the positive class, in log-odds. ``explanation[rows]`` selects
    rows by position, as in an array. Rows keep their labels.

    Parameters
    ----------
    values : array-like of shape (n, d) or (n, d, k)
        Contributions, in units of the score that `link` names; NaN if undefined. With ``kind="rationale"``:
        the weight with which a column was chosen, or 0 if it was not chosen.
    base_values : float or array-like of shape (k,), (n,) or (n, k)
        The score without any contribution. A scalar, or one number per output, is repeated for each row.
    data : array-like of shape (n, d), default=None
        The input of the model: numbers and category codes; NaN is kept.
    display_data : array-like of shape (n, d), default=None
        The values of your table: strings, numbers, None. In explanations of estimators they take no memory,
        because they are computed from `data` when this array is used.
    feature_names : sequence of str, default=()
        Names of the d columns; if empty, ``x0, x1, ...``.
    output_names : str or sequence of str, default=()
        Names of the k outputs, all different.
    lower_bounds, upper_bounds : array-like of the shape of `values`, default=None
        Lower and upper bound of each contribution.
    mask : array-like of bool of shape (n, d), default=None
        The rationale: True for columns that the prediction of the row used.
    attributes : dict, default=None
        A table of learned attributes. A numpy array in it must have one entry for each row, and is sliced
        with the rows. Give data that do not belong to rows as lists or other plain data.
    formula : str, default=None
        The formula that makes the predictions.
    kind : {"additive", "rationale", "attribute", "formula"}, default="additive"
        Kind of the values. All kinds except "rationale" add up to the score.
    link : {"identity", "log", "logit", "softmax", "probability"}, default="identity"
        Units of the score: predictions themselves, their logarithm, log-odds of the positive class, one score
        per class before the softmax, or probabilities.
    meta : dict, default={}
        Plain data about how the explanation was made, nested at most 100 deep. Tuples and arrays become
        lists.
    index : pandas.Index or sequence of length n, default=None
        Labels of the rows, such as those of a DataFrame; None: rows are numbered from 0.

    Raises
    ------
    TypeError
        If a parameter is not of the type above.
    ValueError
        If shapes differ, a name is not known, or a base value is not finite.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> e = Explanation([[1.0, -3.0], [0.5, 2.0]], 0.1, feature_names=["age", "hours"])
    >>> e
    Explanation(kind='additive', 2 rows, 2 features, 1 output, link='identity')
    >>> e.top(1)
    ['hours']
    >>> e[0].scores()
    array([-1.9])
    """

    values: np.ndarray
    base_values: np.ndarray
    data: np.ndarray | None = None
    display_data: DisplayData = DisplayData()  # noqa: RUF009, a descriptor
    feature_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    lower_bounds: np.ndarray | None = None
    upper_bounds: np.ndarray | None = None
    mask: np.ndarray | None = None
    attributes: dict[str, Any] | None = None
    formula: str | None = None
    kind: str = "additive"
    link: str = "identity"
    meta: dict[str, Any] = field(default_factory=dict)
    index: Any = None

    concat = classmethod(_joining.concat)
    grouped = _grouping.grouped
    to_frame = _frame.to_frame

    def __post_init__(self) -> None:
        checks.one_of("kind", self.kind, KINDS)
        checks.one_of("link", self.link, LINKS)
        checks.text_or_none("formula", self.formula)
        values = checks.value_array(self.values)
        n, d, k = (*values.shape, 1)[:3]
        own: dict[str, Any] = {
            "values": values,
            "base_values": checks.base_array(self.base_values, values),
            "feature_names": checks.names("feature_names", self.feature_names, d, "x"),
            "output_names": checks.names("output_names", self.output_names, k, "output", unique=True),
            "attributes": checks.attribute_table(self.attributes, n),
            "meta": checks.plain_dict("meta", self.meta),
            "index": labels.row_labels(self.index, n),
        }
        if self.data is not None:
            own["data"] = checks.numbers(checks.ROWS_AND_FEATURES, "data", self.data, (n, d))
        if self._typed is not None:
            own["display_data"] = checks.display_cells(self._typed, (n, d))
        for name in ("lower_bounds", "upper_bounds"):
            if getattr(self, name) is not None:
                own[name] = checks.numbers("the shape of `values`", name, getattr(self, name), values.shape)
        if self.mask is not None:
            own["mask"] = checks.bool_array(self.mask, (n, d))
        elif self.kind == "rationale":
            raise ValueError("`mask` is None, expected a bool array of shape (n, d) with kind='rationale'.")
        for name, value in own.items():
            object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        """Write base values down for each row, as they are after a pickle was loaded."""
        return self.__dict__ | {"base_values": np.ascontiguousarray(self.base_values)}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)
        if "display_data" in self.__dict__:  # as earlier versions pickled it
            self.__dict__["_display_data"] = self.__dict__.pop("display_data")
        # numpy forgets on pickling that an array is read-only.
        for value in (*self.__dict__.values(), *(self.attributes or {}).values()):
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def _typed(self) -> Any:
        """What `display_data` is made of."""
        return self.__dict__["_display_data"]

    def _changed(self, **changes: Any) -> "Explanation":
        """Return a copy with other fields; cells that nobody has looked at yet are not made."""
        return replace(self, **({"display_data": self._typed} | changes))

    def __len__(self) -> int:
        return self.values.shape[0]

    def __repr__(self) -> str:
        counts = ((len(self), "row"), (len(self.feature_names), "feature"), (self.n_outputs, "output"))
        words = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
        return f"Explanation(kind={self.kind!r}, {words}, link={self.link!r})"

    def __getitem__(self, rows: Any) -> "Explanation":
        return self._changed(**fields_of_rows(self, rows))

    @property
    def n_outputs(self) -> int:
        """Number of outputs, k."""
        return len(self.output_names)

    def for_output(self, output: str | int) -> "Explanation":
        """Return the explanation of one output, with `values` of shape (n, d).

        Parameters
        ----------
        output : str or int
            Name of the output, or its position.

        Returns
        -------
        Explanation
            The contributions to this output only; attributes, formula and meta are kept unchanged.

        Raises
        ------
        ValueError
            If there is no such output; the message lists the existing ones.

        Examples
        --------
        >>> from skrationale.explanation import Explanation
        >>> e = Explanation([[[1.0, 2.0]]], 0.0, output_names=["cat", "dog"], link="softmax")
        >>> e.for_output("dog").values
        array([[2.]])
        """
        position = checks.output_place(output, self.output_names)
        if self.n_outputs == 1:
            return self
        arrays = ("values", "base_values", "lower_bounds", "upper_bounds")
        cut = {name: a[..., position] for name in arrays if (a := getattr(self, name)) is not None}
        return self._changed(output_names=(self.output_names[position],), **cut)

    def mean_abs(self) -> np.ndarray:
        """Return the mean absolute value over rows; undefined (NaN) values are left out.

        Returns
        -------
        ndarray of shape (d,) or (d, k)
            Global importance of each feature, in units of the score; 0 when there are no rows.
        """
        defined = ~np.isnan(self.values)
        total = np.abs(self.values).sum(axis=0, where=defined)
        return total / np.maximum(defined.sum(axis=0), 1)

    def top(self, n: int = 10) -> list[str]:
        """Return the names of the features that matter most.

        Parameters
        ----------
        n : int, default=10
            How many, at most.

        Returns
        -------
        list of str
            Sorted by mean absolute value, summed over outputs, largest first; equal ones stay in column
            order.
        """
        return strongest(self.feature_names, strength(self), n)

    def scores(self) -> np.ndarray:
        """Return base values plus the sum of all contributions.

        Returns
        -------
        ndarray of shape (n,) or (n, k)
            The explained score, in the units that `link` names.

        Raises
        ------
        ValueError
            With ``kind="rationale"``, because weights of selected cells do not add up to a score.
        """
        if self.kind == "rationale":
            raise ValueError("`kind` is 'rationale': its values do not add up to a score.")
        return self.base_values + self.values.sum(axis=1)

    def additivity_error(self, scores: Any, *, scale: Literal["auto", "score", "response"] = "auto") -> float:
        """Return how far base values plus contributions are from the scores of the model.

        Base values and contributions add up to the score. The score of a classifier is the result of
        ``decision_function``. The score of a regressor with the link "identity" is the result of ``predict``.
        With the link "log" or "logit" a regressor predicts the response, ``exp(score)`` or
        ``1 / (1 + exp(-score))``. The sums are then transformed in the same way before they are compared.

        Parameters
        ----------
        scores : array-like of shape (n,) or (n, k)
            The result of ``decision_function``, or of a regressor's ``predict``. Raw scores of a regressor
            and probabilities are possible too; for two classes, give the probabilities of the positive class.
        scale : {"auto", "score", "response"}, default="auto"
            Whether `scores` holds raw scores or responses. "auto" chooses the one that the sums are close to.
            If the sums are close to neither, an error says that this parameter is needed.

        Returns
        -------
        float
            The largest ``|sums - scores|``, where ``sums = base + sum(values)``, divided by the largest
            absolute value among scores, base and values. The divisor includes the values, because rounding
            errors are about 1e-16 of the largest value. With a link, or if base and values are all 0, the
            divisor is at least 1. Responses are compared with the responses computed from the sums, and the
            divisor is the largest response, or 1 if that is larger.

        Raises
        ------
        TypeError
            If `scores` holds no numbers.
        ValueError
            If shapes differ, `scores` holds labels, or "auto" finds no scale; also with ``kind="rationale"``.

        Examples
        --------
        >>> from skrationale.explanation import Explanation
        >>> Explanation([[1.0, 2.0]], 0.5).additivity_error([4.5])
        0.2222222222222222
        >>> counts = Explanation([[1.0, -2.0]], 0.5, link="log")
        >>> counts.additivity_error(np.exp([-0.5])), counts.additivity_error([-0.5])
        (0.0, 0.0)
        """
        from ._additivity import additivity_error

        return additivity_error(self, scores, scale)

    def to_dict(self) -> dict[str, Any]:
        """Return plain Python data, ready for JSON.

        Returns
        -------
        dict
            Arrays become nested lists. In arrays of numbers NaN becomes None, and infinity becomes "inf".
        """
        from ._json import to_plain

        return to_plain(self)

    def to_json(self) -> str:
        """Return strict JSON from which `from_json` makes the same explanation.

        Returns
        -------
        str
            Numbers are exact. Entries of `display_data` and row labels that are not strings, numbers, bools
            or None are written as their ``str``. An Index of pandas keeps its type (dates, periods,
            categories, levels).
        """
        from ._json import to_text

        return to_text(self)

    @classmethod
    def from_json(cls, text: str) -> "Explanation":
        """Make an explanation from what `to_json` wrote.

        Parameters
        ----------
        text : str
            The JSON.

        Returns
        -------
        Explanation
            The same explanation that was written.

        Raises
        ------
        TypeError
            If `text` is neither a string nor bytes.
        ValueError
            If the text is not JSON, or an entry, type or shape in it is not as `to_json` writes it.

        Examples
        --------
        >>> from skrationale.explanation import Explanation
        >>> e = Explanation([[1.0]], 0.0, data=[[float("nan")]])
        >>> Explanation.from_json(e.to_json()).data
        array([[nan]])
        """
        from ._json_reading import fields_from_text

        return cls(**fields_from_text(text))

    def to_shap(self) -> "shap.Explanation":
        """Return a ``shap.Explanation``, for the plots of shap.

        Returns
        -------
        shap.Explanation
            Numbers and category codes are in ``data``, and the values of your table are in ``display_data``.
            Mask, attributes, formula, kind, link and meta are left out, because shap has no place for them.

        Raises
        ------
        ImportError
            If shap is not installed.
        """
        from ._shap import to_shap

        return to_shap(self)

    def plot(
        self,
        kind: Literal["bar", "waterfall", "beeswarm", "rationale", "dependence"] = "bar",
        ax: Any = None,
        **kwargs: Any,
    ) -> "BarDisplay | WaterfallDisplay | BeeswarmDisplay | RationaleDisplay | DependenceDisplay":
        """Draw the explanation with matplotlib.

        Parameters
        ----------
        kind : {"bar", "waterfall", "beeswarm", "rationale", "dependence"}, default="bar"
            "bar" shows the mean absolute value of each feature, "waterfall" how the contributions of one row
            add up to its score, "beeswarm" every value of every row, "rationale" the cells that each
            prediction used, and "dependence" the cells of one column against their contributions.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        **kwargs : dict
            Passed to ``from_explanation`` of the display.

        Returns
        -------
        BarDisplay, WaterfallDisplay, BeeswarmDisplay, RationaleDisplay or DependenceDisplay
            Holds ``ax_`` and ``figure_``.
        """
        from .. import plotting

        displays = {name: getattr(plotting, f"{name.capitalize()}Display") for name in PLOTS}
        checks.one_of("kind", kind, PLOTS)
        return displays[kind].from_explanation(self, ax=ax, **kwargs)

    def _repr_html_(self) -> str:
        from .html import card

        return card(self)

    def write_html(
        self,
        path: str | os.PathLike[str],
        title: str | None = None,
        *,
        max_rows: int = 20,
        interactive: bool = False,
    ) -> None:
        """Write a web page in one file: no external addresses, and no scripts unless you ask for one.

        Parameters
        ----------
        path : str or path-like
            File to write, or a link to it. An existing file is replaced as a whole and keeps its mode.
        title : str, default=None
            Title of the page.
        max_rows : int, default=20
            How many rows, from the first, are shown one by one.
        interactive : bool, default=False
            Whether the file holds one script, which sorts tables and filters rows and columns.

        Raises
        ------
        OSError
            If no regular file can be written there. An existing file then stays unchanged.
        """
        from .._files import write_text
        from .html import page

        write_text(path, page(self, title, max_rows, interactive))
