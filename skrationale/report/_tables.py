"""The figures of a report as data frames."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..explanation.labels import pandas_index
from ..explanation.wording import strength
from ..writing import encodable, simple_cell
from ._measures import LABEL_MEASURES, MEASURES, REASON_MEASURES, Measured
from ._rows import Rows

FIGURES = (
    "score",
    *LABEL_MEASURES,
    *MEASURES,
    *REASON_MEASURES,
    "kilobytes",
    "predict_us",
    "explain_us",
)


def summary_frame(found: list[Measured]) -> Any:
    """One row a member, with `FIGURES`; NaN where something was not measured."""
    import pandas as pd

    rows = [
        {
            "name": one.member.name,
            "kind": one.kind,
            "teaches": ", ".join(one.member.students),
            **{name: one.figures.get(name, math.nan) for name in FIGURES},
            "parts": one.parts,
        }
        for one in found
    ]
    return pd.DataFrame(_encodable(rows)).set_index("name")


def missing_frame(found: list[Measured]) -> Any:
    """One row for each figure that is missing: whose, which, and why."""
    import pandas as pd

    rows = [
        (encodable(one.member.name), what, encodable(why))
        for one in found
        for what, why in one.missing.items()
    ]
    return pd.DataFrame(rows, columns=["name", "figure", "reason"])


def importance_frame(found: list[Measured]) -> Any:
    """Share (columns, members) that each column has of the mean absolute reasons; largest mean first."""
    import pandas as pd

    shares = {}
    for one in found:
        if one.explanation is not None:
            names = [encodable(name) for name in one.explanation.feature_names]
            size = np.nan_to_num(strength(one.explanation))
            total = float(size.sum())
            own = pd.Series(size / total if total > 0 else size, index=pd.Index(names))
            shares[encodable(one.member.name)] = own.groupby(level=0, sort=False).sum()
    table = pd.DataFrame(shares)
    return table.loc[(-table.mean(axis=1)).sort_values(kind="stable").index]


def example_frame(found: list[Measured], rows: Rows, examples: dict[int, str]) -> Any:
    """One row an example: its label, why it was chosen, the truth and all answers, and its cells."""
    import pandas as pd

    cells = rows.cells()
    table = []
    for i, why in examples.items():
        predicted = {
            f"prediction of {one.member.name}": simple_cell(one.predictions[i])
            for one in found
            if one.predictions is not None
        }
        typed = {f"cell {name}": simple_cell(cells[i, j]) for j, name in enumerate(rows.names)}
        table.append({"why": why, "y": simple_cell(rows.y[i]), **predicted, **typed})
    index = pandas_index(rows.labels, len(rows))[list(examples)]
    return pd.DataFrame(_encodable(table), index.rename("row") if index.names == [None] else index)


def _encodable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put U+FFFD for lone surrogates, which pandas may refuse to keep."""
    return [{encodable(name): encodable(cell) for name, cell in row.items()} for row in rows]
