import numpy as np
import pandas as pd
import pytest
from estimators import TREES, OneHot
from lightgbm import LGBMClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline

from skrationale.explanation import Explanation
from skrationale.metrics import comprehensiveness, deletion_curve, sufficiency
from skrationale.metrics._fills import column_pools

N = 60


def mixed(seed=0, n=N):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=n),
            "single": rng.normal(size=n).astype(np.float32),
            "whole": rng.integers(0, 9, n),
            "flag": rng.random(n) < 0.7,
            "level": pd.Categorical(rng.choice(["a", "b", "c"], n), categories=["c", "b", "a", "never"]),
            "text": pd.Series(rng.choice(["x", "y"], n), dtype="str"),
            "object": pd.Series(rng.choice(["k", "l"], n)).astype(object),
            "nullable": pd.Series(rng.integers(0, 5, n), dtype="Int64"),
            "maybe": pd.Series(rng.random(n) < 0.4, dtype="boolean"),
            "day": pd.Series(pd.to_datetime(rng.integers(0, 9, n), unit="D")),
        }
    )
    frame.index = rng.permutation(n) + 100
    for name in frame.columns.drop(["whole", "flag"]):
        frame.loc[frame.index[rng.random(n) < 0.2], name] = None
    return frame


CHANGED = {
    "marginal": {},
    "mean": {"whole": "float64", "nullable": "Float64"},
    "missing": {"whole": "float64", "flag": "float64"},
}


@pytest.mark.parametrize("fill", list(CHANGED))
def test_the_model_sees_tables_of_the_same_types(fill):
    X, seen = mixed(), []
    before = X.copy(deep=True)
    values = np.random.default_rng(0).normal(size=X.shape)
    comprehensiveness(
        Explanation(values, 0.0, feature_names=X.columns),
        lambda t: seen.append(t) or np.zeros(len(t)),
        X,
        fill=fill,
    )
    pd.testing.assert_frame_equal(X, before)
    pd.testing.assert_frame_equal(seen[0], before)
    assert list(seen[1].columns) == list(X.columns)
    expected = X.dtypes.astype(object).to_dict() | CHANGED[fill]
    assert {name: str(t) for name, t in seen[1].dtypes.items()} == {n: str(t) for n, t in expected.items()}
    assert seen[1]["level"].dtype == X["level"].dtype


@pytest.mark.parametrize("fill", list(CHANGED))
def test_what_stands_in_hidden_cells(fill):
    X, other, seen = mixed(), mixed(1, 30), []
    everything = Explanation(np.ones(X.shape), 0.0)
    comprehensiveness(
        everything, lambda t: seen.append(t) or np.zeros(len(t)), X, background=other, fill=fill, shares=1.0
    )
    hidden = seen[1]
    if fill == "missing":
        assert hidden.isna().all(axis=None)
        assert hidden["object"].iloc[0] is None
        return
    for name in X.columns:
        if fill == "marginal":
            cells = set(other[name].dropna())
            assert set(hidden[name].dropna()) == cells
            assert hidden[name].isna().any() == other[name].isna().any()
        elif name in ("number", "single", "whole", "nullable"):
            np.testing.assert_allclose(hidden[name].astype(float), other[name].mean(), rtol=1e-6)
        else:
            (cell,) = hidden[name].unique()
            assert (other[name] == cell).sum() == other[name].value_counts().max()


def test_what_is_not_hidden_stays():
    X, seen = mixed(), []
    values = np.tile(np.arange(10.0), (N, 1))
    sufficiency(
        Explanation(values, 0.0), lambda t: seen.append(t) or np.zeros(len(t)), X, shares=0.7, n_fills=2
    )
    shown = seen[1]
    for name in X.columns[3:]:
        twice = pd.concat([X[name], X[name]], ignore_index=True)
        pd.testing.assert_series_equal(shown[name], twice)
    for name in X.columns[:3]:
        assert (shown[name].to_numpy() != np.tile(X[name], 2)).any()


