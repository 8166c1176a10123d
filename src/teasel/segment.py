"""The main path: an image in, its objects out. Every front end calls `segment` and nothing beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.geometry import VoxelSize
from teasel.images import Image, open_image
from teasel.inference.channels import choose_channels
from teasel.inference.nuclei import add_nuclei
from teasel.inference.objects import ObjectTable, Series, tabulate
from teasel.inference.part import Part, check_kind, find_diameter, list_places, open_part, segment_part, usual_tile
from teasel.inference.scale import network_scale
from teasel.inference.stack import find_anisotropy
from teasel.models import Model, load_model
from teasel.representations import Representation

__all__ = ["Segmentation", "segment"]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The objects of an image, and how they were found.

    Parameters
    ----------
    labels : ndarray of uint32, shape ([t,] [z,] y, x)
        0 background; objects 1 .. n, each connected and without holes, on the image's own pixel grid. In a time
        series every frame's objects have numbers of their own.
    scores : ndarray of float32, shape (n,)
        ``scores[i]`` belongs to label ``i + 1``: the probability that the object overlaps a true one with an
        intersection over union of at least 0.5.
    objects : ObjectTable
        Label, centroid, area, score and whether the border cuts it, a row per object.
    image : Image
        The image: its axes, voxel size and source.
    diameter_px : float or None
        Object diameter that set the scale, in pixels; None if no object was found to measure.
    diameter_source : str
        ``"estimated"``, ``"given"`` or ``"not found"``.
    model_name, model_digest : str
        The model, and the SHA-256 of its weights.
    parameters : dict
        What `segment` was told.
    notes : tuple of str
        What was found or assumed on the way.
    seconds : float
        Time from opened image to labels.
    nuclei : ndarray of uint32, shape ([t,] [z,] y, x), optional
        Nuclei 1 .. n where a nuclear channel was given: each lies in one cell, or in none.
    nuclei_objects : ObjectTable, optional
        A row per nucleus, with its ``cell``; `objects` then has ``nucleus``, ``n_nuclei`` and ``nuclear_area_px``.
    """

    labels: NDArray[np.uint32]
    scores: NDArray[np.float32]
    objects: ObjectTable
    image: Image
    diameter_px: float | None
    diameter_source: str
    model_name: str
    model_digest: str
    parameters: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    nuclei: NDArray[np.uint32] | None = None
    nuclei_objects: ObjectTable | None = None

    @property
    def cells_without_nucleus(self) -> NDArray[np.generic]:
        """Labels of the cells in which no nucleus was found; empty if none was looked for."""
        if self.nuclei_objects is None:
            return np.zeros(0, np.int64)
        return self.objects["label"][self.objects["nucleus"] == 0]

    @property
    def nuclei_without_cell(self) -> NDArray[np.generic]:
        """Labels of the nuclei that lie in no cell; empty if none was looked for."""
        if self.nuclei_objects is None:
            return np.zeros(0, np.int64)
        return self.nuclei_objects["label"][self.nuclei_objects["cell"] == 0]


