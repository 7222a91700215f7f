"""The search for a law without noise: without the engine first, then with it, in views of few arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import sympy as sp

from ._search import Begun, Searcher
from ._targets import Target
from ._views import View

NO_NOISE = 0.01
"""A teacher whose loss against `y` is at most this share of that of a constant has no noise to take away, so
that `y` itself is searched for. Not measured."""
MAYBE_LAW = 0.3
"""Where the teacher's loss is at most this share of that of a constant, laws are looked for. Not measured."""
START_SHARE = 0.12
"""Share of the effort by which it is found out which of several searches goes on. Not measured."""
LAW_PARTS = 5
"""After each so many parts of a search for a law it is seen whether it was found. Not measured."""


def search_law(
    searcher: Searcher,
    target: Target,
    left_open: float,
    find_views: Callable[[], tuple[list[View], list[View]]],
    rng: np.random.RandomState,
) -> bool:
    """Search for `y` if it may follow a law without noise; tell whether nothing else need be searched for.

    Parameters
    ----------
    searcher : Searcher
        Keeps what is found.
    target : Target
        The labels.
    left_open : float
        Share of them that the teacher leaves open.
    find_views : callable
        Gives the views of the teacher, see :func:`~._views.find_views`.
    rng : RandomState
        Source of seeds.

    Returns
    -------
    bool
        True where a law was found, or the teacher leaves next to nothing open.
    """
    if left_open > MAYBE_LAW:
        return False
    ends, between = find_views()
    is_exact = left_open <= NO_NOISE
    if not (is_exact or ends):
        return False
    found = _find(searcher, target, [*ends, *between])
    if is_exact and not found:
        _search(searcher, target, ends, rng)
    return is_exact or found


def _find(searcher: Searcher, target: Target, views: Sequence[View]) -> bool:
    """Look for a product, or a law of few terms, in a view of few arguments or in all columns."""
    searcher.add_product(target)
    for view in (*views, _all_columns(searcher)):
        if searcher.is_said(target) or searcher.is_late():
            break
        searcher.add_sum(target, view)
        searcher.polish(target)
    return searcher.is_said(target)


def _search(searcher: Searcher, target: Target, views: Sequence[View], rng: np.random.RandomState) -> None:
    """Let the engine search in several ways, a while in each, then in the best, until a law is found.

    The ways are all columns as they are, views that have fewer arguments, and all columns centred.
    """
    ways: list[Callable[[], Begun | None]] = [
        *(partial(searcher.begin_view, target, view, rng) for view in (_all_columns(searcher), *views)),
        partial(searcher.begin, target, 0, rng, centre=True),
    ]
    tried: list[tuple[float, Begun]] = []
    for way in ways:
        begun = None if searcher.is_said(target) else way()
        if begun is not None:
            found = searcher.go_on(begun, START_SHARE)
            tried.append((searcher.least_loss(found, target), begun))
            searcher.polish(target)
    if not tried:
        return
    _, best = min(tried, key=lambda each: each[0])
    parts = LAW_PARTS if best.running.goes_on else 1
    for _ in range(parts):
        if not searcher.is_said(target):
            searcher.go_on(best, (searcher.budget.whole - START_SHARE * len(tried)) / parts)
            searcher.polish(target)


def _all_columns(searcher: Searcher) -> View:
    return View(sp.S.One, searcher.variables)
