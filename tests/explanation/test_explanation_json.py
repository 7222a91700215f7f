"""What `from_json` refuses: everything that `to_json` would not write back the same."""

import copy
import json

import numpy as np
import pytest

from skrationale.explanation import Explanation

JUNK = [
    None, True, False, 0, 1, -1, 1.5, 10**400, "", "False", "1.5", "nan", "inf", "x", [], {}, [1.0], [[1.0]],
    {"$float": "nan"}, {"$float": 3}, {"$float": "1.5"}, {"$float": "inf", "more": 1}, {"a": 1}, [[[]]],
]  # fmt: skip


@pytest.fixture(scope="module")
def plain():
    """Every entry there is, as plain data."""
    return Explanation(
        np.arange(8.0).reshape(2, 2, 2),
        [0.5, -0.5],
        data=[[1.0, np.nan], [np.inf, 2.0]],
        display_data=[["a", 1], [None, np.nan]],
        feature_names=["age", "town"],
        output_names=["cat", "dog"],
        lower_bounds=np.full((2, 2, 2), -np.inf),
        upper_bounds=np.full((2, 2, 2), 9.0),
        mask=[[True, False], [False, True]],
        attributes={
            "phi": np.array([[0.5, np.nan], [1.0, 2.0]]),
            "small": np.array([0.5, 1.5], dtype=np.float16),
            "count": np.array([3, 4], dtype=np.uint8),
            "used": np.array([True, False]),
            "words": np.array(["a", None], dtype=object),
            "names": ["a", float("inf")],
        },
        formula="age + 1",
        kind="rationale",
        link="softmax",
        meta={"rate": 0.5, "deep": [{"loss": float("nan")}]},
    ).to_dict()


def places(value, path=()):
    """Give the path to each part of nested data."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def put(plain, path, junk):
    """Copy nested data with one part changed."""
    changed = copy.deepcopy(plain)
    part = changed
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = junk
    return changed


def same(left, right):
    """Compare plain data; 1 may stand for 1.0, but True for neither."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def test_whatever_is_changed_is_read_exactly_or_refused_with_a_value_error(plain):
    read = refused = 0
    for path in list(places(plain))[1:]:
        for junk in JUNK:
            changed = put(plain, path, junk)
            try:
                back = Explanation.from_json(json.dumps(changed))
            except ValueError:
                refused += 1
                continue
            read += 1
            assert same(back.to_dict(), changed), (path, junk)
    assert refused > 4 * read > 0


@pytest.mark.parametrize(
    ("path", "junk", "match"),
    [
        (("values",), list(range(8)), r"'values' of another shape than \(2, 2, 2\): got a list of 8 where"),
        (("data",), [1.0, 2.0, 3.0, 4.0], r"'data' of another shape than \(2, 2\)"),
        (("mask", 0, 1), "False", "'False' in the entry 'mask', expected true or false"),
        (("mask", 0, 1), 0, "0 in the entry 'mask'"),
        (("values", 0, 0, 0), "1.5", "'1.5' in the entry 'values', expected a number"),
        (("values", 0, 0, 0), True, "True in the entry 'values'"),
        (("values", 0, 0, 0), 10**400, "'values', which does not fit a float64"),
        (("values",), None, "'values' as null"),
        (("n_rows",), -1, "n_rows -1, expected an integer of at least 0"),
        (("n_rows",), True, "n_rows True"),
        (("n_rows",), 10**30, "another shape"),
        (("version",), True, "version True, expected 1"),
        (("version",), 1.0, "version 1.0, expected 1"),
        (("feature_names",), "ab", "feature_names 'ab', expected a list"),
        (("feature_names",), None, "feature_names None"),
        (("feature_names", 0), 1, "feature_names a list of 2, expected a list of at least one string"),
        (("output_names",), ["a", "a"], "`output_names` must differ"),
        (("formula",), 3, "formula 3, expected a string"),
        (("kind",), ["additive"], "kind a list of 1, expected a string"),
        (("link",), None, "link None"),
        (("display_data", 0, 0), ["a"], "a list of 1 in the entry 'display_data'"),
        (("attributes",), [], "attributes a list of 0, expected an object"),
        (("attributes", "phi"), 3, r"3 in the entry \"attributes\['phi'\]\", expected an object with 'data'"),
        (("attributes", "phi", "shape"), [4], "the shape a list of 1"),
        (("attributes", "phi", "shape"), [2, -1], "the shape"),
        (("attributes", "phi", "dtype"), "V8", "dtype 'V8'"),
        (("attributes", "phi", "dtype"), "f8, f8", "dtype 'f8, f8'"),
        (("attributes", "small", "rows", 0), 1e9, "1000000000.0 .* does not fit float16"),
        (("attributes", "count", "rows", 0), 300, "300 .* expected an integer from 0 to 255"),
        (("attributes", "count", "rows", 0), 1.5, "1.5 .* expected an integer"),
        (("attributes", "used", "rows", 0), "False", "'False' .* expected true or false"),
        (("meta",), [], "meta a list of 0, expected an object"),
        (("meta",), {"$float": "nan"}, "meta .* expected an object"),
        (("meta", "deep", 0, "loss", "$float"), "1", "as the only key, with 'nan'"),
        (("more",), 1, "an entry 'more', which `to_json` does not write"),
    ],
)
def test_the_message_names_the_entry(plain, path, junk, match):
    with pytest.raises(ValueError, match=match):
        Explanation.from_json(json.dumps(put(plain, path, junk)))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[" * 100_000, "nested too deep"),
        ('{"a":' * 100_000, "nested too deep"),
        ("[" * 900 + "]" * 900, "nested too deep, expected at most"),
        ("9" * 5000, "a number that cannot be read"),
        ('{"format": 1e999}', "the number '1e999', which does not fit a float64"),
        ('{"format": 1, "format": 2}', "the entry 'format' twice"),
        (b"\xff\xfe\xff", "cannot be read"),
        ("", "must be JSON"),
        ("null", "must be the JSON of an explanation"),
    ],
)
def test_text_that_is_no_such_json(text, match):
    with pytest.raises(ValueError, match=match):
        Explanation.from_json(text)


