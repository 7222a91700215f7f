"""What the networks of a model are made of, so that they can be built again from their weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ...training import get_state, rebuild_module, seeded, set_state
from ...units import ImageShape, PictureUnits
from ._nets import (
    AllShown,
    GivenTokens,
    MaskedPictures,
    OnGrid,
    PatchTokens,
    PatchValues,
    PooledScores,
    as_maps,
    scores_in,
)

State = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class NetPlan:
    """How predictors and selectors are built.

    Parameters
    ----------
    image_shape : (int, int, int)
        Channels, height, width.
    grid : (int, int)
        Patches down and across.
    sizes : tuple of int
        Maps of own convolutions, and width of the own transformer layer.
    n_outputs : int
        Number K of scores.
    backbone : Module, default=None
        A user's network; None: the own one.
    told : bool, default=True
        Whether the network has a channel for the mask.
    layer : str, default=None
        The layer of a user's network whose output is read patch by patch; None: it has no such layer.
    width : int, default=0
        Channels of this output.
    selector : Module, default=None
        A user's selector.
    """

    image_shape: ImageShape
    grid: tuple[int, int]
    sizes: tuple[int, ...]
    n_outputs: int
    backbone: nn.Module | None = None
    told: bool = True
    layer: str | None = None
    width: int = 0
    selector: nn.Module | None = None

    @property
    def units(self) -> PictureUnits:
        """The patches."""
        return PictureUnits.of(self.image_shape, self.grid)

    def new_predictor(self) -> MaskedPictures:
        """Build a predictor; own ones draw their weights from torch's global generator."""
        _, height, width = self.image_shape
        n_pixels = height * width
        groups = torch.from_numpy(self.units.groups[:n_pixels].reshape(height, width).astype(np.int64))
        net = copy.deepcopy(self.backbone)
        if net is None:
            net = PooledScores(self._tokens(self.image_shape[0] + 1), self.n_outputs)
        return MaskedPictures(net, groups, self.n_outputs, self.told)

    def new_selector(self, predictor: MaskedPictures | None = None) -> nn.Module:
        """Build a selector, where it can with the weights of a predictor."""
        if self.selector is not None:
            return AllShown(OnGrid(copy.deepcopy(self.selector), self.grid), told=False)
        if self.backbone is None:
            body = self._tokens(self.image_shape[0] + 1)
            if predictor is not None:
                body.load_state_dict(predictor.net.body.state_dict())  # type: ignore[union-attr]
            return AllShown(PatchValues(body, body.width), told=True)
        if self.layer is None:
            body = self._tokens(self.image_shape[0])
            return AllShown(PatchValues(body, body.width), told=False)
        net = copy.deepcopy(self.backbone if predictor is None else predictor.net).requires_grad_(True)
        return AllShown(PatchValues(GivenTokens(net, self.layer, self.grid), self.width), self.told)

    def _tokens(self, n_channels: int) -> PatchTokens:
        return PatchTokens(n_channels, *self.image_shape[1:], self.grid, self.sizes)

    def predictor_of(self, state: State) -> MaskedPictures:
        """Build a predictor again, to predict with."""
        return self._rebuilt(self.new_predictor, state, own=self.backbone is None)

    def selector_of(self, state: State) -> nn.Module:
        """Build a selector again, to select with."""
        own = self.selector is None and (self.backbone is None or self.layer is None)
        return self._rebuilt(self.new_selector, state, own=own)

    def _rebuilt(self, build: Callable[[], Any], state: State, *, own: bool) -> Any:
        # networks of users may make tensors of float32 on the way
        if own:
            return rebuild_module(build, state)
        with seeded(0):
            return set_state(build(), state).eval()


