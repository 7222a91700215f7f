"""The promises that every estimator of the package keeps."""

import inspect
import io
import pickle
import tracemalloc
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import target_of
from estimators import (
    ALL,
    BAD_PARAMETERS,
    CLASSIFIERS,
    FAMILIES,
    REGRESSORS,
    InterruptedEngine,
    brief,
    known_parameters,
)
from onnx_runs import assert_alike, feed_of_columns, run
from reference import answers, largest_error, place, place_of, stored
from seeds import SEED
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression

from skrationale import FLINTClassifier, GBDT2NNStudent, RationaleDistiller
from skrationale.serving import load, save, serving_copy
from skrationale.tabular import FewRows

every = pytest.mark.parametrize("make", ALL.values(), ids=ALL.keys())
# what the base class alone decides is asked of one estimator of each family and task
BASE = {name: make for name, make in ALL.items() if name.rsplit("-", 1)[0] in FAMILIES}
one_each = pytest.mark.parametrize("make", BASE.values(), ids=BASE.keys())


def raw_scores(model, X):
    if model.explain(X[:1]).link == "probability":
        return model._scores(model._read(X))  # those of `predict_proba` are cut at 0 and 1
    if is_classifier(model):
        return model.decision_function(X)
    prediction = model.predict(X)
    return np.log(prediction) if model.explain(X[:1]).link == "log" else prediction


def reasons(model, X, **options):
    """Reasons by the table's columns, from every family."""
    if "by" in inspect.signature(model.explain).parameters:
        options["by"] = "column"
    return model.explain(X, **options)


def trained_longer(model):
    """So that what is learnt on few rows does not hang on the seed; models with a rationale need no more."""
    more = {} if "max_features" in model.get_params() else {"max_epochs": 100}
    return model.set_params(**known_parameters(model, more))


def assert_reasons_hold(model, X):
    """Reasons add up to the score; or with a rationale held, all other cells can be those of other rows."""
    explanation = reasons(model, X)
    if explanation.kind != "rationale":
        assert model.explain(X).additivity_error(raw_scores(model, X)) < 1e-5
        assert explanation.additivity_error(raw_scores(model, X)) < 1e-5
        return
    mask = explanation.mask
    others = pd.DataFrame(X).iloc[::-1].reset_index(drop=True)
    changed = pd.DataFrame(X).reset_index(drop=True)
    for j, name in enumerate(changed.columns):
        changed[name] = changed[name].where(mask[:, j], others[name])
    np.testing.assert_array_equal(model.predict(changed, mask=mask), model.predict(X))
    assert ((explanation.values > 0) == mask).all()


@pytest.fixture(scope="module")
def fitted(mixed):
    """Each estimator fitted once on the mixed table, for the tests that only ask."""
    models: dict = {}

    def get(make):
        if make not in models:
            model = make()
            models[make] = model.fit(mixed[0], target_of(model, mixed[1]))
        return models[make]

    return get


@pytest.mark.no_cover
@pytest.mark.skipif(SEED != 0, reason="the reference was stored with seed 0")
@pytest.mark.parametrize("name", ALL)
def test_answers_are_those_of_the_reference(fitted, mixed, name):
    reference = stored()
    if place_of(reference, name) != place():
        pytest.skip("the reference was stored on another processor or with other libraries")
    assert largest_error(answers(fitted(ALL[name]), mixed[0]), reference["answers"][name]) < 1e-9


@every
def test_reasons_are_those_of_the_score(make, fitted, mixed):
    model, X = fitted(make), mixed[0]
    explanation = reasons(model, X)
    assert explanation.values.shape[:2] == X.shape
    assert explanation.feature_names == tuple(X.columns)
    assert_reasons_hold(model, X)


@every
def test_a_row_is_read_once(make, fitted, mixed, monkeypatch):
    """Its cells as typed are those that were read: to look at them again takes as long as a small network."""
    model, row, looked, of = fitted(make), mixed[0][:1], [], FewRows.of
    expected = row.to_numpy(dtype=object)
    monkeypatch.setattr(
        FewRows, "of", classmethod(lambda cls, table: looked.append(table is row) or of(table))
    )
    explanation = reasons(model, row)
    assert sum(looked) == 1
    shown = explanation.display_data
    assert [*map(repr, shown.ravel())] == [*map(repr, expected.ravel())]


