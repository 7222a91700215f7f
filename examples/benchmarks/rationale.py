"""Rationales: are the right columns found, does a small student learn them, and what do few columns cost?

    python examples/benchmarks/rationale.py --part syn        # Syn1 to Syn6 and harder forms, 5 seeds
    python examples/benchmarks/rationale.py --part student    # networks of (8, 8), alone and taught
    python examples/benchmarks/rationale.py --part real       # six tables: score against columns a row
    python examples/benchmarks/rationale.py --part syn --only Syn4 "Syn4, 100 columns" --seeds 1
    python examples/benchmarks/rationale.py --quick           # all parts on few rows, in a temporary folder
    python examples/benchmarks/rationale.py --render          # tables and plot of what is stored

On one thread ``syn`` takes about an hour, ``real`` two and ``student`` one. Every finished fit is written to
``results/rationale.json``; a run goes on from there. pytorch-tabnet and invase take part when they are
installed. Seconds are those of a fit; a ratio is to LightGBM (300 trees) with the same data and seed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from _common import RESULTS, load_cells, markdown_table, mean_and_spread, store_cell, versions
from _rationale_methods import PARTS, QUICK, QUICK_ROWS, Jobs, SynSetting

NAME = "rationale"
PEERS = ("pytorch-tabnet", "invase")
SYN_NAMES = [f"Syn{number}" for number in range(1, 7)]
# TPR / FDR in percent, as printed in Hide&Seek (ICML 2026), medians of 20 runs there
PUBLISHED_MASKS = {
    "Hide&Seek": ("100 / 0", "100 / 0", "99 / 0", "99 / 4", "97 / 3", "98 / 4"),
    "INVASE": ("100 / 0", "100 / 0", "91 / 0", "90 / 4", "83 / 1", "90 / 9"),
    "REAL-X": ("100 / 9", "100 / 4", "82 / 1", "98 / 15", "88 / 9", "91 / 4"),
    "L2X": ("30 / 70", "75 / 25", "43 / 57", "44 / 65", "53 / 57", "53 / 47"),
}
# test AUROC as printed in the paper of TabNet
PUBLISHED_AUROC = {
    "TabNet": (0.682, 0.892, 0.897, 0.776, 0.789, 0.878),
    "INVASE": (0.690, 0.877, 0.902, 0.787, 0.784, 0.877),
    "no selection": (0.578, 0.789, 0.854, 0.558, 0.662, 0.692),
}
TRADE_OFF = (
    *("LightGBM", "MLP (64, 64)", "TabNet", "ours", "ours, 4 a row", "LightGBM, the same 4 columns"),
    *("MLP (64, 64), the same 4 columns", "student alone, 4 a row", "student, REKD, 4 a row"),
)
SCORES = {"covertype_50k": "accuracy", "california_housing": "R2"}
NOTES = """Means ± standard deviations over seeds, on rows that were not used in fit. TPR: share of a
row's true columns that are chosen; FDR: share of the chosen that are not true; F1: of the two sets of
columns; all three are means over rows, TPR and FDR in percent, as is the share of rows for which the
switch is chosen (the column that says which others matter). "TPR, number given": of the method's largest
weights as many as there are true columns, which no method can know. "× LightGBM": median over seeds of
the seconds of a fit against LightGBM's (300 trees) with the same data and seed."""
SYN_NOTES = """10,000 training rows and 11 columns where nothing else is said, 10,000 test rows.
`preset='paper'` is given the true mean number of columns. TabNet: pytorch-tabnet's defaults, stopped on
15 % of the rows; a column is chosen where its aggregated mask is not zero. LightGBM answers from all
columns and ranks them by TreeSHAP. invase: the package explains a network of scikit-learn, whose score
this is, from all columns, by importances; one seed of Syn4, and 200 epochs, for of its own 10,000 not even
1,000 ended within 13 minutes. True probabilities: the best score there is.
All seconds were taken while other fits ran on the second core."""
STUDENT_NOTES = """Students are networks of (8, 8) with 10,000 training rows. "Best lambda" is chosen by
the mean score on the test rows, in favour of students alone."""
REAL_NOTES = """Score: AUROC, for covertype_50k accuracy, for california_housing R2. "The same k columns":
those of largest gain in a LightGBM of all columns, the same for every row; the seconds are of the second
fit alone. TabNet's columns are those with a mask above zero in some step."""


