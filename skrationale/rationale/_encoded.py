"""Some columns of a table as networks see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..tabular import TableEncoder
from ..units import Units, table_units


@dataclass(frozen=True)
class EncodedColumns:
    """Columns that can be selected, encoded.

    Parameters
    ----------
    encoder : TableEncoder
        Encodes the d columns of a table.
    columns : ndarray of shape (c,)
        The columns.
    x : ndarray of shape (n, p)
        What their cells are encoded into, float32.
    units : Units
        The c columns; its groups say which of them each encoded column belongs to.
    """

    encoder: TableEncoder
    columns: np.ndarray
    x: np.ndarray
    units: Units

    @classmethod
    def of(cls, encoder: TableEncoder, matrix: np.ndarray, columns: np.ndarray) -> EncodedColumns:
        """Encode columns (c,) of rows (n, d)."""
        x, units = encode(encoder, matrix, columns)
        return cls(encoder, columns, x.astype(np.float32), units)

    def take(self, columns: np.ndarray) -> EncodedColumns:
        """Give some (c,) of the columns that are encoded here."""
        if len(columns) == len(self.columns):
            return self
        units, inputs = self.units.take(np.searchsorted(self.columns, columns))
        return EncodedColumns(self.encoder, columns, self.x[:, inputs], units)


def encode(encoder: TableEncoder, matrix: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, Units]:
    """Encode columns (c,) of rows (n, d) into (n, p), float64, and give these columns as units."""
    units, inputs = table_units(encoder).take(columns)
    return encoder.encode_matrix(matrix)[:, inputs], units
