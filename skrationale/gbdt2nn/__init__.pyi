from ._estimator import GBDT2NNStudent
from ._paths import path_contributions

__all__ = ["GBDT2NNStudent", "path_contributions"]
