"""PySR's search, run by path in a process of its own so that nothing is loaded before Julia.

Takes the folder that `PySREngine.search` filled; leaves ``equations.csv`` there, or ``refused.json``
when PySR does not accept a parameter.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from threading import Thread
from typing import Any


def end_with_parent(folder: Path) -> None:
    """Wait until the pipe to the parent breaks, then tidy up and end: nobody is left to read the result."""
    sys.stdin.read()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def search(folder: Path) -> None:
    """Fit the regressor of PySR to ``data.npz`` with the parameters in ``parameters.json``."""
    import pysr  # before numpy: Julia's libraries must come first
    import numpy as np  # isort: skip
    import sympy as sp  # isort: skip

    parameters: dict[str, Any] = json.loads((folder / "parameters.json").read_text(encoding="utf-8"))
    for key, limits in (parameters.get("constraints") or {}).items():
        if isinstance(limits, list):  # a tuple, before it was JSON
            parameters["constraints"][key] = tuple(limits)
    mappings = {
        "aq": lambda a, b: a / sp.sqrt(1 + b**2),
        "logabs": lambda a: sp.log(sp.Abs(a)),
        "sqrtabs": lambda a: sp.sqrt(sp.Abs(a)),
    }
    try:
        model = pysr.PySRRegressor(**parameters, tempdir=str(folder), extra_sympy_mappings=mappings)
    except TypeError as error:
        (folder / "refused.json").write_text(json.dumps(str(error)), encoding="utf-8")
        return
    with np.load(folder / "data.npz") as data:
        names = [f"v{j}" for j in range(data["Z"].shape[1])]
        weights = data["weights"] if data["weights"].size else None
        model.fit(data["Z"], data["t"], weights=weights, variable_names=names)
    model.equations_[["complexity", "equation"]].to_csv(folder / "equations.csv", index=False)


if __name__ == "__main__":
    given = Path(sys.argv[1])
    Thread(target=end_with_parent, args=(given,), daemon=True).start()
    search(given)
