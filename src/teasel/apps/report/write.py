"""From a folder of results to a report in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from teasel.apps.report.options import ReportOptions

__all__ = ["FILE_NAME", "write_report"]

FILE_NAME = "report.html"


def write_report(
    folder: str | os.PathLike[str],
    path: str | os.PathLike[str] | None = None,
    *,
    options: ReportOptions | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Path:
    """Write a report on a folder of results, whole or not at all.

    Parameters
    ----------
    folder : path-like
        What ``teasel segment`` or ``teasel run`` wrote.
    path : path-like, optional
        Where the report goes; ``report.html`` in the folder if not given.
    options : ReportOptions, optional
        Title and limits of the flags.
    progress : callable, optional
        Called as ``progress(done, total, name of the image)``.

    Returns
    -------
    pathlib.Path
        Where it is.

    Raises
    ------
    InputNotFound
        If there is no such folder, or it holds no results.
    FormatError
        If the record or a table is broken.
    """
    from teasel.apps.report.content import gather
    from teasel.apps.report.page import compose
    from teasel.apps.report.results import read_run
    from teasel.images.atomic import atomic_path

    target = Path(path) if path is not None else Path(folder) / FILE_NAME
    page = compose(gather(read_run(folder), options or ReportOptions(), progress))
    with atomic_path(target) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return target
