"""The parts that rationale models are made of: networks, gates, losses, fills, masks and both trainings."""

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax

from skrationale.rationale._gates import gumbel_gates, temperature_at
from skrationale.rationale._joint import (
    Distillation,
    GiveUp,
    JointLoss,
    _mean_scores,
    evaluate_snapshots,
    train_joint,
)
from skrationale.rationale._losses import (
    count_cost,
    excess_cost,
    penalty_of_count,
    prediction_divergence,
    selection_divergence,
)
from skrationale.rationale._network import ConstantSelector, MaskedPredictor, SelectAndPredict, mlp
from skrationale.rationale._price import choose_price
from skrationale.rationale._refit import random_masks, train_on_masks
from skrationale.training import Batch, Settings, row_losses, seeded, soft_losses
from skrationale.units import MaskRule

GROUPS = torch.tensor([0, 2, 2, 1, 2])
"""Columns of five encoded columns; the third column is one-hot."""


def normal(*shape, seed=0):
    return torch.from_numpy(np.random.RandomState(seed).normal(size=shape).astype(np.float32))


def bernoulli_kl(p, q):
    return (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).sum(axis=1)


class TestNetworks:
    def test_an_mlp_has_relu_between_its_layers_and_none_at_its_end(self):
        network = mlp(3, (5, 4), 2)
        assert [(layer.in_features, layer.out_features) for layer in network[::2]] == [(3, 5), (5, 4), (4, 2)]
        assert [type(layer).__name__ for layer in network[1::2]] == ["ReLU", "ReLU"]
        assert network(normal(7, 3)).shape == (7, 2)
        with torch.no_grad():
            network[-1].bias -= 100
        assert (network(normal(7, 3)) < 0).all()
        assert len(mlp(3, (), 2)) == 1

    def test_a_constant_selector_gives_all_rows_the_same_half_open_logits(self):
        selector = ConstantSelector(4)
        assert torch.equal(selector(normal(6, 9)), torch.zeros(6, 4))
        with torch.no_grad():
            selector.logits += torch.arange(4)
        assert torch.equal(selector(normal(6, 9)), torch.arange(4.0).expand(6, 4))

    def test_closed_gates_put_the_fill_in_all_cells_of_a_column(self):
        module = SelectAndPredict(mlp(5, (4,), 3), mlp(5, (6,), 2), GROUPS, torch.arange(1.0, 6.0))
        x = normal(3, 5)
        gates = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
        fill = module.fill
        rows = [
            [x[0, 0], fill[1], fill[2], fill[3], fill[4]],
            [fill[0], x[1, 1], x[1, 2], x[1, 3], x[1, 4]],
            list(x[2]),
        ]
        assert torch.equal(module.predict(x, gates), module.predictor(torch.tensor(rows)))
        own = normal(3, 5, seed=1)
        rows[0] = [x[0, 0], *own[0, 1:]]
        rows[1] = [own[1, 0], *x[1, 1:]]
        assert torch.equal(module.predict(x, gates, own), module.predictor(torch.tensor(rows)))

    def test_half_open_gates_mix_cell_and_fill(self):
        module = SelectAndPredict(mlp(5, (4,), 3), torch.nn.Identity(), GROUPS, torch.ones(5))
        x = normal(2, 5)
        torch.testing.assert_close(
            module.predict(x, torch.full((2, 3), 0.25)), 0.25 * x + 0.75, atol=1e-7, rtol=0
        )

    def test_a_fill_is_learnt_only_when_asked(self):
        fill = torch.zeros(5)
        fixed, learnt = (
            SelectAndPredict(mlp(5, (4,), 3), mlp(5, (6,), 2), GROUPS, fill, learn) for learn in (False, True)
        )
        assert "fill" not in dict(fixed.named_parameters())
        assert "fill" in fixed.state_dict()
        assert learnt.fill.requires_grad
        with torch.no_grad():
            learnt.fill += 1
        assert torch.equal(fill, torch.zeros(5))  # what was given is not written to

    def test_a_masked_predictor_ignores_hidden_cells_but_is_told_which_they_are(self):
        module = MaskedPredictor((8,), GROUPS, 3, 2)
        x, mask = normal(4, 5), torch.tensor([[1.0, 0.0, 1.0]]).repeat(4, 1)
        scores = module(x, mask)
        assert scores.shape == (4, 2)
        changed = x.clone()
        changed[:, 3] = 1e6  # the only encoded column of column 1
        assert torch.equal(module(changed, mask), scores)
        changed[:, 4] += 1  # belongs to column 2, which is shown
        assert not torch.equal(module(changed, mask), scores)
        zeros = torch.zeros(4, 5)
        assert not torch.equal(module(zeros, mask), module(zeros, torch.zeros(4, 3)))


