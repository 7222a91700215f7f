"""Rationales of pictures: a few patches of a grid decide. Table code asks `PictureForm` and knows no more.

`_form`: how pictures are read, shown and explained. `_fitting`: from pictures to a `PictureModel`, in stages.
`_nets`: networks, own ones and those of users. `_audit`: whether rationales are honest.
"""

from ._audit_report import PictureAudit
from ._fitting import PictureFitting
from ._form import PictureForm
from ._model import PictureModel
from ._shows import ShowsPictures

__all__ = [
    "PictureAudit",
    "PictureFitting",
    "PictureForm",
    "PictureModel",
    "ShowsPictures",
]
