"""Writing with libraries that cannot let go of a file on a full disk: first elsewhere, then copied."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["by_detour"]


@contextmanager
def by_detour(path: Path) -> Iterator[Path]:
    """Give a name in the system's folder for temporary files, and copy what is written there to `path`.

    Notes
    -----
    On a disk that fills up, HDF5 and XlsxWriter keep the file open, and go on to write to it when their objects are
    deleted. A copy fails at once and leaves nothing open.
    """
    with tempfile.TemporaryDirectory(prefix="teasel-") as folder:
        elsewhere = Path(folder) / path.name
        yield elsewhere
        shutil.copyfile(elsewhere, path)
