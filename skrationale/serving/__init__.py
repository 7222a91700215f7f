"""Models without their teachers, in files that run no code when they are loaded, and in registries.

``_serving_copy`` leaves teachers out. ``_trusted`` lists the types that such files hold, and ``_file`` writes
and reads them. ``_skl2onnx`` converts whole pipelines, and ``_mlflow`` and
``_python_model`` give reasons through a registry.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
