"""Reasons of made columns are summed to the columns that they were made from."""

import contextlib

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)
from sklearn.utils import all_estimators

from skrationale import Explanation
from skrationale.explanation._sources import sources_of

N = 40
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "a": RNG.normal(size=N),
        "a_b": RNG.choice(["c", "d_e"], N),  # "a_b_c" may be a column b_c of a, by its name alone
        "b": RNG.choice(["b_c", "x", "y", "z"], N),
        "size": RNG.normal(size=N),
    }
)
TABLE.loc[3, "size"] = np.nan
ONE_HOT = OneHotEncoder(sparse_output=False)


def explained(transformer, names=True, k=None):
    """Values that say which output they are of: 10**position."""
    made = np.asarray(transformer.transform(TABLE))
    p = made.shape[1]
    values = np.tile(2.0 ** np.arange(p), (N, 1))
    if k:
        values = np.stack([values * (i + 1) for i in range(k)], axis=2)
    names = transformer.get_feature_names_out() if names else ()
    return Explanation(values, np.zeros(k) if k else 0.5, data=np.nan_to_num(made), feature_names=list(names))


def sums(found):
    return dict(zip(found.feature_names, found.values[0].tolist(), strict=True))


COLUMNS = make_column_transformer(
    (StandardScaler(), ["size", "a"]), (ONE_HOT, ["b", "a_b"]), verbose_feature_names_out=False
)


@pytest.mark.parametrize("names", [True, False])
def test_encoders_in_a_column_transformer_are_read_by_count_not_by_name(names):
    found = explained(COLUMNS.fit(TABLE), names).grouped(COLUMNS)
    # made: size, a, four of b, two of a_b; in the order of the table
    assert sums(found) == {"a": 2.0, "a_b": 64.0 + 128, "b": 4.0 + 8 + 16 + 32, "size": 1.0}
    assert list(found.feature_names) == list(TABLE.columns)


def test_sums_and_bounds_and_masks_are_kept():
    e = explained(COLUMNS.fit(TABLE), k=3)
    found = e.grouped(COLUMNS)
    assert found.values.shape == (N, 4, 3)
    np.testing.assert_allclose(found.scores(), e.scores(), rtol=1e-15)
    mask = np.zeros((N, 8), bool)
    mask[:, 5] = True
    rationale = Explanation(mask * 0.5, 0.0, mask=mask, kind="rationale", index=list("ab" * 20)).grouped(
        COLUMNS
    )
    assert rationale.mask[0].tolist() == [False, False, True, False]
    assert rationale.values[0].tolist() == [0, 0, 0.5, 0]
    assert list(rationale.index) == list("ab" * 20)
    bounded = Explanation([[1.0, 2.0, 3.0]], 0.0, lower_bounds=[[0, 1, 1]], upper_bounds=[[2, 2, 5]])
    both = bounded.grouped({"x": ["x2", "x0"]})
    assert (both.lower_bounds.tolist(), both.upper_bounds.tolist()) == ([[1, 1]], [[7, 2]])
    assert both.meta["grouped"] == {"x": ["x0", "x2"], "x1": ["x1"]}


