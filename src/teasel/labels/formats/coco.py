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
from teasel.labels.contours import Polygon
from teasel.labels.dtype import smallest_dtype
from teasel.labels.polygons import fill_polygons
from teasel.labels.runs import find_runs

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = (".coco.json",)


def read(path: Path, shape: tuple[int, int] | None) -> NDArray:
    """Draw the objects of a COCO file of one image; labels are the ids of the annotations.

    Notes
    -----
    Run lengths, plain or packed into text as pycocotools does, and polygons, whose corners are pixel edges. Where
    objects overlap, the later one wins.

    Raises
    ------
    FormatError
        If the file is broken, holds several images, ids that are no labels, or another `shape` than the one given.
    """
    try:
        data = json.loads(path.read_bytes())
        if len(data["images"]) != 1:
            raise ValueError(f"it holds {len(data['images'])} images; write each into a file of its own")
        (image,) = data["images"]
        size = (int(image["height"]), int(image["width"]))
        ids = [one["id"] for one in data["annotations"]]
        if len(set(ids)) != len(ids) or min(ids, default=1) < 1:
            raise ValueError("the ids of annotations are not different numbers above 0")
        labels = np.zeros(size, smallest_dtype(max(ids, default=0)), order="F")
        for one in data["annotations"]:
            _draw(labels, int(one["id"]), one["segmentation"])
    except (ValueError, KeyError, TypeError, IndexError) as why:
        raise FormatError(f"{path} cannot be read as COCO JSON of one image ({why!r})") from why
    if shape is not None and tuple(shape) != size:
        raise FormatError(f"{path} is of an image of {size} pixels, not {tuple(shape)}")
    return np.ascontiguousarray(labels)


def _draw(labels: NDArray, label: int, segmentation: Any) -> None:
    """Set the pixels of one annotation in an image of which the columns lie in a row."""
    if isinstance(segmentation, list):
        for ring in segmentation:
            corners = np.asarray(ring, float).reshape(-1, 2)[:, ::-1]
            labels[fill_polygons({1: [Polygon(corners, ())]}, labels.shape) > 0] = label
        return
    counts = segmentation["counts"]
    ends = np.cumsum(_unpack(counts) if isinstance(counts, str) else counts)
    flat = labels.ravel(order="K")  # a view: the memory in its own order
    for start, end in zip(ends[::2].tolist(), ends[1::2].tolist(), strict=False):
        flat[start:end] = label


def _unpack(text: str) -> list[int]:
    """Return the run lengths that pycocotools packs into text: five bits a letter, differences to the last but one."""
    counts: list[int] = []
    value = shift = 0
    for letter in text.encode("ascii"):
        bits = letter - 48
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (bits & 16) and 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    return counts


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
    stops, values = starts + lengths, labels.T.ravel()[starts]
    kept = np.flatnonzero(values > 0)
    order = kept[np.argsort(values[kept], kind="stable")]
    bounds = np.flatnonzero(np.diff(values[order], prepend=0)) if len(order) else np.zeros(0, int)
    found = []
    for runs in np.split(order, bounds[1:]) if len(order) else []:
        counts = np.column_stack([starts[runs] - np.append(0, stops[runs[:-1]]), lengths[runs]]).ravel()
        rest = height * width - int(counts.sum())
        column, row, ends = starts[runs] // height, starts[runs] % height, stops[runs] - 1
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
