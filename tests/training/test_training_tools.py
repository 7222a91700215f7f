"""What surrounds training: devices, threads, seeds and saved weights."""

import pickle
import warnings

import numpy as np
import pytest
import torch

from skrationale.training import get_state, limit_threads, resolve_device, seeded, set_state


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_device_auto_and_cpu():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto") == torch.device(expected)
    assert resolve_device("cpu") == resolve_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("device", ["tpu", "cuda:99", "", "meta", None, 3])
def test_device_absent_or_unknown(device):
    with pytest.raises(ValueError, match=rf"`device` must be 'auto' .*\(cpu.*, got '{device}'"):
        resolve_device(device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is present")
def test_no_silent_way_back_to_the_cpu():
    with pytest.raises(ValueError, match="got 'cuda'"):
        resolve_device("cuda")


@pytest.mark.usefixtures("two_threads")
class TestThreads:
    @pytest.mark.parametrize(("work", "expected"), [(None, 1), (1000, 1), (2**30, 2)])
    def test_small_work_gets_one_thread(self, work, expected):
        with limit_threads(work):
            assert torch.get_num_threads() == expected
        assert torch.get_num_threads() == 2

    def test_restored_on_errors(self):
        with pytest.raises(RuntimeError), limit_threads():
            raise RuntimeError
        assert torch.get_num_threads() == 2

    def test_nested_and_never_raised(self):
        with limit_threads():
            with limit_threads(2**30):
                assert torch.get_num_threads() == 1
            with limit_threads():
                pass
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2


class TestSeeded:
    def test_repeats_and_restores(self):
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        with seeded(0):
            first = torch.rand(3)
        assert torch.equal(torch.rand(3), expected)
        with seeded(0):
            assert torch.equal(torch.rand(3), first)
        with seeded(1):
            assert not torch.equal(torch.rand(3), first)

    def test_restores_on_errors(self):
        before = torch.get_rng_state()
        with pytest.raises(RuntimeError), seeded(0):
            torch.rand(-1)
        assert torch.equal(torch.get_rng_state(), before)


class TestState:
    def make(self, width=4):
        return torch.nn.Sequential(torch.nn.Linear(3, width), torch.nn.BatchNorm1d(width))

    def test_round_trip(self):
        module = self.make()
        module(torch.randn(10, 3))
        state = pickle.loads(pickle.dumps(get_state(module)))
        assert {type(array) for array in state.values()} == {np.ndarray}
        other = set_state(self.make(), state)
        assert torch.equal(other.eval()(torch.ones(2, 3)), module.eval()(torch.ones(2, 3)))
        assert other[1].num_batches_tracked == 1

    def test_state_is_a_copy_both_ways(self):
        module = torch.nn.Linear(3, 1)
        state = get_state(module)
        kept = state["weight"].copy()
        other = set_state(torch.nn.Linear(3, 1), state)
        with torch.no_grad():
            module.weight += 1
            other.weight += 1
        np.testing.assert_array_equal(state["weight"], kept)

    @pytest.mark.parametrize(
        "change", [{"extra": np.zeros(1)}, {"0.weight": np.zeros((2, 2), dtype=np.float32)}]
    )
    def test_strict(self, change):
        with pytest.raises(ValueError, match="`state` does not fit the module"):
            set_state(self.make(), {**get_state(self.make()), **change})

    def test_read_only_arrays_are_taken_without_a_warning(self):
        state = get_state(torch.nn.Linear(3, 1))
        for array in state.values():
            array.setflags(write=False)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            module = set_state(torch.nn.Linear(3, 1), state)
        np.testing.assert_array_equal(get_state(module)["weight"], state["weight"])

    def test_strict_about_missing_names(self):
        with pytest.raises(ValueError, match="Missing key"):
            set_state(self.make(), {})
