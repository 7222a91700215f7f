"""What FLINT for classes and for numbers share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._random import own_random_state, seed_unseeded
from .._task import Task
from ..base import ReadableNetwork, unchanged_on_error
from ..tabular import FewRows, TableEncoder, as_frame_or_array
from ..teachers import fitted_to, unfrozen, warn_of_refit, warn_of_weights
from ..training import TRAINING_CONSTRAINTS, check_training_parameters, or_auto
from ..units import (
    ImageEncoder,
    ImageShape,
    PixelRange,
    check_pixels,
    flat_rows,
    image_shape_of,
    kind_of,
)
from ._attribute_display import AttributeDisplay, position_of
from ._fitting import Fitting
from ._images import warn_of_pixel_range
from ._model import FlintModel
from ._network import layer_sizes
from ._reasoner import FlintReasoner
from ._where import losses, patches_of
from ._wrapped_predictors import check_predictor, is_module, wrap_estimator, wrap_module


class BaseFlint(FlintReasoner):
    """What classification and regression share; see :class:`FLINTClassifier`."""

    _takes_pictures = True
    _pixel_range: PixelRange
    """Of the pixels at fit; only of images."""
    _image_shape: ImageShape | None
    """Only while fitting."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **TRAINING_CONSTRAINTS,
        **or_auto("hidden_layer_sizes", "batch_size", "lr", "weight_decay"),
        "predictor": "no_validation",
        "n_attributes": [Interval(Integral, 1, None, closed="left")],
        "hidden_layers": [StrOptions({"all"}), "array-like"],
        "decide_with": [StrOptions({"interpreter", "model"}), None],
        "fidelity_lambda": [Interval(Real, 0, None, closed="neither")],
        "reconstruction_lambda": [Interval(Real, 0, None, closed="left")],
        "conciseness_lambda": [Interval(Real, 0, None, closed="left")],
        "sparsity_lambda": [Interval(Real, 0, None, closed="left")],
        "rule_lambda": [Interval(Real, 0, None, closed="left")],
        "attribute_names": ["array-like", None],
    }

    def __init__(
        self,
        predictor: Any = None,
        *,
        hidden_layer_sizes: Sequence[int] | str = "auto",
        n_attributes: int = 24,
        hidden_layers: str | Sequence[int] | Sequence[str] = "all",
        decide_with: str | None = None,
        fidelity_lambda: float = 0.5,
        reconstruction_lambda: float = 0.8,
        conciseness_lambda: float = 0.2,
        sparsity_lambda: float = 0.1,
        rule_lambda: float = 0.5,
        attribute_names: Sequence[str] | None = None,
        max_epochs: int | str = "auto",
        batch_size: int | str = "auto",
        lr: float | str = "auto",
        weight_decay: float | str = "auto",
        early_stopping: bool = True,
        validation_fraction: float = 0.15,
        n_iter_no_change: int | None = None,
        device: str = "auto",
        random_state: Any = None,
        verbose: int | str = "auto",
        callbacks: list[Any] | None = None,
    ) -> None:
        self.predictor = predictor
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_attributes = n_attributes
        self.hidden_layers = hidden_layers
        self.decide_with = decide_with
        self.fidelity_lambda = fidelity_lambda
        self.reconstruction_lambda = reconstruction_lambda
        self.conciseness_lambda = conciseness_lambda
        self.sparsity_lambda = sparsity_lambda
        self.rule_lambda = rule_lambda
        self.attribute_names = attribute_names
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    def _check_parameters(self) -> None:
        check_training_parameters(self)
        name, names = type(self).__name__, self.attribute_names
        if names is not None and (len(names) != self.n_attributes or len(set(names)) != len(names)):
            raise ValueError(
                f"The 'attribute_names' parameter of {name} must be {self.n_attributes} different names, one "
                f"for each attribute. Got {list(names)!r} instead."
            )
        if self.predictor is None:
            self._check_layers(name)
        else:
            check_predictor(self.predictor)

    def _check_layers(self, name: str) -> None:
        layers, depth = self.hidden_layers, len(layer_sizes(self.hidden_layer_sizes, self._image_shape))
        if isinstance(layers, str):
            return
        if not len(layers) or any(
            not isinstance(i, Integral) or isinstance(i, bool) or not -depth <= i < depth for i in layers
        ):
            raise ValueError(
                f"The 'hidden_layers' parameter of {name} must be 'all' or positions of the {depth} hidden "
                f"layers. Got {layers!r} instead."
            )

    # --- fit -------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to a table or to images, and their target.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d), or images (n, C, H, W) or (n, H, W)
            Numbers, booleans, text, categories; NaN is allowed in tables, infinity is not.
        y : array-like of shape (n,)
            Labels or numbers.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights; rows of weight 0 are left out. An integer weight counts as that many copies
            of the row.

        Returns
        -------
        self
            The fitted estimator. If fit fails, the estimator does not change.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not as described.
        """
        with unchanged_on_error(self):
            self._image_shape = image_shape_of(X)
            super().fit(flat_rows(X, self._image_shape), y, sample_weight)
            del self._image_shape
        return self

    def _read_rows(self, X: Any, keep: bool = False) -> tuple[np.ndarray, FewRows | None]:
        check_is_fitted(self)
        matrix, few = super()._read_rows(flat_rows(X, self.image_shape_), keep)
        if self.image_shape_ is None:
            return matrix, few
        return self._pixel_range.check(check_pixels(matrix), kind_of(X)), None

    def _fit_rows(self, X: Any, matrix: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> None:
        shape = self.image_shape_ = self._image_shape
        if shape is not None:
            self._pixel_range = PixelRange.of(check_pixels(matrix))
        fitted_predictor, task = self._prepare(X, matrix, y, sample_weight)
        self._task = task
        if task.is_classification:
            self.classes_ = task.classes
        if shape is not None and fitted_predictor is not None:
            warn_of_pixel_range(lambda pixels: fitted_predictor.states(pixels)[0], task, matrix, y)
        kind = TableEncoder if shape is None else ImageEncoder
        encoder = kind().fit_matrix(self._reader, matrix, sample_weight)
        fitting = Fitting(
            self,
            encoder,
            matrix,
            task.encode(y),
            np.ones(len(matrix)) if sample_weight is None else sample_weight,
            task,
            int(own_random_state(self.random_state).randint(2**31 - 100)),
            fitted_predictor,
            shape,
        )
        model: FlintModel = fitting.run()
        self.history_, self.n_iter_, self.device_ = fitting.history, len(fitting.history), fitting.device
        self._keep(model, encoder, matrix, fitting.weight)

    def _prepare(
        self, X: Any, matrix: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None
    ) -> tuple[Any, Task]:
        """Give the predictor that is fitted already, or None, and what is predicted."""
        if self.predictor is None or is_module(self.predictor):
            task = self._make_task(y)
            if self.predictor is None:
                return None, task
            return wrap_module(self.predictor, self.hidden_layers, task, matrix, self.image_shape_), task
        wrong = is_regressor if self._is_classifier() else is_classifier
        if wrong(self.predictor):
            raise TypeError(
                f"The 'predictor' parameter of {type(self).__name__} must be a "
                f"{'classifier' if self._is_classifier() else 'regressor'}. Got {self.predictor!r} instead."
            )
        self.predictor_ = self._fitted_predictor(X, y, sample_weight)
        fitted_predictor = wrap_estimator(self.predictor_, self._reader, self.hidden_layers)
        known = getattr(self.predictor_, "n_features_in_", matrix.shape[1])
        if known != matrix.shape[1]:
            raise ValueError(
                f"The predictor was fitted on {known} columns, but X has {matrix.shape[1]}; expected "
                "the same columns."
            )
        return fitted_predictor

    def _fitted_predictor(self, X: Any, y: np.ndarray, sample_weight: np.ndarray | None) -> Any:
        if isinstance(self.predictor, FrozenEstimator):
            predictor = unfrozen(self.predictor)
            check_is_fitted(predictor)
            warn_of_weights(sample_weight, "predictor")
            return predictor
        warn_of_refit(self.predictor, "predictor")
        predictor = seed_unseeded(clone(self.predictor), self.random_state)
        return fitted_to(predictor, as_frame_or_array(X), y, sample_weight, "predictor")

    def _for_serving(self) -> Self:
        found = super()._for_serving()
        inner = self._fitted("predictor_")
        if isinstance(inner, ReadableNetwork):  # of this package, perhaps with a teacher
            own = inner._for_serving()
            found.predictor, found.predictor_ = FrozenEstimator(own), own
            if self._model.source is not None:
                found._model = replace(self._model, source=replace(self._model.source, predictor=own))
        return found

    @abstractmethod
    def _make_task(self, y: np.ndarray) -> Task:
        """Say what is predicted, or refuse the target."""

    def attribute_map(self, attribute: int | str, X: Any = None, *, grid: Any = None) -> np.ndarray:
        """Show where in images an attribute is: how much it falls if a patch is hidden.

        Parameters
        ----------
        attribute : int or str
            Its position or name.
        X : images (n, C, H, W) or (n, H, W), default=None
            Images to look at. None: training images, which the model keeps.
        grid : int, (int, int) or None, default=None
            Number of patches along both sides, or down and across. None: the largest number up to 8 that
            divides a side into patches of at least 2 pixels.

        Returns
        -------
        ndarray of shape (n, gh, gw)
            The attribute minus its value if the patch shows the mean training image: positive if the patch
            raises the attribute. The mean over images, ``.mean(axis=0)``, shows where the attribute is in
            general.

        Raises
        ------
        ValueError
            If the model was fitted to a table, or if there is no such attribute or grid.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from skrationale import FLINTClassifier
        >>> X, y = load_digits(n_class=3, return_X_y=True)
        >>> images = X.reshape(-1, 1, 8, 8)
        >>> model = FLINTClassifier(n_attributes=4, max_epochs=4, random_state=0).fit(images, y)
        >>> model.attribute_map(0, images[:5], grid=4).shape
        (5, 4, 4)
        """
        matrix = self._read_or_kept(X)
        j = position_of(attribute, list(self.get_feature_names_out()))
        if self.image_shape_ is None:
            raise ValueError(
                "attribute_map is only for images; for a table, describe_attribute lists the columns."
            )
        units = patches_of(self.image_shape_, grid)

        def alone(rows: np.ndarray) -> np.ndarray:
            return self._model.attributes(rows)[:, [j]]

        return losses(alone, matrix, units, self._mean_row).reshape(len(matrix), *units.grid)

    def _read_or_kept(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return self._training_rows if X is None else self._read(X)

    def plot_attribute(
        self,
        attribute: int | str,
        X: Any = None,
        *,
        n_samples: int = 3,
        n_classes: int = 2,
        maximise: bool | str = "auto",
        where: bool = True,
        ax: Any = None,
    ) -> AttributeDisplay:
        """Draw an attribute: for images as pictures, for a table as its most important columns and its rule.

        Parameters
        ----------
        attribute : int or str
            Its position or name.
        X : DataFrame or array-like of shape (n, d), or images (n, C, H, W) or (n, H, W), default=None
            Rows to show. None: training rows, which the model keeps.
        n_samples : int, default=3
            Number of images per class: those in which the attribute is largest.
        n_classes : int, default=2
            Largest number of classes: those for which the attribute is most relevant.
        maximise : bool or "auto", default="auto"
            Whether images are also shown with the attribute raised, as in the paper. ``"auto"``: only with
            the built-in network, because with a given network people recognise little in such images.
        where : bool, default=True
            Whether to show where in each image the attribute is, see `attribute_map`.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        AttributeDisplay
            With ``ax_`` and ``figure_``. The figure is not shown.
        """
        return AttributeDisplay.from_estimator(
            self,
            attribute,
            X,
            n_samples=n_samples,
            n_classes=n_classes,
            maximise=maximise,
            where=where,
            ax=ax,
        )
