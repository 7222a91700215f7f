"""What surrounds training: devices, threads, seeds and saved weights."""

import pickle
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch

from skrationale.training import (
    convolution,
    generator_of,
    get_state,
    limit_threads,
    linear,
    rebuild_module,
    resolve_device,
    seeded,
    set_state,
)


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

    def test_other_threads_keep_their_number_and_new_ones_get_the_usual(self):
        with ThreadPoolExecutor(1) as old, ThreadPoolExecutor(1) as new:
            assert old.submit(torch.get_num_threads).result() == 2
            with limit_threads():
                assert torch.get_num_threads() == 1
                assert old.submit(torch.get_num_threads).result() == 2
                assert new.submit(torch.get_num_threads).result() == 2
                with ThreadPoolExecutor(1) as late:
                    assert late.submit(in_limits).result() == (1, 2)
            assert {pool.submit(torch.get_num_threads).result() for pool in (old, new)} == {2}
        assert torch.get_num_threads() == 2

    def test_blocks_that_overlap_in_time_leave_no_trace(self):
        inside, outside = Barrier(2), Barrier(2)

        def first():
            with limit_threads():
                inside.wait(60)
                outside.wait(60)
            return torch.get_num_threads()

        def second():
            inside.wait(60)
            with limit_threads():
                outside.wait(60)
                number = torch.get_num_threads()
            return number, torch.get_num_threads()

        with ThreadPoolExecutor(2) as pool:
            assert [pool.submit(work) for work in (first, second)][1].result() == (1, 2)
            assert set(pool.map(lambda _: torch.get_num_threads(), range(8))) == {2}
        assert torch.get_num_threads() == 2

    def test_products_of_matrices_are_limited_too_where_mkl_makes_them(self):
        def numbers():
            info = torch.__config__.parallel_info()
            return [int(n) for n in re.findall(r"get_max_threads\(\) : (\d+)", info)]

        before = numbers()
        with limit_threads():
            assert set(numbers()) == {1}
        assert numbers() == before

    def test_a_number_set_inside_is_kept(self):
        with limit_threads():
            torch.set_num_threads(3)
        assert torch.get_num_threads() == 3


def in_limits():
    with limit_threads():
        inside = torch.get_num_threads()
    return inside, torch.get_num_threads()


class TestGenerators:
    def test_layers_are_those_of_torch_drawn_elsewhere(self):
        generator, before = generator_of(3), torch.get_rng_state()
        ours = [
            linear(4, 3, generator),
            convolution(2, 5, 3, padding=1, generator=generator),
            linear(1, 2, generator),
        ]
        assert torch.equal(torch.get_rng_state(), before)
        with seeded(3):
            theirs = [torch.nn.Linear(4, 3), torch.nn.Conv2d(2, 5, 3, padding=1), torch.nn.Linear(1, 2)]
        for our, their in zip(ours, theirs, strict=True):
            assert isinstance(our, type(their))
            assert our.extra_repr() == their.extra_repr()
            assert torch.equal(our.weight, their.weight)
            assert torch.equal(our.bias, their.bias)
            assert our.weight.requires_grad

    def test_without_a_generator_layers_draw_as_those_of_torch(self):
        for ours, theirs in (
            (lambda: linear(2, 2), lambda: torch.nn.Linear(2, 2)),
            (lambda: convolution(1, 2, 3, padding=0), lambda: torch.nn.Conv2d(1, 2, 3)),
        ):
            with seeded(1):
                our = ours()
            with seeded(1):
                assert torch.equal(our.weight, theirs().weight)

    def test_a_layer_without_inputs_has_no_bias_to_start_with(self):
        with pytest.warns(UserWarning, match="zero-element"):
            assert not linear(0, 2, generator_of(0)).bias.any()


class TestSeeded:
    @pytest.mark.usefixtures("frequent_turns")
    def test_blocks_of_threads_take_turns(self):
        def draw(seed):
            with seeded(seed):
                return [torch.rand(1).item() for _ in range(200)]

        before, expected = torch.get_rng_state(), [draw(seed) for seed in range(4)]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(draw, range(4))) == expected
        assert torch.equal(torch.get_rng_state(), before)

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

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_a_rebuilt_module_has_all_digits_and_draws_nothing(self, dtype):
        module, before = self.make().to(dtype), torch.get_rng_state()
        rebuilt = rebuild_module(self.make, get_state(module))
        assert torch.equal(torch.get_rng_state(), before)
        assert rebuilt[0].weight.dtype == torch.float64
        assert not rebuilt.training
        for name, tensor in module.state_dict().items():
            assert torch.equal(rebuilt.state_dict()[name], tensor.to(rebuilt.state_dict()[name]))

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


def test_drawing_layers_neither_moves_the_global_generator_nor_loads_sympy():
    code = (
        "import sys, torch\n"
        "from skrationale.training import convolution, generator_of, linear\n"
        "before = torch.get_rng_state()\n"
        "linear(3, 2, generator_of(0)), convolution(1, 2, 3, padding=1, generator=generator_of(0))\n"
        "assert torch.equal(before, torch.get_rng_state())\n"
        "assert 'sympy' not in sys.modules\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
