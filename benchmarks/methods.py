"""What is measured: a Teasel model on a backend at a precision, written ``model[:backend[:precision]]``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import teasel

if TYPE_CHECKING:
    from teasel import Segmentation
    from teasel.models import Model

ACCURATE = ("nuclei", "nuclei-fast")
"""The shipped models as they run by default."""

ALL = (
    "nuclei",
    "nuclei:onnx:int8",
    "nuclei:openvino:f32",
    "nuclei:openvino:bf16",
    "nuclei:openvino:int8",
    "nuclei-fast",
    "nuclei-fast:onnx:int8",
    "nuclei-fast:openvino:f32",
    "nuclei-fast:openvino:bf16",
    "nuclei-fast:openvino:int8",
)
"""Every model on every backend at every precision that is offered to users."""


@dataclass(frozen=True)
class Method:
    """A loaded model with a name for tables."""

    name: str
    model: Model = field(repr=False)

    @classmethod
    def load(cls, name: str, threads: int) -> Method:
        """Load what ``model[:backend[:precision]]`` says; onnx and f32 unless said otherwise."""
        model, backend, precision = [*name.split(":"), *("onnx", "f32")[len(name.split(":")) - 1 :]]
        shown = ":".join([Path(model).name, *name.split(":")[1:]])  # tables and files name no folders
        return cls(shown, teasel.load_model(model, backend=backend, precision=precision, threads=threads))

    def __call__(self, image: NDArray[np.generic], axes: str, **options: Any) -> Segmentation:
        """Segment an array, with nothing set but the axes."""
        return teasel.segment(image, self.model, axes=axes, **options)


def load_methods(names: Sequence[str] | None, default: Sequence[str], threads: int) -> list[Method]:
    """Load the methods asked for, or the default ones."""
    return [Method.load(name, threads) for name in names or default]
