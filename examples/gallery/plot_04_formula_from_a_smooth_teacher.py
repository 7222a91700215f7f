"""
A smooth network becomes a formula
==================================

A short formula describes a smooth surface better than a rough one. Here a network that overfits is trained
with increasing penalties on its input gradient (lambda). For three of them
:class:`~skrationale.SymbolicDistiller` searches for a formula of the network, without the labels.
``early_stopping=False`` makes the effect visible, because early stopping makes a network smooth too. The last
line of the table is a network with early stopping, which is the default, and without a penalty.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from skrationale import SmoothMLPRegressor, SymbolicDistiller
from skrationale.plotting import LambdaPathDisplay

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
network = SmoothMLPRegressor(
    jacobian_lambda="auto", jacobian_lambdas=[0, 0.003, 0.03, 0.3], early_stopping=False, random_state=0
).fit(X_train, y_train)

# %%
# With a larger lambda the network becomes smoother, and better on held-out rows. ``"auto"`` takes the largest
# lambda whose loss is within one standard error of the best loss.

LambdaPathDisplay.from_estimator(network, measures=["validation_loss", "mean_grad_norm"])
plt.show()

# %%
# Formulas of four networks. ``teacher_weight=1`` uses only the network as the target. By default the
# distiller also tries the labels, and uses them if the network does not help.

teachers = {f"lambda {value:g}": network.at_lambda(value) for value in (0.0, 0.03, 0.3)}
teachers["early stopping"] = SmoothMLPRegressor(jacobian_lambda=0, random_state=0).fit(X_train, y_train)
rows = []
for name, teacher in teachers.items():
    distiller = SymbolicDistiller(
        FrozenEstimator(teacher),
        teacher_weight=1,
        model_selection="accuracy",
        niterations=200,
        random_state=0,
    ).fit(X_train, y_train)
    rows.append(
        {
            "network": name,
            "gradient": teacher.mean_grad_norm_,
            "R2 of network": teacher.score(X_test, y_test),
            "R2 of formula": distiller.score(X_test, y_test),
            "fidelity": distiller.fidelity(X_test)["prediction_r2"],
            "complexity": distiller.formula_.complexity,
        }
    )
print(pd.DataFrame(rows).round(3).to_string(index=False))

# %%
# The last formula, and its contributions, which are exact Shapley values.

print(distiller.formula_)
distiller.explain(X_test).plot("bar")
plt.show()
