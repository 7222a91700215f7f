"""Pictures of the dependence within pages."""

import re

import numpy as np

from skrationale.explanation import Explanation
from skrationale.explanation.dependence_html import dependences


def make(n=40):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, n))
    typed = np.column_stack([a.astype(object), rng.choice(["<b>Ulm</b>", "Bonn"], n).astype(object), b])
    codes = (typed[:, 1] == "Bonn").astype(float)
    a[0] = np.nan
    typed[0, 0] = None
    values = np.column_stack([np.nan_to_num(3 * a), codes + 0.1 * rng.normal(size=n), np.zeros(n)])
    names = ["a", "c & d", "unused"]
    return Explanation(
        values, 0.0, data=np.column_stack([a, codes, b]), display_data=typed, feature_names=names
    )


def dots(svg, style):
    (path,) = re.findall(rf'<path class="{style}" d="([^"]*)"', svg)
    return [tuple(map(int, pair)) for pair in re.findall(r"M(\d+) (\d+)h0", path)]


def test_points_are_where_cells_and_contributions_are():
    e = make(12)
    first = str(dependences(e)).split("</figure>")[0]
    found = np.array(dots(first, "skr-dots"))
    cells, values = e.data[1:, 0], e.values[1:, 0]
    assert len(found) == 11
    for places, numbers in ((found[:, 0], cells), (-found[:, 1], values)):
        slope, shift = np.polyfit(numbers, places, 1)
        assert slope > 0
        assert np.abs(slope * numbers + shift - places).max() < 0.8
    assert len(dots(first, "skr-gone")) == 1
    assert "missing: 8% of the rows" in first


def test_levels_have_boxes_and_whole_names():
    page = str(dependences(make()))
    second = page.split("</figure>")[1]
    assert "c &amp; d" in second
    assert "&lt;b&gt;Ulm&lt;/b&gt;" in second
    assert "<b>Ulm" not in page
    assert second.count('class="skr-box"') == 2
    assert re.search(r"<title>Bonn: median 1\.\d+, \d+ rows</title>", second)


def test_unused_columns_and_rationales_have_no_picture():
    e = make()
    assert str(dependences(e)).count("<svg") == 2
    mask = np.ones((40, 3), bool)
    assert dependences(Explanation(np.ones((40, 3)), 0.0, data=e.data, mask=mask, kind="rationale")) == ""
    assert dependences(Explanation(np.ones((40, 3)), 0.0)) == ""
    assert dependences(e[:2]) == ""


def test_pages_hold_them_and_stay_small(tmp_path):
    e = make(4000)
    e.write_html(tmp_path / "page.html", max_rows=0)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert len(page) < 16_000
    several = Explanation(np.stack([e.values, 2 * e.values], axis=2), 0.0, data=e.data)
    assert "contribution to output1" in str(dependences(several))