@pytest.mark.parametrize(
    ("transformer", "expected"),
    [
        (make_pipeline(COLUMNS, SelectKBest(f_regression, k=3)), None),
        (ColumnTransformer([("n", "passthrough", slice("a", "a"))], remainder=ONE_HOT), None),
        (
            ColumnTransformer([("n", "drop", [0]), ("m", ONE_HOT, [False, True, True, False])]),
            [2, 1, 1, 2, 2, 2],
        ),
        (
            ColumnTransformer([("n", make_pipeline(SimpleImputer(add_indicator=True)), ["size", "a"])]),
            [3, 0, 3],
        ),
        (ColumnTransformer([("n", KBinsDiscretizer(3, encode="onehot-dense"), ["a"])]), [0, 0, 0]),
        (ColumnTransformer([("n", SplineTransformer(3), ["a"])]), [0] * 5),
        (OneHotEncoder(sparse_output=False, drop="first", min_frequency=8), None),
        (FeatureUnion([("one", ONE_HOT), ("two", OneHotEncoder(drop="first", sparse_output=False))]), None),
    ],
    ids=["selection", "remainder", "masks", "indicator", "bins", "splines", "drops", "union"],
)
def test_each_transformer_is_traced(transformer, expected):
    y = TABLE["a"] if "selectkbest" in str(transformer).lower() else None
    whole = TABLE.fillna({"size": 0.0}) if "selectkbest" in str(transformer).lower() else TABLE
    transformer.fit(whole, y)
    before = np.asarray(transformer.transform(whole), dtype=float)
    inputs, outputs, positions = sources_of(transformer)
    assert inputs == list(TABLE.columns)
    assert len(outputs) == before.shape[1]
    if expected is not None and "OneHot" not in str(transformer):
        assert positions.tolist() == expected
    # what is made of a column changes when it is shuffled, and nothing else does
    for j, name in enumerate(TABLE.columns):
        shuffled = whole.assign(**{name: whole[name].to_numpy()[::-1]})
        changed = (np.asarray(transformer.transform(shuffled), dtype=float) != before) & ~np.isnan(before)
        touched = changed.any(axis=0)
        assert set(np.flatnonzero(touched)) <= set(np.flatnonzero(positions == j)), name


def dense(made):
    return np.asarray(made.toarray() if hasattr(made, "toarray") else made, dtype=float)


def assert_traced(transformer, X):
    """What is made of a column changes when it is turned round, and nothing else does."""
    before, positions = dense(transformer.transform(X)), sources_of(transformer)[2]
    assert len(positions) == before.shape[1]
    for j in range(X.shape[1]):
        turned = X.copy()
        turned[:, j] = X[::-1, j]
        touched = (dense(transformer.transform(turned)) != before).any(axis=0)
        assert set(np.flatnonzero(touched)) <= set(np.flatnonzero(positions == j)), type(transformer)


NUMBERS = np.random.default_rng(0).random((60, 4)).round(2)
SCALE = StandardScaler()


@pytest.mark.parametrize(
    "transformer",
    [
        ColumnTransformer([("s", SCALE, [1, 0])]),
        ColumnTransformer([("s", OrdinalEncoder(), [3, 0])], remainder="passthrough"),
        ColumnTransformer([("s", SplineTransformer(3), lambda X: [2, 1])], remainder=SCALE),
        ColumnTransformer([("s", make_pipeline(SCALE, OneHotEncoder()), [2]), ("t", SCALE, slice(-2, None))]),
        make_pipeline(ColumnTransformer([("s", SCALE, [1])], remainder="passthrough"), SCALE),
        FeatureUnion(
            [("a", make_pipeline(SimpleImputer(), SCALE)), ("b", ColumnTransformer([("s", SCALE, [2, 0])]))]
        ),
        ColumnTransformer([("c", ColumnTransformer([("s", SCALE, [1, 0])]), [3, 1])]),
        ColumnTransformer([("p", PolynomialFeatures(3), [2])]),
        ColumnTransformer(
            [("m", make_pipeline(OneHotEncoder(sparse_output=False), PCA(3)), [2]), ("s", SCALE, [0])]
        ),
    ],
)
def test_arrays_are_traced_by_place_not_by_the_names_of_places(transformer):
    assert_traced(transformer.fit(NUMBERS), NUMBERS)


def test_frozen_steps_are_traced():
    pair = pd.DataFrame(NUMBERS[:, :2], columns=["a", "b"])
    frozen = FrozenEstimator(StandardScaler().fit(pair))
    assert sources_of(frozen)[2].tolist() == [0, 1]
    columns = ColumnTransformer([("s", frozen, ["a", "b"])]).fit(pair[["b", "a"]])
    found = sources_of(FrozenEstimator(make_pipeline(FrozenEstimator(columns))))
    assert found[0] == ["b", "a"]
    assert found[2].tolist() == [1, 0]


def test_no_transformer_of_scikit_learn_is_traced_to_a_wrong_column():
    traced = []
    for name, kind in all_estimators("transformer"):
        try:
            transformer = kind().fit(NUMBERS, NUMBERS[:, 0] > 0.5)
            dense(transformer.transform(NUMBERS))
        except (TypeError, ValueError, AttributeError):  # it needs settings, or other data
            continue
        found = None
        with contextlib.suppress(ValueError):  # refused
            found = sources_of(transformer)
        if found is not None:
            assert_traced(transformer, NUMBERS)
            traced.append(name)
    assert {"StandardScaler", "OneHotEncoder", "SplineTransformer", "SimpleImputer"} <= set(traced)


