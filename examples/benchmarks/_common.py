"""What the benchmark scripts share: versions, timing in turn, and tables of results."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import fmean, median, pstdev
from time import perf_counter
from typing import Any

import skrationale

RESULTS = Path(__file__).parent / "results"
PACKAGES = (
    *("numpy", "scipy", "pandas", "scikit-learn", "torch", "skorch", "lightgbm", "shap"),
    *("sympy", "pyoperon", "gplearn"),
)

Row = Mapping[str, Any]


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that are installed, and the model of the CPU."""
    found = {"python": platform.python_version(), "skrationale": skrationale.__version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found | {"cpu": _cpu_model()}


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def interleaved_medians(
    calls: Mapping[str, Callable[[], Any]], repeats: int = 7, clock: Callable[[], float] = perf_counter
) -> dict[str, dict[str, Any]]:
    """Seconds of callables run in turn, A B C A B C, after one untimed call of each.

    Each name gets its `median`, `min` and `max`, and its `times` in the order of the repeats: what slows
    the machine down for a while then slows all of them down. With `process_time` as the clock, time counts
    in which the process runs: that of one thread, where others share the machine.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(repeats):
        for name, call in calls.items():
            start = clock()
            call()
            times[name].append(clock() - start)
    return {name: _spread(t) | {"times": t} for name, t in times.items()}


def ratio(times: Mapping[str, Mapping[str, Any]], name: str, reference: str) -> dict[str, float]:
    """How many times as long `name` took as `reference`: the spread of the ratios within a repeat."""
    pairs = zip(times[name]["times"], times[reference]["times"], strict=True)
    return _spread([a / b for a, b in pairs])


def ratio_text(spread: Mapping[str, float]) -> str:
    """Show a ratio with its range, such as ``12.3x (11.9-14)``."""
    return f"{spread['median']:.3g}x ({spread['min']:.3g}-{spread['max']:.3g})"


def _spread(numbers: Sequence[float]) -> dict[str, float]:
    return {"median": median(numbers), "min": min(numbers), "max": max(numbers)}


def save(name: str, rows: Mapping[str, Sequence[Row]], meta: Mapping[str, Any]) -> None:
    """Write ``results/<name>.json`` with all, and ``results/<name>.md`` with a table for each section.

    `rows` holds the rows of each section by its title, `meta` what else is worth keeping; ``versions``
    in it are shown below the tables.
    """
    RESULTS.mkdir(exist_ok=True)
    content = {"meta": meta, "sections": rows}
    text = json.dumps(content, indent=1, ensure_ascii=False, default=lambda scalar: scalar.item())
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    parts = [f"# {name}", *(f"## {title}\n\n{markdown_table(section)}" for title, section in rows.items())]
    used = ", ".join(f"{package} {number}" for package, number in meta.get("versions", {}).items())
    parts.append(f"Made by `python examples/benchmarks/{name}.py`" + (f"; {used}." if used else "."))
    (RESULTS / f"{name}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def remembered(folder: Path | None, key: str, compute: Callable[[], list[dict[str, Any]]]) -> Any:
    """Compute rows, or read them where an earlier run left them."""
    if folder is None:
        return compute()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{key}.json"
    if not path.exists():
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps(compute()))
        unfinished.rename(path)
    return json.loads(path.read_text())


def load_cells(path: Path) -> list[dict[str, Any]]:
    """What was measured so far, one dict a fit."""
    return json.loads(path.read_text(encoding="utf-8"))["cells"] if path.exists() else []


def store_cell(path: Path, cell: Row, meta: Row) -> None:
    """Add one fit; the file is replaced as a whole, so that a run can be interrupted."""
    lines = ",\n".join("  " + json.dumps(c, ensure_ascii=False) for c in [*load_cells(path), cell])
    text = f'{{\n "meta": {json.dumps(meta, ensure_ascii=False)},\n "cells": [\n{lines}\n ]\n}}\n'
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def mean_and_spread(values: Iterable[float | None], digits: int = 3, scale: float = 1.0) -> str:
    """Mean ± standard deviation of the known values, empty without any."""
    known = [scale * value for value in values if value is not None and value == value]
    if not known:
        return ""
    return f"{fmean(known):.{digits}f}" + (f" ± {pstdev(known):.{digits}f}" if len(known) > 1 else "")


def markdown_table(rows: Sequence[Row]) -> str:
    """Table of the union of all keys; numbers to four digits, what is missing stays empty."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, ["---"] * len(columns), *([_cell(row.get(c)) for c in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")
