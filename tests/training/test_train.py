"""train: what it learns, weighs, records and refuses; when it stops; and that it leaves no trace."""

import gc
import math
import pickle
import threading
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import skorch.callbacks
import torch
from skorch.callbacks import Callback

from skrationale.training import Batch, Settings, get_state, seeded, train
from skrationale.training._denormals import denormals_count
from skrationale.training._net import LeanNet, _clip

SETTINGS = Settings(max_epochs=5, batch_size=16, lr=0.05, device="cpu")


def make_data(n=50, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return {"X": X, "y": X @ np.array([[1.0], [-2.0], [0.5]]) + 0.3}


def make_module(dtype=torch.float32, dropout=0.0):
    with seeded(0):
        return torch.nn.Sequential(torch.nn.Dropout(dropout), torch.nn.Linear(3, 1, dtype=dtype))


def squared(module, batch):
    return ((module(batch["X"]) - batch["y"]) ** 2).mean(), {}


def fit(module=None, loss=squared, data=None, **changes):
    module = make_module() if module is None else module
    own = {name: changes.pop(name) for name in list(changes) if hasattr(SETTINGS, name)}
    return train(module, loss, make_data() if data is None else data, SETTINGS.replace(**own), **changes)


def assert_close_states(first, second, atol=0.0):
    first, second = get_state(first.module), get_state(second.module)
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_allclose(first[name], second[name], rtol=0, atol=atol)


class Recorder(Callback):
    """Write down every call, the losses that a batch announced and the gradients that were stepped with."""

    def __init__(self):
        self.calls = []
        self.norms = []

    def on_train_begin(self, net, **kwargs):
        self.calls.append("train_begin")

    def on_epoch_end(self, net, **kwargs):
        self.calls.append("epoch_end")

    def on_batch_end(self, net, training, **kwargs):
        self.calls.append("batch_end" if training else "valid_batch_end")
        gradients = [parameter.grad.flatten() for parameter in net.module_.parameters()]
        self.norms.append(torch.cat(gradients).norm().item())

    def on_grad_computed(self, net, named_parameters, **kwargs):
        self.calls.append([name for name, _ in named_parameters])

    def on_train_end(self, net, **kwargs):
        self.calls.append("train_end")


class Interrupt(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise KeyboardInterrupt


class TestLearning:
    @pytest.mark.parametrize("optimizer", ["adamw", "adam"])
    @pytest.mark.parametrize("schedule", ["one_cycle", None])
    def test_learns_a_linear_map(self, optimizer, schedule):
        result = fit(max_epochs=150, optimizer=optimizer, schedule=schedule)
        np.testing.assert_allclose(get_state(result.module)["1.weight"], [[1, -2, 0.5]], atol=0.01)
        assert result.history[-1]["train_loss"] < 1e-3 * result.history[0]["train_loss"]

    def test_module_is_trained_in_place_and_left_clean(self):
        module = make_module()
        result = fit(module)
        assert result.module is module
        assert not module.training
        assert all(parameter.grad is None for parameter in module.parameters())

    def test_weights_in_a_full_batch_are_repeated_rows(self):
        data, counts = make_data(20), np.arange(20) % 3 + 1

        def weighted(module, batch):
            error = (module(batch["X"]) - batch["y"]) ** 2
            return (batch["w"] * error[:, 0]).mean(), {}

        repeated = {name: np.repeat(array, counts, axis=0) for name, array in data.items()}
        options = {"batch_size": 1000, "max_epochs": 40, "weight_decay": 0.01}
        by_weight = fit(
            make_module(torch.float64), weighted, {**data, "w": counts / counts.mean()}, **options
        )
        by_rows = fit(make_module(torch.float64), squared, repeated, **options)
        assert_close_states(by_weight, by_rows, atol=1e-10)

    def test_order_of_rows_is_irrelevant_in_a_full_batch(self):
        data = make_data(30)
        backwards = {name: array[::-1] for name, array in data.items()}
        first = fit(make_module(torch.float64), data=data, batch_size=30, random_state=1)
        second = fit(make_module(torch.float64), data=backwards, batch_size=30, random_state=2)
        assert_close_states(first, second, atol=1e-12)

    def test_a_full_batch_is_not_shuffled(self):
        assert_close_states(fit(batch_size=50, random_state=1), fit(batch_size=50, random_state=2))

    def test_weight_decay_shrinks(self):
        norms = [fit(max_epochs=100, weight_decay=decay).module[1].weight.norm() for decay in (0, 1)]
        assert norms[1] < 0.95 * norms[0]

    def test_denormals_are_zero_in_training_alone(self):
        seen = []

        class Look(skorch.callbacks.Callback):
            def on_epoch_end(self, net, **kwargs):
                seen.append(denormals_count())

        def stop(epoch, data):
            raise RuntimeError("enough")

        assert denormals_count()
        fit(callbacks=[Look()])
        assert not any(seen)
        assert denormals_count()
        with pytest.raises(RuntimeError, match="enough"):
            fit(epoch_hook=stop)
        assert denormals_count()
        assert torch.set_flush_denormal(True)
        try:
            fit()
            assert not denormals_count()
        finally:
            torch.set_flush_denormal(False)

    @pytest.mark.parametrize("norm", [0.5, 1e3])
    def test_gradients_are_cut_as_torch_does(self, norm):
        ours, theirs = (torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 1)) for _ in range(2))
        for module in (ours, theirs):
            for i, weight in enumerate(module.parameters()):
                weight.grad = torch.full_like(weight, i - 1.5)
        ours.append(torch.nn.Linear(2, 2))  # without gradients
        _clip(list(ours.parameters()), norm)
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), norm)
        for own, expected in zip(ours.parameters(), theirs.parameters(), strict=False):
            torch.testing.assert_close(own.grad, expected.grad)

    def test_clip_norm_bounds_the_gradient_that_is_stepped_with(self):
        free, clipped = Recorder(), Recorder()
        fit(callbacks=[free])
        fit(callbacks=[clipped], clip_norm=0.01)
        assert max(free.norms) > 0.1
        assert max(clipped.norms) <= 0.01 + 1e-6

    def test_one_cycle_is_that_of_torch(self):
        result = fit(max_epochs=12, batch_size=50)
        optimizer = torch.optim.AdamW(make_module().parameters())
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, SETTINGS.lr, total_steps=12)
        expected = []
        for _ in range(12):
            expected.append(cycle.get_last_lr()[0])
            optimizer.step()
            cycle.step()
        assert [row["lr"] for row in result.history] == pytest.approx(expected)

    @pytest.mark.parametrize("n_steps", [1, 2, 3])
    def test_few_steps_use_the_peak_rate(self, n_steps):
        result = fit(max_epochs=n_steps, batch_size=50)
        assert [row["lr"] for row in result.history] == [SETTINGS.lr] * n_steps
        assert_close_states(result, fit(max_epochs=n_steps, batch_size=50, schedule=None))


