"""How pictures are read, shown and explained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np

from ..._random import own_random_state
from ...explanation import Explanation
from ...graphs import Graph
from ...tabular import FewRows
from ...units import (
    ImageShape,
    PictureUnits,
    PixelRange,
    check_pixels,
    flat_rows,
    kind_of,
    read_grid,
)
from .._joint import Distillation
from .._selection_warnings import warn
from ._fitting import PictureFitting
from ._model import ASKED, PictureModel
from ._plan import plan_of
from ._teacher import TeacherOfPictures

FOR_TABLES = {
    "sparsity_lambda": "auto",
    "relaxation": "soft",
    "fill": "marginal",
    "temperature": (5.0, 0.1),
    "screening": True,
    "preset": None,
}
"""Parameters that pictures do not have, as they must then be."""


@dataclass(frozen=True)
class PictureForm:
    """Pictures, of whose L patches a few are selected; it answers what a `TableForm` does.

    Parameters
    ----------
    image_shape : (int, int, int)
        Channels, height, width.
    grid : (int, int) or None
        Patches down and across; None before fit.
    pixel_range : PixelRange or None
        Of the pixels at fit.
    """

    image_shape: ImageShape
    grid: tuple[int, int] | None = None
    pixel_range: PixelRange | None = None

    @property
    def units(self) -> PictureUnits:
        """The patches."""
        return PictureUnits.of(self.image_shape, self.grid)

    def check_parameters(self, estimator: Any) -> None:
        """Refuse parameters that are for tables alone, and grids that do not suit the pictures."""
        for name, usual in FOR_TABLES.items():
            given = getattr(estimator, name, usual)
            if given != usual and list(np.ravel(given)) != list(np.ravel(usual)):  # type: ignore[call-overload]
                raise ValueError(
                    f"The {name!r} parameter of {type(estimator).__name__} is only for tables. Got "
                    f"{given!r} with pictures; expected {usual!r}."
                )
        grid_for(estimator, self.image_shape)

    def flat(self, X: Any) -> Any:
        """Give flat rows (n, C*H*W) of pictures (n, C, H, W) or (n, H, W); flat ones stay what they are."""
        return flat_rows(X, self.image_shape)

    def check(self, matrix: np.ndarray, X: Any) -> np.ndarray:
        """Give pixels (n, C*H*W) back where they are in the units at fit."""
        assert self.pixel_range is not None
        return self.pixel_range.check(check_pixels(matrix), kind_of(X))

    def learn(
        self, student: Any, X: Any, matrix: np.ndarray, y: np.ndarray, distillation: Distillation
    ) -> TeacherOfPictures:
        """Ask a student's teacher about whole training pictures; it is asked about masked ones later."""
        teacher, adapter = student.teacher_, student._adapter
        student.teacher_audit_ = None
        form = getattr(teacher, "_form", None)
        if not isinstance(form, PictureForm) or not teacher._model.predictor:
            student._need_selection("selects patches of pictures")
            return TeacherOfPictures(distillation, None, adapter.scores(adapter.form.rows(X)), None)
        if form.image_shape != self.image_shape:
            raise ValueError(
                f"The teacher was fitted to pictures of shape {form.image_shape} (C, H, W); expected that of "
                f"X, {self.image_shape}."
            )
        if student.distill == "rationale" and student.selection in ASKED:
            raise ValueError(
                f"distill='rationale' teaches a selector, and selection={student.selection!r} has none; "
                "expected selection='auto', 'learned' or 'gates'."
            )
        teacher._read(X)  # refuses pixels in other units
        values = None if student.distill == "prediction" else teacher._model.values(matrix)
        return TeacherOfPictures(distillation, teacher._model, None, values)

    def as_given(self, rows: Any) -> Any:
        """Give flat rows the shape of pictures."""
        return np.asarray(rows).reshape(-1, *self.image_shape)

    def fit(
        self,
        estimator: Any,
        matrix: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray | None,
        teacher: TeacherOfPictures | None = None,
    ) -> None:
        """Fit an estimator that has read its pictures (n, C*H*W), encoded its target and set its task."""
        grid = grid_for(estimator, self.image_shape)
        if teacher is not None and teacher.model is not None:
            grid = _grid_of_teacher(estimator, grid, teacher.model.plan.grid)
        form = replace(self, grid=grid, pixel_range=PixelRange.of(check_pixels(matrix)))
        wanted, n_patches = estimator.max_features, grid[0] * grid[1]
        if isinstance(wanted, Integral) and int(wanted) >= n_patches > 1:
            warn(
                f"max_features={wanted} is no limit for {n_patches} patches: every picture uses all patches."
            )
        seed = int(own_random_state(estimator.random_state).randint(2**31 - 100))
        plan = plan_of(
            self.image_shape,
            grid,
            estimator._layer_sizes(),
            estimator._task.n_outputs,
            estimator.backbone,
            estimator.selector,
            seed,
        )
        weight = np.ones(len(matrix)) if sample_weight is None else sample_weight
        fitting = PictureFitting(estimator, plan, matrix, y, weight, estimator._task, seed, teacher)
        model = fitting.run()
        estimator._form = form
        estimator._keep(fitting, model)
        estimator.lambda_path_, estimator.max_features_path_ = fitting.prices, fitting.path
        estimator.grid_, estimator.image_shape_ = grid, self.image_shape
        estimator.selection_ = model.selection

    # --- masks -----------------------------------------------------------------------------------

    def read_mask(self, mask: Any, matrix: np.ndarray) -> np.ndarray:
        """Check a user's mask, of patches or of pixels, and give that of patches (n, L)."""
        return self.units.read_mask(mask, len(matrix))

    def shaped(self, mask: np.ndarray) -> np.ndarray:
        """Give a mask of patches (n, L) the shape of the grid (n, gh, gw)."""
        return mask.reshape(-1, *self.units.grid)

    def pixel_mask(self, mask: np.ndarray) -> np.ndarray:
        """Give the mask (n, H, W) of pixels from that of patches (n, L) or (n, gh, gw)."""
        return self.units.pixel_mask(mask)

    def pictures(self, X: Any) -> np.ndarray:
        """Give pictures (n, C, H, W) as numbers of the type they came in."""
        return np.asarray(self.flat(X)).reshape(-1, *self.image_shape)

    def select(self, estimator: Any, X: Any) -> np.ndarray:
        """Give the pictures with hidden pixels missing, or in the mean colour where they are integers."""
        shown = self.pixel_mask(estimator.get_rationale(X))[:, None]
        pictures = self.pictures(X)
        if pictures.dtype.kind == "f":
            hidden: Any = np.array(np.nan, pictures.dtype)
        else:
            mean = estimator._model.pixel_shift[:, None, None]
            hidden = (mean if pictures.dtype.kind == "b" else np.rint(mean)).astype(pictures.dtype)
        found = np.where(shown, pictures, hidden)
        return found.reshape(np.shape(X)) if np.ndim(X) > 2 else found

    # --- answers ---------------------------------------------------------------------------------

    def explanation(
        self,
        estimator: Any,
        X: Any,
        matrix: np.ndarray,
        values: np.ndarray,
        base: Any,
        few: FewRows | None,
        **rest: Any,
    ) -> Explanation:
        """Put what was found by patches together with their mean pixels."""
        assert self.grid is not None
        units = self.units
        parts = {"link": estimator._task.link, "output_names": estimator._task.output_names} | rest
        parts["meta"] = rest["meta"] | {"grid": list(self.grid), "image_shape": list(self.image_shape)}
        means = units.fold(matrix) / np.bincount(units.groups)
        return Explanation(values, base, data=means, feature_names=units.names, **parts)

    def scores_explained(self, model: PictureModel, explanation: Explanation) -> tuple[Any, Any]:
        """Refuse: an explanation of pictures does not hold their pixels."""
        raise TypeError("Scores of pictures cannot be computed from explanations, which hold no pixels.")

    def audit(self, estimator: Any, X: Any, y: Any, **options: Any) -> Any:
        """Ask whether rationales are honest."""
        from ._audit import audit_pictures

        return audit_pictures(estimator, X, y, **options)

    def write_onnx(self, estimator: Any, graph: Graph, matrix: str) -> dict[str, Any]:
        """Refuse: no graph is written for pictures."""
        raise TypeError(
            f"{type(estimator).__name__} was fitted to pictures; to_onnx is available only for tables."
        )


def grid_for(estimator: Any, image_shape: ImageShape) -> tuple[int, int]:
    """Give the grid that an estimator is asked for, or one that suits pictures of this shape."""
    name = f"The 'grid' parameter of {type(estimator).__name__}"
    return read_grid(estimator.grid, image_shape, name)


def _grid_of_teacher(estimator: Any, grid: tuple[int, int], known: tuple[int, int]) -> tuple[int, int]:
    if estimator.grid is not None and grid != known:
        raise ValueError(
            f"The 'grid' parameter of {type(estimator).__name__} is {estimator.grid!r}, but its teacher "
            f"divides pictures into {known[0]} x {known[1]} patches; expected the same grid, or None."
        )
    return known
