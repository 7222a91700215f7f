"""Which candidates no other one beats, and which of them have room for a number."""

import numpy as np


def front_of(x: np.ndarray, y: np.ndarray, signs: tuple[int, int]) -> np.ndarray:
    """Return the positions of candidates that no other one beats.

    Parameters
    ----------
    x, y : ndarray of shape (m,)
        Two measures; candidates with a NaN or infinity are left out.
    signs : (int, int)
        1 where larger is better, -1 where smaller is.

    Returns
    -------
    ndarray of int
        By rising `x`; of equal candidates the first.

    Examples
    --------
    >>> front_of(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.4, 0.9]), (-1, 1))
    array([0, 2])
    """
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    gain, other = signs[0] * x[known], signs[1] * y[known]
    front: list[int] = []
    best = -np.inf
    for i in np.lexsort((known, -other, -gain)):
        if other[i] > best:
            best = other[i]
            front.append(known[i])
    found = np.array(front, dtype=np.intp)
    return found[np.argsort(x[found], kind="stable")]


def spread_out(points: np.ndarray, first: int, count: int, apart: float) -> np.ndarray:
    """Choose points of a curve that are far from each other: both ends early, then always the farthest one.

    Parameters
    ----------
    points : ndarray of shape (m, 2)
        In the order of the curve.
    first : int
        Position of the one that is chosen in any case.
    count : int
        How many at most.
    apart : float
        Least distance of two of them.

    Returns
    -------
    ndarray of int
        Positions, rising.

    Examples
    --------
    >>> spread_out(np.array([[0, 0], [1, 0], [5, 0], [9, 0]]), first=0, count=3, apart=2.0)
    array([0, 2, 3])
    """
    ends = np.isin(np.arange(len(points)), (0, len(points) - 1))
    kept, distance = [first], np.full(len(points), np.inf)
    while len(kept) < count:
        distance = np.minimum(distance, np.hypot(*(points - points[kept[-1]]).T))
        # An end goes before what is between, where it is not too near.
        far = int((distance * (1 + 99 * (ends & (distance >= apart)))).argmax())
        if distance[far] < apart:
            break
        kept.append(far)
    return np.sort(kept)
