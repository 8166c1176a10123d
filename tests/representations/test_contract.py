"""What every representation promises, asked of each one that is found, in two and three dimensions."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from teasel.errors import ShapeError
from teasel.representations import Representation, build, names
from tests.synthetic import random_labels, touching

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in names()},
    "star of stride 2": ("star", {"stride": 2}),
    "distance as in Mesmer": ("distance", {"centre": "inner", "border": "outer"}),
    "affinity by connected components": ("affinity", {"method": "connected"}),
}
ROUND = {"affinity": 1.0, "affinity by connected components": 1.0, "distance": 0.99}
"""Least IoU of round objects after a round trip; 0.85 for those not named (rays are few, grids coarse)."""
TOUCHING = {"affinity": 1.0, "affinity by connected components": 1.0, "hybrid": 0.7}
"""Least median IoU of angular objects that touch; 0.8 for those not named."""
PITCH = {"flow": 8}
"""Pixels from one to the next of very many squares, one pixel apart; 4 for those not named."""

SHAPES = {2: (120, 150), 3: (36, 52, 60)}
RADIUS = {2: 12.0, 3: 10.0}


@pytest.fixture(params=sorted(VARIANTS))
def variant(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=[2, 3])
def ndim(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def member(variant: str, ndim: int) -> Representation:
    made = build(*VARIANTS[variant])
    try:
        made.heads(ndim)
    except ShapeError:
        pytest.skip(f"{variant} does not do {ndim}D")
    return made


def balls(ndim: int, n: int = 4) -> NDArray[np.int32]:
    """Balls that neither touch each other nor the border, with centres between pixels."""
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPES[ndim]), indexing="ij"), -1)
    labels = np.zeros(SHAPES[ndim], np.int32)
    for label, place in enumerate(list(product((0.26, 0.72), repeat=2))[:n], start=1):
        centre = np.array((0.5, *place)[-ndim:]) * SHAPES[ndim]
        labels[((grid - centre) ** 2).sum(-1) < RADIUS[ndim] ** 2] = label
    return labels


def cluster(ndim: int, seed: int = 3) -> NDArray[np.int32]:
    """Cells that share borders, each in one piece (a piece cut off by rounding is background)."""
    labels = touching(SHAPES[ndim], seed, n=8 if ndim == 3 else 14)
    for label in range(1, int(labels.max()) + 1):
        parts, n = ndimage.label(labels == label)
        if n > 1:
            largest = np.argmax(np.bincount(parts.ravel())[1:]) + 1
            labels[(parts > 0) & (parts != largest)] = 0
    return labels


class TestFields:
    def test_encode_gives_what_heads_announce(self, member, ndim):
        shape = (41, 50) if ndim == 2 else (21, 30, 27)
        fields = member.encode(touching(shape, 1, n=4))
        heads = {head.name: head for head in member.heads(ndim)}
        assert set(fields) == set(heads)
        for name, field in fields.items():
            grid = tuple(-(-n // heads[name].stride) for n in shape)
            assert (field.shape, field.dtype) == ((heads[name].channels, *grid), np.float32), name

    def test_losses_exist(self, member, ndim):
        losses = pytest.importorskip("teasel.training.losses")
        assert {head.loss for head in member.heads(ndim)} <= set(losses.LOSSES)

    def test_unknown_pixels_have_no_target(self, member, ndim):
        labels = balls(ndim)
        corner = tuple(slice(0, n // 2) for n in labels.shape)
        labels[corner] = -1
        strides = {head.name: head.stride for head in member.heads(ndim)}
        for name, field in member.encode(labels).items():
            s = strides[name]
            inner = tuple(slice(0, (n // 2) // s - 1) for n in labels.shape)
            assert np.isnan(field[(slice(None), *inner)]).all(), name

    def test_reach_is_pixels(self, member, ndim):
        assert isinstance(member.reach(ndim), int)
        assert member.reach(ndim) > 0


class TestRoundTrip:
    def test_round_objects(self, member, variant, ndim, back, ious):
        labels = balls(ndim)
        decoded = back(member, labels)
        assert decoded.labels.max() == labels.max()
        assert ious(labels, decoded.labels).min() >= ROUND.get(variant, 0.85)

    def test_touching_objects(self, member, variant, ndim, back, ious):
        labels = cluster(ndim)
        decoded = back(member, labels)
        assert np.median(ious(labels, decoded.labels)) >= TOUCHING.get(variant, 0.8)

    def test_one_object(self, member, variant, ndim, back, ious):
        labels = balls(ndim, n=1)
        decoded = back(member, labels * 12)
        assert (decoded.labels.max(), len(decoded.scores)) == (1, 1)
        assert ious(labels, decoded.labels).min() >= ROUND.get(variant, 0.85)

    def test_empty_image(self, member, ndim, back):
        decoded = back(member, np.zeros(SHAPES[ndim], np.int32))
        assert not decoded.labels.any()
        assert (decoded.labels.dtype, decoded.scores.shape) == (np.uint32, (0,))

    def test_objects_cut_by_the_border(self, member, variant, ndim, back, ious):
        labels = balls(ndim, n=1)
        middle = tuple(slice((s.start + s.stop) // 2, None) for s in ndimage.find_objects(labels)[0])
        for cut in (middle[:1], middle[:2]):
            piece = np.ascontiguousarray(labels[cut])
            decoded = back(member, piece)
            assert ious(piece, decoded.labels).min() >= min(ROUND.get(variant, 0.8), 0.97)

    def test_thick_slices(self, member, variant, ndim, back, ious):
        labels = balls(ndim)[::3]
        spacing = (3.0,) + (1.0,) * (ndim - 1)
        if "stride" in VARIANTS[variant][1] or any(head.stride > 1 for head in member.heads(ndim)):
            pytest.skip("slices three times as thick leave coarse grids too few cells")
        decoded = back(member, labels, spacing)
        assert decoded.labels.max() == len(np.unique(labels)) - 1
        assert ious(labels, decoded.labels).min() >= min(ROUND.get(variant, 0.8), 0.97)

    def test_spacing_is_relative(self, member, ndim, back):
        labels = balls(ndim)
        one, other = (back(member, labels, (edge,) * ndim) for edge in (1.0, 0.25))
        assert np.array_equal(one.labels, other.labels)

    def test_ids_beyond_16_bits(self, member, ndim, back):
        labels = balls(ndim)
        ids = np.array([0, 65536, 70000, 5_000_000, 65535, 1, 99999, 3])[: labels.max() + 1]
        a, b = back(member, labels), back(member, ids[labels])
        assert np.array_equal(a.labels, b.labels)

    def test_more_than_65535_objects(self, variant, back):
        name, params = VARIANTS[variant]
        member = build(name, params)
        if any(head.stride > 1 for head in member.heads(2)):
            pytest.skip("objects of 3 pixels are too small for a coarse grid")
        member = build(name, {**params, "min_area_px": 1})
        side, pitch = 257, PITCH.get(variant, 4)
        tile = np.zeros((pitch, pitch), bool)
        tile[:-1, :-1] = True
        labels = np.kron(np.arange(1, side**2 + 1).reshape(side, side), tile).astype(np.int32)
        decoded = back(member, labels)
        assert decoded.labels.max() == side**2 > 65535
        assert len(decoded.scores) == side**2


class TestResult:
    def test_renumbered_labels_give_the_same_objects(self, member, ndim, back):
        labels = cluster(ndim)
        order = np.random.default_rng(0).permutation(labels.max()) + 7
        renumbered = np.concatenate([[0], order])[labels]
        a, b = back(member, labels), back(member, renumbered)
        assert np.array_equal(a.labels, b.labels)
        assert np.array_equal(a.scores, b.scores)

    def test_same_input_same_output_and_input_unchanged(self, member, ndim, prediction):
        labels = cluster(ndim)
        kept = labels.copy()
        fields = _noisy(prediction(member, labels), 0)
        before = {name: field.copy() for name, field in fields.items()}
        a, b = member.decode(fields), member.decode(fields)
        assert np.array_equal(a.labels, b.labels)
        assert np.array_equal(a.scores, b.scores)
        assert np.array_equal(labels, kept)
        assert all(np.array_equal(fields[name], before[name]) for name in fields)

    @pytest.mark.parametrize("noise", [0.0, 0.3, 3.0])
    def test_labels_are_whole_and_scores_probabilities(self, member, ndim, prediction, noise):
        labels = random_labels(tuple(n // 2 * 2 for n in SHAPES[ndim]), 12, seed=5)
        decoded = member.decode(_noisy(prediction(member, labels), 1, noise))
        assert decoded.labels.dtype == np.uint32
        assert decoded.scores.dtype == np.float32
        n = len(decoded.scores)
        assert set(np.unique(decoded.labels)) - {0} == set(range(1, n + 1))
        assert ((decoded.scores >= 0) & (decoded.scores <= 1)).all()
        for label, box in enumerate(ndimage.find_objects(decoded.labels.astype(np.int32)), start=1):
            own = np.pad(decoded.labels[box] == label, 1)
            assert ndimage.label(own)[1] == 1, f"object {label} is in pieces"
            holes, n_holes = ndimage.label(ndimage.binary_fill_holes(own) & ~own)
            others = np.pad(decoded.labels[box], 1)
            for hole in range(1, n_holes + 1):
                assert others[holes == hole].any(), f"object {label} has a hole"

    def test_truth_scores_high(self, member, ndim, back):
        assert back(member, balls(ndim)).scores.min() > 0.5

    def test_tiled_equals_whole(self, variant, prediction):
        member = build(*VARIANTS[variant])
        labels = touching((96, 640), 11, n=110)
        fields = _noisy(prediction(member, labels), 2, 0.05)
        strides = {head.name: head.stride for head in member.heads(2)}
        reach, middle = -(-member.reach(2) // 8) * 8, 320
        left = {k: v[..., : (middle + reach) // strides[k]] for k, v in fields.items()}
        right = {k: v[..., (middle - reach) // strides[k] :] for k, v in fields.items()}
        whole = member.decode(fields)
        a, b = member.decode(left), member.decode(right)
        for label, box in enumerate(ndimage.find_objects(whole.labels.astype(np.int32)), start=1):
            x = box[1]
            if x.start < middle < x.stop:
                continue
            part, shift = (a, 0) if x.stop <= middle else (b, middle - reach)
            mask = whole.labels == label
            where = mask[:, shift : shift + part.labels.shape[1]]
            found = np.unique(part.labels[where])
            assert len(found) == 1, f"object {label} differs"
            assert np.array_equal(part.labels == found[0], where), f"object {label} differs"
            assert part.scores[found[0] - 1] == pytest.approx(whole.scores[label - 1], abs=1e-6)


def _noisy(fields: dict[str, NDArray[np.float32]], seed: int, noise: float = 0.1) -> dict[str, NDArray[np.float32]]:
    """Smooth noise on every field; probabilities stay in [0, 1]."""
    rng = np.random.default_rng(seed)
    result = {}
    for name, field in fields.items():
        rough = ndimage.gaussian_filter(rng.normal(size=field.shape), (0,) + (1,) * (field.ndim - 1))
        value = field + (noise * rough / max(float(rough.std()), 1e-9)).astype(np.float32)
        probability = field.min() >= 0 and field.max() <= 1
        result[name] = np.clip(value, 0, 1) if probability else value
    return result