# --- storage ------------------------------------------------------------------------------------------


def _path(folder: Path) -> Path:
    return folder / f"{NAME}.json"


def _peer_versions() -> dict[str, str]:
    found = {}
    for package in PEERS:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


# --- tables -------------------------------------------------------------------------------------------


def detail(cells: pd.DataFrame, score: str = "AUROC") -> list[dict[str, Any]]:
    """A line a setting and method."""
    shown = {
        "TPR": ("tpr", 1, 100.0),
        "FDR": ("fdr", 1, 100.0),
        "F1": ("f1", 3, 1.0),
        "TPR, number given": ("oracle_tpr", 1, 100.0),
        "rows with the switch": ("switch", 1, 100.0),
        "columns a row": ("n_selected", 2, 1.0),
        score: ("score", 4, 1.0),
        "seconds": ("seconds", 1, 1.0),
    }
    lines = []
    for (setting, method), group in cells.groupby(["setting", "method"], sort=False):
        line = {"setting": setting, "method": method}
        line |= {title: mean_and_spread(group[c], d, s) for title, (c, d, s) in shown.items() if c in group}
        ratios = group["to_lightgbm"].dropna()
        lines.append(line | {"× LightGBM": f"{ratios.median():.3g}" if len(ratios) else ""})
    filled = [t for t in lines[0] if any(line.get(t) for line in lines)] if lines else []
    return [{title: line.get(title, "") for title in filled} for line in lines]


def with_ratios(cells: pd.DataFrame) -> pd.DataFrame:
    """Seconds against LightGBM's with the same part, setting and seed."""
    key = ["part", "setting", "seed"]
    is_reference = cells["method"].isin(["LightGBM", "LightGBM, TreeSHAP"])
    reference = cells[is_reference].set_index(key)["seconds"].rename("reference")
    joined = cells.join(reference, on=key)
    return joined.assign(to_lightgbm=joined["seconds"] / joined["reference"])


