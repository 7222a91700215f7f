"""One row, or a few, are looked up in another way than many, with the same answers and errors."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from few_rows import CELLS, content, typed
from forests import classes, train_and_test, unfit_tables
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier, LGBMRegressor
from seeds import SEED

from skrationale import TreeContributions
from skrationale.teachers import bins_of
from skrationale.teachers.lightgbm import LightGBMTeacher
from skrationale.trees import reading
from skrationale.trees._binned import FEW_ROWS
from skrationale.trees.reading import ModelReader, forest_of, model_rows

SMALL = {"n_estimators": 8, "num_leaves": 15, "min_child_samples": 3, "verbose": -1, "n_jobs": 1}
TRAIN, TEST, Y = train_and_test(SEED)


def wide(n_outputs):
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(400, 40))
    X[rng.random(X.shape) < 0.05] = np.nan
    y = np.nan_to_num(X[:, 0] + X[:, 20] * X[:, 39])
    if n_outputs == 1:
        return LGBMRegressor(**SMALL | {"n_estimators": 40}).fit(X, y), X
    return LGBMClassifier(**SMALL | {"n_estimators": 30}).fit(X, classes(y, n_outputs)), X


MODELS = {
    "one output": lambda: (LGBMRegressor(**SMALL).fit(TRAIN, Y), TEST),
    "three outputs": lambda: (LGBMClassifier(**SMALL).fit(TRAIN, classes(Y, 3)), TEST),
    "many groups": lambda: (
        LGBMRegressor(**SMALL | {"n_estimators": 90, "num_leaves": 63}).fit(TRAIN, Y),
        TEST,
    ),
    "zero as missing": lambda: (LGBMRegressor(zero_as_missing=True, **SMALL).fit(TRAIN, Y), TEST),
    "without missing": lambda: (LGBMRegressor(use_missing=False, **SMALL).fit(TRAIN, Y), TEST),
    "one column": lambda: (LGBMRegressor(**SMALL).fit(TRAIN[["b"]], Y), TEST[["b"]]),
    "one leaf": lambda: (LGBMRegressor(**SMALL).fit(TRAIN, np.full(len(Y), 3.0)), TEST),
    "wide": lambda: wide(1),
    "wide, three outputs": lambda: wide(3),
}


@pytest.mark.parametrize(("dtype", "bound"), [("float32", 1e-6), ("float64", 1e-14)])
@pytest.mark.parametrize("model", MODELS)
def test_few_rows_have_the_values_of_many(model, dtype, bound):
    model, X = MODELS[model]()
    contributions = TreeContributions(model, dtype=dtype)
    whole = contributions.explain(X)
    scale = max(np.abs(whole.values).max(), np.abs(whole.base_values).max())
    for n in (1, 2, FEW_ROWS, FEW_ROWS + 1):
        for start in range(0, 40, n):
            few = contributions.explain(X[start : start + n])
            assert np.abs(few.values - whole.values[start : start + n]).max() <= bound * scale
            np.testing.assert_array_equal(few.data, whole.data[start : start + n])


def test_bins_of_one_value_are_those_of_many():
    for extra in ({}, {"zero_as_missing": True}, {"use_missing": False}):
        for bins in bins_of(LightGBMTeacher(LGBMRegressor(**SMALL | extra).fit(TRAIN, Y)).splits()):
            near = [np.nextafter(t, way) for t in getattr(bins, "thresholds", ()) for way in (-9, 9)]
            values = [np.nan, 0.0, -0.0, 1e-36, -1e-36, 1e300, -1.0, -0.5, 0.99, 1, 2.999, 4, 5, 1e10, *near]
            values += getattr(bins, "thresholds", np.empty(0)).tolist()
            assert [bins.bin_of(float(value)) for value in values] == bins.encode(np.array(values)).tolist()


def test_explanations_are_slices_of_that_of_all_rows():
    X = TEST.set_axis(pd.Index([f"row {i}" for i in range(len(TEST))], name="key"))
    contributions = TreeContributions(LGBMRegressor(**SMALL).fit(TRAIN, Y))
    whole = contributions.explain(X)
    for rows in (slice(7, 8), slice(0, 1), slice(3, 9)):
        few, part = contributions.explain(X[rows]), whole[rows]
        assert few.index.equals(part.index)
        assert few.index.name == "key"
        assert content(few.display_data) == content(part.display_data) == content(X[rows].to_numpy(object))
        assert (few.feature_names, few.output_names, few.link) == (
            part.feature_names,
            part.output_names,
            part.link,
        )
        assert few.meta == part.meta
        np.testing.assert_array_equal(few.base_values, part.base_values)
        assert not few.values.flags.writeable
        assert not few.display_data.flags.writeable


def test_a_row_that_changes_later_changes_no_explanation():
    contributions = TreeContributions(LGBMRegressor(**SMALL).fit(TRAIN[["a", "c"]], Y))
    contributions.explain(TEST[["a", "c"]])
    for row in (TEST[["a", "c"]][:1].copy(), np.array(TEST[["a", "c"]][1:2])):
        found = contributions.explain(row)
        before = found.data.copy()
        row[:] = 9.0
        np.testing.assert_array_equal(found.data, before)
        np.testing.assert_array_equal(found.display_data.astype(float), before)


@pytest.mark.parametrize(
    "again",
    [
        lambda X: X[5:6],
        lambda X: pd.DataFrame(X[5:6].to_dict("records")),
        lambda X: X.iloc[5].to_frame().T,
        lambda X: X[X["city"] != "Rom"][:40].astype(object).fillna({"city": "Ulm"}),
        lambda X: X[:1].assign(city=pd.Categorical([None], ["Ulm"])),
    ],
)
def test_columns_that_are_known_are_not_asked_for_again(again, monkeypatch):
    model = forest_of(LGBMRegressor(**SMALL).fit(TRAIN, Y))
    reader, few = ModelReader(model), again(TEST)
    reader.read(TEST)
    expected = model_rows(model, few)
    monkeypatch.setattr(reading, "model_rows", None)
    found = reader.read(few)
    np.testing.assert_array_equal(found.codes, expected.codes)
    assert found.names == expected.names
    with pytest.raises(TypeError):
        pickle.loads(pickle.dumps(reader)).read(few)


def test_arrays_are_not_asked_for_again(monkeypatch):
    X = TEST[["a", "c"]].to_numpy()
    reader = ModelReader(forest_of(LGBMRegressor(**SMALL).fit(TRAIN[["a", "c"]], Y)))
    first = reader.read(X)
    monkeypatch.setattr(reading, "model_rows", None)
    assert reader.read(X).names == first.names
    np.testing.assert_array_equal(reader.read(X[:3]).codes, X[:3])
    with pytest.raises(ValueError, match="infinity"):
        reader.read(np.array([[np.inf, 1.0]]))
    with pytest.raises(TypeError):
        reader.read(X[:, :1])


@pytest.mark.parametrize(("X", "message"), unfit_tables(TEST))
def test_bad_rows_are_refused_behind_good_ones(X, message):
    contributions = TreeContributions(LGBMRegressor(**SMALL).fit(TRAIN, Y))
    contributions.explain(TEST[:1])
    with pytest.raises(ValueError, match=message):
        contributions.explain(X[:1] if message != "infinity" else X[np.isinf(X["a"])][:1])


def test_levels_of_another_kind_are_refused_where_the_cell_is_missing():
    contributions = TreeContributions(LGBMRegressor(**SMALL).fit(TRAIN, Y))
    contributions.explain(TEST[:1])
    other = TEST[:1].assign(city=pd.Categorical([None], [1, 2]))
    with pytest.raises(ValueError, match="holds levels such as 1, and the model was fitted on none of them"):
        contributions.explain(other)


COLUMNS = {"size": "numbers", "city": "text", "floor": "numbers", "member": "numbers"}
AT_FIT = pd.DataFrame(
    {
        "size": np.arange(60) % 7 / 2,
        "city": pd.Categorical(np.array(["a", "b", "1"])[np.arange(60) % 3]),
        "floor": pd.Categorical(np.arange(60) % 4),
        "member": np.arange(60) % 5 == 0,
    }
)


@st.composite
def rows(draw):
    """Few rows with the columns at fit, of these or other types, and now and then with odd cells."""
    n, made = draw(st.integers(1, 3)), {}
    for name, kind in COLUMNS.items():
        kinds = draw(st.sampled_from([[kind], [kind], [kind, "missing"], ["missing"], list(CELLS)]))
        cells = [cell for one in kinds for cell in CELLS[one]]
        cells = pd.Series(draw(st.lists(st.sampled_from(cells), min_size=n, max_size=n)), dtype=object)
        dtype = draw(
            st.sampled_from([AT_FIT[name].dtype, AT_FIT[name].dtype, "object", "category", "float64", "str"])
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                made[name] = typed(cells, dtype)
            except (TypeError, ValueError, OverflowError):
                made[name] = cells
    return pd.DataFrame(made)


def outcome(read, table):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = read(table)
            answer = (
                found.codes.tobytes(),
                found.names,
                [None if x is None else x.tolist() for x in found.reader.levels],
            )
        except Exception as error:
            answer = type(error), str(error)
    return answer, [str(warning.message) for warning in caught if warning.category is UserWarning]


@pytest.fixture(scope="module")
def mixed_model():
    return forest_of(LGBMRegressor(**SMALL).fit(AT_FIT, np.arange(60.0) % 7))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(few=rows())
def test_both_ways_of_reading_agree(mixed_model, few):
    expected = outcome(lambda table: model_rows(mixed_model, table), few)
    reader = ModelReader(mixed_model)
    reader.read(AT_FIT)
    for _ in range(2):
        assert outcome(reader.read, few) == expected
    np.testing.assert_array_equal(reader.read(AT_FIT[:5]).codes, model_rows(mixed_model, AT_FIT[:5]).codes)


def test_threads_share_tables_of_several_kinds(frequent_turns):
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    contributions = TreeContributions(model)
    whole = contributions.explain(TEST).values
    kinds = [TEST, TEST.assign(city=TEST["city"].astype(object).fillna("Ulm")), TEST.astype({"a": "float32"})]
    known = np.flatnonzero(TEST["city"].notna() & (TEST["a"] == TEST["a"].astype("float32")))[:20]

    def explained(k):
        return contributions.explain(kinds[k % 3].iloc[[known[k % len(known)]]]).values

    with ThreadPoolExecutor(4) as pool:
        found = np.concatenate(list(pool.map(explained, range(120))))
    np.testing.assert_allclose(found, whole[np.resize(known, 120)], atol=1e-6)