def test_steps_behind_a_step_without_names_are_traced():
    table = TABLE[["size", "a"]].rename(columns={"size": "x1", "a": "x0"})
    for transformer, outputs in (
        (make_pipeline(SimpleImputer(), StandardScaler()), ["x1", "x0"]),
        (ColumnTransformer([("n", make_pipeline(SimpleImputer(), SCALE), ["x0", "x1"])]), ["n__x0", "n__x1"]),
    ):
        transformer.fit(table)
        inputs, named, positions = sources_of(transformer)
        assert (inputs, named) == (["x1", "x0"], outputs)
        assert [inputs[j] for j in positions] == [name[-2:] for name in outputs]
    # names that are no strings are not kept by scikit-learn
    counted = TABLE[["size", "a"]].fillna(0.0).set_axis([7, 0], axis=1)
    transformer = ColumnTransformer([("s", StandardScaler(), [1, 0])]).fit(counted)
    e = Explanation(np.tile([1.0, 2.0], (N, 1)), 0.0, feature_names=["s__0", "s__7"])
    found = e.grouped(transformer, counted)
    assert sums(found) == {"7": 2.0, "0": 1.0}
    np.testing.assert_array_equal(found.data, counted)


def test_names_of_outputs_are_not_guessed_from():
    table = pd.DataFrame({"price": RNG.random(N), "rooms": RNG.integers(1, 9, N).astype(float)})
    declared = FunctionTransformer(
        lambda X: X[["rooms"]].rename(columns={"rooms": "LOG_ROOMS"}),
        feature_names_out=lambda _, names: [f"log_{names[1]}".upper()],
    )
    assert sources_of(declared.fit(table))[2].tolist() == [1]
    ratio = FunctionTransformer(
        lambda X: (X["price"] / X["rooms"]).to_frame("price_per_room"),
        feature_names_out=lambda _, names: ["price_per_room"],
    )
    with pytest.raises(ValueError, match="makes 'price_per_room' from no single column"):
        sources_of(ratio.fit(table))
    with pytest.raises(ValueError, match="Normalizer makes each column from all columns of its row"):
        sources_of(Normalizer().fit(table))

    class Own(Normalizer):
        pass

    with pytest.raises(ValueError, match="Own makes each column from all columns of its row"):
        sources_of(Own().fit(table))
    twice = make_pipeline(PCA(2), PCA(2)).fit(table)  # the second one makes pca0 of pca0 and pca1
    with pytest.raises(ValueError, match="PCA makes 'pca0' from no single column"):
        sources_of(twice)


class OfAnotherPackage(TransformerMixin, BaseEstimator):
    """Names outputs by what it has seen, whatever it is told."""

    def fit(self, X):
        self.feature_names_in_ = np.array(X.columns, dtype=object)
        return self

    def transform(self, X):
        return pd.concat([X, X.add_suffix("_2")], axis=1)

    def get_feature_names_out(self, input_features=None):
        return [*self.feature_names_in_, *(f"{name}_2" for name in self.feature_names_in_)]


def test_other_packages_are_read_by_the_names_that_they_have_seen():
    assert sources_of(OfAnotherPackage().fit(TABLE[["a", "size"]]))[2].tolist() == [0, 1, 0, 1]
    columns = ColumnTransformer([("o", OfAnotherPackage(), ["size", "a"]), ("s", "drop", ["b"])])
    assert sources_of(columns.fit(TABLE))[2].tolist() == [3, 0, 3, 0]
    with pytest.raises(ValueError, match=r"makes 'a_b_2' from the columns \['a', 'a_b', 'b'\]"):
        sources_of(OfAnotherPackage().fit(TABLE[["a", "a_b", "b"]]))


