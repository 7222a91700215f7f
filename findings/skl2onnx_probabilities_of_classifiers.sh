#!/usr/bin/env bash
# skl2onnx 1.20.0, scikit-learn 1.9.1: to_onnx takes these estimators, but the ONNX, run by onnxruntime 1.32.0, returns
# something else. No error is raised, and to_onnx gives no warning:
# - LinearDiscriminantAnalysis of two classes: the probability is the sigmoid of twice the score, so it is too far from 0.5.
#   With three classes all is well.
# - CalibratedClassifierCV(method="isotonic"): a score gets the probability of the nearest of the knots that the calibration
#   learnt. scikit-learn draws a line between two knots.
# - SGDClassifier(loss="modified_huber"): of several classes that all have the largest probability the first one is the label.
#   scikit-learn takes the class with the largest score, which tells apart classes whose probabilities are cut to the same
#   number.
# - OrdinalEncoder with max_categories or min_frequency, of several columns in one array: each column gets the codes that belong
#   to the rare categories of the first one. One column alone is right.
# Seen (largest difference of the probabilities from scikit-learn; rows of 600 with another label; for two of them the largest
# difference from what is said above; and the codes of the categories 0 to 3 in a list for each column):
#   LinearDiscriminantAnalysis of 3 classes: 0.00, 0 labels
#   LinearDiscriminantAnalysis of 2 classes: 0.15, 0 labels; from the sigmoid of twice the score 0.00
#   sigmoid calibration: 0.00, 0 labels
#   isotonic calibration: 0.04, 1 labels; from the nearest knot 0.00
#   SGDClassifier of log_loss: 0.00, 0 labels; rows with several largest probabilities 0
#   SGDClassifier of modified_huber: 0.00, 142 labels; rows with several largest probabilities 198
#   OrdinalEncoder(): ONNX [[0, 1, 2, 3]], scikit-learn [[0, 1, 2, 3]]
#   OrdinalEncoder(): ONNX [[0, 1, 2, 3]], scikit-learn [[0, 1, 2, 3]]
#   OrdinalEncoder(): ONNX [[0, 1, 2, 3], [0, 1, 2, 3]], scikit-learn [[0, 1, 2, 3], [0, 1, 2, 3]]
#   OrdinalEncoder(min_frequency=50): ONNX [[2, 2, 0, 1]], scikit-learn [[2, 2, 0, 1]]
#   OrdinalEncoder(min_frequency=50): ONNX [[0, 2, 1, 2]], scikit-learn [[0, 2, 1, 2]]
#   OrdinalEncoder(min_frequency=50): ONNX [[2, 2, 0, 1], [2, 2, 0, 1]], scikit-learn [[2, 2, 0, 1], [0, 2, 1, 2]]
#   OrdinalEncoder(max_categories=3): ONNX [[2, 2, 0, 1]], scikit-learn [[2, 2, 0, 1]]
#   OrdinalEncoder(max_categories=3): ONNX [[0, 2, 1, 2]], scikit-learn [[0, 2, 1, 2]]
#   OrdinalEncoder(max_categories=3): ONNX [[2, 2, 0, 1], [2, 2, 0, 1]], scikit-learn [[2, 2, 0, 1], [0, 2, 1, 2]]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0 scikit-learn==1.9.1 numpy==2.4.0 scipy==1.17.1 pandas==2.3.3

cat > "$folder/seen.py" <<'PY'
import warnings

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.preprocessing import OrdinalEncoder

rng = np.random.default_rng(0)
X = rng.normal(size=(600, 3)).astype(np.float32)
y = X[:, 0] + X[:, 1] / 2 + rng.normal(size=600) * 0.7
two, three = y > 0, np.digitize(y, [-0.5, 0.5])
apart = np.digitize(X[:, 0] + X[:, 1] / 2, [-0.7, 0.7])


def run(model, rows):
    options = {id(model): {"zipmap": False}} if hasattr(model, "predict") else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = to_onnx(model, rows[:1], options=options)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"X": rows})


