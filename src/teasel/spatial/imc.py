"""Imaging mass cytometry: raw ``.mcd`` and ``.txt`` files to images, and images with labels to a table of cells."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, FormatError, InputNotFound, ShapeError
from teasel.geometry import VoxelSize
from teasel.images import Image
from teasel.images.lazy import as_lazy

if TYPE_CHECKING:
    import anndata

__all__ = ["Acquisition", "measure_imc", "read_imc", "remove_hot_pixels"]

_PLACES = ("x", "y", "z")
_METAL = re.compile(r"([A-Z][a-z]?)\(?(\d{2,3})\)?(?:Di)?")
_TAIL = 64 * 1024 * 1024  # the description stands at the end of the file


@dataclass(frozen=True, eq=False)
class Acquisition:
    """One region that was ablated.

    Parameters
    ----------
    name : str
        What the instrument calls it, such as ``ROI_001``.
    image : Image
        Channels, y, x; float32 counts; 1 um per pixel where the file does not say otherwise.
    metals : tuple of str
        Metal of each channel, such as ``Yb172``.
    targets : tuple of str
        What the user called each channel.
    notes : tuple of str
        What is missing or was found odd.
    """

    name: str
    image: Image
    metals: tuple[str, ...]
    targets: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_imc(path: str | os.PathLike[str]) -> list[Acquisition]:
    """Read all acquisitions of an MCD file, or the one of a text file.

    Parameters
    ----------
    path : path-like
        ``.mcd`` or ``.txt`` as the instrument's software writes them.

    Returns
    -------
    list of Acquisition
        In the order of the file. Empty ones are left out; a stopped one keeps its complete lines, with a note.

    Raises
    ------
    InputNotFound
        If there is no such file.
    FormatError
        If it is of another format, or holds no acquisition.

    References
    ----------
    The layout of MCD files is that of the schema they carry (``MCDSchema``, Fluidigm / Standard BioTools).
    """
    source = Path(path)
    if not source.is_file():
        raise InputNotFound(f"there is no file {source}")
    with source.open("rb") as file:
        head = file.read(4096)
    if head.lstrip(b"\xef\xbb\xbf").startswith(b"Start_push"):
        return [_read_text(source)]
    found = list(_read_mcd(source))
    if not found:
        raise FormatError(f"{source.name} holds no acquisition with data")
    return found


def remove_hot_pixels(image: ArrayLike, threshold: float = 50.0) -> NDArray[Any]:
    """Replace pixels that stand out from all of their eight neighbours by the brightest of these.

    Parameters
    ----------
    image : array, shape (..., y, x)
        Each plane by itself.
    threshold : float
        By how much a pixel has to exceed its brightest neighbour.

    Returns
    -------
    ndarray
        Of the same shape and type.

    Examples
    --------
    >>> remove_hot_pixels([[1, 2, 1], [1, 99, 1], [1, 1, 1]]).tolist()
    [[1, 2, 1], [1, 2, 1], [1, 1, 1]]
    """
    from scipy.ndimage import maximum_filter

    planes = np.asarray(image)
    around = np.ones((1,) * (planes.ndim - 2) + (3, 3), bool)
    around[..., 1, 1] = False
    highest = maximum_filter(planes, footprint=around, mode="mirror")
    return np.where(planes.astype(np.float64) - highest > threshold, highest, planes)


def measure_imc(acquisition: Acquisition, labels: ArrayLike) -> anndata.AnnData:
    """Measure the mean counts of each channel in each cell.

    Parameters
    ----------
    acquisition : Acquisition
        From `read_imc`.
    labels : array of int, shape (y, x)
        Label image of the cells.

    Returns
    -------
    AnnData
        ``X``: cells x channels, mean counts per pixel. ``obs``: ``label``, ``area_px``; ``var``: ``metal``,
        ``target``; ``obsm["spatial"]``: x, y of the centroid in micrometres.

    Raises
    ------
    ShapeError
        If the labels are of another size than the image.
    DataError
        If there is no cell.
    """
    import anndata
    import pandas

    cells = np.asarray(labels)
    counts = acquisition.image.read().astype(np.float64)
    if cells.shape != counts.shape[1:]:
        raise ShapeError(f"labels are {cells.shape} pixels, the acquisition {counts.shape[1:]}; they must be the same")
    names = np.unique(cells[cells > 0])
    if not len(names):
        raise DataError("the labels hold no cell, so there is nothing to measure")
    inside = np.nonzero(cells > 0)
    row = np.searchsorted(names, cells[inside])
    area = np.bincount(row)
    means = np.stack([np.bincount(row, plane[inside]) / area for plane in counts], axis=1)
    centroid = np.stack([np.bincount(row, axis) / area for axis in inside[::-1]], axis=1)
    size = acquisition.image.voxel_size_um
    metals = list(acquisition.metals)
    return anndata.AnnData(
        X=means,
        obs=pandas.DataFrame({"label": names.astype(np.int64), "area_px": area}, index=[str(n) for n in names]),
        var=pandas.DataFrame({"metal": metals, "target": list(acquisition.targets)}, index=metals),
        obsm={"spatial": centroid * np.array([size.x or 1.0, size.y or 1.0])},
        uns={"acquisition": acquisition.name},
    )


def _read_text(source: Path) -> Acquisition:
    import pandas

    try:
        table = pandas.read_csv(source, sep="\t", encoding="utf-8-sig")
    except (pandas.errors.ParserError, UnicodeDecodeError, ValueError) as error:
        raise FormatError(f"{source.name} begins like an IMC text file, but cannot be read: {error}") from error
    columns = [str(name) for name in table]
    places = {name.lower(): table[name].to_numpy() for name in columns if name.lower() in _PLACES}
    if not {"x", "y"} <= set(places):
        raise FormatError(f"{source.name} has no columns X and Y; it has: {', '.join(columns[:8])} ...")
    channels = [name for name in columns[columns.index("Z") + 1 if "Z" in columns else 5 :]]
    pixels = np.stack([places["x"], places["y"]], axis=1).astype(np.int64)
    values = table[channels].to_numpy(np.float32)
    targets = [re.sub(r"\([^()]*\)$", "", name) for name in channels]
    return _acquisition(source, source.stem, pixels, values, [_metal(name) for name in channels], targets, None)


def _read_mcd(source: Path) -> Iterator[Acquisition]:
    schema = _schema(source)
    rows: dict[str, list[dict[str, str]]] = {"Acquisition": [], "AcquisitionChannel": []}
    for element in schema:
        kind = element.tag.rpartition("}")[2]
        if kind in rows:
            rows[kind].append({child.tag.rpartition("}")[2]: child.text or "" for child in element})
    for entry in rows["Acquisition"]:
        channels = [one for one in rows["AcquisitionChannel"] if one["AcquisitionID"] == entry["ID"]]
        channels.sort(key=lambda one: int(one["OrderNumber"]))
        if int(entry["DataEndOffset"]) > int(entry["DataStartOffset"]) and channels:
            yield _from_entry(source, entry, channels)


def _from_entry(source: Path, entry: dict[str, str], channels: list[dict[str, str]]) -> Acquisition:
    if entry.get("SegmentDataFormat", "Float") != "Float" or entry.get("ValueBytes", "4") != "4":
        raise FormatError(f"{source.name}: values of {entry.get('ValueBytes')} bytes; only 4-byte floats are known")
    start, end = int(entry["DataStartOffset"]), int(entry["DataEndOffset"])
    n = (end - start) // (4 * len(channels))
    if source.stat().st_size < end:
        raise FormatError(f"{source.name} ends before the data of {entry['Description']!r} do; get the file again")
    with source.open("rb") as file:
        file.seek(start)
        table = np.frombuffer(file.read(n * 4 * len(channels)), "<f4").reshape(n, len(channels))
    names = [one["ChannelName"].lower() for one in channels]
    data = [k for k, name in enumerate(names) if name not in _PLACES]
    pixels = np.stack([table[:, names.index("x")], table[:, names.index("y")]], axis=1).astype(np.int64)
    metals = [_metal(channels[k]["ChannelName"]) for k in data]
    targets = [channels[k].get("ChannelLabel") or metal for k, metal in zip(data, metals, strict=True)]
    steps = [float(entry.get(f"AblationDistanceBetweenShots{axis}") or 0) or 1.0 for axis in "YX"]
    size = VoxelSize(y=steps[0], x=steps[1])
    shape = (int(entry["MaxY"]), int(entry["MaxX"]))
    return _acquisition(source, entry["Description"], pixels, table[:, data], metals, targets, (shape, size))


def _schema(source: Path) -> Any:
    """Return the description of the file: UTF-16 XML near its end."""
    size = source.stat().st_size
    opening, closing = "<MCDSchema".encode("utf-16-le"), "</MCDSchema>".encode("utf-16-le")
    with source.open("rb") as file:
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    begin, end = tail.rfind(opening), tail.rfind(closing)
    if begin < 0 or end < begin:
        raise FormatError(f"{source.name} is neither an IMC text file nor an MCD file: it holds no MCDSchema")
    try:
        return ElementTree.fromstring(tail[begin : end + len(closing)].decode("utf-16-le"))
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        raise FormatError(f"{source.name}: its description cannot be read: {error}") from error


def _acquisition(
    source: Path,
    name: str,
    pixels: NDArray[np.int64],
    values: NDArray[np.float32],
    metals: list[str],
    targets: list[str],
    said: tuple[tuple[int, int], VoxelSize] | None,
) -> Acquisition:
    """Lay pixels out as an image; lines that are not complete are left out, as the instrument's own exports do."""
    if not len(pixels) or pixels.min() < 0:
        raise FormatError(f"{source.name}: {name!r} holds no pixels at places 0 or above")
    width, height = (pixels.max(axis=0) + 1).tolist()
    notes = []
    per_line = np.bincount(pixels[:, 1], minlength=height)
    complete = height if per_line[-1] == width else height - 1
    if said and said[0] != (height, width):
        notes.append(f"the file says {said[0][1]} x {said[0][0]} pixels, the data are {width} x {height}")
    if complete < height:
        notes.append(f"the last line has {per_line[-1]} of {width} pixels and is left out")
    image = np.zeros((values.shape[1], height, width), np.float32)
    image[:, pixels[:, 1], pixels[:, 0]] = values.T
    picture = Image(
        as_lazy(image[:, :complete]),
        "cyx",
        said[1] if said else VoxelSize(y=1.0, x=1.0),
        channel_names=tuple(targets),
        source=source,
        format="IMC",
        notes=tuple(notes),
    )
    return Acquisition(name, picture, tuple(metals), tuple(targets), tuple(notes))


def _metal(name: str) -> str:
    """Return ``Yb172`` from ``Yb(172)`` or ``H3K27Ac(Yb172Di)``."""
    inner = re.search(r"\(([^()]*)\)$", name)
    found = _METAL.fullmatch(inner.group(1)) if inner else None
    found = found or _METAL.fullmatch(name)
    return f"{found.group(1)}{found.group(2)}" if found else name
