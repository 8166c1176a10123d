"""``teasel convert``: labels from one program's file to another's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from teasel.errors import ParameterError

__all__ = ["add_to"]


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Labels or outlines.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write; its suffix says the format.")],
    shape: Annotated[
        str | None,
        typer.Option(metavar="HEIGHT,WIDTH", help="Pixels of the image that outlines belong to, if IN does not say."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it is there.")] = False,
) -> None:
    """Write labels in another format.

    Formats, by suffix: .tif, .png, .npy (a label per pixel), .zip (ImageJ ROIs), .geojson and .geojson.gz
    (QuPath), .coco.json. Object numbers are kept.

    \b
    Examples:
      teasel convert results/cells.labels.tif cells.zip
      teasel convert results/slide.labels.tif slide.geojson.gz
      teasel convert RoiSet.zip labels.tif --shape 1024,1344
    """
    from teasel.labels import read_labels, write_labels

    if target.exists() and not overwrite:
        raise ParameterError(f"{target} is there already; give another name, or --overwrite")
    labels = read_labels(source, shape=_size(shape) if shape else None)
    write_labels(target, labels)
    print(f"{target}: {len(set(labels.ravel().tolist()) - {0, -1})} objects")


def _size(text: str) -> tuple[int, int]:
    """Read ``height,width``."""
    match = re.fullmatch(r"\s*([1-9]\d*)\s*[,x]\s*([1-9]\d*)\s*", text)
    if not match:
        raise ParameterError(f"--shape is {text!r}; expected height and width in pixels, such as 1024,1344")
    return int(match[1]), int(match[2])


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(convert)
