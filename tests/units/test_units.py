"""Values and masks go from units to the inputs that belong to them, and back."""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch

from skrationale.tabular import TableEncoder
from skrationale.units import Units, hide, spread, table_units

GROUPS = np.array([0, 2, 2, 1, 2])


@pytest.fixture
def units():
    table = pd.DataFrame(
        {"age": [3.0, None, 5.0], "city": ["Ulm", "Bonn", "Ulm"], "flat": [1, 1, 1], "size": [2.0, 3.0, 4.0]}
    )
    encoder = TableEncoder().fit(table)
    return table_units(encoder), encoder.transform(table)


def test_columns_are_units(units):
    units, x = units
    assert units.names == ("age", "city", "flat", "size")
    assert units.groups.tolist() == [0, 2, 3, 0, 1, 1]
    assert (units.n_units, units.n_inputs) == (4, x.shape[1])
    assert units.varying(x).tolist() == [0, 1, 3]


def test_values_of_inputs_fold_to_values_of_units(units):
    units, _ = units
    values = np.random.RandomState(0).normal(size=(4, units.n_inputs, 2))
    folded = units.fold(values)
    assert folded.shape == (4, 4, 2)
    np.testing.assert_allclose(folded[:, 1], values[:, -2:].sum(axis=1))
    np.testing.assert_allclose(folded.sum(axis=1), values.sum(axis=1))
    with pytest.raises(ValueError, match="values has 2 columns; expected 6"):
        units.fold(np.zeros((1, 2)))


def test_some_units_are_taken_with_their_inputs(units):
    units, x = units
    some, inputs = units.take(np.array([1, 3]))
    assert some.names == ("city", "size")
    assert inputs.tolist() == [2, 4, 5]
    assert some.groups.tolist() == [1, 0, 0]
    every, inputs = units.take(np.arange(4))
    assert every.names == units.names
    np.testing.assert_array_equal(every.groups, units.groups)
    np.testing.assert_array_equal(inputs, np.arange(units.n_inputs))
    none, inputs = units.take(np.arange(0))
    assert none.n_units == none.n_inputs == len(inputs) == 0


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_hidden_units_are_filled_in_arrays_and_tensors(kind):
    x, mask, fill = kind([[1.0, 2.0, 3.0, 4.0, 5.0]]), kind([[1.0, 0.0, 0.25]]), kind([9.0] * 5)
    assert spread(mask, kind(GROUPS.tolist())).tolist() == [[1, 0.25, 0.25, 0, 0.25]]
    assert hide(x, mask, kind(GROUPS.tolist())).tolist() == [[1, 0.5, 0.75, 0, 1.25]]
    assert hide(x, mask, kind(GROUPS.tolist()), fill).tolist() == [[1, 7.25, 7.5, 9, 8]]


def test_rows_of_a_table_have_all_units(units):
    valid = units[0].valid(3)
    assert valid.shape == (3, 4)
    assert valid.all()
    assert not valid.flags.writeable


@dataclass(frozen=True, eq=False)
class Words(Units):
    """Words of a batch of texts, some of them of several pieces; unit and input -1 are padding."""

    n_words: np.ndarray

    def valid(self, n_rows):
        return np.arange(self.n_units) < self.n_words[:n_rows, None]

    def fold(self, values):
        total = np.zeros((len(values), self.n_units + 1))
        np.add.at(total, (np.arange(len(values))[:, None], self.groups), values)
        return total[:, :-1]

    def spread(self, mask):
        return np.take_along_axis(np.pad(mask, ((0, 0), (0, 1))), self.groups, axis=1)


def test_rows_may_have_units_of_their_own():
    words = Words(("word 0", "word 1", "word 2"), np.array([[0, 1, 1, 2], [0, 0, -1, -1]]), np.array([3, 1]))
    assert (words.n_units, words.n_inputs) == (3, 4)
    assert words.valid(2).tolist() == [[True, True, True], [True, False, False]]
    values = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 0.0, 0.0]])
    assert words.fold(values).tolist() == [
        [1, 5, 4],
        [11, 0, 0],
    ]
    shown = words.spread(words.valid(2) & np.array([[True, False, True], [True, True, True]]))
    assert shown.tolist() == [[True, False, False, True], [True, True, False, False]]


@pytest.mark.parametrize("more", [(), (3,)])
def test_inputs_of_many_rows_are_added_up_as_those_of_few(more):
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(9), rng.integers(1, 6, 9)))
    units, values = Units(tuple("abcdefghi"), groups), rng.normal(size=(400, len(groups), *more))
    rows = [units.fold(row[None]) for row in values]
    assert units.fold(values).tobytes() == np.concatenate(rows).tobytes()


def test_units_need_no_torch():
    code = "import sys, skrationale.units; print(*{'torch', 'matplotlib'} & sys.modules.keys())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""
