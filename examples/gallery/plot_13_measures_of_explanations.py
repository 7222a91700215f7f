"""
How good is an explanation?
===========================

Four questions can be asked of any explanation, without a truth: does hiding the columns that it names
change the answer, do its values say by how much, is it short, and does it come out the same again? Here
reasons of a student, its teacher's TreeSHAP, and reasons in a random order are compared with the measures
of :mod:`skrationale.metrics`, and scorers of the same names take part in a cross-validation.
"""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import cross_validate, train_test_split

from skrationale import GBDT2NNStudent
from skrationale.metrics import (
    comprehensiveness,
    deletion_curve,
    explanation_scorer,
    insertion_curve,
    noise_stability,
    seed_stability,
    sparsity,
    sufficiency,
)

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
teacher = LGBMClassifier(n_estimators=60, n_jobs=1, verbose=-1)
students = [
    GBDT2NNStudent(teacher, max_epochs=15, random_state=seed).fit(X_train, y_train) for seed in (0, 1)
]
student = students[0]

own, tree_shap = student.explain(X_test), student.teacher_explain(X_test, "tree_shap")
shuffled = np.random.default_rng(0).permuted(own.values, axis=1)
explanations = {"student": own, "TreeSHAP": tree_shap, "random order": replace(own, values=shuffled)}

# %%
# Faithfulness to the student's answers, its probabilities. Comprehensiveness is high, and sufficiency low,
# where the columns named first are those that count. Sparsity is the number of columns with more than 1 %
# of the largest value.

rows = {
    name: {
        "comprehensiveness": comprehensiveness(
            explanation, student.predict_proba, X_test, background=X_train
        ),
        "sufficiency": sufficiency(explanation, student.predict_proba, X_test, background=X_train),
        "sparsity": sparsity(explanation),
    }
    for name, explanation in explanations.items()
}
print(pd.DataFrame(rows).T.round(3).to_string())

# %%
# Stability: of two fits with different seeds, and under a little noise.

print({k: round(v, 3) for k, v in seed_stability([s.explain(X_test) for s in students]).items()})
print({k: round(v, 3) for k, v in noise_stability(student.explain, X_test, n_draws=3).items()})

# %%
# Columns are hidden, the first named first: the lower the curve, the better the order. Then they are shown
# in that order: the higher the better.

fig, axes = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True, layout="constrained")
for ax, curve_of, title in zip(
    axes, (deletion_curve, insertion_curve), ("deletion", "insertion"), strict=True
):
    for name, explanation in explanations.items():
        curve = curve_of(explanation, student.predict_proba, X_test, background=X_train)
        ax.plot(curve.shares, curve.answers, marker="o", label=f"{name}, area {curve.area:.3f}")
    ax.set(title=title, xlabel="share of columns")
    ax.legend()
axes[0].set_ylabel("probability of the class predicted")
plt.show()

# %%
# As scorers greater is always better, so measures of which low is good are negative.

scoring = {
    "accuracy": "accuracy",
    "fidelity": explanation_scorer("fidelity"),
    "comprehensiveness": explanation_scorer("comprehensiveness", n_fills=2),
    "sufficiency": explanation_scorer("sufficiency", n_fills=2),
}
results = cross_validate(
    GBDT2NNStudent(teacher, max_epochs=4, n_synthetic=3000, random_state=0), X, y, cv=3, scoring=scoring
)
for name in scoring:
    values = results[f"test_{name}"]
    print(f"{name:18} {values.mean():6.3f} ± {values.std():.3f}")
