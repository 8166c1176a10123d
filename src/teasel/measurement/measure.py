"""From labels and an image to a table: find the objects, then measure them tile by tile."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel import settings
from teasel.errors import ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.measurement.compartments import Compartment, compartments_of, read_spatial
from teasel.measurement.families import PREFIXES, choose_families
from teasel.measurement.features import Family
from teasel.measurement.objects import Objects
from teasel.measurement.scene import Scene
from teasel.measurement.sources import Pixels, open_labels, open_pixels
from teasel.measurement.survey import costes_thresholds, grey_ranges
from teasel.measurement.table import Feature, Measurements, Relation

__all__ = ["TILE_PX", "measure"]

TILE_PX = {2: 1024, 3: 128}
"""Edge of the tiles that objects are measured in, by the number of dimensions."""


def measure(
    labels: Any,
    image: Any = None,
    *,
    nuclei: Any = None,
    families: Sequence[str | Family] | None = None,
    channels: Sequence[int | str] | None = None,
    z: int | str | None = None,
    axes: str | None = None,
    voxel_size_um: VoxelSize | None = None,
    name: str | None = None,
    tile_px: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Measurements:
    """Measure every object of a label image.

    Parameters
    ----------
    labels : Segmentation, path, ndarray, LazyArray or Image
        What `teasel.segment` gives, or a label image of shape ([t,] [z,] y, x): 0 for background, a number of its own
        for each object, -1 for pixels not judged, which count as background.
    image : path, ndarray or Image, or a list of paths or Images, optional
        The image that the labels are of; that of the segmentation if not given. Several are channels of one field.
    nuclei : as `labels`, optional
        Nuclei on the same grid; those of the segmentation if not given. Then `labels` are cells, and nuclei, cells
        and the cytoplasm between them are measured, a row per cell. A nucleus belongs to the cell it shares most pixels
        with; several of one cell are measured as one.
    families : sequence of str or Family, optional
        Which families of features, by name or with parameters of their own; all if not given.
    channels : sequence of int or str, optional
        Which channels, by number from 0 or by name; all if not given.
    z : int or str, optional
        Which plane of a stack plane labels are of: a number from 0, or ``"max"`` for the maximum projection.
    axes : str, optional
        What the dimensions of the image are, out of ``"tczyx"``, where the file does not say.
    voxel_size_um : VoxelSize, optional
        Micrometres per voxel, where the file does not say.
    name : str, optional
        What to write into the column ``image``; the name of the image's file if not given.
    tile_px : int, optional
        Edge of the tiles to measure in; 1024 in planes, 128 in volumes if not given. The numbers do not depend on it.
    threads : int, optional
        How many tiles to measure at a time; the setting's, else one per CPU of this process if not given.
    progress : callable, optional
        Called as ``progress(done, total)``; an exception raised in it stops the work.

    Returns
    -------
    Measurements
        A row per object, ordered by frame and label.

    Raises
    ------
    ShapeError
        If labels, nuclei and image do not have the same shape.
    DataError
        If labels are no whole numbers or below 0, or the image holds NaN.
    ParameterError
        If there is no such channel, plane or family.
    TeaselError
        Whatever `teasel.open_image` raises.

    Notes
    -----
    Memory holds the labels and channels of one tile and of the objects that begin in it, about 300 bytes per voxel and
    thread, whatever the size of the image, as long as the sources are read lazily (OME-Zarr, memory maps, tiled TIFF).

    Examples
    --------
    >>> labels = np.zeros((64, 64), np.uint16)
    >>> labels[10:20, 10:30] = 7
    >>> table = measure(labels, np.ones((64, 64), np.uint8), voxel_size_um=VoxelSize(y=0.5, x=0.5))
    >>> table.column("label").tolist(), table.column("AreaShape_Area").tolist()
    ([7], [50.0])
    """
    chosen = choose_families(families)
    labels, image, nuclei, z, score_of = _unpack(labels, image, nuclei, z)
    if image is None:
        raise ParameterError("no image to measure in; give the image that the labels are of")
    array = open_labels(labels)
    inner = None if nuclei is None else open_labels(getattr(nuclei, "labels", nuclei), "nuclei")
    if inner is not None and inner.shape != array.shape:
        raise ShapeError(
            f"labels have shape {array.shape}, nuclei {inner.shape}; both must be on the grid of one image"
        )
    opened, numbers, labelled, plane = open_pixels(
        image, array.shape, channels=channels, z=z, axes=axes, voxel_size_um=voxel_size_um
    )
    frames: Sequence[int | None] = range(opened.sizes["t"]) if "t" in opened.axes else (None,)
    ndim = array.ndim - ("t" in opened.axes)
    edges, unit, notes = _voxel(opened.voxel_size_um, "zyx"[3 - ndim :])
    if tile_px is not None and tile_px < 1:
        raise ParameterError(f"tile_px is {tile_px}; expected 1 or more")
    edge_px = tile_px or TILE_PX[ndim]
    parts = []
    for done, frame in enumerate(frames):
        pixels = Pixels(opened, labelled, frame, plane)
        base = Scene(ndim, labelled, edges, unit)
        base, said = _survey(base, pixels, numbers, array.shape[-ndim:], chosen)
        notes = (*notes, *said)
        readers = [None if a is None else read_spatial(a, frame) for a in (array, inner)]
        assert readers[0] is not None
        kinds = compartments_of(readers[0], readers[1], array.shape[-ndim:], edge_px, base)

        def tick(part: float, done: int = done) -> None:
            if progress is not None:
                progress(int(1000 * (done + part)), 1000 * len(frames))

        parts.append(_measure_frame(kinds, pixels, numbers, chosen, edge_px, _thread_count(threads), tick))
    table = Measurements.concatenate(parts) if len(parts) > 1 else parts[0]
    made = _settings(chosen, labelled, opened.voxel_size_um, unit, plane, tuple(dict.fromkeys(notes)))
    source = name if name is not None else (opened.source.name if opened.source else "")
    identity = {"image": np.full(len(table), source, dtype=object).astype(str)} | table.objects
    if score_of is not None:
        identity["score"] = score_of(table.objects["label"])
    relations = tuple(replace(relation, image=source) for relation in table.relations)
    return replace(table, objects=identity, settings=made, relations=relations)


def _unpack(
    labels: Any, image: Any, nuclei: Any, z: int | str | None
) -> tuple[Any, Any, Any, int | str | None, Callable[[NDArray[np.int64]], NDArray[np.float32]] | None]:
    """Take a segmentation apart: its labels, image, nuclei, plane and scores."""
    if not (hasattr(labels, "labels") and hasattr(labels, "scores")):
        return labels, image, nuclei, z, None
    scores = np.asarray(labels.scores)
    plane = z if z is not None else labels.parameters.get("z")
    inner = nuclei if nuclei is not None else getattr(labels, "nuclei", None)
    return labels.labels, labels.image if image is None else image, inner, plane, lambda label: scores[label - 1]


def _voxel(size: VoxelSize, axes: str) -> tuple[tuple[float, ...], str, tuple[str, ...]]:
    """Return the edges of a voxel and their unit; voxels count as cubes of edge 1 where a size is not known."""
    edges = size.along(axes)
    if all(edge is not None for edge in edges):
        return tuple(float(edge) for edge in edges if edge is not None), "um", ()
    missing = ", ".join(a for a, edge in zip(axes, edges, strict=True) if edge is None)
    note = f"voxel size along {missing} not known: lengths are in voxels, and voxels count as " + (
        "cubes" if len(axes) == 3 else "squares"
    )
    return (1.0,) * len(axes), "px", (note,)


def _thread_count(threads: int | None) -> int:
    """Return how many threads to use: as many as asked for, else the setting's, else all CPUs of this process."""
    asked = settings.get("threads") if threads is None else str(threads)
    if not asked:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not asked.isdecimal() or int(asked) < 1:
        raise ParameterError(f"threads is {asked!r}; expected a whole number of 1 or more")
    return int(asked)


