"""What the parts of an explained data set say together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..explanation.wording import strongest
from ._destination import PART, check_folder, describe_part

if TYPE_CHECKING:
    import pandas as pd

SAME = ("version", "model", "columns", "keep", "top", "batch_rows")
"""What all parts of one folder have in common."""


@dataclass(frozen=True, eq=False)
class DatasetSummary:
    """How many rows were explained, and which columns matter most over all of them.

    Parameters
    ----------
    rows, n_parts : int
        Rows and files.
    feature_names : tuple of d str
        Names of the columns, or of learned attributes.
    output_names : tuple of k str
        Names of the outputs.
    mean_abs : ndarray of shape (d,) or (d, k)
        Mean absolute value of the reasons over all rows, in units of the score; undefined reasons (NaN) are
        left out. For rationales: the mean weight.
    base_values : ndarray of shape (k,)
        The score without any contribution.
    kind, link : str
        As in :class:`Explanation`.
    n_parts_before : int, default=0
        Number of parts that existed already.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> from lightgbm import LGBMRegressor
    >>> from skrationale import DatasetSummary, TreeContributions, explain_dataset
    >>> X = pd.DataFrame({"a": range(100), "b": [0, 1] * 50})
    >>> model = LGBMRegressor(n_estimators=5, verbose=-1).fit(X, X["a"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     X.to_parquet(f"{folder}/x.parquet")
    ...     _ = explain_dataset(TreeContributions(model), f"{folder}/x.parquet", f"{folder}/out")
    ...     summary = DatasetSummary.of(f"{folder}/out")
    >>> summary
    DatasetSummary(100 rows, 1 part, 2 features, 1 output)
    >>> summary.top(1)
    ['a']
    """

    rows: int
    n_parts: int
    feature_names: tuple[str, ...]
    output_names: tuple[str, ...]
    mean_abs: np.ndarray
    base_values: np.ndarray
    kind: str
    link: str
    n_parts_before: int = 0

    @classmethod
    def of(cls, destination: str | os.PathLike[str]) -> DatasetSummary:
        """Summarise the parts in a folder.

        Parameters
        ----------
        destination : str or path-like
            Folder into which jobs have written.

        Returns
        -------
        DatasetSummary

        Raises
        ------
        FileNotFoundError
            If the folder holds no part.
        ValueError
            If parts are missing or come from several models or settings, or if a file is not a part.
        """
        folder = check_folder(destination)
        names = sorted(path.name for path in folder.glob("*")) if folder.is_dir() else []
        paths = [folder / name for name in names if PART.fullmatch(name)]
        if not paths:
            raise FileNotFoundError(
                f"`destination` {str(folder)!r} holds no part that explain_dataset wrote."
            )
        found = [describe_part(path) for path in paths]
        _refuse_mixture(paths, found)
        form = found[0]["form"]
        total = np.sum([part["sums"]["total"] for part in found], axis=0)
        count = np.sum([part["sums"]["count"] for part in found], axis=0)
        mean = total / np.maximum(count, 1)
        return cls(
            rows=sum(part["job"]["source"]["rows"] for part in found),
            n_parts=len(found),
            feature_names=tuple(form["feature_names"]),
            output_names=tuple(form["output_names"]),
            mean_abs=mean[:, 0] if mean.shape[1] == 1 else mean,
            base_values=np.array(form["base_values"]),
            kind=form["kind"],
            link=form["link"],
        )

    def __repr__(self) -> str:
        names = {"feature": self.feature_names, "output": self.output_names}
        counts = [(self.rows, "row"), (self.n_parts, "part"), *((len(n), word) for word, n in names.items())]
        words = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
        return f"{type(self).__name__}({words})"

    def top(self, n: int = 10) -> list[str]:
        """Return the names of the features that matter most.

        Parameters
        ----------
        n : int, default=10
            How many, at most.

        Returns
        -------
        list of str
            Sorted by mean size of their reasons, summed over outputs, largest first; equal ones stay in
            column order.

        Raises
        ------
        ValueError
            If `n` is not an integer of at least 0.
        """
        sizes = self.mean_abs.reshape(len(self.feature_names), -1).sum(axis=1)
        return strongest(self.feature_names, sizes, n)

    def to_frame(self) -> pd.DataFrame:
        """Return the mean size of reasons as a DataFrame.

        Returns
        -------
        pandas.DataFrame of shape (d, k)
            One row per feature, one column per output.
        """
        import pandas as pd

        values = self.mean_abs.reshape(len(self.feature_names), -1)
        return pd.DataFrame(values, list(self.feature_names), list(self.output_names))


def _refuse_mixture(paths: list[Path], found: list[dict[str, Any]]) -> None:
    """Refuse parts that are not all those of one run."""
    first, n_parts = found[0]["job"], max(part["job"]["parts"] for part in found)
    for path, part in zip(paths, found, strict=True):
        differs = [key for key in SAME if part["job"][key] != first[key]]
        if differs:
            raise ValueError(
                f"{paths[0].name!r} and {path.name!r} were made from different inputs: {', '.join(differs)}."
            )
    if len(paths) < n_parts:
        raise ValueError(f"{n_parts - len(paths)} of {n_parts} parts are missing: run their jobs first.")