@pytest.mark.parametrize("fill", list(CHANGED))
@pytest.mark.parametrize("kind", ["pipeline", "lightgbm"])
def test_models_take_the_tables(fill, kind):
    X = mixed().drop(columns=["nullable", "maybe", "day"])
    y = (X["number"].fillna(0) + X["flag"] > 0.7).astype(int)
    if kind == "pipeline":
        model = make_pipeline(OneHot(), HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=5))
    else:
        X = X.drop(columns=["text", "object"])
        model = LGBMClassifier(**TREES)
    model.fit(X, y)
    values = np.zeros(X.shape)
    values[:, [0, 3]] = 1.0
    right, wrong = Explanation(values, 0.0), Explanation(np.roll(values, 1, axis=1), 0.0)
    asked = {"predict": model.predict_proba, "X": X, "fill": fill, "shares": 2 / X.shape[1]}
    assert comprehensiveness(right, **asked) > comprehensiveness(wrong, **asked) + 0.05
    assert sufficiency(right, **asked) < sufficiency(wrong, **asked) - 0.05


@pytest.mark.parametrize(
    ("X", "fill", "dtype"),
    [
        (np.eye(3, dtype=np.float32), "marginal", "float32"),
        (np.eye(3, dtype=np.float32), "mean", "float32"),
        (np.eye(3, dtype=np.int64), "marginal", "int64"),
        (np.eye(3, dtype=np.int64), "mean", "float64"),
        (np.eye(3, dtype=np.int64), "missing", "float64"),
        (np.eye(3, dtype=bool), "marginal", "bool"),
        (np.eye(3, dtype=bool), "mean", "bool"),
        (np.eye(3, dtype=bool), "missing", "float64"),
        (np.array([["a", None], ["b", np.nan], ["a", pd.NA]], dtype=object), "marginal", "object"),
        (np.array([["a", None], ["b", np.nan], ["a", pd.NA]], dtype=object), "mean", "object"),
        (np.array([["a", "b"], ["b", "c"]]), "mean", "<U1"),
        (np.array([["a", "b"], ["b", "c"]]), "missing", "object"),
    ],
)
def test_arrays_stay_arrays(X, fill, dtype):
    seen = []
    e = Explanation(np.ones(X.shape), 0.0)
    X.setflags(write=False)
    comprehensiveness(e, lambda t: seen.append(t) or np.zeros(len(t)), X, fill=fill, shares=1.0)
    assert seen[0] is X
    assert type(seen[1]) is np.ndarray
    assert seen[1].dtype == dtype
    if dtype == "object" and fill == "mean":
        assert (seen[1][:, 0] == "a").all()
        assert seen[1][0, 1] is None
    if fill == "missing":
        assert pd.isna(seen[1]).all()


def test_lists_and_other_frames_are_read():
    import polars as pl

    asked = {"predict": lambda t: np.asarray(t)[:, 0], "fill": "mean"}
    e = Explanation([[1.0, 0.0], [1.0, 0.0]], 0.0)
    assert comprehensiveness(e, X=[[0, 5], [2, 5]], **asked) == 1.0
    assert comprehensiveness(e, X=pl.DataFrame({"a": [0, 2], "b": [5, 5]}), **asked) == 1.0


def test_columns_without_any_known_cell():
    X = pd.DataFrame(
        {
            "number": [np.nan, np.nan],
            "nullable": pd.Series([None, None], dtype="Int64"),
            "text": pd.Series([None, None], dtype="str"),
            "object": pd.Series([None, None], dtype=object),
            "level": pd.Categorical([None, None], categories=["a"]),
        }
    )
    for fill in CHANGED:
        for pool in column_pools(X, X, fill):
            assert pd.isna(pool).all()


def test_a_background_of_wider_numbers_widens():
    X = pd.DataFrame({"a": [1, 2], "b": [1.0, 2.0]})
    other = pd.DataFrame({"a": [0.5, np.nan], "b": [3, 4]})
    pools = column_pools(X, other, "marginal")
    assert [str(pool.dtype) for pool in pools] == ["float64", "float64"]
    np.testing.assert_array_equal(pools[0], [1, 2, 0.5, np.nan])


