import pickle

import numpy as np
import pandas as pd
import pytest

from skrationale.tabular import TableEncoder


@pytest.fixture
def table():
    rng = np.random.RandomState(0)
    return pd.DataFrame(
        {
            "number": rng.normal(5, 3, 200),
            "gaps": np.where(rng.rand(200) < 0.3, np.nan, rng.exponential(size=200)),
            "flag": rng.rand(200) < 0.4,
            "city": rng.choice(["Bonn", "Ulm", None], 200),
            "constant": 7,
            "empty": np.nan,
        }
    )


@pytest.mark.parametrize("numeric", ["standard", "quantile", "none"])
def test_every_original_column_is_encoded_and_finite(table, numeric):
    encoder = TableEncoder(numeric=numeric).fit(table)
    encoded = encoder.transform(table)
    assert encoded.dtype == np.float32
    assert encoded.shape == (200, len(encoder.groups)) == (200, len(encoder.encoded_names))
    assert np.isfinite(encoded).all()
    assert set(encoder.groups) == set(range(6))


def test_numbers_are_standardised_and_missing_ones_are_the_mean(table):
    encoder = TableEncoder().fit(table)
    encoded = dict(zip(encoder.encoded_names, encoder.transform(table).T, strict=True))
    assert encoded["number"].mean() == pytest.approx(0, abs=1e-6)
    assert encoded["number"].std() == pytest.approx(1, abs=1e-5)
    missing = table["gaps"].isna()
    assert (encoded["gaps"][missing] == 0).all()
    np.testing.assert_array_equal(encoded["gaps is missing"], missing)
    assert "number is missing" not in encoded
    assert (encoded["constant"] == 0).all()
    assert (encoded["empty"] == 0).all()


def test_categories_are_one_hot_with_missing_as_a_level(table):
    encoder = TableEncoder().fit(table)
    names = encoder.encoded_names[-3:]
    assert names == ("city = Bonn", "city = Ulm", "city = missing")
    block = encoder.transform(table)[:, -3:]
    np.testing.assert_array_equal(block.sum(axis=1), 1)
    np.testing.assert_array_equal(block[:, 1] == 1, table["city"] == "Ulm")
    new = table[:1].assign(city="Rome", number=np.nan)
    assert (encoder.transform(new)[:, -3:] == 0).all()
    assert np.isfinite(encoder.transform(new)).all()
    assert (encoder.transform(table[:1].assign(constant=9, empty=9.0))[:, 3:5] == 0).all()


def test_many_levels_share_a_column():
    levels = np.array([f"l{k}" for k in range(500)])
    table = pd.DataFrame({"id": np.concatenate([levels, np.repeat(levels[:5], 50)])})
    encoder = TableEncoder(max_categories=6).fit(table)
    assert encoder.encoded_names == ("id = l0", "id = l1", "id = l2", "id = l3", "id = l4", "id = other")
    encoded = encoder.transform(pd.DataFrame({"id": ["l0", "l77", "new"]}))
    np.testing.assert_array_equal(encoded.argmax(axis=1), [0, 5, 5])


def test_integer_weights_are_repeated_rows(table):
    numbers = table[["number", "gaps"]]
    weight = np.random.RandomState(1).randint(0, 4, len(numbers))
    weighted = TableEncoder().fit(numbers, sample_weight=weight).transform(numbers)
    repeated = TableEncoder().fit(numbers.loc[numbers.index.repeat(weight)]).transform(numbers)
    np.testing.assert_allclose(weighted, repeated, atol=1e-6)
    assert np.abs(weighted - TableEncoder().fit(numbers).transform(numbers)).max() > 0.01


def test_numbers_alone_categories_alone_and_pickle(table):
    for part in (table[["number"]], table[["city"]]):
        encoder = TableEncoder().fit(part)
        copy = pickle.loads(pickle.dumps(encoder))
        np.testing.assert_array_equal(copy.transform(part), encoder.transform(part))
    with pytest.raises(ValueError, match="numeric must be .* Got 'fancy'"):
        TableEncoder(numeric="fancy")


