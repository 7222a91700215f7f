"""
Tutorial: explain a boosted model in production
===============================================

A gradient boosting model is in use already, and now every prediction needs an explanation. This tutorial goes
from the fitted model to a service: exact contributions, a fast student, a file, a graph without Python, and a
check of new rows. The model and its predictions do not change. Data are scikit-learn's breast cancer
measurements.
"""

import tempfile
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from skrationale import GBDT2NNStudent, TreeContributions
from skrationale.serving import load, save, serving_copy

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_new, y_train, y_new = train_test_split(X, y, stratify=y, random_state=0)
in_use = HistGradientBoostingClassifier(max_iter=60, random_state=0).fit(X_train, y_train)

# %%
# Step 1: exact contributions
# ---------------------------
# ``TreeContributions`` reads the fitted model and builds look-up tables once. Contributions are exact
# TreeSHAP values in log-odds: base value and contributions add up to the decision function.

tables = TreeContributions(in_use)
exact = tables.explain(X_new)
print(tables)
print("additivity error:", f"{exact.additivity_error(in_use.decision_function(X_new)):.1e}")
print("first row, largest contributions:", exact[0].top(3))

# %%
# Step 2: a student for the service
# ---------------------------------
# A student is a small network whose score is the sum of its contributions. It needs neither the model nor
# scikit-learn when it runs as a graph. It is an imitation, so measure on new rows how good it is.

student = GBDT2NNStudent(FrozenEstimator(in_use), max_epochs=60, random_state=0).fit(X_train, y_train)
fidelity = student.fidelity(X_new, y_new)
for name in ("prediction_r2", "explanation_r2", "top1_agreement", "score", "teacher_score"):
    print(f"{name:15} {fidelity[name]:.3f}")

# %%
# Step 3: a file that runs no code when it is loaded
# --------------------------------------------------
# ``serving_copy`` leaves out the teacher, and ``save`` writes a file whose loading runs no code. The ONNX
# graph runs in any language. It takes numbers in float64 here: float32 would move some measurements across
# a threshold.

folder = Path(tempfile.mkdtemp())
save(serving_copy(student), folder / "student.skops")
(folder / "student.onnx").write_bytes(student.to_onnx(dtype="float64").SerializeToString())
again = load(folder / "student.skops")
session = onnxruntime.InferenceSession(str(folder / "student.onnx"))
rows = X_new.to_numpy()
scores, contributions, *_ = session.run(None, {"X": rows})
print("file and model agree:", bool((again.predict(X_new) == student.predict(X_new)).all()))
print(
    "graph and model differ by at most",
    f"{np.abs(scores[:, 0] - student.decision_function(X_new)).max():.0e}",
)
print("sizes in kB:", {path.name: round(path.stat().st_size / 1000) for path in sorted(folder.iterdir())})

# %%
# Step 4: how long does one row take?
# -----------------------------------


def microseconds(call, repeats=200):
    call()
    start = perf_counter()
    for _ in range(repeats):
        call()
    return (perf_counter() - start) / repeats * 1e6


times = {
    "prediction of the model alone": microseconds(lambda: in_use.predict_proba(X_new[:1]), 20),
    "exact contributions, one row": microseconds(lambda: tables.explain(X_new[:1]), 50),
    "graph: prediction and contributions": microseconds(lambda: session.run(None, {"X": rows[:1]})),
}
print(pd.Series(times).round().astype(int).to_string())

# %%
# Step 5: watch the contributions of new rows
# -------------------------------------------
# A sensor that drifts changes contributions long before labels arrive. Here one column of the new rows is
# read in another unit. Mean contributions show which column to look at.

drifted = X_new.assign(**{"worst area": X_new["worst area"] * 1.3})
now = tables.explain(drifted)
shift = pd.Series(now.values.mean(axis=0) - exact.values.mean(axis=0), index=X.columns)
largest = shift.abs().sort_values().index[-8:]
print("largest shift:", largest[-1], f"{shift[largest[-1]]:.2f}")
fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.barh(largest, shift[largest])
ax.set_xlabel("change of the mean contribution (log-odds)")
plt.show()
