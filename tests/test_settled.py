"""Fitted state is laid out as a pickle lays it out."""

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skrationale._settled import as_loaded, settle
from skrationale._task import Task

LAYOUTS = {
    "steps": np.arange(12.0)[::3],
    "backwards": np.arange(4)[::-1],
    "one column of many": np.arange(12.0).reshape(4, 3)[:, 1:2],
    "one entry of many": np.arange(12.0).reshape(4, 3)[:1, 1],
    "fortran": np.zeros((3, 2), order="F"),
    "transposed": np.zeros((2, 3, 4)).transpose(1, 0, 2),
    "empty": np.zeros((0, 4)),
    "repeated": np.broadcast_to(np.arange(3.0), (2, 3)),
    "objects": np.array(["a", "b", "c"], dtype=object)[::2],
}


@pytest.mark.parametrize("array", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_arrays_have_the_steps_of_a_loaded_one(array):
    found, loaded = as_loaded(array), pickle.loads(pickle.dumps(array))
    assert found.strides == loaded.strides
    assert found.flags.f_contiguous == loaded.flags.f_contiguous
    np.testing.assert_array_equal(found, array)
    assert as_loaded(found) is found


def test_plain_arrays_are_not_copied_and_locks_are_kept():
    plain = np.arange(4.0)
    assert as_loaded(plain) is plain
    locked = np.arange(6)[::2]
    locked.setflags(write=False)
    assert not as_loaded(locked).flags.writeable


class Holder(BaseEstimator):
    def __init__(self, given=None):
        self.given = given


def test_parameters_and_shared_arrays_stay():
    odd = np.arange(6.0)[::2]
    nested = {"list": [odd, 1], "tuple": (odd,), "task": Task("logit", 1, np.array(["a", "b", "c"])[::2])}
    held = Holder(given=[odd])
    held.fitted_, held.again_ = nested, odd
    settle(held)
    assert held.given[0] is odd
    assert held.fitted_["list"][0] is held.fitted_["tuple"][0] is held.again_
    assert held.again_.strides == (8,)
    assert held.fitted_["task"].classes.strides == (4,)
    assert nested["list"][0] is odd  # what was handed over is not changed
