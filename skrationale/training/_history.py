"""The history that callbacks read while a network is trained."""

from typing import Any

from skorch.history import History

NOT_HELD_OUT = (
    " Names that begin with valid_ are logged only if rows are held out: set early_stopping=True, and "
    "choose validation_fraction so that at least 10 rows are held out (with n_iter_no_change=None all "
    "epochs are trained). Or use 'train_loss'."
)


class TrainingHistory(History):
    """skorch's history, which says of a name that is missing which ones there are, and why."""

    def __getitem__(self, index: Any) -> Any:
        try:
            return super().__getitem__(index)
        except KeyError as error:
            if not self:
                raise
            logged = [name for name in self.to_list()[-1] if name != "batches"]
            has_validation = "valid_loss" in logged
            raise KeyError(
                f"{error.args[0]} Logged are {logged}." + ("" if has_validation else NOT_HELD_OUT)
            ) from None
