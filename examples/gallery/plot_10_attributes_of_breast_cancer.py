"""
A network reads as a few attributes
===================================

FLINT learns a network and a small dictionary of attributes: numbers of at least 0 that are computed from the
hidden layers, and whose weighted sum is the score. Each attribute is described by the classes that it
supports, by its columns, and by a short rule. The R2 of a rule on held-out rows shows how well the rule
describes the attribute.
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
# For each attribute: the share of rows in which it is relevant, how well a short rule describes it, and, in
# the picture, which class it supports.

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
