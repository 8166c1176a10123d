"""The work folder: each result is written aside, moved to its place, and then declared done with its hash."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError

__all__ = ["Arrays", "WorkFolder"]

Arrays = Mapping[str, NDArray]


@dataclass(frozen=True)
class WorkFolder:
    """Results of tasks by stage and key; what is done stays done, whoever is killed.

    Parameters
    ----------
    path : str
        A folder that every worker sees under this path.

    Notes
    -----
    `put` writes to a hidden name in the same folder, renames it, and writes a done record with the SHA-256 and the
    number of the bytes in the same way. Two workers that do one task write the same bytes. Processes may be killed at
    any moment. Nothing waits for the disk, so a power cut may lose files whose records survive: a task counts as done
    only if its file has the bytes that the record says, and `get` compares the hash.

    Examples
    --------
    >>> import tempfile
    >>> work = WorkFolder(tempfile.mkdtemp())
    >>> digest = work.put("graph", "0", {"edges": np.arange(3)})
    >>> work.is_done("graph", "0"), work.get("graph", "0")["edges"]
    (True, array([0, 1, 2]))
    """

    path: str

    def put(self, stage: str, key: str, arrays: Arrays) -> str:
        """Write arrays and declare them done; return their hash."""
        data = _pack(arrays)
        _write(Path(self.path) / stage / key, data)
        return self.declare(stage, key, hashlib.sha256(data).hexdigest(), len(data))

    def declare(self, stage: str, key: str, digest: str, n_bytes: int = 0) -> str:
        """Write the done record of something with a hash; return the hash."""
        record = {"sha256": digest, "bytes": n_bytes}
        _write(Path(self.path) / stage / f"{key}.done", json.dumps(record).encode())
        return digest

    def get(self, stage: str, key: str, names: Sequence[str] | None = None) -> dict[str, NDArray]:
        """Read arrays that are done: all, or some by name.

        Raises
        ------
        FormatError
            If they are not done, or were changed since.
        """
        digest = self.digest(stage, key)
        path = Path(self.path) / stage / key
        data = path.read_bytes() if path.exists() else b""
        if hashlib.sha256(data).hexdigest() != digest:
            raise FormatError(f"{path} is not what was written there; remove {path}.done to have it made again")
        return _unpack(data, names)

    def is_done(self, stage: str, key: str) -> bool:
        """Say whether a task has its done record, and its file as many bytes as that says."""
        path = Path(self.path) / stage / key
        try:
            n_bytes = json.loads(path.with_name(f"{key}.done").read_bytes())["bytes"]
            return not n_bytes or path.stat().st_size == n_bytes
        except (FileNotFoundError, ValueError):
            return False

    def digest(self, stage: str, key: str) -> str:
        """Return the hash in a done record."""
        path = Path(self.path) / stage / f"{key}.done"
        if not path.exists():
            raise FormatError(f"{path} is missing: the stage {stage} is not done")
        return str(json.loads(path.read_bytes())["sha256"])


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f".part-{uuid.uuid4().hex[:12]}-{path.name}")
    try:
        temporary.write_bytes(data)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
    os.replace(temporary, path)


def _pack(arrays: Arrays) -> bytes:
    """Lay arrays out as bytes: a line of JSON, then each compressed. Equal arrays give equal bytes."""
    from numcodecs import Zstd

    codec = Zstd(level=1)
    header, payload = [], []
    for name, array in arrays.items():
        packed = bytes(codec.encode(np.ascontiguousarray(array).reshape(-1))) if array.size else b""
        header.append([name, array.dtype.str, list(array.shape), len(packed)])
        payload.append(packed)
    return b"".join([json.dumps(header).encode(), b"\n", *payload])


def _unpack(data: bytes, names: Sequence[str] | None) -> dict[str, NDArray]:
    """Read what `_pack` laid out, or some of it."""
    from numcodecs import Zstd

    codec = Zstd(level=1)
    end = data.index(b"\n")
    at, found = end + 1, {}
    for name, dtype, shape, length in json.loads(data[:end]):
        if names is None or name in names:
            found[name] = array = np.empty(shape, dtype)
            if length:
                codec.decode(memoryview(data)[at : at + length], out=array.reshape(-1))
        at += length
    return found
