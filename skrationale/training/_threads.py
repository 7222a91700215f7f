"""How many threads torch may use."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from threadpoolctl import ThreadpoolController

SMALL_WORK = 2**24
"""Multiply-adds, up to which one thread is taken. Measured with two threads against one on two idle cores,
MLPs from 2x64 to 2x1024 (no file of it is kept): 2.0 times slower at 3e5, equal at 4e6, 1.4 times faster at
3e7. On busy cores two threads lose far more than that."""


@contextmanager
def limit_threads(work: int | None = None) -> Iterator[None]:
    """Let torch use one thread inside a ``with`` block when the work is small.

    Only the calling thread is limited: others that work at the same time, or start meanwhile, keep what they
    have. Its number is put back after the block, also on errors, unless the block has set another one; it
    is never raised. Blocks may be nested.

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
    import torch

    # Asking makes torch give a new thread its number now, and not inside of a block.
    if torch.get_num_threads() == 1 or not (work is None or work < SMALL_WORK):
        yield
        return
    # torch.set_num_threads would also decide for all threads that are new to torch.
    limits, matrices = _openmp().limit(limits=1), _matrix_threads()
    before, within = matrices(1), torch.get_num_threads()
    try:
        yield
    finally:
        if torch.get_num_threads() == within:
            limits.restore_original_limits()
            matrices(before)


@cache
def _openmp() -> ThreadpoolController:
    """Find the OpenMP runtimes, which keep a number for each thread."""
    return ThreadpoolController().select(user_api="openmp")


@cache
def _matrix_threads() -> Callable[[int], int]:
    """Find what sets, and returns, the number of a thread for products of matrices; 0: that of OpenMP.

    Once torch has set its own in a thread, MKL, of which it brings a copy, does not ask OpenMP any more.
    """
    import torch

    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        return library.MKL_Set_Num_Threads_Local
    except (OSError, AttributeError):  # built without MKL, or with one that is hidden
        return lambda _: 0
