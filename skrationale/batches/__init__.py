"""Tables larger than memory: explain parquet files in batches of rows, and write parquet files.

``_model`` says what can be asked of a model here, and ``_written`` which columns its reasons are written to.
``_explainer`` explains one batch. ``_source`` finds the files to read, ``_destination`` what stands where
parts shall be written, ``_jobs`` cuts the work into jobs that each write one part, and ``_summary`` puts
together what the parts say of themselves. ``_dataset`` runs all jobs in this process.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
