"""The gradient of a smooth network that is written by hand is that of automatic differentiation."""

import pytest
import torch

from skrationale.smooth._network import ACTIVATIONS, SmoothNetwork
from skrationale.smooth._path import SmoothLoss
from skrationale.training import Batch

LINKS = {1: ("identity", "logit"), 2: ("softmax",), 3: ("softmax",), 6: ("softmax",)}


def gradients(module, loss, batch, *, by_hand):
    """Give the loss and the gradients of all weights, of the loss in training or of that in evaluation."""
    module.train(by_hand)
    module.zero_grad()
    batch.generator = torch.Generator().manual_seed(3)
    total, terms = loss(module, batch)
    assert total.requires_grad is not by_hand
    if not by_hand:
        total.backward()
    return total.detach(), terms["task"], [weight.grad.clone() for weight in module.parameters()]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("penalty", [None, "jacobian", "lipschitz"])
@pytest.mark.parametrize(("n_outputs", "link"), [(k, link) for k, links in LINKS.items() for link in links])
@pytest.mark.parametrize("sizes", [(5,), (6, 4, 3)])
def test_the_gradient_by_the_weights(activation, penalty, n_outputs, link, sizes):
    generator = torch.Generator().manual_seed(0)
    module = SmoothNetwork(3, sizes, n_outputs, activation, generator).double()
    draws = {"generator": generator, "dtype": torch.float64}
    x, weight = torch.randn(20, 3, **draws), torch.rand(20, **draws)
    y = torch.randn(20, **draws)
    if link != "identity":
        y = torch.randint(0, max(n_outputs, 2), (20,), generator=generator)
    batch, loss = Batch(x=2 * x, y=y, weight=weight), SmoothLoss(link, 0.7, penalty, 1.0)
    by_hand, expected = (gradients(module, loss, batch, by_hand=way) for way in (True, False))
    torch.testing.assert_close(by_hand, expected)


@pytest.mark.parametrize("penalty", [None, "jacobian"])
def test_weights_that_are_held_fixed_get_no_gradient(penalty):
    module = SmoothNetwork(2, (4, 3), 1, "silu", torch.Generator().manual_seed(0)).train()
    module.hidden[0].weight.requires_grad_(False)
    module.last.bias.requires_grad_(False)
    x = torch.randn(9, 2, generator=torch.Generator().manual_seed(1))
    SmoothLoss("identity", 0.5, penalty, 1.0)(module, Batch(x=x, y=x[:, 0], weight=torch.ones(9)))
    without = {name for name, weight in module.named_parameters() if weight.grad is None}
    assert without == {"hidden.0.weight", "last.bias"}


def test_a_step_without_the_penalty_knows_the_task_alone():
    module = SmoothNetwork(2, (4,), 1, "silu", torch.Generator().manual_seed(0)).double()
    x = torch.randn(9, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    batch = Batch(x=x, y=x[:, 0], weight=torch.ones(9, dtype=torch.float64))
    loss = SmoothLoss("identity", 0.5, "jacobian", 0.5)
    with_penalty = gradients(module, loss, batch, by_hand=True)
    without = gradients(module, loss, batch, by_hand=True)
    alone = gradients(module, SmoothLoss("identity", 0.0, None, 1.0), batch, by_hand=False)
    torch.testing.assert_close(without, alone)
    assert with_penalty[0] > without[0]
