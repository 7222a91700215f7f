import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skrationale.explanation import Explanation
from skrationale.metrics import comprehensiveness, deletion_curve, insertion_curve, sufficiency

WEIGHTS = np.array([4.0, -3.0, 2.0, 1.0, 0.0])
MEASURES = [comprehensiveness, sufficiency, deletion_curve, insertion_curve]


def linear(table):
    return np.asarray(table) @ WEIGHTS


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(40, 5))


def exact(X):
    return Explanation((X - X.mean(0)) * WEIGHTS, linear(X.mean(0)))


def shuffled(explanation, seed=0):
    values = np.random.default_rng(seed).permuted(explanation.values, axis=1)
    return Explanation(values, 0.0)


def probabilities(n_classes, X):
    noisy = X + np.random.default_rng(1).normal(size=X.shape)
    model = LogisticRegression().fit(X, noisy[:, :n_classes].argmax(1))
    return model, Explanation(X * model.coef_[0] if n_classes == 2 else X[:, :, None] * model.coef_.T, 0.0)


def test_of_a_linear_model_by_hand(X):
    parts = np.sort(np.abs(exact(X).values), axis=1)[:, ::-1]
    order = np.argsort(-np.abs(exact(X).values), axis=1, kind="stable")
    signed = np.take_along_axis(exact(X).values, order, axis=1)
    got = comprehensiveness(exact(X), linear, X, fill="mean", shares=0.2, per_row=True)
    np.testing.assert_allclose(got, parts[:, 0])
    got = comprehensiveness(exact(X), linear, X, fill="mean", shares=[0.2, 0.5], per_row=True)
    np.testing.assert_allclose(got, (parts[:, 0] + np.abs(signed[:, :3].sum(1))) / 2)
    got = sufficiency(exact(X), linear, X, fill="mean", shares=[0.2, 0.5], per_row=True)
    np.testing.assert_allclose(got, (np.abs(signed[:, 1:].sum(1)) + np.abs(signed[:, 3:].sum(1))) / 2)


def test_shares_by_default_are_rounded_up(X):
    e = exact(X)
    default = comprehensiveness(e, linear, X)
    assert default == comprehensiveness(e, linear, X, shares=(0.2, 0.2, 0.6))
    assert default != comprehensiveness(e, linear, X, shares=(0.2, 0.4, 0.6))
    wide = np.random.default_rng(0).normal(size=(9, 100))
    seen = []

    def counted(table):
        seen.append(np.isnan(table).sum(axis=1).max())
        return np.zeros(len(table))

    comprehensiveness(Explanation(wide, 0.0), counted, wide, fill="missing", shares=0.07)
    assert max(seen) == 7  # although 0.07 * 100 > 7 in floating point


def test_curves_of_a_linear_model_by_hand(X):
    order = np.argsort(-np.abs(exact(X).values), axis=1, kind="stable")
    signed = np.take_along_axis(exact(X).values, order, axis=1)
    gone = np.abs(np.cumsum(signed, axis=1)).mean(0)
    deleted = deletion_curve(exact(X), linear, X, fill="mean")
    np.testing.assert_allclose(deleted.shares, [0, 0.2, 0.4, 0.6, 0.8, 1])
    np.testing.assert_allclose(deleted.answers, [0, *gone])
    assert deleted.area == pytest.approx(np.sum(gone[:-1]) * 0.2 + gone[-1] * 0.1)
    left = np.abs(np.cumsum(signed[:, ::-1], axis=1)).mean(0)
    inserted = insertion_curve(exact(X), linear, X, fill="mean")
    np.testing.assert_allclose(inserted.answers, [*left[::-1], 0], atol=1e-12)
    assert deleted.measure == inserted.measure == "difference"


def test_steps_of_a_curve(X):
    assert deletion_curve(exact(X), linear, X, n_steps=2).shares.tolist() == [0, 0.4, 1]
    assert deletion_curve(exact(X), linear, X, n_steps=1).shares.tolist() == [0, 1]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_of_classes_the_fall_of_the_predicted_one(X, n_classes):
    model, e = probabilities(n_classes, X)
    whole, rows = model.predict_proba(X), np.arange(40)
    said = whole.argmax(1)
    first = np.abs(e.values if n_classes == 2 else e.values[rows, :, said]).argmax(1)
    filled = X.copy()
    filled[rows, first] = X.mean(0)[first]
    got = comprehensiveness(e, model.predict_proba, X, fill="mean", shares=0.2, per_row=True)
    np.testing.assert_allclose(got, whole[rows, said] - model.predict_proba(filled)[rows, said])
    assert (got < 0).any()  # the class may also gain


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("fill", ["marginal", "mean"])
def test_curves_of_classes_show_the_predicted_one(X, n_classes, fill):
    model, e = probabilities(n_classes, X)
    asked = {"predict": model.predict_proba, "X": X, "fill": fill}
    deleted, inserted = deletion_curve(e, **asked), insertion_curve(e, **asked)
    assert deleted.measure == inserted.measure == "answer"
    whole = model.predict_proba(X).max(1).mean()
    assert deleted.answers[0] == inserted.answers[-1] == pytest.approx(whole)
    assert deleted.answers[-1] == pytest.approx(inserted.answers[0])
    wrong = Explanation(np.random.default_rng(0).permuted(e.values, axis=1), 0.0)
    assert deleted.area < deletion_curve(wrong, **asked).area
    assert inserted.area > insertion_curve(wrong, **asked).area


