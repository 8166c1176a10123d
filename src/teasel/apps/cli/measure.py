"""``teasel measure``: labels and images in, a table of numbers out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from teasel.apps.cli.console import ProgressLine, one_line
from teasel.apps.cli.exits import FAILED
from teasel.apps.cli.jobs import find_images, result_name
from teasel.errors import InputNotFound, ParameterError, TeaselError
from teasel.geometry import VoxelSize

if TYPE_CHECKING:
    from teasel.measurement import Measurements

__all__ = ["add_to"]


def measure(
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS", help="Label image; or a folder with NAME.labels.tif for each image.")
    ],
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="The image, or one file per channel; with a folder of labels: images, folders or patterns.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Table to write: .csv, .xlsx, .parquet or .h5ad.")
    ],
    nuclei: Annotated[
        Path | None,
        typer.Option(
            help="Nuclei in the cells LABELS: label image, or folder with NAME.nuclei.tif or NAME.labels.tif."
        ),
    ] = None,
    families: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Families of features; all if not given.")
    ] = None,
    channels: Annotated[
        str | None, typer.Option(metavar="CHANNEL,...", help="Channels by number from 0 or by name; all if not given.")
    ] = None,
    grey_range: Annotated[
        str | None,
        typer.Option(metavar="LOW,HIGH", help="Grey values that texture takes for black and white, such as 0,4095."),
    ] = None,
    z: Annotated[
        str | None, typer.Option(help="Plane of a stack that the labels are of: its number from 0, or max.")
    ] = None,
    axes: Annotated[str | None, typer.Option(help="What each dimension of the image is, out of t, c, z, y, x.")] = None,
    pixel_size_um: Annotated[
        float | None, typer.Option("--pixel-size", help="Micrometres per pixel, where the file does not say.")
    ] = None,
    z_step_um: Annotated[float | None, typer.Option("--z-step", help="Micrometres between planes.")] = None,
    tile_px: Annotated[
        int | None, typer.Option("--tile", help="Edge of the tiles to measure in; smaller takes less memory.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Tiles measured at a time; one per CPU if not given.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE if it is there already.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Measure the objects of a label image: size, shape, intensity, texture and more.

    Writes one table with a row per object and CellProfiler's names; sizes are in micrometres where the
    pixel size is known. With nuclei, cells, nuclei and cytoplasm are measured, a row per cell.

    \b
    Examples:
      teasel measure results/cells.labels.tif cells.tif -o cells.csv
      teasel measure nuclei.labels.tif DAPI.tif GFP.tif -o cells.xlsx --families shape,intensity
      teasel measure results 'plate/*.tif' -o plate.h5ad
      teasel measure cells.labels.tif cells.tif -o cells.csv --nuclei nuclei.labels.tif
    """
    from teasel.measurement import Measurements
    from teasel.measurement import measure as measure_objects

    if output.exists() and not overwrite:
        raise ParameterError(f"{output} is there already; give another name, or --overwrite")
    sizes = (z_step_um, pixel_size_um, pixel_size_um)
    options: dict[str, Any] = {
        "families": _families(families, grey_range),
        "channels": _listed(channels),
        "z": z,
        "axes": axes,
        "voxel_size_um": VoxelSize(*sizes) if any(sizes) else None,
        "tile_px": tile_px,
        "threads": threads,
    }
    line = ProgressLine(quiet=quiet)
    tables: list[Measurements] = []
    failed: list[tuple[str, Exception]] = []
    jobs = list(_jobs(labels, images, nuclei))
    for number, (name, field, image, inner) in enumerate(jobs):

        def tick(done: int, total: int, number: int = number) -> None:
            line.draw((number + done / total) / len(jobs), f"image {number + 1} of {len(jobs)}")

        try:
            tables.append(measure_objects(field, image, nuclei=inner, name=name, progress=tick, **options))
        except (TeaselError, OSError) as error:
            if len(jobs) == 1:
                raise
            failed.append((name, error))
    line.clear()
    if tables:
        table = Measurements.concatenate(tables, fill=True) if len(tables) > 1 else tables[0]
        _write(table, output)
        if not quiet:
            _report(table, output)
    for name, reason in failed:
        print(f"{name}: {one_line(reason)}", file=sys.stderr)
    if failed:
        raise typer.Exit(FAILED)


def _listed(text: str | None) -> tuple[str, ...] | None:
    """Read ``a,b,c``."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text is not None else None


def _families(families: str | None, grey_range: str | None) -> Any:
    """Return the families asked for, texture with its range of grey values if that is given."""
    chosen = _listed(families)
    if grey_range is None:
        return chosen
    from teasel.measurement.features import find, names

    try:
        low, high = (float(part) for part in grey_range.split(","))
    except ValueError as error:
        raise ParameterError(f"--grey-range is {grey_range!r}; expected two numbers, such as 0,4095") from error
    texture = find("texture")(grey_range=(low, high))  # type: ignore[call-arg]
    return [texture if name == "texture" else name for name in chosen or names()]


def _jobs(labels: Path, images: list[str], nuclei: Path | None) -> Iterator[tuple[str, Path, Any, Path | None]]:
    """Yield the name, labels, image and nuclei of each field."""
    if not labels.is_dir() or labels.suffix == ".zarr":
        files = [Path(image) for image in images]
        yield files[0].name, labels, files, nuclei
        return
    for image in find_images(images):
        stem = result_name(image)
        field = _beside(labels, (f"{stem}.labels.tif", f"{stem}.labels.zarr", image.name, f"{stem}.tif"), image)
        inner = None
        if nuclei is not None:
            inner = _beside(nuclei, (f"{stem}.nuclei.tif", f"{stem}.labels.tif", image.name, f"{stem}.tif"), image)
        yield image.name, field, image, inner


def _beside(folder: Path, names: tuple[str, ...], image: Path) -> Path:
    """Find the file of an image in a folder."""
    for name in names:
        if (folder / name).exists() and (folder / name).resolve() != image.resolve():
            return folder / name
    raise InputNotFound(f"no {names[0]} in {folder} for {image.name}; segment it first, or give another folder")


def _write(table: Measurements, output: Path) -> None:
    """Write the table in the format of the suffix; with plates and wells, where the names of all images say them."""
    from teasel.measurement.plates import add_wells
    from teasel.measurement.tables import write_table

    write_table(add_wells(table, strict=False), output)


def _report(table: Measurements, output: Path) -> None:
    """Say what was written, and what is worth knowing."""
    print(f"{output}: {len(table)} objects, {len(table.features)} features")
    notes = table.settings.get("notes", [])
    flat = [note for part in notes for note in (part if isinstance(part, list) else [part])]
    for note in dict.fromkeys(flat):
        print(f"  {note}")


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(measure)
