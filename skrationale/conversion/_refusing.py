"""What cannot be rewritten, said by name."""

from __future__ import annotations

from typing import Any


def refused(model: Any, got: str, expected: str) -> ValueError:
    """Make an error that says what a model has that cannot be rewritten."""
    return ValueError(
        f"The {type(model).__name__} has {got} and cannot be converted to a sum of trees; expected "
        f"{expected}. GBDT2NNStudent accepts any model if explanation='permutation'."
    )
