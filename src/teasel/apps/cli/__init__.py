"""The command ``teasel``: one file per command, and the batch behind ``teasel segment``.

Takes what was typed; gives files, words on standard output, progress and errors on standard error, and an
exit code: 0 all went well, 1 something failed (a bad file, say), 2 what was typed has to change,
130 stopped by Ctrl-C. `app` holds the commands together; `jobs`, `record`, `outputs`, `overlay` and
`batch` know nothing of the command line.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import TextIOWrapper

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after ``teasel``; the process's own arguments if not given.

    Raises
    ------
    SystemExit
        Always, with the exit code.
    """
    from teasel.apps.cli.app import app

    typed = list(sys.argv[1:] if arguments is None else arguments)
    own = typed[: typed.index("--")] if "--" in typed else typed
    if "--debug" in own:  # may stand anywhere, although it belongs to `teasel` and not to the command
        typed.remove("--debug")
        typed.insert(0, "--debug")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names that the terminal cannot show
    app(args=typed, prog_name="teasel")