def plan_of(
    image_shape: ImageShape,
    grid: tuple[int, int],
    sizes: Sequence[int],
    n_outputs: int,
    backbone: Any,
    selector: Any,
    seed: int,
) -> NetPlan:
    """Look at what a user brings, and plan networks.

    Raises
    ------
    TypeError, ValueError
        When `backbone` or `selector` is no module, or does not take or give what it should.
    """
    plan = NetPlan(image_shape, grid, tuple(map(int, sizes)), n_outputs)
    changes: dict[str, Any] = {}
    if backbone is not None:
        net = _module("backbone", backbone, (image_shape[0] + 1, n_outputs), seed)
        told = _told(net, image_shape, n_outputs)
        layer, width = _layer(net, image_shape, grid, told)
        changes = {"backbone": net, "told": told, "layer": layer, "width": width}
    if selector is not None:
        changes["selector"] = _module("selector", selector, (image_shape[0], grid[0] * grid[1]), seed)
        _check_selector(changes["selector"], image_shape, grid)
    return NetPlan(**(vars(plan) | changes))


def _module(name: str, given: Any, sizes: tuple[int, int], seed: int) -> nn.Module:
    """Copy a module, or build one by a factory of channels and outputs."""
    if isinstance(given, nn.Module):
        return copy.deepcopy(given).cpu()
    if callable(given):
        with seeded(seed):
            made = given(*sizes)
        if isinstance(made, nn.Module):
            return made.cpu()
        raise TypeError(
            f"The factory given as `{name}` returns {type(made).__name__}; expected a torch module."
        )
    raise TypeError(
        f"`{name}` must be a torch module, or a function that takes the number of channels and the number "
        f"of outputs and returns a module, got {given!r}."
    )


def _asked(net: nn.Module, n_channels: int, image_shape: ImageShape) -> Any:
    training = net.training
    net.eval()
    try:
        with torch.no_grad(), seeded(0):
            return net(torch.zeros(2, n_channels, *image_shape[1:]))
    finally:
        net.train(training)


def _told(net: nn.Module, image_shape: ImageShape, n_outputs: int) -> bool:
    """Whether a network takes a channel for the mask."""
    channels, errors = image_shape[0], []
    for told in (True, False):
        try:
            output = _asked(net, channels + told, image_shape)
        except Exception as error:  # noqa: BLE001, of any library
            errors.append(f"with {channels + told} channels: {error}")
        else:
            scores_in(output, n_outputs)
            return told
    raise ValueError(
        f"`backbone` takes neither pictures of shape {(channels + 1, *image_shape[1:])} (the last channel "
        f"is the mask) nor {image_shape}. Its errors: {'; '.join(errors)}"
    )


def _layer(
    net: nn.Module, image_shape: ImageShape, grid: tuple[int, int], told: bool
) -> tuple[str | None, int]:
    """Find the last layer that still knows places, best as many as the grid; give its name and channels."""
    found: list[tuple[str, tuple[int, ...]]] = []

    def hook(name: str) -> Callable[..., None]:
        def look(_module: Any, _inputs: Any, output: Any) -> None:
            maps = as_maps(output, image_shape[1:])
            if maps is not None:
                found.append((name, tuple(maps.shape)))

        return look

    hooks = [layer.register_forward_hook(hook(name)) for name, layer in net.named_modules() if name]
    try:
        _asked(net, image_shape[0] + told, image_shape)
    finally:
        for one in hooks:
            one.remove()
    fine = [(name, shape) for name, shape in found if shape[2] >= grid[0] and shape[3] >= grid[1]]
    if not found:
        return None, 0
    name, shape = (fine or found)[-1]
    return name, shape[1]


def _check_selector(net: nn.Module, image_shape: ImageShape, grid: tuple[int, int]) -> None:
    values = _asked(net, image_shape[0], image_shape)
    shape = tuple(getattr(values, "shape", ()))
    maps = len(shape) == 3 or (len(shape) == 4 and shape[1] == 1)
    if not (maps or shape == (2, grid[0] * grid[1])):
        raise ValueError(
            f"`selector` gives {f'an array of shape {shape}' if shape else type(values).__name__} for two "
            f"pictures; expected values of patches, of shape (2, {grid[0]}, {grid[1]}) or "
            f"(2, {grid[0] * grid[1]})."
        )


def state_of(module: nn.Module | None) -> State:
    """Give the weights of a module; none of none."""
    return {} if module is None else get_state(module)
