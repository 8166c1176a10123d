"""``run.json``: what was done to which image, with what; read again to skip what is done already.

A run done again writes the same ``run.json``, byte for byte; when it was, how long it took and what was typed stand
in ``run.times.json`` beside it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from teasel.apps.cli.jobs import RESULT_SUFFIXES, Job
from teasel.errors import FormatError, ParameterError

__all__ = ["FILE_NAME", "TIMES_NAME", "RunRecord", "fingerprint"]

FILE_NAME = "run.json"
TIMES_NAME = "run.times.json"
_FORMAT = "teasel run 1"
_TIMES_FORMAT = "teasel times 1"
_LIBRARIES = ("numpy", "scipy", "scikit-image", "onnxruntime", "tifffile")


def fingerprint(source: Path) -> dict[str, int]:
    """Return what tells whether an image was changed: bytes, and time of last change.

    Parameters
    ----------
    source : pathlib.Path
        A file, or a folder such as ``.zarr`` (all files in it count).

    Returns
    -------
    dict of str to int
        ``size_bytes`` and ``modified_ns`` (nanoseconds since 1970).
    """
    files = [source]
    if source.is_dir():
        files = [Path(folder) / name for folder, _, names in os.walk(source) for name in names]
    status = [file.stat() for file in files]
    return {
        "size_bytes": sum(one.st_size for one in status),
        "modified_ns": max((one.st_mtime_ns for one in status), default=0),
    }


@dataclass
class RunRecord:
    """The record of an output folder, kept on disk after every image.

    Parameters
    ----------
    folder : pathlib.Path
        Where results go.
    model : mapping
        Name, digest and so on of the model in use; two runs agree if their digests do.
    parameters : mapping
        Everything that was set and changes the result.
    command : list of str
        What was typed.
    suffixes : tuple of str
        How the names of all files end that are written for an image.
    """

    folder: Path
    model: Mapping[str, Any]
    parameters: Mapping[str, Any]
    command: list[str]
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: list[dict[str, str]] = field(default_factory=list)
    status: str = "running"
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    suffixes: tuple[str, ...] = RESULT_SUFFIXES
    seconds: dict[str, dict[str, Any]] = field(default_factory=dict)

    def recall(self) -> None:
        """Take over what earlier runs did in this folder.

        Raises
        ------
        FormatError
            If there is a ``run.json`` that is not ours or is broken.
        """
        path = self.folder / FILE_NAME
        if not path.exists():
            return
        try:
            content = json.loads(path.read_text("utf-8"))
            if content["format"] != _FORMAT:
                raise ValueError(f"format {content['format']!r}, expected {_FORMAT!r}")
            self.images = dict(content["images"])
            self.seconds = _read_times(self.folder / TIMES_NAME)
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(
                f"{path} is not the record of a run ({error}); move it away or choose another folder"
            ) from error

    def is_done(self, job: Job) -> bool:
        """Say whether all results of an image are there, made with this model and these parameters."""
        entry = self.images.get(job.name, {})
        return (
            entry.get("status") == "done"
            and _is_about(entry, job)
            and _is_unchanged(entry, job)
            and entry.get("model_digest") == self.model["digest"]
            and entry.get("parameters") == _plain(self.parameters)
            and self._has_all_results(job)
        )

    def refuse_strangers(self, job: Job) -> None:
        """Raise if results of that name stand in the folder that did not come from this image.

        Raises
        ------
        ParameterError
            If another image's results, or files of unknown origin, would be replaced.
        """
        standing = [suffix for suffix in self.suffixes if (self.folder / (job.name + suffix)).exists()]
        entry = self.images.get(job.name)
        if not standing or (entry is not None and _is_about(entry, job)):
            return
        origin = f"came from {entry['source']}" if entry else "is not in the folder's run.json"
        raise ParameterError(
            f"{self.folder / (job.name + standing[0])} {origin}, and {job.source} would replace it; "
            "choose another folder with -o, or add --overwrite"
        )

    def clear_partial(self, jobs: Sequence[Job]) -> None:
        """Remove what a run that was killed had begun to write: hidden, unfinished files of ours."""
        from teasel.images.atomic import remove_partial

        names = {job.name + suffix for job in jobs for suffix in self.suffixes} | {FILE_NAME, TIMES_NAME}
        remove_partial(self.folder, names)

    def begin(self, job: Job) -> None:
        """Note that the results of an image are about to be written; until `finish`, they are not done."""
        self.images[job.name] = {
            "status": "unfinished",
            "source": str(job.source.resolve()),
            "scene": job.scene,
            **fingerprint(job.source),
        }
        self.save()

    def finish(self, job: Job, details: Mapping[str, Any], seconds: float = 0.0) -> None:
        """Note that all results of an image are written, and how long finding its objects took."""
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        self.seconds[job.name] = {"finished": finished, "seconds": round(seconds, 3)}
        self.images[job.name] |= {
            "status": "done",
            "model_digest": self.model["digest"],
            "parameters": dict(self.parameters),
            **details,
        }
        self.save()

    def fail(self, job: Job, error: Exception) -> None:
        """Note that an image could not be done, and why."""
        self.failures.append({"source": str(job.source), "error": type(error).__name__, "message": _one_line(error)})
        self.save()

    def save(self) -> None:
        """Write ``run.json`` and ``run.times.json``, each whole or not at all."""
        _write(self.folder / TIMES_NAME, self._times())
        _write(self.folder / FILE_NAME, self._content())

    def _content(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "status": self.status,
            "model": self.model,
            "parameters": self.parameters,
            "versions": _versions(),
            "failures": self.failures,
            "images": dict(sorted(self.images.items())),
        }

    def _times(self) -> dict[str, Any]:
        return {
            "format": _TIMES_FORMAT,
            "command": self.command,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round((datetime.now(UTC) - self.started).total_seconds(), 3),
            "images": dict(sorted(self.seconds.items())),
        }

    def _has_all_results(self, job: Job) -> bool:
        return all((self.folder / (job.name + suffix)).exists() for suffix in self.suffixes)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Write one JSON file, whole or not at all."""
    from teasel.images.atomic import atomic_path

    text = json.dumps(_plain(content), indent=1, ensure_ascii=False, allow_nan=False)
    with atomic_path(path) as temporary:
        # names that are not UTF-8 become escapes, which JSON reads back as they were
        temporary.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def _read_times(path: Path) -> dict[str, dict[str, Any]]:
    """Return how long each image took in earlier runs; nothing if that was not kept."""
    return dict(json.loads(path.read_text("utf-8"))["images"]) if path.exists() else {}


def _is_about(entry: Mapping[str, Any], job: Job) -> bool:
    """Say whether an entry is about this image, also if it was moved and is unchanged."""
    source = Path(str(entry["source"]))
    return source == job.source.resolve() or (source.name == job.source.name and _is_unchanged(entry, job))


def _is_unchanged(entry: Mapping[str, Any], job: Job) -> bool:
    return job.source.exists() and fingerprint(job.source).items() <= entry.items()


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it: lists for tuples, text for paths, null for numbers not finite."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if hasattr(value, "tolist"):  # numpy
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | None) else str(value)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


@cache
def _versions() -> dict[str, str]:
    """Return the versions of Teasel, Python and the libraries that decide on results."""
    from importlib.metadata import version
    from platform import python_version

    import teasel

    return {"teasel": teasel.__version__, "python": python_version()} | {
        library: version(library) for library in _LIBRARIES
    }
