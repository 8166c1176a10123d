"""The kinds of object that are measured: objects as they are, or cells, their nuclei, and the cytoplasm between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.images.lazy import LazyArray
from teasel.labels.runs import rank_labels
from teasel.measurement.objects import OUTSIDE, Objects
from teasel.measurement.scan import Found, scan, scan_overlaps
from teasel.measurement.scene import Scene
from teasel.measurement.sources import Pixels

__all__ = ["Compartment", "compartments_of", "read_spatial"]

Block = tuple[slice, ...]
Reader = Callable[[Block], NDArray[np.integer]]

_STRAY = -2
"""Stands for nuclei of no cell."""


@dataclass(frozen=True, eq=False)
class Compartment:
    """One kind of object of one frame.

    Parameters
    ----------
    scene : Scene
        Its objects.
    read : callable
        Reads the labels of a block.
    shape : tuple of int
        Of the frame.
    read_inner : callable, optional
        Reads the nuclei of a block as labels of the cells they belong to.
    pairs : ndarray of int64, shape (n, 2), optional
        Cell and nucleus, for each nucleus in a cell.
    """

    scene: Scene
    read: Reader
    shape: tuple[int, ...]
    read_inner: Reader | None = None
    pairs: NDArray[np.int64] | None = None

    @property
    def at_border(self) -> NDArray[np.bool_]:
        """Whether the border of the image cuts each object; an axis of length 1 has none."""
        long = np.asarray(self.shape) > 1
        cut = (self.scene.lows == 0) | (self.scene.highs == np.asarray(self.shape))
        return (cut & long).any(axis=1)

    def objects(self, rows: NDArray[np.int64], pixels: Pixels, numbers: Sequence[int], margin: int) -> Objects:
        """Read some objects, whole, and the image around them.

        Parameters
        ----------
        rows : ndarray of int64, shape (n,)
            Which objects, ascending.
        pixels : Pixels
            The image.
        numbers : sequence of int
            Which channels.
        margin : int
            How far around them.
        """
        corner = self.scene.lows[rows].min(axis=0) - margin
        stop = self.scene.highs[rows].max(axis=0) + margin
        block = tuple(slice(max(int(a), 0), min(int(b), n)) for a, b, n in zip(corner, stop, self.shape, strict=True))
        around = [(s.start - int(a), int(b) - s.stop) for s, a, b in zip(block, corner, stop, strict=True)]
        ids = np.pad(self._rows(self.read(block)), around, constant_values=OUTSIDE)
        inner = None if self.read_inner is None else np.pad(self._rows(self.read_inner(block)), around)
        channels = [np.pad(pixels.read(number, block), around) for number in numbers]
        return Objects(self.scene, rows, ids, corner.tolist(), channels, inner)

    def _rows(self, labels: NDArray[np.integer]) -> NDArray[np.int32]:
        """Turn labels into 1 + the row of the scene, 0 for background, and `_STRAY` for what is no object of it."""
        ids, rank = rank_labels(np.maximum(labels, 0).ravel())
        row = np.searchsorted(self.scene.labels, ids)
        known = np.zeros(len(ids), bool)
        inside = row < len(self.scene.labels)
        known[inside] = self.scene.labels[row[inside]] == ids[inside]
        names = np.where(known, row + 1, _STRAY).astype(np.int32)
        names[ids == 0] = 0
        return names[rank].reshape(labels.shape)


def compartments_of(
    labels: Reader, nuclei: Reader | None, shape: Sequence[int], edge_px: int, base: Scene
) -> list[Compartment]:
    """Find the objects of each compartment; the first is the one that rows stand for.

    Parameters
    ----------
    labels, nuclei : callable
        Read a block of the objects or cells, and of the nuclei.
    shape : sequence of int
        Of the frame.
    edge_px : int
        Edge of the blocks to read.
    base : Scene
        What is known of the image.
    """
    space = tuple(shape)
    if nuclei is None:
        return [Compartment(_scene(base, scan(labels, space, edge_px), "object"), labels, space)]
    inner = nuclei  # not None in the functions below
    cells = scan(labels, space, edge_px)
    scan(inner, space, edge_px, "nuclei")
    pairs = scan_overlaps(labels, inner, space, edge_px)

    def parents(block: Block) -> NDArray[np.int64]:
        children = inner(block)
        ids, rank = rank_labels(np.maximum(children, 0).ravel())
        at = np.searchsorted(pairs[:, 1], ids)
        known = at < len(pairs)
        known[known] = pairs[at[known], 1] == ids[known]
        cell = np.full(len(ids), np.iinfo(np.int32).max, np.int64)  # a nucleus of no cell
        cell[known] = pairs[at[known], 0]
        cell[ids == 0] = 0
        return cell[rank].reshape(children.shape)

    def nucleus(block: Block) -> NDArray[np.int64]:
        cell = parents(block)
        return np.where(cell == np.iinfo(np.int32).max, 0, cell)

    def cytoplasm(block: Block) -> NDArray[np.integer]:
        return np.where(inner(block) > 0, 0, labels(block))

    found = scan(nucleus, space, edge_px)
    scene = _with_children(_scene(base, cells, "cell"), found, pairs)
    return [
        Compartment(scene, labels, space, parents, pairs),
        Compartment(_scene(base, found, "nucleus"), nucleus, space),
        Compartment(_scene(base, scan(cytoplasm, space, edge_px), "cytoplasm"), cytoplasm, space),
    ]


def read_spatial(array: LazyArray, frame: int | None) -> Reader:
    """Return a function that reads a block of a frame, given as a slice per spatial axis."""

    def read(block: Block) -> NDArray[Any]:
        return np.asarray(array[block if frame is None else (frame, *block)])

    return read


def _scene(base: Scene, found: Found, compartment: str) -> Scene:
    return replace(
        base,
        compartment=compartment,
        labels=found.labels,
        areas=found.areas,
        centroids=found.centroids,
        lows=found.lows,
        highs=found.highs,
    )


def _with_children(scene: Scene, nuclei: Found, pairs: NDArray[np.int64]) -> Scene:
    """Add what is known of the nuclei of each cell."""
    n = len(scene.labels)
    rows = np.searchsorted(scene.labels, nuclei.labels)
    areas, centroids = np.zeros(n, np.int64), np.full((n, scene.ndim), np.nan)
    areas[rows], centroids[rows] = nuclei.areas, nuclei.centroids
    counts = np.bincount(np.searchsorted(scene.labels, pairs[:, 0]), minlength=n)
    return replace(scene, child_counts=counts, child_areas=areas, child_centroids=centroids)
