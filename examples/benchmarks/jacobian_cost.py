"""Time what the penalty on the input gradient costs: a training step, a fit, and the path over lambdas.

A step is that of a network of three hidden layers of 128: loss, penalty, backward and fused AdamW, on one
thread. All ways are run in turn, and each is divided by the plain step (lambda 0) of the same repeat:
medians of these ratios, with their range, are reported.

    python examples/benchmarks/jacobian_cost.py [--quick]
"""

import argparse
from time import perf_counter

import numpy as np
import torch
from _common import interleaved_medians, ratio, ratio_text, save, versions
from torch.func import functional_call, jacrev, vmap

from skrationale import SmoothMLPRegressor
from skrationale.smooth import jacobian_penalty
from skrationale.smooth._network import SmoothNetwork
from skrationale.smooth._path import SmoothLoss
from skrationale.smooth._penalties import gradient_penalty
from skrationale.training import Batch, seeded, task_loss

SEED = 0
LAMBDA = 0.01
HIDDEN = (128, 128, 128)
STEPS = 4
"""Steps timed together: the default computes the penalty in one of four."""
FIT = {"hidden_layer_sizes": HIDDEN, "random_state": SEED, "device": "cpu"}
BARS = {"default": 1.5, "exact": 2.5, "path": 4.0}


def double_backward(module, batch):
    loss = task_loss(module(batch["x"]), batch["y"], batch["weight"], "identity")
    return loss + LAMBDA * jacobian_penalty(module, batch["x"], batch["weight"])


def vmap_jacrev(module, batch):
    weights = dict(module.named_parameters())

    def outputs(row):
        return functional_call(module, weights, (row[None],))[0]

    loss = task_loss(module(batch["x"]), batch["y"], batch["weight"], "identity")
    return loss + LAMBDA * gradient_penalty(vmap(jacrev(outputs))(batch["x"]), batch["weight"])


def row_by_row(module, batch):
    rows = [
        torch.autograd.functional.jacobian(module, row[None], create_graph=True)[0, :, 0]
        for row in batch["x"]
    ]
    loss = task_loss(module(batch["x"]), batch["y"], batch["weight"], "identity")
    return loss + LAMBDA * gradient_penalty(torch.stack(rows), batch["weight"])


def ours(jacobian_lambda, penalty_fraction):
    """Loss of the estimators."""
    smooth = SmoothLoss("identity", jacobian_lambda, "jacobian", penalty_fraction)
    return lambda module, batch: smooth(module, batch)[0]


LOSSES = {
    "no penalty": ours(0.0, 1.0),
    "default: closed form, every 4th step": ours(LAMBDA, 0.25),
    "exact: closed form, every step": ours(LAMBDA, 1.0),
    "exact: double differentiation": double_backward,
    "exact: vmap of jacrev": vmap_jacrev,
}


def steps(loss, batch, n_steps):
    """Return a function that makes training steps."""
    with seeded(SEED):
        module = SmoothNetwork(batch["x"].shape[1], HIDDEN, 1, "silu").train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3, fused=True)

    def run():
        for _ in range(n_steps):
            optimizer.zero_grad()
            total = loss(module, batch)
            if total.requires_grad:  # ours sets the gradients itself, except of some penalties
                total.backward()
            optimizer.step()

    return run


def time_steps(batch_size, n_columns, repeats):
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(batch_size, n_columns, generator=generator)
    batch = Batch(x=x, y=x[:, 0] * x[:, 1], weight=torch.ones(batch_size))
    times = interleaved_medians({name: steps(loss, batch, STEPS) for name, loss in LOSSES.items()}, repeats)
    few = {"no penalty": steps(LOSSES["no penalty"], batch, 1), "paper's way": steps(row_by_row, batch, 1)}
    slow = interleaved_medians(few, max(repeats // 10, 2))
    size = {"batch": batch_size, "columns": n_columns}
    table = [
        size
        | {
            "penalty": name,
            "ms a step": 1000 * times[name]["median"] / STEPS,
            "ratio": ratio_text(ratio(times, name, "no penalty")),
            "median ratio": ratio(times, name, "no penalty")["median"],
        }
        for name in LOSSES
    ]
    spread = ratio(slow, "paper's way", "no penalty")
    table.append(
        size
        | {
            "penalty": "exact: a Jacobian for each row",
            "ms a step": 1000 * slow["paper's way"]["median"],
            "ratio": ratio_text(spread),
            "median ratio": spread["median"],
        }
    )
    return table


def time_fits(n_rows, n_columns, repeats):
    """Time whole fits of a fixed number of epochs, and the path over lambdas."""
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(n_rows, n_columns))
    y = np.sin(X[:, 0]) * X[:, 1] + X[:, 2] ** 2 + 0.3 * rng.normal(size=n_rows)
    fixed = FIT | {"early_stopping": False, "max_epochs": 60}
    makes = {
        "jacobian_lambda=0": lambda: SmoothMLPRegressor(jacobian_lambda=0, **fixed),
        "jacobian_lambda=0.01": lambda: SmoothMLPRegressor(jacobian_lambda=LAMBDA, **fixed),
        "jacobian_lambda=0.01, penalty_fraction=1": lambda: SmoothMLPRegressor(
            jacobian_lambda=LAMBDA, penalty_fraction=1, **fixed
        ),
    }
    stopped = {
        "jacobian_lambda=0": lambda: SmoothMLPRegressor(jacobian_lambda=0, **FIT),
        "jacobian_lambda='auto'": lambda: SmoothMLPRegressor(**FIT),
    }
    tables = []
    for group, title in ((makes, "60 epochs"), (stopped, "as by default, with early stopping")):
        times = interleaved_medians(
            {name: lambda make=make: make().fit(X, y) for name, make in group.items()}, repeats
        )
        tables += [
            {
                "rows": n_rows,
                "columns": n_columns,
                "epochs": title,
                "fit": name,
                "seconds": times[name]["median"],
                "ratio": ratio_text(ratio(times, name, "jacobian_lambda=0")),
                "median ratio": ratio(times, name, "jacobian_lambda=0")["median"],
            }
            for name in group
        ]
    return tables


def main():
    parser = argparse.ArgumentParser(description="Time the penalty on the input gradient.")
    parser.add_argument("--quick", action="store_true", help="few repeats, and nothing is stored")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    start = perf_counter()
    step_rows = [
        row
        for batch_size in (256, 1024)
        for n_columns in (8, 64)
        for row in time_steps(batch_size, n_columns, 5 if quick else 50)
    ]
    fit_rows = [row for size in ((1500, 8), (6000, 8)) for row in time_fits(*size, 1 if quick else 5)]
    sections = {"A training step": step_rows, "A fit": fit_rows}
    for title, rows in sections.items():
        print(title)
        for row in rows:
            print("  ", *row.values(), sep="  ")
    if not quick:
        meta = {
            "versions": versions(),
            "seed": SEED,
            "hidden": HIDDEN,
            "bars at batch 256": BARS,
            "seconds": perf_counter() - start,
        }
        save("jacobian_cost", sections, meta)


if __name__ == "__main__":
    main()
