"""Where a warning points to: the line of the user that called the package."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGE = str(Path(__file__).parent) + os.sep


def outside() -> int:
    """Count the frames from the caller up to the first one that is not of this package, as `stacklevel`.

    Examples
    --------
    >>> from skrationale._callers import outside
    >>> outside()
    1
    """
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    return level
