"""Data sets: generators with known contributions, and a loader of real tables."""

from ._additive import make_additive
from ._syn import make_syn
from ._tables import Table, fetch_table
from ._texts import make_texts

__all__ = ["Table", "fetch_table", "make_additive", "make_syn", "make_texts"]
