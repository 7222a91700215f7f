"""A data set of parquet files explained in this process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .._progress import progress_bar
from ._jobs import BATCH_ROWS, explain_jobs
from ._summary import DatasetSummary


def explain_dataset(
    model: Any,
    source: Any,
    destination: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    keep: Sequence[str] = (),
    top: int | None = None,
    batch_rows: int = BATCH_ROWS,
    overwrite: bool = False,
    verbose: int | str = "auto",
) -> DatasetSummary:
    """Explain parquet files and write parquet files, in memory that does not grow with the number of rows.

    Each part in `destination` holds the contributions for consecutive row groups of one file of `source`, in
    their order. A part is written under another name first and then renamed. If a run was killed, the same
    call continues it: finished parts stay, and only the others are made.

    Parameters
    ----------
    model : estimator or TreeContributions
        An estimator of this package with the method ``explain``, fitted to a table, or
        :class:`TreeContributions` of trees.
    source : str, path-like, list of them or pyarrow.dataset.Dataset
        A parquet file, a folder of such files, a pattern such as ``"data/*.parquet"``, several files, or a
        data set without a filter. Files are never read as a whole.
    destination : str or path-like
        Folder for the parts ``part-00000.parquet``, ...; it is created if it does not exist.
    columns : sequence of d str, default=None
        Names in the data of the columns that the model reads, in the order at fit. None: as at fit.
    keep : sequence of str, default=()
        Columns of the data to be copied, such as a key.
    top : int, default=None
        Write only the names and values of this number of largest contributions per row.
    batch_rows : int, default=32768
        Rows explained at once, which limits the memory used.
    overwrite : bool, default=False
        Whether to remove existing parts and start again. Other files are never removed.
    verbose : int or "auto", default="auto"
        0: silent, 1: a progress bar. ``"auto"``: a bar in notebooks and terminals, after 3 seconds.

    Returns
    -------
    DatasetSummary
        Number of rows, and the mean absolute contribution of each column to each output.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    FileExistsError
        If `destination` holds other files, or parts of another model, other settings or other data.
    OSError
        If a file cannot be read or written.
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        If the model has no explanations, a parameter is not as described, a column is missing, there are no
        rows, two columns would get the same name, one of `destination` and `source` is inside the other, or
        values cannot be read.

    See Also
    --------
    explain_jobs : The same as jobs, for several processes or machines.
    BatchExplainer : One batch, for engines that process batches.

    Notes
    -----
    Columns of a part, in this order:

    - those of `keep`;
    - ``score``, in units of the link: the sum of base value and contributions. For rationales, and for
      students with ``imitation="joint"`` or ``"independent"``, whose contributions do not add up, it is the
      model's raw score. With several outputs it is ``score.<class>``, and the same holds for all columns
      below;
    - ``reason.<column>``, in float32. With `top` instead ``reason_1``, ``reason_1_value``, ...: null where a
      row has no such reason;
    - for rationales ``mask``, a list of the names of the columns used;
    - for FLINT, whose contributions are those of attributes, ``attribute.<name>`` with their values; not
      with `top`.

    The metadata of the schema hold under ``"skrationale"``, as JSON, the kind, link and names of the reasons,
    and the base values.

    Numbers are those of ``model.explain`` for the table that ``pandas.read_parquet`` reads. A student
    computes up to 512 rows in float64 and more in float32; so the rows of a last, short batch may differ by
    about 1e-6 of the scale.

    A part stores a hash of the fitted model. A model that was saved and loaded counts as the same. A model
    that was fitted again may count as another one.

    Examples
    --------
    >>> import tempfile, numpy as np, pandas as pd
    >>> from lightgbm import LGBMRegressor
    >>> from skrationale import TreeContributions, explain_dataset
    >>> X = pd.DataFrame(np.random.default_rng(0).normal(size=(500, 2)), columns=["a", "b"])
    >>> model = LGBMRegressor(n_estimators=20, verbose=-1).fit(X, X["a"] + 0.1 * X["b"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     X.assign(key=range(500)).to_parquet(f"{folder}/x.parquet")
    ...     explain_dataset(TreeContributions(model), f"{folder}/x.parquet", f"{folder}/out", keep=["key"])
    ...     pd.read_parquet(f"{folder}/out").columns.tolist()
    DatasetSummary(500 rows, 1 part, 2 features, 1 output)
    ['key', 'score', 'reason.a', 'reason.b']
    """
    jobs = explain_jobs(
        model,
        source,
        destination,
        columns=columns,
        keep=keep,
        top=top,
        batch_rows=batch_rows,
        overwrite=overwrite,
    )
    before = sum(os.path.exists(job.path) for job in jobs)
    with progress_bar(verbose, sum(job.rows for job in jobs), "row", unit_scale=True) as bar:
        for job in jobs:
            if os.path.exists(job.path):
                bar.update(job())
            else:
                job(bar.update)
    return replace(DatasetSummary.of(destination), n_parts_before=before)
