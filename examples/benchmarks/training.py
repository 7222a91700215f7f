"""Time an epoch of the training engine, of a loop written by hand, and of skorch as shipped.

The loop by hand is the lower bound: tensors that stay in memory, one permutation, one gather a tensor
and views, the same fused AdamW, the loss summed on the device and read by one ``.item()`` an epoch. The
three run in turn in one process on one thread; what is reported are medians over the repeats, and
medians of the ratios within a repeat.

    python examples/benchmarks/training.py [--quick]
"""

import argparse
import json
import platform
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import skorch
import torch

from skrationale.training import Settings, seeded, train

RESULTS = Path(__file__).parent / "results"
SEED = 0
LR = 1e-3
# rows, columns, batch size, hidden layers, epochs a run
SIZES = [
    (2_000, 10, 64, (64, 64), 10),
    (10_000, 20, 256, (128, 128), 5),
    (50_000, 30, 512, (256, 256), 1),
    (5_000, 100, 512, (256, 256, 256), 5),
    (300, 10, 300, (64, 64), 200),  # full batch, as for small tables; not among the four of the target
]
N_TARGET = 4


def make_module(n_columns, hidden):
    widths = (n_columns, *hidden)
    layers = []
    for n_in, n_out in zip(widths, hidden, strict=False):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.SiLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], 1))


def run_ours(module, X, y, batch_size, epochs):
    def loss(module, batch):
        return torch.nn.functional.mse_loss(module(batch["X"]), batch["y"]), {}

    train(
        module,
        loss,
        {"X": X, "y": y},
        Settings(max_epochs=epochs, batch_size=batch_size, lr=LR, device="cpu"),
        schedule=None,
    )


def run_plain(module, X, y, batch_size, epochs):
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    n_rows = len(X)
    optimizer = torch.optim.AdamW(module.parameters(), lr=LR, weight_decay=0.0, fused=True)
    generator = torch.Generator().manual_seed(SEED)
    module.train()
    for _ in range(epochs):
        if batch_size < n_rows:
            order = torch.randperm(n_rows, generator=generator)
            X_epoch, y_epoch = X[order], y[order]
        else:
            X_epoch, y_epoch = X, y
        total = torch.zeros(())
        for start in range(0, n_rows, batch_size):
            X_batch, y_batch = X_epoch[start : start + batch_size], y_epoch[start : start + batch_size]
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(module(X_batch), y_batch)
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(X_batch)
        total.item()


def run_skorch(module, X, y, batch_size, epochs):
    net = skorch.NeuralNet(
        module,
        torch.nn.MSELoss,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=0.0,
        lr=LR,
        max_epochs=epochs,
        batch_size=batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    net.fit(X, y)


RUNS = {"ours": run_ours, "plain": run_plain, "skorch": run_skorch}


def time_size(n_rows, n_columns, batch_size, hidden, epochs, repeats):
    """Return seconds an epoch: {name: [one a repeat]}."""
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(n_rows, n_columns)).astype(np.float32)
    y = (X[:, :1] * X[:, 1:2] + 0.1 * rng.normal(size=(n_rows, 1))).astype(np.float32)
    times = {name: [] for name in RUNS}
    for repeat in range(repeats + 1):
        for name, run in RUNS.items():
            with seeded(SEED):
                module = make_module(n_columns, hidden)
                start = perf_counter()
                run(module, X, y, batch_size, epochs)
                seconds = (perf_counter() - start) / epochs
            if repeat:  # the first warms up
                times[name].append(seconds)
    return times


def summarise(size, times):
    n_rows, n_columns, batch_size, hidden, epochs = size
    to_plain = [ours / plain for ours, plain in zip(times["ours"], times["plain"], strict=True)]
    to_skorch = [shipped / ours for shipped, ours in zip(times["skorch"], times["ours"], strict=True)]
    return {
        "rows": n_rows,
        "columns": n_columns,
        "batch_size": batch_size,
        "hidden": list(hidden),
        "epochs": epochs,
        "ms_per_epoch": {name: 1000 * median(values) for name, values in times.items()},
        "ours_to_plain": median(to_plain),
        "ours_to_plain_quartiles": np.quantile(to_plain, [0.25, 0.75]).tolist(),
        "skorch_to_ours": median(to_skorch),
    }


def to_markdown(report):
    lines = [
        "# Training engine: time of an epoch",
        "",
        "Milliseconds an epoch on one thread, medians; ratios are medians within repeats, in brackets their",
        "quartiles. `plain` is a loop written by hand on resident tensors (fused AdamW, gathers and views,",
        "one `.item()` an epoch); `skorch` is `NeuralNet` as shipped, with its DataLoader and callbacks.",
        "The last row trains on all rows at once, as small tables do.",
        "",
        "| rows x columns | batch | hidden | ours | plain | skorch | ours / plain | skorch / ours |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in report["sizes"]:
        ms, (low, high) = row["ms_per_epoch"], row["ours_to_plain_quartiles"]
        lines.append(
            f"| {row['rows']} x {row['columns']} | {row['batch_size']} | {'-'.join(map(str, row['hidden']))} "
            f"| {ms['ours']:.2f} | {ms['plain']:.2f} | {ms['skorch']:.2f} "
            f"| {row['ours_to_plain']:.3f} ({low:.3f}-{high:.3f}) | {row['skorch_to_ours']:.2f} |"
        )
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    lines += [
        "",
        f"Median of `ours / plain` over the first {N_TARGET} sizes: **{report['median_ours_to_plain']:.3f}** "
        "(target: at most 1.1).",
        "",
        f"{report['repeats']} repeats, seed {report['seed']}; {versions}.",
        "Made by `python examples/benchmarks/training.py`.",
        "",
    ]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description="Time an epoch of the training engine.")
    parser.add_argument("--quick", action="store_true", help="few repeats, and nothing is stored")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    repeats = 3 if quick else 21
    rows = [summarise(size, time_size(*size, repeats)) for size in SIZES]
    report = {
        "sizes": rows,
        "median_ours_to_plain": median(row["ours_to_plain"] for row in rows[:N_TARGET]),
        "repeats": repeats,
        "seed": SEED,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "skorch": skorch.__version__,
            "numpy": np.__version__,
        },
    }
    text = to_markdown(report)
    print(text)
    if not quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "training.md").write_text(text)
        (RESULTS / "training.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
