"""What figures need on the side of matplotlib."""

from typing import Any


def need_matplotlib() -> Any:
    """Return ``matplotlib.pyplot``, or say how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("Plots need matplotlib: pip install 'skrationale[plot]'.") from error
    return plt


def plain(text: str) -> str:
    """Return a text in which a dollar sign is a dollar sign, not mathematics."""
    return text.replace("$", r"\$")
