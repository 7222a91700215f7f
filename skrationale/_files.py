"""Write a file whole or not at all; every writer of the package does it here."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import stat
from pathlib import Path
from typing import Any

from .writing import encodable

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def check_path(path: Any) -> Path:
    """Return where a file can be written, with links resolved.

    Parameters
    ----------
    path : str or path-like
        What the user gave.

    Returns
    -------
    Path
        A regular file, or a name that is free, in a folder that exists.

    Raises
    ------
    TypeError
        When `path` is neither text nor a path.
    ValueError
        When it cannot be a path, such as one with the character NUL.
    IsADirectoryError, FileNotFoundError, PermissionError
        When it is a folder or ends as one, its folder does not exist, or the file may not be written.
    io.UnsupportedOperation
        When it is a pipe, a socket or a device; this is an OSError and a ValueError.
    """
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
        raise TypeError(f"path must be a str or a path. Got {type(path).__name__} instead.")
    try:
        # the file itself need not exist, also behind a link
        target = Path(os.path.realpath(path))
        found = _status(path)
    except io.UnsupportedOperation:
        raise
    except ValueError as error:
        raise ValueError(f"path is {os.fspath(path)!r}, which cannot name a file: {error}.") from None
    shown = repr(os.fspath(path)) + (
        "" if target == Path(path).absolute() else f" (that is, {str(target)!r})"
    )
    if os.path.basename(path) in ("", os.curdir) and not target.is_dir():
        # Path would leave the slash out, and the file of that name would be replaced
        raise IsADirectoryError(f"path is {shown}, which names a folder; expected the path of a file.")
    if found is None:
        if not target.parent.is_dir():
            raise FileNotFoundError(f"path is {shown}, but the folder {str(target.parent)!r} does not exist.")
    elif stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(f"path is a folder, {shown}; expected the path of a file.")
    elif not stat.S_ISREG(found.st_mode):
        kind = next((words for test, words in _KINDS if test(found.st_mode)), "of an unknown kind")
        raise io.UnsupportedOperation(
            f"path is {shown}, which is {kind}; expected a regular file, or a path that does not exist yet."
        )
    elif not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "path is a file without write permission", str(target))
    return target


def _status(path: Any) -> os.stat_result | None:
    """Ask what a path leads to; None where nothing is there."""
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise io.UnsupportedOperation(
                f"path is {os.fspath(path)!r}, a symbolic link that leads back to itself; expected a "
                "regular file."
            ) from None
        raise


def write_text(path: Any, text: str) -> Path:
    """Write a text file in UTF-8: when anything fails, what was there stays.

    The text goes into a new file beside, which then takes the place of the old one and keeps its mode. A new
    file has the mode that the umask leaves. Other names of the same file (hard links) keep
    the old content.

    Parameters
    ----------
    path : str or path-like
        See :func:`check_path`.
    text : str
        The content; lone surrogates, which cannot be encoded, become U+FFFD.

    Returns
    -------
    Path
        The file, links resolved.

    Raises
    ------
    OSError, TypeError, ValueError
        As :func:`check_path` does, and when the disk is full or the folder takes no file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(f"{folder}/page.html", "<p>text").read_text(encoding="utf-8")
    '<p>text'
    """
    return write_bytes(path, encodable(text).encode("utf-8"))


def write_bytes(path: Any, content: bytes) -> Path:
    """Write a file of bytes as `write_text` does.

    Parameters
    ----------
    path : str or path-like
        See :func:`check_path`.
    content : bytes
        The content.

    Returns
    -------
    Path
        The file, links resolved.

    Raises
    ------
    OSError, TypeError, ValueError
        As `write_text` does.
    """
    target = check_path(path)
    old = target.stat() if target.exists() else None
    neighbour = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        _write_new(neighbour, content, old)
        check_path(target)
        neighbour.replace(target)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename == os.fspath(neighbour):
            error.filename = os.fspath(target)
        # also for Ctrl-C: nothing half-written stays
        with contextlib.suppress(OSError):
            neighbour.unlink(missing_ok=True)
        raise
    return target


def _write_new(path: Path, content: bytes, old: os.stat_result | None) -> None:
    """Write a file that was not there, with owner and mode of an old one, down to the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    # never open to more people than the old file, not even for a moment
    with open(os.open(path, flags, 0o666 if old is None else 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if old is not None:
        if hasattr(os, "chown"):
            # only root gives files away
            with contextlib.suppress(PermissionError):
                os.chown(path, old.st_uid, old.st_gid)
        os.chmod(path, stat.S_IMODE(old.st_mode))