class TestGates:
    def test_the_temperature_falls_from_first_to_second_by_equal_factors(self):
        ends = temperature_at(0.0, (5.0, 0.1)), temperature_at(1.0, (5.0, 0.1))
        assert ends == pytest.approx((5.0, 0.1), rel=1e-12)
        steps = np.array([temperature_at(t, (4.0, 0.25)) for t in (0, 0.25, 0.5, 0.75, 1)])
        np.testing.assert_allclose(steps, [4, 2, 1, 0.5, 0.25])

    @pytest.mark.parametrize("tau", [5.0, 0.1])
    def test_drawn_gates_are_0_or_1_as_often_as_their_probability_says(self, tau):
        logits = torch.tensor([-2.0, -0.5, 0.0, 1.0, 3.0])
        with seeded(0):
            gates = gumbel_gates(logits.repeat(40_000, 1), tau)
        # the gradient's term cancels but for rounding
        assert torch.minimum(gates.abs(), (gates - 1).abs()).max() < 1e-6
        np.testing.assert_allclose(gates.mean(0), expit(logits.numpy()), atol=0.01)

    def test_drawn_gates_have_the_gradient_of_a_softened_draw(self):
        logits = normal(6, 3).requires_grad_()
        with seeded(3):
            gumbel_gates(logits, 0.7).sum().backward()
        with seeded(3):
            uniform = torch.rand_like(logits)
        soft = torch.sigmoid((logits.detach() + uniform.logit()) / 0.7)
        torch.testing.assert_close(logits.grad, soft * (1 - soft) / 0.7, rtol=1e-4, atol=1e-6)

    def test_drawn_gates_follow_the_seed(self):
        def drawn(seed):
            with seeded(seed):
                return gumbel_gates(torch.zeros(50, 4), 1.0)

        before = torch.get_rng_state()
        assert torch.equal(drawn(1), drawn(1))
        assert not torch.equal(drawn(1), drawn(2))
        assert torch.equal(torch.get_rng_state(), before)


