import numpy as np
import pytest
import tifffile

from teasel.training.data import Item
from teasel.training.folders import read_sets
from teasel.training.planes import judged_planes
from tests.synthetic import discs


@pytest.fixture
def folder(tmp_path):
    """One stack with two annotated planes, one of them in part, and one picture."""
    balls = discs((30, 64, 64), 6, 9, seed=1)
    labels = np.full(balls.shape, -1, np.int16)
    labels[10] = balls[10]
    labels[20, :32] = balls[20, :32]
    for part in ("images", "labels"):
        (tmp_path / "set" / part).mkdir(parents=True)
    stack = (balls > 0).astype(np.uint8) * 200
    tifffile.imwrite(tmp_path / "set/images/a.tif", stack, imagej=True, metadata={"axes": "ZYX"})
    np.save(tmp_path / "set/labels/a.npy", labels)
    tifffile.imwrite(tmp_path / "set/images/b.tif", stack[10])
    np.save(tmp_path / "set/labels/b.npy", balls[10])
    (tmp_path / "set/split.csv").write_text("id,split\na,train\nb,train\n", "utf-8")
    return tmp_path / "set", labels


def test_annotated_planes_of_a_stack_become_pictures(folder):
    path, labels = folder
    training, validation = (list(judged_planes(items)) for items in read_sets([path]))
    assert [item.name for item in training] == ["set/a/z10", "set/a/z20", "set/b"]
    assert validation == []
    assert all(item.image.shape == (1, 64, 64) for item in training)
    np.testing.assert_array_equal(training[1].labels, labels[20])
    assert (training[1].labels[32:] == -1).all()
    assert training[0].diameter_px == pytest.approx(training[2].diameter_px)


def test_a_stack_without_annotation_gives_nothing():
    empty = Item("a", np.zeros((1, 3, 8, 8), np.float32), np.full((3, 8, 8), -1, np.int32), float("nan"))
    assert list(judged_planes([empty])) == []