@every
def test_graphs_say_what_estimators_say(make, fitted, mixed):
    model, X = fitted(make), mixed[0]
    if make is ALL["flint-post-hoc-classifier"]:
        with pytest.raises(ValueError, match="given predictor"):
            model.to_onnx()
        return
    new = X.assign(city=["Rome", None, *X["city"].tolist()[2:]])
    graph = model.to_onnx(inputs="columns")
    found = run(graph, feed_of_columns(graph, new))
    matrix = model._read(new).astype(np.float32)
    for name, values in assert_alike(model, matrix).items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("make", CLASSIFIERS.values(), ids=CLASSIFIERS.keys())
def test_two_classes_have_one_output_in_log_odds(make, mixed):
    X, score = mixed
    y = np.where(score > np.median(score), "yes", "no")
    model = trained_longer(make()).fit(X, y)
    explanation = reasons(model, X)
    assert explanation.values.shape == X.shape
    assert explanation.output_names == ("yes",)
    assert explanation.link == "logit"
    odds = model.predict_proba(X)[:, 1]
    np.testing.assert_allclose(np.log(odds / (1 - odds)), model.decision_function(X), atol=1e-6)
    assert_reasons_hold(model, X)
    assert model.score(X, y) > 0.8
    assert set(model.predict(X)) == {"yes", "no"}


@pytest.mark.no_cover
@every
def test_fit_leaves_parameters_data_and_global_chance_alone_and_one_seed_is_one_model(make, fitted, mixed):
    import torch

    X, score = mixed
    X = X.copy()
    first, second = fitted(make), make()
    y = target_of(second, score)
    parameters = {k: repr(v) for k, v in second.get_params().items()}
    X_before, y_before = X.copy(), y.copy()
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    second.fit(X, y)
    values = reasons(second, X).values
    assert {k: repr(v) for k, v in second.get_params().items()} == parameters
    pd.testing.assert_frame_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(reasons(first, X).values, values)
    if reasons(first, X[:1]).kind == "formula":
        assert str(first.formulas_) == str(second.formulas_)
        return  # with another seed a good search finds the same formula
    one, other = (brief(make()).set_params(random_state=SEED + k).fit(X, y) for k in (0, 1))
    assert not np.array_equal(reasons(one, X).values, reasons(other, X).values)


@every
def test_row_order_and_number_do_not_matter(make, fitted, mixed):
    model, X = fitted(make), mixed[0][:60]
    whole = reasons(model, X).values
    shuffled = np.random.RandomState(0).permutation(len(X))
    np.testing.assert_allclose(reasons(model, X.iloc[shuffled]).values, whole[shuffled], atol=1e-10)
    np.testing.assert_allclose(reasons(model, X.iloc[7:8]).values[0], whole[7], atol=1e-10)
    np.testing.assert_allclose(reasons(model, X, batch_size=13).values, whole, atol=1e-10)


@every
def test_reasons_keep_the_labels_of_rows(make, fitted, mixed):
    model, X = fitted(make), mixed[0].iloc[100:160]
    index = X.index[::-1].rename("customer")
    X = X.set_axis(index)
    answers = [reasons(model, X), model.explain(X)]
    if hasattr(model, "teacher_explain"):
        answers.append(model.teacher_explain(X))
    for explanation in answers:
        pd.testing.assert_index_equal(explanation.to_frame().index, index)
        pd.testing.assert_index_equal(explanation[3:9].to_frame().index, index[3:9])
    joined = X.join(answers[0].for_output(0).to_frame().add_prefix("why "))
    np.testing.assert_array_equal(joined["why age"], answers[0].for_output(0).values[:, 0])
    arrays = reasons(model, pd.DataFrame(X.to_numpy(dtype=object), columns=X.columns).infer_objects())
    assert arrays.index is None


