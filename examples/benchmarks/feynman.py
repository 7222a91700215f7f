"""The 100 formulas of the Feynman lectures: laws found without noise, and what penalties do to distilling.

``laws``: 1,000 rows without noise, and the same time, 20 s on the clock, for Operon as it is shipped, for a
search of ours for `y` alone (direct), and for ours. A law counts as solved when 1 - R2 on 1,000 new rows is
at most 1e-9. Run it where no other process uses the same core.

``penalties``: 1,000 rows with noise, of 1 % or 10 % of the target's standard deviation, of each formula, and
the eight tables of `symbolic.py` that are no law, cut to 1,500 rows. A network is trained with
each penalty; a search of the same size describes it, and nothing else. It fits the constants of all
expressions, not of half of them. R2 is against the formula without noise, or against a quarter of the rows of
a table; fidelity is R2 against the network.

    python examples/benchmarks/feynman.py laws [--share 1/2]
    python examples/benchmarks/feynman.py penalties [--niterations 100]
    python examples/benchmarks/feynman.py report

Fits are written to ``results/feynman_*_rows.jsonl``; a run goes on from what is there, and `report` writes
the tables and the figure. The formulas are those of Udrescu and Tegmark, arXiv:1905.11481, read from
``feynman_equations.csv`` in the folder of `fetch_table`, or from the authors' page.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import sympy
import torch
from _common import RESULTS, save, versions
from sklearn.dummy import DummyRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split

from skrationale import SmoothMLPRegressor, SymbolicDistiller
from skrationale.datasets import fetch_table
from skrationale.symbolic import OperonEngine

PAGE = "https://space.mit.edu/home/tegmark/aifeynman/FeynmanEquations.csv"
OPERATORS: dict[str, Any] = {
    "binary_operators": ("+", "-", "*", "/"),
    "unary_operators": ("sin", "exp", "square", "sqrtabs", "logabs"),
}
LAW_OPERATORS = OPERATORS | {"unary_operators": (*OPERATORS["unary_operators"], "cos")}
SECONDS = 20.0
WAYS = ("Operon as shipped", "direct", "ours")
ROWS, SEED, SOLVED = 1000, 0, 1e-9
TABLES = (
    *("airfoil", "concrete", "energy_heating", "yacht"),
    *("auto_mpg", "wine_quality_red", "power_plant", "kin8nm"),
)
TABLE_ROWS = 1500
NOISES = (0.01, 0.1)
# of SRBench: the table of solution rates in its repository, postprocessing/groundtruth_results.ipynb
PUBLISHED = [
    {"engine": engine, "percent": percent, "of": of, "source": source}
    for engine, percent, of, source in (
        ("Operon", 16.0, "130 laws", "SRBench, arXiv:2107.14351"),
        ("AI Feynman", 52.65, "130 laws", "SRBench, arXiv:2107.14351"),
        ("PySR", 26.7, "120 laws", "SRSD, arXiv:2206.10540"),
        ("PySR", 44.7, "120 laws", "SRSD, equal forms count, arXiv:2508.14481"),
    )
]
FIGURE = "R2 of formulas of networks with a penalty, less that without: means, two standard errors"
PENALTIES: dict[str, dict[str, Any]] = {
    "none": {"penalty": None, "jacobian_lambda": 0.0},
    "Jacobian, .001": {"jacobian_lambda": 0.001},
    "Jacobian, .01": {"jacobian_lambda": 0.01},
    "Jacobian, .1": {"jacobian_lambda": 0.1},
    "Lipschitz, .01": {"penalty": "lipschitz", "jacobian_lambda": 0.01},
    "spectral, .01": {"penalty": "spectral", "jacobian_lambda": 0.01},
    "Hessian, .01": {"penalty": "hessian", "jacobian_lambda": 0.01},
}


def equations() -> pd.DataFrame:
    """Read the formulas, and the ranges of their variables."""
    folder = Path(os.environ.get("SKRATIONALE_DATA") or "~/skrationale_data").expanduser()
    path = folder / "feynman_equations.csv"
    return pd.read_csv(path if path.exists() else PAGE)


def draw(equation: Any, noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw training rows with noise, and new rows without."""
    numbers = range(1, int(equation["# variables"]) + 1)
    names = [equation[f"v{i}_name"] for i in numbers]
    symbols = {name: sympy.Symbol(name) for name in names}
    formula = sympy.lambdify(
        list(symbols.values()), sympy.sympify(equation["Formula"], locals=symbols), "numpy"
    )
    rng = np.random.RandomState(SEED)
    low, high = ([equation[f"v{i}_{side}"] for i in numbers] for side in ("low", "high"))
    X = rng.uniform(low, high, (2 * ROWS, len(names)))
    y = np.broadcast_to(formula(*X.T), len(X)).astype(float)
    noisy = y[:ROWS] + noise * y[:ROWS].std() * rng.normal(size=ROWS)
    return X[:ROWS], X[ROWS:], noisy, y[ROWS:]


