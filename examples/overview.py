"""The picture of the README and the documentation: what each of the four families gives, on small tables.

It is narrow, so that it can be read on a telephone, and there is one for light and one for dark pages.

python examples/overview.py [folder]
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import train_test_split

from skrationale import FLINTClassifier, GBDT2NNStudent, RationaleClassifier, SymbolicDistiller
from skrationale.datasets import make_syn
from skrationale.plotting import FidelityDisplay, RationaleDisplay

FOLDER = Path(__file__).parents[1] / "docs" / "_static"
STYLES = {"overview.png": "default", "overview_dark.png": "dark_background"}


def fit_student():
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    X_train, X_test, y_train, _ = train_test_split(X, y, random_state=0)
    return GBDT2NNStudent(random_state=0).fit(X_train, y_train), X_test


def draw_student(axes, student, X_test):
    FidelityDisplay.from_estimator(student, X_test, ax=axes)
    for ax, what in zip(axes, ("answers", "reasons"), strict=True):
        ax.set_title(f"{what}: {ax.get_title(loc='left')}", fontsize=12)
        ax.set_title("", loc="left")
        ax.set(xlabel="LightGBM", ylabel="network")
        ax.tick_params(labelsize=9)


def fit_formula():
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    distiller = SymbolicDistiller(maxsize=16, random_state=0).fit(X_train, y_train)
    return str(distiller.formula_), distiller.fidelity(X_test, y_test)


def draw_formula(ax, formula, figures):
    lines = textwrap.wrap(f"progression = {formula}", 44, subsequent_indent="    ")
    lines += [
        "",
        f"R2 {figures['score']:.2f} on new rows,",
        f"{figures['teacher_score']:.2f} of its teacher, a network",
    ]
    ax.text(0, 1, "\n".join(lines), family="monospace", fontsize=12, va="top", transform=ax.transAxes)
    ax.axis("off")


def fit_rationale():
    X, y, _ = make_syn(4, 3000, random_state=0)
    X = pd.DataFrame(X, columns=[*(f"x{j}" for j in range(10)), "switch"])
    return RationaleClassifier(random_state=0).fit(X, y).explain(X[:60])


def draw_rationale(ax, explanation):
    RationaleDisplay.from_explanation(explanation, ax=ax, max_display=7)
    ax.get_legend().remove()
    ax.set_xlabel("60 rows; blue: the columns that a prediction uses")
    ax.tick_params(labelsize=11)


def fit_attributes():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    y = load_breast_cancer().target_names[y]
    return list(FLINTClassifier(n_attributes=6, random_state=0).fit(X, y).describe())


def draw_attributes(ax, described):
    told = [one for one in described if one.rule is not None and one.rule.is_short_rule and one.speaks_for]
    told.sort(key=lambda one: -one.relevant_share)
    lines = []
    for one in told[:3]:
        lines += textwrap.wrap(f"{one.rule.text}", 44, subsequent_indent="    ")
        lines += [f"    speaks for {one.speaks_for[0]}"]
    ax.text(0, 1, "\n".join(lines), family="monospace", fontsize=12, va="top", transform=ax.transAxes)
    ax.axis("off")


def draw(path, student, formula, rationale, attributes):
    figure = plt.figure(figsize=(5, 9.9), layout="constrained")
    parts = figure.subfigures(4, 1, height_ratios=(3.0, 2.1, 3.2, 1.6))
    titles = (
        "A LightGBM becomes a network",
        "A model becomes a formula",
        "A few columns for each row",
        "A few attributes, in words",
    )
    for part, title in zip(parts, titles, strict=True):
        part.suptitle(title, fontweight="bold", fontsize=14)
    draw_student(parts[0].subplots(1, 2), *student)
    draw_formula(parts[1].subplots(), *formula)
    draw_rationale(parts[2].subplots(), rationale)
    draw_attributes(parts[3].subplots(), attributes)
    figure.savefig(path, dpi=160)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    fitted = fit_student(), fit_formula(), fit_rationale(), fit_attributes()
    for name, style in STYLES.items():
        with plt.style.context(style):
            draw(folder / name, *fitted)


if __name__ == "__main__":
    main()
