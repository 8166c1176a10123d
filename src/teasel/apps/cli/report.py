"""``teasel report``: one page on a folder of results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from teasel.apps.cli.console import ProgressLine
from teasel.apps.cli.options import takes_fields_of
from teasel.apps.report.options import ReportOptions

__all__ = ["add_to", "make_report"]


@takes_fields_of(ReportOptions)
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Results of `teasel segment` or `teasel run`.")],
    settings: ReportOptions,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; report.html in DIR if not given.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Write a report on results: one HTML file that opens anywhere, offline.

    Counts and sizes per image and well, outlines over the images, the least certain objects, flags for images
    that need a look and why, settings, versions, model card, a paragraph for the methods section, citations.

    \b
    Examples:
      teasel report results
      teasel report results -o results.html --title "Screen 12, plate 3"
    """
    path = make_report(folder, output, settings, quiet=quiet)
    if not quiet:
        print(f"Report: {path} ({path.stat().st_size / 1e6:.1f} MB)")


def make_report(folder: Path, path: Path | None, options: ReportOptions, *, quiet: bool) -> Path:
    """Write the report with a progress line."""
    from teasel.apps.report import write_report

    line = ProgressLine(quiet=quiet)
    try:
        return write_report(
            folder,
            path,
            options=options,
            progress=lambda done, total, name: line.draw(done / total, f"report, image {done + 1} of {total}: {name}"),
        )
    finally:
        line.clear()


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(report)
