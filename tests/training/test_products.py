"""Products of matrices by oneDNN, against those of torch."""

import pytest
import torch
from torch.nn.functional import linear as plain

from skrationale.training import _products as products
from skrationale.training import dense, generator_of, linear, product

N, A, B = 128, 120, 110  # above SMALL


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=generator_of(seed))


@pytest.fixture
def calls(monkeypatch):
    """Count what oneDNN is given, if this torch has it."""
    kernel, found = products._kernel(), []
    if kernel is None:
        pytest.skip("this torch has no oneDNN")

    def counted(*given):
        found.append(given[0].shape)
        return kernel(*given)

    monkeypatch.setattr(products, "_kernel", lambda: counted)
    return found


@pytest.mark.parametrize("with_bias", [False, True])
def test_large_products_are_those_of_torch(calls, with_bias):
    a, b, bias = normal(N, A), normal(A, B), normal(B) if with_bias else None
    with torch.no_grad():
        for left, right in ((a, b), (a.t().contiguous().t(), b), (a, b.t().contiguous().t())):
            expected = left @ right if bias is None else left @ right + bias
            torch.testing.assert_close(product(left, right, bias), expected, rtol=1e-5, atol=1e-4)
    assert len(calls) == 3


def test_small_products_are_left_to_torch(calls):
    with torch.no_grad():
        assert torch.equal(product(normal(3, 4), normal(4, 5)), normal(3, 4) @ normal(4, 5))
        assert torch.equal(dense(normal(3, 4), normal(5, 4)), plain(normal(3, 4), normal(5, 4)))
    assert not calls


@pytest.mark.parametrize("shape", [(N, A), (4, N // 4, A)])
def test_derivatives_of_a_layer_are_those_of_torch_twice_over(calls, shape):
    weight, bias, x = normal(B, A, seed=1), normal(B, seed=2), normal(*shape)

    def derivatives(layer):
        leaves = [each.clone().requires_grad_() for each in (x, weight, bias)]
        outputs = layer(*leaves)
        first = torch.autograd.grad(torch.tanh(outputs).sum(), leaves, create_graph=True)
        return [outputs, *first, *torch.autograd.grad(sum((each**2).sum() for each in first), leaves)]

    for found, expected in zip(derivatives(dense), derivatives(plain), strict=True):
        largest = float(expected.detach().abs().max())
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3 * largest)
    assert len(calls) > 3


def test_slopes_may_be_one_number_repeated(calls):
    weight = normal(B, A).requires_grad_()
    dense(normal(N, A), weight).sum().backward()
    torch.testing.assert_close(weight.grad[0], normal(N, A).sum(0), rtol=1e-4, atol=1e-4)
    assert len(calls) == 2


def test_products_that_torch_records_keep_their_gradient():
    a = normal(N, A).requires_grad_()
    product(a, normal(A, B)).sum().backward()
    torch.testing.assert_close(a.grad[0], normal(A, B).sum(1), rtol=1e-4, atol=1e-4)


def test_layers_of_networks_use_it(calls):
    layer = linear(A, B, generator_of(0))
    torch.testing.assert_close(layer(normal(N, A)), plain(normal(N, A), layer.weight, layer.bias))
    assert calls == [(N, A)]


@pytest.mark.parametrize("kind", ["float64", "switched off", "not there"])
def test_torch_does_the_rest(calls, monkeypatch, kind):
    dtype = torch.float64 if kind == "float64" else torch.float32
    if kind == "not there":
        monkeypatch.setattr(products, "_kernel", lambda: None)
    if kind == "switched off":
        monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    a, b = normal(N, A).to(dtype), normal(B, A).to(dtype)
    with torch.no_grad():
        assert torch.equal(product(a, b.t()), a @ b.t())
        assert torch.equal(dense(a, b), plain(a, b))
    assert not calls


def test_a_kernel_with_wrong_answers_is_not_taken(monkeypatch):
    class Wrong:
        default = staticmethod(lambda x, weight, *others: x @ weight.t() + 1)

    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", Wrong, raising=False)
    assert products._kernel.__wrapped__() is None
