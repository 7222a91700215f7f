"""Whether a rewritten forest says what its model says, asked on rows that try its splits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._forest import Forest, Source

ROWS_TRIED, ROWS_OF_UNTESTED = 256, 2048
"""Rows on which both are compared, and with a version of the library that was not tested. Not measured."""
LEAST, LARGEST = 1e-35, float(np.finfo(np.float32).max)
"""Sizes of cells between which all libraries tell them apart; LightGBM takes smaller ones for 0."""


def check_rewritten(source: Source, forest: Forest, booster: Any) -> None:
    """Compare a forest with its model on rows at its thresholds, with missing and unknown cells.

    Parameters
    ----------
    source : Source
        The model.
    forest : Forest
        What was read from it.
    booster : lightgbm.Booster
        What was made of that.

    Raises
    ------
    ValueError
        If they differ by more than rounding.
    """
    n_rows = ROWS_TRIED if source.is_tested else ROWS_OF_UNTESTED
    rows = trial_rows(forest, source.takes_missing(), n_rows)
    expected = source.raw_scores(rows)
    found = booster.predict(with_missing_codes(forest, rows), raw_score=True, num_threads=1)
    error = np.abs(found.reshape(expected.shape) - expected).max(axis=1)
    allowed = source.rounding * largest_sum(forest)
    if not (error <= allowed).all():
        worst = int(np.nanargmax(error)) if np.isfinite(error).any() else 0
        raise ValueError(
            f"The forest that was read from the {type(source.model).__name__} does not predict what "
            f"the model predicts: in {int((~(error <= allowed)).sum())} of {n_rows} trial rows raw "
            "scores differ by more "
            f"than {allowed:.3g}, at most by {error[worst]:.3g}. Its library may be newer than this package; "
            "expected a version that is listed in the documentation of to_lightgbm."
        )


def largest_sum(forest: Forest) -> float:
    """Give the size of the largest raw score that trees could add up to, whatever the row."""
    each = [
        abs(float(base)) + sum(float(np.abs(tree.values[tree.left < 0]).max()) for tree in trees)
        for base, trees in zip(forest.base, forest.trees, strict=True)
    ]
    return max(each)


def trial_rows(forest: Forest, takes_missing: np.ndarray, n_rows: int) -> np.ndarray:
    """Draw numbers and codes (n, d): thresholds, their neighbours, all levels, unknown and missing cells."""
    rng = np.random.default_rng(0)
    rows = np.zeros((n_rows, forest.n_features))
    for j, found in enumerate(_candidates(forest)):
        values = np.array(found) if len(found) else np.zeros(1)
        rows[:, j] = rng.choice(values, n_rows)
        if takes_missing[j]:
            rows[rng.random(n_rows) < 0.1, j] = np.nan
    return rows


def with_missing_codes(forest: Forest, codes: np.ndarray) -> np.ndarray:
    """Replace missing cells (n, d) where they have a code of their own."""
    if not forest.missing_codes:
        return codes
    own = codes.copy()
    for j, code in forest.missing_codes.items():
        own[np.isnan(own[:, j]), j] = code
    return own


def _candidates(forest: Forest) -> list[list[float]]:
    """Give cells to try in each of the d columns."""
    found: list[set[float]] = [set() for _ in range(forest.n_features)]
    for tree in (tree for trees in forest.trees for tree in trees):
        numeric = tree.left >= 0
        numeric[list(tree.sets)] = False
        for column in np.unique(tree.columns[numeric]).tolist():
            bounds = tree.thresholds[numeric & (tree.columns == column)]
            with np.errstate(over="ignore"):
                rounded = bounds.astype(np.float32)
                above = [np.nextafter(cells, cells.dtype.type(np.inf)) for cells in (bounds, rounded)]
            near = (bounds, rounded, *above)
            found[column].update(np.concatenate(near).tolist())
        for node, codes in tree.sets.items():
            found[tree.columns[node]].update(map(float, codes))
    for j, levels in enumerate(forest.levels):
        if levels is not None:
            known = len(levels) - (j in forest.missing_codes)
            found[j] = {-1.0, *map(float, range(known))}
    return [sorted(c for c in cells if c == 0 or LEAST < abs(c) < LARGEST) for cells in found]
