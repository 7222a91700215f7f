"""Who sees a progress bar without asking for it: people, and only after some seconds."""

import inspect
import io

import joblib
import pytest

import skrationale
from skrationale import SmoothMLPRegressor, TreeContributions, _progress, explain_dataset, tree_contributions
from skrationale._progress import progress_bar, somebody_watches

QUICK = {"hidden_layer_sizes": (4,), "jacobian_lambda": 0.0, "max_epochs": 3, "random_state": 0}
X, Y = [[float(i)] for i in range(20)], [float(i) for i in range(20)]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def watched(monkeypatch):
    """A terminal outside of tests, in which bars need not wait; pytest exchanges stderr after fixtures."""
    screen = Terminal()
    monkeypatch.setattr(_progress, "in_test", lambda: False)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(_progress, "SECONDS", 0.0)
    return screen


def fit(**settings):
    return SmoothMLPRegressor(**QUICK, **settings).fit(X, Y)


def test_a_terminal_shows_a_bar_by_default(monkeypatch):
    terminal = watched(monkeypatch)
    fit()
    assert "3/3" in terminal.getvalue()


def test_zero_is_silent_in_a_terminal(monkeypatch):
    terminal = watched(monkeypatch)
    fit(verbose=0)
    assert terminal.getvalue() == ""


def test_a_short_fit_shows_nothing(monkeypatch):
    terminal = watched(monkeypatch)
    monkeypatch.setattr(_progress, "SECONDS", 60.0)
    fit()
    assert terminal.getvalue() == ""


def test_pipes_tests_and_jobs_stay_silent(monkeypatch):
    terminal = watched(monkeypatch)
    assert somebody_watches()
    joblib.Parallel(n_jobs=2, backend="threading")([joblib.delayed(fit)() for _ in range(2)])
    assert terminal.getvalue() == ""
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert not somebody_watches()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.undo()
    monkeypatch.setattr("sys.stderr", terminal)
    assert not somebody_watches()


def test_a_notebook_shows_a_bar(monkeypatch):
    watched(monkeypatch)

    class Shell:
        kernel = object()

    class IPython:
        get_ipython = staticmethod(Shell)

    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.setitem(__import__("sys").modules, "IPython", IPython)
    assert somebody_watches()


def test_a_bar_says_how_long_it_will_take(monkeypatch):
    terminal = watched(monkeypatch)
    with progress_bar("auto", 10, "epoch", mininterval=0.0) as bar:
        bar.update(5)
    assert "<" in terminal.getvalue()  # elapsed<remaining


@pytest.mark.parametrize("thing", [TreeContributions, tree_contributions, explain_dataset])
def test_functions_have_the_same_default(thing):
    assert inspect.signature(thing).parameters["verbose"].default == "auto"


def test_everything_verbose_is_described_alike():
    for name in skrationale.__all__:
        thing = getattr(skrationale, name)
        if callable(thing) and "verbose : int" in (text := inspect.getdoc(thing) or ""):
            said = " ".join(text.split("verbose : int")[1].split())
            assert said.startswith('or "auto", default="auto" 0: silent, 1: a progress bar'), name
            assert '``"auto"``: a bar in notebooks and terminals, after 3 seconds.' in said[:300], name
