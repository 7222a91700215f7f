"""
Patches that decide
===================

A classifier of digits that predicts each picture from 5 of its 16 patches, and shows them. The audit compares
these patches with random ones, with the patches of most contrast, and with the patches that change the
prediction most if they are hidden.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from skrationale import RationaleClassifier

X, y = load_digits(return_X_y=True)
pictures = X.reshape(-1, 8, 8)
model = RationaleClassifier(max_features=5, max_epochs=24, random_state=0)
model.fit(pictures[:1200], y[:1200])
new, labels = pictures[1200:], y[1200:]
print(f"accuracy {model.score(new, labels):.3f} from {model.mean_n_selected_:.0f} of 16 patches")

# %%
# Hidden patches are washed out. Titles are the true digit and the predicted one.

model.plot_rationale(new, y=labels)
plt.show()

# %%
# Which patches the model uses, for each digit that it predicts.

model.plot_rationale(n=10)
plt.show()

# %%
# An explanation has a name for each patch. Its value is what the patch adds to the log-probability, in nats.

explanation = model.explain(new)
print(explanation.top(3))
explanation.plot("bar", max_display=6)
plt.show()

# %%
# Are the patches worth it? Different sets of patches can be enough for one picture.

report = model.audit(new, labels, n_refits=0, random_state=0)
print(report)
