"""Settings of training: one word means one thing in all families, and is explained by one sentence."""

import inspect
import re

import numpy as np
import pytest
from lightgbm import LGBMRegressor
from sklearn.datasets import make_regression
from sklearn.utils._param_validation import InvalidParameterError
from skorch.callbacks import Callback

import skrationale
from skrationale import (
    FLINTClassifier,
    FLINTRegressor,
    Formula,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    SymbolicDistiller,
    SymbolicDistillerCV,
    TextRationaleClassifier,
    TextRationaleDistiller,
    TextRationaleRegressor,
)
from skrationale.training import TRAINING_CONSTRAINTS, Settings, epochs_for, validation_split

TRAINED = [
    FLINTClassifier,
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    TextRationaleClassifier,
    TextRationaleDistiller,
    TextRationaleRegressor,
]
ESTIMATORS = [*TRAINED, SymbolicDistiller, SymbolicDistillerCV]
X, Y = make_regression(30, 3, random_state=0)

SENTENCES = {
    "hidden_layer_sizes": "Widths of the hidden layers.",
    "max_epochs": 'Passes over the training rows. ``"auto"``: the number that gives a fixed number of steps.',
    "batch_size": "Rows per step.",
    "lr": "Peak of the learning rate.",
    "weight_decay": "Weight decay.",
    "early_stopping": (
        "Whether to keep the weights that were best on held-out rows, and to stop after `n_iter_no_change` "
        "epochs without improvement there. An interrupt (Ctrl-C) then ends training with a warning; "
        "otherwise it is raised."
    ),
    "validation_fraction": (
        "Share of the rows held out for validation. If these are fewer than 10, none are held out."
    ),
    "n_iter_no_change": (
        "Training stops early after this number of epochs without improvement. None: it never stops early."
    ),
    "device": '``"cpu"``, ``"cuda"``, ...; ``"auto"`` uses a GPU if there is one.',
    "random_state": "Seed of all random numbers: weights, shuffles, held-out rows.",
    "verbose": (
        '0: silent, 1: a progress bar, 2: a table of losses. ``"auto"``: a bar in notebooks and terminals, '
        "after 3 seconds."
    ),
    "callbacks": "Called during training.",
}
"""What is said of a shared parameter in all families; a family may add sentences of its own."""
SAME_EVERYWHERE = {"device", "callbacks"}
"""Nothing is added here."""

DEFAULTS = {
    "max_epochs": "auto",
    "early_stopping": True,
    "validation_fraction": 0.15,
    "n_iter_no_change": None,
    "device": "auto",
    "random_state": None,
    "verbose": "auto",
    "callbacks": None,
}
OTHER_DEFAULTS = {
    **{
        (kind, "hidden_layer_sizes"): "auto"
        for kind in (GBDT2NNStudent, SmoothMLPClassifier, SmoothMLPRegressor, FLINTClassifier, FLINTRegressor)
    },
    (GBDT2NNStudent, "batch_size"): 512,
    (GBDT2NNStudent, "lr"): 6e-3,
    (GBDT2NNStudent, "weight_decay"): 1e-4,
    **{
        (kind, name): value
        for kind in (RationaleClassifier, RationaleRegressor, RationaleDistiller)
        for name, value in {
            "hidden_layer_sizes": "auto",
            "batch_size": 256,
            "lr": 1e-3,
            "weight_decay": "auto",
        }.items()
    },
    **{
        (kind, name): value
        for kind in (SmoothMLPClassifier, SmoothMLPRegressor)
        for name, value in {"batch_size": 256, "lr": 5e-3, "weight_decay": 1e-4}.items()
    },
    **{
        (kind, name): value
        for kind in (FLINTClassifier, FLINTRegressor)
        for name, value in dict.fromkeys(("batch_size", "lr", "weight_decay"), "auto").items()
    },
    **{
        (kind, name): value
        for kind in (TextRationaleClassifier, TextRationaleRegressor, TextRationaleDistiller)
        for name, value in {
            "hidden_layer_sizes": (8, 8) if kind is TextRationaleDistiller else (32, 32),
            "batch_size": 32,
            "lr": 3e-3,
            "weight_decay": 0.1,
        }.items()
    },
    # a teacher labels as many rows as one likes, so that a student hardly overfits
    (GBDT2NNStudent, "early_stopping"): False,
    (GBDT2NNStudent, "validation_fraction"): 0.1,
    (GBDT2NNStudent, "n_iter_no_change"): 10,
    # a path of lambdas is long
    (SmoothMLPClassifier, "n_iter_no_change"): "auto",
    (SmoothMLPRegressor, "n_iter_no_change"): "auto",
    # nothing is trained, formulas are compared
    (SymbolicDistiller, "validation_fraction"): 0.2,
    (SymbolicDistillerCV, "validation_fraction"): 0.2,
}
"""Defaults that are not those of `DEFAULTS`."""


def shared_parameters(estimator):
    names = inspect.signature(estimator).parameters
    return [name for name in TRAINING_CONSTRAINTS if name in names]


