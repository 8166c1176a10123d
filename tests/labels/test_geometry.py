"""Pieces, holes, contacts, outlines and contours of label images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from teasel.errors import ShapeError
from teasel.labels import (
    connected_labels,
    contours,
    fill_holes,
    is_connected,
    keep_largest,
    label_pieces,
    outline_mask,
    relabel,
    split_disconnected,
    touches_border,
    touching_pairs,
)
from tests.synthetic import discs, random_labels, touching, tubes

SHAPES = [(57,), (40, 50), (12, 30, 25), (3, 5, 12, 14)]


@pytest.fixture(params=range(len(SHAPES)), ids=lambda i: f"{len(SHAPES[i])}D")
def labels(request) -> np.ndarray:
    array = random_labels(SHAPES[request.param], 12, seed=request.param)
    array[np.random.default_rng(0).random(array.shape) < 0.1] = 0  # some objects in pieces
    array.flat[:3] = -1
    array.setflags(write=False)  # a function that changes its input fails
    return array


def _pieces_reference(labels: np.ndarray, diagonal: bool) -> np.ndarray:
    """Number the pieces object by object."""
    structure = ndimage.generate_binary_structure(labels.ndim, labels.ndim if diagonal else 1)
    result, n = np.zeros(labels.shape, int), 0
    for label in np.unique(labels[labels > 0]):
        pieces, found = ndimage.label(labels == label, structure)
        result[pieces > 0] = pieces[pieces > 0] + n
        n += found
    return result


@pytest.mark.parametrize("diagonal", [False, True])
def test_pieces_equal_the_reference(labels, diagonal) -> None:
    pieces, owner = label_pieces(labels, diagonal=diagonal)
    reference = _pieces_reference(labels, diagonal)
    pairs = np.unique(np.stack([pieces.ravel(), reference.ravel()]), axis=1)
    assert len(owner) - 1 == reference.max() == pairs.shape[1] - 1  # one to one, background included
    assert np.array_equal(owner[pieces], np.maximum(labels, 0))
    firsts = [np.flatnonzero(pieces.ravel() == k)[0] for k in range(1, len(owner))]
    assert firsts == sorted(firsts)


def test_split_and_keep(labels) -> None:
    split, kept = split_disconnected(labels), keep_largest(labels)
    assert is_connected(split)
    assert is_connected(kept)
    assert not is_connected(labels)
    assert np.array_equal(split > 0, labels > 0)
    assert np.array_equal(kept[kept > 0], labels[kept > 0])
    assert set(np.unique(kept)) == set(np.unique(labels))
    assert np.array_equal(split[kept > 0], kept[kept > 0])  # the largest piece keeps its name
    assert np.array_equal(split == -1, labels == -1)


def test_split_grows_the_type_when_needed() -> None:
    labels = np.array([255, 0, 255], np.uint8)
    split = split_disconnected(labels)
    assert split.tolist() == [255, 0, 256]
    assert split.dtype == np.uint16


def test_connected_labels_keeps_corners_apart_unless_asked() -> None:
    mask = np.eye(3, dtype=bool)
    assert connected_labels(mask).max() == 3
    assert connected_labels(mask, diagonal=True).max() == 1


def test_relabel_keeps_order_and_says_what_became_what(labels) -> None:
    renamed, mapping = relabel(labels)
    ids = sorted(mapping)
    assert [mapping[i] for i in ids] == list(range(1, len(ids) + 1))
    for old, new in mapping.items():
        assert np.array_equal(labels == old, renamed == new)
    assert np.array_equal(labels == -1, renamed == -1)
    assert renamed.dtype == labels.dtype


def test_relabel_from_another_start() -> None:
    renamed, mapping = relabel(np.array([0, 9, 4], np.uint8), start=300)
    assert renamed.tolist() == [0, 301, 300]
    assert mapping == {4: 300, 9: 301}
    assert renamed.dtype == np.uint16


@pytest.mark.parametrize("shape", [(0,), (0, 5), (4, 0, 3)])
def test_images_without_pixels(shape) -> None:
    empty = np.zeros(shape, np.int32)
    assert label_pieces(empty)[0].shape == shape
    assert split_disconnected(empty).shape == shape
    assert relabel(empty)[0].shape == shape
    assert outline_mask(empty).shape == shape
    assert fill_holes(empty).shape == shape
    assert len(touching_pairs(empty)[0]) == 0
    assert len(touches_border(empty)) == 0


def test_outline_is_where_a_neighbour_differs() -> None:
    labels = touching((40, 50), 0)
    padded = np.pad(labels, 1, mode="edge")
    shifted = [padded[1:-1, 2:], padded[1:-1, :-2], padded[2:, 1:-1], padded[:-2, 1:-1]]
    expected = (labels > 0) & np.any([labels != other for other in shifted], axis=0)
    assert np.array_equal(outline_mask(labels), expected)


def test_outline_leaves_the_border_to_unjudged_pixels_open() -> None:
    assert outline_mask([-1, 1, 1, 0]).tolist() == [False, False, True, False]


def test_contacts_in_a_volume() -> None:
    labels = np.zeros((2, 2, 2), int)
    labels[0], labels[1, 0], labels[1, 1] = 5, 2, 9
    pairs, faces = touching_pairs(labels)
    assert pairs.tolist() == [[2, 5], [2, 9], [5, 9]]
    assert faces.tolist() == [2, 2, 2]


def test_border_touching_with_margin() -> None:
    labels = np.zeros((9, 9), int)
    labels[4, 4], labels[1, 4], labels[8, 8] = 1, 2, 3
    assert touches_border(labels).tolist() == [3]
    assert touches_border(labels, margin_px=1).tolist() == [2, 3]
    assert touches_border(labels[None]).tolist() == [3]  # an axis of length 1 has no border


def test_fill_leaves_enclosed_objects_and_shared_holes() -> None:
    labels = np.zeros((9, 14), int)
    labels[1:8, 1:8] = 1
    labels[2:7, 2:7] = 0
    labels[4, 4] = 2  # an object inside the hole of 1
    labels[1:8, 9:13] = 3
    labels[4:8, 9:13] = 4
    labels[3:5, 10:12] = 0  # a hole that 3 and 4 only enclose together
    filled = fill_holes(labels)
    assert np.sum(filled == 1) == 48
    assert filled[4, 4] == 2
    assert np.array_equal(filled[:, 9:], labels[:, 9:])
    assert np.array_equal(fill_holes(labels[None])[0], filled)


def test_fill_gives_a_hole_to_the_innermost_object() -> None:
    labels = np.ones((9, 9), int)
    labels[1:8, 1:8] = 0
    labels[2:7, 2:7] = 5
    labels[3:6, 3:6] = 0
    filled = fill_holes(labels)
    assert np.sum(filled == 5) == 25
    assert np.sum(filled == 1) == 81 - 25


def test_fill_in_a_volume_closes_cavities_not_tunnels() -> None:
    shell = np.full((5, 5, 5), 7, np.uint8)
    shell[2, 2, 2] = 0
    tunnel = np.full((5, 5, 5), 7, np.uint8)
    tunnel[:, 2, 2] = 0
    assert fill_holes(shell).min() == 7
    assert np.array_equal(fill_holes(tunnel), tunnel)


def _paint(polygons: dict, shape: tuple[int, int]) -> np.ndarray:
    """Read label images back from contours, by counting ring crossings left of each pixel centre."""
    labels = np.zeros(shape, int)
    for label, parts in polygons.items():
        for part in parts:
            crossings = np.zeros((shape[0], shape[1] + 1), int)
            for ring in (part.exterior, *part.holes):
                for (y0, x0), (y1, x1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
                    assert (y0 == y1) != (x0 == x1)  # along pixel edges, no step without length
                    if x0 == x1:
                        crossings[min(y0, y1) : max(y0, y1), x0] += 1
            inside = np.cumsum(crossings, axis=1)[:, :-1] % 2 == 1
            assert not np.any(inside & (labels > 0))
            labels[inside] = label
    return labels


@pytest.mark.parametrize("seed", range(6))
def test_contours_painted_give_the_labels_back(seed) -> None:
    for labels in (random_labels((30, 34), 9, seed), touching((30, 34), seed), tubes((40, 40), 3, 2, seed)):
        polygons = contours(labels)
        assert list(polygons) == sorted(np.unique(labels[labels > 0]))
        assert np.array_equal(_paint(polygons, labels.shape), labels)
        for parts in polygons.values():
            for ring in (ring for part in parts for ring in (part.exterior, *part.holes)):
                assert len(np.unique(ring, axis=0)) == len(ring)


def test_contours_of_noise_are_simple_rings() -> None:
    labels = np.random.default_rng(0).integers(0, 3, (25, 25))
    assert np.array_equal(_paint(contours(labels), labels.shape), labels)


def test_contours_of_a_ring_closed_by_a_corner() -> None:
    ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0]])
    (part,) = contours(ring)[1]
    assert len(part.holes) == 1  # not one ring that meets itself at the corner
    assert part.holes[0].tolist() == [[1, 1], [2, 1], [2, 2], [1, 2]]


def test_contours_are_for_planes() -> None:
    with pytest.raises(ShapeError, match="planes"):
        contours(np.zeros((2, 3, 4), int))
    assert contours(np.zeros((3, 4), int)) == {}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_renaming_objects_renames_pieces_and_outlines(seed) -> None:
    labels = random_labels((16, 17), 6, seed)
    other = np.where(labels > 0, 1000 - labels, 0)
    assert np.array_equal(label_pieces(labels)[0], label_pieces(other)[0])
    assert np.array_equal(outline_mask(labels), outline_mask(other))
    assert np.array_equal(fill_holes(labels) > 0, fill_holes(other) > 0)


def test_discs_of_the_synthetic_set_stay_apart() -> None:
    assert len(touching_pairs(discs((20, 60, 60), 12, 6, 0))[0]) == 0
