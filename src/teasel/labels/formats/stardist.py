"""Star-convex polygons as StarDist returns them: ``coord``, ``points`` and ``prob``, in ``.stardist.npz`` or ``.json``.

``coord`` (n, 2, n_rays) are the corners (y, x), ``points`` (n, 2) the centres, ``prob`` (n,) the scores; a pixel's
centre has whole numbers. A star-convex polygon approximates an object; what is read back differs at its border.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, FormatError, ShapeError
from teasel.geometry import VoxelSize
from teasel.labels.dtype import smallest_dtype
from teasel.labels.runs import rank_labels

__all__ = ["N_RAYS", "SUFFIXES", "TAKES", "draw", "polygons", "read", "write"]

SUFFIXES = (".stardist.npz", ".stardist.json")
TAKES = ("scores",)
N_RAYS = 32


def polygons(labels: NDArray, scores: NDArray | None = None, *, n_rays: int = N_RAYS) -> dict[str, NDArray]:
    """Describe each object by the distance from its middle to its border along rays.

    Parameters
    ----------
    labels : ndarray of int, shape (y, x)
        0 background.
    scores : ndarray of float, shape (n,), optional
        Of each object in the order of the labels; 1 if not given.
    n_rays : int
        Number of rays, 3 or more.

    Returns
    -------
    dict
        ``coord`` float32 (n, 2, n_rays), ``points`` int64 (n, 2), ``prob`` float32 (n,), ``labels`` int64 (n,),
        ``shape`` int64 (2,). The first three are what StarDist calls so.

    Raises
    ------
    DataError
        If there is not one score per object.

    Notes
    -----
    The middle is the object's pixel nearest to its centroid. Rays go out in steps of one pixel until they leave the
    object, and end at the border between the last pixel in and the first pixel out, as in StarDist's ``star_dist``.

    References
    ----------
    Schmidt et al., Cell Detection with Star-convex Polygons, MICCAI 2018. doi:10.1007/978-3-030-00934-2_30

    Examples
    --------
    >>> found = polygons(np.pad(np.full((3, 3), 7), 1))
    >>> found["points"].tolist(), found["coord"].shape
    ([[2, 2]], (1, 2, 32))
    """
    if labels.ndim != 2:
        raise ShapeError(f"labels have shape {labels.shape}; star-convex polygons are of planes (y, x)")
    ids, points = _middles(labels)
    prob = np.ones(len(ids)) if scores is None else np.asarray(scores, float)
    if prob.shape != ids.shape:
        raise DataError(f"{len(prob)} scores for {len(ids)} objects; give one for each")
    angles = np.arange(n_rays) * (2 * np.pi / n_rays)
    rays = np.array([np.sin(angles), np.cos(angles)])  # (2, n_rays)
    length = _march(labels, points, rays)  # (n, n_rays)
    return {
        "coord": (points[:, :, None] + length[:, None] * rays).astype(np.float32),
        "points": points,
        "prob": prob.astype(np.float32),
        "labels": ids.astype(np.int64),
        "shape": np.array(labels.shape),
    }


def draw(content: dict[str, Any], shape: tuple[int, int]) -> NDArray[np.unsignedinteger]:
    """Draw the polygons of a dictionary that StarDist returned; where they overlap, the higher score wins.

    Parameters
    ----------
    content : dict
        ``coord`` and, if present, ``prob`` and ``labels``; without labels the objects are 1 .. n, as in StarDist.
    shape : tuple of int
        Height and width of the image.

    Returns
    -------
    ndarray of uint8, uint16 or uint32, shape (y, x)
        The same pixels as StarDist's ``polygons_to_label``.
    """
    from skimage.draw import polygon

    coord = np.asarray(content["coord"], np.float32)
    if not coord.size:
        return np.zeros(shape, np.uint8)
    if coord.ndim != 3 or coord.shape[1] != 2:
        raise ShapeError(f"coord has shape {coord.shape}; expected (n, 2, rays), polyhedra of volumes are not drawn")
    ids = np.asarray(content.get("labels", np.arange(1, len(coord) + 1)))
    prob = np.asarray(content.get("prob", np.ones(len(coord))), float)
    if ids.shape != (len(coord),) or prob.shape != ids.shape or ids.min() < 1:
        raise ShapeError(f"{len(coord)} polygons, {prob.shape} scores, {ids.shape} labels; expected one of each")
    labels = np.zeros(shape, smallest_dtype(int(ids.max())))
    for i in np.argsort(prob, kind="stable"):
        labels[polygon(coord[i, 0], coord[i, 1], shape)] = ids[i]
    return labels


def read(path: Path, shape: tuple[int, int] | None) -> NDArray:
    """Draw the polygons of a file.

    Raises
    ------
    FormatError
        If it is broken, or neither it nor `shape` says how large the image is.
    """
    try:
        content = _load(path)
        size = shape or content.get("shape")
        if size is None:
            raise FormatError(f"{path} does not say how large the image is; give its height and width (shape)")
        return draw(content, (int(size[0]), int(size[1])))
    except FormatError:
        raise
    except (ValueError, KeyError, TypeError, EOFError, OSError, IndexError, zipfile.BadZipFile, zlib.error) as why:
        raise FormatError(f"{path} cannot be read as polygons of StarDist ({why}); is it whole?") from why


def write(path: Path, labels: NDArray, voxel_size_um: VoxelSize, scores: NDArray | None = None) -> None:
    """Write labels of shape (y, x), each object as its star-convex approximation."""
    content = polygons(labels, scores)
    if path.suffix == ".json":
        words = {name: array.tolist() for name, array in content.items()}
        path.write_text(json.dumps(words, separators=(",", ":")), encoding="utf-8")
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:  # fixed dates: the same labels, the same bytes
        for name, array in content.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)


def _load(path: Path) -> dict[str, Any]:
    """Return the content of a file."""
    if path.suffix.lower() == ".json":
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError(f"a {type(content).__name__}, not a dictionary")
        return content
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _middles(labels: NDArray) -> tuple[NDArray, NDArray[np.int64]]:
    """Return the labels, and of each object the pixel (y, x) nearest to its centroid."""
    at = np.argwhere(labels > 0)
    if not len(at):
        return np.zeros(0, np.int64), np.zeros((0, 2), np.int64)
    ids, rank = rank_labels(labels[at[:, 0], at[:, 1]])
    n = np.bincount(rank)
    centroid = np.column_stack([np.bincount(rank, weights=at[:, axis]) / n for axis in (0, 1)])
    far = ((at - centroid[rank]) ** 2).sum(1)
    order = np.lexsort((far, rank))
    first = order[np.cumsum(n) - n]
    return ids, at[first]


def _march(labels: NDArray, points: NDArray[np.int64], rays: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance from each point to the border of its object along each ray, shape (n, n_rays)."""
    padded = np.pad(labels, 1)
    own = labels[points[:, 0], points[:, 1]]
    length = np.zeros((len(points), rays.shape[1]))
    which, ray = (index.ravel() for index in np.indices(length.shape))
    back = 1 - 0.5 / np.abs(rays).max(0)  # of the last step, what lies beyond the border
    step = 0
    while len(which):
        step += 1
        y, x = np.rint(points[which] + step * rays[:, ray].T).astype(int).T + 1
        out = padded[y.clip(0, padded.shape[0] - 1), x.clip(0, padded.shape[1] - 1)] != own[which]
        length[which[out], ray[out]] = step - back[ray[out]]
        which, ray = which[~out], ray[~out]
    return length