def test_a_background_of_fewer_levels_is_taken():
    X = pd.DataFrame({"level": pd.Categorical(["a", "b"])})
    for cells in (pd.Categorical(["b"]), ["b"]):
        (pool,) = column_pools(X, pd.DataFrame({"level": cells}), "marginal")
        assert pool.dtype == X["level"].dtype
        assert list(pool) == ["a", "b", "b"]


def test_bad_backgrounds():
    X = pd.DataFrame({"level": pd.Categorical(["a", "b"]), "number": [1.0, 2.0]})
    e = Explanation(np.ones((2, 2)), 0.0)
    cases = [
        (
            X.assign(level=pd.Categorical(["a", "z"])),
            ValueError,
            r"'level' of background .*\['z'\]; expected",
        ),
        (X[["number", "level"]], ValueError, "background has the columns .* expected those of X"),
        (X.to_numpy(), TypeError, "background is a ndarray; expected a DataFrame, as X is"),
        (X.assign(number=["p", "q"]), TypeError, "'number' of background holds .*; expected float64"),
    ]
    for background, error, message in cases:
        with pytest.raises(error, match=message):
            comprehensiveness(e, len, X, background=background)
    with pytest.raises(TypeError, match="background holds object; expected float64"):
        comprehensiveness(e, len, np.ones((2, 2)), background=np.array([["a", 1.0]], dtype=object))


def test_columns_in_another_order_are_refused():
    X = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    e = Explanation(np.ones((2, 2)), 0.0, feature_names=["b", "a"])
    with pytest.raises(ValueError, match=r"another order: \['b', 'a'\]; expected \['a', 'b'\]"):
        deletion_curve(e, len, X)


ROWS = pd.DataFrame(np.random.default_rng(0).normal(size=(6, 2)), columns=["a", "b"])
DAYS = pd.date_range("2024-01-01", periods=6)


@pytest.mark.parametrize(
    ("explained", "given", "words"),
    [
        (ROWS[::-1], ROWS[::-1].sort_index().set_axis(range(6))[::-1], None),
        (
            ROWS[2:],
            ROWS[2:][::-1],
            "X has the explained rows in another order: row 0 has the label '5' in X and '2'",
        ),
        (ROWS.set_axis(DAYS), ROWS.set_axis(DAYS)[::-1], "in another order: row 0 has the label '2024-01-06"),
        (
            ROWS.set_axis([1, "a", 2, "b", 3, "c"]),
            ROWS.set_axis(["a", 1, 2, "b", 3, "c"]),
            "in another order",
        ),
        # labels that are only counted, or others, say nothing about the order
        (ROWS, ROWS[::-1], None),
        (ROWS[::-1].to_numpy(), ROWS[::-1], None),
        (ROWS[::-1], ROWS[::-1].reset_index(drop=True), None),
        (ROWS[2:4], ROWS[4:], None),
        (ROWS[2:4], ROWS[2:4].to_numpy(), None),
        (ROWS.set_axis(list("aabbcc")), ROWS.set_axis(list("aabbcc")), None),
        (ROWS.set_axis(DAYS.values), ROWS.set_axis(DAYS.tz_localize("UTC")), None),
    ],
)
def test_rows_in_another_order_are_refused(explained, given, words):
    labels = getattr(explained, "index", None)
    e = Explanation(np.asarray(explained), 0.0, feature_names=["a", "b"], index=labels)
    for explanation in (e, Explanation.from_json(e.to_json()), e[np.arange(len(e))]):
        for measure in (
            lambda e, X: comprehensiveness(e, lambda X: np.asarray(X).sum(1), X),
            lambda e, X: e.grouped({"both": ["a", "b"]}, X if hasattr(X, "columns") else None),
        ):
            if words is None:
                measure(explanation, given)
            else:
                with pytest.raises(ValueError, match=words):
                    measure(explanation, given)


def test_columns_of_one_name():
    X = pd.DataFrame(np.arange(4.0).reshape(2, 2), columns=["a", "a"])
    e = Explanation(np.eye(2), 0.0)
    got = comprehensiveness(e, lambda t: t.to_numpy() @ [1.0, 10.0], X, fill="mean", shares=0.5, per_row=True)
    assert got.tolist() == [1.0, 10.0]
