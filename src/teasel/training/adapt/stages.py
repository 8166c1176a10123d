"""Progress over stages of known weight, and the one place where a wish to stop is heard between steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from teasel.errors import Cancelled

__all__ = ["Stages"]

WHOLE = 1000


@dataclass(frozen=True)
class Stages:
    """Turns the progress of single stages into that of the whole.

    Parameters
    ----------
    progress : callable or None
        Called as ``progress(done, 1000)``.
    cancelled : callable or None
        Asked at every tick.
    shares : mapping of str to int
        Stages in order, and what share of the time each takes.

    Examples
    --------
    >>> seen = []
    >>> stages = Stages(lambda done, total: seen.append(done), None, {"a": 1, "b": 3})
    >>> stages.of("b")(1, 2)
    >>> seen
    [625]
    """

    progress: Callable[[int, int], None] | None
    cancelled: Callable[[], bool] | None
    shares: Mapping[str, int]

    def of(self, stage: str) -> Callable[[int, int], None]:
        """Return a progress callable for one stage."""
        names = list(self.shares)
        total = sum(self.shares.values())
        start = sum(self.shares[name] for name in names[: names.index(stage)])

        def report(done: int, count: int) -> None:
            if self.cancelled is not None and self.cancelled():
                raise Cancelled("stopped; started again, the adaptation goes on from its last checkpoint")
            if self.progress is not None:
                self.progress(int(WHOLE * (start + self.shares[stage] * done / max(count, 1)) / total), WHOLE)

        return report

    def ticker(self, stage: str, count: int) -> Callable[[], None]:
        """Return a callable without arguments that counts up to `count`."""
        report, done = self.of(stage), [0]

        def tick() -> None:
            done[0] += 1
            report(done[0], count)

        return tick

    def done(self) -> None:
        """Report the end."""
        if self.progress is not None:
            self.progress(WHOLE, WHOLE)
