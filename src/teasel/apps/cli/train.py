"""``teasel train``: a model from images and their labels."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from teasel.apps.cli.console import ProgressLine
from teasel.apps.cli.options import takes_fields_of
from teasel.training.config import TrainingConfig

__all__ = ["add_to"]


@takes_fields_of(TrainingConfig)
def train(
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA",
            help="Folders with images/ and labels/ inside, or with pairs such as a.tif and a_labels.tif.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for checkpoints, learning curves and the model.")
    ],
    settings: TrainingConfig,
    name: Annotated[str | None, typer.Option(help="Name of the model; that of the folder if not given.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Train a model on images with labels: pictures, some planes of stacks, or with --ndim 3 whole stacks.

    Typed again, the same command goes on from the last checkpoint.

    \b
    Examples:
      teasel train my-images -o my-model
      teasel train set-a set-b -o my-model --steps 20000 --device cuda --precision bf16
      teasel train my-stacks -o my-model --ndim 3 --representation star --anisotropy 2.2
      teasel segment new.tif -o results --model ./my-model/my-model
    """
    from teasel.training import train as run_training

    if not quiet and not sys.stderr.isatty():  # in place of the progress line
        logging.basicConfig(format="%(message)s", level=logging.INFO)
    line = ProgressLine(quiet=quiet)
    folder = run_training(
        settings,
        data,
        output,
        name=name,
        progress=lambda done, total: line.draw(done / total, f"step {done} of {total}"),
    )
    line.clear()
    if not quiet:
        goes = "VOLUME -o out.ome.zarr" if settings.by_voxel else "IMAGE -o results"
        print(f"Model: {folder}\nNext:  teasel segment {goes} --model {folder}")


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(train)
