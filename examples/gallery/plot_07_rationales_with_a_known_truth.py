"""
Which columns does a row need?
==============================

In problem 4 of :func:`~skrationale.datasets.make_syn` the eleventh column is a switch: it determines whether
the first two or the next four columns matter. :class:`~skrationale.RationaleClassifier` predicts each row
from a few columns that it selects for this row. Because the truth is known, the selection can be checked cell
by cell.
"""

import matplotlib.pyplot as plt
import numpy as np

from skrationale import RationaleClassifier
from skrationale.datasets import make_syn
from skrationale.metrics import selection_rates
from skrationale.plotting import RationaleDisplay, TrainingDisplay

X, y, _ = make_syn(4, 5000, random_state=0)
X_test, y_test, truth = make_syn(4, 2000, random_state=1)
model = RationaleClassifier(random_state=0).fit(X, y)

# %%
# ``tpr`` is the share of a row's true columns that are selected. ``fdr`` is the share of selected columns
# that are not true.

mask = model.get_rationale(X_test)
print({name: round(value, 3) for name, value in selection_rates(mask, truth).items()})
print(f"columns a row {mask.sum(1).mean():.2f} of {X.shape[1]}")
print(f"accuracy {model.score(X_test, y_test):.3f}")

# %%
# With ``predict(X, mask=mask)``, other cells have no effect on the prediction.

noise = np.random.default_rng(0).normal(size=X_test.shape)
scrambled = np.where(mask, X_test, noise)
same = np.abs(model.predict_proba(scrambled, mask=mask) - model.predict_proba(X_test, mask=mask))
print("largest change:", same.max())

# %%
# Forty rows, sorted by the switch.

rows = np.argsort(X_test[:40, 10])
fig, axes = plt.subplots(1, 2, figsize=(9, 4.2), sharey=True, layout="constrained")
for ax, cells, title in zip(axes, (truth, mask), ("true columns", "rationale"), strict=True):
    ax.imshow(cells[:40][rows], aspect="auto", cmap="Greys", interpolation="none")
    ax.set(title=title, xlabel="column", xticks=range(11), xticklabels=range(1, 12))
axes[0].set(ylabel="rows, by the switch (column 11)")
plt.show()

# %%
# All rows; rows with similar rationales are side by side.

explanation = model.explain(X_test)
RationaleDisplay.from_explanation(explanation)
plt.show()

# %%
# The losses in each stage of the training.

TrainingDisplay.from_estimator(model)
plt.show()
