"""
A small model learns which columns a row needs
==============================================

With :class:`~skrationale.RationaleDistiller` (REKD) a network of eight units learns from a larger one which
columns each row needs, and what to predict. It is compared with a network of the same size that learnt only
from labels. The problem has a switch, and its truth is known.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score

from skrationale import RationaleClassifier, RationaleDistiller
from skrationale.datasets import make_syn
from skrationale.metrics import selection_rates

X, y, _ = make_syn(4, 4000, random_state=0)
X_test, y_test, truth = make_syn(4, 2000, random_state=1)

large = RationaleClassifier(hidden_layer_sizes=(64, 64), max_epochs=70, random_state=0).fit(X, y)
alone = RationaleClassifier(hidden_layer_sizes=(8, 8), max_epochs=70, random_state=0).fit(X, y)
student = RationaleDistiller(
    FrozenEstimator(large), hidden_layer_sizes=(8, 8), max_epochs=70, audit_teacher=False, random_state=0
).fit(X, y)

# %%
# Agreement with the truth, and with the labels.

rows = []
for name, model in {"teacher (64, 64)": large, "alone (8, 8)": alone, "student (8, 8)": student}.items():
    mask = model.get_rationale(X_test)
    rows.append(
        {
            "model": name,
            **selection_rates(mask, truth),
            "columns a row": mask.sum(1).mean(),
            "AUROC": roc_auc_score(y_test, model.predict_proba(X_test)[:, 1]),
        }
    )
table = pd.DataFrame(rows).set_index("model")
print(table.round(3).to_string())

# %%
# How often each column is selected.

fig, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
frequencies = {
    "truth": truth.mean(0),
    "teacher": large.selection_frequencies_,
    "alone": alone.selection_frequencies_,
    "student": student.selection_frequencies_,
}
for i, (name, values) in enumerate(frequencies.items()):
    ax.bar(np.arange(1, 12) + (i - 1.5) * 0.2, values, width=0.2, label=name)
ax.set(xlabel="column", ylabel="share of rows", xticks=range(1, 12))
ax.legend()
plt.show()
