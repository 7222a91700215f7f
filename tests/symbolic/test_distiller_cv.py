"""SymbolicDistillerCV: lambda by cross-validation of the formula."""

import pickle

import numpy as np
import pytest
from seeds import SEED
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, KFold

from skrationale import SmoothMLPClassifier, SmoothMLPRegressor, SymbolicDistiller, SymbolicDistillerCV

RNG = np.random.RandomState(SEED)
X = RNG.uniform(-2, 2, (150, 3))
LINE = 2 * X[:, 0] - X[:, 2]
WAVE = np.sin(2 * X[:, 0]) + X[:, 1]
TEACHER = SmoothMLPRegressor(hidden_layer_sizes=(16, 16), max_epochs=30, random_state=SEED)
SHORT = {"niterations": 10, "population_size": 60, "n_searches": 2, "maxsize": 12, "random_state": SEED}
LAMBDAS = (0.0, 0.01, 3.0)


def search(teacher=TEACHER, X=X, y=WAVE, **settings):
    return SymbolicDistillerCV(teacher, **{"jacobian_lambdas": LAMBDAS, "cv": 2} | SHORT | settings).fit(X, y)


@pytest.fixture(scope="module")
def fitted():
    return search()


def test_each_lambda_is_measured_and_the_best_is_taken(fitted):
    steps = fitted.lambda_path_
    assert [step["jacobian_lambda"] for step in steps] == list(LAMBDAS)
    scores = [step["formula_score"] for step in steps]
    assert [i for i, step in enumerate(steps) if step["selected"]] == [scores.index(max(scores))]
    assert fitted.lambda_ == fitted.teacher_.lambda_ == LAMBDAS[int(np.argmax(scores))]
    for step in steps:
        assert step.keys() >= {"teacher_score", "formula_score_std", "fidelity_r2", "mean_grad_norm"}
        assert step["fidelity_r2"] <= 1
    norms = [step["mean_grad_norm"] for step in steps]
    assert norms[0] > norms[2] > 0
    assert fitted.score(X, WAVE) > 0.8
    assert fitted.explain(X[:5]).additivity_error(fitted.predict(X[:5])) < 1e-9


def test_held_out_rows_are_those_of_the_folds():
    seen = []

    class Watched(KFold):
        def split(self, X, y=None, groups=None):
            for fit, held_out in super().split(X, y, groups):
                seen.append(held_out)
                yield fit, held_out

    model = search(cv=Watched(3), jacobian_lambdas=(0.01,), niterations=2, n_searches=1, maxsize=5)
    assert sorted(np.concatenate(seen)) == list(range(len(X)))
    assert len(model.lambda_path_) == 1


def test_given_folds_are_positions_or_masks():
    short = {"jacobian_lambdas": (0.01,), "niterations": 2, "n_searches": 1, "maxsize": 5}
    first = np.arange(len(X)) < 100
    masks = search(cv=[(first, ~first)], **short).lambda_path_
    positions = search(cv=[(np.flatnonzero(first), list(range(100, 150)))], **short).lambda_path_
    assert masks == positions
    for wrong, got in (
        ((first, ~first[:-1]), r"an array of bool of shape \(149,\)"),
        ((np.arange(100), np.arange(100, 151)), r"an array of int64 of shape \(51,\)"),
    ):
        with pytest.raises(
            ValueError, match=rf"cv\[0\] must hold rows .* from 0 to 149 or as masks of 150.*{got}"
        ):
            search(cv=[wrong], **short)
    with pytest.raises(ValueError, match="cv has no folds; expected at least one"):
        search(cv=[], **short)


def test_classes(fitted):
    y = np.where(LINE > 0, "yes", "no")
    teacher = SmoothMLPClassifier(hidden_layer_sizes=(16,), max_epochs=20, random_state=SEED)
    model = search(teacher, y=y, jacobian_lambdas=(0.0, 0.01), model_selection="accuracy")
    assert model.score(X, y) > 0.9
    assert set(model.predict(X)) == {"no", "yes"}
    assert all(0.5 < step["formula_score"] <= 1 for step in model.lambda_path_)


def test_without_a_teacher_text_is_classes():
    y = np.where(LINE > 0, "yes", "no")
    model = SymbolicDistillerCV(
        jacobian_lambdas=(0.01,), cv=2, **SHORT | {"niterations": 2, "n_searches": 1, "maxsize": 5}
    )
    assert isinstance(model.fit(X, y).teacher_, SmoothMLPClassifier)


def test_weights_reach_the_folds():
    half = X[:, 2] > 0
    y = np.where(half, X[:, 0], -X[:, 0])
    model = SymbolicDistillerCV(TEACHER, jacobian_lambdas=(0.01,), cv=2, **SHORT)
    model.fit(X, y, sample_weight=np.where(half, 1.0, 1e-3))
    assert model.score(X[half], y[half]) > 0.95


def test_a_pickle_and_another_row_of_the_front(fitted):
    other = pickle.loads(pickle.dumps(fitted)).set_formula(0)
    assert other.formula_ == fitted.pareto_front_[0]
    assert isinstance(other, SymbolicDistiller)


def test_parameters():
    names = SymbolicDistillerCV().get_params(deep=False)
    assert "jacobian_lambda" not in names
    assert names.keys() - {"jacobian_lambdas", "cv", "n_jobs"} == (
        SymbolicDistiller().get_params(deep=False).keys() - {"jacobian_lambda"}
    )
    with pytest.raises(ValueError, match="'jacobian_lambdas' parameter .* increasing numbers"):
        search(jacobian_lambdas=(1.0, 0.1))
    with pytest.raises(ValueError, match="only smooth teachers have. Got the teacher LinearRegression"):
        search(LinearRegression())
    with pytest.raises(ValueError, match="groups"):
        search(cv=GroupKFold(2))
