"""Penalties against full Jacobians, exact expectations and singular values."""

from itertools import product

import numpy as np
import pytest
import torch
from torch.func import functional_call, jacrev, vmap

from skrationale.smooth import _penalties as penalties
from skrationale.smooth import jacobian_penalty
from skrationale.smooth._network import ACTIVATIONS_WITH_SLOPE, SmoothNetwork
from skrationale.smooth._path import SmoothLoss
from skrationale.smooth._penalties import SpectralBound, gradient_penalty, hessian_penalty
from skrationale.training import Batch, seeded

LINKS = {1: "identity", 3: "softmax", 6: "softmax"}


@pytest.fixture(autouse=True)
def fixed_chance():
    with seeded(0):
        yield


def make(n_inputs=4, n_outputs=1, activation="silu", hidden=(9, 8, 7)):
    module = SmoothNetwork(n_inputs, hidden, n_outputs, activation).double()
    with torch.no_grad():
        for matrix in matrices_of(module):
            matrix *= 3
    return module


def matrices_of(module):
    return [layer.weight for layer in [*module.hidden, module.last]]


def rows(n=11, p=4):
    return torch.randn(n, p, dtype=torch.float64), torch.rand(n, dtype=torch.float64) + 0.5


def full_jacobian(module, x):
    """Jacobians (n, K, p), differentiable by the weights of the module."""
    weights = dict(module.named_parameters())
    return vmap(jacrev(lambda row: functional_call(module, weights, (row[None],))[0]))(x)


def weight_gradients(module, loss):
    weights = list(module.parameters())  # no penalty depends on the last bias
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights, materialize_grads=True)])


every_activation = pytest.mark.parametrize("activation", ACTIVATIONS_WITH_SLOPE)
every_size = pytest.mark.parametrize("n_outputs", [1, 3, 6])


@every_activation
@every_size
def test_the_closed_form_is_the_full_jacobian(activation, n_outputs):
    module, (x, weight) = make(n_outputs=n_outputs, activation=activation), rows()
    outputs, gradient = module.forward_with_gradient(x)
    jacobian = full_jacobian(module, x)
    assert jacobian.abs().max() > 0.01
    torch.testing.assert_close(outputs, module(x), atol=1e-12, rtol=0)
    torch.testing.assert_close(gradient, jacobian, atol=1e-8, rtol=0)
    expected = (weight * jacobian.pow(2).sum((1, 2))).mean()
    torch.testing.assert_close(gradient_penalty(gradient, weight), expected, atol=1e-8, rtol=0)


@every_activation
@pytest.mark.parametrize("n_outputs", [1, 3, 4])
def test_double_differentiation_gives_the_same_penalty(activation, n_outputs):
    module, (x, weight) = make(n_outputs=n_outputs, activation=activation), rows()
    ours = jacobian_penalty(module, x, weight)
    chain = gradient_penalty(module.forward_with_gradient(x)[1], weight)
    full = (weight * full_jacobian(module, x).pow(2).sum((1, 2))).mean()
    torch.testing.assert_close(ours, full, atol=1e-8, rtol=1e-8)
    expected = weight_gradients(module, full)
    assert expected.abs().max() > 0.01
    for other in (chain, ours):
        torch.testing.assert_close(weight_gradients(module, other), expected, atol=1e-8, rtol=1e-8)


@every_activation
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_penalised_loss_has_the_gradient_of_the_full_jacobian(activation, n_outputs):
    module, (x, weight) = make(n_outputs=n_outputs, activation=activation).train(), rows()
    y = torch.randn(len(x)).double() if n_outputs == 1 else torch.arange(len(x)) % n_outputs
    loss = SmoothLoss(LINKS[n_outputs], 0.3, "jacobian", 1.0)
    total, terms = loss(module, Batch(x=x, y=y, weight=weight))
    found = torch.cat([parameter.grad.flatten() for parameter in module.parameters()])
    outputs = module(x)
    task = (
        (weight * (outputs[:, 0] - y) ** 2).mean()
        if n_outputs == 1
        else (weight * torch.nn.functional.cross_entropy(outputs, y, reduction="none")).mean()
    )
    full = task + 0.3 * (weight * full_jacobian(module, x).pow(2).sum((1, 2))).mean()
    torch.testing.assert_close(terms["task"], task.detach(), atol=1e-10, rtol=0)
    torch.testing.assert_close(total, full.detach(), atol=1e-8, rtol=0)
    torch.testing.assert_close(found, weight_gradients(module, full), atol=1e-8, rtol=0)


