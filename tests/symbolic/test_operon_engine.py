"""Searches with the real Operon."""

import pickle
import time

import numpy as np
import pytest
import sympy as sp
from seeds import SEED
from sklearn.base import clone
from skorch.callbacks import Callback

from skrationale import SmoothMLPRegressor
from skrationale.formula.program import Program, symbols
from skrationale.formula.tree import complexity
from skrationale.symbolic import EngineError, OperonEngine, SymbolicDistiller
from skrationale.symbolic.engines import _operon, resolve_engine

RNG = np.random.default_rng(SEED)
Z = RNG.normal(size=(120, 3))
T = Z[:, 0] * Z[:, 1] + np.sin(2 * Z[:, 2])
T = (T - T.mean()) / T.std()
SETTINGS = {
    "binary_operators": ["+", "-", "*", "aq"],
    "unary_operators": ["sin", "exp", "square", "sqrtabs"],
    "maxsize": 15,
    # a population smaller than this stays with half of the target for a few seeds in a hundred
    "niterations": 10,
    "population_size": 500,
    "random_state": 7 + SEED,
}


def search(Z=Z, t=T, engine=None, **settings):
    return (engine or OperonEngine()).search(Z, t, **SETTINGS | settings)


def r2(expressions, Z=Z, t=T):
    variables = symbols(Z.shape[1])
    losses = [np.mean((Program(expr, variables)(Z) - t) ** 2) for expr in expressions]
    return 1 - np.nanmin(losses) / t.var()


@pytest.fixture(scope="module")
def found():
    return search()


def test_a_front_from_short_and_rough_to_long_and_exact(found):
    assert len(found) > 2
    short = min(found, key=complexity)
    assert complexity(short) <= 3
    assert r2([short]) < 0.3
    assert r2(found) > 0.9
    assert not set().union(*(expr.free_symbols for expr in found)) - set(symbols(3))


@pytest.mark.parametrize("n_threads", [1, 2])
def test_one_seed_gives_one_set_of_expressions_whatever_the_threads(found, n_threads):
    assert search(engine=OperonEngine(n_threads=n_threads)) == found


def test_seed_and_effort_matter(found):
    assert search(random_state=8 + SEED) != found
    assert search(niterations=3) != found


def test_only_the_operators_asked_for_are_used():
    for expr in search(binary_operators=["+", "*"], unary_operators=[]):
        assert not expr.atoms(sp.Function)
        assert all(power.exp.is_Integer and power.exp > 0 for power in expr.atoms(sp.Pow))
    assert any(expr.has(sp.sin) for expr in search(binary_operators=["+", "*"], unary_operators=["sin"]))


@pytest.mark.parametrize("operator", [*_operon.BINARY, *_operon.UNARY])
def test_every_operator_is_known_to_operon_and_read_back(operator):
    kind = "binary_operators" if operator in _operon.BINARY else "unary_operators"
    asked = {"binary_operators": ["*"], "unary_operators": []}
    asked[kind] = list(dict.fromkeys([*asked[kind], operator]))
    found = search(**asked, niterations=3)
    values = [Program(expr, symbols(3))(Z) for expr in found]
    assert any(np.isfinite(row).all() for row in values)


@pytest.mark.parametrize("maxsize", [2, 3, 8])
def test_expressions_are_no_larger_than_asked_for(maxsize):
    # other operators count otherwise: aq(a, b) is one node of Operon's
    plain = {"binary_operators": ["+", "*"], "unary_operators": ["sin"]}
    # a longer expression always fits noise better
    rough = T + 0.5 * np.random.default_rng(1 + SEED).normal(size=len(T))
    assert max(map(complexity, search(t=rough, **plain, maxsize=maxsize))) <= maxsize
    assert max(map(complexity, search(t=rough, **plain, maxsize=30))) > 8


def test_a_single_node_is_enough():
    assert min(map(complexity, search(maxsize=1))) == 1


@pytest.mark.parametrize("seconds", [0.3, 1.3, 2.4])
def test_a_clock_may_have_parts_of_seconds(seconds):
    search(niterations=1)
    start = time.perf_counter()
    assert search(niterations=10**6, timeout_in_seconds=seconds)
    assert 0.6 * seconds < time.perf_counter() - start < seconds + 1


def test_a_search_goes_on_from_where_it_was():
    settings = {name: SETTINGS[name] for name in ("binary_operators", "unary_operators", "maxsize")}
    settings |= {"weights": None, "population_size": 30, "random_state": SEED}
    found = []
    for _ in range(2):
        running = OperonEngine().begin(Z, T, **settings)
        found.append([r2(running.run(rounds)) for rounds in (2, 3, 15)])
    first, second, third = found[0]
    assert found[1] == found[0]
    # the best expressions stay in the population
    assert first <= second < third


