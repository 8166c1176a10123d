"""COCO JSON: one annotation per object, its pixels as run lengths.

The format is that of https://cocodataset.org/#format-data; runs go down the columns and start with background.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import FormatError
from teasel.geometry import VoxelSize
from teasel.labels.dtype import smallest_dtype
from teasel.labels.runs import find_runs

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = (".coco.json",)


def read(path: Path, shape: tuple[int, int] | None) -> NDArray:
    """Draw the objects of a COCO file with one image and run lengths; labels are the ids of the annotations.

    Raises
    ------
    FormatError
        If the file is broken, holds several images, polygons or packed runs, or another `shape` than the one given.
    """
    try:
        data = json.loads(path.read_bytes())
        (image,) = data["images"]
        size = (int(image["height"]), int(image["width"]))
        flat = np.zeros(size[0] * size[1], smallest_dtype(max((one["id"] for one in data["annotations"]), default=0)))
        for one in data["annotations"]:
            ends = np.cumsum(one["segmentation"]["counts"])
            for start, end in zip(ends[::2].tolist(), ends[1::2].tolist(), strict=False):
                flat[start:end] = one["id"]
    except (ValueError, KeyError, TypeError) as why:
        raise FormatError(f"{path} cannot be read as COCO JSON of one image with run lengths ({why!r})") from why
    if shape is not None and tuple(shape) != size:
        raise FormatError(f"{path} is of an image of {size} pixels, not {tuple(shape)}")
    return flat.reshape(size, order="F")


def write(path: Path, labels: NDArray, voxel_size_um: VoxelSize) -> None:
    """Write labels of shape (y, x); there is no place for voxel sizes."""
    height, width = labels.shape
    image = {"id": 1, "width": width, "height": height}
    category = {"id": 1, "name": "object", "supercategory": "object"}
    data = {"images": [image], "annotations": _annotations(labels), "categories": [category]}
    path.write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")


def _annotations(labels: NDArray) -> list[dict[str, Any]]:
    """Return one annotation per object, in the order of the labels."""
    height, width = labels.shape
    starts, lengths = find_runs(labels.T)
    values = labels.T.ravel()[starts]
    kept = np.flatnonzero(values > 0)
    order = kept[np.argsort(values[kept], kind="stable")]
    bounds = np.flatnonzero(np.diff(values[order], prepend=0)) if len(order) else np.zeros(0, int)
    found = []
    for runs in np.split(order, bounds[1:]) if len(order) else []:
        counts = np.column_stack([starts[runs] - np.append(0, (starts + lengths)[runs[:-1]]), lengths[runs]]).ravel()
        rest = height * width - int(counts.sum())
        column, row, ends = starts[runs] // height, starts[runs] % height, (starts + lengths)[runs] - 1
        over = ends // height > column  # a run that goes on into the next column covers both edges
        top, bottom = int(row.min() if not over.any() else 0), int(np.max(np.where(over, height - 1, ends % height)))
        left, right = int(column.min()), int((ends // height).max())
        found.append(
            {
                "id": int(values[runs[0]]),
                "image_id": 1,
                "category_id": 1,
                "iscrowd": 0,
                "area": int(lengths[runs].sum()),
                "bbox": [left, top, right - left + 1, bottom - top + 1],
                "segmentation": {"size": [height, width], "counts": [*counts.tolist(), *([rest] if rest else [])]},
            }
        )
    return found