def test_any_module_can_be_penalised():
    class Wavy(torch.nn.Module):
        def forward(self, x):
            return torch.sin(x[:, 0]) * x[:, 1]

    x = torch.tensor([[0.5, 2.0], [1.0, -1.0]], dtype=torch.float64)
    a, b = x.numpy().T
    expected = (np.cos(a) * b) ** 2 + np.sin(a) ** 2
    assert jacobian_penalty(Wavy(), x).item() == pytest.approx(expected.mean(), abs=1e-12)
    weight = torch.tensor([3.0, 0.0], dtype=torch.float64)
    assert jacobian_penalty(Wavy(), x, weight).item() == pytest.approx(1.5 * expected[0], abs=1e-12)
    with torch.no_grad():
        assert jacobian_penalty(Wavy(), x).item() == pytest.approx(expected.mean(), abs=1e-12)


def test_three_and_more_outputs_are_centred():
    module, (x, _) = make(n_outputs=3), rows()
    outputs, gradient = module.forward_with_gradient(x)
    assert outputs.sum(1).abs().max() < 1e-12
    assert gradient.sum(1).abs().max() < 1e-12
    assert make(n_outputs=2)(x).sum(1).abs().max() > 1e-3


def signs_in_turn(monkeypatch, shape):
    """Let the random signs be all vectors of this length, one a call; return their number."""
    every = iter(product([-1.0, 1.0], repeat=shape))
    monkeypatch.setattr(
        penalties, "random_signs", lambda wanted, like, _: torch.tensor(next(every)).to(like).expand(wanted)
    )
    return 2**shape


@pytest.mark.parametrize("penalty", ["closed form", "double differentiation"])
def test_random_mixtures_of_many_outputs_are_unbiased(monkeypatch, penalty):
    module, (x, weight) = make(n_outputs=6), rows()
    exact = gradient_penalty(module.forward_with_gradient(x)[1], weight).item()
    n_vectors = signs_in_turn(monkeypatch, 6)

    def value():
        if penalty == "double differentiation":
            return jacobian_penalty(module, x, weight).item()
        gradient = module.forward_with_gradient(x, penalties.random_mixture(6, x))[1]
        return gradient_penalty(gradient, weight).item()

    values = [value() for _ in range(n_vectors)]
    assert np.mean(values) == pytest.approx(exact, rel=1e-10)
    assert np.std(values) > 0.01 * exact


def test_each_row_draws_its_own_signs():
    signs = penalties.random_mixture(6, torch.zeros(500, 2))
    assert signs.shape == (500, 6)
    assert set(signs.unique().tolist()) == {-1.0, 1.0}
    assert signs.mean(0).abs().max() < 0.2
    assert penalties.random_mixture(4, torch.zeros(500, 2)) is None


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_hessian_penalty_is_the_squared_norm_of_second_derivatives(monkeypatch, n_outputs):
    module, (x, weight) = make(n_inputs=3, n_outputs=n_outputs), rows(p=3)
    weights = dict(module.named_parameters())
    second = vmap(jacrev(jacrev(lambda row: functional_call(module, weights, (row[None],))[0])))(x)
    exact = (weight * second.pow(2).sum((1, 2, 3))).mean().item()
    n_vectors = signs_in_turn(monkeypatch, 3)
    values = [hessian_penalty(module, x, weight).item() for _ in range(n_vectors)]
    assert np.mean(values) == pytest.approx(exact, rel=1e-6)
    assert exact > 0.01


def test_a_plane_has_no_curvature_and_a_relu_network_none_nearly_everywhere():
    x, weight = rows()
    assert hessian_penalty(make(activation="relu"), x, weight).item() < 1e-12
    assert hessian_penalty(make(activation="tanh"), x, weight).item() > 1e-6


