"""Levels of every type reach trees that are fitted here, and those of a fitted model are its own."""

import datetime
import json

import numpy as np
import pandas as pd
import pytest
from estimators import QUICK, QUICK_SEARCH
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.frozen import FrozenEstimator

from skrationale import GBDT2NNStudent, RationaleDistiller, SymbolicDistiller
from skrationale.gbdt2nn import path_contributions
from skrationale.tabular import stand_ins

N = 120
NET = QUICK | {"hidden_layer_sizes": (8,)}
BRIEF = NET | {"weight_decay": 1e-3, "early_stopping": False, "audit_teacher": False}
SHORT = QUICK_SEARCH | {"maxsize": 5, "teacher_weight": 1}
TREES = {
    "n_estimators": 10,
    "num_leaves": 4,
    "verbose": -1,
    "n_jobs": 1,
    "min_data_per_group": 1,
    "cat_smooth": 0,
    "learning_rate": 0.5,
}
KINDS = {
    "gbdt2nn": lambda teacher: GBDT2NNStudent(teacher, n_synthetic=20, **NET),
    "rationale": lambda teacher: RationaleDistiller(teacher, **BRIEF),
    "symbolic": lambda teacher: SymbolicDistiller(teacher, n_synthetic=20, **SHORT),
}
DAYS = [datetime.date(2020, 1, day) for day in (1, 2, 3)]
CODES = np.arange(N) % 3
CUT = pd.Series(pd.cut(CODES, [-1, 0, 1, 2]))
COLUMNS = {
    "text": pd.Series(np.array(["a", "b", "c"])[CODES]),
    "objects": pd.Series(np.array(["a", "b", "c"])[CODES], dtype=object),
    "intervals": CUT,
    "timestamps": pd.Series(pd.Categorical.from_codes(CODES, pd.to_datetime(DAYS))),
    "zones": pd.Series(pd.Categorical.from_codes(CODES, pd.to_datetime(DAYS).tz_localize("UTC"))),
    "spans": pd.Series(pd.Categorical.from_codes(CODES, pd.to_timedelta([1, 2, 3], unit="D"))),
    "periods": pd.Series(pd.Categorical.from_codes(CODES, pd.period_range("2020", periods=3, freq="M"))),
    "dates": pd.Series(np.array(DAYS, dtype=object)[CODES]),
    "timestamps-in-objects": pd.Series([pd.Timestamp(DAYS[code]) for code in CODES], dtype=object),
    "bytes": pd.Series(np.array([b"a", b"b", b"c"], dtype=object)[CODES]),
    "bytes-categories": pd.Series(pd.Categorical.from_codes(CODES, [b"a", b"b", b"c"])),
    "tuples": pd.Series(
        pd.Categorical.from_codes(CODES, pd.Index([(0, 1), (1, 2), (2, 3)], tupleize_cols=False))
    ),
    "mixture": pd.Series(np.array([DAYS[0], "2020-01-01", b"c"], dtype=object)[CODES]),
    "overlapping": pd.Series(
        pd.Categorical.from_codes(CODES, pd.IntervalIndex.from_tuples([(0, 2), (1, 3), (2, 4)]))
    ),
}
Y = np.array([0.0, 5.0, 1.0])[CODES] + 0.1 * (np.arange(N) % 7)


def table(name):
    return pd.DataFrame({"number": np.arange(N) % 7 * 1.0, "column": COLUMNS[name]})


@pytest.mark.parametrize(
    ("kind", "name"),
    [("gbdt2nn", name) for name in COLUMNS]
    + [(kind, name) for kind in ("rationale", "symbolic") for name in ("text", "intervals", "mixture")],
)
def test_trees_fitted_here_take_levels_of_any_type(kind, name):
    X = table(name)
    student = KINDS[kind](LGBMRegressor(**TREES)).fit(X, Y)
    said = student._adapter.scores(student._teacher_rows(X))[:, 0]
    assert np.corrcoef(said, Y)[0, 1] > 0.95, "the teacher must have seen the levels"
    assert student.fidelity(X, Y)["teacher_score"] > 0.9
    assert student.explain(X.iloc[:5]).display_data[2, 1] == X["column"].iloc[2]
    gaps = X.copy()
    gaps.loc[0, "column"] = None
    assert np.isfinite(student.predict(gaps)).all()


