"""Random tables of few rows, of all types and with all that is odd, read cell by cell and by columns."""

import datetime
import decimal
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from skrationale.tabular import FewRows, TableReader

NAMES = ("age", "city", "größe")
CELLS = {
    "text": ["a", "b", "1", "", np.str_("a"), "(unseen)", "new"],
    "numbers": [1, 0, 2.5, -0.0, True, np.float64(2.5), np.int8(1), np.bool_(True), np.float32(0.1)],
    "large": [2**53 + 1, 2**63, 2**63 - 1, -(2**63), 1e300, 10**400, np.uint64(2**64 - 1)],
    "missing": [None, np.nan, pd.NA, pd.NaT, np.float64("nan"), np.float32("nan")],
    "odd": [np.inf, 1j, b"a", datetime.date(2020, 1, 1), decimal.Decimal("1.5"), (1,), np.longdouble(1), [1]],
}
DTYPES = (
    *(
        "object",
        "str",
        "string",
        "string[python]",
        "category",
        "category of more",
        "float64",
        "float32",
        "float16",
        "int64",
    ),
    *("int8", "uint64", "bool", "Int64", "UInt8", "Float64", "Float32", "boolean", "complex128"),
    *("datetime64[ns]", "timedelta64[s]", "interval", "period", "Sparse[float]", "longdouble", "arrow"),
)


def column(cells, dtype):
    """A column of these cells, of a type that holds them; else of objects."""
    objects = pd.Series(cells, dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return typed(objects, dtype)
        except (TypeError, ValueError, OverflowError, NotImplementedError):
            return objects


def typed(cells, dtype):
    """A column of these cells as another type."""
    if dtype == "category of more":
        return cells.astype(pd.CategoricalDtype(["a", "b", "c", "1"]))
    if dtype == "interval":
        return pd.Series(pd.arrays.IntervalArray.from_tuples([None] * len(cells)))
    if dtype == "period":
        return pd.Series(pd.PeriodIndex([pd.NaT] * len(cells), freq="D"))
    if dtype == "arrow":
        return cells.astype(pd.ArrowDtype(pytest.importorskip("pyarrow").float64()))
    return cells.astype(dtype)


POOLS = (["text"], ["numbers"], ["text", "missing"], ["numbers", "missing"], ["numbers", "large"], [*CELLS])
ORDERS = (NAMES, NAMES, NAMES, NAMES[::-1], ("age",) * 3, (0, 1, 2))


@st.composite
def tables(draw):
    """A table to fit a reader to, and one to ask it about, often of the same types and the same cells."""
    n, m, d = draw(st.integers(1, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    at_fit, asked = [], []
    for _ in range(d):
        cells = [cell for kind in draw(st.sampled_from(POOLS)) for cell in CELLS[kind]]
        dtype = draw(st.sampled_from(DTYPES))
        known = draw(st.lists(st.sampled_from(cells), min_size=n, max_size=n))
        new = draw(st.lists(st.sampled_from(known if draw(st.booleans()) else cells), min_size=m, max_size=m))
        at_fit.append(column(known, dtype))
        asked.append(column(new, dtype if draw(st.booleans()) else draw(st.sampled_from(DTYPES))))
    return _named(at_fit, draw(st.sampled_from(ORDERS))), _named(asked, draw(st.sampled_from(ORDERS)))


def _named(columns, names):
    return pd.concat(columns, axis=1).set_axis(list(names[: len(columns)]), axis=1)


def outcome(reader, table):
    """What reading a table gives, or the error, and all warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = [value.hex() for value in reader.transform(table).ravel().tolist()]
        except Exception as error:
            found = type(error), str(error)
    return found, [str(warning.message) for warning in caught if warning.category is UserWarning]


def content(cells):
    return [(type(cell), repr(cell)) for cell in np.ravel(cells)]


def by_columns(reader, table):
    """What the way by columns gives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TableReader, "read_few", lambda self, table: None)
        return outcome(reader, table)


def check(at_fit, asked):
    """Compare both ways, where a reader can be fitted at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reader = TableReader().fit(at_fit)
        except (TypeError, ValueError, OverflowError):
            return
    for table in (asked, at_fit):
        expected = by_columns(reader, table)
        for _ in range(3):  # what categories stand for is remembered when they are seen again
            assert outcome(reader, table) == expected
        few = FewRows.of(table)
        assert few is None or content(few.display()) == content(table.to_numpy(dtype=object))
