"""An explanation as a pandas DataFrame."""

from typing import TYPE_CHECKING, Any

import numpy as np

from .labels import pandas_index
from .wording import cells

if TYPE_CHECKING:
    import pandas as pd

    from ._explanation import Explanation


def wide_frame(explanation: "Explanation") -> "pd.DataFrame":
    """Return (n, d) values, or (n, k * d) under a MultiIndex (output, feature)."""
    import pandas as pd

    e = explanation
    index = pandas_index(e.index, len(e))
    if e.n_outputs == 1:
        return pd.DataFrame(e.values, index, columns=list(e.feature_names))
    columns = pd.MultiIndex.from_product([e.output_names, e.feature_names], names=["output", "feature"])
    return pd.DataFrame(e.values.transpose(0, 2, 1).reshape(len(e), len(columns)), index, columns=columns)


def long_frame(explanation: "Explanation") -> "pd.DataFrame":
    """Return one row for each value, ordered by row, output, feature."""
    import pandas as pd

    e = explanation
    n, d, k = len(e), len(e.feature_names), e.n_outputs

    def per_output(table: np.ndarray) -> np.ndarray:
        return np.repeat(table[:, None, :], k, axis=1).ravel()

    # One label a row, so that those of several levels become tuples.
    columns: dict[str, Any] = {"row": pandas_index(e.index, n).to_flat_index().repeat(k * d)}
    if k > 1:
        columns["output"] = np.tile(np.repeat(np.array(e.output_names, dtype=object), d), n)
    columns["feature"] = np.tile(np.array(e.feature_names, dtype=object), n * k)
    columns["value"] = e.values.reshape(n, d, k).transpose(0, 2, 1).ravel()
    typed = cells(e)
    if typed is not None:
        columns["data"] = per_output(typed)
    if e.mask is not None:
        columns["selected"] = per_output(e.mask)
    return pd.DataFrame(columns)