class TestData:
    def test_floats_take_the_dtype_of_the_module_and_integers_are_kept(self):
        seen = {}

        def loss(module, batch):
            seen.update({name: tensor.dtype for name, tensor in batch.items()})
            return squared(module, batch)

        extra = {
            "codes": np.zeros(50, dtype=np.int16),
            "flags": np.zeros(50, dtype=bool),
            "half": torch.zeros(50).half(),
        }
        fit(make_module(torch.float64), loss, {**make_data(), **extra})
        assert seen["X"] == seen["half"] == torch.float64
        assert (seen["codes"], seen["flags"]) == (torch.int16, torch.bool)

    def test_read_only_and_strided_arrays_are_taken_without_a_warning(self):
        data = {name: np.repeat(array, 2, axis=0)[::-2] for name, array in make_data().items()}
        for array in data.values():
            array.setflags(write=False)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = fit(data=data)
        assert_close_states(result, fit(data={name: array.copy() for name, array in data.items()}))

    def test_each_row_is_seen_once_an_epoch_in_another_order(self):
        seen = []

        def loss(module, batch):
            seen.extend(batch["row"].tolist())
            return squared(module, batch)

        fit(loss=loss, data={**make_data(), "row": np.arange(50)}, max_epochs=2)
        assert sorted(seen[:50]) == sorted(seen[50:]) == list(range(50))
        assert seen[:50] != seen[50:] != list(range(50))

    def test_shuffles_do_not_depend_on_what_the_module_draws(self):
        orders = []
        for dropout in (0.0, 0.5):
            seen = []

            def loss(module, batch, seen=seen):
                seen.extend(batch["row"].tolist())
                return squared(module, batch)

            fit(make_module(dropout=dropout), loss, {**make_data(), "row": np.arange(50)}, max_epochs=3)
            orders.append(seen)
        assert orders[0] == orders[1]

    def test_progress_counts_steps(self):
        train_progress, valid_progress, hook_progress = [], [], []

        def loss(module, batch):
            (train_progress if module.training else valid_progress).append(batch.progress)
            return squared(module, batch)

        def hook(epoch, data):
            hook_progress.append((epoch, data.progress))

        fit(loss=loss, validation=make_data(10), max_epochs=2, batch_size=25, epoch_hook=hook)
        assert train_progress == [0.25, 0.5, 0.75, 1.0]
        assert valid_progress == [0.5, 1.0]
        assert hook_progress == [(1, 0.0), (2, 0.5)]

    @pytest.mark.parametrize("returns", [True, False])
    def test_epoch_hook_replaces_data(self, returns):
        seen = []

        def loss(module, batch):
            seen.append(batch["fill"].unique().tolist())
            return squared(module, batch)

        def hook(epoch, data):
            if returns:
                return {"fill": np.full(50, float(epoch))}
            data["fill"] = torch.full((50,), float(epoch))
            return None

        fill = np.zeros(50)
        fit(loss=loss, data={**make_data(), "fill": fill}, max_epochs=3, batch_size=50, epoch_hook=hook)
        assert seen == [[1.0], [2.0], [3.0]]
        assert not fill.any()

    def test_epoch_hook_keeps_the_number_of_rows(self):
        with pytest.raises(ValueError, match="`epoch_hook` must keep the 50 rows"):
            fit(epoch_hook=lambda epoch, data: make_data(49))