def law(equation: Any) -> list[dict[str, Any]]:
    """Search for one formula without noise: by Operon as shipped, directly, and by way of a network."""
    X, X_new, y, y_new = draw(equation, 0.0)
    ways: dict[str, Any] = {
        "Operon as shipped": shipped_operon(),
        "direct": distiller(teacher=DummyRegressor(), teacher_weight=0.0),
        "ours": distiller(),
    }
    rows = []
    for way, model in ways.items():
        start, cpu = perf_counter(), process_time()
        model.fit(X, y)
        row = {"name": equation["Filename"], "variables": X.shape[1], "way": way}
        row |= {"seconds": perf_counter() - start, "CPU s": process_time() - cpu}
        row |= {"1 - R2": 1 - r2_of(y_new, model.predict(X_new))}
        if way != "Operon as shipped":
            row |= {"complexity": model.formula_.complexity, "teacher_weight": model.teacher_weight_}
            row |= {"formula": str(model.formula_)}
        rows.append(row)
    return rows


def distiller(**settings: Any) -> SymbolicDistiller:
    return SymbolicDistiller(
        timeout_in_seconds=SECONDS,
        model_selection="accuracy",
        random_state=SEED,
        **LAW_OPERATORS,
        **settings,
    )


def shipped_operon() -> Any:
    """Give pyoperon with its own defaults, but the same operators."""
    from pyoperon.sklearn import SymbolicRegressor

    return SymbolicRegressor(
        allowed_symbols="add,sub,mul,div,sin,cos,exp,square,sqrtabs,logabs,constant,variable",
        generations=10**6,
        max_evaluations=10**9,
        max_time=round(SECONDS),
        epsilon=0.0,
        n_threads=1,
        random_state=SEED,
    )


def r2_of(truth: np.ndarray, said: np.ndarray) -> float:
    """R2, or minus infinity for a formula that is not finite on all rows; the tables count it as -1."""
    return r2_score(truth, said) if np.isfinite(said).all() else -np.inf


def penalised(
    name: str, noise: float | None, data: tuple[Any, Any, Any, Any], niterations: int
) -> list[dict[str, Any]]:
    """Distil networks that were trained with each penalty, by searches of one size."""
    X, X_new, y, y_new = data
    rows = []
    for words, settings in PENALTIES.items():
        network = SmoothMLPRegressor(random_state=SEED, **settings).fit(X, y)
        model = SymbolicDistiller(
            FrozenEstimator(network),
            engine=OperonEngine(local_search_probability=1.0),
            teacher_weight=1.0,
            niterations=niterations,
            model_selection="accuracy",
            random_state=SEED,
            **({} if noise is None else OPERATORS),
        ).fit(X, y)
        answers, said = network.predict(X_new), model.predict(X_new)
        rows.append(
            {
                "name": name,
                "noise": noise,
                "variables": X.shape[1],
                "penalty": words,
                "network R2": r2_score(y_new, answers),
                "fidelity": r2_of(answers, said),
                "R2": r2_of(y_new, said),
                "complexity": model.formula_.complexity,
                "niterations": niterations,
            }
        )
    return rows


