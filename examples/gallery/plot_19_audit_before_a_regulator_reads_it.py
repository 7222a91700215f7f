"""
Tutorial: audit a rationale before a regulator reads it
=======================================================

A model that predicts from a few columns per row is easy to defend, if the columns that it shows really
support its predictions. This tutorial collects the evidence on rows that were not in ``fit``: what the
model shows, that other columns have no effect, an audit of its masks, its weak spots, and a page for the
file. Data are scikit-learn's breast cancer measurements.
"""

import tempfile
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skrationale import RationaleClassifier
from skrationale.serving import save

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
y = y.map({0: "malignant", 1: "benign"})
X_train, X_new, y_train, y_new = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)

# %%
# Step 1: the model and what it costs
# -----------------------------------
# Four columns per row, compared with a LightGBM that uses all thirty: the difference is the cost of a short
# explanation.

model = RationaleClassifier(max_features=4, max_epochs=25, random_state=0).fit(X_train, y_train)
everything = LGBMClassifier(n_estimators=100, n_jobs=1, verbose=-1).fit(X_train, y_train)
print(f"accuracy with 4 columns per row {model.score(X_new, y_new):.3f}")
print(f"accuracy with 30 columns        {everything.score(X_new, y_new):.3f}")

# %%
# Step 2: what is shown
# ---------------------
# The columns of three patients, and how often each column is used for each predicted class.

print(model.select(X_new[:3]).apply(lambda row: row.dropna().round(2).to_dict(), axis=1).to_list())
frequencies = pd.DataFrame(model.class_frequencies_.T, index=X.columns, columns=model.classes_)
print(frequencies[frequencies.max(axis=1) > 0.1].round(2).to_string())

# %%
# Step 3: other columns have no effect
# ------------------------------------
# Replace all values that are not shown by random numbers. With the given masks no prediction changes.

mask = model.get_rationale(X_new)
noise = np.random.default_rng(0).normal(size=X_new.shape) * 1e6
changed = X_new.where(mask, noise)
same = (model.predict_proba(changed, mask=mask) == model.predict_proba(X_new, mask=mask)).all()
print("predictions with random values in all other columns are the same:", bool(same))

# %%
# Step 4: does the mask reveal the label?
# ---------------------------------------
# Step 3 is also true for a dishonest model: its mask could be a code for the label. ``audit`` trains
# predictors on one half of the rows that the model has not seen, and compares them on the other half. By
# default the model is also fitted twice more, to measure how stable its selection is.

audit = model.audit(X_new, y_new, random_state=0)
print(*textwrap.wrap(audit.verdict, 95), sep="\n")
print(audit.to_frame()[["check", "value", "good"]].to_string(index=False))

# %%
# Step 5: the weak spots
# ----------------------
# A regulator will look at the wrong predictions, and so should you: are they also the uncertain ones?

probability = model.predict_proba(X_new).max(axis=1)
wrong = model.predict(X_new) != y_new.to_numpy()
print(f"{wrong.sum()} of {len(wrong)} predictions are wrong")
fig, ax = plt.subplots(figsize=(7, 2.6), layout="constrained")
bins = np.linspace(0.5, 1, 11)
ax.hist([probability[~wrong], probability[wrong]], bins, stacked=True, label=["right", "wrong"])
ax.set(xlabel="probability of the predicted class", ylabel="rows", yscale="log")
ax.legend()
plt.show()

# %%
# Step 6: the file
# ----------------
# The model in a file that runs no code, a model card with the SHA-256 of that file, and the audit as a
# table. Write down which rows you used, and keep them.

folder = Path(tempfile.mkdtemp())
save(model, folder / "model.skops")
model.model_card(folder / "card.md", X_new, y_new, file=folder / "model.skops")
audit.to_frame().to_csv(folder / "audit.csv", index=False)
print(sorted(path.name for path in folder.iterdir()))
print(*(folder / "card.md").read_text(encoding="utf-8").splitlines()[:12], sep="\n")
