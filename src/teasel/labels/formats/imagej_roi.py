"""ImageJ ROIs: a zip with one .roi per object, as the ROI Manager saves and opens.

Corners are pixel edges, so that the area ImageJ measures is the number of pixels. An object with holes or several
pieces is one composite ROI. The ROI's name is the label.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from roifile import ROI_TYPE, ImagejRoi

from teasel.errors import DataError, FormatError
from teasel.geometry import VoxelSize
from teasel.labels.contours import Polygon, contours
from teasel.labels.polygons import fill_polygons

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = (".zip",)
LARGEST = 32767
MOVE, LINE, CLOSE = 0.0, 1.0, 4.0
_AREAS = (ROI_TYPE.POLYGON, ROI_TYPE.FREEHAND, ROI_TYPE.TRACED, ROI_TYPE.RECT)


def read(path: Path, shape: tuple[int, int] | None) -> NDArray:
    """Draw the areas of a zip of ROIs.

    Notes
    -----
    Labels are the names of the ROIs if these are different whole numbers; else 1 .. n in order.

    Raises
    ------
    FormatError
        If `shape` is None (ROIs do not say how large the image is), the file is no zip of ROIs, or one of them is no
        polygon, rectangle or composite of polygons.
    """
    if shape is None:
        raise FormatError(
            f"{path}: ROIs do not say how large the image is; give its height and width in pixels (shape)"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [name for name in archive.namelist() if name.endswith(".roi")]
            rois = [ImagejRoi.frombytes(archive.read(name)) for name in entries]
    except (zipfile.BadZipFile, ValueError, OSError, IndexError) as why:
        raise FormatError(f"{path} cannot be read as a zip of ImageJ ROIs ({why}); is it whole?") from why
    names = [Path(name).stem for name in entries]
    own = all(name.isdigit() and int(name) > 0 for name in names) and len({int(name) for name in names}) == len(names)
    labels = [int(name) for name in names] if own else list(range(1, len(names) + 1))
    pieces = [_pieces(roi, f"{path}: {name}") for roi, name in zip(rois, names, strict=True)]
    return fill_polygons(dict(zip(labels, pieces, strict=True)), shape)


def write(path: Path, labels: NDArray, voxel_size_um: VoxelSize) -> None:
    """Write labels of shape (y, x), at most 32,767 pixels along each axis; ROIs have no place for voxel sizes."""
    if max(labels.shape) > LARGEST:
        raise DataError(f"labels of shape {labels.shape}; ImageJ ROIs end at {LARGEST} pixels, write .geojson instead")
    width = len(str(int(labels.max(initial=1))))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for label, pieces in contours(labels).items():
            name = f"{label:0{width}d}"
            entry = zipfile.ZipInfo(f"{name}.roi")  # 1980-01-01: the same labels give the same bytes
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, _roi(name, pieces).tobytes())


def _roi(name: str, pieces: tuple[Polygon, ...]) -> ImagejRoi:
    """Return a traced outline, or a composite if there are holes or several pieces."""
    rings = [ring for piece in pieces for ring in (piece.exterior, *piece.holes)]
    corners = np.concatenate(rings)
    (top, left), (bottom, right) = corners.min(0).tolist(), corners.max(0).tolist()
    box = {"name": name, "top": top, "left": left, "bottom": bottom, "right": right}
    if len(rings) == 1:
        xy = (corners - (top, left))[:, ::-1]
        return ImagejRoi(roitype=ROI_TYPE.TRACED, n_coordinates=len(xy), integer_coordinates=xy.astype("i4"), **box)
    path = np.concatenate([_path(ring) for ring in rings]).astype(np.float32)
    return ImagejRoi(roitype=ROI_TYPE.RECT, shape_roi_size=len(path), multi_coordinates=path, **box)


def _path(ring: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a ring as the strokes of a path: move, lines, close."""
    strokes = np.column_stack([np.full(len(ring), LINE), ring[:, ::-1]])
    strokes[0, 0] = MOVE
    return np.append(strokes.ravel(), CLOSE)


def _pieces(roi: ImagejRoi, where: str) -> list[Polygon]:
    """Return the rings of a ROI as pieces, holes told from exteriors by how they nest."""
    if roi.composite:
        rings = [np.asarray(ring, float)[:, ::-1] for ring in roi.coordinates(multi=True)]
    elif roi.roitype == ROI_TYPE.RECT and not roi.rounded_rect_arc_size:
        y0, x0, y1, x1 = roi.top, roi.left, roi.bottom, roi.right
        rings = [np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0]], float)]
    elif roi.roitype in _AREAS:
        rings = [np.asarray(roi.coordinates(), float)[:, ::-1]]
    else:
        raise FormatError(f"{where} is a {roi.roitype.name.lower()}; expected a polygon, rectangle or composite")
    return _nest(rings)


def _nest(rings: list[NDArray[np.float64]]) -> list[Polygon]:
    """Sort rings into exteriors and holes: what lies in an odd number of other rings is a hole of the innermost."""
    from skimage.measure import points_in_poly

    if len(rings) == 1:
        return [Polygon(rings[0], ())]
    points = np.array([_point_in(ring) for ring in rings])
    within = np.zeros((len(rings), len(rings)), bool)  # within[i, j]: ring j lies in ring i
    for i, ring in enumerate(rings):
        within[i] = points_in_poly(points, ring)
    np.fill_diagonal(within, False)
    depth = within.sum(0)
    pieces = []
    for i in np.argsort(depth, kind="stable"):
        if depth[i] % 2 == 0:
            holes = np.flatnonzero(within[i] & (depth == depth[i] + 1))
            pieces.append(Polygon(rings[i], tuple(rings[j] for j in holes)))
    return pieces


def _point_in(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a point just inside a ring, beside the middle of its first edge."""
    from skimage.measure import points_in_poly

    middle, edge = (ring[0] + ring[1]) / 2, ring[1] - ring[0]
    aside = np.array([-edge[1], edge[0]]) / max(float(np.hypot(*edge)), 1e-9) / 4
    return middle + aside if points_in_poly((middle + aside)[None], ring)[0] else middle - aside
