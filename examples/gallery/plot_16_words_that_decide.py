"""
Words that decide
=================

A classifier of texts that predicts each text from three of its words, and shows them. The texts are
generated. Each holds three of twenty words that determine the label, and other words without any effect, so
it is known which words are right.
"""

import matplotlib.pyplot as plt
import numpy as np

from skrationale import TextRationaleClassifier
from skrationale.datasets import make_texts
from skrationale.metrics import rationale_agreement

texts, y, truth = make_texts(1500, n_words=20, random_state=0)
model = TextRationaleClassifier(max_features=3, lr=0.01, random_state=0).fit(texts[:1000], y[:1000])
new, labels = texts[1000:], y[1000:]
print(f"accuracy {model.score(new, labels):.3f}")
print(*model.select(new[:3]), sep="\n")

# %%
# In a notebook an explanation is a text with its words marked.

explanation = model.explain(new)
explanation[:2]

# %%
# Are they the right words?

true = [
    np.isin(spans[:, 0], marked[:, 0]) for spans, marked in zip(explanation.spans, truth[1000:], strict=True)
]
found = rationale_agreement(explanation.mask, true, explanation.values)
print({name: round(figure, 3) for name, figure in found.items()})

# %%
# The words that are shown most often, for each predicted class.

fig, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for ax, (label, words) in zip(axes, explanation.top(8).items(), strict=True):
    ax.barh([word for word, _ in words][::-1], [count for _, count in words][::-1])
    ax.set_title(f"predicted {label}")
    ax.set_xlabel("texts")
plt.show()
