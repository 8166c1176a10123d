"""From an image volume to an OME-Zarr of labels: predict, then agglomerate, in one folder that can be continued."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from teasel.agglomeration import Agglomeration, Connected, Height, MutexWatershed
from teasel.errors import ParameterError
from teasel.inference.volume.pipeline import agglomerate_volume, claim, work_folder
from teasel.inference.volume.predicting import (
    PredictJob,
    measure_range,
    predict_tile,
    prepare_prediction,
    source_of,
)
from teasel.inference.volume.recipe import Recipe
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
    method: Agglomeration | MutexWatershed | Connected | None = None,
    threshold: float | None = None,
    axes: str | None = None,
    channel: int | None = None,
    voxel_size: tuple[float, float, float] | None = None,
    runner: Runner | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Segment an image volume of any size with a model that predicts affinities or a foreground.

    Parameters
    ----------
    image : path
        Any file that `teasel.open_image` takes; OME-Zarr is read chunk by chunk.
    out : path
        ``.ome.zarr`` to write, see `agglomerate_volume`.
    model : str or path
        Name or folder of a model for volumes.
    method : Agglomeration, MutexWatershed or Connected, optional
        How affinities become segments; mean affinity if not given. Not for a foreground (representation ``semantic``),
        whose connected pieces are the objects.
    threshold : float, optional
        Affinity in [0, 1] below which nothing is merged, or probability of the foreground; the model's own if not
        given. A `Connected` has its own.
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
        If the model predicts neither in 3D.
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
    folder = work_folder(out).absolute()
    name = str(Path(model).resolve()) if os.sep in str(model) else str(model)
    path = str(Path(image).resolve())
    job = PredictJob(name, path, axes, channel, voxel_size, 0.0, 1.0, str(folder))
    _check_channel(job)
    low, high = measure_range(job, loaded.spec.normalisation)
    job = replace(job, low=low, high=high)
    source = source_of(job, loaded)
    prepare_prediction(job, loaded)
    representation: Any = loaded.spec.representation
    if representation.name == "semantic":
        least = representation.foreground_threshold if threshold is None else threshold
        method = method or Connected(least, representation.min_area_px)
        if not isinstance(method, Connected):
            raise ParameterError(
                f"model {loaded.name!r} predicts a foreground, whose connected pieces are the objects; got the method "
                f"{type(method).__name__}, leave it out"
            )
    else:
        least = representation.merge_threshold if threshold is None else threshold
    recipe = Recipe(
        source,
        Height(spacing=source.voxel_size or (1.0, 1.0, 1.0)),
        method or Agglomeration(),
        threshold=least,
        origin=(
            ("image", Path(image).name),
            ("model", loaded.name),
            ("digest", loaded.digest),
            ("low", f"{low:.9g}"),
            ("high", f"{high:.9g}"),
        ),
    )
    claim(folder, recipe)
    keys = [str(i) for i in range(len(job.grid)) if not job.work.is_done("prediction", str(i))]
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
