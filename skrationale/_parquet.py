"""What every reader of several parquet files refuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def refuse_lacking(fragments: Iterable[Any], names: Sequence[str], parameter: str | None = None) -> None:
    """Refuse files without one of the columns, which pyarrow would read as missing cells.

    Parameters
    ----------
    fragments : iterable of pyarrow.dataset.Fragment
        The files.
    names : sequence of str
        Columns that each must have, in itself or in the name of its folder.
    parameter : str, optional
        What messages call the data.

    Raises
    ------
    ValueError
        Naming the first such file, and its columns.
    """
    from pyarrow.dataset import get_partition_keys

    for fragment in fragments:
        there = {*fragment.physical_schema.names, *get_partition_keys(fragment.partition_expression)}
        lacks = [name for name in names if name not in there]
        if lacks:
            place, of = getattr(fragment, "path", fragment), f" of `{parameter}`" if parameter else ""
            raise ValueError(
                f"The file {place!r}{of} has no column(s) {lacks[:10]}, which the other files have."
            )