@pytest.mark.parametrize("text", [None, 3, {}, ["{}"]])
def test_what_is_no_text_is_named(text):
    with pytest.raises(TypeError, match="`text` must be a string of JSON"):
        Explanation.from_json(text)


def test_bytes_are_read_as_text_is(plain):
    back = Explanation.from_json(json.dumps(plain).encode())
    assert back.to_dict() == plain


def test_extended_precision_comes_back_exactly():
    phi = np.array([1, np.nan, np.inf], dtype=np.longdouble) / 3
    e = Explanation(np.zeros((3, 1)), 0, attributes={"phi": phi})
    back = Explanation.from_json(e.to_json()).attributes["phi"]
    assert back.dtype == phi.dtype
    assert np.array_equal(back, phi, equal_nan=True)


def test_nesting_is_bounded_where_it_is_made():
    deep = []
    for _ in range(99):
        deep = [deep]
    e = Explanation([[1.0]], 0, meta={"deep": deep}, attributes={"deep": deep})
    assert Explanation.from_json(e.to_json()).meta == {"deep": deep}
    endless = {}
    endless["self"] = endless
    for changes in ({"meta": {"deep": [deep]}}, {"meta": endless}, {"attributes": {"deep": [[deep]]}}):
        with pytest.raises(ValueError, match=r"`(meta|attributes)` must be nested at most 100 deep"):
            Explanation([[1.0]], 0, **changes)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"values": [["1.5"]]}, "`values` must be an array of numbers"),
        ({"values": [[10**400]]}, "`values` must be an array of numbers"),
        ({"values": [[1 + 2j]]}, "`values` must be an array of numbers"),
        ({"values": np.array([[1 + 2j]], dtype=object)}, "`values` must be an array of numbers"),
        ({"data": [["7"]]}, "`data` must be an array of numbers"),
        ({"data": np.array([["2020-01-01"]], dtype="M8[D]")}, "`data` must be an array of numbers"),
        ({"data": np.array([["7"]], dtype=object)}, "`data` must be an array of numbers"),
        ({"base_values": "0.5"}, "`base_values` must be an array of numbers"),
        ({"mask": np.ma.array([[True]], mask=[[True]])}, "`mask` must hold booleans, got one with masked"),
        ({"feature_names": {"a"}}, "`feature_names` must be a sequence of strings, got set"),
        ({"feature_names": 3}, "`feature_names` must be a sequence of strings, got int"),
        ({"attributes": {1: np.zeros(1)}}, "`attributes` must have string keys, got 1"),
        ({"attributes": {"a": np.ma.array([1.0], mask=[True])}}, r"`attributes\['a'\]` has masked cells"),
        ({"meta": {"x": np.array(["2020"], dtype="M8[Y]")}}, "`meta.*must be plain data"),
    ],
)  # fmt: skip
def test_the_constructor_converts_nothing_that_is_no_number(changes, match):
    with pytest.raises(TypeError, match=match):
        Explanation(**({"values": [[1.0]], "base_values": 0} | changes))


def test_masked_numbers_are_undefined():
    e = Explanation(np.ma.array([[1.0, 7.0]], mask=[[False, True]]), 0)
    np.testing.assert_array_equal(e.values, [[1.0, np.nan]])
    assert Explanation([[1.0]], 0, meta={"x": np.longdouble(0.5)}).meta == {"x": 0.5}
