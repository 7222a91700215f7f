"""Random tables, targets and weights, good and bad, and what every estimator owes them.

Kinds of columns, rows and a seed are drawn by hypothesis, cells by numpy: so a failing case shrinks to few
columns and rows, and the same seed gives the same table everywhere.
"""

import json
import re
import warnings

import numpy as np
import pandas as pd
from estimators import FLINT, RATIONALE, SHORT, SMOOTH, TREES
from hypothesis import strategies as st
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import is_classifier

from skrationale import (
    FLINTClassifier,
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    SymbolicDistiller,
)
from skrationale.explanation import Explanation

BRIEF = {"max_epochs": 2}
FEW_TREES = TREES | {"n_estimators": 4}
STUDENT = {"hidden_layer_sizes": (8,), "n_synthetic": 20, "random_state": 0} | BRIEF
BRIEF_SEARCH = SHORT | {"niterations": 2, "population_size": 20, "maxsize": 8}
MODELS = {
    "gbdt2nn-classifier": lambda: GBDT2NNStudent(LGBMClassifier(**FEW_TREES), **STUDENT),
    "gbdt2nn-regressor": lambda: GBDT2NNStudent(LGBMRegressor(**FEW_TREES), **STUDENT),
    "smooth-mlp-classifier": lambda: SmoothMLPClassifier(**SMOOTH | BRIEF),
    "smooth-mlp-regressor": lambda: SmoothMLPRegressor(**SMOOTH | BRIEF),
    "symbolic-classifier": lambda: SymbolicDistiller(SmoothMLPClassifier(**SMOOTH | BRIEF), **BRIEF_SEARCH),
    "symbolic-regressor": lambda: SymbolicDistiller(SmoothMLPRegressor(**SMOOTH | BRIEF), **BRIEF_SEARCH),
    "rationale-classifier": lambda: RationaleClassifier(**RATIONALE | BRIEF),
    "rationale-regressor": lambda: RationaleRegressor(**RATIONALE | BRIEF),
    "rationale-distiller-classifier": lambda: RationaleDistiller(
        LGBMClassifier(**FEW_TREES), **RATIONALE | BRIEF
    ),
    "rationale-distiller-regressor": lambda: RationaleDistiller(
        LGBMRegressor(**FEW_TREES), **RATIONALE | BRIEF
    ),
    "flint-classifier": lambda: FLINTClassifier(**FLINT | BRIEF),
    "flint-regressor": lambda: FLINTRegressor(**FLINT | BRIEF),
}


def _with_gaps(values, rng):
    column = pd.Series(values)
    return column.where(rng.random(len(column)) >= 0.2)


def _levels(rng, n, levels):
    return np.array(levels, dtype=object)[rng.integers(0, len(levels), n)]


GOOD = {
    "normal": lambda rng, n: pd.Series(rng.normal(size=n)),
    "gaps": lambda rng, n: _with_gaps(rng.normal(size=n), rng),
    "float32": lambda rng, n: pd.Series(rng.normal(size=n).astype(np.float32)),
    "tiny": lambda rng, n: pd.Series(rng.normal(size=n) * 2.0**-90),
    "huge": lambda rng, n: pd.Series(rng.normal(size=n) * 2.0**90),
    "outlier": lambda rng, n: pd.Series(np.r_[1e15, rng.normal(size=n - 1)]),
    "far from zero": lambda rng, n: pd.Series(1e9 + rng.normal(size=n)),
    "counts": lambda rng, n: pd.Series(rng.poisson(3, n)),
    "small integers": lambda rng, n: pd.Series(rng.integers(-3, 3, n).astype(np.int8)),
    "constant": lambda rng, n: pd.Series(np.full(n, 7.0)),
    "empty": lambda rng, n: pd.Series(np.full(n, np.nan)),
    "truth": lambda rng, n: pd.Series(rng.random(n) < 0.5),
    "Int64": lambda rng, n: _with_gaps(pd.Series(rng.integers(0, 9, n), dtype="Int64"), rng),
    "Float64": lambda rng, n: _with_gaps(pd.Series(rng.normal(size=n), dtype="Float64"), rng),
    "boolean": lambda rng, n: _with_gaps(pd.Series(rng.random(n) < 0.5, dtype="boolean"), rng),
    "text": lambda rng, n: pd.Series(_levels(rng, n, ["a", "b ", " b", "ü", ""])),
    "text with gaps": lambda rng, n: _with_gaps(_levels(rng, n, ["a", "b"]), rng),
    "string": lambda rng, n: _with_gaps(pd.Series(_levels(rng, n, ["1", "2", "10"]), dtype="string"), rng),
    "category": lambda rng, n: pd.Series(pd.Categorical(_levels(rng, n, ["lo", "hi"]), ["lo", "mid", "hi"])),
    "numbers as category": lambda rng, n: pd.Series(rng.integers(0, 4, n)).astype("category"),
    "intervals": lambda rng, n: pd.Series(pd.cut(rng.normal(size=n), [-9, -1, 0, 1, 9])),
    "identifiers": lambda rng, n: pd.Series([f"id {k}" for k in range(n)]),
}
"""Columns that every estimator reads, by what is special about them."""

