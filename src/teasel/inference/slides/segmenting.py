"""From the file of a slide to an OME-Zarr of labels, in one folder that can be continued."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from teasel.errors import ParameterError
from teasel.geometry import VoxelSize
from teasel.images import open_image
from teasel.inference.blocks import BLOCK_PX
from teasel.inference.channels import choose_channels
from teasel.inference.objects import ObjectTable
from teasel.inference.part import list_places
from teasel.inference.plane import Plane
from teasel.inference.predict import TILE_PX
from teasel.inference.scale import estimate_diameter, network_scale
from teasel.inference.slides.job import SlideJob, SlideRecipe
from teasel.inference.slides.tasks import find_objects, number_objects, paint_region, settle_objects
from teasel.inference.volume.pipeline import claim, work_folder
from teasel.inference.volume.result import halvings
from teasel.inference.volume.waves import Runner, Serial, Task
from teasel.inference.volume.writing import level_regions, shrink_region
from teasel.models import Model, load_model
from teasel.representations import Representation

__all__ = ["Slide", "segment_slide"]


@dataclass(frozen=True, eq=False)
class Slide:
    """What was found in a slide.

    Parameters
    ----------
    objects : ObjectTable
        Label, place, area and score of each object, and whether the border cuts it.
    diameter_px : float or None
        Object diameter that set the scale, in pixels; None if no object was found to measure.
    diameter_source : str
        ``"estimated"``, ``"given"`` or ``"not found"``.
    notes : tuple of str
        What was found or assumed.
    """

    objects: ObjectTable
    diameter_px: float | None
    diameter_source: str
    notes: tuple[str, ...]


SHARES: dict[Any, int] = {find_objects: 92, settle_objects: 3, paint_region: 4}
"""About how the time is spent, in per cent."""


def segment_slide(
    image: str | os.PathLike[str],
    out: str | os.PathLike[str],
    model: str | Path = "nuclei",
    *,
    channel: int | str | None = None,
    z: int | str | None = None,
    diameter_px: float | None = None,
    axes: str | None = None,
    pixel_size_um: float | None = None,
    tile_px: int = TILE_PX,
    block_px: int = BLOCK_PX,
    runner: Runner | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Slide:
    """Find the objects of a plane of any size, block by block, from file to file.

    Parameters
    ----------
    image : path
        Any file that `teasel.open_image` takes; OME-Zarr and tiled TIFF are read piece by piece.
    out : path
        ``.ome.zarr`` to write: labels 1 .. n and smaller levels. While it grows, its parts lie in ``out.work``; a run
        that was killed goes on from there.
    model : str or path
        Name or folder of a model of planes.
    channel : int or str, optional
        Channel to look at; needed when the image has several and is no colour picture.
    z : int or str, optional
        Plane of a stack, or ``"max"``.
    diameter_px : float, optional
        Object diameter in pixels; estimated from the image if not given.
    axes : str, optional
        What the dimensions of the image are, where the file does not say.
    pixel_size_um : float, optional
        Micrometres per pixel, where the file does not say.
    tile_px : int
        Edge of the tiles in which the network runs.
    block_px : int
        Edge of a block on the network's grid. Part of the method: other blocks see objects at their edges a little
        differently.
    runner : Runner, optional
        What carries out the tasks (`teasel.inference.volume.open_runner`); this process if not given.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    Slide
        The table of objects, and what was found on the way.

    Raises
    ------
    ParameterError
        If `out` exists, the model is not for planes, or the image has several channels, planes or times and none is
        chosen.
    TeaselError
        Whatever opening the image or the model raises.

    Notes
    -----
    An object belongs to the block whose core holds its middle; of an object that two blocks claim (middles seen within
    two pixels of the border, or half of its pixels shared) the block that comes first keeps it. So every block can be
    worked on by any worker at any time: files and labels are the same bytes. A task holds one block with its
    surroundings: memory does not grow with the slide, but for about 30 bytes per object at the end.
    """
    out, runner = Path(out), runner or Serial()
    if out.exists():
        raise ParameterError(f"{out} is there already; give another name or remove it")
    loaded = load_model(model, threads=1)
    recipe = _recipe(loaded, model, image, channel, z, diameter_px, axes, pixel_size_um, tile_px, block_px)
    folder = work_folder(out).absolute()
    claim(folder, recipe)
    height, width = recipe.plane.shape
    job = SlideJob(recipe, str(folder), (1, height, width))
    objects = _run_stages(job, runner, progress)
    os.replace(job.result, out)
    shutil.rmtree(folder)
    return Slide(objects, recipe.diameter_px, recipe.diameter_source, recipe.notes)


def _recipe(
    loaded: Model, name: str | Path, path: str | os.PathLike[str], channel: int | str | None, z: int | str | None,
    diameter_px: float | None, axes: str | None, pixel_size_um: float | None, tile_px: int, block_px: int,
) -> SlideRecipe:  # fmt: skip
    """Look at the image as a whole: channels, plane, intensity range and object size."""
    spec = loaded.spec
    if spec.ndim != 2 or not isinstance(spec.representation, Representation):
        raise ParameterError(
            f"model {loaded.name!r} does not find objects in planes; 'teasel models' lists those that do"
        )
    size = VoxelSize(y=pixel_size_um, x=pixel_size_um) if pixel_size_um else None
    opened = open_image(path, axes=axes, voxel_size_um=size)
    channels, colour_notes = choose_channels(opened, spec, channel, {"cell": None, "nucleus": None})
    for axis, given in (("t", None), ("z", z)):
        if opened.sizes.get(axis, 1) > 1 and given is None:
            raise ParameterError(
                f"{path} has {opened.sizes[axis]} along {axis}; a slide is one plane: choose or cut one out"
            )
    (fixed,) = list_places(opened, z)
    plane = Plane.of(opened, fixed, channels, spec.normalisation, apart=bool(spec.roles))
    found = diameter_px if diameter_px is not None else estimate_diameter(loaded, plane)
    source = "not found" if found is None else "estimated" if diameter_px is None else "given"
    scale = network_scale(found if found is not None else spec.object_diameter_px, loaded)
    return SlideRecipe(
        image=str(Path(path).resolve()),
        model=str(Path(name).resolve()) if os.sep in str(name) else str(name),
        digest_of_model=loaded.digest,
        axes=axes,
        pixel_size_um=pixel_size_um,
        fixed=tuple(fixed.items()),
        channels=channels,
        low=plane.low,
        high=plane.high,
        scale=scale,
        block_px=max(1, int(block_px / scale)),
        overlap_px=int(np.ceil(spec.representation.reach(2) / scale)),
        tile_px=tile_px,
        diameter_px=found,
        diameter_source=source,
        notes=(*opened.notes, *colour_notes, *plane.notes),
    )


def _run_stages(job: SlideJob, runner: Runner, progress: Callable[[int, int], None] | None) -> ObjectTable:
    blocks, regions = ([str(i) for i in range(len(grid))] for grid in (job.grid, job.regions))
    stages: list[tuple[Task, str, list[str]]] = [
        (find_objects, "found", blocks),
        (settle_objects, "settled", blocks),
        (number_objects, "numbers", ["0"]),
        (paint_region, "relabel", regions),
    ]
    levels = range(1, len(halvings(job.shape, job.voxel_size_um)) + 1)
    stages += [(shrink_region, "shrink", [f"{n}-{i}" for i in range(len(level_regions(job, n)))]) for n in levels]
    before = 0.0
    for task, stage, keys in stages:
        missing = [key for key in keys if not job.work.is_done(stage, key)]
        done = len(keys) - len(missing)
        share = SHARES.get(task, 0)

        def advance(n: int, base: float = before, share: int = share, total: int = len(keys)) -> None:
            nonlocal done
            done += n
            if progress is not None:
                progress(int(10 * (base + share * done / total)), 1000)

        advance(0)
        runner.run(task, job, missing, advance)
        before += share
    return _table(job)


def _table(job: SlideJob) -> ObjectTable:
    """Add up what was counted in all regions."""
    n = int(job.work.get("numbers", "0")["starts"][-1])
    sums = {name: np.zeros(n, np.int64) for name in ("rows", "columns", "pixels", "edge")}
    for region in range(len(job.regions)):
        part = job.work.get("painted", str(region))
        at = part["ids"].astype(np.int64) - 1
        for name, total in sums.items():
            total[at] += part[name]
    scores = [np.zeros(0, np.float32)]
    for block in range(len(job.grid)):
        scores.append(job.work.get("found", str(block))["scores"][job.work.get("settled", str(block))["kept"]])
    area = np.maximum(sums["pixels"], 1)
    return ObjectTable(
        {
            "label": np.arange(1, n + 1),
            "centroid_y_px": sums["rows"] / area,
            "centroid_x_px": sums["columns"] / area,
            "area_px": sums["pixels"],
            "score": np.concatenate(scores),
            "touches_border": sums["edge"] > 0,
        }
    )