@every
def test_batches_and_threads_change_no_reason(make, fitted, mixed):
    model, X = fitted(make), mixed[0][:20]
    whole = reasons(model, X)
    close = 1e-12 * np.abs(whole.values).max()
    for options in ({"batch_size": 1}, {"batch_size": 7, "n_jobs": 2}, {"batch_size": 1000}):
        parts = reasons(model, X, **options)
        np.testing.assert_allclose(parts.values, whole.values, rtol=0, atol=close)
        assert parts.mask is None or (parts.mask == whole.mask).all()
        assert (parts.display_data == whole.display_data)[~pd.isna(whole.display_data)].all()
    for name, values in {"batch_size": (0, -1, 2.5, True, "all"), "n_jobs": (0, 1.5, False)}.items():
        for value in values:
            with pytest.raises(ValueError, match=f"`{name}` must be an integer"):
                reasons(model, X, **{name: value})


@one_each
def test_the_memory_of_explaining_is_that_of_the_result(make, fitted, mixed):
    model = fitted(make)
    X = pd.concat([mixed[0]] * 80, ignore_index=True)
    model.explain(X[:300])
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    explanation = model.explain(X, batch_size=256)
    added = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    arrays = [explanation.values, explanation.base_values, explanation.data, explanation.mask]
    arrays += list((explanation.attributes or {}).values())
    held = sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))
    # beside what is returned a batch, and a few columns; cells as objects would be 200 bytes a row and more
    assert added < held + 60 * len(X) + 2**21


@every
def test_pickle_and_joblib_keep_the_model_and_nothing_else(make, fitted, mixed):
    model, X = fitted(make), mixed[0]
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    for copy in (pickle.loads(pickle.dumps(model)), joblib.load(buffer)):
        np.testing.assert_array_equal(copy.predict(X), model.predict(X))
        np.testing.assert_array_equal(reasons(copy, X).values, reasons(model, X).values)
    names = _class_names(model)
    assert not names & {"DataFrame", "Generator", "RandomState", "AdamW", "Tensor", "Parameter", "NeuralNet"}


HASHED = {name: make for name, make in ALL.items() if "black-box" not in name and "trees" not in name}
"""Those whose teacher keeps its hash too, which histogram boosting of scikit-learn does not."""


@pytest.mark.parametrize("make", HASHED.values(), ids=HASHED.keys())
def test_a_hash_is_the_same_after_a_pickle_and_after_questions(make, fitted, mixed, tmp_path):
    model, X = fitted(make), mixed[0]
    before = joblib.hash(model)
    model.predict(X[:1])
    reasons(model, X[:3])
    again = pickle.loads(pickle.dumps(model))
    joblib.dump(model, tmp_path / "model.joblib")
    assert {joblib.hash(one) for one in (model, again, pickle.loads(pickle.dumps(again)))} == {before}
    assert joblib.hash(joblib.load(tmp_path / "model.joblib")) == before


@pytest.mark.parametrize("name", [name for name in ALL if name not in HASHED])
def test_without_a_teacher_that_loses_it_the_hash_stays(name, fitted):
    served = serving_copy(fitted(ALL[name]))
    assert joblib.hash(pickle.loads(pickle.dumps(served))) == joblib.hash(served)


def test_memory_knows_a_model_from_a_file(fitted, mixed, tmp_path):
    calls = []

    @joblib.Memory(tmp_path, verbose=0).cache
    def answers_of(model, X):
        calls.append(model)
        return model.predict(X)

    model = fitted(ALL["gbdt2nn-regressor"])
    first = answers_of(model, mixed[0])
    second = answers_of(pickle.loads(pickle.dumps(model)), mixed[0])
    np.testing.assert_array_equal(first, second)
    assert len(calls) == 1


@pytest.fixture
def every_warning():
    """Torch warns of read-only arrays each time, not once a process."""
    import torch

    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(before)


@every
def test_read_only_weights_answer_alike_without_warnings(make, fitted, mixed, tmp_path, every_warning):
    model, X = fitted(make), mixed[0]
    buffers: list = []
    data = pickle.dumps(model, protocol=5, buffer_callback=buffers.append)
    joblib.dump(model, tmp_path / "model.joblib")
    copies = [
        pickle.loads(data, buffers=[buffer.raw().toreadonly() for buffer in buffers]),
        joblib.load(tmp_path / "model.joblib", mmap_mode="r"),
    ]
    assert len(buffers) > 5
    for rows in (X, X.iloc[:1]):
        expected = model.predict(rows), reasons(model, rows).values
        for copy in copies:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = copy.predict(rows), reasons(copy, rows).values
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])


