from ._contributions import TreeContributions, tree_contributions

__all__ = ["TreeContributions", "tree_contributions"]
