"""Which columns the reasons of a model are written to, and these columns of some rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from .. import __version__
from ..explanation import Explanation
from ._arrow import arrow
from ._model import Asked

KEY = b"skrationale"
"""Entry of a schema's metadata that says what its columns are."""


@dataclass(frozen=True)
class Written:
    """Columns of scores and reasons.

    Parameters
    ----------
    asked : Asked
        The model.
    top : int or None
        How many reasons of a row are written, the largest; None: all.
    """

    asked: Asked
    top: int | None

    @classmethod
    def of(cls, asked: Asked, top: Any, keep: Sequence[str]) -> Written:
        """Check how many reasons a user wants, and that no two columns get the same name."""
        n = len(asked.feature_names)
        number = isinstance(top, Integral) and not isinstance(top, bool)
        if top is not None and (not number or not 1 <= top <= n):
            raise ValueError(
                f"`top` must be an integer from 1 to {n}, the number of reasons, or None, got {top!r}."
            )
        written = cls(asked, None if top is None else int(top))
        names = [name for name, _ in written.fields()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"Two columns of reasons would both be called {twice[0]!r}; rename columns or classes."
            )
        taken = [name for name in keep if name in set(names)]
        if taken:
            raise ValueError(
                f"`keep` has the column(s) {taken}, but columns of reasons already have these names; "
                "rename the columns of the data first."
            )
        return written

    def fields(self) -> list[tuple[str, Any]]:
        """Give name and type of each column."""
        pa, form = arrow(), self.asked.form
        out = [
            (_column("score", name, self.asked.score_names), pa.float64()) for name in self.asked.score_names
        ]
        label = pa.dictionary(pa.int32(), pa.string())
        for output in form.output_names:
            if self.top is None:
                names = [f"reason.{name}" for name in self.asked.feature_names]
                out += [(_column(name, output, form.output_names), pa.float32()) for name in names]
            for place in range(1, 1 + (self.top or 0)):
                for name, kind in ((f"reason_{place}", label), (f"reason_{place}_value", pa.float32())):
                    out.append((_column(name, output, form.output_names), kind))
        if form.mask is not None:
            out.append(("mask", pa.list_(pa.string())))
        if form.attributes is not None and self.top is None:
            out += [(f"attribute.{name}", pa.float32()) for name in form.feature_names]
        return out

    def meta(self) -> dict[str, Any]:
        """Say what a reader of the columns may want to know, as plain data."""
        form = self.asked.form
        return {
            "version": __version__,
            "model_type": type(self.asked.model).__name__,
            "kind": form.kind,
            "link": form.link,
            "columns": list(self.asked.columns),
            "feature_names": list(self.asked.feature_names),
            "output_names": list(form.output_names),
            "score_names": list(self.asked.score_names),
            "base_values": np.ravel(form.base_values[0]).tolist(),
            "formula": form.formula,
        }

    def schema(self, kept: Sequence[Any] = ()) -> Any:
        """Give the schema of kept fields and the columns of reasons."""
        return arrow().schema([*kept, *self.fields()], metadata={KEY: json.dumps(self.meta()).encode()})

    def arrays(self, scores: np.ndarray, explanation: Explanation) -> list[Any]:
        """Make the columns of n rows.

        Parameters
        ----------
        scores : ndarray of shape (n, K)
            Their scores.
        explanation : Explanation
            Their reasons.

        Returns
        -------
        list of pyarrow.Array
            In the order of `fields`.
        """
        pa = arrow()
        out = [pa.array(np.ascontiguousarray(score, dtype=np.float64)) for score in scores.T]
        values = values_of(explanation)
        if self.top is None:
            by_column = np.ascontiguousarray(values.transpose(2, 1, 0), dtype=np.float32)
            out += [pa.array(column) for output in by_column for column in output]
        else:
            for k in range(values.shape[2]):
                out += self._largest(values[:, :, k], explanation.mask)
        if explanation.mask is not None:
            out.append(_lists_of_names(explanation.mask, self.asked.feature_names))
        if explanation.attributes is not None and self.top is None:
            phi = np.ascontiguousarray(explanation.attributes["phi"].T, dtype=np.float32)
            out += [pa.array(column) for column in phi]
        return out

    def _largest(self, values: np.ndarray, mask: np.ndarray | None) -> Iterator[Any]:
        """Give names and values of the largest of reasons (n, d); null where one is hidden or undefined."""
        pa, names = arrow(), arrow().array(self.asked.feature_names, arrow().string())
        size = np.where(np.isnan(values), -1.0, np.abs(values))
        if mask is not None:
            size[~mask] = -1.0
        order = np.argsort(-size, axis=1, kind="stable")[:, : self.top]
        found = np.take_along_axis(values, order, axis=1).astype(np.float32)
        hidden = np.take_along_axis(size, order, axis=1) < 0
        for place in range(order.shape[1]):
            out = np.ascontiguousarray(hidden[:, place])
            indices = pa.array(order[:, place].astype(np.int32), mask=out)
            yield pa.DictionaryArray.from_arrays(indices, names)
            yield pa.array(np.ascontiguousarray(found[:, place]), mask=out)


def _column(name: str, output: str, outputs: Sequence[str]) -> str:
    return name if len(outputs) == 1 else f"{name}.{output}"


def _lists_of_names(mask: np.ndarray, names: Sequence[str]) -> Any:
    """Write the rationale (n, d) of each row as a list of names."""
    pa = arrow()
    ends = np.concatenate([[0], np.cumsum(mask.sum(axis=1))]).astype(np.int32)
    chosen = pa.array(names, pa.string()).take(pa.array(np.nonzero(mask)[1]))
    return pa.ListArray.from_arrays(pa.array(ends), chosen)


def values_of(explanation: Explanation) -> np.ndarray:
    """Give the values as (n, d, k), also where k is 1."""
    values = explanation.values
    return values[:, :, None] if values.ndim == 2 else values
