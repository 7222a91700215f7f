"""What a learned attribute is, for people: its weights, typical rows, columns and a rule."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from scipy.stats import rankdata

from .._files import write_text
from .._random import own_random_state
from .._weights import check_weights
from ..explanation.labels import pandas_index, row_labels
from ..tabular import TableReader
from ._describe_html import cards, lines, page, text_table
from ._relevance import mean_relevance, relevant
from ._rules import Rule, RuleColumns, fit_rule, varies

MAX_COLUMNS = 10
"""Columns listed at most: what can be read. Not measured."""
LEAST_IMPORTANCE = 0.01
"""Share of the largest importance from which a column is listed. Not measured."""
QUANTILES = (10, 50, 90)
"""Percent."""


@dataclass(frozen=True, eq=False)
class AttributeDescription:
    """Description of one attribute, a number of at least 0 that a network computes for each row.

    Parameters
    ----------
    index : int
        Position among all attributes.
    name : str
        The name that you set, or a numbered name; it is never guessed from data.
    active : bool
        Whether the attribute varies clearly; a dead attribute has no rule, columns or prototypes.
    weights : mapping of str to float
        For each output, the change of the score per unit of the attribute.
    relevance : mapping of str to float
        For each output, the mean relevance over the rows explained for it, from -1 to 1; NaN if there are
        none.
    relevant_share : float
        Share of rows in which the attribute is relevant.
    quantiles : mapping of int to float
        Its 10, 50 and 90 % quantiles over the rows.
    columns : DataFrame
        ``column``, ``importance``, ``direction`` (Spearman correlation, NaN for categories), largest first.
    prototypes, contrast : DataFrame
        Rows of your table in which the attribute is largest and smallest. The first column is its value, the
        second is the output that was explained, and the index has the labels of the rows.
    rule : Rule or None
        The rule for its largest values; None if the attribute is dead.
    """

    index: int
    name: str
    active: bool
    weights: Mapping[str, float]
    relevance: Mapping[str, float]
    relevant_share: float
    quantiles: Mapping[int, float]
    columns: Any
    prototypes: Any
    contrast: Any
    rule: Rule | None

    @property
    def speaks_for(self) -> tuple[str, ...]:
        """Outputs that it raises compared with the others, by more than half of its largest effect."""
        return self._outputs(1.0)

    @property
    def speaks_against(self) -> tuple[str, ...]:
        """Outputs that it lowers compared with the others, by more than half of its largest effect."""
        return self._outputs(-1.0)

    def _outputs(self, sign: float) -> tuple[str, ...]:
        weights = np.array(list(self.weights.values()))
        # Adding one number to the scores of all classes changes no probability.
        effects = sign * (weights - weights.mean() if len(weights) > 1 else weights)
        # Exactly half, as of (w, 0, 0), must not depend on rounding.
        least = max(0.5 * np.abs(effects).max(), 1e-9 * np.abs(weights).max()) * (1 + 1e-9)
        order = np.argsort(-effects, kind="stable")
        return tuple(list(self.weights)[c] for c in order if effects[c] > least)

    def __str__(self) -> str:
        return lines(self)

    def _repr_html_(self) -> str:
        return cards([self])


class Descriptions(Sequence[AttributeDescription]):
    """The descriptions of all attributes: a sequence, a table and a page.

    Parameters
    ----------
    descriptions : sequence of AttributeDescription
        In the order of the attributes.
    """

    def __init__(self, descriptions: Sequence[AttributeDescription]) -> None:
        self._descriptions = tuple(descriptions)

    def __len__(self) -> int:
        return len(self._descriptions)

    def __iter__(self) -> Iterator[AttributeDescription]:
        return iter(self._descriptions)

    @overload
    def __getitem__(self, key: int | str) -> AttributeDescription: ...
    @overload
    def __getitem__(self, key: slice) -> Descriptions: ...
    def __getitem__(self, key: int | str | slice) -> AttributeDescription | Descriptions:
        if isinstance(key, slice):
            return Descriptions(self._descriptions[key])
        if isinstance(key, str):
            names = [description.name for description in self]
            if key not in names:
                raise KeyError(f"no attribute is named {key!r}; the names are {names[:10]}")
            key = names.index(key)
        return self._descriptions[key]

    def to_frame(self) -> Any:
        """Return a table with one row per attribute.

        Returns
        -------
        DataFrame
            With the columns ``name``, ``active``, ``relevant_share``, ``speaks_for``, ``speaks_against``,
            ``rule`` ("no short rule" if its R2 is below 0.5), ``rule_r2`` and ``top_columns``.
        """
        import pandas as pd

        rows = [
            {
                "name": d.name,
                "active": d.active,
                "relevant_share": d.relevant_share,
                "speaks_for": ", ".join(d.speaks_for) if d.active else "",
                "speaks_against": ", ".join(d.speaks_against) if d.active else "",
                "rule": "" if d.rule is None else d.rule.text if d.rule.is_short_rule else "no short rule",
                "rule_r2": math.nan if d.rule is None else d.rule.r2,
                "top_columns": ", ".join(d.columns["column"].head(3)),
            }
            for d in self
        ]
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return text_table(self)

    def _repr_html_(self) -> str:
        return cards(self)

    def write_html(self, path: str | os.PathLike[str], title: str | None = None) -> None:
        """Write a web page in one file, without scripts and external addresses.

        Parameters
        ----------
        path : str or path-like
            File to write, or a link to it. An existing file is replaced as a whole and keeps its mode.
        title : str, optional
            Heading of the page.

        Raises
        ------
        OSError
            If no regular file can be written there. An existing file then stays unchanged.
        """
        write_text(path, page(self, "Attributes" if title is None else title))


def column_importance(
    phi_of: Callable[[np.ndarray], np.ndarray],
    matrix: np.ndarray,
    *,
    n_repeats: int = 5,
    max_rows: int = 1000,
    categorical: np.ndarray | None = None,
    random_state: Any = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Measure by how much attributes change when a column is shuffled, and which way they go with it.

    The importance is ``mean (phi(x) - phi(x shuffled))^2 / (2 var phi)``: 0 for a column without
    influence, 1 for one that alone decides.

    Parameters
    ----------
    phi_of : callable
        Gives the attributes (n, J) of a matrix of rows (n, d).
    matrix : ndarray of shape (n, d)
        Rows; whole cells are shuffled, missing ones too.
    n_repeats : int
        How often each column is shuffled.
    max_rows : int
        Of more rows a random part is used.
    categorical : ndarray of shape (d,), bool, optional
        Columns whose codes have no order.
    random_state : int, RandomState or None
        Draws rows and orders.

    Returns
    -------
    importance : ndarray of shape (d, J)
        0 for attributes that do not vary.
    direction : ndarray of shape (d, J)
        Spearman correlation over the rows in which the column is not missing; NaN for categories, and where
        column or attribute does not vary.

    Examples
    --------
    >>> matrix = np.random.default_rng(0).normal(size=(500, 2))
    >>> importance, direction = column_importance(lambda rows: np.exp(rows[:, :1]), matrix)
    >>> importance.round(1).ravel(), direction[0].round(1)
    (array([1., 0.]), array([1.]))
    """
    rng = own_random_state(random_state)
    n, d = matrix.shape
    if n > max_rows:
        matrix = matrix[rng.choice(n, max_rows, replace=False)]
    phi = np.asarray(phi_of(matrix), dtype=np.float64)
    moving = np.array([varies(values) for values in phi.T], dtype=bool)
    variance = np.where(moving, phi.var(axis=0), np.inf)
    importance, direction = np.zeros((d, phi.shape[1])), np.full((d, phi.shape[1]), np.nan)
    for j in range(d):
        shuffled = np.tile(matrix, (n_repeats, 1))
        shuffled[:, j] = np.concatenate([rng.permutation(matrix[:, j]) for _ in range(n_repeats)])
        changes = np.asarray(phi_of(shuffled), dtype=np.float64) - np.tile(phi, (n_repeats, 1))
        importance[j] = (changes**2).mean(axis=0) / (2 * variance)
        if categorical is None or not categorical[j]:
            direction[j, moving] = _spearman(matrix[:, j], phi[:, moving])
    return importance, direction


