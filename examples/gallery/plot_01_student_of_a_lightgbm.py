"""
A LightGBM becomes a network with its reasons
=============================================

A :class:`~skrationale.GBDT2NNStudent` learns to predict the raw score of a LightGBM and its TreeSHAP values.
Its score is the sum of its contributions, one per column, so one forward pass computes both prediction and
explanation. Here the teacher classifies tumours as malignant or benign.
"""

import matplotlib.pyplot as plt
from lightgbm import LGBMClassifier
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skrationale import GBDT2NNStudent
from skrationale.plotting import FidelityDisplay

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

teacher = LGBMClassifier(n_estimators=100, learning_rate=0.1, n_jobs=1, verbose=-1)
student = GBDT2NNStudent(teacher, max_epochs=40, random_state=0).fit(X_train, y_train)

# %%
# How well does the student agree with its teacher, on rows that were not in fit? ``prediction_r2`` compares
# the log-odds, ``explanation_r2`` the contributions, and ``top1_agreement`` is the share of rows with the
# same largest contribution. The picture shows scores and contributions of the student against those of the
# teacher.

for name, value in student.fidelity(X_test, y_test).items():
    print(f"{name:18} {value:.3f}")
FidelityDisplay.from_estimator(student, X_test)
plt.show()

# %%
# The contributions add up to the score.

explanation = student.explain(X_test)
print("additivity error:", explanation.additivity_error(student.decision_function(X_test)))
print("columns that matter most:", explanation.top(3))

# %%
# Each point is one row and one column. Its position is the contribution to the log-odds of a benign tumour,
# and its colour shows the value of the column.

explanation.plot("beeswarm", max_display=10)
plt.show()

# %%
# How the contributions of one row add up to its score.

explanation[0].plot("waterfall", max_display=8)
plt.show()
