"""Networks over words of texts that stand one after the other, without padding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from ...training import linear
from .._network import mlp

WIDTH = 5
"""Words that a selector sees at once: each one, and two on either side. Measured: 1 word gives .806, 5 give
.819 (accuracy with 6,000 reviews of films, first 256 words, 10 % of the words)."""
BLOCK = 1024
"""Rows of a product of matrices, always the same: rounding then depends on no other row. A matter of
form."""


@dataclass(frozen=True)
class Words:
    """Words of B texts one after the other.

    Parameters
    ----------
    numbers : Tensor of int of shape (N,)
        Number of each word.
    offsets : Tensor of int of shape (B + 1,)
        Where each text begins, and the end of the last.
    groups : Tensor of int of shape (N,) or None
        Unit of each word, counted over all texts; None where each word is one.
    states : Tensor of shape (N, H) or None
        What a backbone makes of each word in its text.
    """

    numbers: Tensor
    offsets: Tensor
    groups: Tensor | None = None
    states: Tensor | None = None

    @property
    def lengths(self) -> Tensor:
        """Number of words of each text (B,)."""
        return self.offsets[1:] - self.offsets[:-1]

    @property
    def texts(self) -> Tensor:
        """Text of each word (N,)."""
        lengths = self.lengths
        places = torch.arange(len(lengths), device=lengths.device)
        return places.repeat_interleave(lengths, output_size=len(self.numbers))

    def of_units(self, values: Tensor) -> Tensor:
        """Give each word the mean over the words of its unit, of values (N,)."""
        if self.groups is None:
            return values
        size = int(self.groups[-1]) + 1 if len(self.groups) else 0
        total = values.new_zeros(size).index_add(0, self.groups, values)
        count = values.new_zeros(size).index_add(0, self.groups, torch.ones_like(values))
        return (total / count)[self.groups]

    def means(self, values: Tensor) -> Tensor:
        """Mean over the words of each text (B,), of values (N,); without words 0."""
        total = values.new_zeros(len(self.lengths)).index_add(0, self.texts, values)
        return total / self.lengths.clamp(min=1)


def dropped(x: Tensor, share: float, generator: Generator | None) -> Tensor:
    """Set a share of numbers to zero and raise the others; drawn by a generator of one's own."""
    if not share:
        return x
    kept = torch.empty_like(x).bernoulli_(1 - share, generator=generator)
    return x * kept.div_(1 - share)


