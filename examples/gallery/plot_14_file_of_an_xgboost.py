"""
The file of an XGBoost
======================

Somebody trained an XGBoost and sent you its file. ``as_teacher`` makes a fitted estimator from it, and a few
lines compute exact contributions. A student then computes predictions and contributions in one pass.
"""

from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

from skrationale import GBDT2NNStudent, as_teacher, tree_contributions

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# Somebody fits a model and saves it.

path = Path(mkdtemp()) / "model.json"
fitted = XGBClassifier(n_estimators=100, max_depth=4, learning_rate=0.1).fit(X_train, y_train)
fitted.save_model(path)

# %%
# You compute the contributions. They are exact: with the base value they add up to the log-odds of the model,
# except for rounding, because XGBoost adds with 32 bits.

model = as_teacher(path, classes=["malignant", "benign"])  # its labels 0 and 1
explanation = tree_contributions(model, X_test)
print(explanation)
print("strongest columns:", ", ".join(explanation.top(3)))

# %%
# The beeswarm of all test rows.

explanation.plot("beeswarm", max_display=8)
plt.show()

# %%
# A student of the model in the file. The labels in its fit only have to be classes of the model.

labels = np.array(["malignant", "benign"])
student = GBDT2NNStudent(FrozenEstimator(model), max_epochs=40, random_state=0)
student.fit(X_train, labels[y_train])
agreement = student.fidelity(X_test)
print(f"R2 of scores {agreement['prediction_r2']:.3f}, of reasons {agreement['explanation_r2']:.3f}")
