"""QuPath GeoJSON: a FeatureCollection with a polygon per object, in pixels of the whole image.

QuPath imports it with *Import objects*; the format is its own: https://qupath.readthedocs.io (Exporting annotations).
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

from teasel.errors import FormatError
from teasel.geometry import VoxelSize
from teasel.labels.contours import Polygon, contours
from teasel.labels.polygons import fill_polygons

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = (".geojson", ".geojson.gz")


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
    content = path.read_bytes()
    try:
        data = json.loads(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
        features = data["features"] if isinstance(data, dict) else data
        pieces = [_pieces(feature["geometry"]) for feature in features]
        named = [feature.get("properties", {}).get("label") for feature in features]
    except (ValueError, KeyError, TypeError, IndexError, EOFError, OSError, AttributeError) as why:
        raise FormatError(f"{path} cannot be read as GeoJSON with polygons ({why!r}); is it whole?") from why
    size = shape or (data.get("image_shape") if isinstance(data, dict) else None)
    if size is None:
        raise FormatError(f"{path} does not say how large the image is; give its height and width in pixels (shape)")
    own = all(isinstance(one, int) and one > 0 for one in named) and len(set(named)) == len(named)
    labels = named if own else range(1, len(pieces) + 1)
    return fill_polygons(dict(zip(labels, pieces, strict=True)), (int(size[0]), int(size[1])))


def write(path: Path, labels: NDArray, voxel_size_um: VoxelSize) -> None:
    """Write labels of shape (y, x); packed if the name ends with ``.gz``. There is no place for voxel sizes."""
    digest = hashlib.sha256(np.ascontiguousarray(labels).tobytes()).hexdigest()
    features = [_feature(label, pieces, digest) for label, pieces in contours(labels).items()]
    data = {"type": "FeatureCollection", "image_shape": list(labels.shape), "features": features}
    text = json.dumps(data, separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)


def _feature(label: int, pieces: tuple[Polygon, ...], digest: str) -> dict[str, Any]:
    """Return one object; its id is the same whenever the same labels are written."""
    areas = [[_closed(ring) for ring in (piece.exterior, *piece.holes)] for piece in pieces]
    single = len(areas) == 1
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{digest} {label}")),
        "geometry": {
            "type": "Polygon" if single else "MultiPolygon",
            "coordinates": areas[0] if single else areas,
        },
        "properties": {"objectType": "detection", "name": str(label), "label": label, "isLocked": False},
    }


def _closed(ring: NDArray[np.int64]) -> list[list[int]]:
    """Return (y, x) corners as (x, y), the first repeated at the end, against the clock as RFC 7946 asks."""
    return np.concatenate([ring[:1], ring[::-1]])[:, ::-1].tolist()


def _pieces(geometry: dict[str, Any]) -> list[Polygon]:
    """Return the pieces of a Polygon or MultiPolygon."""
    areas = {"Polygon": lambda c: [c], "MultiPolygon": lambda c: c}[geometry["type"]](geometry["coordinates"])
    rings = [[np.asarray(ring, float)[:, 1::-1] for ring in area] for area in areas]
    return [Polygon(area[0], tuple(area[1:])) for area in rings]
