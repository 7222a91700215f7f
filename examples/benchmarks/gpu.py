"""Fit every family on a CPU and on a GPU, explain a large table on both, open pickles without the GPU.

    python examples/benchmarks/gpu.py                         # writes results/gpu.json and results/gpu.md
    python examples/benchmarks/gpu.py --device cpu --small    # the same on a small scale, nothing is stored

Each family is fitted once on the CPU and twice on the device with one seed. The second fit is the one that is
timed, since the first also loads CUDA's libraries; and both should give the same predictions.
"""

import argparse
import copy
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from _common import markdown_table, save, versions
from lightgbm import LGBMRegressor

from skrationale import (
    FLINTClassifier,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    SmoothMLPRegressor,
    SymbolicDistiller,
)
from skrationale.datasets import make_additive, make_syn

SEED = 0
OPEN_WITHOUT_A_GPU = """
import pickle, sys
import numpy as np
import torch
assert not torch.cuda.is_available()
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        model, rows, expected = pickle.load(file)
    found = model.predict(rows)
    labels = found.dtype.kind != "f"
    print(float((found == expected).mean() if labels else np.abs(found - expected).max() / expected.std()))
"""


def make_pictures(n_samples):
    """Pictures of 16 x 16 points with a bright bar that lies or stands, in noise."""
    rng = np.random.default_rng(SEED)
    pictures, standing = rng.normal(size=(n_samples, 1, 16, 16)), rng.random(n_samples) < 0.5
    for picture, upright, place in zip(pictures[:, 0], standing, rng.integers(1, 15, n_samples), strict=True):
        (picture if upright else picture.T)[:, place] += 1.5
    return pictures.astype(np.float32), standing.astype(int)


