"""One batch of rows in, their reasons out: for engines that hand out batches themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arrow import arrow
from ._model import Asked, find_columns, scores_and_values, text_list
from ._written import Written

if TYPE_CHECKING:
    import pyarrow as pa

    from ..explanation import Explanation


class BatchExplainer:
    """Explains a pyarrow batch of rows: a function for engines that process batches.

    The object can be pickled. It is what :func:`explain_dataset` calls for each batch.

    Parameters
    ----------
    model : estimator or TreeContributions
        An estimator of this package with the method ``explain``, fitted to a table, or
        :class:`TreeContributions`.
    keep : sequence of str, default=()
        Columns of the batch to be copied, before the columns of the explanation.
    top : int, default=None
        Write only the names and values of this number of largest contributions per row.
    columns : sequence of d str, default=None
        Names in the batch of the columns that the model reads, in the order at fit. None: as at fit.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        If a parameter is not as described, or two columns would get the same name.

    See Also
    --------
    explain_dataset : Explain a whole data set and write files.

    Notes
    -----
    The columns of the result are those of :func:`explain_dataset`. Their numbers are the results of
    ``explain`` for the same rows, with values rounded to float32. For batches of up to 512 rows see
    :func:`explain_dataset`.

    Examples
    --------
    >>> import numpy as np, pandas as pd, pyarrow as pa
    >>> from lightgbm import LGBMRegressor
    >>> from skrationale import BatchExplainer, TreeContributions
    >>> X = pd.DataFrame(np.random.default_rng(0).normal(size=(500, 3)), columns=["a", "b", "c"])
    >>> model = LGBMRegressor(n_estimators=20, verbose=-1).fit(X, X["a"] + 0.1 * X["b"])
    >>> explainer = BatchExplainer(TreeContributions(model))
    >>> batch = explainer(pa.RecordBatch.from_pandas(X[:10]))
    >>> batch.schema.names
    ['score', 'reason.a', 'reason.b', 'reason.c']
    >>> bool(np.allclose(batch["score"], model.predict(X[:10])))
    True
    >>> first = BatchExplainer(TreeContributions(model), top=1)
    >>> first(pa.RecordBatch.from_pandas(X[:2]))["reason_1"].to_pylist()
    ['a', 'a']
    """

    def __init__(
        self,
        model: Any,
        keep: Sequence[str] = (),
        top: int | None = None,
        *,
        columns: Sequence[str] | None = None,
    ) -> None:
        arrow()
        self.keep = text_list("keep", keep)
        self._asked = Asked.of(model, columns)
        self._written = Written.of(self._asked, top, self.keep)

    @classmethod
    def _of_asked(cls, asked: Asked, keep: Sequence[str], top: int | None) -> BatchExplainer:
        """Make one for a model whose columns are found already."""
        arrow()
        explainer = cls.__new__(cls)
        explainer.keep = text_list("keep", keep)
        explainer._asked, explainer._written = asked, Written.of(asked, top, explainer.keep)
        return explainer

    @property
    def model(self) -> Any:
        """The model."""
        return self._asked.model

    @property
    def top(self) -> int | None:
        """How many contributions per row are written; None: all."""
        return self._written.top

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the model reads."""
        return self._asked.columns

    @property
    def schema(self) -> pa.Schema:
        """Schema of the result, for engines that need it before the first batch.

        Its metadata hold under ``"skrationale"``, as JSON, the kind, link and names of the reasons, and the
        base values.

        Raises
        ------
        ValueError
            If `keep` is set, because types of kept columns are not known yet; see :meth:`schema_for`.
        """
        if self.keep:
            raise ValueError(
                f"`keep` is {list(self.keep)}, but the types of these columns are not known before a batch "
                "is read; call schema_for(schema of a batch) instead."
            )
        return self._written.schema()

    def schema_for(self, schema: pa.Schema) -> pa.Schema:
        """Return the schema of the result for batches with a given schema.

        Parameters
        ----------
        schema : pyarrow.Schema
            Schema of the batches.

        Returns
        -------
        pyarrow.Schema
            Kept columns, then those of the reasons.

        Raises
        ------
        ValueError
            If a column to keep is missing, or if several columns have its name.
        """
        missing = [name for name in self.keep if name not in schema.names]
        if missing:
            raise ValueError(
                f"`keep` names the column(s) {missing}, which the data do not have; the data have "
                f"{schema.names[:20]}."
            )
        twice = [name for name in self.keep if schema.names.count(name) > 1]
        if twice:
            raise ValueError(
                f"`keep` names the column(s) {twice}, but the data have more than one column of this name."
            )
        return self._written.schema([schema.field(name) for name in self.keep])

    def __call__(self, batch: Any) -> Any:
        """Explain a batch.

        Parameters
        ----------
        batch : pyarrow.RecordBatch or pyarrow.Table of n rows
            Also of none.

        Returns
        -------
        pyarrow.RecordBatch or pyarrow.Table of n rows
            As `schema` says, of the type of `batch`.

        Raises
        ------
        TypeError
            If it is something else.
        ValueError
            If columns are missing, or cells cannot be read.
        """
        return self._explained(batch)[0]

    def _explained(self, batch: Any) -> tuple[Any, Explanation | None]:
        """Explain a batch, and give the explanation too; None where there are no rows.

        Parameters
        ----------
        batch : pyarrow.RecordBatch or pyarrow.Table of n rows
            Also of none.

        Returns
        -------
        columns : pyarrow.RecordBatch or pyarrow.Table of n rows
            As `schema` says.
        explanation : Explanation or None
            What they were made of.
        """
        pa = arrow()
        if not isinstance(batch, pa.RecordBatch | pa.Table):
            raise TypeError(
                f"`batch` is a {type(batch).__name__}; expected a pyarrow.RecordBatch or pyarrow.Table."
            )
        schema, make = self.schema_for(batch.schema), type(batch)
        if len(batch) == 0:
            self._places(batch.schema)
            return make.from_arrays([pa.array([], field.type) for field in schema], schema=schema), None
        scores, explanation = scores_and_values(self._asked, self._table(batch))
        kept = [batch.column(name) for name in self.keep]
        return make.from_arrays(
            [*kept, *self._written.arrays(scores, explanation)], schema=schema
        ), explanation

    def _places(self, schema: pa.Schema) -> list[int]:
        names = self._asked.columns
        found = find_columns(names, schema.names, alike=self._asked.alike)
        missing = [name for name, place in zip(names, found, strict=True) if place is None]
        if missing:
            raise ValueError(
                f"The batch does not have the column(s) {missing[:10]} that the model reads; it has "
                f"{schema.names[:20]}."
            )
        return [place for place in found if place is not None]

    def _table(self, batch: Any) -> Any:
        """Give the rows as the model takes them: as `pandas.read_parquet` would, or an array."""
        part = batch.select(self._places(batch.schema))
        frame = part.replace_schema_metadata(_without_index(part.schema.metadata)).to_pandas()
        names = self._asked.names_at_fit
        if names is None:
            return frame.to_numpy(dtype=np.float64, na_value=np.nan)
        frame.columns = list(names)
        return frame


def _without_index(metadata: dict[bytes, bytes] | None) -> dict[bytes, bytes] | None:
    """Say that no column is pandas' index: one of them may be a column that the model reads."""
    if not metadata or b"pandas" not in metadata:
        return metadata
    said = json.loads(metadata[b"pandas"]) | {"index_columns": []}
    return metadata | {b"pandas": json.dumps(said).encode()}
