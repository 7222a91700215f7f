"""The training loop that all families share, and what it needs: settings, held-out rows, seeds, weights.

Estimators pass skorch's callbacks through, so that its schedulers, checkpoints and loggers work as they are.
Its history, its table of losses and the way it builds an optimizer are used unchanged. Its loop over batches
is replaced: as shipped it took 1.7 to 4.7 times as long as ours, which is about as fast as a plain loop
(``examples/benchmarks/results/training.md``). Without skorch we would have to design, document and test
callbacks of our own, and users would have to learn them. It costs one subclass and is imported only where
something is trained, so it stays.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
