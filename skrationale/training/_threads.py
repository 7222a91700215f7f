"""How many threads torch may use."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

# Measured with two threads against one on two idle cores, MLPs from 2x64 to 2x1024: 2.0 times slower at
# 3e5 multiply-adds, equal at 4e6, 1.4 times faster at 3e7. On busy cores two threads lose far more than that.
SMALL_WORK = 2**24


@contextmanager
def limit_threads(work: int | None = None) -> Iterator[None]:
    """Let torch use one thread inside a ``with`` block when the work is small.

    The number of threads is put back after the block, also on errors, and is never raised. Blocks
    may be nested.

    Parameters
    ----------
    work : int, default=None
        Multiply-adds of the largest single operation: rows of a batch times weights of the largest
        layer. Below 2**24 one thread is faster. None means small.

    Examples
    --------
    >>> import torch
    >>> from skrationale.training import limit_threads
    >>> with limit_threads(64 * 128 * 128):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    small = work is None or work < SMALL_WORK
    if small and before > 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if small and before > 1:
            torch.set_num_threads(before)