BAD = {
    "date": lambda rng, n: pd.Series(pd.date_range("2020-01-01", periods=n)),
    "duration": lambda rng, n: pd.Series(pd.to_timedelta(np.arange(n), unit="D")),
    "complex": lambda rng, n: pd.Series(rng.normal(size=n) + 1j),
    "infinite": lambda rng, n: pd.Series(np.r_[np.inf, rng.normal(size=n - 1)]),
    "lists": lambda rng, n: pd.Series([[1]] * n),
}
"""Columns that are refused, at fit and at predict alike."""

NAMES = ("age", "a b", "x[0]", 'say "y"', "größe", "1", "a:b,{c}", "x" * 80, "None")
TARGETS = {
    "numbers": lambda rng, n: rng.normal(size=n),
    "tiny numbers": lambda rng, n: 1e-12 * rng.normal(size=n),
    "huge numbers": lambda rng, n: 1e12 * rng.normal(size=n),
    "one number": lambda rng, n: np.full(n, 3.5),
    "Float64": lambda rng, n: pd.Series(rng.normal(size=n)).astype("Float64"),
    "two labels": lambda rng, n: _both(rng, n, ["no", "yes"]),
    "three labels": lambda rng, n: _both(rng, n, ["c", "a", "b"]),
    "integers": lambda rng, n: _both(rng, n, [3, -1, 7]).astype(int),
    "Int64": lambda rng, n: pd.Series(_both(rng, n, [3, 1, 7]).astype(int)).astype("Int64"),
    "category": lambda rng, n: pd.Series(_both(rng, n, ["u", "v"])).astype("category"),
    "truth": lambda rng, n: _both(rng, n, [True, False]).astype(bool),
    "with gaps": lambda rng, n: pd.Series(np.r_[[np.nan], rng.normal(size=n - 1)]),
    "None among labels": lambda rng, n: np.r_[np.array([None, "a"], object), _levels(rng, n - 2, ["a", "b"])],
}
REFUSED_TARGETS = {"with gaps", "None among labels"}


def _both(rng, n, levels):
    drawn = _levels(rng, n, levels)
    drawn[: len(levels)] = levels[: len(drawn)]
    return drawn