@every
def test_a_serving_copy_in_a_file_without_code_answers_alike(make, fitted, mixed, tmp_path):
    pytest.importorskip("skops")
    model, X = fitted(make), mixed[0]
    own = ["estimators.OneHot"]  # a step of the tests' pipelines
    served = load(save(serving_copy(model), tmp_path / "model.skops", trusted=own), trusted=own)
    for rows in (X, X.iloc[:1]):
        np.testing.assert_array_equal(served.predict(rows), model.predict(rows))
        np.testing.assert_array_equal(reasons(served, rows).values, reasons(model, rows).values)
    if hasattr(model, "teacher_"):
        assert len(pickle.dumps(served)) < len(pickle.dumps(model))
        for ask in (lambda: served.teacher_, lambda: served.fidelity(X)):
            with pytest.raises(AttributeError, match="is a serving copy without its teacher"):
                ask()
        for teachable in (served, clone(served)):
            assert is_classifier(teachable) == is_classifier(model)
            with pytest.raises(ValueError, match="without its teacher .* cannot be fitted: set teacher=..."):
                teachable.fit(X, target_of(model, mixed[1]))


def _class_names(root):
    """Names of all classes that a pickle of the object mentions, but those of the fitted teacher."""
    import pickletools

    root = clone(root).__class__.__new__(type(root)).__dict__ | {
        k: v for k, v in vars(root).items() if k not in ("teacher", "teacher_", "random_state")
    }
    text = [str(arg) for _, arg, _ in pickletools.genops(pickle.dumps(root, protocol=2)) if arg is not None]
    return {part for line in text for part in line.split()}


@every
def test_unseen_levels_missing_and_constant_columns(make, fitted, mixed):
    model, X = fitted(make), mixed[0].iloc[:5].copy()
    X["city"] = "Rome"
    X["grade"] = pd.Categorical(["low"] * 5, categories=["low", "never seen"])
    X["age"] = np.nan
    assert np.isfinite(reasons(model, X).values).all()
    everything_missing = X.astype(object).mask(np.ones(X.shape, bool))
    everything_missing = everything_missing.astype(
        {"age": float, "visits": float, "idle": float, "member": float}
    )
    assert np.isfinite(reasons(model, everything_missing).values).all()


@every
def test_odd_tables(make, mixed):
    X, score = mixed
    model = make()
    y = target_of(model, score)
    X = X[["age", "idle"]].assign(constant=1.0, nothing=np.nan)
    model.fit(X, y)
    values = reasons(model, X).values
    assert (values[:, 2:] == 0).all()
    assert np.abs(values[:, 0]).sum() > 0
    one = brief(make()).fit(X[["age"]], y)
    assert_reasons_hold(one, X[["age"]])


@every
def test_few_rows_and_a_constant_target(make, mixed):
    X, score = mixed
    model = make()
    y = target_of(model, score)
    few = brief(make()).fit(X[:20], y[:20])
    assert np.isfinite(reasons(few, X[:20]).values).all()
    if not is_classifier(model):
        constant = brief(make()).fit(X, np.full(len(X), 3.5))
        np.testing.assert_allclose(constant.predict(X), 3.5, rtol=1e-6)
        assert (reasons(constant, X).values == 0).all()


@one_each
def test_arrays_read_only_and_of_text(make, mixed, every_warning):
    X, score = mixed
    model = brief(make())
    y = target_of(model, score)
    numbers = np.array(X[["age", "visits", "idle"]], dtype=float, order="C")
    numbers.flags.writeable = False
    y.flags.writeable = False
    model.fit(numbers, y)
    copied = reasons(model, numbers.copy())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predicted, explanation = model.predict(numbers), reasons(model, numbers)
    assert explanation.feature_names == ("x0", "x1", "x2")
    np.testing.assert_array_equal(explanation.values, copied.values)
    rows = numbers.copy()
    numbers.flags.writeable = True
    numbers[:] = -1.0  # a model holds no table of the user's
    np.testing.assert_array_equal(model.predict(rows), predicted)
    np.testing.assert_array_equal(reasons(model, rows).values, copied.values)
    text = X[["age", "city"]].to_numpy(dtype=object)
    assert reasons(brief(make()).fit(text, y), text).values.shape[:2] == text.shape


