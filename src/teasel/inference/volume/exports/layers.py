"""Precomputed layers: chunks at several scales with an ``info`` file, written by tensorstore."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import MissingDependency, ParameterError
from teasel.geometry import VoxelSize
from teasel.inference.volume.exports.job import ExportJob
from teasel.inference.volume.file import VolumeFile
from teasel.inference.volume.grid import Box, Grid, index_of
from teasel.inference.volume.recipe import CHUNK, whole_chunks
from teasel.inference.volume.result import halvings
from teasel.inference.volume.writing import hash_of

__all__ = ["IMAGE_TYPES", "create_layer", "scale_keys", "scales", "write_scale"]

IMAGE_TYPES = ("uint8", "uint16", "uint32", "uint64", "float32")
"""Types of values that precomputed layers of images can have."""


def scales(job: ExportJob) -> list[tuple[tuple[int, int, int], tuple[int, int, int], tuple[float, float, float]]]:
    """List the scales: steps from the one before, voxels, and nanometres per voxel, each (z, y, x).

    Examples
    --------
    >>> from teasel.inference.volume.exports import Export, VolumeFile
    >>> job = ExportJob(Export(VolumeFile("a.tif")), "", (4, 300, 300), (64, 64, 64), (0.04, 0.008, 0.008))
    >>> [(shape, size) for _, shape, size in scales(job)]
    [((4, 300, 300), (40.0, 8.0, 8.0)), ((4, 150, 150), (40.0, 16.0, 16.0))]
    """
    lengths, size = np.array(job.shape), 1000 * np.array(job.spacing_um)
    found = []
    for steps in [(1, 1, 1), *halvings(job.shape, VoxelSize(*job.spacing_um))]:
        lengths, size = -(-lengths // steps), size * steps
        shape = tuple(int(n) for n in lengths)
        found.append((steps, (shape[0], shape[1], shape[2]), tuple(float(round(s, 6)) for s in size)))
    return found  # type: ignore[return-value]


def create_layer(job: ExportJob, layer: str) -> None:
    """Make a layer without values: its ``info``, every scale."""
    for number in range(len(scales(job))):
        _open(job, layer, number, create=True)


def scale_keys(job: ExportJob, layer: str, number: int) -> list[str]:
    """Return the keys of the tasks that write a scale."""
    return [f"{layer}-{number}-{i}" for i in range(len(_regions(job, number)))]


def write_scale(job: ExportJob, key: str) -> None:
    """Write a region of whole chunks of a scale: from the file, or from the scale before; ``layer-scale-number``."""
    layer, scale, number = key.split("-")
    level = int(scale)
    box = _regions(job, level).box(int(number))
    if level == 0:
        values = _file(job, layer).read(box)
    else:
        steps, before = scales(job)[level][0], scales(job)[level - 1][1]
        there = tuple((a * s, min(b * s, n)) for (a, b), s, n in zip(box, steps, before, strict=True))
        values = _shrink(_read(job, layer, level - 1, there), steps, mean=layer == "image")
    if layer == "segmentation":
        values = values.astype(np.uint64)
    target = _open(job, layer, level)[tuple(index_of(box))[::-1]]
    target.write(np.ascontiguousarray(values.transpose(2, 1, 0))).result()
    job.work.declare("scales", key, hash_of(values))


def _regions(job: ExportJob, number: int) -> Grid:
    return whole_chunks(scales(job)[number][1], job.block)


def _file(job: ExportJob, layer: str) -> VolumeFile:
    file = job.export.labels if layer == "segmentation" else job.export.image
    assert file is not None
    return file


def _shrink(values: NDArray[Any], steps: tuple[int, int, int], *, mean: bool) -> NDArray[Any]:
    """Take every second voxel of labels, or the mean of each two by two of an image."""
    if not mean:
        return values[tuple(slice(None, None, s) for s in steps)]
    padded = np.pad(values, [(0, -n % s) for n, s in zip(values.shape, steps, strict=True)], mode="edge")
    parts = [n // s for n, s in zip(padded.shape, steps, strict=True)]
    split = padded.reshape(parts[0], steps[0], parts[1], steps[1], parts[2], steps[2])
    found = split.mean((1, 3, 5), dtype=np.float64)
    return (np.rint(found) if values.dtype.kind in "iu" else found).astype(values.dtype)


def _read(job: ExportJob, layer: str, number: int, box: Box) -> NDArray[Any]:
    """Read a box (z, y, x) of a scale that is written."""
    store = _open(job, layer, number)[tuple(index_of(box))[::-1]]
    return np.asarray(store.read().result()).transpose(2, 1, 0)


def _open(job: ExportJob, layer: str, number: int, *, create: bool = False) -> Any:
    """Open a scale as an array (x, y, z)."""
    try:
        import tensorstore
    except ImportError as error:
        raise MissingDependency(
            'layers for Neuroglancer need the package tensorstore; install it with: pip install "teasel[exports]"'
        ) from error
    _, shape, size = scales(job)[number]
    dtype = "uint64" if layer == "segmentation" else str(_file(job, layer).dtype)
    if dtype not in IMAGE_TYPES:
        raise ParameterError(f"the image holds {dtype}; a layer holds one of {', '.join(IMAGE_TYPES)}")
    scale: dict[str, Any] = {
        "size": list(shape[::-1]),
        "resolution": list(size[::-1]),
        "voxel_offset": [0, 0, 0],
        "chunk_size": [min(c, n) for c, n in zip(CHUNK[::-1], shape[::-1], strict=True)],
        "encoding": "raw",
    }
    if layer == "segmentation":
        scale |= {"encoding": "compressed_segmentation", "compressed_segmentation_block_size": [8, 8, 8]}
    kind = {"type": layer, "data_type": dtype, "num_channels": 1}
    store = tensorstore.open(
        {
            "driver": "neuroglancer_precomputed",
            "kvstore": {"driver": "file", "path": f"{Path(job.result) / layer}/"},
            "multiscale_metadata": kind,
            "scale_metadata": scale,
            "recheck_cached_data": False,
            "store_data_equal_to_fill_value": True,  # a missing chunk is an error to some readers
        },
        open=True,
        create=create,
    ).result()
    return store[..., 0]
