"""
Reasons of a student, TreeSHAP, and the truth
=============================================

:func:`~skrationale.datasets.make_additive` generates a target whose true contributions are known: a line, a
sine, a parabola, a step and a tent, each a function of one column. The student's contributions are compared
with the TreeSHAP values from which it learnt, with path contributions, and with the truth. A smooth student
may be closer to the truth than its teacher.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor

from skrationale import GBDT2NNStudent
from skrationale.datasets import make_additive
from skrationale.metrics import explanation_fidelity

X, y, _ = make_additive(1500, 8, noise=0.2, random_state=0)
X_test, y_test, truth = make_additive(1000, 8, noise=0.2, random_state=1)

teacher = LGBMRegressor(n_estimators=150, num_leaves=15, n_jobs=1, verbose=-1)
student = GBDT2NNStudent(teacher, max_epochs=25, random_state=0).fit(X, y)

# %%
# All contributions are for the same rows. ``explanation_r2`` is computed over all cells together.

reasons = {
    "student": student.explain(X_test),
    "TreeSHAP": student.teacher_explain(X_test, "tree_shap"),
    "path": student.teacher_explain(X_test, "path"),
}
rows = []
for name, explanation in reasons.items():
    rows.append(
        {
            "reasons": name,
            "R2 against TreeSHAP": explanation_fidelity(explanation.values, reasons["TreeSHAP"].values)[
                "explanation_r2"
            ],
            "R2 against the truth": explanation_fidelity(explanation.values, truth)["explanation_r2"],
        }
    )
print(pd.DataFrame(rows).round(3).to_string(index=False))
print(f"\nscore of the teacher {student.teacher_.score(X_test, y_test):.3f}")
print(f"score of the student {student.score(X_test, y_test):.3f}")

# %%
# The contributions of the first five columns, against the values of each column.

fig, axes = plt.subplots(1, 5, figsize=(12, 2.8), sharey=True, layout="constrained")
for j, ax in enumerate(axes):
    order = np.argsort(X_test[:, j])
    ax.plot(X_test[:, j], reasons["TreeSHAP"].values[:, j], ".", ms=3, alpha=0.4, label="TreeSHAP")
    ax.plot(X_test[:, j], reasons["student"].values[:, j], ".", ms=3, alpha=0.4, label="student")
    ax.plot(X_test[order, j], truth[order, j], "k", lw=1, label="truth")
    ax.set(title=f"x{j}", xlabel="value")
axes[0].set_ylabel("contribution")
axes[-1].legend(markerscale=3, fontsize=8)
plt.show()