class TestLosses:
    def test_costs_of_columns_are_those_of_the_weighted_mean_number(self):
        keep = torch.tensor([[1.0, 0.5, 0.0], [1.0, 1.0, 1.0]])
        weight = torch.tensor([1.5, 0.5])
        mean = (1.5 * 1.5 + 0.5 * 3.0) / 2
        assert count_cost(keep, weight).item() == mean == 1.875
        assert excess_cost(keep, weight, 1.0).item() == 0.875
        assert excess_cost(keep, weight, 2.0).item() == 0
        for target, squared in ((1.0, 0.875**2), (2.0, 0.125**2)):
            assert penalty_of_count(count_cost(keep, weight), "squared", target)[0].item() == squared

    @pytest.mark.parametrize("tau", [0.5, 1.0, 5.0])
    def test_divergence_of_selections_is_the_sum_of_bernoulli_divergences(self, tau):
        teacher, student = 2 * normal(20, 4), 2 * normal(20, 4, seed=1)
        p, q = (expit(logits.double().numpy() / tau) for logits in (teacher, student))
        measured = selection_divergence(teacher, student, tau)
        np.testing.assert_allclose(measured, bernoulli_kl(p, q), rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(selection_divergence(teacher, teacher, tau), 0, atol=1e-5)

    def test_divergence_from_a_teacher_that_is_sure_is_finite_and_has_a_gradient(self):
        teacher = torch.tensor([[-30.0, 1e6]])
        student = torch.tensor([[3.0, -3.0]], requires_grad=True)
        loss = selection_divergence(teacher, student, 0.1).sum()
        loss.backward()
        assert loss.item() == pytest.approx(60, rel=1e-4)
        torch.testing.assert_close(student.grad, torch.tensor([[10.0, -10.0]]))
        assert selection_divergence(teacher, teacher, 0.1).abs().max() < 1e-5

    @pytest.mark.parametrize("tau", [0.5, 3.0])
    def test_divergence_of_predictions_is_times_the_squared_temperature(self, tau):
        one, two = 2 * normal(20, 1), 2 * normal(20, 1, seed=1)
        p, q = (expit(scores.double().numpy() / tau) for scores in (one, two))
        np.testing.assert_allclose(
            prediction_divergence(one, two, "logit", tau), tau**2 * bernoulli_kl(p, q), rtol=1e-3, atol=1e-4
        )
        one, two = 2 * normal(20, 3), 2 * normal(20, 3, seed=1)
        p, q = (log_softmax(scores.double().numpy() / tau, axis=1) for scores in (one, two))
        np.testing.assert_allclose(
            prediction_divergence(one, two, "softmax", tau),
            tau**2 * (np.exp(p) * (p - q)).sum(axis=1),
            rtol=1e-3,
            atol=1e-4,
        )
        numbers = prediction_divergence(one[:, :1], two[:, :1], "identity", tau)
        np.testing.assert_allclose(numbers, (one[:, 0] - two[:, 0]) ** 2)

    @pytest.mark.parametrize(("link", "k"), [("identity", 1), ("logit", 1), ("softmax", 3)])
    def test_soft_losses_are_least_at_what_the_teacher_predicts(self, link, k):
        teacher = normal(30, k)
        scores = normal(30, k, seed=1).requires_grad_()
        at_teacher = soft_losses(teacher, teacher, link)
        losses = soft_losses(scores, teacher, link)
        assert losses.shape == (30,)
        assert (losses > at_teacher - 1e-6).all()
        gap = (losses - at_teacher).detach()
        np.testing.assert_allclose(
            gap, prediction_divergence(teacher, scores, link, 1.0).detach(), rtol=1e-3, atol=1e-5
        )


class TestMasksOfRefit:
    def test_random_masks_have_all_rates_between_none_and_all(self):
        with seeded(0):
            masks = random_masks(20_000, 100, torch.zeros(1))
        assert masks.dtype == torch.float32
        assert set(masks.unique().tolist()) == {0.0, 1.0}
        rates = masks.mean(1).numpy()
        shares = np.histogram(rates, bins=10, range=(0, 1))[0] / len(rates)
        np.testing.assert_allclose(shares, 0.1, atol=0.015)
        assert (rates == 0).any()
        assert (rates == 1).any()
        np.testing.assert_allclose(masks.mean(0), 0.5, atol=0.02)


class TestMaskRule:
    logits = np.random.RandomState(0).normal(size=(200, 6))

    def test_without_a_wish_positive_logits_are_kept(self):
        rule = MaskRule.fitted(self.logits, None, None)
        np.testing.assert_array_equal(rule(self.logits), self.logits > 0)
        np.testing.assert_array_equal(rule.excess(self.logits), self.logits)

    @pytest.mark.parametrize("count", [0.05, 1.0, 2.5, 4.37, 6.0, 9.0])
    def test_a_wanted_count_is_met_on_the_rows_it_was_fitted_on(self, count):
        rule = MaskRule.fitted(self.logits, count, None)
        mask = rule(self.logits)
        assert mask.sum() == round(200 * min(count, 6))
        np.testing.assert_array_equal(rule.excess(self.logits) > 0, mask)
        assert np.isfinite(rule.excess(self.logits)).all()
        # the largest are kept, whichever row they are in
        assert not mask.any() or mask.all() or self.logits[mask].min() > self.logits[~mask].max()

    @pytest.mark.parametrize("count", [1.0, 2.5, 4.37])
    def test_no_logit_lies_on_a_threshold(self, count):
        """Read again, a logit may have other last bits."""
        logits = np.linspace(-1, 1, 40).reshape(10, 4)
        assert np.abs(logits - MaskRule.fitted(logits, count / 2, None).threshold).min() > 1e-3

    def test_a_threshold_between_neighbouring_numbers_keeps_the_larger_one(self):
        logits = np.array([[1, np.nextafter(np.float32(1), np.float32(2))]], dtype=np.float32)
        assert MaskRule.fitted(logits, 1.0, None)(logits).tolist() == [[False, True]]

    @pytest.mark.parametrize("k", [1, 2, 5])
    def test_k_keeps_the_k_largest_of_each_row(self, k):
        rule = MaskRule.fitted(self.logits, 2.5, k)
        mask = rule(self.logits)
        assert (mask.sum(axis=1) == k).all()
        for row, kept in zip(self.logits, mask, strict=True):
            assert row[kept].min() > row[~kept].max()
        np.testing.assert_array_equal(rule.excess(self.logits) > 0, mask)

    def test_of_equal_logits_the_first_are_kept(self):
        rule = MaskRule.fitted(np.zeros((3, 4)), None, 2)
        logits = np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 0.0, 0.0], [-1.0, 5.0, 5.0, 5.0]])
        np.testing.assert_array_equal(rule(logits), np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0]]) == 1)

        wide = MaskRule(k=30)(np.zeros((2, 500)))  # short rows are sorted in another way
        np.testing.assert_array_equal(wide, np.tile(np.arange(500) < 30, (2, 1)))

    @pytest.mark.parametrize("k", [6, 20])
    def test_as_many_as_there_are_keeps_all(self, k):
        rule = MaskRule.fitted(self.logits, None, k)
        assert rule(self.logits).all()
        assert (rule.excess(self.logits) > 0).all()


