"""What happens around epochs: stopping early, a progress bar, and the callbacks of the user."""

import math
from typing import Any

import torch
from skorch.callbacks import Callback

from .._progress import progress_bar


def check_callbacks(callbacks: Any) -> list[Any]:
    """Return the user's callbacks as a list, or say what is not a skorch callback."""
    if callbacks is None:
        return []
    if not isinstance(callbacks, list | tuple):
        raise TypeError(
            f"`callbacks` must be a list of skorch callbacks or None, got {type(callbacks).__name__}."
        )
    for item in callbacks:
        pair = isinstance(item, list | tuple) and len(item) == 2 and isinstance(item[0], str)
        callback = item[1] if pair else item
        if not (
            isinstance(callback, Callback) or (isinstance(callback, type) and issubclass(callback, Callback))
        ):
            raise TypeError(
                f"`callbacks` must hold skorch callbacks or (name, callback) pairs, "
                f"got {type(item).__name__}."
            )
    return list(callbacks)


class BestWeights(Callback):
    """Stop when the validation loss no longer falls, and put the best weights back.

    Unlike skorch's EarlyStopping it keeps the best epoch even where it is better by less than
    the tolerance, and has a first part of training that does not count.

    Parameters
    ----------
    patience : int
        Epochs in a row without a loss lower by `tol` after which training stops.
    tol : float
        Absolute fall of the loss that counts.
    min_epochs : int
        Earlier epochs are neither counted nor kept.
    """

    def __init__(self, patience: int, tol: float, min_epochs: int) -> None:
        self.patience = patience
        self.tol = tol
        self.min_epochs = min_epochs
        self.best_epoch_ = 0
        self.best_loss_ = self.reference_loss_ = math.inf
        self.weights_: dict[str, torch.Tensor] = {}
        self.misses_ = 0

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        epoch, loss = net.row_["epoch"], net.row_["valid_loss"]
        if epoch < self.min_epochs:
            return
        if loss < self.best_loss_:
            weights = {name: tensor.clone() for name, tensor in net.module_.state_dict().items()}
            self.best_epoch_, self.best_loss_, self.weights_ = epoch, loss, weights
        if loss < self.reference_loss_ - self.tol:
            self.reference_loss_, self.misses_ = loss, 0
        else:
            self.misses_ += 1
        net.stop_ = net.stop_ or self.misses_ >= self.patience

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        if self.best_epoch_:
            net.module_.load_state_dict(self.weights_)


class ProgressBar(Callback):
    """A tqdm bar over epochs. Whoever starts training closes it, so that errors close it too."""

    def __init__(self, verbose: Any) -> None:
        self.verbose = verbose
        self.bar_ = progress_bar(0, 0, "epoch")

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        self.bar_ = progress_bar(self.verbose, net.max_epochs, "epoch")

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        if not self.bar_.disable:
            losses = {key: net.row_[key] for key in ("train_loss", "valid_loss") if key in net.row_}
            self.bar_.set_postfix(losses, refresh=False)
            self.bar_.update()

    def close(self) -> None:
        self.bar_.close()
