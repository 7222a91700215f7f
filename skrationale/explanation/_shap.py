"""An explanation as a ``shap.Explanation``."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..writing import simple_cell

if TYPE_CHECKING:
    import shap

    from ._explanation import Explanation


def to_shap(explanation: "Explanation") -> "shap.Explanation":
    """Return an explanation which the plots of shap take; arrays are writable copies."""
    try:
        import shap
    except ImportError as error:
        raise ImportError("`to_shap` needs shap: pip install 'skrationale[shap]'.") from error

    def copied(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else array.copy()

    e = explanation
    return shap.Explanation(
        values=e.values.copy(),
        base_values=e.base_values.copy(),
        data=copied(e.data),
        display_data=None if e.display_data is None else _display_data(e.display_data),
        feature_names=list(e.feature_names),
        output_names=list(e.output_names) if e.n_outputs > 1 else e.output_names[0],
        lower_bounds=copied(e.lower_bounds),
        upper_bounds=copied(e.upper_bounds),
    )


def _display_data(typed: np.ndarray) -> np.ndarray:
    """Return cells which shap can print: it takes numbers and strings, and fails at None and dates."""

    def printable(cell: Any) -> Any:
        simple = simple_cell(cell)
        return np.nan if simple is None else simple

    return np.frompyfunc(printable, 1, 1)(typed)