class TestChoosePrice:
    prices = np.array([0.005, 0.02, 0.04, 0.08])

    def choose(self, means, spread=0.0, least=0.0, tolerance=1.0, usual=0.04):
        """Choose by losses of two rows with these means, whose differences spread so much."""
        losses = np.array(means)[:, None] + spread * np.arange(4)[:, None] * np.array([-1.0, 1.0])
        return choose_price(self.prices, losses, usual, least, tolerance)

    def test_without_doubt_the_best_is_taken(self):
        assert self.choose([0.4, 0.3, 0.2, 0.1]) == 3
        assert self.choose([0.1, 0.3, 0.2, 0.4]) == 0

    def test_of_what_cannot_be_told_from_the_best_the_nearest_to_the_usual_is_taken(self):
        # each step's differences have a standard error of 0.1 / sqrt(2) a step
        assert self.choose([0.10, 0.11, 0.12, 0.13], spread=0.1) == 2
        assert self.choose([0.10, 0.11, 0.90, 0.13], spread=0.1) == 1  # 0.02 is as near as 0.08
        assert self.choose([0.10, 0.90, 0.90, 0.13], spread=0.1) == 3
        # distance is that of logarithms
        assert self.choose([0.1, 0.9, 0.9, 0.1], usual=0.019) == 0
        assert self.choose([0.1, 0.9, 0.9, 0.1], usual=0.021) == 3

    def test_what_is_more_than_a_standard_error_worse_is_not_taken(self):
        error = 2 * 0.1 / np.sqrt(2)
        assert self.choose([0.1, 0.9, 0.1 + 0.99 * error, 0.9], spread=0.1) == 2
        assert self.choose([0.1, 0.9, 0.1 + 1.01 * error, 0.9], spread=0.1) == 0

    def test_what_loses_more_than_the_tolerance_is_not_taken(self):
        assert self.choose([0.10, 0.9, 0.12, 0.9], spread=0.1, tolerance=0.03) == 2
        assert self.choose([0.10, 0.9, 0.12, 0.9], spread=0.1, tolerance=0.01) == 0

    def test_the_standard_error_is_that_of_differences(self):
        rows = np.array([0.0, 10.0, 20.0, 30.0])
        losses = np.array([rows, rows + 0.5, rows + 0.1, rows + 0.5])
        assert choose_price(self.prices, losses, 0.04, 0.0, 1.0) == 0

    def test_prices_below_the_least_are_neither_taken_nor_compared_with(self):
        assert self.choose([0.0, 0.3, 0.2, 0.1], least=0.01) == 3
        assert self.choose([0.0, 0.10, 0.12, 0.9], spread=0.1, least=0.01, tolerance=0.03) == 2


def table(n=160, seed=0):
    """Rows of a one-hot column of three levels and of two numbers, whose sign of the first is the label."""
    rng = np.random.RandomState(seed)
    x = np.hstack([np.eye(3)[rng.randint(3, size=n)], rng.normal(size=(n, 2))]).astype(np.float32)
    return {"x": x, "y": (x[:, 3] > 0).astype(np.float32), "weight": np.ones(n, dtype=np.float32)}


def small_module(seed=0):
    with seeded(seed):
        groups = torch.tensor([0, 0, 0, 1, 2])
        return SelectAndPredict(mlp(5, (4,), 3), mlp(5, (6,), 1), groups, torch.zeros(5))


