"""Where a warning points to: the line of the user that called the package."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType

PACKAGE = str(Path(__file__).parent) + os.sep
BETWEEN = frozenset({"sklearn", "joblib", "skorch"})
"""Packages whose pipelines, searches and training loops stand between an estimator and the user."""


def outside() -> int:
    """Count the frames from the caller up to the first one that is the user's, as `stacklevel`.

    Examples
    --------
    >>> from skrationale._callers import outside
    >>> outside()
    1
    """
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and _is_passed(frame):
        frame, level = frame.f_back, level + 1
    return level


def _is_passed(frame: FrameType) -> bool:
    if frame.f_code.co_filename.startswith(PACKAGE):
        return True
    return str(frame.f_globals.get("__name__")).partition(".")[0] in BETWEEN
