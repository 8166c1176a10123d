"""Objects and their pieces: which are connected, and what to do with those that are not."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import ParameterError
from teasel.labels.check import check_labels

__all__ = ["connected_labels", "is_connected", "keep_largest", "label_pieces", "split_disconnected"]


def connected_labels(mask: ArrayLike, *, diagonal: bool = False) -> NDArray[np.int32]:
    """Number the connected pieces of a mask.

    Parameters
    ----------
    mask : array_like, any shape
        Whatever is not 0 is object.
    diagonal : bool
        Whether pixels that share only a corner or an edge are connected.

    Returns
    -------
    ndarray of int32, same shape
        1, 2, ... in the order of each piece's first pixel.

    Examples
    --------
    >>> connected_labels([True, False, True, True])
    array([1, 0, 2, 2], dtype=int32)
    """
    from scipy import ndimage

    array = np.asarray(mask) != 0
    return ndimage.label(array, _structure(array.ndim, diagonal), output=np.int32)[0]


def label_pieces(labels: ArrayLike, *, diagonal: bool = False) -> tuple[NDArray[np.int64], NDArray]:
    """Number the connected pieces of all objects; pieces of two objects that touch stay apart.

    Parameters
    ----------
    labels : array_like of int, any shape
        0 background, -1 pixels not judged.
    diagonal : bool
        Whether pixels that share only a corner or an edge are connected.

    Returns
    -------
    pieces : ndarray of int64, same shape
        1, 2, ... n in the order of each piece's first pixel; 0 elsewhere.
    owner : ndarray of int, shape (n + 1,)
        Label of the object that each piece belongs to; ``owner[0]`` is 0.

    Notes
    -----
    One pass over the image: pixels are joined to their neighbours of the same label as edges of a sparse
    graph whose nodes are runs of equal pixels along the last axis.

    Examples
    --------
    >>> label_pieces([7, 7, 0, 7, 5])
    (array([1, 1, 0, 2, 3]), array([0, 7, 7, 5]))
    """
    array = check_labels(labels)
    runs, starts = _number_runs(array)
    owner = array.ravel()[starts]
    component = _join(_neighbours(array, runs, diagonal), len(starts))
    objects = np.flatnonzero(owner > 0)
    _, first, inverse = np.unique(component[objects], return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(1, len(first) + 1)
    piece_of_run = np.zeros(len(starts), np.int64)
    piece_of_run[objects] = rank[inverse]
    owners = np.zeros(len(first) + 1, array.dtype)
    owners[piece_of_run[objects]] = owner[objects]
    return piece_of_run[runs] if len(starts) else np.zeros(array.shape, np.int64), owners


def is_connected(labels: ArrayLike, *, diagonal: bool = False) -> bool:
    """Say whether every object is in one piece.

    Parameters
    ----------
    labels, diagonal
        As in `label_pieces`.

    Examples
    --------
    >>> is_connected([1, 1, 0, 2]), is_connected([1, 0, 1])
    (True, False)
    """
    _, owner = label_pieces(labels, diagonal=diagonal)
    return len(np.unique(owner)) == len(owner)


def split_disconnected(labels: ArrayLike, *, diagonal: bool = False) -> NDArray[np.integer]:
    """Give every piece of an object its own label.

    Parameters
    ----------
    labels, diagonal
        As in `label_pieces`.

    Returns
    -------
    ndarray of int, same shape
        The largest piece of each object (the first among equals) keeps the label, the others get new ones
        above the largest label, in the order of their first pixel. The type grows where the new labels need
        it.

    Examples
    --------
    >>> split_disconnected([7, 7, 0, 7, 5])
    array([7, 7, 0, 8, 5])
    """
    array = check_labels(labels)
    pieces, owner = label_pieces(array, diagonal=diagonal)
    lost = np.setdiff1d(np.arange(1, len(owner)), _largest(pieces, owner))
    highest = int(array.max(initial=0))
    renamed = owner.astype(np.result_type(array.dtype, np.min_scalar_type(highest + len(lost))))
    renamed[lost] = np.arange(highest + 1, highest + 1 + len(lost))
    return np.where(pieces > 0, renamed[pieces], array)


def keep_largest(labels: ArrayLike, *, diagonal: bool = False) -> NDArray[np.integer]:
    """Keep the largest piece of every object (the first among equals); the others become background.

    Parameters
    ----------
    labels, diagonal
        As in `label_pieces`.

    Returns
    -------
    ndarray of int, same shape and type

    Examples
    --------
    >>> keep_largest([7, 7, 0, 7, 5])
    array([7, 7, 0, 0, 5])
    """
    array = check_labels(labels)
    pieces, owner = label_pieces(array, diagonal=diagonal)
    kept = np.zeros_like(owner)
    largest = _largest(pieces, owner)
    kept[largest] = owner[largest]
    return np.where(pieces > 0, kept[pieces], array)


def _largest(pieces: NDArray[np.int64], owner: NDArray) -> NDArray[np.int64]:
    """Return the number of the largest piece of each object."""
    area = np.bincount(pieces.ravel(), minlength=len(owner))[1:]
    order = np.lexsort((np.arange(len(area)), -area, owner[1:]))
    return order[np.unique(owner[1:][order], return_index=True)[1]] + 1


def _number_runs(array: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the runs of equal pixels along the last axis, and return where each starts in the flat array."""
    if not array.size:
        return np.zeros(array.shape, np.int64), np.zeros(0, np.int64)
    new = np.ones(array.shape, bool)
    new[..., 1:] = array[..., 1:] != array[..., :-1]
    return np.cumsum(new.ravel()).reshape(array.shape) - 1, np.flatnonzero(new.ravel())


def _neighbours(array: NDArray, runs: NDArray[np.int64], diagonal: bool) -> NDArray[np.int64]:
    """Return the pairs of runs, shape (2, n), that have one label and touch."""
    pairs = [np.zeros((2, 0), np.int64)]
    for offset in _offsets(array.ndim, diagonal):
        ahead = tuple(slice(max(s, 0), n + min(s, 0)) for s, n in zip(offset, array.shape, strict=True))
        behind = tuple(slice(max(-s, 0), n + min(-s, 0)) for s, n in zip(offset, array.shape, strict=True))
        same = (array[ahead] == array[behind]) & (array[ahead] > 0)
        found = np.stack([runs[ahead][same], runs[behind][same]])
        if found.shape[1]:
            fresh = np.any(found[:, 1:] != found[:, :-1], axis=0)
            found = found[:, np.concatenate([[True], fresh])]
        pairs.append(found)
    return np.concatenate(pairs, axis=1)


def _join(pairs: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the connected component of each of n nodes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not n:
        return np.zeros(0, np.int64)
    graph = coo_array((np.ones(pairs.shape[1], bool), (pairs[0], pairs[1])), shape=(n, n))
    return connected_components(graph, directed=False)[1]


def _offsets(ndim: int, diagonal: bool) -> list[tuple[int, ...]]:
    """Return one of each pair of opposite steps to a neighbour, without those along the last axis alone."""
    structure = np.argwhere(_structure(ndim, diagonal)) - 1
    steps = [tuple(int(s) for s in step) for step in structure]
    return [step for step in steps if step > (0,) * ndim and any(step[:-1])]


def _structure(ndim: int, diagonal: bool) -> NDArray[np.bool_]:
    """Return the neighbourhood of a pixel, 3 wide along each axis."""
    from scipy import ndimage

    if ndim == 0:
        raise ParameterError("a single number has no neighbours; expected an array")
    return ndimage.generate_binary_structure(ndim, ndim if diagonal else 1)
