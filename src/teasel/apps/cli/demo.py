"""``teasel demo``: the whole way on a real image that comes with an installed library."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from teasel.apps.cli.jobs import RESULT_SUFFIXES, Job
from teasel.apps.cli.session import SegmentOptions, segment_jobs
from teasel.errors import InputNotFound

__all__ = ["add_to", "demo_image"]


def demo_image() -> Path:
    """Return the path of a stained tissue section, 512 x 512 pixels, that scikit-image carries.

    Raises
    ------
    InputNotFound
        If the installed scikit-image does not carry it.

    Examples
    --------
    >>> demo_image().name
    'ihc.png'
    """
    path = Path(str(files("skimage"))) / "data" / "ihc.png"
    if not path.is_file():
        raise InputNotFound(f"{path} is missing: this scikit-image carries no images; reinstall scikit-image")
    return path


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where results go; made if need be.")
    ] = Path("teasel-demo"),
) -> None:
    """Segment an image that is installed already.

    A stained section of colon, 512 x 512 pixels; no file and no network connection are needed.

    \b
    Examples:
      teasel demo
      teasel demo -o somewhere
    """
    job = Job("ihc", demo_image())
    result = segment_jobs([job], output, SegmentOptions(), overwrite=True)
    for _, error in result.failed:
        raise error
    print(f"Results in {output}:")
    for suffix, words in zip(RESULT_SUFFIXES, ("labels", "table of objects", "picture to look at"), strict=True):
        print(f"  {job.name + suffix:<18} {words}")
    print("  run.json           how they were made")
    print("Next, your own images:  teasel segment IMAGE... -o results")


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(demo)
