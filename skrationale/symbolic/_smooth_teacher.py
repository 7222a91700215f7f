"""Smooth networks as teachers of formulas; torch is imported where there is one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from ..smooth.base import BaseSmoothMLP


def is_smooth(teacher: Any) -> TypeGuard[BaseSmoothMLP]:
    """Whether a teacher is a smooth network of this package."""
    module = sys.modules.get(f"{__package__.rpartition('.')[0]}.smooth.base")  # without it there is none
    return module is not None and isinstance(teacher, module.BaseSmoothMLP)


def smooth_teacher(classifier: bool, **parameters: Any) -> BaseSmoothMLP:
    """Make the teacher that is taken where none is given."""
    from ..smooth import SmoothMLPClassifier, SmoothMLPRegressor

    return (SmoothMLPClassifier if classifier else SmoothMLPRegressor)(**parameters)
