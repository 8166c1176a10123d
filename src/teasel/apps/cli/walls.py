"""``teasel walls``: a stack of stained walls or membranes to a boundary map, without training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from teasel.apps.cli.console import ProgressLine
from teasel.apps.cli.volume_options import not_there, progress_of
from teasel.errors import ParameterError

if TYPE_CHECKING:
    from teasel.images import Image

__all__ = ["add_to"]


def walls(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A stack in which walls are bright.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="WALLS.tif", help="Boundary map to write.")],
    channel: Annotated[str | None, typer.Option(help="Which channel: its number, from 0, or its name.")] = None,
    thickness: Annotated[
        float, typer.Option(help="Apparent thickness of a wall in pixels; sheets of half to twice it are found.")
    ] = 3.0,
    cell_diameter: Annotated[float, typer.Option(help="About how wide cells are, in pixels.")] = 30.0,
    anisotropy: Annotated[
        float | None, typer.Option(help="Distance of planes over pixel width, where the file does not say.")
    ] = None,
    pixel_size: Annotated[
        float | None, typer.Option(help="Micrometres per pixel, where the file does not say.")
    ] = None,
    z_step: Annotated[float | None, typer.Option(help="Micrometres between planes, likewise.")] = None,
    axes: Annotated[str | None, typer.Option(help="What each dimension is, out of c, z, y, x; such as zcyx.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Find walls or membranes in a stack, for `teasel agglomerate --boundaries`.

    Looks for bright sheets and measures each against its surroundings; nothing is trained.

    \b
    Examples:
      teasel walls tissue.tif -o walls.tif --pixel-size 0.15 --z-step 0.235
      teasel walls tissue.tif -o walls.tif --anisotropy 1 --thickness 4 --cell-diameter 50
      teasel agglomerate --boundaries walls.tif -o cells.ome.zarr --threshold 0.45 --min-voxels 200
    """
    from teasel.agglomeration import Walls
    from teasel.geometry import VoxelSize
    from teasel.images import open_image, save_image
    from teasel.inference.stack import find_anisotropy

    not_there(output)
    size = VoxelSize(z_step, pixel_size, pixel_size) if z_step or pixel_size else None
    opened = open_image(image, axes=axes, voxel_size_um=size)
    if opened.sizes.get("t", 1) > 1 or opened.sizes.get("z", 1) == 1:
        raise ParameterError(f"{image} has axes {opened.axes!r} {opened.shape}; walls are found in one stack (z, y, x)")
    ratio, notes = find_anisotropy(opened, anisotropy)
    chosen = {axis: index for axis, index in {"t": 0, "c": _number(opened, channel)}.items() if axis in opened.axes}
    finder = Walls.of_tissue(thickness, cell_diameter, ratio)
    line = ProgressLine(quiet=quiet)
    try:
        found = finder.find(opened.read(**chosen), progress=progress_of(line, output.name))
    finally:
        line.clear()
    save_image(output, found, axes="zyx", voxel_size_um=opened.voxel_size_um)
    if not quiet:
        print(f"{output}: boundary map; {notes[0].split('; ')[1]}")
        print(f"next: teasel agglomerate --boundaries {output} -o cells.ome.zarr --threshold 0.45 --min-voxels 200")


def _number(image: Image, channel: str | None) -> int:
    """Return the number of the channel that was asked for, or of the only one."""
    names = image.channel_names
    n = image.sizes.get("c", 1)
    if channel is None and n == 1:
        return 0
    if channel in names:
        return names.index(channel)
    if channel is None or not (channel.isdigit() and int(channel) < n):
        listed = ", ".join(f"{i} {name}".strip() for i, name in enumerate(names)) or "0"
        raise ParameterError(f"channel {channel!r}; choose one of {listed} with --channel")
    return int(channel)


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(walls)
