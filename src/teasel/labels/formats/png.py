"""Label images as PNG: one value per pixel, 8 or 16 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, FormatError, ShapeError
from teasel.geometry import VoxelSize
from teasel.labels.dtype import to_smallest

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = (".png",)


def read(path: Path) -> NDArray:
    """Read a PNG with one value per pixel; of a palette image the indices, which are the labels.

    Raises
    ------
    FormatError
        If the file is broken, or has colours or transparency.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.mode not in ("1", "L", "P", "I", "I;16", "I;16B", "I;16L"):
                raise FormatError(f"{path} has colours (mode {image.mode}); expected one label per pixel")
            return np.array(image)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as why:
        if isinstance(why, FormatError):
            raise
        raise FormatError(f"{path} cannot be read as PNG ({why}); is it whole?") from why


def write(path: Path, labels: NDArray, voxel_size_um: VoxelSize) -> None:
    """Write a label image of shape (y, x) with labels up to 65535; a PNG has no place for voxel sizes."""
    from PIL import Image

    if labels.ndim != 2 or not labels.size:
        raise ShapeError(f"labels have shape {labels.shape}; a PNG takes (y, x), write .tif instead")
    stored = to_smallest(labels)
    if stored.dtype.itemsize > 2:
        raise DataError(f"labels up to {stored.max()}; a PNG holds up to 65535, write .tif instead")
    Image.fromarray(stored).save(path, format="PNG")