def segment(
    image: str | Path | NDArray[Any] | Image,
    model: str | Path | Model = "nuclei",
    *,
    channel: int | str | None = None,
    cell: int | str | None = None,
    nucleus: int | str | None = None,
    nuclei_model: str | Path | Model = "nuclei",
    z: int | str | None = None,
    anisotropy: float | None = None,
    diameter_px: float | None = None,
    axes: str | None = None,
    voxel_size_um: VoxelSize | None = None,
    scene: str | int | None = None,
    tile_px: int | None = None,
    threads: int | None = None,
    backend: str = "onnx",
    precision: str = "f32",
    progress: Callable[[int, int], None] | None = None,
) -> Segmentation:
    """Find the objects in an image.

    Parameters
    ----------
    image : path, ndarray or Image
        Anything `teasel.open_image` takes.
    model : str, path or Model
        Name of a model (``teasel models`` lists them), a model folder, or a loaded model.
    channel : int or str, optional
        Channel to look at, by number from 0 or by name; needed when the image has several and is no colour picture.
    cell : int or str, optional
        Channel that shows whole cells, for a model such as ``cells``; the same as `channel` there.
    nucleus : int or str, optional
        Channel that shows nuclei, for a model such as ``cells``; nuclei are then found too, and paired with the cells.
    nuclei_model : str, path or Model
        Finds the nuclei where `nucleus` is given.
    z : int or str, optional
        Plane of a stack, from 0, or ``"max"`` for the maximum projection. A stack of which none is chosen is segmented
        in three dimensions.
    anisotropy : float, optional
        Distance between the planes of a stack over the width of a pixel; from the voxel size if not given.
    diameter_px : float, optional
        Object diameter in pixels along y and x; estimated from the image if not given.
    axes : str, optional
        What the dimensions of the image are, out of ``"tczyx"``, where the file does not say.
    voxel_size_um : VoxelSize, optional
        Micrometres per voxel, where the file does not say.
    scene : str or int, optional
        Which scene of the file.
    tile_px : int, optional
        Edge of the tiles in which the network runs; 768 in planes and 192 in stacks if not given.
    threads : int, optional
        CPU threads; all cores if not given. Used when `model` is not loaded yet.
    backend : str
        ``"onnx"``, ``"openvino"`` or ``"torch"``. Used when `model` is not loaded yet.
    precision : str
        ``"f32"``, ``"bf16"`` or ``"int8"``. Used when `model` is not loaded yet.
    progress : callable, optional
        Called as ``progress(done, total)``; an exception raised in it stops the work.

    Returns
    -------
    Segmentation
        Labels, scores and a table.

    Raises
    ------
    ParameterError
        If the image has several channels and none is chosen, it is a stack and does not say how far apart its planes
        are, it is a plane and the model one of stacks, or a parameter is out of its range.
    TeaselError
        Whatever `teasel.open_image` and `teasel.load_model` raise.

    Examples
    --------
    >>> picture = np.zeros((64, 64), np.uint8)
    >>> segment(picture).labels.max()
    np.uint32(0)
    """
    image = open_image(image, axes=axes, voxel_size_um=voxel_size_um, scene=scene)
    loaded = (
        model if isinstance(model, Model) else load_model(model, backend=backend, precision=precision, threads=threads)
    )
    if not isinstance(loaded.spec.representation, Representation):
        raise ParameterError(f"model {loaded.name!r} finds points, no objects; use teasel spots find IMAGE -o FOLDER")
    solid = z is None and image.sizes.get("z", 1) > 1
    check_kind(loaded, solid)
    if diameter_px is not None and not 0 < diameter_px < float("inf"):
        raise ParameterError(f"the object diameter is {diameter_px} px; expected a number above 0")
    began = time.perf_counter()
    spec, tile_px = loaded.spec, usual_tile(loaded) if tile_px is None else tile_px
    channels, colour_notes = choose_channels(image, spec, channel, {"cell": cell, "nucleus": nucleus})
    places = list_places(image, z)
    ratio, stack_notes = find_anisotropy(image, anisotropy) if solid else (None, ())
    parts = [open_part(image, fixed, channels, loaded, ratio) for fixed in places]
    second = _second_model(nuclei_model, loaded) if nucleus is not None else None
    size, source = (diameter_px, "given") if diameter_px is not None else _estimate(loaded, parts)
    scale = network_scale(size if size is not None else loaded.spec.object_diameter_px, loaded)
    cells, nuclei = Series("t" in image.axes), Series("t" in image.axes)
    steps = len(parts) * (1 if second is None else 2)
    for number, (fixed, part) in enumerate(zip(places, parts, strict=True)):
        tick = _part(progress, number * steps // len(parts), steps)
        found = segment_part(loaded, part, scale, tile_px=tile_px, progress=tick)
        if second is None:
            cells.add(found.labels, tabulate(found.labels, found.scores))
            continue
        stain = open_part(image, fixed, channels[1:2], second, ratio)
        tick = _part(progress, 2 * number + 1, steps)
        both = add_nuclei(found, stain, second, tile_px=tile_px, progress=tick)
        shift = cells.count
        cells.add(both.cells, both.cell_table, {"nucleus": nuclei.count})
        nuclei.add(both.nuclei, both.nucleus_table, {"cell": shift})
    table = cells.table()
    notes = (*image.notes, *colour_notes, *stack_notes, *(note for part in parts for note in part.notes))
    return Segmentation(
        labels=cells.labels(),
        scores=np.asarray(table["score"], np.float32),
        objects=table,
        image=image,
        diameter_px=size,
        diameter_source=source,
        model_name=loaded.name,
        model_digest=loaded.digest,
        parameters={
            "channel": channel,
            **({} if cell is None else {"cell": cell}),
            **({} if second is None else {"nucleus": nucleus, "nuclei_model": second.name}),
            "z": z,
            **({} if ratio is None else {"anisotropy": ratio}),
            "diameter_px": diameter_px,
            "scale": scale,
            "tile_px": tile_px,
            "backend": loaded.backend,
            "precision": loaded.precision,
        },
        notes=tuple(dict.fromkeys(notes)),
        seconds=time.perf_counter() - began,
        nuclei=None if second is None else nuclei.labels(),
        nuclei_objects=None if second is None else nuclei.table(),
    )


def _second_model(nuclei_model: str | Path | Model, first: Model) -> Model:
    """Load the model of the nuclei, to run as the first does."""
    if isinstance(nuclei_model, Model):
        return nuclei_model
    return load_model(nuclei_model, backend=first.backend, precision=first.precision, threads=first.threads)


def _part(progress: Callable[[int, int], None] | None, step: int, steps: int) -> Callable[[int, int], None] | None:
    """Return a progress callable for one of several steps, in thousandths of a step."""
    return None if progress is None else lambda done, total: progress(int(1000 * (step + done / total)), 1000 * steps)


def _estimate(model: Model, parts: list[Part]) -> tuple[float | None, str]:
    """Estimate the object diameter on the first, middle and last frame; take the median."""
    chosen = {0, len(parts) // 2, len(parts) - 1}
    sizes = [s for i in sorted(chosen) if (s := find_diameter(model, parts[i])) is not None]
    return (float(np.median(sizes)), "estimated") if sizes else (None, "not found")
