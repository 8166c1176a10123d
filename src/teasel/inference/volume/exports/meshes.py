"""Surfaces: marching cubes block by block, joined per object on the grid of half voxels, so that no seam is left."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import MissingDependency
from teasel.inference.volume.exports.files import put_file
from teasel.inference.volume.exports.job import ExportJob
from teasel.inference.volume.exports.survey import GROUP, chosen_objects
from teasel.inference.volume.grid import grow

__all__ = ["join_pieces", "mesh_block", "write_meshes"]

Ints = NDArray[np.int64]


def mesh_block(job: ExportJob, key: str) -> None:
    """Find the pieces of surfaces between the voxels of a block and the next ones; half voxels as integers."""
    zmesh = _zmesh()
    box = job.grid.box(int(key))
    wide = grow(box, (0, 0, 0), (1, 1, 1), job.shape)
    labels = job.export.labels.read(wide)
    ids, places = np.unique(labels, return_inverse=True)
    numbers = np.zeros(len(ids), np.uint32)
    wanted = np.isin(ids, chosen_objects(job).ids) & (ids > 0)
    numbers[wanted] = np.arange(1, int(wanted.sum()) + 1)
    edges = [(int(a == 0), int(b == n)) for (a, b), n in zip(wide, job.shape, strict=True)]  # surfaces close at the end
    padded = np.pad(numbers[places.reshape(labels.shape)], edges)
    origin = 2 * np.array([a - before for (a, _), (before, _) in zip(wide, edges, strict=True)])
    mesher = zmesh.Mesher((1.0, 1.0, 1.0))
    mesher.mesh(padded, close=False)
    vertices, faces, found = [np.zeros((0, 3), np.int32)], [np.zeros((0, 3), np.int32)], []
    for number in sorted(mesher.ids()):
        mesh = mesher.get(number, normals=False, reduction_factor=0)
        vertices.append((np.rint(2 * mesh.vertices).astype(np.int64) + origin).astype(np.int32))
        faces.append(mesh.faces.astype(np.int32))
        found.append(ids[wanted][number - 1])
        mesher.erase(number)
    pieces = {
        "ids": np.array(found, np.uint64),
        "vertex_starts": np.cumsum([len(v) for v in vertices]),
        "face_starts": np.cumsum([len(f) for f in faces]),
        "vertices": np.concatenate(vertices),
        "faces": np.concatenate(faces),
    }
    job.work.put("pieces", key, pieces)


def write_meshes(job: ExportJob, key: str) -> None:
    """Write the surfaces of a group of objects in every format that is asked for."""
    zmesh = _zmesh()
    chosen = chosen_objects(job)
    targets = job.export.targets
    for i in range(int(key) * GROUP, min((int(key) + 1) * GROUP, len(chosen.ids))):
        number = int(chosen.ids[i])
        blocks = _reaching(job, chosen.blocks[chosen.starts[i] : chosen.starts[i + 1]])
        corners, faces = join_pieces([p for b in blocks if (p := _piece(job, b, number)) is not None])
        # in nanometres (x, y, z); a voxel reaches from its number to the next, so its middle lies half a voxel on
        points = ((corners + 1) / 2 * 1000 * np.array(job.spacing_um))[:, ::-1]
        mesh = zmesh.Mesh(points.astype(np.float32), faces[:, ::-1].astype(np.uint32), None, number)
        if job.export.fewer_faces > 1 and len(faces):
            mesh = zmesh.Mesher((1.0, 1.0, 1.0)).simplify(
                mesh, reduction_factor=job.export.fewer_faces, max_error=1000 * min(job.spacing_um)
            )
        if "meshes" in targets:
            folder = job.result / "segmentation" / "mesh"
            put_file(folder / f"{number}.surface", _precomputed(mesh))
            put_file(folder / f"{number}:0", json.dumps({"fragments": [f"{number}.surface"]}).encode())
        in_um = zmesh.Mesh(mesh.vertices / np.float32(1000), mesh.faces, None, number)
        if "obj" in targets:
            put_file(job.result / "obj" / f"{number}.obj", in_um.to_obj())
        if "ply" in targets:
            put_file(job.result / "ply" / f"{number}.ply", in_um.to_ply())
    job.work.declare("meshes", key, "")


def join_pieces(pieces: list[tuple[NDArray[np.int32], NDArray[np.int32]]]) -> tuple[Ints, Ints]:
    """Join pieces of a surface to one, whose order does not depend on how it was cut.

    Parameters
    ----------
    pieces : list of (ndarray of int, shape (n, 3)), (ndarray of int, shape (m, 3))
        Vertices in half voxels, and faces.

    Returns
    -------
    tuple of ndarray of int64
        Vertices without repeats, in order; faces, each beginning with its first vertex, in order.

    Examples
    --------
    >>> one = (np.array([[0, 0, 0], [0, 1, 0], [1, 0, 0]]), np.array([[1, 2, 0]]))
    >>> other = (np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]]), np.array([[0, 1, 2]]))
    >>> [part.tolist() for part in join_pieces([other, one])]
    [[[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0]], [[0, 1, 2], [1, 3, 2]]]
    """
    if not pieces:
        return np.zeros((0, 3), np.int64), np.zeros((0, 3), np.int64)
    shift = np.cumsum([0, *(len(v) for v, _ in pieces[:-1])])
    corners, places = np.unique(np.concatenate([v for v, _ in pieces]), axis=0, return_inverse=True)
    faces = places.ravel()[np.concatenate([f + s for (_, f), s in zip(pieces, shift, strict=True)])]
    turn = (faces.argmin(1)[:, None] + np.arange(3)) % 3
    faces = np.take_along_axis(faces, turn, 1)
    return corners.astype(np.int64), faces[np.lexsort(faces.T[::-1])].astype(np.int64)


def _reaching(job: ExportJob, blocks: Ints) -> list[int]:
    """Return the blocks that may hold pieces of an object: those it lies in, and the ones before these."""
    found = set()
    for block in blocks:
        place = np.unravel_index(int(block), job.grid.counts)
        for step in np.ndindex(2, 2, 2):
            before = [int(p) - s for p, s in zip(place, step, strict=True)]
            if min(before) >= 0:
                found.add(int(np.ravel_multi_index(before, job.grid.counts)))
    return sorted(found)


def _piece(job: ExportJob, block: int, number: int) -> tuple[NDArray[np.int32], NDArray[np.int32]] | None:
    """Return the piece of an object's surface from a block."""
    pieces = _pieces(job, block)
    at = int(np.searchsorted(pieces["ids"], np.uint64(number)))
    if at == len(pieces["ids"]) or pieces["ids"][at] != number:
        return None
    cut = [slice(*pieces[f"{name}_starts"][at : at + 2]) for name in ("vertex", "face")]
    return pieces["vertices"][cut[0]], pieces["faces"][cut[1]]


@lru_cache(maxsize=16)
def _pieces(job: ExportJob, block: int) -> dict[str, NDArray]:
    return job.work.get("pieces", str(block))


def _precomputed(mesh: Any) -> bytes:
    """Lay a surface out for Neuroglancer: number of vertices, nanometres (x, y, z), faces."""
    points = mesh.vertices.astype("<f4")
    return np.uint32(len(points)).astype("<u4").tobytes() + points.tobytes() + mesh.faces.astype("<u4").tobytes()


def _zmesh() -> Any:
    try:
        import zmesh
    except ImportError as error:
        raise MissingDependency(
            'surfaces need the package zmesh; install it with: pip install "teasel[exports]"'
        ) from error
    return zmesh
