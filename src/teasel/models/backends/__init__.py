"""Backends: the programs that can run a network, one per file, imported when first used.

A backend is asked for by name and precision; another one is never taken in its place.
"""

from __future__ import annotations

from teasel.models.backends._base import Backend, Run, thread_count
from teasel.models.backends._registry import find, names, weights_file

__all__ = ["Backend", "Run", "find", "names", "thread_count", "weights_file"]
