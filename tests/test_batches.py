"""Results of many rows, made a few at a time."""

import threading

import numpy as np
import pytest

from skrationale import _batches
from skrationale._batches import check_batching, in_batches, one_or_several, rows_at_once


@pytest.mark.parametrize("size", [1, 3, 10, 99])
@pytest.mark.parametrize("n_jobs", [None, 1, 3, -1])
def test_parts_are_put_together_in_order(size, n_jobs):
    rows, sizes = np.arange(20.0).reshape(10, 2), []

    def part(chosen):
        sizes.append(len(rows[chosen]))
        return [rows[chosen] * 2, rows[chosen, 0] > 4]

    doubled, mask = in_batches(part, 10, size, n_jobs)
    np.testing.assert_array_equal(doubled, rows * 2)
    np.testing.assert_array_equal(mask, rows[:, 0] > 4)
    assert mask.dtype == bool
    assert not doubled.flags.writeable
    assert max(sizes) == min(size, 10)


def test_no_rows_have_results_too():
    assert in_batches(lambda chosen: [np.ones((0, 3))], 0, 5)[0].shape == (0, 3)


def test_a_single_part_asks_for_no_threads(monkeypatch):
    monkeypatch.setattr(_batches, "Parallel", None)
    np.testing.assert_array_equal(in_batches(lambda chosen: [np.ones(3)], 3, 5, n_jobs=2)[0], np.ones(3))


def test_threads_share_the_parts():
    both, names = threading.Barrier(2, timeout=30), set()

    def part(chosen):
        if chosen.start:
            both.wait()  # goes on only when another thread is here too
        names.add(threading.get_ident())
        return [np.zeros(chosen.stop - chosen.start)]

    in_batches(part, 5, 1, n_jobs=2)
    assert len(names) >= 2


def test_an_error_of_a_part_is_raised():
    def part(chosen):
        if chosen.start == 4:
            raise RuntimeError("no such row")
        return [np.zeros(2)]

    for n_jobs in (1, 2):
        with pytest.raises(RuntimeError, match="no such row"):
            in_batches(part, 8, 2, n_jobs)


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"batch_size": 1.0}, {"n_jobs": 0}, {"n_jobs": True}])
def test_what_is_no_number_is_refused(wrong):
    name = next(iter(wrong))
    with pytest.raises(ValueError, match=f"`{name}` must be an integer"):
        check_batching(**({"batch_size": 5, "n_jobs": None} | wrong))


def test_batches_of_a_few_megabytes():
    assert rows_at_once(30, 1) == 16384
    assert rows_at_once(5000, 10) == 2048
    assert one_or_several(np.zeros((4, 3, 1))).shape == (4, 3)
    assert one_or_several(np.zeros((4, 3, 2))).shape == (4, 3, 2)
