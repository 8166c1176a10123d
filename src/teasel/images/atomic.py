"""Writing so that a crash never leaves half a result: under a hidden name, renamed when whole."""

from __future__ import annotations

import errno
import os
import re
import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from teasel.errors import FormatError, InputNotFound, StorageError, TeaselError

__all__ = ["atomic_path", "is_partial", "remove_partial"]

_PREFIX = ".part-"
_PREFIX_LENGTH = len(_PREFIX) + 9  # with eight hexadecimal digits and a dash
_LONGEST_NAME = 255  # bytes in a file name, on every file system in use
_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota of the disk is used up"}
_NUMPY_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")  # numpy says no more of a disk that is full
_CLOSED = {
    errno.EACCES: "it may not be written to",
    errno.EPERM: "it may not be written to",
    errno.EROFS: "it is read-only",
}


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a name to write to, and move what was written there to `path` once the block ends well.

    The temporary name lies in the same folder, is hidden (starts with ``.part-``) and ends like `path`, so
    that writers that choose the format by suffix choose the right one. Files and folders (``.zarr``) are
    treated alike; what stood at `path` is replaced. If the block raises, what was written is removed and
    `path` stays as it was.

    Parameters
    ----------
    path : path-like
        Where the result goes. Its folder must exist.

    Yields
    ------
    pathlib.Path
        The name to write to. Nothing is there yet.

    Raises
    ------
    InputNotFound
        If the folder of `path` does not exist.
    StorageError
        If the disk is full, or the folder may not be written to.
    FormatError
        If the block ends without having written anything.

    Notes
    -----
    Replacing a file is one step of the file system. Replacing a folder takes two (the one that stands there
    is moved aside first); a crash between them leaves the previous result under a hidden name, and never
    half a one.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_path(folder / "table.csv") as temporary:
    ...     _ = temporary.write_text("label,area_px")
    >>> (folder / "table.csv").read_text()
    'label,area_px'
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise InputNotFound(f"cannot write {target}: the folder {target.parent} does not exist; create it first")
    temporary = _beside(target)
    try:
        yield temporary
        if not temporary.exists():
            raise FormatError(f"nothing was written for {target}; the writer left no file at {temporary.name}")
        _put(temporary, target)
    except (OSError, RuntimeError) as why:  # HDF5 reports a full disk as RuntimeError when it closes the file
        storage = None if isinstance(why, TeaselError) else _explain(why, target, temporary)
        if isinstance(why, StorageError) and temporary.name in str(why):  # of what was written within the hidden folder
            storage = _explain(OSError(why.errno, ""), target, temporary)
        if storage is None:
            raise
        raise storage from why
    finally:
        _remove(temporary)


def _explain(error: BaseException, target: Path, temporary: Path) -> StorageError | None:
    """Say why nothing could be written, if it is the disk's fault; libraries pass the number on in many ways."""
    where, number, text = getattr(error, "filename", None), getattr(error, "errno", None), str(error)
    if number is None and _NUMPY_CUT_SHORT.match(text):
        number = errno.ENOSPC
    for code, words in {**_FULL, **_CLOSED}.items():
        if code in _CLOSED and isinstance(where, str | os.PathLike) and not Path(where).is_relative_to(temporary):
            return None  # another file, that was being read
        if number == code or os.strerror(code) in text or f"errno = {code}," in text:
            place = "make room and try again" if code in _FULL else "choose another folder"
            subject = words if code in _FULL else f"the folder {target.parent}: {words}"
            found = StorageError(f"cannot write {target}: {subject}; nothing is left behind, {place}")
            found.errno = code
            return found
    return None


def is_partial(path: str | os.PathLike[str]) -> bool:
    """Say whether a path is the temporary name of an unfinished write, to be passed over in folder scans.

    Examples
    --------
    >>> is_partial("out/.part-0a1b2c3d-cells.tif"), is_partial("out/cells.tif")
    (True, False)
    """
    return Path(path).name.startswith(_PREFIX)


def remove_partial(folder: str | os.PathLike[str], names: Collection[str]) -> None:
    """Remove what processes that were killed had begun to write in a folder.

    Parameters
    ----------
    folder : path-like
        Where to look.
    names : collection of str
        Names of the files that nobody else is writing now; unfinished files of other names stay.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / ".part-0a1b2c3d-cells.tif").write_text("half")
    >>> remove_partial(folder, ["cells.tif"])
    >>> list(folder.iterdir())
    []
    """
    for path in Path(folder).iterdir():
        if is_partial(path) and path.name[_PREFIX_LENGTH:] in names:
            _remove(path)


def _beside(target: Path) -> Path:
    """Return an unused hidden name in the same folder, with the same end."""
    head = f"{_PREFIX}{uuid.uuid4().hex[:8]}-"
    name = target.name
    while len(os.fsencode(head + name)) > _LONGEST_NAME:
        name = name[1:]
    return target.with_name(head + name)


def _put(temporary: Path, target: Path) -> None:
    """Move what was written to its place, whatever stands there."""
    if not target.is_dir() or target.is_symlink():
        if temporary.is_dir() and target.exists():
            target.unlink()
        os.replace(temporary, target)
        return
    aside = _beside(target)
    os.replace(target, aside)
    os.replace(temporary, target)
    _remove(aside)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.exists() or path.is_symlink():  # to remove nothing is an error on a read-only disk
        path.unlink(missing_ok=True)
