"""``teasel convert``: labels and tables from one program's file to another's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from teasel.errors import AxesError, ParameterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["add_to"]


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Labels, outlines, or a table of objects.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File or folder to write; its name says the format.")],
    shape: Annotated[
        str | None,
        typer.Option(metavar="HEIGHT,WIDTH", help="Pixels of the image that outlines belong to, if IN does not say."),
    ] = None,
    nuclei: Annotated[
        Path | None, typer.Option(metavar="LABELS", help="Nuclei of these cells, for QuPath (OUT is .geojson).")
    ] = None,
    ngff: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Version of OME-Zarr to write: 0.5 (if not given) or 0.4.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="TABLE", help="Table of these objects: OUT.zarr becomes a SpatialData store with both."),
    ] = None,
    image: Annotated[
        Path | None, typer.Option(metavar="IMAGE", help="Image of these objects, for the SpatialData store as well.")
    ] = None,
    renumber: Annotated[
        bool, typer.Option("--renumber", help="Number the objects 1, 2, ... without gaps, in their order.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it is there.")] = False,
) -> None:
    """Write labels or a table in another format.

    Labels: .tif, .png, .npy, .zarr (OME-Zarr; also IMAGE.zarr/labels/NAME), .zip (ImageJ ROIs), .geojson and
    .geojson.gz (QuPath), .coco.json, NAME_cp_outlines.txt (Cellpose), NAME_seg.npy (Cellpose, only read),
    .stardist.npz and .stardist.json, NAME_RES and NAME_GT (folders of the Cell Tracking Challenge). Object
    numbers and the voxel size are kept where the format has a place for them.

    Tables: .csv, .parquet, .xlsx, .h5ad and .zarr (AnnData).

    \b
    Examples:
      teasel convert results/cells.labels.tif cells.zip
      teasel convert results/slide.labels.tif slide.geojson.gz --nuclei nuclei.labels.tif
      teasel convert RoiSet.zip labels.tif --shape 1024,1344
      teasel convert results/cells.csv cells.xlsx
      teasel convert results/cells.labels.tif cells.zarr --table cells.h5ad --image cells.tif
    """
    if target.exists() and not overwrite:
        raise ParameterError(f"{target} is there already; give another name, or --overwrite")
    given = {"--shape": shape, "--nuclei": nuclei, "--ngff": ngff, "--renumber": renumber or None, "--table": table}
    if _is_table(source):
        if words := [name for name, value in given.items() if value is not None]:
            raise ParameterError(f"{source} is a table of objects, for which {words[0]} means nothing; leave it out")
        print(f"{target}: {_convert_table(source, target)}")
    elif table is not None:
        if words := [name for name in ("--nuclei", "--ngff", "--renumber") if given[name] is not None]:
            raise ParameterError(f"{words[0]} means nothing with --table; leave it out")
        print(f"{target}: {_write_store(source, target, shape, table, image)} objects")
    elif image is not None:
        raise ParameterError("--image goes into a SpatialData store; give the table of its objects as well (--table)")
    else:
        count = _convert_labels(source, target, shape, nuclei, ngff, renumber)
        print(f"{target}: {count} objects")


def _is_table(source: Path) -> bool:
    from teasel.measurement.tables import is_table_path

    return is_table_path(source) and not source.name.lower().endswith("_outlines.csv")


def _convert_table(source: Path, target: Path) -> str:
    """Convert a table, and say how large it is."""
    from teasel.measurement.tables import read_table, write_table

    table = read_table(source)
    write_table(table, target)
    return f"{len(table)} objects, {len(table.features)} features"


def _write_store(source: Path, target: Path, shape: str | None, table: Path, image: Path | None) -> int:
    """Write labels, their table and their image as a SpatialData store, and return how many objects there are."""
    from teasel.geometry import VoxelSize
    from teasel.images import open_image
    from teasel.labels import read_labels, read_voxel_size
    from teasel.measurement.tables import read_table, write_spatialdata

    if target.suffix.lower() != ".zarr":
        raise ParameterError(f"{target.name}: a SpatialData store is a .zarr; give such a name, or leave out --table")
    labels, measured = read_labels(source, shape=_size(shape) if shape else None), read_table(table)
    sizes, pixels = [read_voxel_size(source)], None
    channel_names: tuple[str, ...] = ()
    if image is not None:
        opened = open_image(image)
        single = [axis for axis in "tz" if opened.sizes.get(axis) == 1 and axis not in "zyx"[3 - labels.ndim :]]
        pixels = opened.read(**dict.fromkeys(single, 0))
        pixels = pixels if "c" in opened.axes else pixels[None]
        channel_names = opened.channel_names
        sizes.append(opened.voxel_size_um)
    sizes.insert(
        0, VoxelSize(**measured.settings.get("voxel_size_um", {}))
    )  # what the places in the table are made with
    size = next((one for one in sizes if one.known()), VoxelSize())
    write_spatialdata(target, labels, measured, voxel_size_um=size, image=pixels, channel_names=channel_names)
    return len(measured)


def _convert_labels(
    source: Path, target: Path, shape: str | None, nuclei: Path | None, ngff: str | None, renumber: bool
) -> int:
    """Convert labels, and return how many objects there are."""
    import numpy as np

    from teasel.labels import read_labels, read_voxel_size, relabel, write_labels
    from teasel.labels.formats import ctc

    labels: NDArray[np.integer] = read_labels(source, shape=_size(shape) if shape else None)
    more: dict[str, Any] = {"version": ngff}
    if nuclei is not None:
        more["nuclei"] = read_labels(nuclei, shape=(labels.shape[0], labels.shape[1]))
    if ctc.matches(target):
        _check_series(source, labels)
        if ctc.matches(source) and not renumber:
            more["parents"] = {int(row[0]): int(row[3]) for row in ctc.read_tracks(source) if row[3]}
    elif labels.ndim == 3 and _is_series(source):
        labels = labels[:, None]  # three dimensions are taken as a stack
    if renumber:
        labels = relabel(labels)[0]
    write_labels(target, labels, read_voxel_size(source), **more)
    return int((np.unique(labels) > 0).sum())


def _check_series(source: Path, labels: NDArray[np.integer]) -> None:
    """Refuse to take the planes of a stack for frames."""
    if labels.ndim == 3 and _is_series(source) is False:
        raise ParameterError(
            f"{source} is a stack of {len(labels)} planes, no time series; the Cell Tracking Challenge takes frames"
        )


def _is_series(source: Path) -> bool | None:
    """Say whether the first axis of labels is time; None if their format does not say."""
    from teasel.images import is_image_path, open_image
    from teasel.labels.formats import ctc

    if ctc.matches(source):
        return True
    if source.suffix.lower() == ".npy" or not (source.is_dir() or is_image_path(source)):
        return None
    try:
        return open_image(source).sizes.get("t", 1) > 1
    except AxesError:
        return None


def _size(text: str) -> tuple[int, int]:
    """Read ``height,width``."""
    match = re.fullmatch(r"\s*([1-9]\d*)\s*[,x]\s*([1-9]\d*)\s*", text)
    if not match:
        raise ParameterError(f"--shape is {text!r}; expected height and width in pixels, such as 1024,1344")
    return int(match[1]), int(match[2])


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(convert)