def by_rows(layers: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply layers to rows (N, p) in blocks of one size, so that no row depends on the others by rounding."""
    n = len(x)
    parts = list(x.split(BLOCK))
    parts[-1] = functional.pad(parts[-1], (0, 0, 0, -n % BLOCK))
    return torch.cat([layers(part) for part in parts])[:n] if n else layers(x)


def table(n: int, width: int, deviation: float, generator: Generator | None) -> nn.Parameter:
    """Draw vectors (n, width) of words."""
    values = torch.empty(n, width)
    if deviation == 0:
        return nn.Parameter(values.zero_())
    return nn.Parameter(values.normal_(0.0, deviation, generator=generator))


class WordSelector(nn.Module):
    """A logit of each word: one of its own, and a correction from the words around it.

    The correction starts at zero. Nothing is known of the text as a whole, so the selector cannot decide on
    the class and show what speaks for it.

    Parameters
    ----------
    n_words : int
        Numbers of words.
    width : int
        Of word vectors and of the hidden layer.
    n_hashed : int
        Numbers of unknown words, which come first; in training words are replaced by these.
    dropout : float
        Share of words that are replaced, and of inputs of layers that are dropped, in training.
    generator : torch.Generator, default=None
        Draws the weights.
    """

    def __init__(
        self, n_words: int, width: int, n_hashed: int, dropout: float, generator: Generator | None = None
    ) -> None:
        super().__init__()
        self.n_hashed, self.dropout, self.width = n_hashed, dropout, width
        self.own = table(n_words, 1, 0.0, generator)
        self.vectors = table(n_words, width, 0.1, generator)
        self.around = linear(WIDTH * width, width, generator)
        self.layers = mlp(width, [width], 1, generator)
        for parameter in self.layers[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, words: Words, generator: Generator | None = None) -> Tensor:
        """Give a logit for each word (N,)."""
        numbers, share = words.numbers, self.dropout if self.training else 0.0
        if share:
            hit = torch.rand(len(numbers), generator=generator, device=numbers.device) < share
            other = torch.randint(self.n_hashed, numbers.shape, generator=generator, device=numbers.device)
            numbers = torch.where(hit, other, numbers)
        own = functional.embedding(numbers, self.own)[:, 0]
        if self.training:
            seen = self._seen(functional.embedding(numbers, self.vectors), words)
            correction = self.layers(dropped(seen, share, generator))
        else:
            correction = by_rows(self.layers, self._seen_at_rest(numbers, words))
        return words.of_units(own + correction[:, 0])

    def _apart(self, words: Words) -> tuple[Tensor, int]:
        """Give places (N,) of words, with empty ones between texts, for no word to see another text."""
        reach = WIDTH // 2
        n = len(words.numbers) + reach * (len(words.lengths) + 1)
        places = torch.arange(len(words.numbers), device=words.numbers.device)
        return places + reach * (1 + words.texts), n

    def _seen(self, vectors: Tensor, words: Words) -> Tensor:
        """Give what is seen around each word (N, D), from vectors (N, D); beyond a text are zeros."""
        places, n = self._apart(words)
        apart = vectors.new_zeros(n, self.width).index_copy(0, places, vectors)
        windows = torch.cat([apart[k : k + n - WIDTH + 1] for k in range(WIDTH)], dim=1)
        return torch.relu(self.around(windows))[places - WIDTH // 2]

    def _seen_at_rest(self, numbers: Tensor, words: Words) -> Tensor:
        """Give the same for words of numbers (N,), with one product of matrices for each different word."""
        different, which = numbers.unique(return_inverse=True)
        weight = self.around.weight.view(self.width, WIDTH, self.width).permute(2, 1, 0).flatten(1)
        shares = by_rows(lambda x: x @ weight, functional.embedding(different, self.vectors))
        tables = functional.pad(shares.unflatten(1, (WIDTH, self.width)).transpose(0, 1), (0, 0, 0, 1))
        places, n = self._apart(words)
        apart = which.new_full((n,), len(different)).index_copy(0, places, which)
        seen = self.around.bias.expand(len(numbers), -1)
        for k, part in enumerate(tables):
            seen = seen + part[apart[places + (k - WIDTH // 2)]]
        return torch.relu(seen)


class BagPredictor(nn.Module):
    """Scores from the mean of the vectors of words.

    Parameters
    ----------
    n_words : int
        Numbers of words.
    sizes : sequence of int
        Width of word vectors, then of hidden layers.
    n_outputs : int
        Number K of scores.
    dropout : float
        Share of the mean's numbers that are dropped in training.
    generator : torch.Generator, default=None
        Draws the weights.
    """

    def __init__(
        self,
        n_words: int,
        sizes: Sequence[int],
        n_outputs: int,
        dropout: float,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.vectors = table(n_words, sizes[0], 0.1, generator)
        self.layers = mlp(sizes[0], sizes[1:], n_outputs, generator)

    def sums(self, words: Words, gates: Tensor | None = None) -> Tensor:
        """Add up the vectors of the words of each text (B, D), times gates (N,) where there are any."""
        return functional.embedding_bag(
            words.numbers, self.vectors, words.offsets[:-1], mode="sum", per_sample_weights=gates
        )

    def scores(self, means: Tensor, generator: Generator | None = None) -> Tensor:
        """Give scores (B, K) of means (B, D)."""
        if self.training:
            return self.layers(dropped(means, self.dropout, generator))
        return by_rows(self.layers, means)

    def forward(self, words: Words, generator: Generator | None = None) -> Tensor:
        """Give scores (B, K) of texts that consist of these words and no others."""
        return self.scores(self.sums(words) / words.lengths.clamp(min=1)[:, None], generator)

    def filled(
        self, words: Words, gates: Tensor, fill: Tensor | None, generator: Generator | None = None
    ) -> Tensor:
        """Give scores (B, K) of texts whose words are open by gates (N,) in [0, 1].

        Hidden words have the numbers `fill` (N,) of others; None: they are nothing.
        """
        total = self.sums(words, gates)
        if fill is not None:
            total = total + self.sums(Words(fill, words.offsets), 1 - gates)
        return self.scores(total / words.lengths.clamp(min=1)[:, None], generator)
