"""``teasel info``: what was understood of image files."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from teasel.apps.cli.jobs import find_images
from teasel.errors import TeaselError

__all__ = ["add_to"]


def info(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Images, folders, or patterns in quotes.")],
    axes: Annotated[str | None, typer.Option(help="What each dimension is, out of t, c, z, y, x.")] = None,
    scene: Annotated[str | None, typer.Option(help="Which image of a file that holds several.")] = None,
) -> None:
    """Say what an image file holds.

    Axes, size, type, voxel size, channels, scenes, and what the file does not say.

    \b
    Examples:
      teasel info cells.tif
      teasel info stack.tif --axes zcyx
      teasel info 'plate/*.tif'
    """
    from teasel.images import describe, open_image

    n_failed = 0
    for number, path in enumerate(find_images(files)):
        try:
            words = describe(open_image(path, axes=axes, scene=scene))
        except (TeaselError, OSError) as error:
            n_failed += 1
            print(f"{path}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        print(("\n" if number else "") + words)
    if n_failed:
        raise typer.Exit(1)


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(info)
