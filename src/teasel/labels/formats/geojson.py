"""QuPath GeoJSON: a FeatureCollection with a polygon per object, in pixels of the whole image.

QuPath imports it with *Import objects*; the format is its own: https://qupath.readthedocs.io (Exporting annotations).
With nuclei, each object is a QuPath cell with its ``nucleusGeometry``; without, a detection.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, FormatError, ShapeError
from teasel.geometry import VoxelSize
from teasel.labels.contours import Polygon, contours
from teasel.labels.polygons import fill_polygons

__all__ = ["LARGEST", "SUFFIXES", "TAKES", "read", "read_nuclei", "write"]

SUFFIXES = (".geojson", ".geojson.gz")
TAKES = ("nuclei",)
LARGEST = 50_000
"""Objects up to which the text is written unpacked."""


def read(path: Path, shape: tuple[int, int] | None) -> NDArray:
    """Draw the polygons of a GeoJSON file.

    Notes
    -----
    Labels are the properties ``label`` that Teasel writes, if every feature has its own; else 1 .. n in order.

    Raises
    ------
    FormatError
        If the file is no GeoJSON with polygons, or neither it nor `shape` says how large the image is.
    """
    return _draw(path, shape, "geometry")


def read_nuclei(path: Path, shape: tuple[int, int] | None = None) -> NDArray:
    """Draw the nuclei of QuPath cells; each has the label of its cell, cells without nucleus are left out."""
    return _draw(Path(path), shape, "nucleusGeometry")


def write(path: Path, labels: NDArray, voxel_size_um: VoxelSize, nuclei: NDArray | None = None) -> None:
    """Write labels of shape (y, x); packed if the name ends with ``.gz``. There is no place for voxel sizes.

    Parameters
    ----------
    path : pathlib.Path
        ``.geojson``, or above 50,000 objects ``.geojson.gz``.
    labels : ndarray of int, shape (y, x)
        Cells, or whatever the objects are.
    voxel_size_um : VoxelSize
        Not kept.
    nuclei : ndarray of int, shape (y, x), optional
        Nuclei, with labels of their own. Each belongs to the cell that holds most of it, and of it the part in this
        cell is written, since QuPath wants nuclei inside cells. Several nuclei of a cell become one geometry.

    Raises
    ------
    ShapeError
        If the nuclei have another shape.
    DataError
        If there are more than 50,000 objects and the file is not to be packed.
    """
    outlines = contours(labels)
    if len(outlines) > LARGEST and path.suffix != ".gz":
        raise DataError(f"{len(outlines)} objects; above {LARGEST} write them packed: a name that ends in .geojson.gz")
    digest = hashlib.sha256(np.ascontiguousarray(labels).tobytes()).hexdigest()
    inside = {} if nuclei is None else contours(_nuclei_by_cell(labels, nuclei))
    features = [_feature(label, pieces, digest) for label, pieces in outlines.items()]
    for feature in features if nuclei is not None else []:
        feature["properties"]["objectType"] = "cell"
        if found := inside.get(feature["properties"]["label"]):
            feature["nucleusGeometry"] = _geometry(found)
    data = {"type": "FeatureCollection", "image_shape": list(labels.shape), "features": features}
    text = json.dumps(data, separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)


def _draw(path: Path, shape: tuple[int, int] | None, key: str) -> NDArray:
    """Draw one of the geometries of every feature that has it."""
    content = path.read_bytes()
    try:
        data = json.loads(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
        features = data["features"] if isinstance(data, dict) else data
        if key == "geometry":
            pieces = [_pieces(feature["geometry"]) for feature in features]
        else:
            pieces = [_pieces(feature[key]) if key in feature else [] for feature in features]
        named = [(feature.get("properties") or {}).get("label") for feature in features]
    except (ValueError, KeyError, TypeError, IndexError, EOFError, OSError, AttributeError) as why:
        raise FormatError(f"{path} cannot be read as GeoJSON with polygons ({why!r}); is it whole?") from why
    size = shape or (data.get("image_shape") if isinstance(data, dict) else None)
    if size is None:
        raise FormatError(f"{path} does not say how large the image is; give its height and width in pixels (shape)")
    own = all(isinstance(one, int) and one > 0 for one in named) and len(set(named)) == len(named)
    labels = [int(one) for one in named if one] if own else range(1, len(pieces) + 1)
    return fill_polygons(dict(zip(labels, pieces, strict=True)), (int(size[0]), int(size[1])))


def _nuclei_by_cell(labels: NDArray, nuclei: NDArray) -> NDArray:
    """Return the pixels of each cell that are of a nucleus of its own, under the label of the cell."""
    if nuclei.shape != labels.shape:
        raise ShapeError(f"nuclei of shape {nuclei.shape} for cells of shape {labels.shape}; expected the same image")
    both = np.flatnonzero((labels > 0) & (nuclei > 0))
    cell, nucleus = labels.ravel()[both], nuclei.ravel()[both]
    pairs, which, count = np.unique(np.column_stack([nucleus, cell]), axis=0, return_inverse=True, return_counts=True)
    order = np.lexsort((count, pairs[:, 0]))
    most = np.append(pairs[order[1:], 0] != pairs[order[:-1], 0], True)[: len(order)]
    belongs = np.zeros(len(pairs), bool)
    belongs[order[most]] = True
    inside = np.zeros_like(labels).ravel()
    kept = belongs[which.ravel()]
    inside[both[kept]] = cell[kept]
    return inside.reshape(labels.shape)


def _feature(label: int, pieces: tuple[Polygon, ...], digest: str) -> dict[str, Any]:
    """Return one object; its id is the same whenever the same labels are written."""
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{digest} {label}")),
        "geometry": _geometry(pieces),
        "properties": {"objectType": "detection", "name": str(label), "label": label, "isLocked": False},
    }


def _geometry(pieces: tuple[Polygon, ...]) -> dict[str, Any]:
    """Return a Polygon, or of several pieces a MultiPolygon."""
    areas = [[_closed(ring) for ring in (piece.exterior, *piece.holes)] for piece in pieces]
    single = len(areas) == 1
    return {"type": "Polygon" if single else "MultiPolygon", "coordinates": areas[0] if single else areas}


def _closed(ring: NDArray[np.int64]) -> list[list[int]]:
    """Return (y, x) corners as (x, y), the first repeated at the end, against the clock as RFC 7946 asks."""
    return np.concatenate([ring[:1], ring[::-1]])[:, ::-1].tolist()


def _pieces(geometry: dict[str, Any]) -> list[Polygon]:
    """Return the pieces of a Polygon or MultiPolygon."""
    areas = {"Polygon": lambda c: [c], "MultiPolygon": lambda c: c}[geometry["type"]](geometry["coordinates"])
    rings = [[np.asarray(ring, float)[:, 1::-1] for ring in area] for area in areas]
    return [Polygon(area[0], tuple(area[1:])) for area in rings]
