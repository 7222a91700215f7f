"""Rationales of pictures: scenes whose deciding tiles are known, clothes, and students of CIFAR-10.

    python examples/benchmarks/images.py                           # all parts, 3 seeds
    python examples/benchmarks/images.py --part scenes --seeds 1   # one part
    python examples/benchmarks/images.py --quick                   # few pictures, nothing is stored
    python examples/benchmarks/images.py --render                  # tables of what is stored

Pictures are read from ``mnist_8k.npz``, ``fashion_mnist_10k.npz`` and ``cifar10_10k.npz`` in the folder of
``SKRATIONALE_DATA``, with arrays ``X_train``, ``y_train``, ``X_test`` and ``y_test``. One seed takes about
ten minutes of one thread. Every finished part of a seed is written to ``results/images.json``; a run goes on
from there.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from statistics import fmean, pstdev
from time import process_time
from typing import Any

import numpy as np
import torch
from _common import RESULTS, markdown_table, versions
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss
from torch.nn import functional

from skrationale import RationaleClassifier, RationaleDistiller
from skrationale.rationale.picture._audit import contrasts, largest

Figures = dict[str, float]
Rows = tuple[np.ndarray, np.ndarray]
PATH = RESULTS / "images.json"
N_DIGITS = 10


@cache
def pictures(name: str) -> dict[str, np.ndarray]:
    """Arrays of one set of pictures, with channels first."""
    folder = Path(os.environ.get("SKRATIONALE_DATA", Path.home() / "skrationale_data"))
    with np.load(folder / f"{name}.npz") as stored:
        found = {key: stored[key] for key in ("X_train", "y_train", "X_test", "y_test")}
    for key in ("X_train", "X_test"):
        if found[key].ndim == 4 and found[key].shape[3] == 3:
            found[key] = np.ascontiguousarray(found[key].transpose(0, 3, 1, 2))
    return found


# --- scenes ---------------------------------------------------------------------------------------


@cache
def tiles(part: str) -> list[np.ndarray]:
    """Digits of 8 x 8 pixels in [0, 1], apart by label; those of training and of test scenes differ."""
    stored = pictures("mnist_8k")
    X = stored[f"X_{part}"][:, 2:26, 2:26] / 255.0
    small = X.reshape(len(X), 8, 3, 8, 3).mean(axis=(2, 4))
    return [small[stored[f"y_{part}"] == label] for label in range(N_DIGITS)]


def scenes(task: str, n: int, seed: int, part: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scenes of 4 x 4 tiles (n, 32, 32) with noise, their labels, and the tiles that decide (n, 4, 4).

    needle: one digit 0 to 4, and eight tiles of shuffled pixels. distract: one digit 0 to 4 among six digits
    5 to 9. switch: the first tile, 0 or 1, says whether the digit 2 to 6 of the left or of the right half
    counts; three digits 7 to 9 stand beside them.
    """
    rng, known = np.random.RandomState(seed), tiles(part)

    def draw(label: int) -> np.ndarray:
        return known[label][rng.randint(len(known[label]))]

    X, y, truth = np.zeros((n, 16, 8, 8)), np.zeros(n, dtype=int), np.zeros((n, 16), dtype=bool)
    left = [place for place in range(1, 16) if place % 4 < 2]
    right = [place for place in range(16) if place % 4 >= 2]
    for i in range(n):
        if task == "switch":
            first, second = rng.choice(left), rng.choice(right)
            labels = 2 + rng.randint(5, size=2)
            half = rng.randint(2)
            X[i, 0], X[i, first], X[i, second] = draw(half), draw(labels[0]), draw(labels[1])
            y[i] = labels[half] - 2
            truth[i, [0, (first, second)[half]]] = True
            free = [place for place in range(1, 16) if place not in (first, second)]
            for place in rng.permutation(free)[:3]:
                X[i, place] = draw(7 + rng.randint(3))
            continue
        places, y[i] = rng.permutation(16), rng.randint(5)
        X[i, places[0]] = draw(y[i])
        truth[i, places[0]] = True
        for place in places[1:9] if task == "needle" else places[1:7]:
            if task == "needle":
                X[i, place] = rng.permutation(draw(rng.randint(N_DIGITS)).ravel()).reshape(8, 8)
            else:
                X[i, place] = draw(5 + rng.randint(5))
    X = X.reshape(n, 4, 4, 8, 8).swapaxes(2, 3).reshape(n, 32, 32)
    return (X + 0.1 * rng.randn(*X.shape)).clip(-0.3, 1.3), y, truth.reshape(n, 4, 4)