@pytest.mark.parametrize("n_outputs", [1, 5])
def test_the_spectral_bound_is_the_product_of_singular_values_and_holds(n_outputs):
    module, (x, _) = make(n_outputs=n_outputs, activation="tanh"), rows(n=200)
    bound = SpectralBound()
    for _ in range(2000):
        log_bound = bound(module)
    matrices = [layer.weight.detach() for layer in module.hidden] + [module.last_layer()[0].detach()]
    product_of_largest = np.prod([np.linalg.svd(matrix.numpy())[1][0] for matrix in matrices])
    assert np.exp(log_bound.item()) == pytest.approx(product_of_largest, rel=1e-6)
    gradient = module.forward_with_gradient(x)[1].detach().numpy()
    steepest = np.linalg.svd(gradient)[1][:, 0].max()
    assert 0.01 * product_of_largest < steepest <= product_of_largest
    # and it can be trained: its gradient is by all matrices
    assert all(g.abs().max() > 0 for g in torch.autograd.grad(log_bound, matrices_of(module)))


def test_a_network_that_cannot_be_steep_is_not_punished_for_its_bound():
    module = make()
    with torch.no_grad():
        module.last.weight *= 1e-6
    assert SpectralBound()(module).item() == 0


@pytest.mark.parametrize("activation", ACTIVATIONS_WITH_SLOPE)
def test_slopes_of_activations_are_at_most_what_the_bound_leaves_out(activation):
    z = torch.linspace(-20, 20, 100_001, dtype=torch.float64)
    assert 0.99 < ACTIVATIONS_WITH_SLOPE[activation](z)[1].abs().max() < 1.1


def test_the_lipschitz_penalty_punishes_steep_rows_only():
    line = SmoothNetwork(2, (2,), 1, "relu").double()
    with torch.no_grad():
        line.hidden[0].weight.copy_(torch.eye(2))
        line.hidden[0].bias.zero_()
        line.last.weight.copy_(torch.tensor([[0.6, 3.0]]))
    # the gradient's norm is 0.6 where only the first input is above 0, and 3 where only the second is
    x = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64)
    gradient = line.forward_with_gradient(x)[1]
    one, other = torch.eye(2, dtype=torch.float64) * 2
    assert gradient_penalty(gradient, one, threshold=1.0).item() == 0
    assert gradient_penalty(gradient, other, threshold=1.0).item() == pytest.approx((3 - 1) ** 2)
    assert gradient_penalty(gradient, one).item() == pytest.approx(0.36)


@pytest.mark.parametrize("fraction", [1.0, 0.5, 0.25])
@pytest.mark.parametrize("penalty", ["jacobian", "lipschitz", "spectral"])
def test_the_penalty_of_a_share_of_the_steps_has_the_right_mean(fraction, penalty):
    module, (x, weight) = make().train(), rows()
    batch = Batch(x=x, y=x[:, 0], weight=weight)
    loss = SmoothLoss("identity", 0.5, penalty, fraction)
    for _ in range(400):  # the power iteration of the spectral bound comes to rest
        loss(module, batch)
    steps = [loss(module, batch) for _ in range(8)]
    penalties_of_steps = [(total - terms["task"]).item() for total, terms in steps]
    assert sum(value > 0 for value in penalties_of_steps) == 8 * fraction
    exact = SmoothLoss("identity", 0.5, penalty, 1.0)
    for _ in range(400):
        total, terms = exact(module, batch)
    assert np.mean(penalties_of_steps) == pytest.approx((total - terms["task"]).item(), rel=1e-4)


def test_evaluation_sees_the_whole_penalty_always():
    module, (x, weight) = make(), rows()
    batch = Batch(x=x, y=x[:, 0], weight=weight)
    loss = SmoothLoss("identity", 0.5, "jacobian", 0.25)
    loss(module.train(), batch)
    loss(module, batch)
    module.eval()
    expected = 0.5 * jacobian_penalty(module, x, weight).item()
    for _ in range(3):
        with torch.no_grad():
            total, terms = loss(module, batch)
        assert (total - terms["task"]).item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("penalty", "weight"), [(None, 1.0), ("jacobian", 0.0)])
def test_without_a_penalty_the_loss_is_the_task(penalty, weight):
    module, (x, row_weight) = make().train(), rows()
    loss = SmoothLoss("identity", weight, penalty, 1.0)
    total, terms = loss(module, Batch(x=x, y=x[:, 0], weight=row_weight))
    assert total.item() == terms["task"].item()