@pytest.mark.parametrize("fill", ["marginal", "mean"])
def test_a_random_explanation_is_worse(X, fill):
    for seed in range(3):
        good, bad = exact(X), shuffled(exact(X), seed)
        asked = {"predict": linear, "X": X, "fill": fill}
        assert comprehensiveness(good, **asked) > comprehensiveness(bad, **asked)
        assert sufficiency(good, **asked) < sufficiency(bad, **asked)
        assert deletion_curve(good, **asked).area > deletion_curve(bad, **asked).area
        assert insertion_curve(good, **asked).area < insertion_curve(bad, **asked).area


def test_marginal_fills_are_the_cells_of_all_other_rows(X):
    first = np.abs(exact(X).values).argmax(1)
    own = X[np.arange(40), first]
    change = np.abs(WEIGHTS[first, None] * (own[:, None] - X[:, first].T)).sum(1) / 39
    got = comprehensiveness(exact(X), linear, X, shares=0.2, n_fills=4000, per_row=True)
    np.testing.assert_allclose(got, change, atol=0.2)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("classes", [False, True])
def test_more_fills_are_more_exact_but_expect_the_same(X, measure, classes):
    model, e = probabilities(2, X) if classes else (None, exact(X))
    predict = model.predict_proba if classes else linear

    def found(n_fills, seed):
        got = measure(e, predict, X, n_fills=n_fills, random_state=seed)
        return getattr(got, "area", got)

    few, many = [[found(n, seed) for seed in range(30)] for n in (1, 10)]
    assert np.mean(few) == pytest.approx(np.mean(many), abs=4 * np.std(few) / 30**0.5)
    assert np.std(many) < np.std(few)


def test_a_row_does_not_fill_itself():
    X = np.array([[0.0], [1.0]])
    flip = Explanation([[1.0], [1.0]], 0.0)
    assert comprehensiveness(flip, lambda table: table[:, 0], X, n_fills=1) == 1.0
    assert comprehensiveness(flip, lambda table: table[:, 0], X, background=[[0.0]], n_fills=1) == 0.5


def test_one_row_needs_a_background():
    one = Explanation([[1.0, 2.0]], 0.0)
    for fill in ("marginal", "mean"):
        with pytest.raises(ValueError, match="X has 1 row, .* expected at least 2, or a background"):
            comprehensiveness(one, lambda table: table[:, 1], [[5.0, 7.0]], fill=fill)
        got = comprehensiveness(
            one, lambda table: table[:, 1], [[5.0, 7.0]], background=[[0.0, 1.0]], fill=fill, shares=0.5
        )
        assert got == 6.0


def test_seeds(X):
    e = exact(X)
    for measure in (comprehensiveness, sufficiency):
        assert measure(e, linear, X, random_state=1) == measure(e, linear, X, random_state=1)
        assert measure(e, linear, X, random_state=1) != measure(e, linear, X, random_state=2)
    same = [comprehensiveness(e, linear, X, random_state=np.random.default_rng(7)) for _ in range(2)]
    assert same[0] == same[1]


def test_the_global_generator_is_left_alone(X):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for measure in MEASURES:
        measure(exact(X), linear, X)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_every_share_and_explanation_sees_the_same_draws(X):
    alone = [comprehensiveness(exact(X), linear, X, shares=share) for share in (0.2, 0.6)]
    assert comprehensiveness(exact(X), linear, X, shares=(0.2, 0.6)) == pytest.approx(np.mean(alone))
    everything = {"shares": 1.0, "per_row": True}
    np.testing.assert_allclose(
        comprehensiveness(exact(X), linear, X, **everything),
        comprehensiveness(shuffled(exact(X)), linear, X, **everything),
    )


def test_batches_change_nothing_and_are_bounded(X, monkeypatch):
    sizes = []

    def counted(table):
        sizes.append(len(table))
        return linear(table)

    whole = [comprehensiveness(exact(X), linear, X), deletion_curve(exact(X), linear, X).area]
    monkeypatch.setattr("skrationale.metrics._perturbing.MAX_ROWS", 33)
    assert comprehensiveness(exact(X), counted, X) == pytest.approx(whole[0])
    assert deletion_curve(exact(X), counted, X).area == pytest.approx(whole[1])
    assert max(sizes) <= 33
    assert len(sizes) > 4


