"""
A network reads as a few attributes
===================================

FLINT learns a network and, with it, a small dictionary of attributes: numbers of at least 0 that are read
off the hidden layers, and whose weighted sum is the score. Each is described by what it speaks for, by its
columns, and by a short rule. A rule comes with its R2 on rows held out, so that one sees how far it may be
believed.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skrationale import FLINTClassifier
from skrationale.plotting import AttributeTableDisplay

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
y = y.map({0: "malignant", 1: "benign"})
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
model = FLINTClassifier(n_attributes=6, random_state=0).fit(X_train, y_train)

for name, value in model.fidelity(X_test, y_test).items():
    print(f"{name:18} {value:.3f}")
print("attributes that a row needs:", round(model.conciseness(X_test, taus=[2.0])[2.0], 2))
print("rows on which network and interpreter disagree:", model.disagreement(X_test).sum())

# %%
# What the attributes are: the share of rows in which each is relevant, how well a short rule describes it,
# and, in the picture, what it speaks for.

descriptions = model.describe()
table = descriptions.to_frame()
print(table[["name", "relevant_share", "rule_r2"]].round(2).to_string(index=False))
AttributeTableDisplay.from_estimator(model)
plt.show()

# %%
# The most important one, in words and as a picture.

largest = int(model.attribute_importances_.argmax())
print(model.describe_attribute(largest))
model.plot_attribute(largest)
plt.show()

# %%
# A prediction is the sum of its attributes.

explanation = model.explain(X_test)
explanation[0].plot("waterfall")
plt.show()
