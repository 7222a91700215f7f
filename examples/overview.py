"""The picture of the README: what each of the four families gives, on small tables.

python examples/overview.py [file.png]
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import train_test_split

from skrationale import FLINTClassifier, GBDT2NNStudent, RationaleClassifier, SymbolicDistiller
from skrationale.datasets import make_syn
from skrationale.plotting import AttributeTableDisplay, FidelityDisplay, RationaleDisplay

PICTURE = Path(__file__).parents[1] / "docs" / "_static" / "overview.png"


def draw_student(axes):
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    X_train, X_test, y_train, _ = train_test_split(X, y, random_state=0)
    student = GBDT2NNStudent(random_state=0).fit(X_train, y_train)
    FidelityDisplay.from_estimator(student, X_test, ax=axes)
    axes[0].set_title("similar answers ...")
    axes[1].set_title("... for similar reasons")


def draw_formula(ax):
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    distiller = SymbolicDistiller(maxsize=16, random_state=0).fit(X_train, y_train)
    figures = distiller.fidelity(X_test, y_test)
    text = "disease progression =\n   " + terms(str(distiller.formula_))
    text += (
        f"\n\nR2 {figures['score']:.2f} on new rows; its teacher, a network: {figures['teacher_score']:.2f}"
    )
    ax.text(0.1, 0.95, text, family="monospace", fontsize=13, va="top", transform=ax.transAxes)
    ax.axis("off")


def terms(formula):
    """Break the line before each term of the outermost sum."""
    depth, text = 0, ""
    for place, sign in enumerate(formula):
        depth += (sign == "(") - (sign == ")")
        starts = not depth and sign in "+-" and formula[place - 1 : place] == " "
        text += "\n " + sign if starts else sign
    return text


def draw_rationale(ax):
    X, y, _ = make_syn(4, 3000, random_state=0)
    names = [f"x{j}" for j in range(10)] + ["switch"]
    model = RationaleClassifier(random_state=0).fit(X, y)
    explanation = model.explain(X[:60])
    RationaleDisplay.from_explanation(
        type(explanation)(**vars(explanation) | {"feature_names": names}), ax=ax
    )


def draw_attributes(ax):
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    y = load_breast_cancer().target_names[y]
    model = FLINTClassifier(n_attributes=6, random_state=0).fit(X, y)
    AttributeTableDisplay.from_estimator(model, ax=ax)


def main():
    figure = plt.figure(figsize=(15, 9.2), layout="constrained")
    parts = figure.subfigures(2, 2, wspace=0.04, hspace=0.05)
    titles = ("GBDT2NNStudent: a LightGBM becomes a network", "SymbolicDistiller: a model becomes a formula")
    titles += (
        "RationaleClassifier: a few columns for each row",
        "FLINTClassifier: a few attributes, in words",
    )
    for part, title in zip(parts.flat, titles, strict=True):
        part.suptitle(title, fontweight="bold")
    draw_student(parts[0, 0].subplots(1, 2))
    draw_formula(parts[0, 1].subplots())
    draw_rationale(parts[1, 0].subplots())
    draw_attributes(parts[1, 1].subplots())
    figure.savefig(sys.argv[1] if len(sys.argv) > 1 else PICTURE, dpi=80)


if __name__ == "__main__":
    main()
