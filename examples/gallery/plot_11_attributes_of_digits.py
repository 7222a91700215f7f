"""
Attributes of images
====================

Images are given as an array of shape (n, channels, height, width), and the network is then a small
convolutional network. An attribute is shown by the images in which it is largest, in a frame for each class.
Below them are maps of where the attribute is, and the images after the attribute was raised further, as in
the paper. The images are the small digits of scikit-learn.
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
# The most important attribute. An orange patch raises the attribute, whether it is bright or dark: if the
# patch is hidden, the attribute becomes smaller. A blue patch lowers the attribute.

order = model.attribute_importances_.argsort()[::-1]
model.plot_attribute(int(order[0]))
plt.show()

# %%
# The next one.

model.plot_attribute(int(order[1]))
plt.show()

# %%
# The same in words. The columns are patches, named by their rows and columns of pixels, counted from 0.

print(model.describe_attribute(int(order[0]), X_test))

# %%
# Where an attribute is on average in the digits of a class: the mean of its maps.

fig, axes = plt.subplots(1, 4, figsize=(8, 2.4), layout="constrained")
answers = model.predict(X_test)
for j, ax in zip(order, axes, strict=False):
    label = int(model.classes_[model.global_relevance_[:, j].argmax()])
    maps = model.attribute_map(int(j), X_test[answers == label])
    largest = abs(maps.mean(axis=0)).max()
    ax.imshow(maps.mean(axis=0), cmap="PuOr_r", vmin=-largest, vmax=largest)
    ax.set(title=f"{model.get_feature_names_out()[j]}\nin images of {label}", xticks=[], yticks=[])
    ax.title.set_size("small")
plt.show()

# %%
# Which attribute supports which digit.

AttributeTableDisplay.from_estimator(model, rules=False)
plt.show()