def describe(
    phi: np.ndarray,
    *,
    relevance: np.ndarray,
    explained: np.ndarray,
    weights: np.ndarray,
    output_names: Sequence[str],
    attribute_names: Sequence[str] | None = None,
    active: np.ndarray | None = None,
    reader: TableReader,
    matrix: np.ndarray,
    display: np.ndarray,
    index: Any = None,
    importance: np.ndarray,
    direction: np.ndarray,
    tau: float = 2.0,
    max_depth: int = 5,
    n_prototypes: int = 3,
    sample_weight: np.ndarray | None = None,
    random_state: Any = 0,
) -> Descriptions:
    """Describe attributes from what is known of them on some rows.

    Parameters
    ----------
    phi : ndarray of shape (n, J)
        The attributes.
    relevance : ndarray of shape (n, J)
        Contribution to the output explained over the largest in the row, from -1 to 1.
    explained : ndarray of shape (n,), int
        Which output was explained in the row; all 0 with one output.
    weights : ndarray of shape (K, J)
        Of the outputs.
    output_names : sequence of K str
        Names of the outputs.
    attribute_names : sequence of J str, optional
        ``attribute 0, attribute 1, ...`` without.
    active : ndarray of shape (J,), bool, optional
        Attributes that are not dead; without, those that vary.
    reader : TableReader
        Fitted; gives the names and levels of the columns.
    matrix, display : ndarray of shape (n, d)
        The rows as numbers and codes, and as the user typed them.
    index : pandas.Index or sequence of length n, default=None
        Labels of the rows; None: their numbers.
    importance, direction : ndarray of shape (d, J)
        What :func:`column_importance` gives.
    tau : float
        An attribute is relevant in a row if its relevance is above ``1 / tau``; with one output the sign
        does not count.
    max_depth : int
        Most conditions in a rule.
    n_prototypes : int
        Rows shown with the largest, and with the smallest, value per output whose mean relevance is above
        ``1 / tau``; if there is none, for the output where it is largest.
    sample_weight : ndarray of shape (n,), optional
        Weights of the rows in all means, shares, quantiles and rules; rows of weight 0 are not looked at.
    random_state : int, RandomState or None
        Draws the rows that rules are tested on.

    Returns
    -------
    Descriptions
        Of all J attributes, also of dead ones.

    Raises
    ------
    ValueError
        When the shape of an argument does not fit the others, or `tau` is not above 1.
    """
    import pandas as pd

    if not tau > 1:
        raise ValueError(f"tau must be a number above 1. Got {tau!r} instead.")
    names = [f"attribute {j}" for j in range(phi.shape[1])] if attribute_names is None else attribute_names
    weight = check_weights(sample_weight, len(phi))
    if active is None:
        active = np.array([varies(values) for values in phi.T], dtype=bool)
    n, n_attributes, d, k = *phi.shape, len(reader.feature_names), len(output_names)
    _check_shapes((n, n_attributes), relevance=relevance)
    _check_shapes((n,), explained=explained)
    _check_shapes((k, n_attributes), weights=weights)
    _check_shapes((n_attributes,), attribute_names=names, active=active)
    _check_shapes((n, d), matrix=matrix, display=display)
    _check_shapes((d, n_attributes), importance=importance, direction=direction)
    keep = np.flatnonzero(weight > 0)
    phi, relevance, explained, weight = phi[keep], relevance[keep], explained[keep], weight[keep]
    used, means = relevant(relevance, tau, k), mean_relevance(relevance, explained, k, weight)
    rows = pandas_index(row_labels(index, n), n)[keep]
    rows = rows.rename("row") if rows.names == [None] else rows
    table = pd.DataFrame(display[keep], columns=list(reader.feature_names), index=rows)
    outputs = np.array(output_names, dtype=object)[explained]
    columns = RuleColumns(reader, matrix[keep], display[keep])
    settings = {"max_depth": max_depth, "sample_weight": weight, "random_state": random_state}

    def of(j: int) -> AttributeDescription:
        rows = _extreme_rows(phi[:, j], explained, means[:, j], 1 / tau, n_prototypes if active[j] else 0)
        typical, contrast = (_with_values(table, names[j], phi[:, j], outputs, chosen) for chosen in rows)
        return AttributeDescription(
            index=j,
            name=names[j],
            active=bool(active[j]),
            weights=dict(zip(output_names, weights[:, j].tolist(), strict=True)),
            relevance=dict(zip(output_names, means[:, j].tolist(), strict=True)),
            relevant_share=float(np.average(used[:, j], weights=weight)),
            quantiles=_quantiles(phi[:, j], weight),
            columns=_ranked_columns(reader, importance[:, j] * active[j], direction[:, j]),
            prototypes=typical,
            contrast=contrast,
            rule=fit_rule(columns, matrix[keep], phi[:, j], **settings) if active[j] else None,
        )

    return Descriptions([of(j) for j in range(n_attributes)])