def _survey(
    scene: Scene, pixels: Pixels, numbers: Sequence[int], shape: Sequence[int], families: Sequence[Family]
) -> tuple[Scene, tuple[str, ...]]:
    """Look over the whole frame for what the families must know of it."""
    needs = {need for family in families for need in family.surveys}
    dtype = pixels.image.dtype
    notes: tuple[str, ...] = ()

    def read(channel: int, block: tuple[slice, ...]) -> NDArray[Any]:
        return pixels.read(numbers[channel], block)

    if "grey ranges" in needs:
        ranges, notes = grey_ranges(read, shape, dtype, scene.channels)
        scene = replace(scene, grey_ranges=ranges)
    if "costes" in needs:
        scene = replace(scene, costes=costes_thresholds(read, shape, dtype, len(numbers)))
    return scene, notes


def _measure_frame(
    kinds: Sequence[Compartment],
    pixels: Pixels,
    numbers: Sequence[int],
    families: Sequence[Family],
    edge_px: int,
    threads: int,
    tick: Callable[[float], None],
) -> Measurements:
    """Measure every compartment of one frame."""
    first = kinds[0].scene
    features: list[Feature] = []
    columns: list[NDArray[np.float64]] = []
    jobs = [(kind, rows) for kind in kinds for rows in _tiles(kind.scene, edge_px)]
    tables = {kind.scene.compartment: _Table(kind.scene, families) for kind in kinds}

    def run(job: tuple[Compartment, NDArray[np.int64]]) -> tuple[str, NDArray[np.int64], NDArray[np.float64]]:
        kind, rows = job
        table = tables[kind.scene.compartment]
        return kind.scene.compartment, rows, table.measured(kind.objects(rows, pixels, numbers, table.margin))

    for kind in kinds:
        _ = kind.scene.nearest  # once, before threads ask for it
    with ThreadPoolExecutor(threads) as pool:
        results = pool.map(run, jobs) if threads > 1 else map(run, jobs)
        for done, (compartment, rows, values) in enumerate(results):
            tables[compartment].values[rows] = values
            tick((done + 1) / len(jobs))
    for kind in kinds:
        table = tables[kind.scene.compartment]
        prefix = PREFIXES[kind.scene.compartment]
        features += [replace(f, name=prefix + f.name, compartment=kind.scene.compartment) for f in table.features]
        columns.append(_spread(table.values, kind.scene.labels, first.labels))
    identity: dict[str, NDArray[Any]] = {"label": first.labels}
    if pixels.frame is not None:
        identity = {"frame": np.full(len(first.labels), pixels.frame)} | identity
    identity["touches_border"] = kinds[0].at_border
    pairs = kinds[0].pairs
    return Measurements(
        values=np.concatenate(columns, axis=1),
        features=tuple(features),
        objects=identity,
        spatial_um=first.centroids * np.asarray(first.edges),
        spatial_unit=first.unit,
        relations=() if pairs is None else (Relation("cell", "nucleus", pairs),),
    )


