"""What single representations promise beyond the contract."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from teasel.errors import DataError, ParameterError, ShapeError
from teasel.representations.affinity import Affinity
from teasel.representations.distance import Distance, centrality, inner_distance
from teasel.representations.star import Star
from tests.synthetic import random_labels, touching, tubes


@pytest.mark.parametrize("shape", [(70, 90), (20, 30, 34)])
@pytest.mark.parametrize("method", ["mutex", "connected"])
def test_affinity_gives_any_connected_shape_back_exactly(shape, method, back):
    pieces = np.zeros(shape, np.int32)
    labels = tubes(shape, 5, 3.0, seed=4)
    for label in np.unique(labels[labels > 0]):
        parts, _ = ndimage.label(labels == label)
        pieces[parts > 0] = parts[parts > 0] + pieces.max()
    decoded = back(Affinity(method=method, min_area_px=1), pieces)
    filled = decoded.labels[pieces > 0]
    pairs = np.unique(np.stack([pieces[pieces > 0], filled]), axis=1)
    assert pairs.shape[1] == pieces.max() == decoded.labels.max()


def test_mutex_needs_all_evidence_where_connected_leaks(prediction):
    labels = np.zeros((40, 60), np.int32)
    labels[5:35, 5:30], labels[5:35, 30:55] = 1, 2
    fields = prediction(Affinity(), labels)
    fields["affinity"][1, 18:20, 29] = 1.0  # two wrong pixels in the wall between the objects
    assert Affinity(method="connected").decode(fields).labels.max() == 1
    fields["affinity"][1, 18:20, 29] = 0.9
    assert Affinity().decode(fields).labels.max() == 2


def test_star_rays_are_exact_to_the_pixel_face():
    labels = np.zeros((21, 31), np.int32)
    labels[5:16, 8:23] = 3
    rays = Star().encode(labels)["rays"][:, 10, 15]  # from the middle: 5.5 up and down, 7.5 left and right
    assert rays[[0, 8, 16, 24]].tolist() == pytest.approx([7.5, 5.5, 7.5, 5.5])
    assert rays[4] == pytest.approx(5.5 * np.sqrt(2))


def test_star_rays_count_units_of_length_in_thick_slices():
    labels = np.zeros((9, 33, 33), np.int32)
    labels[2:7, 9:24, 9:24] = 1
    star = Star(n_rays_volume=200)
    rays = star.encode(labels, (3.0, 1.0, 1.0))["rays"][:, 4, 16, 16]
    assert rays.min() == pytest.approx(7.5, abs=0.3)
    assert rays.max() == pytest.approx(7.5 * np.sqrt(3), rel=0.1)


def test_rays_that_leave_a_crop_are_unknown_and_those_of_cells_near_the_border_are_not_cast():
    labels = np.zeros((40, 40), np.int32)
    labels[10:30, :20] = 1
    star = Star(n_rays=4)  # +x, +y, -x, -y
    whole, crop = star.encode(labels)["rays"], star.encode_crop(labels)["rays"]
    assert whole[:, 20, 8].tolist() == [11.5, 9.5, 8.5, 10.5]
    np.testing.assert_array_equal(crop[:, 20, 8], [11.5, 9.5, np.nan, 10.5])
    assert np.isnan(whole[:, 10, 8]).all()


def test_the_more_probable_of_two_overlapping_stars_stays():
    prob = np.zeros((1, 40, 40), np.float32)
    prob[0, 20, 18], prob[0, 20, 24] = 0.8, 0.9
    fields = {"prob": prob, "rays": np.full((32, 40, 40), 8.0, np.float32)}
    decoded = Star().decode(fields)
    assert decoded.scores.tolist() == pytest.approx([0.9])
    assert decoded.labels[20, 24] == 1
    assert Star(nms_threshold=0.9).decode(fields).labels.max() == 2


def test_rays_that_are_no_numbers_are_refused():
    fields = {"prob": np.ones((1, 9, 9), np.float32), "rays": np.full((32, 9, 9), np.nan, np.float32)}
    with pytest.raises(DataError, match="NaN or infinity"):
        Star().decode(fields)


def test_centrality_is_one_at_the_deepest_pixel_of_each_object():
    labels = touching((60, 60), 2)
    depth = centrality(labels, (1.0, 1.0))
    assert [depth[labels == i].max() for i in np.unique(labels)[1:]] == [1.0] * (len(np.unique(labels)) - 1)
    assert not depth[labels == 0].any()


def test_an_object_that_fills_the_image_comes_back(back):
    labels = np.full((30, 30), 5, np.int32)
    for member in (Star(), Affinity(), Distance(), Distance(centre="inner", border="outer")):
        assert (back(member, labels).labels == 1).all()


def test_inner_distance_is_one_at_the_centroid_and_does_not_depend_on_size():
    labels = np.zeros((100, 60), np.int32)
    labels[3:12, 3:12], labels[30:79, 5:54] = 1, 2
    inner = inner_distance(labels, (1.0, 1.0), 1.0)
    assert inner[7, 7] == inner[54, 29] == 1.0
    assert inner[3, 7] == pytest.approx(1 / (1 + 4 / 9))
    assert inner[30, 29] == pytest.approx(1 / (1 + 24 / 49))


def test_ids_of_any_size():
    labels = random_labels((40, 40), 6, seed=1).astype(np.int64)
    large = np.where(labels > 0, labels + 2**40, 0)
    for member in (Star(), Affinity(), Distance(), Distance(centre="inner", border="outer")):
        a, b = member.encode(labels), member.encode(large)
        assert all(np.array_equal(a[name], b[name], equal_nan=True) for name in a)


@pytest.mark.parametrize("member", [Star(), Affinity(), Distance()])
def test_other_dimensions_and_spacings_are_refused(member):
    with pytest.raises(ShapeError, match="2 or 3"):
        member.heads(4)
    with pytest.raises(ShapeError, match="spacing"):
        member.encode(np.ones((5, 5), np.int32), (1.0, 1.0, 1.0))
    with pytest.raises(ParameterError, match="above 0"):
        member.encode(np.ones((5, 5), np.int32), (1.0, 0.0))
