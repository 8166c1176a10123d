"""StarDist in a process of its own, asked image by image."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Case
from teasel.errors import InputNotFound, TeaselError

SCRIPT = Path(__file__).with_name("stardist_predict.py")


class StarDist:
    """A running StarDist; use as a context manager.

    Parameters
    ----------
    python : Path
        Interpreter of an environment that has stardist.
    model : Path
        Model folder.
    threads : int
        CPU threads.
    """

    name = "StarDist"

    def __init__(self, python: Path, model: Path, threads: int) -> None:
        for path in (python, model):
            if not path.exists():
                raise InputNotFound(f"no {path}; see --stardist-python and --stardist-model")
        self._command = [str(python), str(SCRIPT), "-", "--model", str(model), "--threads", str(threads)]

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="stardist")
        self._log = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        if self._line() != "ready":
            raise TeaselError(self._complaint())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._log.close()
        self._folder.cleanup()

    def __call__(self, image: NDArray[np.generic]) -> tuple[NDArray[np.integer], float]:
        """Return the labels of a (y, x) image with bright objects, and the seconds they took."""
        import tifffile

        source, target = (Path(self._folder.name) / name for name in ("image.npy", "labels.tif"))
        np.save(source, image)
        seconds = self._ask(source, target)
        return tifffile.imread(target), seconds

    def _ask(self, source: Path, target: Path) -> float:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"image": str(source), "labels": str(target)}) + "\n")
        self._process.stdin.flush()
        answer = self._line()
        if not answer:
            raise TeaselError(self._complaint())
        return float(json.loads(answer)["seconds"])

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def _complaint(self) -> str:
        self._log.seek(0)
        return f"StarDist stopped: {self._log.read()[-2000:]}"


def predict_cached(
    python: Path, model: Path, cases: Sequence[Case], cache: Path, threads: int
) -> list[NDArray[np.integer]]:
    """Return StarDist's labels of each case, kept in ``cache/<model digest>/<set>/<name>.tif``."""
    import tifffile

    digest = hashlib.sha256((model / "weights_best.h5").read_bytes()).hexdigest()[:12]
    paths = [cache / digest / case.set_name / f"{case.name}.tif" for case in cases]
    missing = [(case, path) for case, path in zip(cases, paths, strict=True) if not path.exists()]
    if missing:
        with StarDist(python, model, threads) as peer:
            for case, path in missing:
                labels, _ = peer(case.grey())
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary = path.with_name(f".{path.name}")
                tifffile.imwrite(temporary, labels, compression="zlib")
                temporary.replace(path)
    return [tifffile.imread(path) for path in paths]