class _Table:
    """The columns of one compartment while they are filled."""

    def __init__(self, scene: Scene, families: Sequence[Family]) -> None:
        self.families = [f for f in families if scene.compartment in f.compartments and f.features(scene)]
        self.features = [feature for family in self.families for feature in family.features(scene)]
        self.margin = max([1, *(family.margin_px(scene) for family in self.families)])
        self.values = np.full((len(scene.labels), len(self.features)), np.nan)

    def measured(self, objects: Objects) -> NDArray[np.float64]:
        """Measure some objects; columns in the order of the features."""
        values = np.empty((len(objects), len(self.features)))
        found: dict[str, NDArray[np.float64]] = {}
        for family in self.families:
            found |= family.measure(objects)
        for i, feature in enumerate(self.features):
            values[:, i] = found[feature.name]
        return values


def _tiles(scene: Scene, edge_px: int) -> Iterator[NDArray[np.int64]]:
    """Yield the objects that begin in each tile, tile by tile."""
    if not len(scene.labels):
        return
    _, tile = np.unique(scene.lows // edge_px, axis=0, return_inverse=True)
    order = np.argsort(tile.ravel(), kind="stable")
    yield from np.split(order, np.cumsum(np.bincount(tile.ravel()))[:-1])


def _spread(values: NDArray[np.float64], labels: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a row for each wanted label; NaN where the compartment is empty."""
    if len(labels) == len(wanted):
        return values
    rows = np.full((len(wanted), values.shape[1]), np.nan)
    rows[np.searchsorted(wanted, labels)] = values
    return rows


def _settings(
    families: Sequence[Family],
    channels: Sequence[str],
    voxel_size_um: VoxelSize,
    unit: str,
    plane: int | str | None,
    notes: Sequence[str],
) -> dict[str, Any]:
    """Say how the table was made."""
    from importlib.metadata import version

    return {
        "teasel": version("teasel"),
        "families": {family.name: asdict(family) for family in families},  # type: ignore[call-overload]
        "channels": list(channels),
        "voxel_size_um": {axis: size for axis, size in asdict(voxel_size_um).items() if size is not None},
        "unit": unit,
        "z": plane,
        "notes": list(notes),
    }
