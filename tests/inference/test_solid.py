import numpy as np
import pytest

from teasel.errors import ModelError, ParameterError
from teasel.geometry import VoxelSize
from teasel.images import open_image
from teasel.inference import solid
from teasel.inference.fusion import fuse_views
from teasel.inference.part import find_diameter, open_part
from teasel.inference.solid import segment_stack, views_of
from teasel.inference.stack import Stack, find_anisotropy
from teasel.inference.views import View
from teasel.labels.metrics.matching import average_precision
from teasel.models import ModelSpec
from teasel.representations import build
from tests.oracle import oracle
from tests.synthetic import discs


@pytest.fixture(scope="module")
def balls():
    return discs((72, 80, 84), 14, 10, seed=2)


def stack_of(labels, anisotropy=1.0):
    image = open_image((labels > 0).astype(np.uint8), axes="zyx")
    return Stack.of(image, {}, (), (0, 100), anisotropy)


@pytest.mark.parametrize("every", [1, 2, 4])
def test_objects_are_found_whatever_the_distance_of_planes(balls, every):
    labels = balls[every // 2 :: every]
    found = segment_stack(oracle(), stack_of(labels, every), 1.0)
    assert found.labels.shape == labels.shape
    assert found.labels.dtype == np.uint32
    assert len(found.scores) == found.labels.max()
    assert average_precision([labels], [found.labels], [0.6])[0] > 0.92


def test_thick_planes_still_give_one_object_each(balls):
    labels = balls[5::10]
    found = segment_stack(oracle(), stack_of(labels, 10.0), 1.0)
    assert average_precision([labels], [found.labels], [0.5])[0] > 0.85


def test_blocks_give_the_objects_of_the_whole(balls, monkeypatch):
    wide = np.concatenate([balls[:40], np.where(balls[:40] > 0, balls[:40] + 14, 0)], 2)
    whole = segment_stack(oracle(), stack_of(wide), 1.0)
    monkeypatch.setattr(solid, "BLOCK_VX", 60)
    ticks = []
    pieces = segment_stack(oracle(), stack_of(wide), 1.0, progress=lambda done, total: ticks.append(done / total))
    assert average_precision([whole.labels], [pieces.labels], [0.8])[0] > 0.96
    assert len(pieces.scores) == pieces.labels.max()
    assert ticks == sorted(ticks)
    assert ticks[-1] == 1


def test_a_few_planes_are_looked_at_from_above_alone(balls):
    assert views_of((3, 80, 84), (1.0, 1.0, 1.0)) == (0,)
    labels = balls[34:37]
    found = segment_stack(oracle(), stack_of(labels), 1.0)
    assert average_precision([labels], [found.labels], [0.5])[0] > 0.7


@pytest.mark.parametrize("value", [0, 7])
def test_nothing_is_found_in_an_even_stack(value):
    found = segment_stack(oracle(), stack_of(np.full((20, 40, 40), value)), 1.0)
    assert found.labels.max() == 0
    assert len(found.scores) == 0


def test_a_view_that_is_not_sure_does_not_spoil_the_others():
    shape = (1, 1, 1)
    sure = View(0, np.full(shape, 0.95, np.float32), *np.zeros((2, *shape), np.float32), np.full((2, *shape), 0.7))
    lost = View(1, np.full(shape, 0.45, np.float32), *np.zeros((2, *shape), np.float32), np.full((2, *shape), -0.1))
    fused = fuse_views([sure, lost])
    assert fused.foreground > 0.85
    assert fused.flow[2] > 0.6  # x: both have a say
    assert fused.flow[1] == pytest.approx(0.7, abs=0.01)  # y: the first alone
    assert 0 < fused.accord < 1
    with pytest.raises(ParameterError, match="no views"):
        fuse_views([])


def test_sizes_are_those_of_objects_not_of_their_sections(balls):
    part = open_part(open_image((balls > 0).astype(np.uint8), axes="zyx"), {}, (), oracle(), 1.0)
    assert find_diameter(oracle(), part) == pytest.approx(21, rel=0.25)


def test_the_distance_of_planes_is_never_guessed():
    image = open_image(np.zeros((4, 8, 8), np.uint8), axes="zyx")
    with pytest.raises(ParameterError, match="--anisotropy"):
        find_anisotropy(image, None)
    sized = open_image(np.zeros((4, 8, 8), np.uint8), axes="zyx", voxel_size_um=VoxelSize(0.6, 0.2, 0.2))
    ratio, notes = find_anisotropy(sized, None)
    assert ratio == pytest.approx(3)
    assert "3 pixel widths apart (from the voxel size)" in notes[0]
    with pytest.raises(ParameterError, match=r"expected 0\.1 to 30"):
        find_anisotropy(sized, 50)


def test_models_of_other_representations_are_refused():
    spec = ModelSpec("rays", "Stars.", build("star", {}), {"name": "unet", "params": {}})
    model = type(oracle())("rays", spec, "0" * 64, "onnx", "f32", 1, lambda batch: {})
    with pytest.raises(ModelError, match="predicts 'star'"):
        segment_stack(model, stack_of(np.zeros((4, 8, 8), np.uint8)), 1.0)
