"""``teasel adapt``: a shipped model learns somebody's images, with corrections or without."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from teasel.apps.cli.console import ProgressLine, format_duration
from teasel.apps.cli.exits import FAILED
from teasel.apps.cli.options import takes_fields_of
from teasel.training.adapt.config import AdaptConfig

if TYPE_CHECKING:
    from teasel.training.adapt import Adapted

__all__ = ["add_to"]


@takes_fields_of(AdaptConfig)
def adapt(
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA",
            help="A folder of corrections: images/ with labels/, verified/, background/, points/ or decisions/; "
            "with --unlabelled, images or folders of images.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the checkpoint, the report, the picture and the model.")
    ],
    settings: AdaptConfig,
    model: Annotated[str, typer.Option(help="Shipped model to start from: its name, or the path of its folder.")] = (
        "nuclei"
    ),
    name: Annotated[str | None, typer.Option(help="Name of the new model; that of the folder if not given.")] = None,
    unlabelled: Annotated[
        bool, typer.Option("--unlabelled", help="Adapt to bare images, without any correction.")
    ] = False,
    replay: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Folder of labelled images that must not be forgotten; may be repeated."),
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHANNEL",
            help="Which channel holds the objects: its number, from 0, or its name. For cells with a nucleus channel: "
            "the cell's, then, typed again, the nucleus'.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Adapt a model to your images; it is handed over only if it is better.

    Every correction teaches and judges: networks are judged, nothing set, on images that they have not seen. The
    new model must be surely better there and surely no worse on replayed scenes (without labels: more consistent on
    your images); if not, the old one stays and the exit code is 1. Typed again, the same command goes on from the
    last checkpoint.

    \b
    Examples:
      teasel adapt corrections -o my-nuclei
      teasel adapt corrections -o my-cells --model cells --replay my-old-images
      teasel adapt --unlabelled 'plate/*.tif' -o my-nuclei
      teasel segment new.tif -o results --model ./my-nuclei/my-nuclei
    """
    if not quiet and not sys.stderr.isatty():  # in place of the progress line
        logging.basicConfig(format="%(message)s")
        logging.getLogger("teasel").setLevel(logging.INFO)
    line = ProgressLine(quiet=quiet)

    def progress(done: int, total: int) -> None:
        line.draw(done / total, "adapting")

    if unlabelled:
        from teasel.apps.cli.jobs import find_images
        from teasel.training.adapt import adapt_unlabelled

        adapted = adapt_unlabelled(
            find_images([str(path) for path in data]),
            output,
            model=model,
            name=name,
            config=settings,
            replay=replay or (),
            channels=channel or (),
            progress=progress,
        )
    else:
        from teasel.training.adapt import adapt as run_adaptation
        from teasel.training.adapt import read_corrections

        corrections = [one for folder in data for one in read_corrections(folder, channels=channel or ())]
        adapted = run_adaptation(
            corrections, output, model=model, name=name, config=settings, replay=replay or (), progress=progress
        )
    line.clear()
    _report(adapted, model, quiet=quiet)


def _report(adapted: Adapted, model: str, *, quiet: bool) -> None:
    """Print the verdict; end with an exit code of 1 if the old model stays."""
    if not quiet:
        for what, (before, after) in adapted.scores["table"].items():
            print(f"{what:<32} {before:.3f} -> {after:.3f}")
        print(f"Picture: {adapted.picture}\nTime:    {format_duration(adapted.seconds)}")
    if adapted.folder is None:
        print(f"teasel: {adapted.reason}; model {model!r} stays as it is", file=sys.stderr)
        raise typer.Exit(FAILED)
    if not quiet:
        print(f"Model:   {adapted.folder}\nNext:    teasel segment IMAGE -o results --model {adapted.folder}")


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(adapt)
