"""Products of matrices by oneDNN, against those of torch."""

import pytest
import torch
from torch.autograd import forward_ad
from torch.nn.functional import linear as plain

from skrationale.training import _products as products
from skrationale.training import dense, generator_of, linear, product, product_over_rows

N, A, B = 130, 120, 110  # above SMALL, and rows that are filled up


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=generator_of(seed))


def assert_close(found, expected):
    largest = float(expected.detach().abs().max())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * largest)


@pytest.fixture
def calls(monkeypatch):
    """Keep the shapes that oneDNN is given, if this torch has it."""
    kernel, found = products._kernel(), []
    if kernel is None:
        pytest.skip("this torch has no oneDNN")

    def counted(*given):
        found.append(tuple(given[0].shape))
        return kernel(*given)

    monkeypatch.setattr(products, "_kernel", lambda: counted)
    return found


def by_column(matrix):
    return matrix.t().contiguous().t()


@pytest.mark.parametrize("n", [N, 192])
@pytest.mark.parametrize("bias", [None, normal(B), normal(B, 2)[:, 0], torch.tensor(3.0).expand(B)])
def test_large_products_are_those_of_torch(calls, bias, n):
    x, matrix, slopes = normal(n, A), normal(A, B), normal(n, B, seed=1)
    with torch.no_grad():
        for left, right in (
            (x, matrix),
            (by_column(x), matrix),
            (x, by_column(matrix)),
            (x[:, :-3], matrix[:-3]),
        ):
            assert_close(product(left, right, bias), left @ right if bias is None else left @ right + bias)
        assert_close(product_over_rows(slopes, x), slopes.t() @ x)
        assert_close(product_over_rows(by_column(slopes), by_column(x)), slopes.t() @ x)
    assert calls == [(192, A)] * 3 + [(192, A - 3)] + [(B, 192)] * 2


def test_small_products_are_left_to_torch(calls):
    x, weight = normal(3, 4), normal(5, 4)
    with torch.no_grad():
        assert torch.equal(product(x, weight.t()), x @ weight.t())
        assert torch.equal(product_over_rows(x, x), x.t() @ x)
        assert torch.equal(dense(x, weight), plain(x, weight))
    assert not calls


def test_numbers_of_rows_are_few(calls):
    with torch.no_grad():
        for n in range(500, 2049, 3):
            dense(normal(n, 80), normal(70, 80))
    assert {rows for rows, _ in calls} == {512, *range(576, 1025, 64), *range(1152, 2049, 128)}


