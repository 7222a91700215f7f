"""Some columns of a table as networks see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..tabular import TableEncoder


@dataclass(frozen=True)
class Cells:
    """Columns that can be selected, encoded.

    Parameters
    ----------
    encoder : TableEncoder
        Encodes the d columns of a table.
    live : ndarray of shape (c,)
        The columns.
    x : ndarray of shape (n, p)
        What their cells are encoded into, float32.
    groups : ndarray of shape (p,)
        Position in `live` of each encoded column.
    """

    encoder: TableEncoder
    live: np.ndarray
    x: np.ndarray
    groups: np.ndarray

    @classmethod
    def of(cls, encoder: TableEncoder, codes: np.ndarray, live: np.ndarray) -> Cells:
        """Encode columns (c,) of rows (n, d)."""
        x, groups = encode(encoder, codes, live)
        return cls(encoder, live, x.astype(np.float32), groups)


def encode(encoder: TableEncoder, codes: np.ndarray, live: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Encode columns (c,) of rows (n, d) into (n, p), float64, and give each one's position in `live`."""
    chosen = np.flatnonzero(np.isin(encoder.groups, live))
    return encoder.transform_codes(codes)[:, chosen], np.searchsorted(live, encoder.groups[chosen])
