import numpy as np
import pytest

from teasel.representations import build
from teasel.training.augment import Compose, standard
from teasel.training.crops import CropSampler, cluster, warp
from teasel.training.data import Item, median_diameter
from tests.synthetic import discs, render


def item(seed, radius=9, shape=(200, 230), name="set/a"):
    labels = discs(shape, 25, radius, seed)
    return Item(name, render(labels, seed)[None].astype(np.float32), labels, median_diameter(labels))


def sampler(items, augmentation=None, seed=0):
    return CropSampler(
        items,
        build("hybrid", {}),
        crop_px=96,
        diameter_px=24.0,
        channels=3,
        augmentation=augmentation or standard(),
        seed=seed,
    )


def test_a_crop_depends_on_its_number_and_the_seed_alone():
    items = [item(0), item(1)]
    a, b, c = sampler(items)(7), sampler(items)(7), sampler(items, seed=1)(7)
    np.testing.assert_array_equal(a[0], b[0])
    for name in a[1]:
        np.testing.assert_array_equal(a[1][name], b[1][name])
    assert not np.array_equal(a[0], c[0])
    assert a[0].shape == (3, 96, 96)
    assert a[0].dtype == np.float32
    assert np.isfinite(a[0]).all()


def test_objects_of_any_size_come_near_the_training_size():
    plain = Compose(())
    diameters = []
    for radius in (4, 9, 20):
        made = sampler([item(0, radius, shape=(24 * radius, 24 * radius))], plain)
        sizes = [median_diameter(made.sample(i).labels) for i in range(40)]
        diameters.append(np.nanmedian(sizes))
    assert diameters == pytest.approx([24, 24, 24], rel=0.25)


def test_rare_kinds_of_images_are_seen_more_often_than_they_are_many():
    many = [item(i) for i in range(30)]
    few = [Item("rare/x", 1 - item(50 + i).image, item(50 + i).labels, 18.0) for i in range(2)]
    made = sampler(many + few)
    assert made.chances[-2:].sum() > 2 / 32
    assert made.chances.sum() == pytest.approx(1)
    assert set(cluster(many + few, 0)) == set(range(cluster(many + few, 0).max() + 1))


def test_images_without_objects_are_sampled():
    empty = Item("set/empty", np.zeros((1, 50, 50), np.float32), np.zeros((50, 50), np.int32), float("nan"))
    image, targets = sampler([empty])(0)
    assert not (targets["foreground"] > 0).any()
    assert image.shape == (3, 96, 96)


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_warp_of_nothing_is_the_image(ndim):
    shape = (32,) * ndim
    labels = discs(shape, 3, 5, seed=0)
    image = labels[None].astype(np.float32)
    rng = np.random.default_rng(2)  # its first draw does not bend
    moved, same = warp(image, labels, np.full(ndim, 15.5), 32, 1.0, 0.0, 1.0, rng)
    np.testing.assert_allclose(moved, image, atol=1e-4)
    assert ((same > 0) == (labels > 0)).all()


def test_unknown_pixels_stay_unknown():
    labels = np.full((40, 40), -1, np.int32)
    labels[10:30, 10:30] = 2
    image = np.zeros((1, 40, 40), np.float32)
    _, warped = warp(image, labels, np.array([19.5, 19.5]), 40, 1.0, 0.3, 1.0, np.random.default_rng(2))
    assert set(np.unique(warped)) == {-1, 1}