def problems() -> list[tuple[str, float | None]]:
    """Name what networks are distilled on, with its noise; None for a table."""
    names = equations()["Filename"].tolist()
    return [(name, noise) for noise in NOISES for name in names] + [(name, None) for name in TABLES]


def data_of(name: str, noise: float | None, table: pd.DataFrame) -> tuple[Any, Any, Any, Any]:
    if noise is not None:
        return draw(table.loc[name], noise)
    found = fetch_table(name)
    rows = np.random.RandomState(SEED).permutation(len(found.X))[:TABLE_ROWS]
    X, y = found.X.iloc[rows].reset_index(drop=True), found.y.to_numpy(float)[rows]
    return train_test_split(X, y, random_state=SEED)


def read(part: str) -> pd.DataFrame:
    path = RESULTS / f"feynman_{part}_rows.jsonl"
    return pd.DataFrame(map(json.loads, path.read_text().splitlines() if path.exists() else []))


def append(part: str, rows: list[dict[str, Any]]) -> None:
    with (RESULTS / f"feynman_{part}_rows.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    print(rows[0]["name"], rows[0].get("noise"), flush=True)


def run_laws(part: str) -> None:
    done, (start, step) = set(read("laws").get("name", [])), map(int, part.split("/"))
    for _, equation in equations()[start - 1 :: step].iterrows():
        if equation["Filename"] not in done:
            append("laws", law(equation))


def run_penalties(niterations: int) -> None:
    table = equations().set_index("Filename", drop=False)
    found = read("penalties")
    done = set(zip(found["name"], found["noise"].astype(str), strict=True)) if len(found) else set()
    for name, noise in problems():
        if (name, str(float("nan") if noise is None else noise)) not in done:
            append("penalties", penalised(name, noise, data_of(name, noise, table), niterations))


def report() -> None:
    """Write the tables and the figure; what is stored stays if there are no rows, or rows of fewer laws."""
    laws, networks = read("laws"), read("penalties")
    path = RESULTS / "feynman.json"
    stored = json.loads(path.read_text(encoding="utf-8"))["sections"] if path.exists() else {}
    sections: dict[str, Any] = dict(stored)
    if len(laws) and laws["name"].nunique() >= len(stored.get("Each law", ())):
        sections["Laws without noise"] = summary_of_laws(laws)
        sections["Each law"] = each_law(laws)
    sections["Published shares of laws found"] = PUBLISHED
    if len(networks):
        networks["rows"] = [
            "tables" if noise is None or np.isnan(noise) else f"noise {noise:.0%}"
            for noise in networks["noise"]
        ]
        sections["Penalties"] = summary_of_penalties(networks)
        sections["Penalties, by number of variables"] = by_dimension(networks)
        draw_penalties(networks)
    settings = {"rows": ROWS, "seed": SEED, "table rows": TABLE_ROWS, "niterations of penalties": 100}
    save("feynman", sections, settings | {"seconds of a law": SECONDS, "versions": versions()})
    page = RESULTS / "feynman.md"
    text = page.read_text(encoding="utf-8")
    shown = f"## Penalties\n\n![{FIGURE}](feynman.png)\n"
    page.write_text(text.replace("## Penalties\n", shown, 1), encoding="utf-8")


def summary_of_laws(laws: pd.DataFrame) -> list[dict[str, Any]]:
    lines = []
    for way, part in laws.groupby("way", sort=False):
        lost = part["1 - R2"]
        lines.append(
            {
                "way": way,
                "formulas": len(part),
                "solved": int((lost <= SOLVED).sum()),
                "R2 above .999999": int((lost <= 1e-6).sum()),
                "R2 above .999": int((lost <= 1e-3).sum()),
                "median 1 - R2": float(lost.median()),
                "median seconds": float(part["seconds"].median()),
            }
        )
    return lines


def each_law(laws: pd.DataFrame) -> list[dict[str, Any]]:
    wide = laws.pivot(index="name", columns="way", values="1 - R2").loc[laws["name"].unique()]
    return [
        {"name": name} | {f"{way}: 1 - R2": float(row[way]) for way in WAYS} for name, row in wide.iterrows()
    ]


def summary_of_penalties(networks: pd.DataFrame) -> list[dict[str, Any]]:
    """Means for each kind of rows, and how often a penalty beats none."""
    lines = []
    for kind, part in networks.groupby("rows", sort=False):
        wide = {value: part.pivot(index="name", columns="penalty", values=value) for value in VALUES}
        for words in PENALTIES:
            line: dict[str, Any] = {"rows": kind, "penalty": words}
            for value, table in wide.items():
                line[value] = float(table[words].clip(lower=-1).mean())
            for value in ("fidelity", "R2"):
                better = (wide[value][words] > wide[value]["none"] + 0.001).sum()
                worse = (wide[value][words] < wide[value]["none"] - 0.001).sum()
                line[f"{value} better, worse"] = f"{better}, {worse} of {len(wide[value])}"
            lines.append(line)
    return lines


VALUES = ("network R2", "fidelity", "R2")


def by_dimension(networks: pd.DataFrame) -> list[dict[str, Any]]:
    few = networks["variables"] <= 3
    networks = networks.assign(size=np.where(few, "up to 3 variables", "4 and more variables"))
    lines = []
    for (kind, size), part in networks.groupby(["rows", "size"], sort=False):
        means = part.assign(R2=part["R2"].clip(lower=-1)).groupby("penalty")["R2"].mean()
        lines.append({"rows": kind, "variables": size, **{words: float(means[words]) for words in PENALTIES}})
    return lines


def draw_penalties(networks: pd.DataFrame) -> None:
    """Show how much more of the network, and of `y`, formulas say with each penalty than without."""
    kinds = list(networks["rows"].unique())
    figure, axes = plt.subplots(1, len(kinds), figsize=(3.6 * len(kinds), 3.4), sharey=True, squeeze=False)
    others = [words for words in PENALTIES if words != "none"]
    for ax, kind in zip(axes[0], kinds, strict=True):
        part = networks[networks["rows"] == kind]
        for value, colour, shift in (("fidelity", "#7a5195", -0.15), ("R2", "#ef8a17", 0.15)):
            wide = part.pivot(index="name", columns="penalty", values=value).clip(lower=-1)
            gain = wide[others].sub(wide["none"], axis=0)
            middle = gain.mean()
            error = 2 * gain.std(ddof=1) / np.sqrt(len(gain))
            places = np.arange(len(others)) + shift
            label = {"fidelity": "R2 against the network", "R2": "R2 against the target"}[value]
            ax.errorbar(middle, places, xerr=error, fmt="o", color=colour, label=label, capsize=2)
        ax.axvline(0, color="0.5", linewidth=0.8)
        ax.set_title(f"{kind}, {part['name'].nunique()} problems", fontsize=10)
        ax.set_yticks(range(len(others)), others)
        ax.set_xlabel("more than without a penalty", fontsize=9)
    axes[0][0].invert_yaxis()
    axes[0][0].legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.18), ncols=2)
    figure.savefig(RESULTS / "feynman.png", dpi=150, bbox_inches="tight")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=("laws", "penalties", "report"))
    parser.add_argument("--niterations", type=int, default=100)
    parser.add_argument("--share", default="1/1", help="which laws, such as 2/2 for every second one")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.part == "laws":
        run_laws(options.share)
    if options.part == "penalties":
        run_penalties(options.niterations)
    report()


if __name__ == "__main__":
    main()
