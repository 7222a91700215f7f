#!/usr/bin/env bash
# scikit-learn 1.9.1: each question about the kind of a FrozenEstimator, such as is_classifier, copies all tags of the estimator within
# it by copy.deepcopy, object by object. A package that asks at each prediction of one row pays more for the question than for a small
# model. Asking about the estimator inside costs no copy, and gives the same answer.
# Seen (answer, number of calls of copy.deepcopy):
#   LogisticRegression: True, 0
#   FrozenEstimator: True, 77
#   FrozenEstimator asked ten times: True, 770
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/seen.py" <<'PY'
import copy
import sys

from sklearn.base import is_classifier
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

code = copy.deepcopy.__code__


def calls_of(question):
    count = 0

    def watch(frame, event, _):
        nonlocal count
        count += event == "call" and frame.f_code is code

    sys.setprofile(watch)
    answer = question()
    sys.setprofile(None)
    return f"{answer}, {count}"


X, y = make_classification(100, random_state=0)
model = LogisticRegression().fit(X, y)
frozen = FrozenEstimator(model)
print("LogisticRegression:", calls_of(lambda: is_classifier(model)))
print("FrozenEstimator:", calls_of(lambda: is_classifier(frozen)))
print("FrozenEstimator asked ten times:", calls_of(lambda: all([is_classifier(frozen) for _ in range(10)])))
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.0
"$folder/venv/bin/python" "$folder/seen.py" | tee "$folder/seen"
diff <(sed -n 's/^#   //p' "$0") "$folder/seen"
