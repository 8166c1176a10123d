"""Exit codes, and which error leads to which."""

from __future__ import annotations

from teasel.errors import AxesError, Cancelled, ModelNotFound, ParameterError

__all__ = ["FAILED", "STOPPED", "USAGE", "exit_code"]

FAILED = 1
"""Something could not be done: a file is bad, the disk is full."""

USAGE = 2
"""What was typed has to change."""

STOPPED = 130
"""Stopped by Ctrl-C."""


def exit_code(error: BaseException) -> int:
    """Return the exit code for an error: is it about what was typed, or about what was found?

    Examples
    --------
    >>> exit_code(ParameterError("no such channel")), exit_code(OSError("disk full"))
    (2, 1)
    """
    if isinstance(error, KeyboardInterrupt | Cancelled):
        return STOPPED
    return USAGE if isinstance(error, ParameterError | AxesError | ModelNotFound) else FAILED
