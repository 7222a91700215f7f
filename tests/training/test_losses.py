"""Losses that families share."""

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax
from sklearn.metrics import log_loss, mean_squared_error

from skrationale.training import row_losses, soft_losses, task_loss


def normal(*shape, seed=0):
    return torch.from_numpy(np.random.RandomState(seed).normal(size=shape).astype(np.float32))


def test_row_losses_of_numbers_are_squared_errors():
    scores, y = normal(50, 1), normal(50, seed=1)
    losses = row_losses(scores, y, "identity")
    assert losses.shape == (50,)
    np.testing.assert_allclose(losses, (scores[:, 0] - y) ** 2)
    assert losses.mean().item() == pytest.approx(mean_squared_error(y, scores[:, 0]), rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float32])
def test_row_losses_of_two_classes_are_log_losses(dtype):
    scores, y = normal(50, 1), (normal(50, seed=1) > 0).to(dtype)
    losses = row_losses(scores, y, "logit").numpy()
    assert losses.shape == (50,)
    p = expit(scores[:, 0].double().numpy())
    np.testing.assert_allclose(losses, -np.log(np.where(y == 1, p, 1 - p)), rtol=1e-5)
    assert losses.mean() == pytest.approx(log_loss(y, p), rel=1e-5)


def test_row_losses_of_many_classes_are_log_losses():
    scores, y = normal(50, 3), torch.arange(50) % 3
    losses = row_losses(scores, y, "softmax").numpy()
    expected = log_softmax(scores.double().numpy(), axis=1)
    np.testing.assert_allclose(losses, -expected[np.arange(50), y], rtol=1e-5)
    assert losses.mean() == pytest.approx(log_loss(y, np.exp(expected)), rel=1e-5)


def test_soft_losses_move_the_scores_alone():
    for link, k in (("softmax", 3), ("logit", 1), ("identity", 1)):
        g, f = torch.randn(5, k, requires_grad=True), torch.randn(5, k, requires_grad=True)
        soft_losses(g, f, link).sum().backward()
        assert f.grad is None
        assert g.grad.abs().sum() > 0


def test_soft_losses_are_least_where_both_agree():
    f = torch.tensor([[2.0, -1.0, 0.5]])
    own = soft_losses(f, f, "softmax")
    p = torch.softmax(f, 1)
    assert own.item() == pytest.approx(-(p * p.log()).sum().item())
    assert soft_losses(f.flip(1), f, "softmax") > own


def test_row_losses_of_a_few_rows():
    scores = torch.tensor([[0.0], [2.0]])
    assert row_losses(scores, torch.tensor([1.0, 1.0]), "identity").tolist() == [1.0, 1.0]
    two = row_losses(scores, torch.tensor([0, 1]), "logit")
    assert two.tolist() == pytest.approx([np.log(2), np.log1p(np.exp(-2.0))])


@pytest.mark.parametrize(("link", "k"), [("identity", 1), ("logit", 1), ("softmax", 3)])
def test_the_task_loss_is_the_mean_over_rows_as_often_as_they_weigh(link, k):
    scores, y, copies = normal(6, k), torch.arange(6) % 2, torch.tensor([0, 1, 2, 0, 2, 1])
    repeated = torch.repeat_interleave(torch.arange(6), copies)
    mean = row_losses(scores[repeated], y[repeated], link).mean()
    torch.testing.assert_close(task_loss(scores, y, copies.float(), link), mean)
    assert task_loss(scores, y, torch.ones(6), link).ndim == 0
