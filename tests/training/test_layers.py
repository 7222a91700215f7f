"""Gradients worked out by hand, and the lean optimizers, against those of torch."""

import subprocess
import sys

import pytest
import torch

from skrationale.training import DenseLayers, generator_of, linear, row_losses, row_slopes, soft_targets
from skrationale.training._adam import LEAN, PLAIN, build_optimizer


def layers(*sizes):
    made = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:], strict=False)):
        made += [linear(a, b, generator_of(i)), torch.nn.ReLU()]
    return DenseLayers(*made[:-1])


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=generator_of(seed))


@pytest.mark.parametrize("sizes", [(3, 1), (5, 64, 64, 1), (90, 40, 7, 3), (40, 50, 40)])
def test_outputs_and_gradients_are_those_of_torch(sizes):
    network, x, slopes = layers(*sizes), normal(17, sizes[0]), normal(17, sizes[-1], seed=1)
    leaf = x.clone().requires_grad_()
    expected = network(leaf)
    expected.backward(slopes)
    gradients = [parameter.grad.clone() for parameter in network.parameters()]
    outputs, inputs = network.outputs(x)
    torch.testing.assert_close(outputs, expected.detach())
    torch.testing.assert_close(network.take_gradient(inputs, slopes, further=True), leaf.grad)
    assert network.take_gradient(inputs, slopes) is None
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-5)
        assert parameter.grad.is_contiguous()  # the fused kernels of optimizers take no other


@pytest.mark.parametrize("link", ["identity", "logit", "softmax"])
@pytest.mark.parametrize("soft", [False, True])
def test_slopes_are_derivatives_of_losses(link, soft):
    scores = normal(9, 3 if link == "softmax" else 1).requires_grad_()
    y = torch.arange(9) % 3 if link == "softmax" else (normal(9, seed=1) > 0).float()
    if soft:
        y = soft_targets(normal(*scores.shape, seed=2), link)
    row_losses(scores, y, link).sum().backward()
    torch.testing.assert_close(row_slopes(scores.detach(), y, link), scores.grad)


@pytest.mark.parametrize("name", list(LEAN))
def test_lean_optimizers_make_the_steps_of_torch(name):
    ours, theirs = layers(4, 8, 2), layers(4, 8, 2)
    settings = {"lr": 0.01, "weight_decay": 0.1}
    lean = build_optimizer(name, [{"params": list(ours.parameters())}], **settings)
    plain = PLAIN[name](theirs.parameters(), fused=True, **settings)
    assert isinstance(lean, LEAN[name])
    for step in range(5):
        for network, optimizer in ((ours, lean), (theirs, plain)):
            optimizer.zero_grad()
            part = network[:1] if step == 2 else network  # weights without a gradient rest
            part(normal(6, 4, seed=step)).square().mean().backward()
            optimizer.step()
        if step == 3:  # what is saved goes on where it was
            state = lean.state_dict()
            lean = build_optimizer(name, [{"params": list(ours.parameters())}], **settings)
            lean.load_state_dict(state)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, other)


def test_weights_of_several_kinds_get_the_optimizer_of_torch():
    weights = [torch.nn.Parameter(torch.ones(2, dtype=dtype)) for dtype in (torch.float32, torch.float64)]
    assert type(build_optimizer("adam", [{"params": weights}], lr=0.1)) is PLAIN["adam"]


def test_a_fit_imports_no_compiler():
    code = """
import sys
import numpy as np
from skrationale import RationaleRegressor
X = np.random.RandomState(0).normal(size=(60, 3))
RationaleRegressor(max_epochs=1, max_features=1, random_state=0).fit(X, X[:, 0])
print("torch._dynamo" in sys.modules, "sympy" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]