class TestHistory:
    def test_is_plain_and_complete(self):
        def loss(module, batch):
            total, _ = squared(module, batch)
            return 2 * total, {"prediction": total, "explanation": 3 * total}

        result = fit(loss=loss, validation=make_data(9), batch_size=20)
        assert [row["epoch"] for row in result.history] == [1, 2, 3, 4, 5]
        assert (result.n_iter, result.device) == (5, "cpu")
        names = ("loss", "prediction", "explanation")
        keys = {"epoch", "lr", "dur", *(f"{part}_{name}" for part in ("train", "valid") for name in names)}
        for row in result.history:
            assert type(row) is dict
            assert row.keys() == keys
            assert {type(value) for value in row.values()} == {int, float}
            assert row["valid_explanation"] == pytest.approx(1.5 * row["valid_loss"])
        assert type(result.history) is list
        assert pickle.loads(pickle.dumps(result)).history == result.history

    @pytest.mark.parametrize("listen", [True, False])
    def test_loss_is_the_mean_over_rows_with_a_partial_last_batch(self, listen):
        data, module = make_data(50), make_module(torch.float64)
        expected = squared(module, {name: torch.from_numpy(array) for name, array in data.items()})[0].item()
        result = fit(
            module, validation=data, lr=0.0, batch_size=16, callbacks=[Recorder()] if listen else None
        )
        for row in result.history:
            assert row["train_loss"] == pytest.approx(expected, rel=1e-12)
            assert row["valid_loss"] == pytest.approx(expected, rel=1e-12)

    def test_validation_is_in_evaluation_mode_without_gradients(self):
        def loss(module, batch):
            assert torch.is_grad_enabled() == module.training == module[0].training
            return squared(module, batch)

        fit(make_module(dropout=0.5), loss, validation=make_data(10))

    @pytest.mark.parametrize(("rows", "sizes"), [(None, [16, 16, 8]), (40, [40]), (30, [30, 10])])
    def test_validation_rows_at_once_change_neither_weights_nor_losses(self, rows, sizes):
        seen = []

        def loss(module, batch):
            seen.extend([batch.n_rows] * (not module.training))
            return squared(module, batch)

        one_each = fit(validation=make_data(40, 1), validation_batch_size=1)
        found = fit(loss=loss, validation=make_data(40, 1), validation_batch_size=rows)
        assert seen == 5 * sizes
        assert_close_states(found, one_each)
        losses = [[row["valid_loss"] for row in each.history] for each in (found, one_each)]
        np.testing.assert_allclose(*losses, rtol=1e-6)


