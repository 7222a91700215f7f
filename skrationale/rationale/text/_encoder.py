"""A backbone inside of a fit: states of words for the selector, and a predictor that reads shown words."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from ...training import linear
from ...units import BLOCK_PIECES, Pieces, TextUnits, blocks_of
from .._network import mlp
from ._backbone import TextBackbone
from ._constants import BACKBONE_LR
from ._network import Words, by_rows, dropped, table
from ._store import TextStore

MOST_BYTES = 2**32
"""Bytes that the states of all training words may take. Not measured."""
STATE_SCALE, SCALE_OF_SHORT, SHORT = 0.1, 0.01, 64
"""Deviation of the numbers of a state; the same where more than half of the texts have fewer words than so
many. Measured with a tuned sentence encoder: of the words that decide, in texts of 16 words of `make_texts`,
0.01 finds .96 and .93 (two seeds), 0.03 .47 and .93, 0.1 .02 and .58, by chance .20: all logits rise and fall
together. From a tenth of reviews of 132 words 0.1 predicts .809, and 0.01 .709. Between 16 and 132 words
nothing was measured."""
NEUTRAL_WORDS = 32
"""Words of a text from which half of the mean of its states is subtracted; of L words L^2 / (L^2 + 32^2).
Measured, 2,500 reviews of 132 words: AUROC of masks alone and leak without the mean .717 and .028 (seed 0),
with .80 of it .720 and .048, with .94 of it .707 and .046 (seed 1), with all of it .635 and .010 (seed 0).
In texts of 16 words, of `make_texts`, with all of it .31 of the words that decide are found, with .2 of it
.87, without .91."""
WIDE = 128
"""Numbers of a state from which a backbone is tuned in bfloat16 where the processor has instructions for it.
Measured at 384 only: an epoch takes 0.7 of the time."""


@dataclass(frozen=True)
class Encoder:
    """An own copy of a backbone, which nothing changes, and which of its parameters are tuned to predict.

    Parameters
    ----------
    backbone : TextBackbone
        Its module is in evaluation mode.
    tuned : tuple of str
        Names of parameters.
    width : int
        Numbers H of a state.
    scale : float, default=STATE_SCALE
        Deviation of these numbers.
    """

    backbone: TextBackbone
    tuned: tuple[str, ...]
    width: int
    scale: float = STATE_SCALE

    @classmethod
    def of(cls, backbone: Any, layers: int | str) -> Encoder:
        """Copy a backbone, or read one from a folder, and see that it answers.

        Raises
        ------
        ValueError
            When a folder holds no model, the module does not give one state a piece, or has no such layers.
        """
        if isinstance(backbone, str | os.PathLike):
            own = TextBackbone.from_folder(backbone)
        else:
            own = copy.copy(backbone)
            own.module = copy.deepcopy(own.module)
        own.module = own.module.cpu().float().eval().requires_grad_(False)
        probe = torch.full((1, min(3, own.max_pieces)), own.pad_id)
        with torch.no_grad():
            states = read(own.module, {}, probe, torch.ones_like(probe))
        return cls(own, tuned_names(own.module, layers), states.shape[-1])

    def suited_to(self, lengths: np.ndarray) -> Encoder:
        """Choose the scale of states for texts of so many words (n,)."""
        return replace(self, scale=SCALE_OF_SHORT if np.median(lengths) < SHORT else STATE_SCALE)

    @property
    def work(self) -> int:
        """Count the multiply-adds of a layer, about."""
        return BLOCK_PIECES * 4 * self.width**2

    @property
    def n_weights(self) -> int:
        """Count the weights of the module."""
        return sum(parameter.numel() for parameter in self.backbone.module.parameters())

    def tuned_in(self, state: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
        """Give by name the tuned parameters among the weights of an `EncoderPredictor`."""
        return {name: torch.from_numpy(np.array(state[f"tuned.{i}"])) for i, name in enumerate(self.tuned)}

    def to(self, device: str) -> Encoder:
        """Move the module, in place."""
        self.backbone.module.to(device)
        return self

    def add_up(
        self, parameters: dict[str, Tensor], pieces: Pieces, words: Words, owners: Tensor, n: int, alone: bool
    ) -> Tensor:
        """Give the mean (n, H) of the states of the pieces that belong to each owner.

        `owners` (N,) says of each word to whom it belongs; `alone` is that of `blocks_of`.
        """
        device = words.offsets.device
        numbers, offsets = words.numbers.cpu().numpy(), words.offsets.cpu().numpy()
        total = torch.zeros(n, self.width, device=device)
        count = torch.zeros(n, device=device)
        for block in blocks_of(pieces, numbers, offsets, self.backbone, alone=alone):
            ids, attention, rows, columns, at = (
                torch.from_numpy(array).to(device)
                for array in (block.ids, block.attention, block.rows, block.columns, block.words)
            )
            states = read(self.backbone.module, parameters, ids, attention)[rows, columns].float()
            total.index_add_(0, owners[at], states)
            count.index_add_(0, owners[at], torch.ones_like(states[:, 0]))
        return total / count.clamp(min=1)[:, None]


def read(module: nn.Module, parameters: dict[str, Tensor], ids: Tensor, attention: Tensor) -> Tensor:
    """Let a module read pieces (B, P), with some of its parameters replaced: states (B, P, H)."""
    answer = functional_call(module, parameters, (ids, attention))
    states = getattr(answer, "last_hidden_state", answer)
    if not isinstance(states, Tensor) or states.ndim != 3 or states.shape[:2] != ids.shape:
        got = f"shape {tuple(states.shape)}" if isinstance(states, Tensor) else f"a {type(states).__name__}"
        raise ValueError(
            f"The module of the backbone returned {got} for pieces of shape {tuple(ids.shape)}; expected "
            f"states of shape ({ids.shape[0]}, {ids.shape[1]}, H)."
        )
    return states


def tuned_names(module: nn.Module, layers: int | str) -> tuple[str, ...]:
    """Name the parameters of the last layers, those of the longest ModuleList."""
    names = [name for name, _ in module.named_parameters()]
    if layers == "all":
        return tuple(names)
    if layers == 0:
        return ()
    stacks = [(name, part) for name, part in module.named_modules() if isinstance(part, nn.ModuleList)]
    name, stack = max(stacks, key=lambda each: len(each[1]), default=("", ()))
    if len(stack) < int(layers):
        raise ValueError(
            f"backbone_layers={layers}, but the module of the backbone has {len(stack)} layers in a "
            f"torch.nn.ModuleList; expected 'all', or an integer from 0 to {len(stack)}."
        )
    before = name + "." if name else ""
    last = tuple(f"{before}{i}." for i in range(len(stack) - int(layers), len(stack)))
    return tuple(each for each in names if each.startswith(last))


def quick(encoder: Encoder, device: torch.device) -> AbstractContextManager[Any]:
    """Let a processor that can do so multiply in bfloat16, where the backbone is wide enough to gain."""
    known: Mapping[str, Any] = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    if device.type == "cpu" and known.get("avx512_bf16", False) and encoder.width >= WIDE:
        return torch.autocast("cpu", dtype=torch.bfloat16)
    return nullcontext()


class StateReader:
    """Gives the states of words, each read with all words of its text.

    Parameters
    ----------
    encoder : Encoder
        Reads.
    tuned : mapping of str to Tensor
        Its tuned parameters by name, on the device.
    units : TextUnits
        Those of n texts.
    device : str, default="cpu"
        Where the encoder is.
    """

    def __init__(
        self, encoder: Encoder, tuned: Mapping[str, Tensor], units: TextUnits, device: str = "cpu"
    ) -> None:
        self.encoder, self.tuned = encoder, dict(tuned)
        self.pieces = Pieces.of(units.words, encoder.backbone)
        self.store = TextStore.of(units, units.codes, device)

    def of(self, texts: Tensor) -> Tensor:
        """Give states (N', H) of the words of some texts, normalised, in half precision.

        Each is less the mean of its text, in short texts a part of it; see `NEUTRAL_WORDS`. In a tuned
        backbone all words tell the class; a selector that knows it shows what speaks for it, and more of it
        where it is sure.
        """
        words = self.store.batch(texts)[0]
        n = len(words.numbers)
        owners = torch.arange(n, device=words.numbers.device)
        with torch.no_grad():
            means = self.encoder.add_up(self.tuned, self.pieces, words, owners, n, True)
        states = self.encoder.scale * functional.layer_norm(means, (self.encoder.width,))
        total = states.new_zeros(len(words.lengths), self.encoder.width).index_add_(0, words.texts, states)
        lengths = words.lengths.clamp(min=1)
        mean = total * (lengths / (lengths**2 + NEUTRAL_WORDS**2))[:, None]
        return (states - mean[words.texts]).half()


def check_memory(encoder: Encoder, n_words: int) -> None:
    """Refuse texts whose states would not fit in memory."""
    size = 2 * n_words * encoder.width
    if size > MOST_BYTES:
        raise ValueError(
            f"X has {n_words} words, whose states of {encoder.width} numbers take {size / 2**30:.1f} GB; "
            f"expected at most {MOST_BYTES / 2**30:.0f} GB. Give fewer texts, or a smaller max_length."
        )


class StateSelector(nn.Module):
    """A logit of each word: one of its own, and a correction from its state.

    Parameters
    ----------
    n_words : int
        Numbers of words.
    n_states : int
        Numbers H of a state.
    width : int
        Of the hidden layer.
    n_hashed : int
        Numbers of unknown words, which come first; in training words are replaced by these.
    dropout : float
        Share of words that are replaced, and of numbers of states that are dropped, in training.
    generator : torch.Generator, default=None
        Draws the weights.
    """

    def __init__(
        self,
        n_words: int,
        n_states: int,
        width: int,
        n_hashed: int,
        dropout: float,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.n_hashed, self.dropout = n_hashed, dropout
        self.own = table(n_words, 1, 0.0, generator)
        self.layers = mlp(n_states, [width], 1, generator)
        for parameter in self.layers[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, words: Words, generator: Generator | None = None) -> Tensor:
        """Give a logit for each word (N,)."""
        assert words.states is not None
        numbers, states = words.numbers, words.states.to(self.own.dtype)
        if not self.training:
            own = functional.embedding(numbers, self.own)[:, 0]
            return words.of_units(own + by_rows(self.layers, states)[:, 0])
        hit = torch.rand(len(numbers), generator=generator, device=numbers.device) < self.dropout
        other = torch.randint(self.n_hashed, numbers.shape, generator=generator, device=numbers.device)
        own = functional.embedding(torch.where(hit, other, numbers), self.own)[:, 0]
        return words.of_units(own + self.layers(dropped(states, self.dropout, generator))[:, 0])


class EncoderPredictor(nn.Module):
    """Scores from the mean state of the pieces of words, which a backbone reads as if there were no others.

    Parameters
    ----------
    encoder : Encoder
        Its tuned parameters are copied, the others shared.
    pieces : Pieces
        Those of the different words that numbers stand for.
    n_outputs : int
        Number K of scores.
    dropout : float
        Share of the mean's numbers that are dropped in training.
    generator : torch.Generator, default=None
        Draws the weights of the last layer.
    """

    def __init__(
        self,
        encoder: Encoder,
        pieces: Pieces,
        n_outputs: int,
        dropout: float,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.encoder, self.pieces, self.dropout = encoder, pieces, dropout
        own = dict(encoder.backbone.module.named_parameters())
        self.tuned = nn.ParameterList(
            nn.Parameter(own[name].detach().cpu().clone()) for name in encoder.tuned
        )
        self.head = linear(encoder.width, n_outputs, generator)
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)

    def parameters_by_name(self) -> dict[str, Tensor]:
        """Give the tuned parameters by the names that the backbone has for them."""
        return dict(zip(self.encoder.tuned, self.tuned, strict=True))

    def forward(self, words: Words, generator: Generator | None = None) -> Tensor:
        """Give scores (B, K) of texts that consist of these words and no others."""
        n, quicker = len(words.lengths), quick(self.encoder, words.offsets.device)
        with quicker if self.training else nullcontext():
            means = self.encoder.add_up(
                self.parameters_by_name(), self.pieces, words, words.texts, n, not self.training
            )
        means = functional.layer_norm(means, (self.encoder.width,))
        if self.training:
            return self.head(dropped(means, self.dropout, generator)) / BACKBONE_LR
        return by_rows(self.head, means) / BACKBONE_LR


def with_states(words: Words, reader: StateReader | None, texts: Tensor) -> Words:
    """Add the states of words of some texts, where there is a reader."""
    return words if reader is None else replace(words, states=reader.of(texts))


def all_states(reader: StateReader, parts: list[Tensor]) -> Tensor:
    """Give the states (N, H) of the words of all texts, which come in parts."""
    return torch.cat([reader.of(texts) for texts in parts])


def predictor_of(encoder: Encoder, units: TextUnits, state: dict[str, np.ndarray]) -> EncoderPredictor:
    """Build a predictor of the words of texts with given weights, in evaluation mode."""
    module = EncoderPredictor(encoder, Pieces.of(units.words, encoder.backbone), len(state["head.bias"]), 0.0)
    module.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in state.items()})
    return module.eval()
