"""Fitted state as it is after a pickle was loaded, so that a hash of it stays what it is."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

PACKAGE = __name__.partition(".")[0]


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Give an estimator its attributes back when the block fails or is interrupted; else settle new ones."""
    before = dict(vars(estimator))
    try:
        yield
        settle(estimator)
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def forget_fit(estimator: Any) -> None:
    """Remove the attributes of an earlier fit."""
    for name in [name for name in vars(estimator) if name.endswith("_") and not name.startswith("_")]:
        delattr(estimator, name)


def settle(estimator: Any) -> None:
    """Lay out the fitted arrays of an estimator as they come out of a pickle.

    A hash such as joblib's looks at the steps in memory too. Those of a view, or of an array with one entry
    along an axis, are lost when it is pickled. Such arrays are copied, which also lets go of what they are a
    view of; parameters and objects of other packages are left alone.

    Parameters
    ----------
    estimator : estimator
        Just fitted; changed in place.
    """
    known = set(estimator.get_params(deep=False))
    done: dict[int, Any] = {}
    for name, value in list(vars(estimator).items()):
        if name not in known:
            vars(estimator)[name] = _settled(value, done)


def _settled(value: Any, done: dict[int, Any]) -> Any:
    """Give the value, or a copy of an array; `done` keeps what several share in one place, and alive."""
    if not isinstance(value, np.ndarray | list | tuple | dict) and not _is_own(value):
        return value
    if id(value) in done:
        return done[id(value)][1]
    done[id(value)] = value, value
    result: Any = value
    if isinstance(value, np.ndarray):
        result = as_loaded(value)
    elif type(value) in (list, tuple):
        parts = [_settled(part, done) for part in value]
        if any(new is not old for new, old in zip(parts, value, strict=True)):
            result = type(value)(parts)
    elif type(value) is dict:
        found = {key: _settled(part, done) for key, part in value.items()}
        if any(found[key] is not value[key] for key in value):
            result = found
    elif _is_own(value):
        for name, part in list(vars(value).items()):
            new = _settled(part, done)
            if new is not part:
                vars(value)[name] = new
    done[id(value)] = value, result
    return result


def _is_own(value: Any) -> bool:
    """Whether it is an object of this package, but no estimator: those have been settled in their own fit."""
    own = type(value).__module__.partition(".")[0] == PACKAGE
    return own and hasattr(value, "__dict__") and not hasattr(value, "get_params")


def as_loaded(array: np.ndarray) -> np.ndarray:
    """Give an array with the steps that it has after a pickle was loaded: itself, or a copy.

    Examples
    --------
    >>> import numpy as np
    >>> as_loaded(np.arange(6)[::2]).strides, as_loaded(np.zeros((2, 3), order="F")).strides
    ((8,), (8, 16))
    """
    if type(array) is not np.ndarray:
        return array
    if array.size:
        fortran = array.flags.f_contiguous and not array.flags.c_contiguous
        loaded = np.empty(array.shape, array.dtype, order="F" if fortran else "C")
    else:  # numpy makes it with steps of 0, and loads it with others
        loaded = pickle.loads(pickle.dumps(array))
    if loaded.strides == array.strides:
        return array
    loaded[...] = array
    loaded.setflags(write=array.flags.writeable)
    return loaded
