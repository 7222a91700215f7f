#!/usr/bin/env bash
# imodels 3.0.4, scikit-learn 1.9.1: BoostedRulesClassifier and SlipperClassifier learn two classes well if these are called 0
# and 1. With other labels of the same rows they predict at chance, and no error or warning is raised. The rules are learnt for
# the numbers 0 and 1 of the classes, but after that classes_ is replaced by the given labels, and the predictions of
# scikit-learn's AdaBoost, from which these classifiers inherit, count a rule's vote for the label that equals what it predicts:
# with 1 and 2 the votes for the second class go to the first one, and with words no vote goes anywhere. FIGSClassifier is right
# with any labels.
# Seen (share of the training rows that are predicted well; how many of 1000 rows get the second label, and how many get the
# second class if classes_ is set to 0 and 1 again; 500 rows are of the second class):
#   AdaBoostClassifier of [0, 1]: 0.99, 505 rows
#   AdaBoostClassifier of [1, 2]: 0.99, 505 rows
#   AdaBoostClassifier of ['no', 'yes']: 0.99, 505 rows
#   FIGSClassifier of [0, 1]: 0.95, 499 rows
#   FIGSClassifier of [1, 2]: 0.95, 499 rows
#   FIGSClassifier of ['no', 'yes']: 0.95, 499 rows
#   BoostedRulesClassifier of [0, 1]: 0.96, 500 rows, as 0 and 1 0.96, 500 rows
#   BoostedRulesClassifier of [1, 2]: 0.50, 0 rows, as 0 and 1 0.96, 500 rows
#   BoostedRulesClassifier of ['no', 'yes']: 0.50, 0 rows, as 0 and 1 0.96, 500 rows
#   SlipperClassifier of [0, 1]: 0.72, 223 rows, as 0 and 1 0.72, 223 rows
#   SlipperClassifier of [1, 2]: 0.50, 0 rows, as 0 and 1 0.72, 223 rows
#   SlipperClassifier of ['no', 'yes']: 0.50, 0 rows, as 0 and 1 0.72, 223 rows
#   500
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  imodels==3.0.4 six==1.17.0 scikit-learn==1.9.1 numpy==2.4.0 pandas==2.3.3

cat > "$folder/seen.py" <<'PY'
import warnings

import numpy as np
from imodels import BoostedRulesClassifier, FIGSClassifier, SlipperClassifier
from sklearn.ensemble import AdaBoostClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(1000, 4))
second = (X[:, 0] + X[:, 1] > 0).astype(int)
warnings.simplefilter("error")

for kind in (AdaBoostClassifier, FIGSClassifier, BoostedRulesClassifier, SlipperClassifier):
    for labels in ([0, 1], [1, 2], ["no", "yes"]):
        y = np.array(labels)[second]
        model = kind(random_state=0).fit(X, y)
        found = model.predict(X)
        print(f"{kind.__name__} of {labels}: {(found == y).mean():.2f}, {(found == labels[1]).sum()} rows", end="")
        if issubclass(kind, BoostedRulesClassifier):
            model.classes_ = np.array([0, 1])
            print(f", as 0 and 1 {(model.predict(X) == second).mean():.2f}, {(model.predict(X) == 1).sum()} rows", end="")
        print()
print(second.sum())
PY
cat > "$folder/expected" <<'SEEN'
AdaBoostClassifier of [0, 1]: 0.99, 505 rows
AdaBoostClassifier of [1, 2]: 0.99, 505 rows
AdaBoostClassifier of ['no', 'yes']: 0.99, 505 rows
FIGSClassifier of [0, 1]: 0.95, 499 rows
FIGSClassifier of [1, 2]: 0.95, 499 rows
FIGSClassifier of ['no', 'yes']: 0.95, 499 rows
BoostedRulesClassifier of [0, 1]: 0.96, 500 rows, as 0 and 1 0.96, 500 rows
BoostedRulesClassifier of [1, 2]: 0.50, 0 rows, as 0 and 1 0.96, 500 rows
BoostedRulesClassifier of ['no', 'yes']: 0.50, 0 rows, as 0 and 1 0.96, 500 rows
SlipperClassifier of [0, 1]: 0.72, 223 rows, as 0 and 1 0.72, 223 rows
SlipperClassifier of [1, 2]: 0.50, 0 rows, as 0 and 1 0.72, 223 rows
SlipperClassifier of ['no', 'yes']: 0.50, 0 rows, as 0 and 1 0.72, 223 rows
500
SEEN
"$folder/env/bin/python" "$folder/seen.py" 2> "$folder/errors" | diff "$folder/expected" - || { tail -5 "$folder/errors"; exit 1; }
echo "as described"
