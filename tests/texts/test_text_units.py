"""Words and sentences stand where the user typed them."""

import numpy as np
import pytest

from skrationale.units import TextUnits, ranges


def pieces(text, unit="word", **options):
    return [text[start:end] for start, end in TextUnits.of([text], unit, **options).spans]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's fun, isn’t it?", ["It's", "fun", "isn’t", "it"]),
        ("a 😀b\r\n\tc", ["a", "b", "c"]),
        ("İstanbul İ x", ["İstanbul", "İ", "x"]),  # lower-cases to two characters each
        ("cafe\u0301 naïve", ["cafe", "naïve"]),
        ("x<br />y", ["x", "br", "y"]),
        ("", []),
        (" .,!\n", []),
    ],
)
def test_words_are_those_of_the_string(text, words):
    assert pieces(text) == words


def test_sentences_and_own_patterns():
    text = "Not bad! It cost 3.50 here.\nFine<br />So (it ended.) Well"
    expected = ["Not bad", "It cost 3.50 here", "Fine<br", "So (it ended", "Well"]  # br is a word
    assert pieces(text, "sentence") == expected
    assert pieces("ab#cd##e", r"[^#]+") == ["ab", "cd", "e"]
    assert pieces("aXb", r"x*") == []  # empty matches are none


def test_words_behind_the_limit_are_not_read():
    units = TextUnits.of(["a b c d", "a b", ""], "word", 3)
    assert units.n_units.tolist() == [3, 2, 0]
    assert units.truncated.tolist() == [True, False, False]


def test_units_split_fold_spread_and_take():
    texts = ["One two. Three.", "", "Four. Five six seven."]
    units = TextUnits.of(texts, "sentence")
    assert [len(part) for part in units.split(units.spans)] == [2, 0, 2]
    assert units.fold(np.arange(7.0)).tolist() == [0.5, 2.0, 3.0, 5.0]
    mask = units.flat([[True, False], [], [False, True]])
    assert units.spread(mask).tolist() == [True, True, False, False, True, True, True]
    np.testing.assert_allclose(units.shares(units.spread(mask)), [2 / 3, 0, 3 / 4])
    last = units.take(np.array([2, 0]))
    alone = TextUnits.of([texts[2], texts[0]], "sentence")
    for name in ("spans", "offsets", "groups", "word_offsets", "word_spans"):
        np.testing.assert_array_equal(getattr(last, name), getattr(alone, name))
    assert [last.words[code] for code in last.codes] == [alone.words[code] for code in alone.codes]


def test_masks_that_do_not_fit_are_refused():
    units = TextUnits.of(["a b", "c"])
    with pytest.raises(ValueError, match="mask holds 1 arrays; expected 2"):
        units.flat([[True, False]])
    with pytest.raises(ValueError, match=r"mask\[1\] must be a bool array of shape \(1,\).*int64.*\(1,\)"):
        units.flat([[True, False], [1]])
    with pytest.raises(ValueError, match=r"mask\[0\] must be a bool array of shape \(2,\).*\(3,\)"):
        units.flat([[True, False, True], [True]])


def test_ranges_follow_each_other():
    assert ranges(np.array([3, 9, 0]), np.array([2, 0, 1])).tolist() == [3, 4, 0]
    assert ranges(np.zeros(0, int), np.zeros(0, int)).tolist() == []
