from ._contributions import TreeContributions, tree_contributions
from ._interactions import Interactions
from ._tree_interactions import TreeInteractions, tree_interactions

__all__ = ["Interactions", "TreeContributions", "TreeInteractions", "tree_contributions", "tree_interactions"]
