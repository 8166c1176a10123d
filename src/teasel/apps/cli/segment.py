"""``teasel segment``: images in; labels, tables and pictures out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from teasel.apps.cli.console import one_line
from teasel.apps.cli.exits import FAILED, USAGE, exit_code
from teasel.apps.cli.jobs import find_images, make_jobs
from teasel.apps.cli.options import takes_fields_of
from teasel.apps.cli.session import SegmentOptions, segment_jobs

if TYPE_CHECKING:
    from teasel.apps.cli.batch import BatchResult

__all__ = ["add_to"]


@takes_fields_of(SegmentOptions)
def segment(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE", help="Images, folders of images, or patterns in quotes.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where results go; made if need be.")
    ],
    settings: SegmentOptions,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Do images again that are done, and replace other files.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Find the objects in images.

    Writes for each image NAME.labels.tif (opens in ImageJ and napari), NAME.objects.csv (one row per
    object) and NAME.overlay.png (outlines over the image), and one run.json that says how they were made.
    Typed again, the same command does only what is not done yet.

    \b
    Examples:
      teasel segment cells.tif -o results
      teasel segment my-folder -o results --channel DAPI
      teasel segment 'plate/*.tif' -o results --diameter 30 --model nuclei-fast
    """
    jobs = make_jobs(find_images(images), settings.scene)
    result = segment_jobs(jobs, output, settings, overwrite=overwrite, quiet=quiet)
    if not quiet:
        print(f"{_counts(result)}; results in {output}")
    if result.failed:
        print(f"\n{len(result.failed)} of {len(jobs)} images failed:", file=sys.stderr)
        for job, error in result.failed:
            print(f"  {job.source}: {one_line(error)}", file=sys.stderr)
        raise typer.Exit(_code(result))


def _code(result: BatchResult) -> int:
    """Return the exit code: typed wrongly, if not one image could be done and each for what was typed."""
    codes = {exit_code(error) for _, error in result.failed}
    return USAGE if codes == {USAGE} and not result.done and not result.skipped else FAILED


def _counts(result: BatchResult) -> str:
    parts = [f"{len(result.done)} done"]
    if result.skipped:
        parts.append(f"{len(result.skipped)} done before (--overwrite does them again)")
    if result.failed:
        parts.append(f"{len(result.failed)} failed")
    return ", ".join(parts)


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(segment)
