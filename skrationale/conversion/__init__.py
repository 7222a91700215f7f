"""Tree ensembles of any library, rewritten as LightGBM models that say exactly the same.

``_forest`` is the form in which a forest is written down, and what each library's file must give: its forest,
and its own raw scores. ``_xgboost``, ``_catboost``, ``_histograms`` and ``_scikit_trees`` read the models,
``_text`` writes LightGBM's text, and ``_checking`` compares both on rows that try every kind of split.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
