"""Loops that need a compiler: flat, nD in one form, each with a slow and obvious ``_reference`` beside it.

Importing anything from here imports numba (extra ``kernels``), so the members of the room above do so inside
the functions that need it. Every kernel takes C-contiguous arrays of one fixed type, so that it is compiled
once per machine and kept in numba's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from teasel.errors import MissingDependency

try:
    from numba import njit
except ImportError as error:
    raise MissingDependency(
        'this representation needs the package numba; install it with: pip install "teasel[kernels]"'
    ) from error

__all__ = ["compiled"]


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function of arrays on its first call, keep the machine code on disk, release the GIL."""
    return njit(cache=True, nogil=True)(function)
