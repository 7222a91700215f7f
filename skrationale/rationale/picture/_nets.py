"""Networks of pictures: convolutions to the grid and one transformer layer, or what a user brings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class PatchTokens(nn.Module):
    """Convolutions down to the grid, positions, one transformer layer: (B, C, H, W) -> (B, L, D).

    Parameters
    ----------
    n_channels : int
        Channels, with that of the mask.
    height, width : int
        Of pictures.
    grid : (int, int)
        Patches down and across.
    sizes : sequence of int
        Maps of the convolutions; the last is the width D of the transformer too.
    """

    def __init__(
        self, n_channels: int, height: int, width: int, grid: tuple[int, int], sizes: Sequence[int]
    ) -> None:
        super().__init__()
        self.grid, self.width = grid, sizes[-1]
        halvings = round(math.log2(max(min(height / grid[0], width / grid[1]), 1)))
        layers: list[nn.Module] = []
        for i, size in enumerate(sizes):
            layers += [nn.Conv2d(n_channels, size, 3, 2 if i < halvings else 1, 1), nn.ReLU()]
            n_channels = size
        self.stem = nn.Sequential(*layers)
        self.places = nn.Parameter(0.02 * torch.randn(1, grid[0] * grid[1], self.width))
        self.before, self.after = nn.LayerNorm(self.width), nn.LayerNorm(self.width)
        heads = math.gcd(self.width, 4)
        self.layer = nn.TransformerEncoderLayer(
            self.width,
            heads,
            2 * self.width,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Give a vector for each patch (B, L, D)."""
        maps = self.stem(x)
        if tuple(maps.shape[2:]) != self.grid:
            maps = functional.adaptive_avg_pool2d(maps, self.grid)
        tokens = self.before(maps.flatten(2).transpose(1, 2)) + self.places
        return self.after(self.layer(tokens))


class PooledScores(nn.Module):
    """Scores of pictures from the mean and the largest of what patches hold: (B, C, H, W) -> (B, K)."""

    def __init__(self, body: PatchTokens, n_outputs: int) -> None:
        super().__init__()
        self.body, self.head = body, nn.Linear(2 * body.width, n_outputs)

    def features(self, x: Tensor) -> Tensor:
        """Give what the last layer sees (B, 2 D)."""
        tokens = self.body(x)
        return torch.cat([tokens.mean(1), tokens.amax(1)], 1)

    def forward(self, x: Tensor) -> Tensor:
        """Give scores (B, K)."""
        return self.head(self.features(x))


class PatchValues(nn.Module):
    """A value for each patch: a body that gives vectors of patches, and a linear head."""

    def __init__(self, body: nn.Module, width: int) -> None:
        super().__init__()
        self.body, self.head = body, nn.Linear(width, 1)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Give values (B, L)."""
        return self.head(self.body(x))[..., 0]


class GivenTokens(nn.Module):
    """The maps, or tokens, that a layer of a user's network gives, brought to the grid: (B, L, D).

    Parameters
    ----------
    net : Module
        The network.
    layer : str
        Name of the layer whose output is read.
    grid : (int, int)
        Patches down and across.
    """

    def __init__(self, net: nn.Module, layer: str, grid: tuple[int, int]) -> None:
        super().__init__()
        self.net, self.layer, self.grid = net, layer, grid

    def forward(self, x: Tensor) -> Tensor:
        """Give a vector for each patch (B, L, D)."""
        found: list[Tensor] = []
        hook = self.net.get_submodule(self.layer).register_forward_hook(
            lambda _module, _inputs, output: found.append(output)
        )
        try:
            self.net(x)
        finally:
            hook.remove()
        maps = as_maps(found[-1], x.shape[2:])
        assert maps is not None
        return functional.adaptive_avg_pool2d(maps, self.grid).flatten(2).transpose(1, 2)


def as_maps(output: Any, size: Sequence[int]) -> Tensor | None:
    """Give what a layer puts out as maps (B, D, h, w) of pictures of a size; None where it has no places."""
    if not isinstance(output, Tensor):
        return None
    if output.ndim == 4 and output.shape[2] * output.shape[3] > 1:
        return output
    if output.ndim != 3:
        return None
    n = output.shape[1]
    for extra in (1, 0):  # a token of the whole picture comes first
        down = round(math.sqrt((n - extra) * size[0] / size[1])) if n > extra else 0
        if down and (n - extra) % down == 0 and n - extra > 1:
            across = (n - extra) // down
            if abs(down * size[1] - across * size[0]) < max(size):
                return output[:, extra:].transpose(1, 2).unflatten(2, (down, across))
    return None


class OnGrid(nn.Module):
    """A user's selector: values of patches (B, L) from its maps (B, h, w), (B, 1, h, w), or values (B, L)."""

    def __init__(self, net: nn.Module, grid: tuple[int, int]) -> None:
        super().__init__()
        self.net, self.grid = net, grid

    def forward(self, x: Tensor) -> Tensor:
        """Give values (B, L)."""
        values = self.net(x)
        if values.ndim == 2:
            return values
        maps = values[:, None] if values.ndim == 3 else values
        return functional.adaptive_avg_pool2d(maps, self.grid).flatten(1)


