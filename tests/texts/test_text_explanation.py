"""TextExplanation: its parts, and its forms."""

import pickle

import numpy as np
import pytest

from skrationale import TextExplanation

EVIL = '<script>alert("x")</script> good & \u202ebad אב'


@pytest.fixture
def explanation():
    texts = ["Very good, good.", EVIL, ""]
    return TextExplanation(
        texts,
        [[(0, 4), (5, 9), (11, 15)], [(1, 7), (28, 32)], []],
        [[0.0, 0.9, 0.6], [0.8, 0.7], []],
        [[False, True, True], [True, True], []],
        [1.5, -2.0, 0.1],
        [0.1],
        ("pos",),
        ("pos", "neg", "pos"),
        "logit",
        {"unit": "word"},
    )


def test_parts(explanation):
    assert len(explanation) == 3
    assert explanation.words(0) == ["good", "good"]
    assert explanation[1].texts == (EVIL,)
    assert explanation[1].scores.tolist() == [[-2.0]]
    assert explanation[[2, 0]].predictions == ("pos", "pos")
    assert explanation[np.array([True, False, False])].words(0) == ["good", "good"]
    assert explanation[1:].texts == (EVIL, "")
    assert [one.texts[0] for one in explanation] == list(explanation.texts)
    assert explanation.top(1) == {"neg": [("good", 1)], "pos": [("good", 1)]}
    assert repr(explanation) == "TextExplanation(3 texts, 4 of 5 units shown, link='logit')"


def test_it_cannot_be_changed(explanation):
    for one in (explanation, pickle.loads(pickle.dumps(explanation))):
        for array in (one.values[0], one.spans[0], one.mask[1], one.scores, one.base_values):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0


def test_frame(explanation):
    frame = explanation.to_frame()
    assert frame.columns.tolist() == ["text", "start", "end", "word", "value"]
    assert frame.iloc[0].tolist() == [0, 5, 9, "good", 0.9]
    assert all(explanation.texts[row.text][row.start : row.end] == row.word for row in frame.itertuples())


def test_json_there_and_back(explanation):
    again = TextExplanation.from_json(explanation.to_json())
    assert again.to_json() == explanation.to_json()
    assert again.mask[0].dtype == bool
    assert again.spans[2].shape == (0, 2)
    for text, message in (
        ("[]", "must be the JSON"),
        ('{"format": "skrationale.TextExplanation", "version": 9}', "has version 9"),
        ('{"format": "skrationale.TextExplanation", "version": 1}', "must have the entries"),
    ):
        with pytest.raises(ValueError, match=message):
            TextExplanation.from_json(text)


def test_html_escapes_and_marks(explanation, tmp_path):
    card = explanation._repr_html_()
    assert "<script" not in card
    assert "&lt;" in card
    assert "alert(&#34;x&#34;)" in card
    assert card.count("<mark") == 4
    assert '<bdi dir="auto"' in card
    assert "\u202e" not in card
    explanation.write_html(tmp_path / "page.html", title="<b>")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<title>&lt;b&gt;</title>" in page
    assert "http" not in page
    opacity = [float(part.split(")")[0]) for part in card.split("rgba(232, 118, 12, ")[1:]]
    assert opacity[0] > opacity[1] > 0.1


def test_shap_takes_pieces_that_add_up_to_the_text(explanation):
    shap = pytest.importorskip("shap")
    given = explanation.to_shap()
    assert ["".join(pieces) for pieces in given.data] == list(explanation.texts)
    assert given.values[0].tolist() == [0.0, 0.9, 0.6]
    html = shap.plots.text(given[0], display=False)
    assert "good" in html


def test_what_does_not_fit_is_refused():
    good = {"texts": ["ab"], "spans": [[(0, 2)]], "values": [[0.5]], "mask": [[True]], "scores": [0.0]}
    TextExplanation(**good, base_values=[0.0])
    for change, message in (
        ({"spans": [[(0, 3)]]}, "must be in increasing order and lie within the 2 characters"),
        ({"values": [[0.5, 0.1]]}, r"must have shapes \(L, 2\)"),
        ({"values": []}, "must hold 1 arrays"),
        ({"predictions": ["a", "b"]}, "must hold 1 labels"),
        ({"link": "log"}, "must be one of"),
    ):
        with pytest.raises(ValueError, match=message):
            TextExplanation(**good | {"base_values": [0.0]} | change)
    with pytest.raises(TypeError, match=r"`mask\[0\]` must be an array of bool, got float64"):
        TextExplanation(**good | {"base_values": [0.0], "mask": [[0.5]]})
    with pytest.raises(TypeError, match="must hold strings"):
        TextExplanation(**good | {"base_values": [0.0], "texts": [b"ab"]})