def joint(**changes):
    defaults = {"relaxation": "soft", "temperature": (5.0, 0.1), "penalty": "count", "price": 0.0}
    return JointLoss("logit", **(defaults | {"target": 0.0} | changes))


def batch_of(rows, progress):
    batch = Batch({name: torch.from_numpy(array) for name, array in rows.items()})
    batch.progress = progress
    return batch


def settings(max_epochs, batch_size=32, lr=1e-2):
    return Settings(max_epochs=max_epochs, batch_size=batch_size, lr=lr, device="cpu")


class TestJointLoss:
    def test_the_price_rises_with_a_power_of_the_progress(self):
        module, rows = small_module(), table()
        free = joint()(module, batch_of(rows, 0.5))[0].item()
        columns = torch.sigmoid(module.selector(torch.from_numpy(rows["x"]))).sum(1).mean().item()
        for power, share in ((2.0, 0.25), (4.0, 0.0625), (0.0, 1.0)):
            total, terms = joint(price=0.3, power=power)(module, batch_of(rows, 0.5))
            assert total.item() == pytest.approx(free + 0.3 * share * columns, rel=1e-5)
            assert terms["columns"].item() == pytest.approx(columns, rel=1e-5)
            assert terms["task"].item() == pytest.approx(free, rel=1e-5)

    def test_penalties_are_those_they_are_named_after(self):
        module, rows = small_module(), table()
        free, terms = joint()(module, batch_of(rows, 1.0))
        columns = terms["columns"].item()
        for penalty, target, cost in (
            ("excess", 1.0, columns - 1.0),
            ("excess", 3.0, 0.0),
            ("squared", 3.0, (3.0 - columns) ** 2),
        ):
            total = joint(price=0.3, penalty=penalty, target=target)(module, batch_of(rows, 1.0))[0]
            assert total.item() == pytest.approx(free.item() + 0.3 * cost, rel=1e-5)

    def test_drawn_gates_are_drawn_in_training_and_the_best_guess_in_evaluation(self):
        module, rows = small_module(), table()
        loss = joint(relaxation="gumbel")
        x = torch.from_numpy(rows["x"])
        hard = (module.selector(x) > 0).float()
        expected = row_losses(module.predict(x, hard), torch.from_numpy(rows["y"]), "logit").mean()
        values = {loss(module.eval(), batch_of(rows, 0.5))[0].item() for _ in range(3)}
        assert values == {expected.item()}
        with seeded(0):
            assert len({loss(module.train(), batch_of(rows, 0.5))[0].item() for _ in range(3)}) == 3

    def test_distillation_is_weighed_against_the_own_loss(self):
        module, rows = small_module(), table()
        rows |= {
            "teacher_logits": normal(160, 3, seed=4).numpy(),
            "teacher_scores": normal(160, 1, seed=5).numpy(),
        }
        batch = batch_of(rows, 0.5)
        tau = temperature_at(0.5, (5.0, 0.1))
        own = joint()(module, batch)[0].item()
        logits = module.selector(batch["x"])
        scores = module.predict(batch["x"], torch.sigmoid(logits))
        selection = selection_divergence(batch["teacher_logits"], logits, tau).mean().item()
        prediction = prediction_divergence(batch["teacher_scores"], scores, "logit", tau).mean().item()
        for distill, teacher_loss in (
            ("both", 0.5 * selection + prediction),
            ("rationale", 0.5 * selection),
            ("prediction", prediction),
        ):
            total, terms = joint(distillation=Distillation(0.3, 0.5, distill))(module, batch)
            assert total.item() == pytest.approx(0.3 * own + 0.7 * teacher_loss, rel=1e-4)
            assert ("rationale" in terms) == (distill != "prediction")
            assert ("prediction" in terms) == (distill != "rationale")

    def test_an_annealed_share_ends_as_the_own_task(self):
        distillation, temperature = Distillation("anneal", 0.5, "both"), (5.0, 0.1)
        taus = [temperature_at(t, temperature) for t in np.linspace(0, 1, 11)]
        shares = [distillation.share_of_labels(tau, temperature) for tau in taus]
        assert shares[0] == pytest.approx(0)
        assert shares[-1] == pytest.approx(1)
        assert (np.diff(shares) > 0).all()
        assert Distillation(0.3, 0.5, "both").share_of_labels(2.0, temperature) == 0.3


