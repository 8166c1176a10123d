"""One property of each augmentation that makes it what it is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from teasel.errors import ParameterError, ShapeError
from teasel.training.augment import (
    Blobs,
    Blur,
    Channels,
    ContrastBrightness,
    CopyPaste,
    Counterstain,
    FlipsRotations,
    FourierSwap,
    Gamma,
    HistogramMatching,
    HotPixels,
    Illumination,
    InstanceJitter,
    Inversion,
    Jpeg,
    Noise,
    Resample,
    Sample,
    low_amplitudes,
    mosaic,
    quantiles,
    section,
)
from teasel.training.augment._fields import apply_curve, smooth_field
from teasel.training.augment._objects import settle

SEEDS = range(10)


def _sample(size: int = 96, channels: int = 1) -> Sample:
    """Return four discs on a noisy ground."""
    y, x = np.indices((size, size))
    labels = np.zeros((size, size), np.int32)
    for i, (cy, cx, r) in enumerate([(20, 24, 9), (30, 66, 11), (70, 28, 8), (66, 70, 12)], 1):
        labels[(y - cy) ** 2 + (x - cx) ** 2 <= r * r] = i
    noise = np.random.default_rng(1).random((channels, size, size))
    return Sample((0.6 * (labels > 0) + 0.2 * noise).astype(np.float32), labels)


def _flat(value: float, channels: int = 1, size: int = 128) -> Sample:
    return Sample(np.full((channels, size, size), value, np.float32), np.zeros((size, size), np.int32))


def test_flips_reach_all_eight_poses_and_move_labels_along():
    sample = _sample()
    poses = set()
    for seed in range(100):
        result = FlipsRotations()(sample, np.random.default_rng(seed))
        poses.add(result.labels.tobytes())
        assert result.image[0][result.labels > 0].sum() == pytest.approx(
            sample.image[0][sample.labels > 0].sum(), rel=1e-5
        )
    assert len(poses) == 8


def test_gamma_keeps_order_and_ends():
    values = np.linspace(-0.2, 1.2, 57, dtype=np.float32).reshape(1, 1, -1)
    sample = Sample(values, np.zeros(values.shape[1:], np.int32))
    for seed in SEEDS:
        result = Gamma(1.0)(sample, np.random.default_rng(seed)).image
        assert (np.diff(result) > 0).all()
        np.testing.assert_allclose(np.interp([0, 1], values.ravel(), result.ravel()), [0, 1], atol=1e-6)


def test_contrast_and_brightness_are_affine_in_each_channel():
    sample = _sample(channels=3)
    result = ContrastBrightness(1.0)(sample, np.random.default_rng(3)).image
    for before, after in zip(sample.image, result, strict=True):
        assert np.corrcoef(before.ravel(), after.ravel())[0, 1] == pytest.approx(1, abs=1e-5)
    factors = result.std(axis=(1, 2)) / sample.image.std(axis=(1, 2))
    assert factors.std() > 0
    colour = ContrastBrightness(1.0)(Sample(sample.image, sample.labels, True), np.random.default_rng(3)).image
    assert (colour.std(axis=(1, 2)) / sample.image.std(axis=(1, 2))).std() < 1e-5


def test_illumination_is_slow():
    for seed in SEEDS:
        result = Illumination(1.0)(_flat(0.4), np.random.default_rng(seed)).image[0]
        assert np.abs(np.diff(result, axis=0)).max() < 0.04
        assert result.std() > 1e-4


def test_shot_noise_has_the_variance_and_mean_of_counts():
    noise = Noise(1.0, photons=(50, 50), read_noise=(2, 2), gaussian=(0, 0))
    result = noise(_flat(0.5, size=256), np.random.default_rng(0)).image
    assert result.mean() == pytest.approx(0.5, abs=0.005)
    assert result.var() == pytest.approx((25 + 4) / 50**2, rel=0.05)
    assert ((result - result.mean()) ** 3).mean() > 0  # skewed as counts are


def test_blur_keeps_the_sum_and_matches_a_direct_convolution():
    sample = _sample()
    for seed in SEEDS:
        result = Blur(1.0)(sample, np.random.default_rng(seed)).image
        assert result.mean() == pytest.approx(sample.image.mean(), rel=0.01)
        assert np.abs(np.diff(result)).sum() < np.abs(np.diff(sample.image)).sum()
    from teasel.training.augment.blur import _convolve

    kernel = np.outer([1, 2, 1], [1, 3, 1]).astype(np.float32)
    direct = ndimage.convolve(sample.image[0], kernel, mode="reflect")
    np.testing.assert_allclose(_convolve(sample.image, kernel)[0], direct, atol=1e-4)


def test_resample_loses_detail_in_place():
    sample = _sample()
    result = Resample(1.0, factor=(3, 3))(sample, np.random.default_rng(0)).image[0]
    assert np.abs(np.diff(result)).sum() < 0.7 * np.abs(np.diff(sample.image[0])).sum()
    before, after = (ndimage.center_of_mass(i, sample.labels, [1, 2, 3, 4]) for i in (sample.image[0], result))
    np.testing.assert_allclose(before, after, atol=0.5)


def test_jpeg_is_close_and_lossy():
    sample = _sample(channels=3)
    for colour in (False, True):
        result = Jpeg(1.0, (90, 90))(Sample(sample.image, sample.labels, colour), np.random.default_rng(0)).image
        assert 0 < np.abs(result - sample.image).mean() < 0.08


def test_hot_pixels_are_few():
    sample = _sample()
    for seed in SEEDS:
        changed = HotPixels(1.0)(sample, np.random.default_rng(seed)).image != sample.image
        assert 1 <= changed.sum() <= 1e-3 * changed.size + 1


def test_inversion_twice_is_nothing_and_spares_colour():
    sample, rng = _sample(channels=3), np.random.default_rng(0)
    twice = Inversion(1.0)(Inversion(1.0)(sample, rng), rng)
    np.testing.assert_allclose(twice.image, sample.image, atol=1e-6)
    colour = Sample(sample.image, sample.labels, True)
    assert Inversion(1.0)(colour, rng) is colour


def test_instance_jitter_leaves_the_background():
    sample = _sample()
    result = InstanceJitter(1.0)(sample, np.random.default_rng(0)).image[0]
    far = ndimage.distance_transform_edt(sample.labels == 0) > 2
    np.testing.assert_allclose(result[far], sample.image[0][far], atol=1e-6)
    means = ndimage.mean(result, sample.labels, [1, 2, 3, 4])
    assert np.ptp(means) > 0.1


def test_histogram_matching_is_monotone_and_goes_towards_its_reference():
    sample = _sample()
    for seed in SEEDS:
        result = HistogramMatching(1.0)(sample, np.random.default_rng(seed)).image
        order = np.argsort(sample.image.ravel())
        assert (np.diff(result.ravel()[order]) >= -1e-6).all()
    other = 0.3 + 0.5 * sample.image
    towards = HistogramMatching(1.0, strength=(1, 1), references=(quantiles(other),))
    result = towards(sample, np.random.default_rng(0)).image
    assert np.abs(quantiles(result) - quantiles(other)).max() < 0.03
    with pytest.raises(ParameterError, match="quantiles"):
        HistogramMatching(references=(np.zeros(3, np.float32),))


def test_curves_go_through_their_knots():
    x, y = np.array([0, 0.3, 1], np.float32), np.array([0.1, 0.7, 0.9], np.float32)
    values = np.linspace(0, 1, 33, dtype=np.float32)
    np.testing.assert_allclose(apply_curve(values, x, y), np.interp(values, x, y), atol=1e-6)


def test_fourier_swap_changes_low_frequencies_only():
    sample = _sample()
    other = low_amplitudes(np.random.default_rng(2).random((1, 80, 80), dtype=np.float32))
    for references in ((), (other,)):
        swap = FourierSwap(1.0, beta=(0.05, 0.05), references=references)
        result = swap(sample, np.random.default_rng(0)).image
        change = np.abs(np.fft.fft2(result[0] - sample.image[0]))
        frequency = np.abs(np.fft.fftfreq(96) * 96)
        high = np.maximum.outer(frequency, frequency) > 5
        assert change[high].max() < 1e-3 * change.max()
        assert result.mean() == pytest.approx(sample.image.mean(), abs=1e-4)
    with pytest.raises(ParameterError, match="low_amplitudes"):
        FourierSwap(references=(other[1:],))


def test_channels_permute_drop_and_stain():
    sample, rng = _sample(channels=3), np.random.default_rng(0)
    permuted = Channels(1.0, drop=0)(sample, rng).image
    assert sorted(c.sum() for c in permuted) == sorted(c.sum() for c in sample.image)
    dropped = Channels(1.0, drop=1)(sample, rng).image
    assert [bool(c.any()) for c in dropped].count(False) == 1
    colour = Sample(np.clip(sample.image, 0, 1), sample.labels, True)
    grey = Channels(1.0, grey=1)(colour, rng).image
    assert (grey[0] == grey[1]).all()
    stained = Channels(1.0, grey=0)(colour, rng).image
    assert 0 < np.abs(stained - colour.image).mean() < 0.1


def test_blobs_are_soft_and_bright_on_dark_ground():
    for seed in SEEDS:
        dark = Blobs(1.0)(_flat(0.1), np.random.default_rng(seed)).image[0]
        assert dark.min() >= 0.1 - 1e-6
        assert np.abs(np.diff(dark)).max() < 0.25
        bright = Blobs(1.0)(_flat(0.9), np.random.default_rng(seed)).image[0]
        assert bright.max() <= 0.9 + 1e-6


def test_copies_are_whole_objects_with_new_ids():
    sample = _sample()
    more = 0
    for seed in SEEDS:
        result = CopyPaste(1.0)(sample, np.random.default_rng(seed))
        ids = np.unique(result.labels[result.labels > 0])
        assert set(ids) >= {1, 2, 3, 4}
        more += len(ids) - 4
        for i in ids:
            assert ndimage.label(result.labels == i)[1] == 1
            assert result.image[0][result.labels == i].mean() > 0.4
    assert more > len(SEEDS)


def test_settle_keeps_the_largest_part():
    labels = np.zeros((12, 20), np.int32)
    labels[1:9, 1:19] = 5
    labels[1:9, 12:15] = 6
    settle(labels, [5, 0, -1])
    assert (labels[1:9, 1:12] == 5).all()
    assert (labels[1:9, 15:19] == -1).all()
    assert (labels == 6).sum() == 24


def test_mosaic_keeps_the_first_outside_and_gives_new_ids_inside():
    first, second = _sample(), _sample()
    for seed in SEEDS:
        result = mosaic(first, second, np.random.default_rng(seed))
        inside = (result.image != first.image)[0]
        assert 0.1 < inside.mean() < 0.45
        same = ~inside & (result.labels <= 4) & (result.labels > 0)
        np.testing.assert_array_equal(result.labels[same], first.labels[same])
        for i in np.unique(result.labels[result.labels > 0]):
            assert ndimage.label(result.labels == i)[1] == 1
    with pytest.raises(ShapeError, match="alike"):
        mosaic(first, _sample(80), np.random.default_rng(0))


def test_smooth_fields_stay_in_range():
    for shape in ((40, 30), (4, 20, 30)):
        field = smooth_field(shape, 2, np.random.default_rng(0))
        assert field.shape == shape
        assert np.abs(field).max() <= 1


def _bright_discs() -> Sample:
    labels = np.zeros((96, 96), np.int32)
    y, x = np.indices(labels.shape)
    for i, (cy, cx) in enumerate([(20, 20), (20, 60), (60, 30), (70, 75)], 1):
        labels[(y - cy) ** 2 + (x - cx) ** 2 <= 81] = i
    return Sample(np.where(labels > 0, 0.9, 0.05).astype(np.float32)[None], labels)


def test_a_section_shows_blue_nuclei_on_a_lighter_ground():
    sample = _bright_discs()
    inside = sample.labels > 0
    for seed in range(20):
        made = section(sample, np.random.default_rng(seed))
        assert made.colour
        assert made.image.shape == (3, 96, 96)
        red, _, blue = made.image
        assert red[inside].mean() < red[~inside].mean()  # haematoxylin takes the red first
        assert red[inside].mean() < blue[inside].mean()
        assert made.labels is sample.labels


def test_only_bright_objects_become_a_section():
    sample = _bright_discs()
    rng = np.random.default_rng(0)
    dark = Sample(1 - sample.image, sample.labels)
    empty = Sample(sample.image, np.zeros_like(sample.labels))
    for other in (dark, empty, Sample(np.repeat(sample.image, 3, 0), sample.labels)):
        assert section(other, rng) is other


def test_a_counterstain_only_takes_light():
    grey = _bright_discs()
    assert Counterstain(1.0)(grey, np.random.default_rng(0)) is grey
    picture = Sample(np.full((3, 96, 96), 0.8, np.float32), grey.labels, colour=True)
    results = [Counterstain(1.0)(picture, np.random.default_rng(seed)).image for seed in range(20)]
    assert any(np.ptp(result) > 0.2 for result in results)
    assert all(np.percentile(result, 99.8) <= 1.2 for result in results)