def test_pieces_rise_between_neighbouring_quantiles(table):
    plain, encoder = TableEncoder().fit(table), TableEncoder(n_pieces=4).fit(table)
    encoded, n_plain = encoder.transform(table), len(plain.groups)
    np.testing.assert_array_equal(encoded[:, :n_plain], plain.transform(table))
    # four pieces of each number that varies; a flag has two values and a constant one
    assert encoder.groups[n_plain:].tolist() == [0] * 4 + [1] * 4
    number, gaps = encoded[:, n_plain : n_plain + 4], encoded[:, n_plain + 4 :]
    quarters = np.quantile(table["number"], [0.25, 0.5, 0.75], method="nearest")
    for j, low in enumerate([table["number"].min(), *quarters]):
        below = (table["number"] <= low).to_numpy()
        np.testing.assert_array_equal(number[below, j], -1)
        assert (number[~below, j] > -1).all()
    assert np.isclose(np.abs(number), 1).sum(axis=1).min() >= 3  # a number lies within one piece
    # their sum rises strictly with the number: nothing is lost
    order = table["number"].to_numpy().argsort()
    assert (np.diff(number[order].sum(axis=1)) > 0).all()
    assert (gaps[table["gaps"].isna()] == 0).all()


def test_numbers_beyond_those_seen_are_at_the_end_of_the_pieces(table):
    encoder = TableEncoder(n_pieces=3).fit(table)
    far = table.iloc[:2].assign(number=[-1e9, 1e9])
    ends = encoder.transform(far)[:, [name.startswith("number from") for name in encoder.encoded_names]]
    np.testing.assert_array_equal(ends, [[-1, -1, -1], [1, 1, 1]])


def test_pieces_of_a_number_with_few_values_are_as_many_as_its_steps():
    encoder = TableEncoder(n_pieces=16).fit(np.array([[0.0], [1.0], [1.0], [5.0]]))
    assert encoder.encoded_names[1:] == ("x0 from 0 to 1", "x0 from 1 to 5")
    np.testing.assert_array_equal(
        encoder.transform(np.array([[0.5], [3.0]]))[:, 1:], np.array([[0.0, -1.0], [1.0, 0.0]], np.float32)
    )


@pytest.mark.parametrize("numeric", ["standard", "quantile"])
@pytest.mark.parametrize("power", [-1000, -100, 100, 1000])
def test_the_unit_of_a_column_does_not_matter(numeric, power):
    numbers = np.random.RandomState(0).normal(size=(60, 2))
    numbers[0, 0] = np.nan
    encode = TableEncoder(numeric=numeric, n_pieces=4).fit(numbers).transform
    scaled = np.ldexp(numbers, [power, 0])
    found = TableEncoder(numeric=numeric, n_pieces=4).fit(scaled).transform(scaled)
    np.testing.assert_array_equal(found, encode(numbers))
    assert found[1:, 0].std() > 0.5


def test_what_hardly_varies_beside_its_mean_is_standardised_too():
    steps = np.tile(np.arange(4.0), 5000)
    encoded = TableEncoder().fit(steps[:, None] + 2.0**50).transform(steps[:, None] + 2.0**50)
    np.testing.assert_allclose(encoded[:, 0], (steps - 1.5) / steps.std(), rtol=1e-6)


def test_numbers_out_of_all_proportion_are_named():
    numbers = pd.DataFrame({"size": [1.0, 2.0, 3.0], "age": [1.0, 2.0, 4.0]})
    encoder = TableEncoder().fit(numbers)
    with pytest.raises(ValueError, match="Column 'age' of X holds 1e\\+200 in row 2"):
        encoder.transform(numbers.assign(age=[1.0, 2.0, 1e200]))
    small = TableEncoder().fit(numbers * 1e-300)
    with pytest.raises(ValueError, match="Column 'size' of X holds 1e\\+300 in row 0"):
        small.transform(pd.DataFrame({"size": [1e300], "age": [1e-300]}))
    assert np.isfinite(encoder.transform(numbers * 1e15)).all()


@pytest.mark.parametrize("unit", [1e-60, 1e60])
def test_numbers_kept_as_they_are_must_fit_into_float32(unit):
    numbers = pd.DataFrame({"size": [1.0, 2.0, 3.0], "age": [1.0, 2.0, 4.0]})
    encoder = TableEncoder(numeric="none").fit(numbers * [1, unit])
    with pytest.raises(ValueError, match="Column 'age' of X holds numbers up to 4e.60 in size"):
        encoder.transform(numbers * [1, unit])


def test_quantiles_of_numbers_far_beyond_those_seen_are_the_ends():
    numbers = np.random.RandomState(0).normal(size=(60, 1)) * 1e-200
    encoder = TableEncoder(numeric="quantile").fit(numbers)
    ends = encoder.transform(np.array([[-1e300], [numbers.min()], [numbers.max()], [1e300]]))
    assert ends[0] == ends[1] < ends[2] == ends[3]
