"""Fitted estimators say in pickles which version made them, and are refused where they cannot be read."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from sklearn.base import BaseEstimator

from . import __version__

KEY = "_skrationale_version"
FIRST = "0.1.0.dev0"
"""Its fitted estimators did not say which version made them, and hold other attributes."""


class VersionedEstimator(BaseEstimator):
    """An estimator whose pickles say which version of this package made them.

    `_unreadable` names the versions whose fitted estimators hold other attributes, or the same otherwise.
    """

    _unreadable: ClassVar[tuple[str, ...]] = (FIRST,)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), KEY: __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        made_by, name = state.pop(KEY, FIRST), type(self).__name__
        is_fitted = any(key.endswith("_") and not key.startswith("_") for key in state)
        if is_fitted and made_by in self._unreadable:
            raise ValueError(
                f"This fitted {name} was pickled by skrationale {made_by}, which skrationale {__version__} "
                f"cannot read: fit it again, or load it with skrationale {made_by}."
            )
        if is_fitted and made_by != __version__:
            warnings.warn(
                f"This fitted {name} was pickled by skrationale {made_by} and is loaded by "
                f"{__version__}; its predictions may differ. Load it with the version that made it, "
                "or fit it again.",
                UserWarning,
                stacklevel=2,
            )
        super().__setstate__(state)
