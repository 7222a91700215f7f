"""RationaleClassifier and RationaleRegressor of pictures keep what they promise."""

import pickle
import warnings
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
import torch
from picture_scenes import DIGITS, Y, needle_scenes
from sklearn.base import clone
from torch import nn

from skrationale import RationaleClassifier, RationaleRegressor
from skrationale._task import Task
from skrationale.rationale.picture._fitting import PictureFitting
from skrationale.rationale.picture._model import mask_gradient_values
from skrationale.rationale.picture._warnings import warn_if_dim, warn_if_worse
from skrationale.report import make_report
from skrationale.serving import load, save
from skrationale.training import seeded
from skrationale.units import MaskRule

mpl.use("Agg")
QUICK = {"hidden_layer_sizes": (8, 8), "max_epochs": 2, "lr": 3e-3, "random_state": 0}
N = 300
NEW = DIGITS[1400:1500]


@pytest.fixture(scope="module")
def model():
    return RationaleClassifier(max_features=4, **QUICK).fit(DIGITS[:N], Y[:N])


def assert_same(one, other, pictures=NEW, others=None):
    """Two models, or the same one of other pictures, select and answer the same."""
    others = pictures if others is None else others
    np.testing.assert_array_equal(one.get_rationale(pictures), other.get_rationale(others))
    np.testing.assert_array_equal(one.decision_function(pictures), other.decision_function(others))


# --- what is learnt -------------------------------------------------------------------------------


def test_the_tile_that_decides_is_found():
    scenes, digit, _ = needle_scenes(600, 0)
    model = RationaleClassifier(grid=2, max_features=1, max_epochs=24, random_state=0).fit(scenes, digit)
    new, expected, truth = needle_scenes(300, 1, new=True)
    assert (model.get_rationale(new) & truth).sum() / len(new) > 0.9  # by chance 0.25
    assert model.score(new, expected) > 0.85


def test_gates_find_how_many_tiles_decide():
    scenes, digit, _ = needle_scenes(600, 0)
    model = RationaleClassifier(grid=2, selection="gates", max_epochs=24, random_state=0).fit(scenes, digit)
    new, expected, truth = needle_scenes(300, 1, new=True)
    found = model.get_rationale(new)
    assert (found & truth).sum() / truth.sum() > 0.9
    assert (found & ~truth).sum() / found.sum() < 0.3  # by chance 0.75
    assert len(set(found.sum(axis=(1, 2)))) > 1 or (found.sum(axis=(1, 2)) == 1).all()
    assert model.score(new, expected) > 0.85
    prices = [row["sparsity_lambda"] for row in model.lambda_path_]
    assert prices == sorted(prices)
    assert sum(row["selected"] for row in model.lambda_path_) == 1
    assert model.max_features_path_ == []


@pytest.mark.filterwarnings("ignore:.*of the gates")  # after two epochs
@pytest.mark.parametrize("max_features", [3, 0.25])
def test_gates_select_as_many_patches_as_asked_for(max_features):
    model = RationaleClassifier(selection="gates", max_features=max_features, **QUICK).fit(DIGITS[:N], Y[:N])
    counts = model.get_rationale(DIGITS[:N]).sum(axis=(1, 2))
    assert (counts == 3).all() if max_features == 3 else counts.mean() == pytest.approx(4, abs=0.1)
    assert_same(model, pickle.loads(pickle.dumps(model)))


