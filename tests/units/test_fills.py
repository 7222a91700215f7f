"""What stands in hidden units."""

import numpy as np
import pytest
import torch

from skrationale.training import seeded
from skrationale.units import FILLS, constant_fill, draw_fill

GROUPS = torch.tensor([0, 2, 2, 1, 2])


def test_drawn_cells_are_whole_cells_of_their_column():
    level = torch.arange(30) % 3
    x = torch.zeros(30, 5)
    x[torch.arange(30), torch.tensor([1, 2, 4])[level]] = 1.0  # the one-hot column
    x[:, 0], x[:, 3] = torch.arange(30.0), 100 + torch.arange(30.0)
    with seeded(0):
        cells = draw_fill(x, GROUPS, 3, n=2000)
    assert cells.shape == (2000, 5)
    assert torch.equal(cells[:, [1, 2, 4]].sum(1), torch.ones(2000))
    assert set(cells[:, 0].tolist()) == set(range(30))
    assert set(cells[:, 3].tolist()) == set(range(100, 130))
    # columns are drawn independently
    assert (cells[:, 3] - 100 == cells[:, 0]).float().mean() < 0.1
    assert abs(np.corrcoef(cells[:, 0], cells[:, 3])[0, 1]) < 0.1
    assert draw_fill(x, GROUPS, 3).shape == x.shape


@pytest.mark.parametrize(
    "groups",
    [[0, 1, 2], [2, 0, 1], [0, 0, 1, 1, 1, 2], [2, 0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0, 1, 1, 2, 2]],
)
def test_inputs_of_a_unit_come_from_one_row_wherever_they_stand(groups):
    groups = torch.tensor(groups)
    x = torch.arange(50.0)[:, None] + 100 * torch.arange(len(groups))
    with seeded(0):
        cells = draw_fill(x, groups, 3, n=400)
    rows = cells - 100 * torch.arange(len(groups))
    assert ((rows >= 0) & (rows < 50) & (rows == rows.round())).all()
    for unit in range(3):
        own = rows[:, groups == unit]
        assert (own == own[:, :1]).all()
    assert (rows[:, groups == 0][:, 0] == rows[:, groups == 1][:, 0]).float().mean() < 0.1


def test_weights_say_how_often_a_row_is_drawn():
    x = torch.arange(5.0)[:, None].repeat(1, 3)
    weight = torch.tensor([0.0, 1.0, 2.0, 0.0, 5.0])
    with seeded(0):
        cells = draw_fill(x, torch.arange(3), 3, weight, n=30_000)
    shares = np.apply_along_axis(np.bincount, 0, cells.long().numpy(), minlength=5) / 30_000
    assert (shares[[0, 3]] == 0).all()
    np.testing.assert_allclose(shares, np.repeat([[0], [1], [2], [0], [5]], 3, axis=1) / 8, atol=0.015)


def test_a_last_row_without_weight_is_never_drawn():
    x = torch.arange(3.0)[:, None]
    with seeded(0):
        cells = draw_fill(x, torch.tensor([0]), 1, torch.tensor([0.1, 0.7, 0.0]), n=50_000)
    assert set(cells[:, 0].tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("fill", FILLS)
def test_only_means_are_no_zeros(fill):
    x, weight = np.array([[1.0, 4.0], [3.0, 4.0]], dtype=np.float32), np.array([1.0, 3.0])
    expected = [2.5, 4.0] if fill == "mean" else [0.0, 0.0]
    np.testing.assert_array_equal(constant_fill(fill, x, weight), expected)
