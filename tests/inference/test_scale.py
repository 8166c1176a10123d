from dataclasses import replace

import numpy as np
import pytest

from teasel.errors import ModelError
from teasel.inference import Plane, estimate_diameter
from teasel.inference.scale import Seen, network_scale
from tests.oracle import oracle
from tests.synthetic import discs


@pytest.mark.parametrize("radius", [4, 12, 30])
def test_the_diameter_of_discs_is_found(radius):
    image = (discs((30 * radius, 34 * radius), 40, radius, seed=0) > 0).astype(np.float32)[None]
    found = estimate_diameter(oracle(), Plane.of_array(image, (0, 100)))
    assert found == pytest.approx(2 * radius, rel=0.15)


def test_each_object_counts_once_whatever_its_area():
    labels = np.zeros((500, 500), np.int32)
    labels[:, :250] = discs((500, 250), 60, 8, seed=2)
    labels[:, 260:] = discs((500, 240), 12, 20, seed=3)
    image = (labels > 0).astype(np.float32)[None]
    found = estimate_diameter(oracle(), Plane.of_array(image, (0, 100)))
    assert found == pytest.approx(16, rel=0.2)


def test_an_empty_plane_has_no_diameter():
    assert estimate_diameter(oracle(), Plane.of_array(np.zeros((1, 80, 90), np.uint8), (1, 99.8))) is None


def test_a_model_without_sizes_says_so():
    model = oracle()
    from dataclasses import replace

    from teasel.representations import build

    blind = replace(model, spec=replace(model.spec, representation=build("flow", {})))
    with pytest.raises(ModelError, match="give the diameter"):
        estimate_diameter(blind, Plane.of_array(np.zeros((1, 80, 90), np.uint8), (1, 99.8)))


@pytest.mark.parametrize(("diameter", "scale"), [(24, 1), (26, 1), (12, 2), (48, 0.5), (1, 4), (1e5, 1 / 16)])
def test_scales_are_half_octaves_within_bounds(diameter, scale):
    assert network_scale(diameter, oracle()) == pytest.approx(scale)


def test_a_model_that_leans_to_its_own_size_is_asked_again():
    """Sizes predicted half-way between the truth and the trained size still lead to the truth."""
    image = (discs((400, 420), 12, 14, seed=3) > 0).astype(np.uint8)
    exact = oracle()

    def leaning(batch):
        fields = exact.run(batch)
        return fields | {"size": fields["size"] / 2}

    plane = Plane.of_array(image[None], (0, 100))
    errors = []
    for trusted in (0.75, 0.2):
        model = replace(exact, opened=leaning, spec=replace(exact.spec, trusted_octaves=trusted))
        errors.append(abs(np.log2(estimate_diameter(model, plane) / 28)))
    assert errors[0] > 0.25
    assert errors[1] < 0.25


@pytest.mark.parametrize(("edge", "expected"), [(60, 17.5), (400, 35.0)])
def test_a_plane_with_room_for_few_objects_is_searched_for_smaller_ones(monkeypatch, edge, expected):
    """In a tiny crop a cluster may pose as one object: then the size at which most objects are believed wins."""
    monkeypatch.setattr("teasel.inference.scale._measure", lambda *_: Seen(30.0, 35.0, 40.0, 0.95))
    monkeypatch.setattr("teasel.inference.scale._belief", lambda _, __, d: {35.0: 1.0, 17.5: 4.0, 8.75: 2.0}[d])
    plane = Plane.of_array(np.eye(edge, dtype=np.uint8)[None], (0, 100))
    assert estimate_diameter(oracle(), plane) == expected


@pytest.mark.parametrize(
    ("far", "near", "expected"),
    [
        (Seen(28, 30, 32, 0.69), Seen(18, 20, 22, 0.85), 20),  # a few unsure specks, and what they are part of
        (Seen(28, 30, 32, 0.69), Seen(18, 20, 22, 0.60), 30),
        (Seen(28, 30, 32, 0.95), Seen(18, 20, 22, 0.99), 30),  # sure enough: nobody looks closer
        (Seen(28, 30, 32, 0.69), None, 30),
        (None, Seen(18, 20, 22, 0.60), 20),
        (None, None, None),
    ],
)
def test_where_nothing_sure_is_seen_from_afar_one_looks_closer(monkeypatch, far, near, expected):
    monkeypatch.setattr("teasel.inference.scale._measure", lambda _, __, scale: far if scale == 0.5 else near)
    plane = Plane.of_array(np.eye(400, dtype=np.uint8)[None], (0, 100))
    assert estimate_diameter(oracle(), plane) == expected


@pytest.mark.parametrize(
    ("trusted", "far_px", "own_px", "expected"), [(0.2, 36, 20, 20), (0.2, 30, 15, 30), (0.75, 36, 18, 36)]
)
def test_a_model_that_leans_is_believed_from_near_if_it_contradicts_itself(
    monkeypatch, trusted, far_px, own_px, expected
):
    """Packed small cells look like a texture of large ones from afar; sizes twice as large there tell nothing."""
    far, near = Seen(far_px - 2, far_px, far_px + 2, 0.95), Seen(18, 20, 22, 0.9)
    looks = {0.5: far}
    monkeypatch.setattr("teasel.inference.scale._measure", lambda _, __, scale: looks.get(scale, near))
    model = replace(oracle(), spec=replace(oracle().spec, trusted_octaves=trusted, object_diameter_px=float(own_px)))
    assert estimate_diameter(model, Plane.of_array(np.eye(400, dtype=np.uint8)[None], (0, 100))) == expected
