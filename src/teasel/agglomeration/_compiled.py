"""How the loops of this room are compiled: on the first call, kept on disk, the GIL released."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from teasel.errors import MissingDependency

try:
    from numba import njit
except ImportError as error:
    raise MissingDependency(
        'agglomeration needs the package numba; install it with: pip install "teasel[volumes]"'
    ) from error

__all__ = ["compiled"]


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function of C-contiguous arrays of fixed types."""
    return njit(cache=True, nogil=True)(function)
