"""Which versions of other libraries were tested."""

from __future__ import annotations

import warnings
from importlib.metadata import version

from .._callers import outside

TESTED = {"scikit-learn": (1, 9), "xgboost": (3, 2), "catboost": (1, 2)}
"""The newest versions that were tested, by library."""
_warned: set[str] = set()


def is_tested(library: str, found: str | None = None) -> bool:
    """Say whether a version was tested; warn once a process of one that is newer.

    Parameters
    ----------
    library : {"scikit-learn", "xgboost", "catboost"}
        Its name.
    found : str, optional
        Its version; None: the one that is installed under this name.

    Returns
    -------
    bool
    """
    found = version(library) if found is None else found
    major, minor, *_ = [int(part) for part in found.split(".")[:2]] + [0]
    if (major, minor) <= TESTED[library]:
        return True
    if library not in _warned:
        _warned.add(library)
        newest = ".".join(map(str, TESTED[library]))
        warnings.warn(
            f"{library} {found} is newer than {newest}, the newest version whose models were tested here. "
            "Each converted forest is compared with its model on more rows, and an error is raised if "
            "they differ.",
            UserWarning,
            stacklevel=outside(),
        )
    return False
