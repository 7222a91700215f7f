"""Some rows of an explanation."""

from typing import TYPE_CHECKING, Any

import numpy as np

from . import checks, labels
from ._cells import TypedCells

if TYPE_CHECKING:
    from ._explanation import Explanation


def fields_of_rows(explanation: "Explanation", rows: Any) -> dict[str, Any]:
    """Return the fields that have one entry for each row, of the rows that an index selects."""
    e, n = explanation, len(explanation)
    index = checks.row_index(rows, n)
    places = checks.places(index, n)
    arrays = {name.removeprefix("_"): a for name, a in vars(e).items() if isinstance(a, np.ndarray)}
    cut: dict[str, Any] = {name: checks.own(array[index]) for name, array in arrays.items()}
    cut["index"] = labels.taken(e.index, places)
    if isinstance(e._typed, TypedCells):
        # one array serves both
        codes = cut["data"] if e._typed.codes is e.data else checks.own(e._typed.codes[index])
        cut["display_data"] = e._typed.take(places, codes)
    if e.attributes is not None:
        cut["attributes"] = {
            key: value[index] if isinstance(value, np.ndarray) else value
            for key, value in e.attributes.items()
        }
    return cut
