"""Teasel teases microscopy images apart, cell by cell.

`segment` takes an image (a path or an array) and gives its objects. Everything else in the package serves that one
path: images come in, a network predicts fields, a representation reads objects back, labels and a table go out.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from teasel.errors import TeaselError
from teasel.geometry import VoxelSize

if TYPE_CHECKING:
    from teasel.images import Image, open_image
    from teasel.labels.metrics import evaluate
    from teasel.measurement.measure import measure
    from teasel.models import load_model
    from teasel.segment import Segmentation, segment

__version__ = "0.1.0"

__all__ = [
    "Image",
    "Segmentation",
    "TeaselError",
    "VoxelSize",
    "evaluate",
    "load_model",
    "measure",
    "open_image",
    "segment",
]

_HOMES = {
    "Image": "teasel.images",
    "open_image": "teasel.images",
    "evaluate": "teasel.labels.metrics",
    "load_model": "teasel.models",
    "measure": "teasel.measurement",
    "Segmentation": "teasel.segment",
    "segment": "teasel.segment",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import teasel`` stays fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'teasel' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """The package, in which a public function wins over the module of its name (``teasel.segment``)."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
