"""Which parquet files there are to read, and in which pieces."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .._parquet import refuse_lacking
from ._arrow import arrow

ROWS_OF_A_JOB = 1_000_000
"""A file is cut, at row groups, into pieces of at least so many rows. Not measured."""
BUFFER_BYTES = 2**16
"""Of each column so much is read ahead, and not the whole of its row group. Not measured."""


@dataclass(frozen=True)
class Piece:
    """A run of row groups of one file.

    Parameters
    ----------
    fragment : pyarrow.dataset.ParquetFileFragment
        These row groups.
    rows : int
        How many rows they hold, at least one.
    row_groups : tuple of (int, int)
        The first and the last.
    size, changed : int or None
        Bytes of the file, and when it was changed, in nanoseconds since 1970.
    """

    fragment: Any
    rows: int
    row_groups: tuple[int, int]
    size: int | None
    changed: int | None

    def identity(self) -> dict[str, Any]:
        """Say which rows these are, as plain data."""
        return {
            "path": place_of(self.fragment),
            "size": self.size,
            "changed": self.changed,
            "row_groups": list(self.row_groups),
            "rows": self.rows,
        }

    def tables(self, schema: Any, names: Sequence[str], batch_rows: int) -> Iterator[Any]:
        """Read tables of `batch_rows` rows, the last one of the rest, with these columns."""
        pa, ds = arrow(), arrow("dataset")
        options = ds.ParquetFragmentScanOptions(
            use_buffered_stream=True, buffer_size=BUFFER_BYTES, pre_buffer=False
        )
        batches = self.fragment.to_batches(
            schema=schema,
            columns=list(names),
            batch_size=batch_rows,
            batch_readahead=0,
            fragment_readahead=0,
            fragment_scan_options=options,
            use_threads=False,
        )
        wanted = pa.schema([schema.field(name) for name in names], metadata=schema.metadata)
        for parts in _of_equal_size(batches, batch_rows):
            yield pa.Table.from_batches(parts).cast(wanted)

    def check_unchanged(self) -> None:
        """Refuse a file that was written anew since it was looked at."""
        if _status(self.fragment) != (self.size, self.changed):
            raise ValueError(
                f"The file {place_of(self.fragment)!r} has changed since its jobs were made; make them again."
            )


def _of_equal_size(batches: Any, rows: int) -> Iterator[list[Any]]:
    """Cut and gather record batches, so that each list but the last has so many rows."""
    held: list[Any] = []
    n = 0
    for batch in batches:
        while len(batch) >= rows - n:
            held.append(batch.slice(0, rows - n))
            batch = batch.slice(rows - n)
            yield held
            held, n = [], 0
        if len(batch):
            held.append(batch)
            n += len(batch)
    if held:
        yield held


def place_of(fragment: Any) -> str:
    """Give the path of a file, an absolute one where it is of this machine."""
    return os.path.abspath(fragment.path) if is_local(fragment) else fragment.path


def is_local(fragment: Any) -> bool:
    """Whether a file stands on this machine."""
    return isinstance(fragment.filesystem, arrow("fs").LocalFileSystem)


def _status(fragment: Any) -> tuple[int | None, int | None]:
    info = fragment.filesystem.get_file_info(fragment.path)
    return info.size, info.mtime_ns


def open_source(source: Any) -> Any:
    """Open what a user gave as the source.

    Parameters
    ----------
    source : str, path-like, list of them, or pyarrow.dataset.Dataset
        A file, a folder, a pattern such as ``"data/*.parquet"``, several files, or a data set.

    Returns
    -------
    pyarrow.dataset.Dataset
        Of parquet files.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If there is nothing, or it is something else.
    """
    ds = arrow("dataset")
    if isinstance(source, ds.Dataset):
        return source
    if isinstance(source, list | tuple):
        if not source:
            raise ValueError("`source` is an empty list; expected the paths of parquet files.")
        found: Any = [path for each in source for path in _files(each)]
    else:
        found = _files(source)
        found = found[0] if len(found) == 1 else found
    # as pandas.read_parquet reads names of folders such as "year=2026"
    return ds.dataset(
        found, format="parquet", partitioning=ds.HivePartitioning.discover(infer_dictionary=True)
    )


def _files(source: Any) -> list[str]:
    """Give the paths that a path or pattern stands for."""
    if not isinstance(source, str | os.PathLike) or not isinstance(os.fspath(source), str):
        raise TypeError(
            "`source` must be a path, a pattern, a list of paths or a pyarrow.dataset.Dataset, got "
            f"{type(source).__name__}."
        )
    path = os.fspath(source)
    if "://" in path:  # a place on another machine, which pyarrow knows to find
        return [path]
    if os.path.exists(path):
        return [os.path.abspath(path)]
    found = sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else []
    if not found:
        raise FileNotFoundError(
            f"`source` is {path!r}; there is no such file or folder, and no file matches it as a pattern."
        )
    return list(map(os.path.abspath, found))


def pieces_of(dataset: Any, names: Sequence[str]) -> list[Piece]:
    """Cut a data set at row groups, in the same way whoever works on the pieces.

    Parameters
    ----------
    dataset : pyarrow.dataset.Dataset
        Of parquet files.
    names : sequence of str
        Columns that each file must have.

    Returns
    -------
    list of Piece

    Raises
    ------
    TypeError, ValueError
        If it is not of parquet files, a file lacks a column, or there are no rows.
    """
    ds = arrow("dataset")
    out = []
    for fragment in dataset.get_fragments():
        if not isinstance(fragment, ds.ParquetFileFragment):
            raise TypeError(
                f"`source` holds a {type(fragment).__name__}; expected parquet files. For data in memory "
                "use `explain` or BatchExplainer."
            )
        refuse_lacking([fragment], names)
        out += _cut(fragment)
    if not out:
        raise ValueError("`source` holds no rows.")
    return out


def _cut(fragment: Any) -> list[Piece]:
    out: list[Piece] = []
    run: list[int] = []
    rows, status = 0, _status(fragment)
    groups = [(group.id, group.num_rows) for group in fragment.row_groups if group.num_rows]
    for number, (group, count) in enumerate(groups, 1):
        run.append(group)
        rows += count
        if rows >= ROWS_OF_A_JOB or number == len(groups):
            part = fragment.subset(row_group_ids=run)
            out.append(Piece(part, rows, (run[0], run[-1]), *status))
            run, rows = [], 0
    return out
