"""The derivatives that are written out are those of the loss as the paper has it."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from skrationale import FLINTClassifier
from skrationale.flint._losses import Reconstruction, conciseness, pixel_errors
from skrationale.flint._network import ConvPredictor, FlintNetwork, Interpreter, MLPPredictor
from skrationale.flint._training_loss import FlintLoss
from skrationale.tabular import TableEncoder
from skrationale.training import Batch, soft_losses, task_loss

N, N_ATTRIBUTES = 30, 4
VARIANCE = torch.tensor([0.5, 1.0, 2.0, 0.3], dtype=torch.float64)


def table():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=N), "b": rng.normal(size=N), "constant": 1.0})
    frame["c"], frame["d"] = rng.choice(list("xyz"), N), rng.choice(list("uv"), N)
    frame.loc[3, "a"] = frame.loc[5, "c"] = None
    return frame


ENCODER = TableEncoder().fit(table())
CELLS = ENCODER.transform(table()).astype(float)
P = CELLS.shape[1]
PREDICTORS = {
    "perceptron": lambda k, g: MLPPredictor(P, (7, 6, 5), k, (0, 2), g),
    "a layer twice": lambda k, g: MLPPredictor(P, (7, 6), k, (1, 1), g),
    "convolutions": lambda k, g: ConvPredictor((1, 1, P), (3, 4, 5), k, (0, 1, 2), g),
    "given": lambda k, g: None,
}


def example(predictor, link):
    """A network and a batch for it, in float64."""
    generator, rng = torch.Generator().manual_seed(0), np.random.default_rng(1)
    k = 3 if link == "softmax" else 1
    own = PREDICTORS[predictor](k, generator)
    n_states = 9 if own is None else own.n_states
    network = FlintNetwork(own, Interpreter(n_states, N_ATTRIBUTES, k, P, 8, generator)).double()
    arrays = {
        "x": CELLS,
        "y": rng.integers(3, size=N) if link == "softmax" else rng.random(N).round(),
        "weight": rng.random(N) + 0.5,
        "rule": rng.random((N, N_ATTRIBUTES)),
        "states": rng.random((N, 9)),
        "scores": rng.normal(size=(N, k)),
    }
    batch = Batch({name: torch.from_numpy(array) for name, array in arrays.items()})
    batch.progress = 0.2
    return network.train(), batch


def entropy(values):
    p = torch.softmax(values, -1)
    return -(p * p.log()).sum(-1)


def reconstruction(decoded, x):
    """The loss of the encoded columns, group by group."""
    names = list(ENCODER.encoded_names)
    a, b, flag = (names.index(name) for name in ("a", "b", "a is missing"))
    found = (decoded[:, a] - x[:, a]) ** 2 * (1 - x[:, flag]) + (decoded[:, b] - x[:, b]) ** 2
    flags = functional.binary_cross_entropy_with_logits(decoded[:, flag], x[:, flag], reduction="none")
    found = found + flags / np.log(2)
    for letter in "cd":
        group = [j for j, name in enumerate(names) if name.startswith(f"{letter} =")]
        log_p = torch.log_softmax(decoded[:, group], 1)
        found = found - (log_p * x[:, group]).sum(1) / np.log(len(group))
    return found / 5


def plain_loss(network, batch, p, link):
    """All terms, derived by torch."""
    joint, weight = network.predictor is not None, batch["weight"]
    scores, states = network.predictor(batch["x"]) if joint else (batch["scores"], batch["states"])
    phi = network.interpreter(states)
    ramp = 0.2 / 0.3 if joint else 1.0
    answers = network.interpreter.score_layer(phi)
    loss = ramp * p.fidelity_lambda * (soft_losses(answers, scores, link) * weight).mean()
    loss = loss + (task_loss(scores, batch["y"], weight, link) if joint else 0.0)
    decoded = network.interpreter.decoder(phi)
    loss = loss + p.reconstruction_lambda * (reconstruction(decoded, batch["x"]) * weight).mean()
    means = (phi * weight[:, None]).sum(0) / weight.sum()
    concise = (entropy(phi) * weight).mean() - entropy(means)
    loss = loss + ramp * (p.conciseness_lambda * concise + p.sparsity_lambda * (phi.mean(1) * weight).mean())
    apart = ((phi - batch["rule"]) ** 2 / VARIANCE).mean(1)
    return loss + p.rule_lambda * (apart * weight).mean()


@pytest.mark.parametrize("link", ["softmax", "logit", "identity"])
@pytest.mark.parametrize("predictor", PREDICTORS)
def test_loss_and_derivatives_of_training(predictor, link):
    network, batch = example(predictor, link)
    p = FLINTClassifier()
    loss, terms = FlintLoss(p, link, Reconstruction(ENCODER, CELLS), lambda: VARIANCE)(network, batch)
    (3 * loss).backward()
    found = [parameter.grad.clone() for parameter in network.parameters()]
    network.zero_grad()
    expected = plain_loss(network, batch, p, link)
    (3 * expected).backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    for one, parameter in zip(found, network.parameters(), strict=True):
        torch.testing.assert_close(one, parameter.grad, rtol=1e-7, atol=1e-9)
    names = {"fidelity", "task", "reconstruction", "conciseness", "sparsity", "rule"}
    assert set(terms) == names - ({"task"} if predictor == "given" else set())


@pytest.mark.parametrize("predictor", ["perceptron", "given"])
def test_validation_has_no_terms_of_the_interpreter_alone(predictor):
    network, batch = example(predictor, "softmax")
    loss = FlintLoss(FLINTClassifier(), "softmax", Reconstruction(ENCODER, CELLS), lambda: VARIANCE)
    total, terms = loss(network.eval(), batch)
    assert total.item() == pytest.approx((0.5 * terms["fidelity"] + terms.get("task", 0.0)).item())
    assert set(terms) == {"fidelity", "task"} - ({"task"} if predictor == "given" else set())


def test_derivatives_of_single_losses():
    generator, x = torch.Generator().manual_seed(0), torch.from_numpy(CELLS)
    decoded = torch.randn(N, P, generator=generator, dtype=torch.float64, requires_grad=True)
    for loss in (Reconstruction(ENCODER, CELLS), pixel_errors):
        with torch.no_grad():
            slopes = loss(decoded, x)[1]
        plain = reconstruction if isinstance(loss, Reconstruction) else lambda d, x: ((d - x) ** 2).mean(1)
        expected = plain(decoded, x)
        torch.testing.assert_close(loss(decoded.detach(), x)[0], expected.detach())
        torch.testing.assert_close(slopes, torch.autograd.grad(expected.sum(), decoded)[0])
    weight = torch.rand(N, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        value, slopes = conciseness(decoded, weight)
    means = (decoded * weight[:, None]).sum(0) / weight.sum()
    plain = (entropy(decoded) * weight).mean() - entropy(means)
    assert value.item() == pytest.approx(plain.item())
    torch.testing.assert_close(slopes, torch.autograd.grad(plain, decoded)[0])


def test_levels_far_below_those_of_other_categories_do_not_break_the_loss():
    decoded = torch.from_numpy(np.where(np.arange(P) == P - 1, 500.0, -500.0) * np.ones((N, 1)))
    losses, slopes = Reconstruction(ENCODER, CELLS)(decoded.float(), torch.from_numpy(CELLS).float())
    assert torch.isfinite(losses).all()
    assert torch.isfinite(slopes).all()
