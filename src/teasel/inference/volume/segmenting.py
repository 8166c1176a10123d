"""From an image volume to an OME-Zarr of labels: predict, then agglomerate, in one folder that can be continued."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from teasel.agglomeration import Agglomeration, Height, MutexWatershed
from teasel.errors import ParameterError
from teasel.inference.volume.pipeline import agglomerate_volume, claim, work_folder
from teasel.inference.volume.predicting import (
    PredictJob,
    measure_range,
    offsets_of,
    predict_tile,
    prepare_affinities,
)
from teasel.inference.volume.recipe import Recipe
from teasel.inference.volume.source import AffinitySource
from teasel.inference.volume.waves import Runner, Serial
from teasel.models import load_model

__all__ = ["segment_volume"]

PREDICTING = 0.85
"""Share of the time that goes into prediction, for the time left."""


def segment_volume(
    image: str | os.PathLike[str],
    out: str | os.PathLike[str],
    model: str | Path,
    *,
    method: Agglomeration | MutexWatershed | None = None,
    threshold: float | None = None,
    axes: str | None = None,
    channel: int | None = None,
    voxel_size: tuple[float, float, float] | None = None,
    runner: Runner | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Segment an image volume of any size with a model that predicts affinities.

    Parameters
    ----------
    image : path
        Any file that `teasel.open_image` takes; OME-Zarr is read chunk by chunk.
    out : path
        ``.ome.zarr`` to write, see `agglomerate_volume`.
    model : str or path
        Name or folder of a model for volumes.
    method : Agglomeration or MutexWatershed, optional
        How supervoxels become segments; mean affinity if not given.
    threshold : float, optional
        Affinity in [0, 1] below which nothing is merged; the model's own if not given.
    axes : str, optional
        What the dimensions are, where the file does not say.
    channel : int, optional
        Which channel; needed if there are several.
    voxel_size : tuple of float, optional
        Micrometres (z, y, x), where the file does not say.
    runner : Runner, optional
        What carries out the tasks (`open_runner`); this process if not given.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    pathlib.Path
        `out`.

    Raises
    ------
    ParameterError
        If `out` exists, or the image has several channels and none is chosen.
    ModelError
        If the model predicts no affinities in 3D.
    TeaselError
        Whatever opening the image or the model raises.

    Notes
    -----
    The network sees the volume at its own voxel size. Affinities are stored with 8 bits; from there on the result
    depends on them alone (`agglomerate_volume`). Networks round differently on other processors, so affinities are the
    same bytes on machines of one kind.
    """
    out, runner = Path(out), runner or Serial()
    if out.exists():
        raise ParameterError(f"{out} is there already; give another name or remove it")
    loaded = load_model(model, threads=1)
    offsets = offsets_of(loaded)
    folder = work_folder(out).absolute()
    name = str(Path(model).resolve()) if os.sep in str(model) else str(model)
    path = str(Path(image).resolve())
    job = PredictJob(name, path, axes, channel, voxel_size, 0.0, 1.0, str(folder))
    _check_channel(job)
    low, high = measure_range(job, loaded.spec.normalisation)
    job = replace(job, low=low, high=high)
    prepare_affinities(job, loaded)
    size = job.opened.voxel_size_um
    edges = (size.z, size.y, size.x)
    known = edges if size.known("zyx") else None
    representation: Any = loaded.spec.representation
    recipe = Recipe(
        AffinitySource(str(job.path), offsets=offsets, voxel_size=known),  # type: ignore[arg-type]
        Height(spacing=known or (1.0, 1.0, 1.0)),  # type: ignore[arg-type]
        method or Agglomeration(),
        threshold=representation.merge_threshold if threshold is None else threshold,
        origin=(
            ("image", Path(image).name),
            ("model", loaded.name),
            ("digest", loaded.digest),
            ("low", f"{low:.9g}"),
            ("high", f"{high:.9g}"),
        ),
    )
    claim(folder, recipe)
    keys = [str(i) for i in range(len(job.grid)) if not job.work.is_done("affinities", str(i))]
    done = len(job.grid) - len(keys)

    def advance(n: int) -> None:
        nonlocal done
        done += n
        if progress is not None:
            progress(int(1000 * PREDICTING * done / len(job.grid)), 1000)

    advance(0)
    runner.run(predict_tile, job, keys, advance)

    def merged(part: int, total: int) -> None:
        if progress is not None:
            progress(int(1000 * (PREDICTING + (1 - PREDICTING) * part / total)), 1000)

    return agglomerate_volume(recipe, out, runner=runner, progress=merged)


def _check_channel(job: PredictJob) -> None:
    """Raise ParameterError unless one channel is chosen."""
    n = job.opened.sizes.get("c", 1)
    if n > 1 and job.channel is None:
        raise ParameterError(f"{job.image} has {n} channels; choose one with --channel 0 .. {n - 1}")
    if job.channel is not None and not 0 <= job.channel < n:
        raise ParameterError(f"no channel {job.channel}; {job.image} has {n}, from 0")
