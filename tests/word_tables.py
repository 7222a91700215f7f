"""Tables of numbers and text with missing cells, and the same as CatBoost takes them."""

import numpy as np
import pandas as pd

TEXT = ["city", "code"]
WORD = "(missing)"


def mixed_table(seed, n, cities, n_codes):
    """Numbers and text, a tenth of each column missing."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "a": rng.normal(size=n),
            "city": rng.choice(cities, n).astype(object),
            "b": rng.normal(size=n).round(1),
            "code": rng.choice([f"c{i}" for i in range(n_codes)], n).astype(object),
        }
    )
    for name in X:
        X.loc[rng.random(n) < 0.1, name] = np.nan
    return X


def words(X):
    """Write words where a category is missing, as CatBoost needs them."""
    return X.assign(**{name: X[name].astype(object).where(X[name].notna(), WORD) for name in TEXT})
