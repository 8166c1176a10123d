"""The first stage: what a network says of an image volume, tile by tile on a grid that never changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration import quantise
from teasel.errors import DataError, ModelError, ParameterError
from teasel.geometry import VoxelSize
from teasel.images import Image, open_image
from teasel.inference.volume.grid import Box, Grid, grow, index_of, shift
from teasel.inference.volume.source import AffinitySource
from teasel.inference.volume.store import WorkFolder
from teasel.inference.volume.writing import hash_of
from teasel.models import Model, load_model

__all__ = ["TILE", "PredictJob", "load_once", "measure_range", "predict_tile", "prepare_prediction", "source_of"]

TILE = (32, 128, 128)
"""Voxels that a tile answers for: part of the method, for a network sees a little of where its tile ends."""

SAMPLES = 64


@dataclass(frozen=True)
class PredictJob:
    """What a worker must know to predict a tile.

    Parameters
    ----------
    model : str
        Name or folder of a model for volumes with affinities or a foreground.
    image : str
        Path of the image.
    axes : str, optional
        Its axes, where the file does not say.
    channel : int, optional
        Channel to read, if it has several.
    voxel_size : tuple of float, optional
        Micrometres (z, y, x), where the file does not say.
    low, high : float
        Values that become 0 and 1.
    folder : str
        Work folder.
    """

    model: str
    image: str
    axes: str | None
    channel: int | None
    voxel_size: tuple[float, float, float] | None
    low: float
    high: float
    folder: str

    @property
    def path(self) -> Path:
        """Where the prediction goes."""
        return Path(self.folder) / "prediction.zarr"

    @property
    def work(self) -> WorkFolder:
        """Where done records go."""
        return WorkFolder(self.folder)

    @property
    def opened(self) -> Image:
        """The image."""
        return _open(self.image, self.axes, self.voxel_size)

    @property
    def grid(self) -> Grid:
        """The tiles."""
        sizes = self.opened.sizes
        return Grid((sizes.get("z", 1), sizes["y"], sizes["x"]), TILE)

    def read(self, box: Box) -> NDArray[np.float32]:
        """Read a box of the image, float32 (z, y, x), not normalised."""
        image = self.opened
        area: dict[str, Any] = dict(zip("zyx", index_of(box), strict=True))
        if "z" not in image.axes:
            del area["z"]
        if "c" in image.axes:
            area["c"] = self.channel or 0
        values = np.asarray(image.read(**area), np.float32)
        return values.reshape(tuple(b - a for a, b in box))


@lru_cache(maxsize=4)
def _open(path: str, axes: str | None, size: tuple[float, float, float] | None) -> Image:
    """Open the image once per process, and check that it is a volume."""
    image = open_image(path, axes=axes, voxel_size_um=VoxelSize(*size) if size else None)
    if image.sizes.get("t", 1) > 1:
        raise ParameterError(f"{path} is a time series; models for volumes take one time point, give that as a file")
    return image


@lru_cache(maxsize=1)
def load_once(name: str) -> Model:
    """Load a model once per process, on one thread."""
    return load_model(name, threads=1)


def prepare_prediction(job: PredictJob, model: Model) -> None:
    """Make the empty file of what is predicted, unless it is there."""
    import zarr

    if job.path.exists():
        return
    source = source_of(job, model)
    job.path.parent.mkdir(parents=True, exist_ok=True)
    n = () if source.kind == "boundaries" else (len(source.offsets),)
    array = zarr.create_array(
        job.path,
        shape=(*n, *job.grid.shape),
        chunks=(*(1 for _ in n), *TILE),
        dtype="u1",
        fill_value=0,
        dimension_names=[*("c" for _ in n), "z", "y", "x"],
    )
    array.attrs["voxel_size_um"] = list(job.opened.voxel_size_um.along("zyx"))


def source_of(job: PredictJob, model: Model) -> AffinitySource:
    """Return what will be predicted as a source of affinities: those of the model, or boundaries of its foreground.

    Raises
    ------
    ModelError
        If the model is not for volumes, or predicts neither.
    """
    representation: Any = model.spec.representation
    if not model.spec.by_block:
        raise ModelError(
            f"model {model.name!r} predicts {representation.name} in {model.spec.ndim}D; volumes are segmented block "
            "by block from affinities or a semantic foreground in 3D"
        )
    size = job.opened.voxel_size_um
    known: Any = (size.z, size.y, size.x) if size.known("zyx") else None
    if representation.name == "semantic":
        return AffinitySource(str(job.path), "boundaries", voxel_size=known)
    offsets = tuple((a, b, c) for a, b, c in representation.offsets_volume)
    return AffinitySource(str(job.path), offsets=offsets, voxel_size=known)


def measure_range(job: PredictJob, percentiles: tuple[float, float]) -> tuple[float, float]:
    """Measure the intensity range on tiles spread evenly over the volume; always the same ones.

    Raises
    ------
    DataError
        If no voxel read holds a finite number, or all are equal.
    """
    grid = job.grid
    chosen = np.unique(np.linspace(0, len(grid) - 1, SAMPLES).round().astype(int))
    values = np.concatenate([job.read(grid.box(int(n)))[::2, ::4, ::4].ravel() for n in chosen])
    values = values[np.isfinite(values)]
    if not len(values):
        raise DataError(f"{job.image} holds no finite number where it was looked at")
    low, high = (float(v) for v in np.percentile(values, percentiles))
    if high <= low:
        raise DataError(f"{job.image}: every voxel looked at is {low:g}; a network sees nothing in it")
    return low, high


def predict_tile(job: PredictJob, key: str) -> None:
    """Predict a tile, and write it as whole chunks."""
    import zarr

    model = load_once(job.model)
    box = job.grid.box(int(key))
    halo = _halo(model)
    wide = grow(box, halo, halo, job.grid.shape)
    values = np.nan_to_num((job.read(wide) - np.float32(job.low)) / np.float32(job.high - job.low))
    before = [h - (b - w) for h, (b, _), (w, _) in zip(halo, box, wide, strict=True)]
    full = [t + 2 * h for t, h in zip(TILE, halo, strict=True)]
    full = [-(-n // model.spec.divisor) * model.spec.divisor for n in full]
    pad = [(b, f - b - n) for b, f, n in zip(before, full, values.shape, strict=True)]
    batch = np.pad(values, pad, mode="symmetric").astype(np.float32)[None, None]
    batch = np.repeat(batch, model.spec.in_channels, 1)
    inner = index_of(shift(box, tuple((w - b, w) for (w, _), b in zip(wide, before, strict=True))))
    fields = {name: np.clip(field[0][(slice(None), *inner)], 0, 1) for name, field in model.run(batch).items()}
    found = quantise(fields["affinity"] if "affinity" in fields else 1 - fields["foreground"][0])
    place: Any = (..., *index_of(box))
    zarr.open_array(job.path, mode="r+")[place] = found
    job.work.declare("prediction", key, hash_of(found))


def _halo(model: Model) -> tuple[int, int, int]:
    """Context per axis: twice the model's halo, for a graph shows every seam; less where the network shrinks less."""
    steps = model.spec.network["params"].get("steps")
    along_z = int(np.prod([s[0] for s in steps])) if steps else model.spec.divisor
    halo = 2 * model.spec.halo_px
    return halo * along_z // model.spec.divisor, halo, halo
