"""Progress bars: one rule for everything that may take long."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from typing import Any

from tqdm.auto import tqdm

SECONDS = 3.0
"""Seconds after which the bar of ``verbose="auto"`` appears. Not measured."""


def in_worker() -> bool:
    """Whether this is one of several jobs, whose bars would write over each other."""
    return (
        multiprocessing.parent_process() is not None
        or threading.current_thread() is not threading.main_thread()
    )


def in_notebook() -> bool:
    """Whether a kernel of Jupyter runs this code."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def in_test() -> bool:
    """Whether pytest runs this code."""
    return "PYTEST_CURRENT_TEST" in os.environ


def somebody_watches() -> bool:
    """Whether a person is likely to see a bar: in a notebook or a terminal, and not in a test."""
    if in_test() or in_worker():
        return False
    return in_notebook() or bool(getattr(sys.stderr, "isatty", lambda: False)())


def progress_bar(verbose: Any, total: int, unit: str, **options: Any) -> tqdm:
    """Make the bar for a value of `verbose`.

    Parameters
    ----------
    verbose : int or "auto"
        ``"auto"``: a bar that appears after `SECONDS`, if somebody watches. 1: a bar at once. Others: none.
        There is never one in a job.
    total : int
        Number of steps.
    unit : str
        Name of a step.
    **options : object
        Passed to tqdm.

    Returns
    -------
    tqdm
        Disabled if there is no bar.

    Examples
    --------
    >>> progress_bar(0, 3, "epoch").disable
    True
    """
    shown = somebody_watches() if verbose == "auto" else verbose == 1 and not in_worker()
    delay = SECONDS if verbose == "auto" else 0.0
    return tqdm(total=total, unit=unit, disable=not shown, delay=delay, **options)
