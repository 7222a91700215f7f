"""TextBackbone: any network that reads pieces of words, with the tokenizer that cuts words into them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import nn

MOST_PIECES = 512
"""Pieces that a network of a folder reads at once, at most; its own limit may be lower. Not measured."""


class TextBackbone:
    """A network that reads pieces of words, and the tokenizer that it was trained with.

    Each word is cut into pieces by itself, so the pieces of a word do not depend on other words.

    Parameters
    ----------
    module : torch.nn.Module
        ``module(ids, attention)`` with integers of shape (B, P), 1 in `attention` for a piece and 0 for
        padding, returns states (B, P, H), or an object that has them as ``last_hidden_state``. The states of
        a row must not depend on other rows.
    tokenize : callable
        ``tokenize(words)`` with a list of str returns a list of int for each word, its pieces. For models
        that are pickled it must be a function that is defined in a module, or an object whose class is.
    start_ids, end_ids : sequence of int, default=()
        Pieces before and after the words of each text, such as those of ``[CLS]`` and ``[SEP]``.
    pad_id : int, default=0
        Piece for padding.
    max_pieces : int, default=512
        Number of pieces that the network can read at once, including `start_ids` and `end_ids`. Longer texts
        are read in several parts.

    See Also
    --------
    TextRationaleClassifier : Its `backbone` is a TextBackbone, or a folder of a transformers model.

    Examples
    --------
    >>> import torch
    >>> from skrationale import TextRationaleClassifier
    >>> from skrationale.rationale import TextBackbone
    >>> class Reader(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.vectors = torch.nn.Embedding(27, 8)
    ...     def forward(self, ids, attention):
    ...         return self.vectors(ids) * attention[..., None]
    >>> def letters(words):
    ...     return [[ord(letter) - 96 for letter in word if "a" <= letter <= "z"] for word in words]
    >>> texts = ["a dull and empty film", "a bright and moving film"] * 40
    >>> backbone = TextBackbone(Reader(), letters)
    >>> model = TextRationaleClassifier(
    ...     max_features=2, backbone=backbone, backbone_layers="all", max_epochs=4, lr=0.02, random_state=0
    ... ).fit(texts, ["bad", "good"] * 40)
    >>> model.score(texts, ["bad", "good"] * 40)
    1.0
    """

    def __init__(
        self,
        module: nn.Module,
        tokenize: Callable[[list[str]], list[list[int]]],
        *,
        start_ids: Sequence[int] = (),
        end_ids: Sequence[int] = (),
        pad_id: int = 0,
        max_pieces: int = 512,
    ) -> None:
        if not isinstance(module, nn.Module):
            raise TypeError(f"module must be a torch.nn.Module. Got {type(module).__name__} instead.")
        if not callable(tokenize):
            raise TypeError(
                "tokenize must be callable: it takes a list of words and gives a list of int for each. Got "
                f"{type(tokenize).__name__} instead."
            )
        if max_pieces <= len(start_ids) + len(end_ids):
            raise ValueError(
                f"max_pieces={max_pieces} leaves no room for words, because {len(start_ids)} pieces come "
                f"before them and {len(end_ids)} after them; expected a larger max_pieces."
            )
        self.module = module
        self.tokenize = tokenize
        self.start_ids = tuple(start_ids)
        self.end_ids = tuple(end_ids)
        self.pad_id = pad_id
        self.max_pieces = max_pieces

    @classmethod
    def from_folder(cls, folder: str | os.PathLike[str]) -> TextBackbone:
        """Read a network and its tokenizer from a folder that transformers wrote; nothing is downloaded.

        Parameters
        ----------
        folder : str or path-like
            Folder with ``config.json``, the weights, and the files of a tokenizer.

        Returns
        -------
        TextBackbone

        Raises
        ------
        ValueError
            If there is no such folder, or it holds no model.
        ImportError
            If transformers is not installed.
        """
        path = Path(folder)
        if not (path / "config.json").is_file():
            raise ValueError(
                f"The backbone {os.fspath(folder)!r} is not a folder with a config.json. Expected the "
                "folder of a transformers model, as save_pretrained writes it; nothing is downloaded."
            )
        try:
            from transformers import AutoModel, AutoTokenizer
        except ImportError as error:
            raise ImportError(
                "A folder as backbone needs transformers: pip install 'skrationale[text]'."
            ) from error
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        module = AutoModel.from_pretrained(path, local_files_only=True)
        pieces = WordPieces(tokenizer)
        bare, whole = pieces(["a"])[0], tokenizer(" a")["input_ids"]
        place = next(i for i in range(len(whole)) if whole[i : i + len(bare)] == bare)
        positions = getattr(module.config, "max_position_embeddings", None) or MOST_PIECES
        if tokenizer.model_max_length > positions:
            positions -= 2  # some networks begin to count behind the number of the padding piece
        return cls(
            module,
            pieces,
            start_ids=whole[:place],
            end_ids=whole[place + len(bare) :],
            pad_id=0 if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
            max_pieces=min(tokenizer.model_max_length, positions, MOST_PIECES),
        )


class WordPieces:
    """Cuts words into pieces by a tokenizer of transformers, as they would stand inside a text.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizer
        Of transformers.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def __call__(self, words: list[str]) -> list[list[int]]:
        """Give the pieces of each word."""
        return self.tokenizer([f" {word}" for word in words], add_special_tokens=False)["input_ids"]