def found_in(mask: np.ndarray, truth: np.ndarray) -> Figures:
    """How many of the tiles that decide a mask (n, 4, 4) shows, and how many others."""
    hits, kept = (mask & truth).sum(axis=(1, 2)), mask.sum(axis=(1, 2))
    return {
        "patches": float(kept.mean()),
        "true positive rate": float((hits / truth[0].sum()).mean()),
        "false discovery rate": float((1 - hits / np.maximum(kept, 1)).mean()),
    }


def known_truth(seed: int, quick: bool) -> Iterator[tuple[str, Figures]]:
    """Which tiles are selected, with their number given and found, and what follows."""
    for task, n, k in (("needle", 4000, None), ("distract", 4000, 1), ("switch", 8000, 2)):
        X, y, _ = scenes(task, n // 10 if quick else n, seed, "train")
        X_new, y_new, truth = scenes(task, 1000, seed + 100, "test")
        settings: dict[str, Any] = {"grid": 4, "max_features": k, "random_state": seed}
        model, seconds = fitted(RationaleClassifier(**settings, **({"max_epochs": 2} if quick else {})), X, y)
        n_true = truth[0].sum()
        by_occlusion = largest(hidden_one_at_a_time(model, X_new), np.full(len(X_new), n_true))
        slopes = replace(model._model, selection="mask_gradients").values(model._read(X_new))
        by_slopes = largest(slopes, np.full(len(X_new), n_true))
        masks = {
            "chosen": model.get_rationale(X_new),
            "mask gradients": by_slopes.reshape(truth.shape),
            "occlusion": by_occlusion.reshape(truth.shape),
        }
        for name, mask in masks.items():
            figures = found_in(mask, truth) | {"accuracy": accuracy(model, X_new, y_new, mask)}
            if name == "chosen":
                everything = np.ones_like(truth)
                figures |= {
                    "accuracy, truth": accuracy(model, X_new, y_new, truth),
                    "accuracy, everything": accuracy(model, X_new, y_new, everything),
                    "fit, seconds": seconds,
                    "selector chosen": float(model.selection_ == "learned"),
                }
            if task == "switch":
                figures["switch found"] = float(mask[:, 0, 0].mean())
            yield f"{task}, {name}", figures
        if k is None:
            gates = RationaleClassifier(**settings, selection="gates")
            gates, seconds = fitted(gates.set_params(**({"max_epochs": 2} if quick else {})), X, y)
            mask = gates.get_rationale(X_new)
            yield (
                f"{task}, gates",
                found_in(mask, truth) | {"accuracy": gates.score(X_new, y_new)} | {"fit, seconds": seconds},
            )


# --- clothes and photographs ----------------------------------------------------------------------


def accuracy(model: Any, X: np.ndarray, y: np.ndarray, mask: np.ndarray) -> float:
    return float(np.mean(model.predict(X, mask=mask) == y))


def judged(chances: np.ndarray, y: np.ndarray) -> Figures:
    return {
        "accuracy": float((chances.argmax(axis=1) == y).mean()),
        "log-loss": float(log_loss(y, chances, labels=np.arange(chances.shape[1]))),
    }


def by_first(model: Any, X: np.ndarray, y: np.ndarray, mask: np.ndarray) -> Figures:
    """What EVAL-X, the first predictor of a model, says of patches (n, L)."""
    scores = model._model.scores_of(model._model.judge, model._read(X), mask)
    return judged(model._task.probabilities(scores), y)


def gradients(model: Any, X: np.ndarray) -> dict[str, np.ndarray]:
    """Values of patches (n, L) by saliency, integrated gradients (16 steps) and Grad-CAM of EVAL-X."""
    inner = model._model
    net = inner.plan.predictor_of(inner.judge).float()
    n, groups = inner.n_units, torch.from_numpy(inner.plan.units.groups)
    x = torch.from_numpy(inner.encode(model._read(X))).float()
    found: dict[str, list[np.ndarray]] = {"saliency": [], "integrated gradients": [], "Grad-CAM": []}

    def slope(pixels: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        pixels = pixels.clone().requires_grad_()
        chosen = net(pixels, torch.ones(len(pixels), n)).gather(1, label[:, None])
        return torch.autograd.grad(chosen.sum(), pixels)[0]

    def folded(values: torch.Tensor) -> np.ndarray:
        total = torch.zeros(len(values), n).index_add(1, groups, values.flatten(1))
        return total.numpy()

    for part in x.split(250):
        with torch.no_grad():
            label = net(part, torch.ones(len(part), n)).argmax(1)
        found["saliency"].append(folded(slope(part, label).abs()))
        steps = [slope(part * (step + 0.5) / 16, label) for step in range(16)]
        found["integrated gradients"].append(folded(part * torch.stack(steps).mean(0)))
        maps = []
        hook = net.net.body.stem.register_forward_hook(lambda _m, _i, out, maps=maps: maps.append(out))
        chosen = net(part, torch.ones(len(part), n)).gather(1, label[:, None])
        hook.remove()
        weight = torch.autograd.grad(chosen.sum(), maps[0])[0].mean(dim=(2, 3), keepdim=True)
        cam = torch.relu((weight * maps[0]).sum(1, keepdim=True)).detach()
        found["Grad-CAM"].append(functional.adaptive_avg_pool2d(cam, inner.plan.grid).flatten(1).numpy())
    return {name: np.concatenate(parts) for name, parts in found.items()}


def hidden_one_at_a_time(model: Any, X: np.ndarray) -> np.ndarray:
    """Values of patches (n, L) by occlusion, of the first predictor of a model."""
    return replace(model._model, selection="occlusion").values(model._read(X))


def compared(
    models: dict[str, Any], X: np.ndarray, y: np.ndarray, seed: int
) -> Iterator[tuple[str, Figures]]:
    """What the first predictor of two models says of as many patches, chosen by several rules."""
    model, learned = models["mask_gradients"], models["learned"]
    inner, matrix = model._model, model._read(X)
    rng, n = np.random.RandomState(seed), inner.n_units
    rules = {
        "random": rng.rand(len(X), n),
        "most contrast": contrasts(inner.encode(matrix), inner.plan.units.groups, n),
        **gradients(model, X),
        "learned selector": learned._model.values(matrix),
        "mask gradients": replace(inner, selection="mask_gradients").values(matrix),
        "occlusion": hidden_one_at_a_time(model, X),
    }
    assert all((inner.judge[key] == values).all() for key, values in learned._model.judge.items())
    k = np.full(len(X), model.max_features)
    for name, values in rules.items():
        yield f"EVAL-X, {name}", by_first(model, X, y, largest(values, k))
    yield "EVAL-X, everything", by_first(model, X, y, np.ones((len(X), n), dtype=bool))
    for name, one in models.items():
        chosen = {"chosen": float(one.selection == "auto")}
        yield f"refit, {name.replace('_', ' ')}", judged(one.predict_proba(X), y) | chosen
    everything = np.ones((len(X), *inner.plan.grid), dtype=bool)
    yield "refit, everything", judged(model.predict_proba(X, mask=everything), y)


def subset(name: str, n: int, seed: int, quick: bool) -> tuple[Rows, Rows]:
    stored = pictures(name)
    places = np.random.RandomState(seed).permutation(len(stored["X_train"]))[: n // 20 if quick else n]
    test = slice(0, 200 if quick else None)
    return (stored["X_train"][places], stored["y_train"][places].astype(int)), (
        stored["X_test"][test],
        stored["y_test"][test].astype(int),
    )


def fitted(model: Any, X: np.ndarray, y: np.ndarray) -> tuple[Any, float]:
    start = process_time()
    return model.fit(X, y), process_time() - start


def both_ways(model: Any, settings: dict[str, Any], X: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """A model that has chosen how patches are valued, and one that values them in the other way."""
    (other,) = {"learned", "mask_gradients"} - {model.selection_}
    found = {model.selection_: model, other: RationaleClassifier(**settings, selection=other).fit(X, y)}
    return {name: found[name] for name in ("learned", "mask_gradients")}


def clothes(seed: int, quick: bool, n: int = 4000) -> Iterator[tuple[str, Figures]]:
    """Fashion-MNIST with 10 of 49 patches."""
    settings: dict[str, Any] = {"max_features": 10, "random_state": seed}
    settings |= {"max_epochs": 2} if quick else {}
    train, test = subset("fashion_mnist_10k", n, seed, quick)
    model, seconds = fitted(RationaleClassifier(**settings), *train)
    yield "fit", {"fit, seconds": seconds}
    yield from compared(both_ways(model, settings, *train), *test, seed)
    report = model.audit(*test, n_refits=0, random_state=0)
    for name, value in report.mask_only.items():
        yield f"mask alone, {name}", {"accuracy": value}
    yield "leak of own masks, nats", {"log-loss": report.leak}


ALL = 10_000
PHOTOGRAPHS: dict[str, Any] = {"grid": 4, "max_features": 3, "hidden_layer_sizes": (24, 48, 64)}
SMALL = {"hidden_layer_sizes": (8, 16, 16)}
PATIENT = 50
"""Epochs of small students that use gradients of masks: small networks learn slowly."""


def photographs(seed: int, quick: bool, n: int = 4000) -> Iterator[tuple[str, Figures]]:
    """CIFAR-10 with 3 of 16 patches, and small students with and without a teacher."""
    train, test = subset("cifar10_10k", n, seed, quick)
    settings = PHOTOGRAPHS | {"random_state": seed} | ({"max_epochs": 2} if quick else {})
    model, seconds = fitted(RationaleClassifier(**settings), *train)
    yield "fit", {"fit, seconds": seconds}
    yield from compared(both_ways(model, settings, *train), *test, seed)
    X, y = test
    small, theirs = settings | SMALL, model.get_rationale(X)
    students: dict[str, Any] = {}
    ways = {"learned": "learned selector", "mask_gradients": "mask gradients"}
    for selection, words in ways.items():
        one = small | {"selection": selection}
        if selection == "mask_gradients" and not quick:
            one |= {"max_epochs": PATIENT}
            words += f", {PATIENT} epochs"
        students[f"small, no teacher, {words}"] = RationaleClassifier(**one)
        students[f"small, with teacher, {words}"] = RationaleDistiller(FrozenEstimator(model), **one)
    for name, student in students.items():
        student, seconds = fitted(student, *train)
        mask = student.get_rationale(X)
        union = (mask | theirs).sum(axis=(1, 2))
        yield (
            name,
            judged(student.predict_proba(X), y)
            | {
                "same as teacher": float((student.predict(X) == model.predict(X)).mean()),
                "Jaccard with teacher": float(((mask & theirs).sum(axis=(1, 2)) / union).mean()),
                "fit, seconds": seconds,
            },
        )


PARTS: dict[str, Callable[[int, bool], Iterator[tuple[str, Figures]]]] = {
    "scenes": known_truth,
    "clothes": clothes,
    "photographs": photographs,
    "clothes, all": partial(clothes, n=ALL),
    "photographs, all": partial(photographs, n=ALL),
}
TITLES = {
    "scenes": "Scenes of 4 x 4 tiles with known truth, 1,000 new scenes",
    "clothes": "Fashion-MNIST, 10 of 49 patches, 4,000 training and 2,000 test pictures",
    "photographs": "CIFAR-10, 3 of 16 patches, 4,000 training and 2,000 test pictures",
    "clothes, all": "Fashion-MNIST, 10 of 49 patches, 10,000 training and 2,000 test pictures",
    "photographs, all": "CIFAR-10, 3 of 16 patches, 10,000 training and 2,000 test pictures",
}
NOTES = """Means over seeds, ± their standard deviation where there are several, on pictures that were not
used in fit. Seconds are those that one thread worked, while other work ran beside it. "EVAL-X": the first
predictor of one model, trained on whole pictures and random masks, is shown as many patches by each rule. Its
network is also that of mask gradients, occlusion, saliency, integrated gradients (of pixels) and Grad-CAM.
"refit": the predictor that answers users. "truth": the tiles that decide are shown. In the needle scenes the
number of patches is found (`max_features=None`), in the others it is given. "chosen": the share of seeds in
which this way was chosen by `selection="auto"`."""


def render(stored: dict[str, Any]) -> str:
    """Tables of what is stored."""
    lines = ["# Rationales of pictures", "", NOTES.replace("\n", " "), ""]
    for part, title in TITLES.items():
        if part not in stored:
            continue
        names: dict[str, list[Figures]] = {}
        for name, figures in (row for seed in sorted(stored[part]) for row in stored[part][seed]):
            names.setdefault(name, []).append(figures)
        columns = list(dict.fromkeys(column for rows in names.values() for row in rows for column in row))
        table = [
            {"": name}
            | {column: spread([row[column] for row in rows if column in row]) for column in columns}
            for name, rows in names.items()
        ]
        seeds = max(map(len, names.values()))
        lines += [f"## {title}; {seeds} seed{'s' * (seeds > 1)}", "", markdown_table(table), ""]
    return "\n".join([*lines, f"Versions: {json.dumps(stored['versions'])}", ""])


def store(part: str, seed: int, rows: list[Any]) -> dict[str, Any]:
    """Add a part to what is stored, perhaps meanwhile by a run of another part, and give all of it."""
    stored = json.loads(PATH.read_text()) if PATH.exists() else {}
    stored.setdefault(part, {})[str(seed)] = rows
    stored["versions"] = versions()
    PATH.write_text(json.dumps(stored, indent=1) + "\n")
    return stored


def spread(values: list[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.3f}" if values else ""
    return f"{fmean(values):.3f} ± {pstdev(values):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=list(PARTS), help="one part alone")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="few pictures, one seed, nothing is stored")
    parser.add_argument("--render", action="store_true", help="write the tables of what is stored")
    options = parser.parse_args()
    stored = json.loads(PATH.read_text()) if PATH.exists() and not options.quick else {}
    chosen = [] if options.render else [options.part] if options.part else list(PARTS)
    for part in chosen:
        for seed in range(1 if options.quick else options.seeds):
            rows = stored.setdefault(part, {}).setdefault(str(seed), [])
            if rows:
                continue
            for name, figures in PARTS[part](seed, options.quick):
                print(part, seed, name, {key: round(value, 3) for key, value in figures.items()}, flush=True)
                rows.append([name, {key: round(value, 5) for key, value in figures.items()}])
            if not options.quick:
                stored = store(part, seed, rows)
    if any(part in stored for part in TITLES) and not options.quick:
        (RESULTS / "images.md").write_text(render(stored))


if __name__ == "__main__":
    main()
