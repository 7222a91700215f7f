"""The folder that parts are written to, and what stands there already."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ._arrow import arrow
from ._source import is_local, place_of
from ._written import KEY

JOB_KEY, SUMS_KEY = b"skrationale.job", b"skrationale.sums"
"""Entries of a part's metadata: what it was made from, and sums over its reasons."""
PART = re.compile(r"part-\d{5,}\.parquet")
UNFINISHED = re.compile(r"\.part-\d{5,}\.parquet\.[0-9a-f]{16}\.tmp")


def part_name(number: int) -> str:
    """Name a part.

    Examples
    --------
    >>> part_name(17)
    'part-00017.parquet'
    """
    return f"part-{number:05d}.parquet"


def check_folder(destination: Any) -> Path:
    """Return where parts shall be written: a folder, or a name that is free."""
    if not isinstance(destination, str | os.PathLike) or not isinstance(os.fspath(destination), str):
        raise TypeError(f"`destination` must be the path of a folder, got {type(destination).__name__}.")
    if "://" in os.fspath(destination):
        raise ValueError(f"`destination` is {os.fspath(destination)!r}; expected a folder on this machine.")
    folder = Path(os.path.abspath(destination))
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"`destination` is {str(folder)!r}, which is a file; expected a folder.")
    return folder


def refuse_source_within(folder: Path, source: Any, fragments: Sequence[Any]) -> None:
    """Refuse a folder that the source lies in, or that lies in the source: results would be read as data."""
    if isinstance(source, str | os.PathLike) and os.path.isdir(source):
        read = Path(os.path.realpath(source))
        if Path(os.path.realpath(folder)).is_relative_to(read):
            raise ValueError(
                f"`destination` is {str(folder)!r}, which lies inside `source`; expected another folder."
            )
    own = Path(os.path.realpath(folder))
    for fragment in fragments:
        if is_local(fragment) and Path(os.path.realpath(place_of(fragment))).is_relative_to(own):
            raise ValueError(
                f"`destination` is {str(folder)!r}, which holds {place_of(fragment)!r} of `source`; "
                "expected another folder."
            )


def prepare(folder: Path, identities: Mapping[str, dict[str, Any]], overwrite: bool) -> None:
    """Make a folder ready for parts of these names, and remove what killed jobs have left.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    identities : dict of str to dict
        What each part will be made from.
    overwrite : bool
        Whether to remove parts that are there. Files that are no parts are never removed.

    Raises
    ------
    FileExistsError
        If something else stands there, or parts that were made from something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = sorted(entry.name for entry in folder.iterdir())
    parts = [name for name in entries if PART.fullmatch(name)]
    foreign = [name for name in entries if name not in parts and not name.startswith((".", "_"))]
    foreign += [name for name in parts if read_part(folder / name, JOB_KEY) is None]
    if foreign:
        raise FileExistsError(
            f"`destination` {str(folder)!r} is not empty: it holds {foreign[:5]}, which explain_dataset "
            "did not write; expected an empty folder, or a new one."
        )
    if not overwrite:
        for name in parts:
            refuse_other(folder / name, identities.get(name))
    for name in entries:
        if UNFINISHED.fullmatch(name) or (overwrite and name in parts):
            (folder / name).unlink()


def read_part(path: Path, key: bytes) -> dict[str, Any] | None:
    """Read an entry of a part's metadata; None where it is no parquet file, or has no such entry."""
    try:
        text = (arrow("parquet").read_metadata(path).metadata or {}).get(key)
    except (arrow().ArrowInvalid, OSError):
        return None
    return None if text is None else json.loads(text)


def refuse_other(path: Path, expected: dict[str, Any] | None) -> None:
    """Refuse a finished part that was made from another model, other settings or other data.

    Raises
    ------
    FileExistsError
        The message says what differs.
    """
    found = read_part(path, JOB_KEY)
    if expected is None:
        differs = "it belongs to other data"
    elif found is None:
        differs = "explain_dataset did not write it"
    else:
        # how many parts there are may change: files can be added
        keys = [
            key for key in {**expected, **found} if key != "parts" and expected.get(key) != found.get(key)
        ]
        if not keys:
            return
        differs = "other than now: " + ", ".join(keys)
    raise FileExistsError(
        f"{str(path)!r} exists and was made from other inputs ({differs}). Use the same model, settings "
        "and data as for the existing parts, an empty folder, or overwrite=True."
    )


def describe_part(path: Path) -> dict[str, Any]:
    """Read all that a part says of itself; refuse what is no part."""
    found = {
        name: read_part(path, key) for name, key in (("job", JOB_KEY), ("sums", SUMS_KEY), ("form", KEY))
    }
    if None in found.values():
        raise ValueError(f"{str(path)!r} is not a part that explain_dataset wrote.")
    return found