class TestGradients:
    def by_torch(self, loss, module, batch, learn_fill):
        """The same loss, written as it is defined, with the gradient that torch finds."""
        weight, tau = batch["weight"], temperature_at(batch.progress, loss.temperature)
        logits = module.selector(batch["x"])
        gates = torch.sigmoid(logits)
        if loss.relaxation == "gumbel":
            gates = gumbel_gates(logits, tau, batch.generator)
        kept, fill = gates[:, module.groups], module.fill if learn_fill else batch["fill"]
        scores = module.predictor(kept * batch["x"] + (1 - kept) * fill)
        count = count_cost(gates, weight)
        cost = {"count": count, "excess": (count - loss.target).relu(), "squared": (count - loss.target) ** 2}
        price = loss.price * batch.progress**loss.power
        total = (row_losses(scores, batch["y"], "logit") * weight).mean() + price * cost[loss.penalty]
        if loss.distillation is not None:
            rows = 0.5 * selection_divergence(batch["teacher_logits"], logits, tau)
            rows = rows + prediction_divergence(batch["teacher_scores"], scores, "logit", tau)
            total = 0.3 * total + 0.7 * (rows * weight).mean()
        total.backward()
        return total.detach()

    @pytest.mark.parametrize("relaxation", ["soft", "gumbel"])
    @pytest.mark.parametrize("penalty", ["count", "excess", "squared"])
    @pytest.mark.parametrize("learn_fill", [False, True])
    @pytest.mark.parametrize("taught", [False, True])
    def test_gradients_by_hand_are_those_of_torch(self, relaxation, penalty, learn_fill, taught):
        with seeded(1):
            networks = mlp(5, (4,), 3), mlp(5, (6,), 1)
            module = SelectAndPredict(*networks, torch.tensor([0, 0, 0, 1, 2]), torch.ones(5), learn_fill)
        rows = table(40) | {"fill": normal(40, 5, seed=6).numpy()}
        rows["weight"] = np.linspace(0.5, 1.5, 40).astype(np.float32)
        rows["teacher_logits"], rows["teacher_scores"] = (normal(40, k, seed=k).numpy() for k in (3, 1))
        if learn_fill:
            del rows["fill"]
        loss = joint(
            relaxation=relaxation,
            penalty=penalty,
            price=0.3,
            target=1.0,
            distillation=Distillation(0.3, 0.5, "both") if taught else None,
        )
        found = []
        for call in (loss, lambda module, batch: [self.by_torch(loss, module, batch, learn_fill)]):
            batch = batch_of(rows, 0.5)
            batch.generator = torch.Generator().manual_seed(0)
            module.zero_grad()
            total = call(module, batch)[0]
            found.append([total, *(parameter.grad for parameter in module.parameters())])
        for one, other in zip(*found, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


class TestTrainJoint:
    @pytest.mark.parametrize(("behind", "n_epochs", "n_states"), [(True, 7, 7), (False, 20, 20)])
    def test_a_training_that_is_behind_ends(self, behind, n_epochs, n_states):
        seen = []
        judge = GiveUp(7, lambda: seen.append(1) or behind)
        chosen = settings(20).replace(callbacks=[judge])
        result, snapshots = train_joint(
            small_module(), joint(), table(), chosen, marginal=False, random_state=0
        )
        assert (result.n_iter, len(snapshots), seen, judge.gave_up) == (n_epochs, n_states, [1], behind)

    def test_validation_rows_are_judged_at_once(self):
        sizes = []

        class Spy(JointLoss):
            def __call__(self, module, batch):
                sizes.extend([batch.n_rows] * (not module.training))
                return super().__call__(module, batch)

        loss, chosen = Spy("logit", "soft", (5.0, 0.1), "count", 0.1, 0.0), settings(3, batch_size=16)
        train_joint(small_module(), loss, table(), chosen, marginal=True, validation=table(), random_state=0)
        assert sizes == 3 * [160]

    @pytest.mark.parametrize(("epochs", "n"), [(1, 1), (7, 7), (20, 20), (30, 20), (47, 20)])
    def test_snapshots_are_of_the_way_in_order_and_the_last_of_its_end(self, epochs, n):
        module, seen = small_module(), []

        class Spy(JointLoss):
            def __call__(self, module, batch):
                if batch.progress > len(seen) / epochs:  # the first step of an epoch
                    seen.append(module.selector[0].weight.detach().clone())
                return super().__call__(module, batch)

        loss = Spy("logit", "soft", (5.0, 0.1), "count", 0.1, 0.0)
        rows = {name: array[:40] for name, array in table().items()}
        result, snapshots = train_joint(module, loss, rows, settings(epochs), marginal=False, random_state=0)
        assert result.n_iter == epochs
        assert len(snapshots) == n
        for name, value in module.state_dict().items():
            assert torch.equal(snapshots[-1][name], value)
        places = []  # how many epochs were done
        for state in snapshots[:-1]:
            same = [i for i, weight in enumerate(seen) if torch.equal(weight, state["selector.0.weight"])]
            assert len(same) == 1
            places += same
        expected = epochs * np.arange(1, n) / n
        assert np.abs(np.array(places) - expected).max(initial=0) <= 1
        assert (np.diff(places) > 0).all()

    @pytest.mark.parametrize("weighted", [False, True])
    def test_marginal_fills_are_cells_of_other_rows_drawn_anew_each_epoch(self, weighted):
        rows, seen = table(), []
        if weighted:
            rows["weight"] = np.where(np.arange(160) < 80, 2.0, 0.0).astype(np.float32)

        class Spy(JointLoss):
            def __call__(self, module, batch):
                seen.append((batch["x"].clone(), batch["fill"].clone()))
                return super().__call__(module, batch)

        loss = Spy("logit", "soft", (5.0, 0.1), "count", 0.1, 0.0)
        train_joint(small_module(), loss, rows, settings(3, batch_size=200), marginal=True, random_state=0)
        assert len(seen) == 3
        known = rows["x"][:80] if weighted else rows["x"]
        for x, fill in seen:
            assert torch.equal(fill[:, :3].sum(1), torch.ones(160))
            assert set(fill[:, 3].tolist()) <= set(known[:, 3].tolist())
            assert (fill[:, 3] == x[:, 3]).float().mean() < 0.1
        assert not torch.equal(seen[0][1], seen[1][1])

    def test_without_marginal_fills_there_are_none(self):
        class Spy(JointLoss):
            def __call__(self, module, batch):
                assert "fill" not in batch
                return super().__call__(module, batch)

        loss = Spy("logit", "soft", (5.0, 0.1), "count", 0.1, 0.0)
        train_joint(small_module(), loss, table(), settings(1), marginal=False, random_state=0)


class TestEvaluateSnapshots:
    def evaluated(self, module, states, **changes):
        rows, valid = table(), table(40, seed=1)
        settings = {"marginal": True, "link": "logit", "count": None, "k": None, "seed": 0} | changes
        return valid, *evaluate_snapshots(module, states, rows, valid, **settings)

    def test_losses_are_those_of_hard_masks_on_validation_rows(self):
        module = small_module()
        state = {name: value.clone() for name, value in module.state_dict().items()}
        valid, rules, losses = self.evaluated(module, [state], marginal=False, k=1)
        assert rules == [MaskRule(k=1)]
        x = torch.from_numpy(valid["x"])
        with torch.no_grad():
            mask = torch.from_numpy(rules[0](module.selector(x).numpy())).float()
            scores = module.predict(x, mask)
        expected = row_losses(scores, torch.from_numpy(valid["y"]), "logit")
        np.testing.assert_allclose(losses, expected[None], rtol=1e-5)

    def test_each_state_is_judged_with_its_own_threshold_and_the_same_fills(self):
        module = small_module()
        states = [{k: v.clone() for k, v in small_module(seed).state_dict().items()} for seed in (0, 1, 0)]
        _, rules, losses = self.evaluated(module, states, count=1.5)
        assert rules[0] == rules[2] != rules[1]
        assert losses.shape == (3, 40)
        np.testing.assert_array_equal(losses[0], losses[2])
        assert not np.array_equal(losses[0], losses[1])

    def test_scores_of_several_fills_are_averaged_as_responses(self):
        answers = [normal(5, 1), normal(5, 1, seed=1)]
        mean = (torch.sigmoid(answers[0]) + torch.sigmoid(answers[1])) / 2
        torch.testing.assert_close(torch.sigmoid(_mean_scores(answers, "logit")), mean.double())
        torch.testing.assert_close(
            _mean_scores(answers, "identity"), ((answers[0] + answers[1]) / 2).double()
        )
        answers = [normal(5, 3), normal(5, 3, seed=1)]
        mean = (torch.softmax(answers[0], 1) + torch.softmax(answers[1], 1)) / 2
        torch.testing.assert_close(torch.softmax(_mean_scores(answers, "softmax"), 1), mean.double())


class TestTrainOnMasks:
    n, d = 64, 40

    def seen(self, own, epochs=6):
        """Give which mask each row saw in each epoch: a row number, or -1 for one that was not selected."""
        rng = np.random.RandomState(0)
        masks = (rng.rand(self.n, self.d) < 0.5).astype(np.float32)
        rows = {
            "x": np.repeat(np.arange(self.n, dtype=np.float32)[:, None], self.d, axis=1),
            "y": rng.normal(size=self.n).astype(np.float32),
            "weight": np.ones(self.n, dtype=np.float32),
            "mask": masks,
        }
        found = []

        class Spy(MaskedPredictor):
            def forward(self, x, mask):
                number = x[:, 0].long().numpy()
                same = (mask.numpy()[:, None] == masks).all(axis=2)
                which = np.full(len(masks), -1)
                which[number] = np.where(same.any(axis=1), same.argmax(axis=1), -1)
                found.append(which)
                return super().forward(x, mask)

        with seeded(0):
            module = Spy((4,), torch.arange(self.d), self.d, 1)
        slow = settings(epochs, batch_size=self.n, lr=1e-4)
        train_on_masks(module, rows, "identity", slow, own=own, random_state=0)
        assert len(found) == epochs
        return np.array(found)

    def test_half_of_the_masks_were_selected_for_other_rows_and_half_are_random(self):
        seen = self.seen(own=False, epochs=20)
        assert 0.4 < (seen >= 0).mean() < 0.6
        assert not np.array_equal(seen[0], seen[1])
        own = seen == np.arange(self.n)
        assert own.mean() < 0.03
        for epoch in seen:
            given = epoch[epoch >= 0]
            assert len(set(given)) == len(given)  # a permutation: no mask is used twice

    def test_no_row_sees_its_own_mask(self):
        assert not (self.seen(own=False, epochs=40) == np.arange(self.n)).any()

    def test_rows_keep_their_own_masks_when_asked(self):
        seen = self.seen(own=True)
        assert (seen[seen >= 0] == np.broadcast_to(np.arange(self.n), seen.shape)[seen >= 0]).all()
        assert 0.35 < (seen >= 0).mean() < 0.65

    def test_a_label_that_only_the_own_mask_tells_is_learnt_only_from_own_masks(self):
        rng = np.random.RandomState(0)
        y = (rng.rand(400) < 0.5).astype(np.float32)
        mask = np.stack([y, 1 - y, rng.rand(400) < 0.5], axis=1).astype(np.float32)
        x = rng.normal(size=(400, 3)).astype(np.float32)
        rows = {"x": x, "y": y, "weight": np.ones(400, dtype=np.float32), "mask": mask}
        gains = {}
        for own in (True, False):
            with seeded(0):
                module = MaskedPredictor((16,), torch.arange(3), 3, 1)
            train_on_masks(module, rows, "logit", settings(40), own=own, random_state=0)
            with torch.no_grad():
                scores = module(torch.from_numpy(x), torch.from_numpy(mask))
            gains[own] = np.log(2) - row_losses(scores, torch.from_numpy(y), "logit").mean().item()
        assert gains[True] > 0.2
        assert gains[False] < 0.03

    def test_the_teacher_has_the_share_that_the_labels_leave(self):
        rng = np.random.RandomState(0)
        x = rng.normal(size=(300, 1)).astype(np.float32)
        rows = {
            "x": x,
            "y": np.full(300, 1.0, dtype=np.float32),
            "weight": np.ones(300, dtype=np.float32),
            "mask": np.ones((300, 1), dtype=np.float32),
            "teacher_scores": np.full((300, 1), -1.0, dtype=np.float32),
        }
        for share, expected in ((1.0, 1.0), (0.5, 0.0), (0.25, -0.5), (0.0, -1.0)):
            with seeded(0):
                module = MaskedPredictor((8,), torch.tensor([0]), 1, 1)
            train_on_masks(module, rows, "identity", settings(40), share_of_labels=share, random_state=0)
            with torch.no_grad():
                answer = module(torch.from_numpy(x), torch.ones(300, 1)).mean().item()
            assert answer == pytest.approx(expected, abs=0.1)