def _check_shapes(shape: tuple[int, ...], **arrays: Any) -> None:
    for name, array in arrays.items():
        if np.shape(array) != shape:
            raise ValueError(f"{name} has shape {np.shape(array)}; expected {shape}.")


def _spearman(column: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Rank correlation (J,) of a column (n,) with attributes (n, J), over rows where it is not missing."""
    known = ~np.isnan(column)
    if not known.any() or not varies(column[known]):
        return np.full(phi.shape[1], np.nan)
    a, b = rankdata(column[known]), rankdata(phi[known], axis=0)
    a, b = a - a.mean(), b - b.mean(axis=0)
    scale = np.sqrt((a**2).sum() * (b**2).sum(axis=0))
    return np.divide(a @ b, scale, out=np.full(phi.shape[1], np.nan), where=scale > 0)


def _quantiles(values: np.ndarray, weight: np.ndarray) -> dict[int, float]:
    """Give the smallest values up to which lies the share of the weight that is asked for."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    # Rounding must not move a quantile by a row.
    places = np.searchsorted(reached + 1e-9, np.array(QUANTILES) / 100)
    return {q: float(values[order[min(i, len(order) - 1)]]) for q, i in zip(QUANTILES, places, strict=True)}


def _extreme_rows(
    values: np.ndarray, explained: np.ndarray, relevance: np.ndarray, least: float, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give rows with the largest values, and others with the smallest, per output that they matter for."""
    strength = np.nan_to_num(np.abs(relevance) if len(relevance) == 1 else relevance, nan=-np.inf)
    chosen = np.flatnonzero(strength > least) if (strength > least).any() else [int(strength.argmax())]
    largest, smallest = [], []
    for c in chosen:
        rows = np.flatnonzero(explained == c)
        order = rows[np.argsort(-values[rows], kind="stable")]
        largest.append(order[:count])
        smallest.append(order[count:][::-1][:count])
    return np.concatenate(largest), np.concatenate(smallest)


def _with_values(table: Any, name: str, values: np.ndarray, outputs: np.ndarray, rows: np.ndarray) -> Any:
    frame = table.iloc[rows].copy()
    frame.insert(0, "output", outputs[rows], allow_duplicates=True)
    frame.insert(0, name, values[rows], allow_duplicates=True)
    return frame.infer_objects()


def _ranked_columns(reader: TableReader, importance: np.ndarray, direction: np.ndarray) -> Any:
    import pandas as pd

    least = max(1e-12, LEAST_IMPORTANCE * importance.max(initial=0.0))
    best = [j for j in np.argsort(-importance, kind="stable")[:MAX_COLUMNS] if importance[j] >= least]
    names = np.array(reader.feature_names, dtype=object)[best]
    return pd.DataFrame({"column": names, "importance": importance[best], "direction": direction[best]})
