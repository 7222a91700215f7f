"""Pieces of words in rows that a network reads at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ._words import ranges

STEP = 16
"""Rows are filled up to a multiple of so many pieces. Not measured."""
BLOCK_PIECES = 256
"""Pieces that a network reads at once when it predicts, padding among them: as many rows of each length, so
that rounding depends on no other text. Not measured."""


class PieceReader(Protocol):
    """What a network that reads pieces says of them; see :class:`skrationale.rationale.TextBackbone`."""

    tokenize: Callable[[list[str]], list[list[int]]]
    start_ids: tuple[int, ...]
    end_ids: tuple[int, ...]
    pad_id: int
    max_pieces: int


@dataclass(frozen=True)
class Pieces:
    """The pieces of different words, one word after the other.

    Parameters
    ----------
    ids : ndarray of int of shape (M,)
        Numbers of pieces.
    offsets : ndarray of int of shape (W + 1,)
        Where each word begins, and the end of the last.
    """

    ids: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, words: Sequence[str], backbone: PieceReader) -> Pieces:
        """Cut words into pieces; those beyond what a network reads at once are left out.

        Raises
        ------
        ValueError
            When the tokenizer does not give a list of int for each word.
        """
        limit = room(backbone)
        found = backbone.tokenize(list(words)) if len(words) else []
        parts = [np.asarray(part, dtype=None if len(part) else np.int64) for part in found]
        if len(parts) != len(words) or not all(part.dtype.kind == "i" and part.ndim == 1 for part in parts):
            raise ValueError(
                f"The tokenizer of the backbone gave {len(parts)} lists for {len(words)} words; expected a "
                "list of int for each word."
            )
        parts = [part[:limit] for part in parts]
        lengths = np.array([len(part) for part in parts], dtype=np.int64)
        ids = np.concatenate([np.zeros(0, dtype=np.int64), *parts])
        return cls(ids, np.concatenate([[0], np.cumsum(lengths)]))


@dataclass(frozen=True)
class Block:
    """Rows of pieces that are read at once.

    Parameters
    ----------
    ids, attention : ndarray of int of shape (R, P)
        Numbers of pieces, and 1 where there is one.
    rows, columns : ndarray of int of shape (m,)
        Where the pieces of words stand.
    words : ndarray of int of shape (m,)
        Position of the word that each of them belongs to.
    """

    ids: np.ndarray
    attention: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    words: np.ndarray


def room(backbone: PieceReader) -> int:
    """Count the pieces of words that fit in one row."""
    return backbone.max_pieces - len(backbone.start_ids) - len(backbone.end_ids)


def row_starts(counts: np.ndarray, offsets: np.ndarray, limit: int) -> np.ndarray:
    """Mark the words (N,) that begin a row: the first of each text, and where a row would be too long.

    Parameters
    ----------
    counts : ndarray of int of shape (N,)
        Pieces of each word, at most `limit`.
    offsets : ndarray of int of shape (B + 1,)
        Where each text begins, and the end of the last.
    limit : int
        Pieces of a row.

    Examples
    --------
    >>> row_starts(np.array([1, 2, 2, 1, 1]), np.array([0, 4, 4, 5]), 3)
    array([ True, False,  True, False,  True])
    """
    first = np.zeros(len(counts), dtype=bool)
    first[offsets[:-1][np.diff(offsets) > 0]] = True
    ends = np.concatenate([[0], np.cumsum(counts)])
    for i in np.flatnonzero(ends[offsets[1:]] - ends[offsets[:-1]] > limit):
        at = offsets[i]
        while at < offsets[i + 1]:
            first[at] = True
            at = np.searchsorted(ends, ends[at] + limit, side="right") - 1
    return first


def blocks_of(
    pieces: Pieces, numbers: np.ndarray, offsets: np.ndarray, backbone: PieceReader, *, alone: bool
) -> Iterator[Block]:
    """Put the words of texts in rows, rows of about one length together.

    Parameters
    ----------
    pieces : Pieces
        Those of different words.
    numbers : ndarray of int of shape (N,)
        Which of the different words stand in the texts.
    offsets : ndarray of int of shape (B + 1,)
        Where each text begins, and the end of the last.
    backbone : PieceReader
        Says what stands around the words, and how long rows can be.
    alone : bool
        Whether blocks have a size that follows from the length of their rows alone, so that no row depends on
        others by rounding; rows of padding fill the last one up. Else rows of one length are one block.

    Yields
    ------
    Block
    """
    counts = np.diff(pieces.offsets)[numbers]
    first = row_starts(counts, offsets, room(backbone))
    row_of_word = np.cumsum(first) - 1
    row_lengths = np.bincount(row_of_word, counts, int(first.sum())).astype(np.int64)
    row_places = np.cumsum(row_lengths) - row_lengths
    ids = pieces.ids[ranges(pieces.offsets[numbers], counts)]
    words = np.repeat(np.arange(len(numbers)), counts)
    around = len(backbone.start_ids) + len(backbone.end_ids)
    widths = np.minimum(-(-(row_lengths + around) // STEP) * STEP, backbone.max_pieces)
    for width in np.unique(widths[row_lengths > 0]).tolist():
        rows = np.flatnonzero((widths == width) & (row_lengths > 0))
        size = max(BLOCK_PIECES // width, 1) if alone else len(rows)
        for part in np.split(rows, range(size, len(rows), size)):
            here = ranges(row_places[part], row_lengths[part])
            yield _block(backbone, size, width, row_lengths[part], ids[here], words[here])


def _block(
    backbone: PieceReader, size: int, width: int, lengths: np.ndarray, ids: np.ndarray, words: np.ndarray
) -> Block:
    """Lay out rows of lengths (r,) with their pieces (m,), filled up to `size` rows of `width`."""
    start, end = backbone.start_ids, backbone.end_ids
    table = np.full((size, width), backbone.pad_id, dtype=np.int64)
    attention = np.ones((size, width), dtype=np.int64)
    attention[: len(lengths)] = np.arange(width) < (lengths + len(start) + len(end))[:, None]
    rows = np.repeat(np.arange(len(lengths)), lengths)
    columns = len(start) + ranges(np.zeros(len(lengths), dtype=np.int64), lengths)
    table[: len(lengths), : len(start)] = start
    table[rows, columns] = ids
    for j, each in enumerate(end):
        table[np.arange(len(lengths)), len(start) + lengths + j] = each
    return Block(table, attention, rows, columns, words)