def paragraphs(estimator):
    """Give what a docstring says of each parameter, on one line; not where it refers to another class."""
    section = inspect.getdoc(estimator).split("Parameters\n----------\n")[1].split("\n\n")[0]
    found = {}
    for entry in re.split(r"\n(?=\S)", section):
        head, _, text = entry.partition("\n")
        text = " ".join(text.split())
        names = head.split(" : ")[0].split(", ")
        found |= dict.fromkeys(names, text) if not text.startswith("As in :class:") else {}
    return found


def test_all_estimators_are_here():
    public = (getattr(skrationale, name) for name in skrationale.__all__)
    assert {thing for thing in public if hasattr(thing, "predict")} - {Formula} == set(ESTIMATORS)


@pytest.mark.parametrize("estimator", TRAINED)
def test_all_families_have_all_parameters(estimator):
    assert set(shared_parameters(estimator)) == set(TRAINING_CONSTRAINTS)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_shared_parameter_is_explained_by_one_sentence(estimator):
    explained = paragraphs(estimator)
    for name in set(shared_parameters(estimator)) & set(explained):
        assert explained[name].startswith(SENTENCES[name]), name
        if name in SAME_EVERYWHERE:
            assert explained[name] == SENTENCES[name]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_history_is_explained_by_one_sentence(estimator):
    text = " ".join(inspect.getdoc(estimator).split())
    if "history_ : list of dict" in text:
        assert text.split("history_ : list of dict ")[1].startswith(
            "One dict per epoch: ``epoch``, ``lr``, ``dur`` in seconds, ``train_loss``, for held-out rows "
            "``valid_loss``, and the terms of both."
        )
    else:
        assert "history_" not in text


@pytest.mark.parametrize("name", SENTENCES)
def test_one_estimator_at_least_explains_it_itself(name):
    assert any(name in paragraphs(estimator) for estimator in TRAINED)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_defaults_are_the_same_or_listed(estimator):
    signature = inspect.signature(estimator).parameters
    for name in shared_parameters(estimator):
        expected = OTHER_DEFAULTS.get((estimator, name), DEFAULTS.get(name))
        assert signature[name].default == expected, name


@pytest.mark.parametrize("estimator", TRAINED)
def test_a_shared_parameter_is_checked_alike(estimator):
    for name, constraint in TRAINING_CONSTRAINTS.items():
        own = estimator._parameter_constraints[name]
        assert own[: len(constraint)] == constraint
        assert [str(more) for more in own[len(constraint) :]] in ([], ["a str among {'auto'}"]), name


@pytest.mark.parametrize("estimator", TRAINED)
class TestRefused:
    def test_none_epochs_name_the_new_word(self, estimator):
        with pytest.raises(InvalidParameterError, match=r"'max_epochs' .* {'auto'}. Got None instead"):
            estimator(max_epochs=None).fit(X, Y)

    @pytest.mark.parametrize("sizes", [(), (8, 0), (8, -1), (8.0,), ("a",), [[4]]])
    def test_layers_without_units(self, estimator, sizes):
        with pytest.raises(ValueError, match="non-empty sequence of positive integers. Got "):
            estimator(hidden_layer_sizes=sizes).fit(X, Y)

    @pytest.mark.parametrize("sizes", [None, "wide", 8])
    def test_layers_that_are_no_sequence(self, estimator, sizes):
        with pytest.raises(InvalidParameterError, match="'hidden_layer_sizes' parameter of"):
            estimator(hidden_layer_sizes=sizes).fit(X, Y)

    def test_a_device_that_is_not_there(self, estimator):
        with pytest.raises(ValueError, match="`device` must be 'auto' or a device that is present"):
            estimator(device="tpu").fit(X, Y)


@pytest.mark.parametrize(
    ("n_rows", "batch_size", "expected"), [(1000, 50, 100), (1001, 50, 96), (10, 50, 200), (10**6, 10, 20)]
)
def test_auto_epochs_make_a_number_of_steps_within_limits(n_rows, batch_size, expected):
    assert epochs_for("auto", n_rows, batch_size, steps=2000, limits=(20, 200)) == expected
    assert epochs_for(np.int64(3), n_rows, batch_size, steps=2000, limits=(20, 200)) == 3


def test_settings_are_those_of_the_estimator():
    model = RationaleRegressor(max_epochs=7, n_iter_no_change=3, callbacks=[], verbose=2)
    settings = Settings.of(model)
    names = set(TRAINING_CONSTRAINTS) - {"hidden_layer_sizes", "random_state"}
    assert {name: getattr(settings, name) for name in names} == {name: getattr(model, name) for name in names}
    assert settings.replace(lr=1.0) == Settings.of(model.set_params(lr=1.0))


@pytest.mark.parametrize("classes", [False, True])
def test_rows_to_validate_on(classes):
    target = np.arange(100) % 4 if classes else np.linspace(0, 1, 100)
    fit, valid = validation_split(target, 0.1, classes, 0)
    assert len(valid) == 10
    np.testing.assert_array_equal(np.sort(np.concatenate([fit, valid])), np.arange(100))
    assert (np.diff(fit) > 0).all()
    for fraction, needed in ((0.099, True), (0.5, False)):
        fit, valid = validation_split(target, fraction, classes, 0, needed=needed)
        assert (len(fit), len(valid)) == (100, 0)