def test_gates_that_dim_are_warned_of():
    sure, dim = np.full((4, 9), 9.0), np.full((4, 9), -2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_dim(np.concatenate([sure, -sure, dim]))
    with pytest.warns(UserWarning, match=r"67% of the gates are neither open nor shut.*selection='auto'"):
        warn_if_dim(np.concatenate([sure, dim, dim]))


@pytest.mark.parametrize("selection", ["learned", "mask_gradients", "occlusion"])
def test_digits(selection):
    model = RationaleClassifier(max_features=6, selection=selection, max_epochs=12, random_state=0)
    model.fit(DIGITS[:1200], Y[:1200])
    assert model.score(DIGITS[1200:], Y[1200:]) > 0.8  # six random patches of sixteen: see below
    drawn = np.random.RandomState(0).rand(len(DIGITS[1200:]), 16).argsort(1).argsort(1) < 6
    random = model.predict(DIGITS[1200:], mask=drawn.reshape(-1, 4, 4))
    assert model.score(DIGITS[1200:], Y[1200:]) > np.mean(random == Y[1200:]) + 0.1
    stages = list(dict.fromkeys(row["stage"] for row in model.history_))
    learning = ["gradients of masks", "selection"] if selection == "learned" else []
    assert stages == ["whole pictures", "random masks", *learning, "prediction"]


def test_numbers():
    brightness = DIGITS[:, 2:4, 2:4].mean(axis=(1, 2)) * 100.0
    model = RationaleRegressor(hidden_layer_sizes=(8, 16), max_features=2, max_epochs=20, random_state=0)
    model.fit(DIGITS[:1200], brightness[:1200])
    assert model.score(DIGITS[1200:], brightness[1200:]) > 0.8
    assert model.get_rationale(DIGITS[1200:])[:, 1, 1].mean() > 0.7
    assert model.explain(NEW).link == "identity"


def test_two_classes():
    model = RationaleClassifier(max_features=3, **QUICK).fit(DIGITS[:N], np.where(Y[:N] < 5, "low", "high"))
    chances = model.predict_proba(NEW)
    assert chances.shape == (100, 2)
    np.testing.assert_array_equal(chances[:, 1] > 0.5, model.predict(NEW) == "low")
    assert model.decision_function(NEW).shape == (100,)


# --- how many patches -----------------------------------------------------------------------------


def test_a_number_of_patches_is_met_in_each_picture(model):
    masks = model.get_rationale(NEW)
    assert masks.shape == (100, 4, 4)
    assert set(masks.sum(axis=(1, 2))) == {4}
    assert model.mean_n_selected_ == pytest.approx(4)


def test_a_share_of_patches_is_met_on_average():
    model = RationaleClassifier(max_features=0.3, **QUICK).fit(DIGITS[:N], Y[:N])
    assert model.mean_n_selected_ == pytest.approx(0.3 * 16, abs=0.1)
    assert model.get_rationale(DIGITS[:N]).sum(axis=(1, 2)).std() > 0


def test_without_a_number_the_fewest_that_will_do_are_taken():
    model = RationaleClassifier(**QUICK).fit(DIGITS[:N], Y[:N])
    path = model.max_features_path_
    assert [step["max_features"] for step in path] == list(range(1, 17))
    chosen = [step["max_features"] for step in path if step["selected"]]
    assert chosen == [model.get_rationale(NEW).sum(axis=(1, 2)).max()]
    assert model.lambda_path_ == []


def test_all_patches():
    with pytest.warns(UserWarning, match="max_features=16 is no limit for 16 patches"):
        model = RationaleClassifier(max_features=16, **QUICK).fit(DIGITS[:N], Y[:N])
    assert model.get_rationale(NEW).all()
    np.testing.assert_array_equal(model.predict(NEW), model.predict(NEW, mask=np.ones((100, 4, 4), bool)))


def test_a_predictor_that_forgets_whole_pictures_is_reported():
    before = np.full(100, 0.5)
    with pytest.warns(UserWarning, match=r"rose from 0\.500 to 0\.700.*at most as good as this predictor"):
        warn_if_worse(before, before + 0.2, 2.3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_worse(before, before + 0.1, 2.3)
        warn_if_worse(before, before + np.random.RandomState(0).normal(0.2, 5.0, 100), 2.3)
        warn_if_worse(before[:0], before[:0], 2.3)


# --- contracts ------------------------------------------------------------------------------------


def test_no_hidden_pixel_takes_part(model):
    """With the mask held, hidden pixels may be any others: not one bit changes."""
    mask, expected = model.get_rationale(NEW), model.decision_function(NEW)
    np.testing.assert_array_equal(model.decision_function(NEW, mask=mask), expected)
    shown, rng = model.get_pixel_mask(NEW), np.random.RandomState(0)
    for others in (rng.permutation(NEW), np.zeros_like(NEW), np.full_like(NEW, 16)):
        changed = np.where(shown, NEW, others)
        np.testing.assert_array_equal(model.decision_function(changed, mask=mask), expected)
    assert (model.decision_function(np.where(shown, 0, NEW), mask=mask) != expected).any()


def test_types_of_pixels_do_not_matter(model):
    for pixels in (NEW.astype(np.float64), NEW.astype(np.float32), NEW.astype(int), torch.from_numpy(NEW)):
        assert_same(model, model, NEW, pixels)
    assert_same(model, model, NEW, NEW.reshape(100, 64))  # flat ones stay what they are


def test_fit_does_not_depend_on_the_type_or_the_axis_of_one_channel(model):
    pictures = DIGITS[:N, None].astype(np.float32)
    assert_same(model, RationaleClassifier(max_features=4, **QUICK).fit(pictures, Y[:N]))
    assert_same(model, model, NEW, NEW[:, None])


def test_neither_the_order_of_pictures_nor_their_number_matters(model):
    order = np.random.RandomState(0).permutation(100)
    np.testing.assert_array_equal(model.get_rationale(NEW[order]), model.get_rationale(NEW)[order])
    many = model.decision_function(DIGITS[1200:])
    np.testing.assert_allclose(model.decision_function(NEW), many[200:300], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(model.decision_function(NEW[7:8]), many[207:208], rtol=1e-10, atol=1e-12)
    one, other = model.explain(NEW), model.explain(NEW, batch_size=7)
    np.testing.assert_allclose(one.values, other.values, rtol=1e-9, atol=1e-12)


def test_pictures_need_not_be_square():
    wide = np.tile(DIGITS[:N], (1, 1, 2))[:, :7]
    model = RationaleClassifier(max_features=5, **QUICK).fit(wide, Y[:N])
    assert model.image_shape_ == (1, 7, 16)
    assert model.grid_ == (3, 8)
    masks, pixels = model.get_rationale(wide), model.get_pixel_mask(wide)
    assert masks.shape == (N, 3, 8)
    assert set(masks.sum(axis=(1, 2))) == {5}
    assert pixels.shape == (N, 7, 16)
    np.testing.assert_array_equal(model.predict(wide, mask=pixels), model.predict(wide))
    colours = np.stack([wide, wide // 2, 16 - wide], axis=1)
    model = RationaleClassifier(grid=(2, 4), max_features=3, **QUICK).fit(colours, Y[:N])
    assert model.get_rationale(colours).shape == (N, 2, 4)


def test_it_is_the_same_after_a_file(model, tmp_path):
    assert_same(model, pickle.loads(pickle.dumps(model)))
    save(model, tmp_path / "model.skops")
    assert_same(model, load(tmp_path / "model.skops"))


@pytest.mark.parametrize("selection", ["learned", "mask_gradients", "occlusion"])
def test_clones_are_alike(selection):
    model = RationaleClassifier(max_features=0.25, selection=selection, **QUICK).fit(DIGITS[:N], Y[:N])
    assert_same(model, clone(model).fit(DIGITS[:N], Y[:N]))


def test_a_model_of_pictures_can_become_one_of_a_table(model):
    other = clone(model).fit(DIGITS[:N], Y[:N])
    other.fit(DIGITS[:N].reshape(N, 64), Y[:N])
    assert other.get_rationale(NEW.reshape(100, 64)).shape == (100, 64)
    assert not hasattr(other, "grid_")
    with pytest.raises(TypeError, match="is only for pictures"):
        other.get_pixel_mask(NEW.reshape(100, 64))
    with pytest.raises(ValueError, match=r"images of shape \(1, 8, 8\).*expected rows"):
        other.predict(NEW)


def test_one_class_needs_no_patch():
    model = RationaleClassifier(**QUICK).fit(DIGITS[:50], np.full(50, "digit"))
    assert model.selection_ == "learned"
    assert not model.get_rationale(NEW).any()
    assert set(model.predict(NEW)) == {"digit"}
    assert not model.explain(NEW).mask.any()


def test_weights(model):
    twice = np.concatenate([DIGITS[:N], DIGITS[:50]])
    weight = np.concatenate([np.ones(N), np.zeros(50)])
    assert_same(model, clone(model).fit(twice, np.concatenate([Y[:N], Y[:50]]), weight))


# --- what is shown --------------------------------------------------------------------------------


def test_an_explanation_has_a_name_for_each_patch(model):
    explanation = model.explain(NEW)
    assert explanation.kind == "rationale"
    assert explanation.values.shape == explanation.mask.shape == (100, 16)
    assert explanation.feature_names[6] == "row 1, column 2"
    assert explanation.meta["grid"] == [4, 4]
    assert explanation.meta["image_shape"] == [1, 8, 8]
    assert not explanation.values[~explanation.mask].any()
    np.testing.assert_array_equal(explanation.mask.reshape(100, 4, 4), model.get_rationale(NEW))
    np.testing.assert_allclose(explanation.data[:, 6], NEW[:, 2:4, 4:6].mean(axis=(1, 2)))


def test_values_are_what_patches_add():
    """By occlusion a value is the log-probability that the first predictor loses without the patch."""
    model = RationaleClassifier(max_features=16, selection="occlusion", **QUICK)
    with pytest.warns(UserWarning, match="16 patches"):
        model.fit(DIGITS[:N], Y[:N])
    inner, matrix = model._model, NEW.reshape(100, 64).astype(float)
    without = np.ones((100, 16), bool)
    without[:, 5] = False
    whole, less = (
        model._task.probabilities(inner.scores_of(inner.judge, matrix, mask))
        for mask in (np.ones((100, 16), bool), without)
    )
    place = whole.argmax(axis=1)[:, None]
    found = np.log(np.take_along_axis(whole, place, 1) / np.take_along_axis(less, place, 1))[:, 0]
    np.testing.assert_allclose(model.explain(NEW).values[:, 5], found, atol=1e-8)


def test_gradients_of_masks_add_up(monkeypatch):
    """Integrated, they sum to what the whole picture adds to the log-probability (completeness)."""
    model = RationaleClassifier(max_features=4, selection="mask_gradients", **QUICK).fit(DIGITS[:N], Y[:N])
    monkeypatch.setattr("skrationale.rationale.picture._model.PATH_STEPS", 64)
    inner = model._model
    judge = inner.plan.predictor_of(inner.judge)
    x = torch.from_numpy(inner.encode(NEW.reshape(100, 64).astype(float)))
    values = mask_gradient_values(judge, x, "softmax").sum(1)
    with torch.no_grad():
        whole, nothing = (judge(x, torch.full((100, 16), share).double()).log_softmax(1) for share in (1, 0))
    place = whole.argmax(1, keepdim=True)
    gained = (whole - nothing).gather(1, place)[:, 0]
    assert np.corrcoef(values, gained)[0, 1] > 0.99
    np.testing.assert_allclose(values, gained, atol=0.1)


def test_the_better_way_to_select_is_taken(model):
    """Right answers come first, then few patches, then a low loss; a given selector is used."""
    truth = np.zeros((100, 16), dtype=bool)
    truth[:, 5] = True
    y = np.arange(100) % 2

    def judged(_module, rows, mask):
        """Logits of a judge that knows the class where it sees patch 5."""
        sure = np.where((mask & truth[rows]).any(axis=1), 3.0, 0.1)
        return torch.from_numpy(np.where(y[rows] == 1, sure, -sure)[:, None])

    def better(values, others, k):
        parameters = RationaleClassifier(max_features=k, selection="auto")
        fitting = SimpleNamespace(
            parameters=parameters, task=Task("logit", 1, np.arange(2)), n_units=16, y=y, path=[]
        )
        fitting.constant_loss = 0.7
        fitting._judging = lambda: (np.arange(100), np.ones(100))
        fitting._judged = judged
        fitting._lost = lambda scores, rows: PictureFitting._lost(fitting, scores, rows)
        fitting._losses = lambda module, rows, mask: fitting._lost(judged(module, rows, mask), rows)
        fitting._fewest = lambda module, own: PictureFitting._fewest(fitting, module, own)
        fitting._rule = lambda module, own: PictureFitting._rule(fitting, module, own)
        return PictureFitting._is_better(fitting, None, values, others)

    good, late, bad = np.zeros((3, 100, 16))
    good[:, 5], late[:, 5], bad[:, 5] = 9.0, -1.0, -9.0
    late[:, 6:] = -2.0
    assert better(good, bad, 1)  # both are right, the other one is less sure
    assert not better(bad, good, 1)
    assert better(good, late, None)  # both find patch 5, the other one late
    assert not better(late, good, None)
    given = RationaleClassifier(max_features=4, selector=nn.Conv2d(1, 1, 3, padding=1), **QUICK)
    assert given.fit(DIGITS[:N], Y[:N]).selection_ == "learned"
    assert model.selection_ in ("learned", "mask_gradients")


def test_right_answers_count_more_than_a_low_loss():
    rng = np.random.RandomState(0)
    y, values = rng.randint(2, size=400), np.zeros((2, 400, 4))
    values[0, :, 0] = values[1, :, 1] = 1.0  # each shows another patch

    def judged(_module, rows, mask):
        """Patch 0 is right in nine of ten, and sure of it; patch 1 in eight of ten, and doubtful."""
        first = np.where(rows % 10 < 9, 1.0, -1.0) * 6.0
        second = np.where(rows % 10 < 8, 1.0, -1.0) * 1.0
        return torch.from_numpy((np.where(mask[:, 0], first, second) * (2 * y[rows] - 1))[:, None])

    task = Task("logit", 1, np.arange(2))
    fitting = SimpleNamespace(task=task, y=y, _judging=lambda: (np.arange(400), np.ones(400)))
    fitting._judged, fitting._rule = judged, lambda _module, own: MaskRule(k=1)
    fitting._lost = lambda scores, rows: PictureFitting._lost(fitting, scores, rows)
    lost = [fitting._lost(judged(None, np.arange(400), own > 0), np.arange(400)).mean() for own in values]
    assert lost[0] > lost[1]
    assert PictureFitting._is_better(fitting, None, values[0], values[1])
    assert not PictureFitting._is_better(fitting, None, values[1], values[0])


class Rounded(nn.Module):
    """A network without a gradient with respect to its input."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2 * 64, 10)

    def forward(self, x):
        return self.layer(x.detach().round().flatten(1))


def test_a_network_without_gradients_is_refused_where_they_are_needed():
    settings = QUICK | {"hidden_layer_sizes": "auto", "backbone": Rounded(), "max_features": 4}
    with pytest.raises(ValueError, match="without a gradient .* which selection='mask_gradients' needs"):
        RationaleClassifier(selection="mask_gradients", **settings).fit(DIGITS[:N], Y[:N])
    model = RationaleClassifier(**settings).fit(DIGITS[:N], Y[:N])
    assert model.selection_ == "learned"
    assert "gradients of masks" not in {row["stage"] for row in model.history_}


def test_the_selector_of_a_given_network_learns_in_all_its_layers():
    net = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, 10))
    model = RationaleClassifier(
        backbone=net, max_features=4, selection="learned", max_epochs=2, random_state=0
    )
    inner = model.fit(DIGITS[:N], Y[:N])._model
    (name,) = [name for name in inner.selector if name.endswith("0.weight")]
    before = next(values for key, values in inner.judge.items() if key.endswith("0.weight"))
    assert (inner.selector[name] != before).any()


def test_patches_are_the_same_in_inference_mode():
    model = RationaleClassifier(max_features=4, selection="mask_gradients", **QUICK).fit(DIGITS[:N], Y[:N])
    expected = model.get_rationale(NEW)
    for mode in (torch.inference_mode, torch.no_grad):
        with mode():
            np.testing.assert_array_equal(model.get_rationale(NEW), expected)


def test_hidden_pixels_are_missing_or_have_the_mean_colour(model):
    shown = model.get_pixel_mask(NEW)
    floats, whole = model.select(NEW.astype(float)), model.select(NEW)
    np.testing.assert_array_equal(np.isnan(floats), ~shown)
    np.testing.assert_array_equal(floats[shown], NEW[shown])
    assert whole.dtype == np.uint8
    assert set(whole[~shown]) == {round(DIGITS[:N].mean())}
    assert model.select(NEW[:, None]).shape == (100, 1, 8, 8)


def test_masks_of_users(model):
    mask = model.get_rationale(NEW)
    by_pixel = model.get_pixel_mask(NEW)
    expected = model.predict_proba(NEW)
    np.testing.assert_array_equal(model.predict_proba(NEW, mask=mask), expected)
    np.testing.assert_array_equal(model.predict_proba(NEW, mask=by_pixel), expected)
    by_pixel[0, 0, 0] = ~by_pixel[0, 0, 0]
    with pytest.raises(ValueError, match="not the same in all pixels of a patch"):
        model.predict(NEW, mask=by_pixel)
    with pytest.raises(ValueError, match=r"\(100, 4, 4\).*\(100, 8, 8\).*Got"):
        model.predict(NEW, mask=mask.astype(int))


def test_a_plot_of_pictures_has_a_line_of_rationales(model):
    display = model.plot_rationale(NEW, y=Y[1400:1500], n=5)
    assert display.axes_.shape == (2, 5)
    assert display.axes_[0, 0].get_title() == f"{Y[1400]} → {model.predict(NEW[:1])[0]}"
    picture, washed = (ax.images[0].get_array() for ax in display.axes_[:, 0])
    shown = model.get_pixel_mask(NEW)[0]
    np.testing.assert_allclose(picture, np.repeat(NEW[0][..., None] / DIGITS[:N].max(), 3, axis=2))
    np.testing.assert_array_equal(washed[shown], picture[shown])
    assert (washed[~shown] != picture[~shown]).all()
    assert model.plot_rationale(NEW, n=2, captions=["a", "b"]).axes_[0, 1].get_title() == "b"
    assert model.plot_rationale(NEW[:3, None]).axes_.shape == (2, 3)


def test_a_plot_without_pictures_has_a_map_for_each_class(model):
    display = model.plot_rationale(n=10)
    assert display.axes_.shape == (1, 10)
    found = display.axes_[0, 3].images[0].get_array()
    np.testing.assert_allclose(found, np.nan_to_num(model.class_frequencies_[3]).reshape(4, 4))


def test_plots_that_cannot_be_drawn_are_refused(model):
    with pytest.raises(ValueError, match="n must be an integer"):
        model.plot_rationale(NEW, n=0)
    with pytest.raises(ValueError, match="captions has 1 entries; expected one for each of 8"):
        model.plot_rationale(NEW, captions=["a"])
    table = RationaleRegressor(max_epochs=1, random_state=0).fit(np.eye(30), np.arange(30.0))
    with pytest.raises(TypeError, match="plot_rationale is only for pictures"):
        table.plot_rationale(np.eye(30))


def test_reports_and_cards_say_what_to_use_for_pictures(model, tmp_path):
    with pytest.raises(TypeError, match="Reports and model cards are for tables"):
        make_report({"model": model}, NEW, Y[1400:1500], path=tmp_path / "report.html")
    with pytest.raises(TypeError, match=r"use `audit\(X, y\)` and `plot_rationale"):
        model.model_card(tmp_path / "card.md", NEW, Y[1400:1500])


# --- what is refused ------------------------------------------------------------------------------


def test_channels_last_are_refused(model):
    colours = np.repeat(DIGITS[:N, :, :, None], 3, axis=3)
    with pytest.raises(ValueError, match=r"channels last.*X\.transpose\(0, 3, 1, 2\)"):
        RationaleClassifier(**QUICK).fit(colours, Y[:N])
    with pytest.raises(ValueError, match="channels last"):
        model.predict(NEW[..., None])


def test_pixels_in_other_units_are_refused(model):
    with pytest.raises(ValueError, match="pixels from 0 to 1.*expected whole numbers from 0 to 16"):
        model.predict(NEW / 16)
    parts = RationaleClassifier(**QUICK).fit(DIGITS[:N] / 16, Y[:N])
    with pytest.raises(ValueError, match="expected from 0 to 1"):
        parts.predict(NEW)


def test_no_pictures_are_refused_as_no_rows_are(model):
    for method in (model.predict, model.explain, model.get_rationale):
        with pytest.raises(ValueError, match=r"0 sample\(s\) .* a minimum of 1 is required"):
            method(NEW[:0])
    with pytest.raises(ValueError, match="a minimum of 1 is required"):
        clone(model).fit(NEW[:0], Y[:0])


def test_other_shapes_and_missing_pixels_are_refused(model):
    with pytest.raises(ValueError, match=r"\(1, 8, 4\)"):
        model.predict(NEW[:, :, :4])
    holes = NEW.astype(float)
    holes[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="1 images with NaN"):
        model.get_rationale(holes)
    with pytest.raises(ValueError, match=r"1 images with NaN"):
        RationaleClassifier(**QUICK).fit(holes, Y[1400:1500])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fill", "zero"),
        ("relaxation", "gumbel"),
        ("sparsity_lambda", 0.1),
        ("preset", "paper"),
        ("screening", False),
        ("temperature", (3.0, 0.1)),
    ],
)
def test_parameters_of_tables_are_refused(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of RationaleClassifier is only for tables"):
        RationaleClassifier(**QUICK, **{name: value}).fit(DIGITS[:N], Y[:N])


@pytest.mark.parametrize(
    ("name", "value"),
    [("grid", 4), ("selection", "occlusion"), ("backbone", nn.Linear(1, 1)), ("selector", nn.Identity())],
)
def test_parameters_of_pictures_are_refused_for_tables(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of RationaleRegressor is only for pictures"):
        RationaleRegressor(**{name: value}).fit(np.eye(30), np.arange(30.0))


@pytest.mark.parametrize("grid", [9, (4,), (4, 0), (2.5, 2), (4, 9)])
def test_grids_that_do_not_fit_are_refused(grid):
    with pytest.raises(ValueError, match="'grid' parameter of RationaleClassifier must be"):
        RationaleClassifier(grid=grid, **QUICK).fit(DIGITS[:N], Y[:N])


def test_no_graph_is_written(model):
    with pytest.raises(TypeError, match="fitted to pictures; to_onnx is available only for tables"):
        model.to_onnx()


@pytest.mark.parametrize(
    ("shape", "grid"),
    [((28, 28), (7, 7)), ((32, 64), (8, 8)), ((8, 8), (4, 4)), ((28, 20), (7, 5)), ((29, 3), (8, 1))],
)
def test_usual_grids(shape, grid):
    from skrationale.rationale.picture._form import grid_for

    assert grid_for(RationaleClassifier(), (1, *shape)) == grid


# --- networks of users ----------------------------------------------------------------------------


class Small(nn.Module):
    """Convolutions, batch normalisation and dropout, as users have them."""

    def __init__(self, n_channels, n_outputs=10):
        super().__init__()
        self.maps = nn.Sequential(
            nn.Conv2d(n_channels, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.1), nn.Linear(8 * 16, n_outputs))

    def forward(self, x):
        return self.head(self.maps(x))


def small(n_channels, n_outputs=10):
    with seeded(0):
        return Small(n_channels, n_outputs)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_given_network(channels):
    settings = QUICK | {"max_epochs": 16}
    model = RationaleClassifier(max_features=5, backbone=small(channels), **settings)
    model.fit(DIGITS[:1000], Y[:1000])
    assert model._model.plan.told == (channels == 2)
    assert model._model.plan.layer == "maps"
    assert model.score(DIGITS[1200:], Y[1200:]) > 0.7
    assert_same(model, pickle.loads(pickle.dumps(model)))
    assert_same(model, clone(model).fit(DIGITS[:1000], Y[:1000]))
    mask, shown = model.get_rationale(NEW), model.get_pixel_mask(NEW)
    changed = np.where(shown, NEW, 16 - NEW)
    np.testing.assert_array_equal(
        model.decision_function(changed, mask=mask), model.decision_function(NEW, mask=mask)
    )


def test_given_networks_are_not_changed():
    net = small(2)
    before = {name: weight.clone() for name, weight in net.state_dict().items()}
    RationaleClassifier(max_features=5, backbone=net, **QUICK).fit(DIGITS[:N], Y[:N])
    assert all(torch.equal(before[name], weight) for name, weight in net.state_dict().items())


def test_a_factory_and_a_selector_of_users():
    selector = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 1))
    model = RationaleClassifier(max_features=5, backbone=small, selector=selector, **QUICK)
    model.fit(DIGITS[:N], Y[:N])
    assert model.get_rationale(NEW).shape == (100, 4, 4)
    assert_same(model, pickle.loads(pickle.dumps(model)))


def test_two_outputs_for_two_classes():
    model = RationaleClassifier(max_features=5, backbone=small(2, 2), **QUICK).fit(DIGITS[:N], Y[:N] > 4)
    assert model.predict_proba(NEW).shape == (100, 2)


def test_networks_that_do_not_fit_are_refused():
    def fit(**settings):
        RationaleClassifier(**QUICK, **settings).fit(DIGITS[:N], Y[:N])

    with pytest.raises(ValueError, match=r"`backbone` takes neither pictures of shape \(2, 8, 8\)"):
        fit(backbone=small(5))
    with pytest.raises(
        ValueError, match=r"`backbone` gives an array of shape \(2, 7\); expected .*\(2, 10\)"
    ):
        fit(backbone=small(2, 7))
    with pytest.raises(TypeError, match="factory given as `backbone` returns int"):
        fit(backbone=lambda channels, outputs: 3)
    with pytest.raises(ValueError, match=r"`selector` gives an array of shape \(2, 64\)"):
        fit(selector=nn.Flatten())


def test_a_vision_transformer():
    transformers = pytest.importorskip("transformers")
    config = transformers.ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=8,
        patch_size=2,
        num_channels=2,
        num_labels=10,
    )
    with seeded(0):
        net = transformers.ViTForImageClassification(config)
    model = RationaleClassifier(max_features=4, backbone=net, **QUICK).fit(DIGITS[:N], Y[:N])
    assert model._model.plan.told
    assert set(model.get_rationale(NEW).sum(axis=(1, 2))) == {4}
    assert_same(model, pickle.loads(pickle.dumps(model)))
