"""What keeps a network smooth: penalties on its input gradient."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from ._network import SmoothNetwork

MANY_OUTPUTS = 4
"""Up to so many outputs the squared gradient norms are summed; beyond, one random mixture a row is taken. Not
measured."""
GRADIENT_THRESHOLD = 1.0
"""The gradient norm, in standard units, from which the Lipschitz penalty starts: the slope of a line between
targets and a column that agree. Not measured."""


def random_mixture(n_outputs: int, x: Tensor, generator: Generator | None = None) -> Tensor | None:
    """Coefficients of outputs (n, K) to penalise in place of many: random signs.

    The squared gradient of such a mixture is, on average, the sum of the squared gradients of the outputs.
    """
    return None if n_outputs <= MANY_OUTPUTS else random_signs((len(x), n_outputs), x, generator)


def random_signs(shape: tuple[int, ...], like: Tensor, generator: Generator | None = None) -> Tensor:
    """Numbers -1 and 1 by a generator, else torch's global one, of a tensor's dtype and on its device."""
    return torch.randint(0, 2, shape, generator=generator, device=like.device).to(like) * 2 - 1


def gradient_penalty(gradient: Tensor, weight: Tensor, threshold: float = 0.0) -> Tensor:
    """Weighted mean of squared gradient norms, or of what they exceed `threshold` by, squared.

    Parameters
    ----------
    gradient : Tensor of shape (n, m, p)
        Derivatives of m outputs by p inputs.
    weight : Tensor of shape (n,)
        Weights of the rows.
    threshold : float, default=0.0
        Norm up to which nothing is penalised.

    Returns
    -------
    Tensor of shape ()
    """
    squares = gradient.pow(2).sum((1, 2))
    if threshold:
        squares = functional.relu((squares + 1e-12).sqrt() - threshold) ** 2
    return (weight * squares).mean()


def gradient_penalty_slopes(gradient: Tensor, weight: Tensor, threshold: float = 0.0) -> Tensor:
    """Give the derivative of `gradient_penalty`, whose parameters it has, by the gradient (n, m, p)."""
    factor = 2 * weight / len(weight)
    if threshold:
        norms = (gradient.pow(2).sum((1, 2)) + 1e-12).sqrt()
        factor = factor * functional.relu(norms - threshold) / norms
    return gradient * factor[:, None, None]


def jacobian_penalty(
    module: nn.Module, X: Tensor, weight: Tensor | None = None, *, generator: Generator | None = None
) -> Tensor:
    r"""Penalise the input gradient of any module, by double differentiation (section 3 of [1]_).

    ``mean_i weight_i * ||d module(x_i) / d x_i||^2``, the squared Frobenius norm. Each output row may depend
    only on its own input row.

    Parameters
    ----------
    module : torch.nn.Module
        Its outputs have shape (n,) or (n, K); it must be twice differentiable.
    X : Tensor of shape (n, p)
        Rows.
    weight : Tensor of shape (n,), default=None
        Weights of the rows; None: 1.
    generator : torch.Generator, default=None
        Generator of random signs if there are more than 4 outputs, on the device of `X`; None: torch's global
        generator.

    Returns
    -------
    Tensor of shape ()
        Exact for up to 4 outputs. For more outputs it is the penalty of their sum with random signs in each
        row, which has the same expected value.

    References
    ----------
    .. [1] Dhar, Fong, Motani, "Teaching the Teacher", 2025, arXiv:2507.22767.

    Examples
    --------
    >>> import torch
    >>> from skrationale.smooth import jacobian_penalty
    >>> line = torch.nn.Linear(2, 1, bias=False)
    >>> _ = line.weight.data.copy_(torch.tensor([[3.0, 4.0]]))
    >>> jacobian_penalty(line, torch.zeros(5, 2)).item()
    25.0
    """
    with torch.enable_grad():
        X = X.detach().requires_grad_()
        outputs = module(X)
        outputs = outputs[:, None] if outputs.ndim == 1 else outputs
        signs = random_mixture(outputs.shape[1], X, generator)
        columns = outputs.T if signs is None else (signs * outputs).sum(1)[None]
        gradients = [torch.autograd.grad(column.sum(), X, create_graph=True)[0] for column in columns]
    weight = outputs.new_ones(len(X)) if weight is None else weight
    return gradient_penalty(torch.stack(gradients, 1), weight)


def hessian_penalty(
    module: SmoothNetwork, x: Tensor, weight: Tensor, generator: Generator | None = None
) -> Tensor:
    """Penalise curvature: the squared change of the gradient along one random direction a row.

    With directions of random signs its expectation is the squared Frobenius norm of the Hessian.

    Parameters
    ----------
    module : SmoothNetwork
        The network.
    x : Tensor of shape (n, p)
        Rows.
    weight : Tensor of shape (n,)
        Weights of the rows.
    generator : torch.Generator, default=None
        Draws the directions; None: torch's global one.

    Returns
    -------
    Tensor of shape ()
    """
    step = 1e-5 if x.dtype == torch.float64 else 1e-2
    direction = random_signs(tuple(x.shape), x, generator)
    mix = random_mixture(module.last.out_features, x, generator)
    ahead = module.forward_with_gradient(x + step * direction, mix)[1]
    behind = module.forward_with_gradient(x - step * direction, mix)[1]
    return gradient_penalty((ahead - behind) / (2 * step), weight)


class SpectralBound:
    """The Lipschitz bound of a network: the product of the largest singular values of its layers.

    Each call makes one step of power iteration from where the one before ended. The bound leaves out
    the slopes of activations, which are at most 1.1.
    """

    def __init__(self) -> None:
        self._directions: dict[int, Tensor] = {}

    def __call__(self, module: SmoothNetwork) -> Tensor:
        """Logarithm of the bound, if it is above 0."""
        total = module.last.weight.new_zeros(())
        for i, weight in enumerate([*module.hidden_weights(), module.last_layer()[0]]):
            start = self._directions.get(i, weight.new_ones(weight.shape[1]))
            with torch.no_grad():
                left = functional.normalize(weight @ start, dim=0)
                right = functional.normalize(weight.T @ left, dim=0)
            self._directions[i] = right
            total = total + torch.log(left @ weight @ right + 1e-12)
        return functional.relu(total)


PENALTIES = ("jacobian", "lipschitz", "spectral", "hessian")
"""What can be penalised, see `SmoothMLPRegressor`."""
