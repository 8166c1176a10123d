import numpy as np
import pytest
from skimage.measure import label as components_of

from teasel.errors import ParameterError
from teasel.training.simulation.nuclei_scenes import NUCLEI_STYLES, simulate_nuclei


@pytest.mark.parametrize("style", NUCLEI_STYLES)
def test_labels_are_whole_and_the_image_shows_them(style):
    image, labels = simulate_nuclei(style, size_px=160, seed=1)
    assert image.dtype == np.float32
    assert image.shape == (3 if style == "stained" else 1, 160, 160)
    ids = np.unique(labels[labels > 0])
    assert np.array_equal(ids, np.arange(1, len(ids) + 1))
    assert all(components_of(labels == k, connectivity=1).max() == 1 for k in ids)
    inside, outside = image[:, labels > 0].mean(), image[:, labels == 0].mean()
    assert bool(inside < outside) is (style in ("stained", "brightfield"))


def test_the_seed_decides():
    a, b, c = (simulate_nuclei("tissue", size_px=96, seed=seed)[0] for seed in (5, 5, 6))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_size_is_what_was_asked_for():
    for diameter in (16, 40):
        labels = simulate_nuclei("culture", size_px=300, diameter_px=diameter, seed=0)[1]
        whole = np.bincount(labels.ravel())[1:]
        assert 0.7 * diameter < np.median(2 * np.sqrt(whole / np.pi)) < 1.3 * diameter


def test_colonies_touch_more_than_cultures():
    def contacts(style):
        labels = simulate_nuclei(style, size_px=256, seed=4)[1]
        right = (labels[:, 1:] != labels[:, :-1]) & (labels[:, 1:] > 0) & (labels[:, :-1] > 0)
        return right.sum() / labels.max()

    assert contacts("colonies") > contacts("culture")


def test_an_unknown_style_is_named():
    with pytest.raises(ParameterError, match=r"'plants'.*culture"):
        simulate_nuclei("plants")
