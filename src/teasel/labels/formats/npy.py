"""Label images as NumPy files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError
from teasel.geometry import VoxelSize
from teasel.labels.check import check_labels

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = (".npy",)


def read(path: Path) -> NDArray:
    """Read an array; files with pickled objects are refused, since reading them may run code.

    Raises
    ------
    FormatError
        If the file is broken or holds objects, as Cellpose's ``_seg.npy`` does.
    """
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as why:
        raise FormatError(f"{path} cannot be read as a plain NumPy array ({why})") from why


def write(path: Path, labels: NDArray, voxel_size_um: VoxelSize) -> None:
    """Write labels of any shape and integer type as they are; the format has no place for the voxel size."""
    np.save(path, check_labels(labels), allow_pickle=False)
