"""
Attributes of images
====================

Images go in as an array of shape (n, channels, height, width), and the network is then a small
convolutional one. An attribute is shown by the images that have most of it; below them is what they become
when the attribute is raised further, as the paper does. The images are the small digits of scikit-learn.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skrationale import FLINTClassifier
from skrationale.plotting import AttributeTableDisplay

X, y = load_digits(return_X_y=True)
images = X.reshape(-1, 1, 8, 8) / 16
X_train, X_test, y_train, y_test = train_test_split(images, y, stratify=y, random_state=0)
model = FLINTClassifier(n_attributes=12, max_epochs=25, random_state=0).fit(X_train, y_train)

fidelity = model.fidelity(X_test, y_test)
print(f"accuracy of the network     {fidelity['model_score']:.3f}")
print(f"accuracy of its interpreter {fidelity['interpreter_score']:.3f}")
print(f"same answer                 {fidelity['same_class']:.3f}")
print("attributes that a row needs:", round(model.conciseness(X_test, taus=[2.0])[2.0], 2))

# %%
# The attribute that matters most.

order = model.attribute_importances_.argsort()[::-1]
model.plot_attribute(int(order[0]))
plt.show()

# %%
# The next one.

model.plot_attribute(int(order[1]))
plt.show()

# %%
# Which attribute speaks for which digit.

AttributeTableDisplay.from_estimator(model, rules=False)
plt.show()
