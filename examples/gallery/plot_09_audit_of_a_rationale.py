"""
Is a rationale honest?
======================

A selector can cheat: it first predicts the label, then shows one column for "yes" and another one for "no".
The predictor then only needs to know which column is shown. Such a model has good scores, but its rationales
do not explain its predictions. ``audit`` tests this on rows that were not used in ``fit``: here for a model
with default parameters, and for one that was trained as in the paper, in which hidden cells are zeros.
"""

import textwrap

import matplotlib.pyplot as plt

from skrationale import RationaleClassifier
from skrationale.datasets import make_syn

X, y, _ = make_syn(4, 3000, random_state=0)
X_new, y_new, _ = make_syn(4, 2000, random_state=1)

honest = RationaleClassifier(max_epochs=45, random_state=0).fit(X, y)
paper = RationaleClassifier(preset="paper", max_features=4 / 11, random_state=0).fit(X, y)
audits = {
    "default": honest.audit(X_new, y_new, n_refits=0, random_state=0),
    "preset='paper'": paper.audit(X_new, y_new, n_refits=0, random_state=0),
}
for name, audit in audits.items():
    print(f"{name}:", *textwrap.wrap(audit.verdict, 95), "", sep="\n")

# %%
# All checks of one model; the last column says which values are good.

print(audits["preset='paper'"].to_frame().round(3).to_string(index=False, na_rep=""))

# %%
# A leak is what the masks reveal beyond the cells that they show. An unsupported gain is how much better the
# model predicts than these cells support. The bars are two standard errors.

fig, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
for i, name in enumerate(("leak", "unsupported")):
    values = [getattr(audit, name) for audit in audits.values()]
    errors = [2 * getattr(audit, f"{name}_error") for audit in audits.values()]
    places = [place + 0.2 - 0.4 * i for place in range(len(audits))]
    ax.barh(places, values, height=0.38, xerr=errors, capsize=4, label=name)
ax.axvline(audits["default"].leak_limit, ls=":", c="k", label="limit")
ax.set(xlabel="nats", yticks=range(len(audits)), yticklabels=list(audits))
ax.legend()
plt.show()
