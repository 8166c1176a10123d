import numpy as np
import pytest

from teasel.inference import Plane, blocks, segment_plane
from teasel.inference.owners import cut_blocks
from teasel.inference.resample import labels_to, resize
from teasel.labels.metrics.matching import average_precision
from tests.oracle import oracle
from tests.synthetic import discs


@pytest.fixture
def labels():
    return discs((500, 620), 120, 11, seed=4)


def plane_of(labels):
    return Plane.of_array((labels > 0).astype(np.uint8)[None], (0, 100))


def test_blocks_give_the_objects_of_the_whole(labels, monkeypatch):
    whole = segment_plane(oracle(), plane_of(labels), 1.0)
    monkeypatch.setattr(blocks, "BLOCK_PX", 128)
    pieces = segment_plane(oracle(), plane_of(labels), 1.0, tile_px=160)
    assert len(cut_blocks(labels.shape, (128, 128), (96, 96))) > 4
    assert len(pieces.scores) == len(whole.scores) == pieces.labels.max()
    assert average_precision([whole.labels], [pieces.labels], [0.95])[0] == 1
    assert average_precision([labels], [whole.labels], [0.9])[0] == 1


def test_cores_cover_the_plane_once():
    count = np.zeros((501, 333), int)
    for block in cut_blocks(count.shape, (100, 100), (20, 20)):
        (y0, y1), (x0, x1) = block.core
        count[y0:y1, x0:x1] += 1
        (a0, a1), (b0, b1) = block.area
        assert a0 <= y0 < y1 <= a1
        assert b0 <= x0 < x1 <= b1
    assert (count == 1).all()


def disc():
    y, x = np.mgrid[-40:40, -40:40]
    return (y * y + x * x < 121).astype(np.int32)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_labels_come_back_on_the_image_grid(scale):
    labels = np.pad(np.kron(np.arange(1, 13).reshape(3, 4), disc()), 30)  # far enough apart to stay so at half size
    found = segment_plane(oracle(), plane_of(labels), scale)
    assert found.labels.shape == labels.shape
    assert average_precision([labels], [found.labels], [0.75])[0] > 0.98


def test_labels_change_grid_and_keep_their_numbers():
    labels = np.zeros((20, 20), np.uint32)
    labels[2:9, 3:10], labels[9:15, 3:10] = 4, 7
    larger = labels_to(labels, (labels > 0).astype(np.float32), (60, 60))
    assert set(np.unique(larger)) == {0, 4, 7}
    assert labels_to(larger, None, (20, 20)).tolist() == labels.tolist()
    assert labels_to(labels, None, (20, 20)) is labels


def test_resizing_averages_where_it_shrinks():
    image = np.zeros((1, 64, 64), np.float32)
    image[0, ::2] = 1
    np.testing.assert_allclose(resize(image, (16, 16))[0, 4:12], 0.5, atol=0.05)
