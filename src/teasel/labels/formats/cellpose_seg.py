"""Cellpose's ``_seg.npy``: the dictionary that its graphical interface saves beside an image; read, not written.

Such a file is a pickle, and reading a pickle may run whatever program somebody put in it. Here only the plain values
that Cellpose saves are taken: numbers, text, lists, NumPy arrays. Anything else is an error, and nothing is run.
"""

from __future__ import annotations

import pathlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError
from teasel.geometry import VoxelSize

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = ("_seg.npy",)
_MODULES = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric")
_NAMES = ("ndarray", "dtype", "scalar", "_reconstruct", "_frombuffer")
_PATHS = {
    "PosixPath": pathlib.PurePosixPath,
    "PurePosixPath": pathlib.PurePosixPath,
    "WindowsPath": pathlib.PureWindowsPath,
    "PureWindowsPath": pathlib.PureWindowsPath,
}


class _PlainValues(pickle.Unpickler):
    """Unpickles numbers, text, containers and arrays, and refuses everything that could do something."""

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the few types that hold values."""
        if (module in _MODULES and name in _NAMES) or (module, name) == ("_codecs", "encode"):
            return super().find_class(module, name)
        if module.startswith("pathlib") and name in _PATHS:
            return _PATHS[name]
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which Cellpose does not save; it is not opened")


def read(path: Path) -> NDArray:
    """Read the labels (``masks``) of a file that Cellpose saved.

    Returns
    -------
    ndarray of int, shape ([z,] y, x)

    Raises
    ------
    FormatError
        If the file is broken, holds no ``masks``, or anything but plain values.

    Notes
    -----
    Cellpose 1 to 3 and its graphical interface: ``{"masks": ..., "outlines": ..., "flows": ..., ...}``.
    """
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            dtype = header(file)[2]
            if dtype != np.dtype(object):
                raise FormatError(f"{path} holds an array of {dtype}, not the dictionary that Cellpose saves")
            content = _PlainValues(file).load()
        found = np.asarray(content, object).item()
        return np.asarray(found["masks"])
    except FormatError:
        raise
    except (pickle.UnpicklingError, ValueError, EOFError, OSError, KeyError, TypeError, AttributeError) as why:
        raise FormatError(f"{path} cannot be read as Cellpose's _seg.npy ({why})") from why


def write(path: Path, labels: NDArray, voxel_size_um: VoxelSize) -> None:
    """Refuse: Cellpose loads labels from .tif, and its _seg.npy holds flows that labels do not."""
    raise FormatError(
        "_seg.npy is Cellpose's own and is only read; write .tif (Cellpose: File, Load masks) or _cp_outlines.txt"
    )
