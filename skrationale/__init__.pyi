from .explanation import Explanation
from .gbdt2nn import GBDT2NNStudent

__version__: str
__all__ = ["Explanation", "GBDT2NNStudent", "__version__"]