WEIGHTS = {
    "none": lambda rng, n: None,
    "counts": lambda rng, n: np.r_[1, 1, 1, rng.integers(0, 3, n)][:n],
    "large": lambda rng, n: 1e300 * np.ones(n),
    "zero": lambda rng, n: np.zeros(n),
    "negative": lambda rng, n: np.r_[-1.0, np.ones(n - 1)],
}
REFUSED_WEIGHTS = {"zero", "negative"}
INDEXES = {
    "range": lambda n: pd.RangeIndex(n),
    "numbers": lambda n: pd.Index(np.arange(n)[::-1] * 7 + 3),
    "text": lambda n: pd.Index([f"row {k}" for k in range(n)], name="key"),
    "dates": lambda n: pd.date_range("2020-01-01", periods=n),
    "twice": lambda n: pd.Index(np.arange(n) // 2),
}


@st.composite
def cases(draw):
    """A table, target, weight, and words on what is wrong with them, empty when nothing is."""
    n = draw(st.integers(6, 40))
    kinds = draw(st.lists(st.sampled_from(sorted(GOOD)), min_size=1, max_size=5))
    names = draw(st.permutations(NAMES))[: len(kinds) + 1]
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    columns = {name: GOOD[kind](rng, n) for name, kind in zip(names, kinds, strict=False)}
    target = draw(st.sampled_from(sorted(TARGETS)))
    weight = draw(st.sampled_from(["none"] * 6 + sorted(WEIGHTS)))
    wrong = []
    if draw(st.integers(0, 5)) == 5:
        bad = draw(st.sampled_from(sorted(BAD)))
        columns[names[-1]] = BAD[bad](rng, n)
        wrong.append(f"column {names[-1]!r}: {bad}")
    wrong += [f"y: {target}"] * (target in REFUSED_TARGETS)
    wrong += [f"sample_weight: {weight}"] * (weight in REFUSED_WEIGHTS)
    X = pd.DataFrame(columns)
    X.index = INDEXES[draw(st.sampled_from(sorted(INDEXES)))](n)
    return X, TARGETS[target](rng, n), WEIGHTS[weight](rng, n), wrong


def is_named(message, X):
    """Whether a message names a column of the table or what was given."""
    given = r"\b(X|y|sample_weight|teacher|labels?|class(es)?|n_samples|samples?|rows?)\b"
    return bool(re.search(given, message)) or any(str(name) in message for name in X.columns)


def refusal_of(call):
    """Give the message of a ValueError or TypeError, or None; all other errors are wrong."""
    try:
        call()
    except (ValueError, TypeError) as error:
        return str(error)
    return None


def check_case(make, case):
    """Fit and ask; raise where an answer is wrong, or an error says nothing of what was wrong."""
    X, y, weight, wrong = case
    model, X_before = make(), X.copy(deep=True)
    before = dict(vars(model))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refusal = refusal_of(lambda: model.fit(X, y, sample_weight=weight))
        if refusal is None:
            assert not wrong, f"{wrong} was not refused"
            check_answers(model, X, y)
        else:
            assert wrong or is_refusable(model, y), f"refused a good case: {refusal}"
            assert is_named(refusal, X), f"names nothing: {refusal}"
            assert vars(model) == before, "a failed fit left traces"
    pd.testing.assert_frame_equal(X, X_before)


def is_refusable(model, y):
    """Whether a good target does not suit the task: a classifier takes no numbers, a regressor no labels."""
    is_float = pd.api.types.is_float_dtype(pd.Series(y).dtype)
    if is_classifier(model):
        return is_float
    return not is_float and not pd.api.types.is_numeric_dtype(pd.Series(y).dtype)


def check_answers(model, X, y):
    """Compare the answers of a fitted model with each other and with what was given."""
    prediction = model.predict(X)
    assert prediction.shape == (len(X),)
    if is_classifier(model):
        assert set(prediction.tolist()) <= set(pd.Series(y).tolist())
        probabilities, scores = model.predict_proba(X), model.decision_function(X)
        assert np.isfinite(probabilities).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-9)
        np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], prediction)
    else:
        scores = prediction
        values = pd.Series(y).to_numpy(float)
        assert np.isfinite(prediction).all()
        if np.ptp(values) == 0:
            np.testing.assert_allclose(prediction, values, rtol=1e-3)
    explanation = model.explain(X)
    assert np.isfinite(explanation.values).all()
    if explanation.kind != "rationale":
        spread = max(np.ptp(scores), np.abs(scores).max(), np.finfo(float).tiny)
        total = explanation.base_values + explanation.values.sum(axis=1)
        assert np.abs(total - scores).max() <= 1e-5 * max(spread, np.abs(explanation.values).max())
    assert explanation.to_frame().index.equals(X.index)
    order = np.argsort(np.sin(np.arange(len(X)) + 1.0))
    np.testing.assert_allclose(
        np.asarray(model.explain(X.iloc[order]).values),
        explanation.values[order],
        rtol=1e-6,
        atol=1e-6 * max(np.abs(explanation.values).max(), 1e-300),
    )
    text = explanation[:3].to_json()
    json.loads(text, parse_constant=lambda word: (_ for _ in ()).throw(ValueError(word)))
    again = Explanation.from_json(text)
    np.testing.assert_array_equal(again.values, explanation[:3].values)
    assert "<" in explanation[:1]._repr_html_()
    check_refusals(model, X)


def check_refusals(model, X):
    """A column of another kind than at fit is refused by its name, whatever is asked."""
    name = X.columns[0]
    if pd.api.types.is_numeric_dtype(X[name].dtype):
        for make in BAD.values():
            other = X.copy()
            other[name] = make(np.random.default_rng(0), len(X)).to_numpy()
            for ask in (model.predict, model.explain):
                refusal = refusal_of(lambda ask=ask, other=other: ask(other))
                assert refusal is not None, f"{other[name].dtype} was read as numbers by {ask.__name__}"
                assert str(name) in refusal, f"does not name {name!r}: {refusal}"
