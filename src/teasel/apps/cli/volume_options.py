"""Options that the commands on volumes share: how supervoxels merge, and where the work runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from teasel.apps.cli.console import ProgressLine
from teasel.errors import ParameterError

if TYPE_CHECKING:
    from teasel.agglomeration import Agglomeration, Connected, MutexWatershed

__all__ = ["VolumeOptions", "not_there", "parse_bytes", "progress_of"]

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


@dataclass(frozen=True)
class VolumeOptions:
    """How supervoxels become segments; and where a volume is worked on, which never decides the result.

    Parameters
    ----------
    threshold : float, optional
        Affinity from 0 to 1 below which nothing is merged; the model's own, or 0.5, if not given.
    score : str
        What decides on a border: mean affinity, quantile of its affinities, or mutex (no threshold; needs affinities
        over longer steps). Or connected: whatever a chain of affinities above the threshold joins is one segment.
    quantile : float
        For quantile: which one, from 0 to 1.
    peaks : bool
        For quantile: of each border only its highest affinities count, as in waterz.
    min_voxels : int
        Smaller segments join the neighbour with the best border; connected ones are dropped.
    scheduler : str, optional
        Address of a Dask scheduler, such as tcp://host:8786; none for this process alone; a cluster on this machine if
        not given.
    workers : int, optional
        Processes on this machine; as many as cores if not given.
    memory : str
        What each worker may use, such as 6GB; blocks are made as large as that allows.
    """

    threshold: float | None = None
    score: str = "mean"
    quantile: float = 0.75
    peaks: bool = False
    min_voxels: int = 0
    scheduler: str | None = None
    workers: int | None = None
    memory: str = "2GB"

    def method(self) -> Agglomeration | MutexWatershed | Connected:
        """Return the method that was chosen."""
        from teasel.agglomeration import Agglomeration, Connected, MutexWatershed

        if self.score == "connected":
            return Connected(0.5 if self.threshold is None else self.threshold, self.min_voxels)
        if self.score == "mutex":
            if self.threshold is not None or self.min_voxels:
                raise ParameterError("--score mutex takes neither --threshold nor --min-voxels; leave them out")
            return MutexWatershed()
        if self.score not in ("mean", "quantile"):
            raise ParameterError(f"--score {self.score}; expected mean, quantile, mutex or connected")
        return Agglomeration(score=self.score, quantile=self.quantile, peaks=self.peaks, min_voxels=self.min_voxels)


def parse_bytes(text: str) -> int:
    """Read an amount of memory.

    Examples
    --------
    >>> parse_bytes("6GB"), parse_bytes("1.5 GiB"), parse_bytes("800 mb")
    (6000000000, 1610612736, 800000000)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?|)b?\s*", text.lower())
    if not match:
        raise ParameterError(f"memory {text!r}; expected an amount such as 6GB or 800MB")
    return int(float(match[1]) * _UNITS[match[2]])


def progress_of(line: ProgressLine, words: str) -> Callable[[int, int], None]:
    """Return a function that draws how far the work is."""
    return lambda done, total: line.draw(done / max(total, 1), words)


def not_there(out: Path) -> None:
    """Raise ParameterError if a result is there already."""
    if out.exists():
        raise ParameterError(f"{out} is there already; give another name, or remove it")