class AllShown(nn.Module):
    """Gives a selector whole pictures, with a mask that says so where its body was told masks."""

    def __init__(self, net: nn.Module, told: bool) -> None:
        super().__init__()
        self.net, self.told = net, told

    def forward(self, x: Tensor) -> Tensor:
        """Give values (B, L) of pictures (B, C, H, W)."""
        return self.net(torch.cat([x, torch.ones_like(x[:, :1])], 1) if self.told else x)


class MaskedPictures(nn.Module):
    """A network that sees shown pixels alone: hidden ones are 0, and one more channel says which.

    Parameters
    ----------
    net : Module
        Pictures (B, C + 1, H, W), or (B, C, H, W), to scores.
    groups : Tensor of int of shape (H, W)
        Patch of each pixel.
    n_outputs : int
        Number K of scores.
    told : bool, default=True
        Whether the network has a channel for the mask.
    """

    groups: Tensor

    def __init__(self, net: nn.Module, groups: Tensor, n_outputs: int, told: bool = True) -> None:
        super().__init__()
        self.net, self.n_outputs, self.told = net, n_outputs, told
        self.register_buffer("groups", groups)

    def inputs(self, x: Tensor, mask: Tensor) -> Tensor:
        """Give what the network sees of pictures x (B, C, H, W) of which mask (B, L) is shown."""
        shown = mask.to(x)[:, self.groups][:, None]
        if mask.dtype == torch.bool:
            seen = torch.where(shown > 0, x, torch.zeros((), dtype=x.dtype, device=x.device))
        else:
            seen = x * shown
        return torch.cat([seen, shown], 1) if self.told else seen

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Give scores (B, K)."""
        return scores_in(self.net(self.inputs(x, mask)), self.n_outputs)


def scores_in(output: Any, n_outputs: int) -> Tensor:
    """Read scores (B, K) out of what a network gives: a tensor, or something with `logits`."""
    scores = output if isinstance(output, Tensor) else getattr(output, "logits", None)
    if scores is None and isinstance(output, tuple) and output:
        scores = output[0]
    if not isinstance(scores, Tensor):
        raise TypeError(f"`backbone` gives {type(output).__name__}; expected a tensor of scores (B, K).")
    if scores.ndim == 1:
        scores = scores[:, None]
    if n_outputs == 1 and scores.ndim == 2 and scores.shape[1] == 2:
        return scores[:, 1:] - scores[:, :1]  # of two classes
    if scores.ndim != 2 or scores.shape[1] != n_outputs:
        raise ValueError(
            f"`backbone` gives an array of shape {tuple(scores.shape)}; expected scores of shape "
            f"({len(scores)}, {n_outputs}), "
            + ("one number per picture." if n_outputs == 1 else "one for each class.")
        )
    return scores