def beside_published(cells: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Measured figures, beside printed ones for Syn1 to Syn6."""
    label = " (published)"
    masks, scores = [], []
    for i, name in enumerate(cells["setting"].drop_duplicates()):
        rows = cells[cells["setting"] == name].groupby("method", sort=False)
        means = rows[["tpr", "fdr", "oracle_tpr", "score"]].mean()
        mask = {m: f"{100 * r.tpr:.0f} / {100 * r.fdr:.0f}" for m, r in means.dropna(subset="tpr").iterrows()}
        given = means[means["tpr"].isna() & means["oracle_tpr"].notna()]["oracle_tpr"]
        mask |= {f"{m}, number given": f"{100 * v:.0f} / {100 * (1 - v):.0f}" for m, v in given.items()}
        printed = i < len(SYN_NAMES)
        mask |= {f"{m}{label}": values[i] if printed else "" for m, values in PUBLISHED_MASKS.items()}
        auroc = {m: f"{r.score:.3f}" for m, r in means.iterrows()}
        auroc |= {
            f"{m}{label}": f"{values[i]:.3f}" if printed else "" for m, values in PUBLISHED_AUROC.items()
        }
        masks.append({"setting": name} | mask)
        scores.append({"setting": name} | auroc)
    return {"TPR / FDR in percent": level(masks), "AUROC": level(scores)}


def level(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give all rows all columns, published ones last."""
    names = sorted(dict.fromkeys(name for row in rows for name in row), key=lambda n: "published" in n)
    return [{name: row.get(name, "") for name in names} for row in rows]


def by_method(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """Masks and scores of each setting side by side, a line a method."""
    lines: dict[str, dict[str, Any]] = {}
    for (setting, method), group in cells.groupby(["setting", "method"], sort=False):
        name = "alone, best lambda" if "best lambda" in method else method
        means = group[["tpr", "fdr", "score"]].mean()
        masks = "" if pd.isna(means["tpr"]) else f"{100 * means['tpr']:.0f} / {100 * means['fdr']:.0f}, "
        lines.setdefault(name, {"method": name})[setting] = f"{masks}{means['score']:.4f}"
    return list(lines.values())


def trade_off(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """Mean score and mean number of columns of the main methods, a line a table."""
    lines = []
    for setting, group in cells.groupby("setting", sort=False):
        means = group.groupby("method")[["score", "n_selected"]].mean()
        told = {m: f"{r.score:.3f} ({r.n_selected:.1f})" for m, r in means.iterrows()}
        lines.append({"table": setting} | {method: told.get(method, "") for method in TRADE_OFF})
    return lines


def with_best_alone(cells: pd.DataFrame) -> pd.DataFrame:
    """The grid of students alone, cut to the best of each setting."""
    on_grid = cells["method"].str.startswith("alone, lambda")
    best = []
    for _, group in cells[on_grid].groupby("setting", sort=False):
        method = group.groupby("method")["score"].mean().idxmax()
        winner = group[group["method"] == method]
        best.append(winner.assign(method=method.replace("lambda", "best lambda:")))
    kept = pd.concat([cells[~on_grid], *best])
    order = kept["setting"].drop_duplicates().tolist()
    return kept.sort_values("setting", key=lambda names: names.map(order.index), kind="stable")


# --- plot ---------------------------------------------------------------------------------------------

SERIES = {
    "ours": ("ours", "C0", "o-"),
    "student, REKD": ("student (8, 8), taught", "C2", "s--"),
    "student alone": ("student (8, 8), alone", "C2", "x:"),
    "LightGBM": ("LightGBM, the same columns for all rows", "C1", "^-"),
    "MLP (64, 64)": ("MLP (64, 64), the same columns for all rows", "C3", "D-"),
    "TabNet": ("TabNet", "C4", "v"),
}


def plot(cells: pd.DataFrame, path: Path) -> None:
    """A panel a table: mean score against mean number of columns a row."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullLocator

    names = cells["setting"].drop_duplicates().tolist()
    n_rows = -(-len(names) // 3)
    figure, axes = plt.subplots(n_rows, 3, figsize=(10, 2.9 * n_rows + 0.5), squeeze=False)
    for axis, name in zip(axes.flat, names, strict=False):
        means = cells[cells["setting"] == name].groupby("method")[["n_selected", "score"]].mean()
        for start, (label, color, style) in SERIES.items():
            line = means[means.index.str.startswith(start)].sort_values("n_selected")
            axis.plot(line["n_selected"], line["score"], style, color=color, label=label, ms=5, lw=1.3)
        keep_in_view(axis, means)
        axis.set_xscale("log")
        low, high = means["n_selected"].min() * 0.95, means["n_selected"].max() * 1.05
        ticks = [t for t in (1, 2, 4, 6, 10, 20) if low <= t <= high]
        axis.set_xticks(ticks, list(map(str, ticks)))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_title(name, fontsize=10)
        axis.set_ylabel(SCORES.get(name, "AUROC"), fontsize=9)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("columns used, mean of rows", fontsize=9)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=3, fontsize=9, frameon=False)
    figure.tight_layout(rect=(0, 0.45 / figure.get_figheight() * 1.1, 1, 1))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def keep_in_view(axis: Any, means: pd.DataFrame) -> None:
    """A TabNet far below all others is named at the lower edge, so that they can be told apart."""
    others = means.drop(index="TabNet", errors="ignore")["score"]
    low, high = others.min(), others.max()
    if "TabNet" not in means.index or means.at["TabNet", "score"] > low - (high - low):
        return
    bottom, place = low - 0.2 * (high - low), means.loc["TabNet"]
    axis.set_ylim(bottom, high + 0.1 * (high - low))
    axis.plot(place["n_selected"], bottom, "v", color="C4", ms=5, clip_on=False)
    axis.annotate(
        f" {place['score']:.2f}", (place["n_selected"], bottom), fontsize=8, color="C4", va="bottom"
    )


# --- all of it ----------------------------------------------------------------------------------------


def render(folder: Path) -> str:
    """Write ``rationale.md`` and ``rationale.png`` from what is stored; give the text."""
    if not _path(folder).exists():
        return f"There is no {NAME}.json yet."
    stored = json.loads(_path(folder).read_text(encoding="utf-8"))
    cells = with_ratios(pd.DataFrame(stored["cells"]))
    text = [f"# {NAME}", NOTES]
    for part, sections in (("syn", syn_text), ("student", student_text), ("real", real_text)):
        rows = cells[cells["part"] == part].dropna(axis=1, how="all")
        if len(rows):
            text += sections(rows, folder)
    used = ", ".join(f"{package} {number}" for package, number in stored["meta"]["versions"].items())
    text.append(f"Made by `python examples/benchmarks/{NAME}.py`; {used}.")
    content = "\n\n".join(text) + "\n"
    (folder / f"{NAME}.md").write_text(content, encoding="utf-8")
    return content


def syn_text(cells: pd.DataFrame, folder: Path) -> Iterable[str]:
    cells = in_order(cells, SYN_NAMES)
    yield f"## Syn1 to Syn6\n\n{SYN_NOTES}"
    for title, rows in beside_published(cells).items():
        yield f"### {title}, beside published figures\n\n{markdown_table(rows)}"
    yield f"### All measures\n\n{markdown_table(detail(cells))}"


def student_text(cells: pd.DataFrame, folder: Path) -> Iterable[str]:
    cells = with_best_alone(in_order(cells, SYN_NAMES))
    yield f"## Students\n\n{STUDENT_NOTES}"
    yield f"TPR / FDR in percent, AUROC:\n\n{markdown_table(by_method(cells))}"
    yield markdown_table(detail(cells))


def real_text(cells: pd.DataFrame, folder: Path) -> Iterable[str]:
    cells = in_order(cells, [])
    plot(cells, folder / f"{NAME}.png")
    yield f"## Real tables\n\n{REAL_NOTES}\n\n![Score against columns a row]({NAME}.png)"
    yield f"Score, and in brackets the columns used for a row:\n\n{markdown_table(trade_off(cells))}"
    yield markdown_table(detail(cells, "score"))


def in_order(cells: pd.DataFrame, first: list[str]) -> pd.DataFrame:
    """Settings together: those named first, then as they were run; methods as they were run."""
    names = [*first, *(s for s in cells["setting"].drop_duplicates() if s not in first)]
    return cells.sort_values("setting", key=lambda column: column.map(names.index), kind="stable")


# --- running ------------------------------------------------------------------------------------------


def planned(part: str, options: argparse.Namespace) -> Iterator[tuple[str, int, Callable[[], Jobs]]]:
    settings, seeds, jobs = PARTS[part]
    if options.quick:
        settings, seeds = QUICK[part], 1
    if options.only:
        settings = tuple(s for s in settings if str(s) in options.only)
    for seed in range(options.seeds or seeds):
        for setting in settings:
            name = str(setting)
            if options.quick and isinstance(setting, SynSetting):
                setting = setting._replace(n_train=QUICK_ROWS)
            yield name, seed, partial(jobs, setting, seed, options.quick)


def run(part: str, options: argparse.Namespace) -> None:
    """Fit what is not stored yet; what fails is told, and tried again by the next run."""
    done = {(c["part"], c["setting"], c["method"], c["seed"]) for c in load_cells(_path(options.results))}
    for setting, seed, jobs in planned(part, options):
        for method, job in jobs().items():
            if (part, setting, method, seed) in done or not method.startswith(tuple(options.methods)):
                continue
            try:
                row = job()
            except Exception:
                print(
                    f"{part}, {setting}, {method}, seed {seed} failed:\n{traceback.format_exc()}", flush=True
                )
                continue
            cell = {"part": part, "setting": setting, "method": method, "seed": seed} | row
            meta = {"versions": versions() | _peer_versions(), "seeds": "fit 2 s, test 2 s + 1, models s"}
            store_cell(_path(options.results), cell, meta)
            print(json.dumps(cell), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=None, help="5 for syn, 3 for student, 2 for real")
    parser.add_argument("--only", nargs="*", default=[], help='names of settings, such as "Syn4" or adult')
    parser.add_argument("--methods", nargs="*", default=[""], help="how they begin, such as TabNet")
    parser.add_argument("--quick", action="store_true", help="few rows and methods, for trying the script")
    parser.add_argument("--render", action="store_true", help="fit nothing")
    parser.add_argument("--results", type=Path, default=None, help="folder of the results")
    options = parser.parse_args()
    if options.results is None:
        options.results = Path(tempfile.gettempdir()) / "rationale_quick" if options.quick else RESULTS
    options.results.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    for part in () if options.render else options.part:
        run(part, options)
    print(render(options.results))


if __name__ == "__main__":
    main()
