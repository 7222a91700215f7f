"""Exact reasons of tree ensembles, looked up in tables.

What a tree says of a row depends on the bins of its columns alone, and a small part of a tree asks few
columns: its exact contributions to all rows fit into a table, with a row for each joint state of these
columns. ``reading`` reads a table as its model does. ``_groups`` cuts trees into such parts, ``_states``
computes their contributions, ``_parts`` lays tables out and looks rows up in them, and ``_shelf`` looks one
row up in many of them at once. ``_plan`` decides which trees get tables; others are computed for each row by
``_quadrature``, or left to LightGBM by ``_left_over``. ``_binned`` holds both kinds of trees; ``tables``
puts all together for rows of numbers and codes, and ``_contributions`` for the user's tables.

Against background rows, ``_background`` computes the contributions of parts, and ``_pairs_tree`` those of
trees without tables, both by the formula of ``_pairs``; ``_interventional`` puts these together.

What pairs of columns do together, ``_interacting`` computes for parts of trees, once for all rows that a part
cannot tell apart; ``_tree_interactions`` puts it together for the user's tables, as ``_interactions``.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
