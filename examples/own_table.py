"""Explain the predictions for your own CSV file: ``python examples/own_table.py FILE.csv TARGET``.

A LightGBM learns to predict the column TARGET from all other columns, and a student learns its predictions
and its contributions. A quarter of the rows is held out. Writes the plot ``reasons.png`` and the page
``reasons.html`` into the current folder.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib

matplotlib.use("agg")

import pandas as pd
from sklearn.model_selection import train_test_split

from skrationale import GBDT2NNStudent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="a CSV file with names of columns in its first line")
    parser.add_argument("target", help="the column to predict")
    arguments = parser.parse_args()
    table = pd.read_csv(arguments.file)
    if arguments.target not in table:
        parser.error(f"there is no column {arguments.target!r}; the columns are {list(table.columns)}")
    table = table.dropna(subset=[arguments.target])
    X, y = table.drop(columns=arguments.target), table[arguments.target]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    student = GBDT2NNStudent(random_state=0).fit(X_train, y_train)
    fidelity = student.fidelity(X_test, y_test)
    print("accuracy" if hasattr(student, "classes_") else "R2", end=" on held-out rows: ")
    print(f"student {fidelity['score']:.3f}, its LightGBM {fidelity['teacher_score']:.3f}")
    print(f"agreement of contributions with the LightGBM (R2): {fidelity['explanation_r2']:.3f}")
    explanation = student.explain(X_test)
    print("most important columns:", ", ".join(explanation.top(5)))
    several = explanation.n_outputs > 1  # a beeswarm shows one output
    display = explanation.plot("bar" if several else "beeswarm")
    display.figure_.savefig("reasons.png", dpi=150, bbox_inches="tight")
    explanation.write_html("reasons.html", title=f"Why this {arguments.target}?")
    print("written: reasons.png, reasons.html")


if __name__ == "__main__":
    main()
