"""
All plots of shap
=================

``to_shap()`` turns every explanation into one of shap, with values, base values, feature names and cells in
the places that shap's plots use. With several classes, ``for_output`` selects one. Nothing is computed again:
shap only draws.
"""

import matplotlib.pyplot as plt
import shap
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

from skrationale import GBDT2NNStudent

X, y = load_wine(return_X_y=True, as_frame=True)
y = y.map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
student = GBDT2NNStudent(max_epochs=40, random_state=0).fit(X_train, y_train)
explanation = student.explain(X_test)
print(explanation)
print(f"accuracy {student.score(X_test, y_test):.3f}")

# %%
# The beeswarm of shap, for one class.

barolo = explanation.for_output("Barolo").to_shap()
print(type(barolo), barolo.shape)
shap.plots.beeswarm(barolo, max_display=8, show=False)
plt.show()

# %%
# The waterfall of shap, for one row.

shap.plots.waterfall(barolo[0], max_display=8, show=False)
plt.show()

# %%
# The scatter plot of shap for one column, coloured by another one.

shap.plots.scatter(barolo[:, "proline"], color=barolo[:, "flavanoids"], show=False)
plt.show()
