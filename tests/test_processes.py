"""What runs in other processes, in one file: they are started once, and starting takes seconds."""

import contextlib
import io

import joblib
import numpy as np
import pytest
from conftest import target_of
from estimators import GRIDS, QUICK, known_parameters
from seeds import SEED
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from test_contracts import one_each, reasons

from skrationale import SmoothMLPRegressor, SymbolicDistiller, SymbolicDistillerCV

pytestmark = pytest.mark.no_cover
X = np.random.RandomState(SEED).uniform(-2, 2, (150, 3))
LINE = 2 * X[:, 0] - X[:, 2]
WAVE = np.sin(2 * X[:, 0]) + X[:, 1]
SHORTER = {"teacher__max_epochs": 10, "niterations": 4}
TEACHER = SmoothMLPRegressor(hidden_layer_sizes=(16, 16), max_epochs=5, random_state=SEED)
SHORT = {"niterations": 2, "n_searches": 1, "population_size": 60, "maxsize": 5, "random_state": SEED}


@one_each
def test_grid_search_over_a_pipeline_scores_reasons_too(make, mixed):
    X, score = mixed
    model = make()
    model.set_params(**known_parameters(model, SHORTER))
    y = target_of(model, score)

    def reasons_are_few(pipeline, X, y):
        return -np.count_nonzero(reasons(pipeline[-1], X).mean_abs())

    step = type(model).__name__.lower()
    grid = known_parameters(model, GRIDS)
    assert grid
    name = next(iter(grid))
    search = GridSearchCV(
        make_pipeline(FunctionTransformer(), model),
        {f"{step}__{name}": grid[name]},
        cv=2,
        n_jobs=2,
        scoring={"score": lambda fitted, X, y: fitted.score(X, y), "few": reasons_are_few},
        refit="score",
        error_score="raise",
    ).fit(X, y)
    assert (search.cv_results_["mean_test_few"] < 0).all()
    assert search.best_estimator_.score(X, y) > 0.3
    assert reasons(search.best_estimator_[-1], X).values.shape[:2] == X.shape


def test_lambda_is_searched_inside_a_pipeline():
    pipeline = make_pipeline(FunctionTransformer(), SymbolicDistiller(TEACHER, teacher_weight=1, **SHORT))
    grid = {"symbolicdistiller__jacobian_lambda": [0.0, 0.01, 0.1]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(X, LINE)
    best = search.best_estimator_[-1]
    assert best.lambda_ == search.best_params_["symbolicdistiller__jacobian_lambda"]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_folds_may_be_worked_on_at_once():
    alone, together = (
        SymbolicDistillerCV(TEACHER, jacobian_lambdas=(0.01,), cv=2, n_jobs=n, **SHORT | {"maxsize": 12}).fit(
            X, WAVE
        )
        for n in (1, 2)
    )
    assert str(together.formula_) == str(alone.formula_)
    for step, other in zip(together.lambda_path_, alone.lambda_path_, strict=True):
        assert step["formula_score"] == pytest.approx(other["formula_score"])


def shown_by_a_fit():
    """What a fit that may show a bar writes."""
    with contextlib.redirect_stderr(io.StringIO()) as err, contextlib.redirect_stdout(io.StringIO()) as out:
        SmoothMLPRegressor(**QUICK, verbose=1).fit(X, LINE)
    return err.getvalue() + out.getvalue()


def test_no_bar_in_jobs_of_other_processes():
    assert "2/2" in shown_by_a_fit()
    assert joblib.Parallel(n_jobs=2)([joblib.delayed(shown_by_a_fit)()] * 2) == ["", ""]