@one_each
def test_hostile_column_names(make, mixed):
    X, score = mixed
    X = X.set_axis(["a b", '{"x": 1}', "N", "", "select", "ümläut"], axis=1)
    model = brief(make())
    model.fit(X, target_of(model, score))
    assert reasons(model, X).feature_names == tuple(X.columns)


@one_each
def test_polars_frames(make, mixed):
    pl = pytest.importorskip("polars")
    X, score = mixed
    model = brief(make())
    model.fit(pl.from_pandas(X), target_of(model, score))
    assert model.predict(pl.from_pandas(X)).shape == (len(X),)
    np.testing.assert_allclose(reasons(model, pl.from_pandas(X)).values, reasons(model, X).values, atol=1e-10)


@every
def test_a_failed_fit_leaves_the_estimator_as_it_was(make, fitted, mixed):
    X, score = mixed
    y = target_of(make(), score)
    untouched = make()
    with pytest.raises(ValueError, match="infinity in column"):
        untouched.fit(X.assign(idle=np.inf), y)
    assert vars(untouched).keys() == vars(make()).keys()
    model = pickle.loads(pickle.dumps(fitted(make)))
    before = model.predict(X)
    name, (value, message) = next(iter(known_parameters(model, BAD_PARAMETERS).items()))
    with pytest.raises(ValueError, match=message):
        model.set_params(**{name: value}).fit(X[["age"]], y)
    np.testing.assert_array_equal(model.predict(X), before)


@every
def test_an_interrupt_is_raised_and_leaves_no_trace(make, mixed):
    from skorch.callbacks import Callback

    class Interrupt(Callback):
        def on_batch_end(self, net, **kwargs):
            raise KeyboardInterrupt

    X, score = mixed
    model = make()
    places = {"callbacks": [Interrupt()], "engine": InterruptedEngine()}
    model.set_params(**dict([next(iter(known_parameters(model, places).items()))]))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, target_of(model, score))
    assert not [name for name in vars(model) if name.endswith("_")]


class Untouched(LogisticRegression):
    """A teacher that must not be fitted."""

    def fit(self, X, y, sample_weight=None):
        raise AssertionError("a teacher was fitted")


@pytest.mark.parametrize("kind", [GBDT2NNStudent, RationaleDistiller, FLINTClassifier])
@pytest.mark.parametrize("callbacks", [[1], [object]], ids=str)
def test_callbacks_are_checked_before_a_teacher_is_fitted(kind, callbacks, mixed):
    X, score = mixed
    with pytest.raises(TypeError, match="`callbacks` must hold skorch callbacks"):
        kind(Untouched(), callbacks=callbacks).fit(X, score > 0)


@every
def test_bad_input_names_what_is_wrong(make, fitted, mixed):
    X, score = mixed
    y = target_of(make(), score)
    bad = known_parameters(make(), BAD_PARAMETERS)
    assert bad
    for name, (value, message) in bad.items():
        with pytest.raises(ValueError, match=message):
            make().set_params(**{name: value}).fit(X, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make().fit(X, y[:-1])
    with pytest.raises(ValueError, match="at least one non-zero"):
        make().fit(X, y, sample_weight=np.zeros(len(X)))
    with pytest.raises(ValueError, match="feature names"):
        fitted(make).predict(X[X.columns[::-1]])


@pytest.mark.parametrize("make", REGRESSORS.values(), ids=REGRESSORS.keys())
def test_huge_targets(make, mixed):
    X, score = mixed
    y = 1e9 * np.exp(0.3 * score)
    model = trained_longer(make()).fit(X, y)
    assert model.score(X, y) > 0.3
    assert_reasons_hold(model, X)