class TestNoTrace:
    def test_two_runs_with_a_seed_are_equal_to_the_bit(self):
        runs = [fit(make_module(dropout=0.5), random_state=seed) for seed in (3, 3, 4)]
        assert_close_states(runs[0], runs[1])
        with pytest.raises(AssertionError):
            assert_close_states(runs[0], runs[2])

    def test_global_random_state_is_neither_used_nor_changed(self):
        runs = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
            runs.append(fit(make_module(dropout=0.5)))
            assert torch.equal(before[0], torch.get_rng_state())
            assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
        assert_close_states(*runs)

    @pytest.mark.usefixtures("frequent_turns")
    def test_trainings_at_once_are_those_of_one_after_the_other(self):
        def work(seed):
            return fit(make_module(dropout=0.5), random_state=seed, max_epochs=8)

        before, expected = torch.get_rng_state(), [work(seed) for seed in range(3)]
        with ThreadPoolExecutor(3) as pool:
            found = list(pool.map(work, range(3)))
        for result, wanted in zip(found, expected, strict=True):
            assert_close_states(result, wanted)
        assert torch.equal(torch.get_rng_state(), before)

    def test_losses_and_hooks_draw_with_the_generator_of_the_batch(self):
        def work(seed, barrier=None):
            drawn = []

            def loss(module, batch):
                drawn.append(torch.rand(1, generator=batch.generator).item())
                return squared(module, batch)

            def hook(epoch, data):
                if barrier is not None:
                    barrier.wait(60)  # all are in the middle of their training
                drawn.append(torch.rand(1, generator=data.generator).item())

            fit(loss=loss, epoch_hook=hook, random_state=seed, global_draws=False, validation=make_data(9))
            return drawn

        before, expected = torch.get_rng_state(), [work(seed) for seed in range(3)]
        assert expected[0] != expected[1]
        barrier = threading.Barrier(3)
        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(lambda seed: work(seed, barrier), range(3))) == expected
        assert torch.equal(torch.get_rng_state(), before)

    def test_nothing_of_the_training_is_kept(self):
        class Watch(Callback):
            def on_train_end(self, net, X=None, y=None, **kwargs):
                watched.extend(weakref.ref(part) for part in (net, net.optimizer_, net.criterion_, X))

        watched = []
        result = fit(callbacks=[Watch()], validation=make_data(5), early_stopping=True)
        gc.collect()
        assert [part() for part in watched] == [None] * 4
        assert result.n_iter == 5

    def test_data_are_neither_changed_nor_kept(self):
        data = make_data()
        copies = {name: array.copy() for name, array in data.items()}
        kept = weakref.ref(data["X"])
        result = fit(data=data)
        for name, array in copies.items():
            np.testing.assert_array_equal(data[name], array)
        del data
        gc.collect()
        assert kept() is None
        assert result.n_iter == 5


