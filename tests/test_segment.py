import numpy as np
import pytest

from teasel import segment
from teasel.errors import ParameterError
from teasel.images import open_image
from teasel.labels.metrics.matching import average_precision
from tests.oracle import oracle
from tests.synthetic import discs


@pytest.fixture
def picture():
    return (discs((200, 260), 14, 12, seed=5) > 0).astype(np.uint8) * 200


def test_labels_scores_and_table_agree(picture):
    before = picture.copy()
    found = segment(picture, oracle())
    n = len(found.scores)
    assert n == 14 == found.labels.max() == len(found.objects)
    assert found.labels.dtype == np.uint32
    assert found.labels.shape == picture.shape
    np.testing.assert_array_equal(found.objects["area_px"], np.bincount(found.labels.ravel())[1:])
    y, x = np.nonzero(found.labels == 3)
    assert found.objects["centroid_y_px"][2] == pytest.approx(y.mean())
    assert found.objects["centroid_x_px"][2] == pytest.approx(x.mean())
    edge = np.unique(np.concatenate([found.labels[0], found.labels[-1], found.labels[:, 0], found.labels[:, -1]]))
    np.testing.assert_array_equal(found.objects["label"][found.objects["touches_border"]], edge[edge > 0])
    assert found.diameter_source == "estimated"
    assert found.diameter_px == pytest.approx(24, rel=0.1)
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    np.testing.assert_array_equal(picture, before)


def test_a_given_diameter_is_used(picture):
    found = segment(picture, oracle(), diameter_px=48)
    assert (found.diameter_source, found.diameter_px, found.parameters["scale"]) == ("given", 48, 0.5)


@pytest.mark.parametrize("diameter", [0, -3, np.nan, np.inf])
def test_an_impossible_diameter_is_refused(picture, diameter):
    with pytest.raises(ParameterError, match="above 0"):
        segment(picture, oracle(), diameter_px=diameter)


def test_several_channels_need_a_choice(picture):
    stack = np.stack([np.zeros_like(picture), picture])
    with pytest.raises(ParameterError, match=r"0, 1; choose one with --channel"):
        segment(stack, oracle(), axes="cyx")
    assert segment(stack, oracle(), axes="cyx", channel=1).labels.max() == 14
    with pytest.raises(ParameterError, match="no channel 5"):
        segment(stack, oracle(), axes="cyx", channel=5)


def test_channels_have_names(picture):
    from dataclasses import replace

    image = replace(open_image(np.stack([picture * 0, picture]), axes="cyx"), channel_names=("GFP", "DAPI"))
    with pytest.raises(ParameterError, match=r"0 \(GFP\), 1 \(DAPI\)"):
        segment(image, oracle())
    assert segment(image, oracle(), channel="DAPI").labels.max() == 14


def test_a_stain_saved_as_a_colour_is_used_alone(picture):
    colour = np.stack([picture * 0, picture * 0, picture], -1)
    found = segment(colour, oracle())
    assert found.labels.max() == 14
    assert "blue" in found.notes[-1]


def test_stacks_need_the_distance_of_planes_or_a_plane_or_a_projection(picture):
    stack = np.stack([picture * 0, picture, picture * 0])
    with pytest.raises(ParameterError, match=r"--anisotropy .* --z max"):
        segment(stack, oracle(), axes="zyx")
    assert segment(stack, oracle(), axes="zyx", z="max").labels.max() == 14
    assert segment(stack, oracle(), axes="zyx", z=1).labels.shape == picture.shape
    with pytest.raises(ParameterError, match="from 0 to 2"):
        segment(stack, oracle(), axes="zyx", z=3)


def test_stacks_give_objects_in_three_dimensions():
    balls = discs((48, 56, 60), 6, 10, seed=3)
    found = segment(np.stack([balls > 0, balls > 0]).astype(np.uint8), oracle(), axes="tzyx", anisotropy=1)
    assert found.labels.shape == (2, *balls.shape)
    assert average_precision([balls], [found.labels[0]], [0.5])[0] == 1
    assert found.objects.keys()[:5] == ["t", "label", "centroid_z_px", "centroid_y_px", "centroid_x_px"]
    assert len(found.scores) == 2 * 6 == found.labels.max()
    assert any("three dimensions" in note for note in found.notes)
    assert found.parameters["anisotropy"] == 1


def test_frames_have_objects_of_their_own(picture):
    found = segment(np.stack([picture, picture, picture * 0]), oracle(), axes="tyx")
    assert found.labels.shape == (3, *picture.shape)
    assert found.labels[1][found.labels[1] > 0].min() == 15
    np.testing.assert_array_equal(found.objects["t"], np.repeat([0, 1], 14))
    assert len(found.scores) == 28


@pytest.mark.parametrize("value", [0, 255])
def test_a_constant_image_has_no_objects(value):
    found = segment(np.full((70, 90), value, np.uint8), oracle())
    assert found.labels.max() == len(found.objects) == len(found.scores) == 0
    assert found.diameter_source == "not found"


def test_one_pixel_is_an_image():
    assert segment(np.zeros((1, 1), np.uint8), oracle()).labels.tolist() == [[0]]