@pytest.mark.parametrize("operator", ["max", "min"])
def test_operators_that_operon_gets_wrong_are_refused(operator):
    with pytest.raises(ValueError, match=f"'binary_operators' parameter must hold only .* Got '{operator}'"):
        search(binary_operators=["+", operator])
    with pytest.raises(ValueError, match=f"Got '{operator}'"):
        SymbolicDistiller(engine="operon", binary_operators=("+", operator)).fit(Z, T)


def test_mistyped_operators():
    with pytest.raises(ValueError, match=r"Got 'sine'\. Did you mean 'sin'\?"):
        search(unary_operators=["sine"])
    with pytest.raises(ValueError, match="belongs to 'unary_operators'"):
        search(binary_operators=["+", "sin"])
    with pytest.raises(ValueError, match="at least one operator"):
        search(binary_operators=[])


ODD = {
    "constant column": (np.column_stack([Z[:, :2], np.zeros(len(Z))]), T),
    "constant target": (Z, np.zeros(len(Z))),
    "one column": (Z[:, :1], T),
    "one row": (Z[:1], T[:1]),
    "three rows": (Z[:3], T[:3]),
    "huge target": (Z, 1e12 * T),
    "huge columns": (1e12 * Z, T),
    "columns in Fortran's order": (np.asfortranarray(Z), T),
    "equal rows, read-only": (np.broadcast_to(Z[:1], Z.shape), T),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_tables_give_expressions(name):
    Z, t = ODD[name]
    found = search(Z, t, niterations=3)
    assert found
    assert not set().union(*(expr.free_symbols for expr in found)) - set(symbols(Z.shape[1]))


def test_memory_order_does_not_matter(found):
    assert search(np.asfortranarray(Z)) == found


def test_nothing_is_kept_from_a_search():
    engine = OperonEngine(optimizer_iterations=2, max_depth=6)
    before = pickle.dumps(engine)
    search(engine=engine, niterations=3)
    assert pickle.dumps(engine) == before
    settings = {"optimizer_iterations": 2, "max_depth": 6, "n_threads": 1}
    assert clone(engine).get_params() == settings | {"local_search_probability": 0.5}


class Never(Callback):
    def on_train_begin(self, net, **kwargs):
        raise AssertionError("training began")


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer_iterations": -1},
        {"optimizer_iterations": 2.5},
        {"local_search_probability": 1.5},
        {"local_search_probability": -0.1},
        {"max_depth": 0},
        {"n_threads": "all"},
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_named_before_anything_is_trained(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"The '{name}' parameter of OperonEngine must be"):
        search(engine=OperonEngine(**settings))
    teacher = SmoothMLPRegressor(callbacks=[Never()])
    with pytest.raises(ValueError, match=f"The '{name}' parameter of OperonEngine must be"):
        SymbolicDistiller(teacher, engine=OperonEngine(**settings)).fit(Z, T)


def test_a_share_of_new_expressions_has_its_constants_fitted():
    settings = {name: value for name, value in SETTINGS.items() if name != "niterations"}
    evaluations = []
    for share in (0.0, 0.5, 1.0):
        running = OperonEngine(local_search_probability=share).begin(Z, T, **settings)
        running.run(5)
        evaluations.append(running.model.stats_["jacobian_evaluations"])
    assert evaluations[0] == 0
    assert 0.35 * evaluations[2] < evaluations[1] < 0.65 * evaluations[2]


def test_without_pyoperon_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setattr(_operon, "_probe", lambda: f"pyoperon is not installed: {_operon.INSTALL}.")
    engine = OperonEngine()
    assert "pip install pyoperon" in engine.available()
    with pytest.raises(EngineError, match="pip install pyoperon"):
        search(engine=engine)
    distiller = SymbolicDistiller(engine="operon")
    with pytest.raises(EngineError, match=r"engine='operon' cannot be used: .*pip install pyoperon.*pysr"):
        distiller.fit(Z, T)
    assert vars(distiller).keys() == vars(SymbolicDistiller()).keys()


def test_auto_takes_operon_where_it_works(monkeypatch):
    assert resolve_engine("auto").name == "operon"
    monkeypatch.setattr(_operon, "_probe", lambda: "not here")
    monkeypatch.setattr("skrationale.symbolic.engines._pysr.PySREngine.available", lambda self: None)
    assert resolve_engine("auto").name == "pysr"
    own = OperonEngine(n_threads=2)
    assert resolve_engine(own) is own


def test_the_probe_names_what_failed(monkeypatch):
    monkeypatch.setattr(_operon, "find_spec", lambda name: None)
    assert _operon._probe.__wrapped__().startswith("pyoperon is not installed: pip install pyoperon")
    monkeypatch.undo()
    monkeypatch.setattr(_operon.sys, "executable", "/nowhere/python")
    assert "could not be tried" in _operon._probe.__wrapped__()
    monkeypatch.undo()
    assert _operon._probe.__wrapped__() is None