def test_what_mixes_columns_or_says_nothing_is_refused_with_a_way_out():
    numbers = TABLE[["a", "size"]].fillna(0.0)
    for transformer, words in (
        (PCA(2), "PCA makes 'pca0' from no single column"),
        (PolynomialFeatures(2), r"PolynomialFeatures makes '.*' from "),
        (FunctionTransformer(lambda X: X * 2), "FunctionTransformer does not name its output columns"),
    ):
        transformer.fit(numbers)
        made = np.asarray(transformer.transform(numbers))
        e = Explanation(np.ones(made.shape), 0.0)
        with pytest.raises(ValueError, match=words + ".*give a dict"):
            e.grouped(transformer)


@pytest.mark.parametrize(
    ("by", "error", "words"),
    [
        ({"s": ["x7"]}, ValueError, r"`by\['s'\]` names the column 'x7', which is not explained"),
        ({"s": ["x0"], "t": ["x0"]}, ValueError, "the column 'x0' in 's' and in 't'"),
        ({"x1": ["x0"]}, ValueError, "a source 'x1', and a column that is not in any list has the same name"),
        ({"s": "x0"}, TypeError, r"`by\['s'\]` must be a list of columns. Got 'x0'"),
        (["x0"], TypeError, "must be a dict of each source .* Got list"),
    ],
)
def test_wrong_mappings_are_named(by, error, words):
    with pytest.raises(error, match=words):
        Explanation([[1.0, 2.0]], 0.0).grouped(by)


def test_another_transformer_is_refused():
    COLUMNS.fit(TABLE)
    with pytest.raises(ValueError, match="makes 8 columns, but 2 are explained"):
        Explanation([[1.0, 2.0]], 0.0).grouped(COLUMNS)
    other = Explanation(np.ones((1, 8)), 0.0, feature_names=list("abcdefgh"))
    with pytest.raises(ValueError, match="makes a column 'size' where 'a' is explained"):
        other.grouped(COLUMNS)


def test_cells_are_those_of_the_table_before():
    e = explained(COLUMNS.fit(TABLE))
    plain = e.grouped(COLUMNS)
    assert np.isnan(plain.data[:, 1]).all()
    np.testing.assert_array_equal(plain.data[:, 0], e.data[:, 1])
    found = e.grouped(COLUMNS, TABLE)
    assert found.display_data[:, 2].tolist() == TABLE["b"].tolist()
    np.testing.assert_array_equal(found.data[:, 3], TABLE["size"])
    assert found.data[:, 1].tolist() == (TABLE["a_b"] == "d_e").astype(float).tolist()
    assert Explanation.from_json(found.to_json()).feature_names == tuple(TABLE.columns)
    some = e.grouped(COLUMNS, TABLE[["b"]])
    assert some.display_data[:, 2].tolist() == TABLE["b"].tolist()
    assert set(some.display_data[:, 1].tolist()) == {None}
    with pytest.raises(ValueError, match=r"DataFrame of the 40 rows .* Got DataFrame of shape \(3, 4\)"):
        e.grouped(COLUMNS, TABLE[:3])
    array = e.grouped(COLUMNS, TABLE.to_numpy())
    np.testing.assert_array_equal(array.data, found.data)
    assert array.display_data[:, 1:3].tolist() == found.display_data[:, 1:3].tolist()
    with pytest.raises(ValueError, match=r"Got ndarray of shape \(40, 2\) instead"):
        e.grouped(COLUMNS, TABLE.to_numpy()[:, :2])


def test_dates_of_arrow_are_days_in_local_time():
    pa = pytest.importorskip("pyarrow")
    zoned = pd.Series(pd.to_datetime(["2024-02-29 06:00", None])).dt.tz_localize("Europe/Berlin")
    days = pd.Series(pd.to_datetime(["2024-02-29", None]))
    cities = pd.Series(["Ulm", None]).astype(pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())))
    table = pd.DataFrame(
        {
            "at": zoned.astype("timestamp[us, tz=Europe/Berlin][pyarrow]"),
            "on": days.astype("date32[pyarrow]"),
            "city": cities,
        }
    )
    e = Explanation(np.ones((2, 3)), 0.0, feature_names=list(table))
    found = e.grouped({name: [name] for name in table}, table)
    np.testing.assert_array_equal(found.data, [[19782.25, 19782, 0], [np.nan] * 3])