def test_some_rows_must_be_left_to_train_on():
    with pytest.raises(ValueError, match="'validation_fraction' parameter, 0.999, leaves no row of 20 to"):
        validation_split(np.arange(20), 0.999, False, 0)


BRIEF = {"hidden_layer_sizes": (4,), "early_stopping": True, "random_state": 0}
REGRESSORS = {
    "gbdt2nn": lambda **changes: GBDT2NNStudent(
        LGBMRegressor(n_estimators=5, min_child_samples=2, verbose=-1), **BRIEF, **changes
    ),
    "smooth": lambda **changes: SmoothMLPRegressor(jacobian_lambda=0.0, **BRIEF, **changes),
    "rationale": lambda **changes: RationaleRegressor(**BRIEF, **changes),
    "flint": lambda **changes: FLINTRegressor(**BRIEF, **changes),
}


@pytest.mark.parametrize("make", REGRESSORS.values(), ids=REGRESSORS.keys())
class TestEarlyStopping:
    def test_rows_are_held_out_where_they_are_enough(self, make):
        for fraction, held_out in ((0.3, False), (0.4, True)):  # 9 and 12 rows
            model = make(max_epochs=2, validation_fraction=fraction).fit(X, Y)
            assert any("valid_loss" in row for row in model.history_) == held_out

    def test_without_patience_training_goes_to_its_end(self, make):
        options = {"max_epochs": 15, "lr": 0.5, "validation_fraction": 0.4}
        whole = make(n_iter_no_change=None, **options).fit(X, Y)
        stopped = make(n_iter_no_change=1, **options).fit(X, Y)
        assert whole.n_iter_ >= 15
        assert stopped.n_iter_ < whole.n_iter_


TERMS = {
    "gbdt2nn": {"score", "explanation"},
    "smooth": {"task"},
    "rationale": {"task", "columns"},
    "flint": {"task", "fidelity", "reconstruction", "conciseness", "sparsity"},
}
"""Of the loss; those of a rule need more rows, those of a student a teacher."""
KEYS = {"epoch", "lr", "dur", "train_loss", "valid_loss"}


@pytest.mark.parametrize("name", REGRESSORS)
def test_what_is_logged_has_the_same_names(name):
    model = REGRESSORS[name](max_epochs=2, validation_fraction=0.4).fit(X, Y)
    logged = {key for row in model.history_ for key in row}
    of_stages = {"rationale": {"stage"}, "smooth": {"jacobian_lambda"}}.get(name, set())
    terms = logged - KEYS - of_stages
    assert {term.removeprefix("train_").removeprefix("valid_") for term in terms} == TERMS[name]
    assert KEYS | of_stages <= logged
    if "task" in TERMS[name]:
        assert all("train_task" in row for row in model.history_)


class Watch(Callback):
    """Reads a name in each epoch, as Optuna's pruning does."""

    def __init__(self, name, seen=None):
        self.name, self.seen = name, seen

    def on_epoch_end(self, net, **kwargs):
        self.seen.append((len(net.history), net.history[-1, self.name]))


@pytest.mark.parametrize("name", ["valid_loss", "train_loss"])
@pytest.mark.parametrize("family", REGRESSORS)
def test_every_epoch_of_every_stage_logs_the_loss_of_held_out_rows(family, name):
    seen = []
    make = REGRESSORS[family]
    model = make(max_epochs=2, validation_fraction=0.4, callbacks=[Watch(name, seen)]).fit(X, Y)
    assert [(row["epoch"], row[name]) for row in model.history_] == seen
    assert np.isfinite([loss for _, loss in seen]).all()


@pytest.mark.parametrize("fill", ["marginal", "mean"])
def test_screening_logs_them_too(fill):
    wide, target = make_regression(100, 24, random_state=0)
    model = RationaleRegressor(max_epochs=1, fill=fill, **BRIEF).fit(wide, target, np.arange(100) + 1)
    assert {row["stage"] for row in model.history_} == {"screening", "selection", "prediction"}
    assert all(np.isfinite(row["valid_task"]) for row in model.history_)


def test_a_loss_that_is_not_logged_is_named_with_those_that_are():
    for family in ("gbdt2nn", "smooth", "flint"):
        model = REGRESSORS[family](max_epochs=2, callbacks=[Watch("valid_loss", [])])
        model.set_params(early_stopping=False)
        with pytest.raises(KeyError, match=r"Logged are .*'train_loss'.* set early_stopping=True"):
            model.fit(X, Y)
        assert not hasattr(model, "history_")


def test_all_stages_of_a_student_log_what_its_teacher_and_the_labels_cost():
    teacher = RationaleRegressor(max_epochs=2, **BRIEF)
    student = RationaleDistiller(teacher, max_epochs=2, audit_teacher=False, **BRIEF).fit(X, Y)
    for row in student.history_:
        assert {"train_task", "train_prediction"} <= set(row)