def show(name, model, target):
    model.fit(X, target)
    label, found = run(model, X)
    off = np.abs(found - model.predict_proba(X)).max()
    print(f"{name}: {off:.2f}, {(label != model.predict(X)).sum()} labels", end="")
    return found[:, 1]


found = show("LinearDiscriminantAnalysis of 3 classes", LinearDiscriminantAnalysis(), three)
model = LinearDiscriminantAnalysis()
found = show("\nLinearDiscriminantAnalysis of 2 classes", model, two)
twice = 1 / (1 + np.exp(-2 * model.decision_function(X)))
print(f"; from the sigmoid of twice the score {np.abs(found - twice).max():.2f}")

show("sigmoid calibration", CalibratedClassifierCV(LogisticRegression(), ensemble=False), two)
model = CalibratedClassifierCV(LogisticRegression(), method="isotonic", ensemble=False)
found = show("\nisotonic calibration", model, two)
score = model.calibrated_classifiers_[0].estimator.decision_function(X)
knots = model.calibrated_classifiers_[0].calibrators[0]
nearest = knots.y_thresholds_[np.abs(score[:, None] - knots.X_thresholds_).argmin(axis=1)]
print(f"; from the nearest knot {np.abs(found - nearest).max():.2f}")

for loss in ("log_loss", "modified_huber"):
    model = SGDClassifier(loss=loss, random_state=0)
    show(f"SGDClassifier of {loss}", model, apart)
    largest = model.predict_proba(X)
    print(f"; rows with several largest probabilities {((largest == largest.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum()}")

first = np.repeat(np.arange(4), (20, 20, 300, 260))
second = np.repeat(np.arange(4), (300, 20, 260, 20))
cells = np.arange(4)[:, None]
for encoder in (OrdinalEncoder(), OrdinalEncoder(min_frequency=50), OrdinalEncoder(max_categories=3)):
    for counts in (first[:, None], second[:, None], np.column_stack([first, second])):
        encoder.fit(counts)
        rows = np.repeat(cells, counts.shape[1], axis=1)
        found, truth = run(encoder, rows)[0].T.astype(int).tolist(), encoder.transform(rows).T.astype(int).tolist()
        print(f"{encoder}: ONNX {found}, scikit-learn {truth}")
PY
cat > "$folder/expected" <<'SEEN'
LinearDiscriminantAnalysis of 3 classes: 0.00, 0 labels
LinearDiscriminantAnalysis of 2 classes: 0.15, 0 labels; from the sigmoid of twice the score 0.00
sigmoid calibration: 0.00, 0 labels
isotonic calibration: 0.04, 1 labels; from the nearest knot 0.00
SGDClassifier of log_loss: 0.00, 0 labels; rows with several largest probabilities 0
SGDClassifier of modified_huber: 0.00, 142 labels; rows with several largest probabilities 198
OrdinalEncoder(): ONNX [[0, 1, 2, 3]], scikit-learn [[0, 1, 2, 3]]
OrdinalEncoder(): ONNX [[0, 1, 2, 3]], scikit-learn [[0, 1, 2, 3]]
OrdinalEncoder(): ONNX [[0, 1, 2, 3], [0, 1, 2, 3]], scikit-learn [[0, 1, 2, 3], [0, 1, 2, 3]]
OrdinalEncoder(min_frequency=50): ONNX [[2, 2, 0, 1]], scikit-learn [[2, 2, 0, 1]]
OrdinalEncoder(min_frequency=50): ONNX [[0, 2, 1, 2]], scikit-learn [[0, 2, 1, 2]]
OrdinalEncoder(min_frequency=50): ONNX [[2, 2, 0, 1], [2, 2, 0, 1]], scikit-learn [[2, 2, 0, 1], [0, 2, 1, 2]]
OrdinalEncoder(max_categories=3): ONNX [[2, 2, 0, 1]], scikit-learn [[2, 2, 0, 1]]
OrdinalEncoder(max_categories=3): ONNX [[0, 2, 1, 2]], scikit-learn [[0, 2, 1, 2]]
OrdinalEncoder(max_categories=3): ONNX [[2, 2, 0, 1], [2, 2, 0, 1]], scikit-learn [[2, 2, 0, 1], [0, 2, 1, 2]]
SEEN
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