class Scripted(torch.nn.Module):
    """One weight, which counts the epochs when its loss pushes it up by a step of one."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))


def script(valid_losses):
    """Return a loss that pushes the weight up, and reads the validation losses from a list."""
    losses = iter(valid_losses)

    def loss(module, batch):
        if module.training:
            return -module.weight, {}
        return torch.tensor(next(losses)), {}

    return loss


def fit_script(valid_losses, **changes):
    options = {
        "max_epochs": len(valid_losses),
        "early_stopping": True,
        "tol": 0.0,
        "schedule": None,
        "lr": 1.0,
    }
    return fit(
        Scripted(), script(valid_losses), validation=make_data(3), batch_size=50, **{**options, **changes}
    )


class TestStopping:
    def test_best_weights_are_restored(self):
        result = fit_script([5.0, 3.0, 4.0, 4.0])
        assert result.n_iter == 4
        assert result.module.weight.item() == pytest.approx(2, rel=1e-6)

    def test_without_early_stopping_the_last_weights_stay(self):
        result = fit_script([5.0, 3.0, 4.0, 4.0], early_stopping=False)
        assert result.module.weight.item() == pytest.approx(4, rel=1e-6)

    def test_stops_after_n_iter_no_change(self):
        result = fit_script([5.0, 3.0, 3.5, 4.0, 2.0, 2.0], n_iter_no_change=2)
        assert result.n_iter == 4
        assert result.module.weight.item() == pytest.approx(2, rel=1e-6)

    def test_falls_within_tol_add_up_and_the_best_of_them_is_kept(self):
        slow = [5.0, 4.75, 4.5, 4.25, 4.0, 3.75]
        assert fit_script(slow, n_iter_no_change=3, tol=0.5).n_iter == 6
        result = fit_script([5.0, 4.9, 4.8, 4.0], n_iter_no_change=2, tol=0.5)
        assert result.n_iter == 3
        assert result.module.weight.item() == pytest.approx(3, rel=1e-6)

    def test_before_min_epochs_no_epoch_counts(self):
        result = fit_script([1.0, 2.0, 3.0, 8.0, 7.0, 9.0, 9.0], n_iter_no_change=2, min_epochs=4)
        assert result.n_iter == 7
        assert result.module.weight.item() == pytest.approx(5, rel=1e-6)

    def test_interrupt_keeps_the_best_weights_when_asked(self):
        recorder = Recorder()
        with pytest.warns(UserWarning, match="interrupted in epoch 4 of 6; the weights of epoch 2"):
            result = fit_script([5.0, 3.0, 4.0, 1.0, 1.0, 1.0], callbacks=[recorder, Interrupt(epoch=4)])
        assert result.module.weight.item() == pytest.approx(2, rel=1e-6)
        assert (result.n_iter, len(result.history)) == (3, 3)
        assert recorder.calls[-1] == "train_end"

    @pytest.mark.parametrize(
        "options", [{"early_stopping": False}, {"callbacks": [Interrupt(epoch=1)]}, {"min_epochs": 5}]
    )
    def test_interrupt_is_raised_otherwise(self, options):
        with pytest.raises(KeyboardInterrupt):
            fit_script([5.0] * 6, **{"callbacks": [Interrupt(epoch=4)], **options})


class TestCallbacks:
    def test_all_events_are_announced_to_one_who_listens(self):
        recorder = Recorder()
        fit(callbacks=[("recorder", recorder)], validation=make_data(4), max_epochs=2, batch_size=25)
        step = [["1.weight", "1.bias"], "batch_end"]
        epoch = [*step, *step, "valid_batch_end", "epoch_end"]
        assert recorder.calls == ["train_begin", *epoch, *epoch, "train_end"]

    def test_batches_are_not_announced_when_nobody_listens(self, monkeypatch):
        events = []
        notify = LeanNet.notify

        def spy(net, method_name, **kwargs):
            events.append(method_name)
            notify(net, method_name, **kwargs)

        monkeypatch.setattr(LeanNet, "notify", spy)
        fit(callbacks=[skorch.callbacks.EpochTimer()], max_epochs=2)
        assert events == ["on_train_begin", *["on_epoch_begin", "on_epoch_end"] * 2, "on_train_end"]

    def test_listening_changes_no_weight(self):
        assert_close_states(fit(), fit(callbacks=[Recorder()]))

    def test_batches_are_recorded_as_in_skorch(self):
        class Last(Callback):
            def on_batch_end(self, net, loss, **kwargs):
                assert net.history[-1, "batches", -1, "train_loss"] == loss.item()

            def on_train_end(self, net, **kwargs):
                self.sizes = net.history[-1, "batches", :, "train_batch_size"]

        last = Last()
        fit(callbacks=[last])
        assert last.sizes == [16, 16, 16, 2]

    def test_batches_hold_the_means_when_nobody_listens(self):
        class Last(Callback):
            def on_epoch_end(self, net, **kwargs):
                assert net.history[-1, "batches", :, "train_batch_size"] == [50]
                assert net.history[-1, "batches", 0, "train_loss"] == net.history[-1, "train_loss"]

        fit(callbacks=[Last])

    def test_early_stopping_of_skorch_stops(self):
        stopping = skorch.callbacks.EarlyStopping(monitor="train_loss", patience=2, load_best=True)
        recorder = Recorder()
        result = fit(lr=0.0, max_epochs=10, callbacks=[stopping, recorder])
        assert result.n_iter == 3
        assert recorder.calls[-2:] == ["epoch_end", "train_end"]

    @pytest.mark.parametrize("step_every", ["epoch", "batch"])
    def test_learning_rate_scheduler_of_skorch(self, step_every):
        schedule = skorch.callbacks.LRScheduler(
            torch.optim.lr_scheduler.ExponentialLR, gamma=0.5, step_every=step_every
        )
        result = fit(schedule=None, lr=0.1, batch_size=25, callbacks=[schedule])
        factor = 0.5 if step_every == "epoch" else 0.25
        assert [row["lr"] for row in result.history] == pytest.approx([0.1 * factor**k for k in range(5)])

    def test_checkpoint_of_skorch(self, tmp_path):
        checkpoint = skorch.callbacks.Checkpoint(dirname=str(tmp_path), load_best=True)
        result = fit_script([5.0, 3.0, 4.0, 4.0], early_stopping=False, callbacks=[checkpoint])
        assert result.module.weight.item() == pytest.approx(2, rel=1e-6)
        assert [row["event_cp"] for row in result.history] == [True, True]  # skorch loads the history too
        names = {"params.pt", "optimizer.pt", "criterion.pt", "history.json"}
        assert {path.name for path in tmp_path.iterdir()} == names

    def test_gradient_clipping_and_progress_bar_of_skorch(self, capfd):
        recorder = Recorder()
        clipping = skorch.callbacks.GradientNormClipping(0.01)
        bar = skorch.callbacks.ProgressBar(detect_notebook=False)
        fit(callbacks=[clipping, bar, recorder])
        assert max(recorder.norms) <= 0.01 + 1e-6
        assert "0/4 [" in capfd.readouterr().err


class TestVerbosity:
    def test_silent(self, capfd):
        fit(verbose=0)
        assert capfd.readouterr() == ("", "")

    def test_bar(self, capfd):
        fit(verbose=1, validation=make_data(5))
        out, err = capfd.readouterr()
        assert out == ""
        assert "5/5" in err
        assert "train_loss=" in err
        assert "valid_loss=" in err

    def test_no_bar_in_jobs(self, capfd):  # those of other processes are in test_processes.py
        joblib.Parallel(n_jobs=2, backend="threading")([joblib.delayed(fit)(verbose=1)] * 2)
        assert capfd.readouterr() == ("", "")

    def test_bar_is_closed_on_errors(self, capfd):
        with pytest.raises(KeyboardInterrupt) as caught:
            fit(verbose=1, callbacks=[Interrupt(epoch=3)])
        assert capfd.readouterr().err.endswith("\n")
        assert caught.tb is not None  # held until here: a bar that is collected would close itself

    def test_table(self, capfd):
        fit(verbose=2)
        out, err = capfd.readouterr()
        assert len(out.splitlines()) == 2 + 5
        assert "train_loss" in out.splitlines()[0]
        assert err == ""


class TestErrors:
    @pytest.mark.parametrize("value", [math.nan, math.inf])
    @pytest.mark.parametrize("part", ["train", "valid"])
    def test_loss_that_is_not_finite(self, value, part):
        def loss(module, batch):
            total, _ = squared(module, batch)
            return total * (value if module.training == (part == "train") else 1.0), {}

        with pytest.raises(
            ValueError, match=rf"{part}_loss is {value} in epoch 1\. Lower `lr` \(got 0\.05\)"
        ):
            fit(loss=loss, validation=make_data(5), batch_size=50)

    def test_weight_that_is_not_finite(self):
        def loss(module, batch):
            return module[1].bias.sum().sub(module[1].bias.sum().detach()).abs().sqrt(), {}

        with pytest.raises(ValueError, match="a weight is not finite. Lower `lr`"):
            fit(loss=loss, max_epochs=1, batch_size=50)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ({}, "`data` must hold arrays with the same number of rows, at least one, got {}"),
            ({"X": np.zeros((0, 3))}, "`data` .* got {'X': 0}"),
            ({"X": np.zeros((5, 3)), "y": np.zeros((4, 1))}, "`data` .* got {'X': 5, 'y': 4}"),
            ({"X": np.array(3.0)}, r"`data\['X'\]` must be an array with one row per sample"),
        ],
    )
    def test_rows(self, data, message):
        with pytest.raises(ValueError, match=message):
            fit(data=data)
        with pytest.raises(ValueError, match=message.replace("`data", "`validation")):
            fit(validation=data)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (np.zeros((5, 3)), "`data` must be a dict of arrays, got ndarray"),
            ({"X": [[1.0]]}, r"`data\['X'\]` must be a numpy array or a torch tensor, got list"),
            (
                {"X": np.array([["a"]], dtype=object)},
                r"`data\['X'\]` must hold numbers, got an array of object",
            ),
        ],
    )
    def test_types_of_data(self, data, message):
        with pytest.raises(TypeError, match=message):
            fit(data=data)

    @pytest.mark.parametrize(
        ("changes", "error", "message"),
        [
            (
                {"schedule": "cosine"},
                ValueError,
                r"`schedule` must be one of \['one_cycle', None\], got 'cosine'",
            ),
            ({"optimizer": "sgd"}, ValueError, "`optimizer` must be one of .* got 'sgd'"),
            ({"device": "tpu"}, ValueError, "`device` must be"),
            ({"max_epochs": 0}, ValueError, "max_epochs == 0, must be >= 1"),
            ({"batch_size": 2.5}, TypeError, "batch_size must be an instance of"),
            ({"lr": -1.0}, ValueError, "lr == -1.0"),
            ({"clip_norm": 0.0}, ValueError, "clip_norm == 0.0"),
            ({"validation_batch_size": 0}, ValueError, "validation_batch_size == 0, must be >= 1"),
            ({"min_epochs": 6}, ValueError, "min_epochs == 6, must be <= 5"),
            ({"early_stopping": True}, ValueError, "`early_stopping` needs `validation`"),
            (
                {"callbacks": Recorder()},
                TypeError,
                "`callbacks` must be a list of skorch callbacks or None, got Rec",
            ),
            (
                {"callbacks": [print]},
                TypeError,
                "`callbacks` must hold skorch callbacks .* got builtin_function",
            ),
            ({"module": squared}, TypeError, "`module` must be a torch.nn.Module, got function"),
            (
                {"module": torch.nn.ReLU()},
                ValueError,
                "`module` must have a parameter that requires a gradient",
            ),
            (
                {"loss": lambda module, batch: (module(batch["X"]), {})},
                TypeError,
                "`loss` must return scalar tensors",
            ),
            ({"loss": lambda module, batch: (module(batch["X"]).sum(), {"a": 1})}, TypeError, "got 1 as 'a'"),
        ],
    )
    def test_parameters(self, changes, error, message):
        with pytest.raises(error, match=message):
            fit(**changes)


def test_batch_is_a_dict_of_views():
    whole = Batch(x=torch.arange(5), y=torch.zeros(5, 2))
    parts = list(whole.split(2))
    assert [part.n_rows for part in parts] == [2, 2, 1]
    assert parts[1]["x"].data_ptr() == whole["x"][2:].data_ptr()
    order = torch.tensor([4, 3, 2, 1, 0])
    assert [part["x"].tolist() for part in whole.split(3, order)] == [[4, 3, 2], [1, 0]]
