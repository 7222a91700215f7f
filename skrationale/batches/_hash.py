"""A text that stands for what an object holds: the same after pickle, and in another process."""

from __future__ import annotations

import hashlib
import pickle
from typing import Any

import numpy as np


class _Sink:
    """Hashes what is written to it."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.hash.update(data)
        return len(data)


class _Canonical(pickle.Pickler):
    """Writes equal objects alike, however they lie in memory."""

    def persistent_id(self, obj: Any) -> Any:
        if type(obj) in (np.ndarray, np.memmap):
            if obj.dtype.hasobject:
                return "array", obj.dtype.str, obj.shape, obj.ravel().tolist()
            # strides change on the way through pickle
            content = hashlib.sha256(np.ascontiguousarray(obj).tobytes()).digest()
            return "array", obj.dtype.descr, obj.shape, content
        if isinstance(obj, set | frozenset):
            return "set", sorted(map(digest, obj))
        return None


def digest(value: Any) -> str:
    """Hash whatever can be pickled.

    Parameters
    ----------
    value : object
        A fitted model, for example.

    Returns
    -------
    str
        A SHA-256. Which objects are shared within `value`, the layout of arrays and the order of sets change
        nothing.

    Examples
    --------
    >>> import numpy as np
    >>> text = "a b"
    >>> digest([text, text, np.zeros((2, 2))[:, 0]]) == digest(["a b", " ".join("ab"), np.zeros(2)])
    True
    >>> digest({"a": 1}) == digest({"a": 2})
    False
    """
    try:
        return _digest(value, shared=False)
    except (ValueError, RecursionError):  # something within holds itself
        return _digest(value, shared=True)


def _digest(value: Any, *, shared: bool) -> str:
    sink = _Sink()
    pickler = _Canonical(sink, protocol=5)
    pickler.fast = not shared
    pickler.dump(value)
    return sink.hash.hexdigest()