def cases(small):
    """Give, by name, a model of a device, rows and targets to fit, and rows and targets to predict."""
    n = 600 if small else 10_000
    X, y, _ = make_additive(2 * n, 30, random_state=SEED)
    sums = X[:n], y[:n], X[n:], y[n:]
    X, y, _ = make_syn(4, 2 * n, random_state=SEED)
    switch = X[:n], y[:n], X[n:], y[n:]
    X, y = make_pictures(n // 2)
    bars = X[: n // 4], y[: n // 4], X[n // 4 :], y[n // 4 :]
    epochs = {"max_epochs": 2 if small else 10, "random_state": SEED}
    trees = LGBMRegressor(n_estimators=20 if small else 100, n_jobs=1, random_state=SEED, verbose=-1)
    smooth = epochs | {"jacobian_lambda": 0.01, "hidden_layer_sizes": (256, 256, 256)}
    wide = epochs | {"hidden_layer_sizes": (1024, 1024, 1024), "jacobian_lambda": 0.01, "batch_size": 4096}
    search = {"niterations": 5, "population_size": 100, "n_searches": 1, "jacobian_lambda": None}
    return {
        "GBDT2NNStudent": (lambda device: GBDT2NNStudent(trees, device=device, **epochs), *sums),
        "SmoothMLPRegressor": (lambda device: SmoothMLPRegressor(device=device, **smooth), *sums),
        "SmoothMLPRegressor, 3 x 1024, batches of 4096": (
            lambda device: SmoothMLPRegressor(device=device, **wide),
            *sums,
        ),
        "SymbolicDistiller": (
            lambda device: SymbolicDistiller(
                SmoothMLPRegressor(device=device, **smooth), random_state=SEED, **search
            ),
            *sums,
        ),
        "RationaleClassifier": (lambda device: RationaleClassifier(device=device, **epochs), *switch),
        "RationaleDistiller": (
            lambda device: RationaleDistiller(
                RationaleClassifier(device=device, **epochs), device=device, audit_teacher=False, **epochs
            ),
            *switch,
        ),
        "FLINTClassifier": (lambda device: FLINTClassifier(device=device, **epochs), *switch),
        "FLINTClassifier, pictures": (lambda device: FLINTClassifier(device=device, **epochs), *bars),
    }


def timed(call):
    """Give seconds that a call took, and its result."""
    start = perf_counter()
    result = call()
    return perf_counter() - start, result


def peak_memory(device):
    """Give the most memory in MiB that tensors took on a CUDA device since it was asked last."""
    if not device.startswith("cuda"):
        return None
    peak = torch.cuda.max_memory_allocated(device) / 2**20
    torch.cuda.reset_peak_memory_stats(device)
    return peak


def compare_fits(name, case, device):
    """Fit on the CPU and twice on the device; give a row of the table, and the model of the device."""
    make, X, y, X_new, y_new = case
    cpu_seconds, on_cpu = timed(lambda: make("cpu").fit(X, y))
    first_seconds, first = timed(lambda: make(device).fit(X, y))
    peak_memory(device)
    seconds, again = timed(lambda: make(device).fit(X, y))
    one, two = first.predict(X_new), again.predict(X_new)
    return {
        "model": name,
        "rows x columns": " x ".join(map(str, X.shape)),
        "CPU, seconds": cpu_seconds,
        "device, first fit": first_seconds,
        "device, seconds": seconds,
        "times faster": cpu_seconds / seconds,
        "score CPU": on_cpu.score(X_new, y_new),
        "score device": again.score(X_new, y_new),
        "one seed, equal predictions": bool((one == two).all()),
        "largest difference": float(np.abs(one.astype(float) - two.astype(float)).max()),
        "device memory, MiB": peak_memory(device),
    }, again


def compare_explanations(student, device, small):
    """Explain one table on the CPU and on the device by the same student."""
    n = 5_000 if small else 1_000_000
    X = make_additive(n, student.n_features_in_, random_state=SEED + 1)[0]
    found, rows = {}, []
    for place in ("cpu", device):
        model = copy.copy(student)
        model.device_ = place
        model.explain(X[:5_000])
        peak_memory(device)
        seconds, explanation = timed(lambda model=model: model.explain(X))
        found[len(rows)] = explanation.values
        rows.append({"where": place, "rows": n, "seconds": seconds, "rows a second": n / seconds})
        rows[-1]["device memory, MiB"] = peak_memory(place)
    rows[1]["largest difference, share of spread"] = float(np.abs(found[1] - found[0]).max() / found[0].std())
    return rows


def open_without_gpu(models):
    """Pickle models with rows and predictions, and let a process that sees no GPU predict these rows."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, (model, rows) in enumerate(models.values()):
            paths.append(str(Path(folder) / f"{number}.pkl"))
            with open(paths[-1], "wb") as file:
                pickle.dump((model, rows, model.predict(rows)), file)
        ended = subprocess.run(
            [sys.executable, "-c", OPEN_WITHOUT_A_GPU, *paths],
            env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
            check=True,
            capture_output=True,
            text=True,
        )
    agreed = map(float, ended.stdout.split())
    word = {True: "largest difference, share of spread", False: "share of equal labels"}
    return [
        {"model": name, "what": word[model.predict(rows[:1]).dtype.kind == "f"], "value": value}
        for (name, (model, rows)), value in zip(models.items(), agreed, strict=True)
    ]


def main():
    """Run all parts, print them, and store those of a whole run on a GPU."""
    parser = argparse.ArgumentParser(description="Compare a GPU with the CPU.")
    parser.add_argument("--device", default="cuda", help="the device to compare with the CPU")
    parser.add_argument("--small", action="store_true", help="a small scale, and nothing is stored")
    asked = parser.parse_args()
    start, fits, models = perf_counter(), [], {}
    for name, case in cases(asked.small).items():
        row, model = compare_fits(name, case, asked.device)
        fits.append(row)
        models[name] = (model, case[3][:500])
        print(row, flush=True)
    sections = {
        "Fits": fits,
        "Explanations by GBDT2NNStudent": compare_explanations(
            models["GBDT2NNStudent"][0], asked.device, asked.small
        ),
        "Fitted there, opened without a GPU": open_without_gpu(models),
    }
    for title, rows in sections.items():
        print(f"\n{title}\n\n{markdown_table(rows)}")
    if not asked.small and asked.device != "cpu":
        card = torch.cuda.get_device_name(asked.device)
        meta = {"seed": SEED, "seconds": perf_counter() - start, "cpu_threads": torch.get_num_threads()}
        save("gpu", sections, meta | {"card": card, "versions": versions() | {"card": card}})


if __name__ == "__main__":
    main()
