"""Words on the terminal: results on standard output, a progress line with the time left on standard error."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from teasel.apps.cli.jobs import Job
    from teasel.segment import Segmentation

__all__ = ["BatchConsole", "ProgressLine", "format_duration", "one_line"]

_EVERY_S = 0.1  # between two drawings of the line
_BAR = 24  # characters


def format_duration(seconds: float) -> str:
    """Say how long something takes, coarsely.

    Examples
    --------
    >>> format_duration(3.2), format_duration(75), format_duration(4000)
    ('3 s', '1 min 15 s', '1 h 06 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def one_line(error: BaseException) -> str:
    """Return an error as one line: its kind, and what it says.

    Examples
    --------
    >>> one_line(ValueError("five   spaces"))
    'ValueError: five spaces'
    """
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")


class ProgressLine:
    """One line that is drawn over again; none if standard error is no terminal, or to be quiet.

    Parameters
    ----------
    quiet : bool
        Draw nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._shown = not quiet and sys.stderr.isatty()
        self._started = time.monotonic()
        self._drawn = 0.0

    def draw(self, fraction: float, words: str) -> None:
        """Show how much is done, in [0, 1], and the time left."""
        now = time.monotonic()
        if not self._shown or (now - self._drawn < _EVERY_S and fraction < 1):
            return
        self._drawn = now
        bar = "#" * round(_BAR * fraction)
        line = f"[{bar:-<{_BAR}}] {100 * fraction:3.0f} % {self._left(fraction, now)} {words}"
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write("\r" + line[:width].ljust(width))
        sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away, so that other words can be printed."""
        if self._shown and self._drawn:
            sys.stderr.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")
            sys.stderr.flush()

    def _left(self, fraction: float, now: float) -> str:
        elapsed = now - self._started
        if fraction <= 0 or elapsed < 1:
            return "        "
        return format_duration(elapsed * (1 - fraction) / fraction) + " left"


class BatchConsole:
    """Says how ``teasel segment`` goes on: one line per image, and a progress line over all of them.

    Parameters
    ----------
    quiet : bool
        Print nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._line = ProgressLine(quiet=quiet)
        self._n_images, self._n_ended = 1, 0
        self._current = ""
        self._noted: set[str] = set()

    def started(self, n_images: int) -> None:
        """Hear how many images will be done."""
        self._n_images = n_images

    def begun(self, job: Job) -> None:
        """Show which image is being segmented."""
        self._current = job.source.name
        self.advanced(0, 1)

    def advanced(self, done: int, total: int) -> None:
        """Show how far that image is."""
        fraction = (self._n_ended + done / max(total, 1)) / self._n_images
        self._line.draw(fraction, f"image {self._n_ended + 1} of {self._n_images}: {self._current}")

    def done(self, job: Job, segmentation: Segmentation) -> None:
        """Print what was found in an image; a note that came before is not repeated."""
        size = "" if segmentation.diameter_px is None else f"{segmentation.diameter_px:.1f} px "
        self._say(
            f"{job.source.name}: {len(segmentation.scores)} objects, "
            f"diameter {size}({segmentation.diameter_source}), {segmentation.seconds:.1f} s",
            *(f"  note: {note}" for note in segmentation.notes if note not in self._noted),
        )
        self._noted.update(segmentation.notes)

    def failed(self, job: Job, error: Exception) -> None:
        """Print that an image could not be done; why follows at the end, with all others."""
        self._say(f"{job.source.name}: failed ({type(error).__name__})")

    def stop(self) -> None:
        """Take the progress line away."""
        self._line.clear()

    def _say(self, *lines: str) -> None:
        self._n_ended += 1
        self._line.clear()
        if not self._quiet:
            print(*lines, sep="\n", flush=True)