def test_undefined_values_rank_last(X):
    values = exact(X).values.copy()
    values[:, 0] = np.nan
    got = comprehensiveness(Explanation(values, 0.0), linear, X, shares=0.8, fill="mean", per_row=True)
    np.testing.assert_allclose(got, np.abs(exact(X).values[:, 1:].sum(1)))


def test_rationales_hide_their_mask(X):
    mask = np.zeros(X.shape, dtype=bool)
    mask[:, 1] = True
    mask[0] = False
    e = Explanation(mask * 0.6, 0.0, mask=mask, kind="rationale")
    parts = (X - X.mean(0)) * WEIGHTS
    got = comprehensiveness(e, linear, X, fill="mean", per_row=True)
    np.testing.assert_allclose(got, np.abs(parts[:, 1] * mask[:, 1]), atol=1e-12)
    got = sufficiency(e, linear, X, fill="mean", per_row=True)
    np.testing.assert_allclose(got, np.abs((parts * ~mask).sum(1)), atol=1e-12)
    # asked for shares, it is an order: what is chosen comes first, whatever its weight
    weights = np.where(mask, 0.1, 0.0) + [0.0, 0.0, 0.2, 0.0, 0.0]
    e = Explanation(weights, 0.0, mask=mask, kind="rationale")
    got = comprehensiveness(e, linear, X, fill="mean", shares=0.2, per_row=True)
    np.testing.assert_allclose(got[1:], np.abs(parts[1:, 1]))
    assert got[0] == pytest.approx(np.abs(parts[0, 2]))


def test_one_column():
    X = np.arange(6.0)[:, None]
    e = Explanation(X - 2.5, 2.5)
    assert comprehensiveness(e, lambda t: t[:, 0], X, fill="mean") == 1.5
    assert sufficiency(e, lambda t: t[:, 0], X, fill="mean") == 0.0
    assert deletion_curve(e, lambda t: t[:, 0], X, fill="mean").answers.tolist() == [0, 1.5]


def test_one_column_of_answers_is_a_number(X):
    e = exact(X)
    assert comprehensiveness(e, lambda t: linear(t)[:, None], X) == comprehensiveness(e, linear, X)


@pytest.mark.parametrize("measure", MEASURES)
def test_bad_input(X, measure):
    e = exact(X)
    cases = [
        ({"explanation": e.values}, TypeError, "explanation must be an Explanation. Got ndarray"),
        ({"explanation": e[:7]}, ValueError, "explanation has 7 rows; expected 40, as X has"),
        ({"explanation": e[:0]}, ValueError, "explanation has 0 rows"),
        ({"X": X[:, :3]}, ValueError, "explanation has 5 columns; expected 3, as X has"),
        ({"X": X[0]}, ValueError, "X: Expected 2D array"),
        ({"predict": "model"}, TypeError, "predict must be callable. Got str"),
        ({"predict": lambda t: linear(t)[1:]}, ValueError, r"shape \(39,\) for 40 rows; expected \(40,\)"),
        ({"predict": lambda t: 1.0}, ValueError, r"predict returned an array of shape \(\)"),
        ({"predict": lambda t: np.array(["yes"] * len(t))}, TypeError, "predict_proba"),
        ({"predict": lambda t: linear(t) * np.nan}, ValueError, "predict returned NaN"),
        ({"fill": "zero"}, ValueError, "fill must be one of 'marginal', 'mean', 'missing'. Got 'zero'"),
        ({"n_fills": 0}, ValueError, "n_fills must be an integer of at least 1. Got 0"),
        ({"background": X[:, :2]}, ValueError, "background has 2 columns; expected 5"),
        ({"background": "rows"}, ValueError, "background: "),
    ]
    if measure in MEASURES[:2]:
        for shares in (0.0, 1.5, (), "all", [0.1, None]):
            cases.append(({"shares": shares}, ValueError, r"shares must be numbers in \(0, 1\]. Got"))
    else:
        cases.append(({"n_steps": 0.5}, ValueError, "n_steps must be an integer of at least 1. Got 0.5"))
    for change, error, message in cases:
        with pytest.raises(error, match=message):
            measure(**{"explanation": e, "predict": linear, "X": X} | change)


def test_answers_must_keep_their_shape(X):
    def moody(table):
        return np.ones((len(table), 2 if len(table) == 40 else 3))

    with pytest.raises(ValueError, match=r"predict returned \(3,\) predictions per row; expected \(2,\)"):
        comprehensiveness(exact(X), moody, X)


def test_outputs_must_be_those_of_the_model(X):
    e = Explanation(np.ones((40, 5, 3)), 0.0)
    with pytest.raises(ValueError, match=r"shape \(40,\), explanation has 3 outputs; expected .*for_output"):
        comprehensiveness(e, linear, X)


def test_values_of_attributes_are_not_those_of_columns(X):
    e = Explanation(np.ones((40, 3)), 0.0, kind="attribute")
    with pytest.raises(ValueError, match="3 columns; expected 5, .* give an explanation by column"):
        comprehensiveness(e, linear, X)
