"""Jobs: each explains some row groups of a file and writes one part, in whatever process."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ._arrow import arrow
from ._destination import (
    JOB_KEY,
    SUMS_KEY,
    check_folder,
    part_name,
    prepare,
    refuse_other,
    refuse_source_within,
)
from ._explainer import BatchExplainer
from ._model import Asked, text_list
from ._source import Piece, open_source, pieces_of
from ._types import schema_of_all
from ._written import values_of

BATCH_ROWS = 40_960
"""Rows of a batch. Measured on 200,000 and 2,000,000 rows of 14 columns and a student of 3 layers of 256
units: the process takes 120 to 140 MB beside its imports; 32,768 take 15 MB less and a little more time,
49,152 take up to 156 MB."""


@dataclass(frozen=True, eq=False)
class Job:
    """Explains a piece of a data set, and writes one part; made by :func:`explain_jobs`.

    A job can be pickled, and it can run on any machine on which source and destination have the same paths.
    It writes to a temporary file and then renames it, so a killed job never leaves a part that looks
    finished. A finished part is not made again.

    Parameters
    ----------
    path : str
        Path of the part.
    rows : int
        Number of rows in the part.
    identity : dict
        Hash of the model, settings and source from which the part is made.
    explainer : BatchExplainer
        The explainer of the batches.
    piece : object
        The row groups that it reads.
    schema : pyarrow.Schema
        Schema of the whole source.
    n_parts : int
        Number of jobs that were made together.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> from lightgbm import LGBMRegressor
    >>> from skrationale import TreeContributions
    >>> from skrationale.batches import explain_jobs
    >>> X = pd.DataFrame({"a": range(100), "b": range(0, 200, 2)})
    >>> model = LGBMRegressor(n_estimators=5, verbose=-1).fit(X, X["a"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     X.to_parquet(f"{folder}/x.parquet")
    ...     jobs = explain_jobs(TreeContributions(model), f"{folder}/x.parquet", f"{folder}/out")
    ...     [job() for job in jobs]
    [100]
    """

    path: str
    rows: int
    identity: dict[str, Any]
    explainer: BatchExplainer = field(repr=False)
    piece: Piece = field(repr=False)
    schema: Any = field(repr=False)
    n_parts: int = field(repr=False)

    def __call__(self, report: Callable[[int], Any] | None = None) -> int:
        """Write the part, unless it is there.

        Parameters
        ----------
        report : callable, default=None
            Is told the number of rows of each batch that is done.

        Returns
        -------
        int
            Number of its rows.

        Raises
        ------
        FileExistsError
            If a part of another model, other settings or other data is there.
        ValueError
            If the source has changed since the job was made, or cells cannot be read.
        """
        if os.path.exists(self.path):
            refuse_other(Path(self.path), self.identity)
            return self.rows
        self.piece.check_unchanged()
        folder, name = os.path.split(self.path)
        beside = os.path.join(folder, f".{name}.{secrets.token_hex(8)}.tmp")
        try:
            self._write(beside, report or (lambda rows: None))
            os.replace(beside, self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            raise
        return self.rows

    def _write(self, path: str, report: Callable[[int], Any]) -> None:
        schema, sums, rows = self.explainer.schema_for(self.schema), Sums(), 0
        with open(path, "xb") as file:
            settings = {"compression": "snappy", "use_dictionary": _repeated(schema)}
            with arrow("parquet").ParquetWriter(file, schema, **settings) as writer:
                for table in self._tables():
                    rows += len(table)
                    self._write_batch(writer, table, sums)
                    report(len(table))
                    del table  # before the next one is read
                if rows != self.rows:
                    raise ValueError(f"Expected {self.rows} rows of {self.identity['source']}, got {rows}.")
                found = {JOB_KEY: self.identity | {"parts": self.n_parts}, SUMS_KEY: sums.plain()}
                writer.add_key_value_metadata({key: json.dumps(said) for key, said in found.items()})
            file.flush()
            os.fsync(file.fileno())

    def _write_batch(self, writer: Any, table: Any, sums: Sums) -> None:
        """Explain a batch; nothing of it is kept."""
        out, explanation = self.explainer._explained(table)
        writer.write_table(out)
        assert explanation is not None
        sums.add(values_of(explanation))

    def _tables(self) -> Iterator[Any]:
        names = dict.fromkeys([*self.explainer.keep, *self.explainer.columns])
        return self.piece.tables(self.schema, list(names), self.identity["batch_rows"])


def _repeated(schema: Any) -> list[str]:
    """Name the columns whose values repeat; to look for repeated numbers takes longer than to write them."""
    types = arrow("types")
    numbers = types.is_floating, types.is_integer
    named = [field.name for field in schema if not any(is_one(field.type) for is_one in numbers)]
    return [f"{name}.list.element" if types.is_list(schema.field(name).type) else name for name in named]


class Sums:
    """Sums of the size of reasons, and how many were defined, by reason and output."""

    def __init__(self) -> None:
        self.total: np.ndarray | float = 0.0
        self.count: np.ndarray | int = 0

    def add(self, values: np.ndarray) -> None:
        """Add values (n, d, k)."""
        total: np.ndarray = np.abs(values).sum(axis=0)
        count = np.full(total.shape, len(values))
        if np.isnan(total).any():
            defined = ~np.isnan(values)
            total, count = np.abs(values).sum(axis=0, where=defined), defined.sum(axis=0)
        self.total, self.count = self.total + total, self.count + count

    def plain(self) -> dict[str, Any]:
        """Give them as lists (d, k)."""
        return {"total": np.asarray(self.total).tolist(), "count": np.asarray(self.count).tolist()}


def run(job: Job) -> int:
    """Run a job: ``client.map(run, jobs)``.

    Parameters
    ----------
    job : Job
        A job from :func:`explain_jobs`.

    Returns
    -------
    int
        Number of rows of its part.

    Examples
    --------
    >>> from skrationale.batches import run
    >>> run(lambda: 3)
    3
    """
    return job()


def explain_jobs(
    model: Any,
    source: Any,
    destination: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    keep: Sequence[str] = (),
    top: int | None = None,
    batch_rows: int = BATCH_ROWS,
    overwrite: bool = False,
) -> list[Job]:
    """Divide the work of :func:`explain_dataset` into jobs for processes or machines that share folders.

    Files are divided at row groups, into pieces of a million rows or of one file, so the parts do not depend
    on the number of workers. The call creates `destination`, checks its files, and removes incomplete files
    of killed jobs: do not call it while other jobs write there.

    Parameters
    ----------
    model, source, destination, columns, keep, top, batch_rows, overwrite : object
        As in :func:`explain_dataset`.

    Returns
    -------
    list of Job
        One for each part. Jobs of finished parts return at once. After all jobs,
        ``DatasetSummary.of(destination)`` summarises the parts.

    Raises
    ------
    ImportError, OSError, TypeError, ValueError, sklearn.exceptions.NotFittedError
        As :func:`explain_dataset`.

    Notes
    -----
    Each job holds the model. With dask use ``client.map(run, jobs)``, and with Ray one task per job.
    Processes of Python's multiprocessing must be started with "spawn".

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> from lightgbm import LGBMRegressor
    >>> from skrationale import DatasetSummary, TreeContributions, explain_jobs
    >>> X = pd.DataFrame({"a": range(100), "b": range(0, 200, 2)})
    >>> model = LGBMRegressor(n_estimators=5, verbose=-1).fit(X, X["a"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     X.to_parquet(f"{folder}/x.parquet")
    ...     jobs = explain_jobs(TreeContributions(model), f"{folder}/x.parquet", f"{folder}/out")
    ...     [job() for job in jobs]
    ...     DatasetSummary.of(f"{folder}/out").rows
    [100]
    100
    """
    arrow()
    if not isinstance(batch_rows, Integral) or isinstance(batch_rows, bool) or batch_rows < 1:
        raise ValueError(f"`batch_rows` must be an integer of at least 1, got {batch_rows!r}.")
    if not isinstance(overwrite, bool):
        raise TypeError(f"`overwrite` must be True or False, got {overwrite!r}.")
    folder, dataset, kept = check_folder(destination), open_source(source), text_list("keep", keep)
    asked = Asked.of(model, columns, dataset.schema.names)
    explainer = BatchExplainer._of_asked(asked, kept, top)
    explainer.schema_for(dataset.schema)
    pieces = pieces_of(dataset, [*kept, *asked.columns])
    schema = dataset.schema if dataset is source else schema_of_all(dataset, [*kept, *asked.columns])
    refuse_source_within(folder, source, [piece.fragment for piece in pieces])
    settings = {
        "version": __version__,
        "model": asked.hash(),
        "columns": list(asked.columns),
        "keep": list(kept),
        "top": explainer.top,
        "batch_rows": int(batch_rows),
    }
    identities = {part_name(i): settings | {"source": piece.identity()} for i, piece in enumerate(pieces)}
    prepare(folder, identities, overwrite)
    return [
        Job(str(folder / name), piece.rows, identity, explainer, piece, schema, len(pieces))
        for piece, (name, identity) in zip(pieces, identities.items(), strict=True)
    ]
