"""What all estimators answered when the reference was stored: a change of the inside changes no answer.

Answers are those of commit 8922940, to the last digit, but where a defect was mended since: formulas keep
more digits of their constants, students of black boxes learn from scores clipped on the common ruler,
FLINT and smooth networks compute the derivatives of their losses in another order, and so do students, for
which probabilities of three and more classes weigh less too; rationales of tables are learnt in fewer steps.
``python tests/reference.py [NAME ...]`` stores them anew, after a change that is meant to change
answers, with the place where that was.
"""

import hashlib
import json
import pathlib
import platform
import sys
from importlib.metadata import version

import numpy as np
from sklearn.base import is_classifier

PATH = pathlib.Path(__file__).with_name("reference.json")
ROWS = 6
LIBRARIES = ("numpy", "scikit-learn", "torch", "lightgbm", "pyoperon", "sympy")


def place():
    """Say where answers are the same to the last digits: one processor with one set of libraries."""
    import torch
    import xgboost  # its distribution has one of two names

    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        wanted = ("vendor_id", "cpu family", "model\t", "flags")
        processor = "".join(sorted({line for line in lines if line.startswith(wanted)}))
    except OSError:
        processor = platform.processor()
    level = torch.backends.cpu.get_cpu_capability()
    libraries = {name: version(name) for name in LIBRARIES} | {"xgboost": xgboost.__version__}
    return {"processor": hashlib.sha256(processor.encode()).hexdigest()[:16], "level": level} | libraries


def answers(model, X):
    """Give scores, contributions and base values of a few rows, as lists."""
    rows = X.iloc[:ROWS]
    scores = model.decision_function(rows) if is_classifier(model) else model.predict(rows)
    explanation = model.explain(rows)
    found = {
        "scores": np.asarray(scores),
        "values": np.asarray(explanation.values),
        "base": np.asarray(explanation.base_values),
    }
    return {name: values.astype(float).tolist() for name, values in found.items()}


def stored():
    """Read the reference: place and answers by name of the estimator, of which some have another place."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def place_of(reference, name):
    """Say where the answers of an estimator were stored."""
    return reference.get("places", {}).get(name, reference["place"])


def largest_error(found, expected):
    """Largest difference between answers and those that are stored, over the largest of these."""
    errors = []
    for name, values in expected.items():
        now, then = np.asarray(found[name]), np.asarray(values)
        if now.shape != then.shape:
            return np.inf
        errors.append(np.abs(now - then).max(initial=0) / max(np.abs(then).max(initial=0), 1e-300))
    return max(errors)


def main(names=()):
    """Fit all estimators, or those that are named, to the table of the tests and store their answers."""
    import torch
    from conftest import mixed_table, target_of
    from estimators import ALL

    torch.set_num_threads(1)
    X, score = mixed_table()
    fitted = {}
    for name in names or ALL:
        model = ALL[name]()
        fitted[name] = answers(model.fit(X, target_of(model, score)), X)
    reference = {"place": place(), "answers": fitted}
    if names:
        before = stored()
        before["answers"].update(fitted)
        before["places"] = before.get("places", {}) | dict.fromkeys(names, place())
        reference = before
    PATH.write_text(json.dumps(reference, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