@pytest.mark.parametrize("kind", ["rationale", "symbolic"])
def test_classifiers_on_text_teach_as_they_do_elsewhere(kind):
    X = table("objects")
    y = np.where(CODES == 1, "yes", "no")
    student = KINDS[kind](LGBMClassifier(**TREES)).fit(X, y)
    network = GBDT2NNStudent(LGBMClassifier(**TREES), n_synthetic=0, **NET).fit(X, y)
    np.testing.assert_allclose(
        student.teacher_.predict_proba(student._teacher_rows(X)),
        network.teacher_.predict_proba(network._teacher_rows(X)),
    )
    assert student.fidelity(X, y)["teacher_score"] == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_a_fitted_teacher_knows_levels_that_the_rows_lack(kind):
    X = table("text").astype({"column": "category"})
    teacher = LGBMRegressor(**TREES).fit(X, Y)
    few = X[X["column"] != "c"].astype({"column": str})
    student = KINDS[kind](FrozenEstimator(teacher)).fit(few, Y[few.index])
    whole = X.astype({"column": object})
    said = student._adapter.scores(student._teacher_rows(whole))[:, 0]
    np.testing.assert_allclose(said, teacher.predict(X))


@pytest.mark.parametrize("kind", KINDS)
def test_text_that_the_user_has_made_of_levels_is_matched(kind):
    teacher = LGBMRegressor(**TREES).fit(
        table("intervals").astype({"column": str}).astype({"column": "category"}), Y
    )
    student = KINDS[kind](FrozenEstimator(teacher)).fit(table("intervals"), Y)
    assert student.fidelity(table("intervals"), Y)["teacher_score"] > 0.9


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fitted", "given"),
    [("text", CUT), ("text", pd.Categorical(CODES)), ("text", np.array(["A", "B", "C"])[CODES])],
    ids=["intervals", "numbers", "other-text"],
)
def test_a_fitted_teacher_that_knows_none_of_the_levels_says_what_to_do(kind, fitted, given):
    teacher = LGBMRegressor(**TREES).fit(table(fitted).astype({"column": "category"}), Y)
    X = table(fitted).assign(column=given)
    with pytest.raises(
        ValueError,
        match=r"Column 'column' of X holds levels such as .*, and the model was fitted on none of them, "
        r".* such as 'a'. Give it",
    ):
        KINDS[kind](FrozenEstimator(teacher)).fit(X, Y)


@pytest.mark.parametrize("kind", ["rationale", "symbolic"])
def test_a_fitted_teacher_of_numbers_refuses_text(kind):
    teacher = LGBMRegressor(**TREES).fit(table("text").assign(column=CODES), Y)
    with pytest.raises(ValueError, match="X has 1 categorical or text .* fitted on 0 category"):
        KINDS[kind](FrozenEstimator(teacher)).fit(table("text"), Y)


def test_paths_of_levels_of_another_type_are_refused():
    X = table("text").astype({"column": "category"})
    model = LGBMRegressor(**TREES).fit(X, Y)
    with pytest.raises(ValueError, match="Column 'column' of X holds levels such as Interval"):
        path_contributions(model, table("intervals"))
    intervals = table("intervals")
    as_text = intervals.astype({"column": str}).astype({"column": "category"})
    with pytest.raises(ValueError, match=r"such as '\(-1, 0\]'. Give it .*astype\(str\)"):
        path_contributions(LGBMRegressor(**TREES).fit(as_text, Y), intervals)
    new = X[:1].assign(column=pd.Categorical(["new"]))
    assert path_contributions(model, new).values.shape == (1, 2)


def test_stand_ins_are_different_and_can_be_saved():
    levels = [
        DAYS[0],
        "2020-01-01",
        pd.Timestamp(DAYS[0]),
        b"a",
        "b'a'",
        2,
        1.5,
        True,
        np.int64(3),
        np.str_("n"),
    ]
    plain = stand_ins(levels)
    assert len(set(plain)) == len(levels)
    assert plain[1] == "2020-01-01"
    assert plain[0] == "2020-01-01 (2)"
    assert [type(value) for value in plain[5:8]] == [int, float, bool]
    json.dumps([getattr(value, "item", lambda value=value: value)() for value in plain])