@pytest.mark.parametrize("shape", [(N, A), (2, N // 2, A)])
def test_derivatives_of_a_layer_are_those_of_torch_twice_over(calls, shape):
    weight, bias, x = normal(B, A, seed=1), normal(B, seed=2), normal(*shape)

    def derivatives(layer):
        leaves = [each.clone().requires_grad_() for each in (x, weight, bias)]
        outputs = layer(*leaves)
        once = torch.autograd.grad(torch.tanh(outputs).sum(), leaves, retain_graph=True)
        first = torch.autograd.grad(torch.tanh(outputs).sum(), leaves, create_graph=True)
        return [outputs, *once, *first, *torch.autograd.grad(sum((each**2).sum() for each in first), leaves)]

    for found, expected in zip(derivatives(dense), derivatives(plain), strict=True):
        assert_close(found, expected)
    assert calls[:3] == [(192, A), (192, B), (B, 192)]


@pytest.mark.parametrize("shape", [(N, A), (192, A), (2, N // 2, A), (2, 96, A)])
def test_what_a_layer_gives_may_be_changed_in_place(shape):
    weight, x = normal(B, A).requires_grad_(), normal(*shape)
    dense(x, weight).relu_().sum().backward()
    other = normal(B, A).requires_grad_()
    plain(x, other).relu_().sum().backward()
    assert_close(weight.grad, other.grad)


def test_few_rows_of_wide_layers_are_left_to_torch(calls):
    x, weight = normal(3, 800), normal(900, 800)
    with torch.no_grad():
        assert torch.equal(dense(x, weight), plain(x, weight))
        assert torch.equal(product(x, weight.t()), x @ weight.t())
        assert torch.equal(product_over_rows(normal(3, 900), x), normal(3, 900).t() @ x)
        assert torch.equal(dense(normal(1300, 1300), normal(1300)), plain(normal(1300, 1300), normal(1300)))
    assert not calls


def test_slopes_may_be_one_number_repeated():
    weight = normal(B, A).requires_grad_()
    dense(normal(N, A), weight).sum().backward()
    assert_close(weight.grad[0], normal(N, A).sum(0))


def test_products_that_torch_records_keep_their_gradient():
    x = normal(N, A).requires_grad_()
    (product(x, normal(A, B)).sum() + product_over_rows(x, normal(N, B)).sum()).backward()
    assert_close(x.grad, normal(A, B).sum(1) + normal(N, B).sum(1, keepdim=True))


def test_a_layer_keeps_no_more_than_torch():
    def kept(layer, *of):
        found = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t: found.append(t.numel()) or t, lambda t: t):
            layer(*(each.clone().requires_grad_(wants) for each, wants in zip((x, w, b), of, strict=True)))
        return sorted(found)

    x, w, b = normal(192, A), normal(B, A), normal(B)
    for of in ((True, True, True), (True, False, False), (False, True, True), (False, False, True)):
        assert kept(dense, *of) == kept(plain, *of)


def test_layers_of_networks_use_it(calls):
    layer = linear(A, B, generator_of(0))
    assert_close(layer(normal(N, A)), plain(normal(N, A), layer.weight, layer.bias))
    assert calls == [(192, A)]


def by_forward_derivatives(rows, weight):
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(dense(forward_ad.make_dual(rows, rows), weight)).tangent


TRANSFORMS = {
    "vmap": lambda rows, weight: torch.vmap(lambda x: dense(x, weight))(rows[None])[0],
    "jvp": lambda rows, weight: torch.func.jvp(lambda x: dense(x, weight), (rows,), (rows,))[1],
    "forward derivatives": by_forward_derivatives,
    "trace": lambda rows, weight: torch.jit.trace(lambda x: dense(x, weight), (rows,), check_trace=False)(
        rows
    ),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_are_left_to_torch(calls, name):
    rows, weight = normal(N, A), normal(B, A)
    with torch.no_grad():
        assert_close(TRANSFORMS[name](rows, weight), plain(rows, weight))
    assert not calls


@pytest.mark.parametrize(
    ("rows", "weight"),
    [
        (normal(N, A).double(), normal(B, A).double()),
        (normal(N + A).unfold(0, A, 1), normal(B, A)),
        (normal(N, A), normal(B + A).unfold(0, A, 1)[:B]),
        (normal(N, A).to_sparse(), normal(B, A)),
    ],
    ids=["float64", "rows that overlap", "weights that overlap", "sparse rows"],
)
def test_unusual_matrices_are_left_to_torch(calls, rows, weight):
    with torch.no_grad():
        assert_close(product(rows, weight.t()), rows @ weight.t())
        assert_close(dense(rows, weight), plain(rows, weight))
    assert not calls


@pytest.mark.parametrize("kind", ["switched off", "not there", "autocast"])
def test_torch_does_all_where_that_is_wanted(calls, monkeypatch, kind):
    if kind == "not there":
        monkeypatch.setattr(products, "_kernel", lambda: None)
    if kind == "switched off":
        monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    rows, weight = normal(N, A), normal(B, A)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=kind == "autocast"):
        assert torch.equal(product(rows, weight.t()), rows @ weight.t())
        assert torch.equal(dense(rows, weight), plain(rows, weight))
    assert not calls


@pytest.mark.parametrize("shape", [(B + 1, A), (B, A + 1)])
def test_torch_says_what_does_not_fit(shape):
    with torch.no_grad(), pytest.raises(RuntimeError, match="mat1 and mat2|size of tensor|expanded size"):
        dense(normal(N, A), normal(*shape), normal(B))


def test_the_kernel_is_found_whatever_is_usual():
    if products._kernel() is None:
        pytest.skip("this torch has no oneDNN")
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)
        with torch.device("meta"):
            assert products._kernel.__wrapped__() is not None
    finally:
        torch.set_default_dtype(before)


def test_a_kernel_with_wrong_answers_is_not_taken(monkeypatch):
    class Wrong:
        default = staticmethod(lambda x, weight, *others: x @ weight.t() + 1)

    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", Wrong, raising=False)
    assert products._kernel.__wrapped__() is None
