"""Focus, saturation, illumination: degraded images are told from the originals, drawn and real ones."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from teasel.apps.report.options import ReportOptions
from teasel.apps.report.quality import judge_quality
from tests.synthetic import discs, render

LIMITS = ReportOptions()


def diameter(labels: np.ndarray) -> float:
    sizes = np.bincount(labels.ravel())[1:]
    return float(np.median(2 * np.sqrt(sizes[sizes > 0] / np.pi)))


def blurred(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    spread = 0.2 * diameter(labels)
    return ndimage.gaussian_filter(pixels.astype(np.float32), (spread, spread, 0)).astype(pixels.dtype)


def saturated(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Exposed too long: a third of the pixels of objects are at the end of the range."""
    bright = np.median(pixels[labels > 0]) > np.median(pixels[labels == 0])
    limit = np.percentile(pixels[labels > 0], 67 if bright else 33)
    return np.minimum(pixels, limit.astype(pixels.dtype)) if bright else np.maximum(pixels, limit.astype(pixels.dtype))


def shaded(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Lit from the left: a quarter of the light on the right."""
    fall = np.linspace(1, 0.25, pixels.shape[1])[None, :, None]
    return (pixels * fall).astype(pixels.dtype)


def kinds(pixels: np.ndarray, labels: np.ndarray) -> set[str]:
    """Which limits an image exceeds."""
    found = judge_quality(pixels, labels, diameter(labels))
    values = {"blurred": found.blur, "saturated": found.saturated, "shaded": found.shading}
    limits = {
        "blurred": LIMITS.max_blur,
        "saturated": LIMITS.max_saturated_percent / 100,
        "shaded": LIMITS.max_shading_percent / 100,
    }
    return {kind for kind, value in values.items() if value is not None and value > limits[kind]}


DEGRADE = {"blurred": blurred, "saturated": saturated, "shaded": shaded}


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    labels = discs((300, 320), 60, 10, seed)
    return (4000 * render(labels, seed) + 200).clip(0, 65535).astype(np.uint16)[..., None], labels


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", DEGRADE)
def test_drawn_images(seed, kind):
    pixels, labels = drawn(seed)
    assert kinds(pixels, labels) == set()
    assert kind in kinds(DEGRADE[kind](pixels, labels), labels)


@pytest.fixture(scope="module")
def section():
    """A stained section of colon that scikit-image carries, and nuclei that the shipped model finds in it."""
    import teasel

    path = Path(str(files("skimage"))) / "data" / "ihc.png"
    found = teasel.segment(path, "nuclei-fast", diameter_px=16, threads=1)
    image = found.image
    return np.moveaxis(image.read(), image.axes.index("c"), -1), found.labels.astype(np.int64)


def test_a_real_section_is_not_flagged(section):
    pixels, labels = section
    assert labels.max() > 20
    assert kinds(pixels, labels) == set()


@pytest.mark.parametrize("kind", ["blurred", "saturated"])
def test_a_real_section_degraded_is_flagged(section, kind):
    pixels, labels = section
    assert kind in kinds(DEGRADE[kind](pixels, labels), labels)


def test_the_coins_are_lit_unevenly():
    """A picture known for it: a dark corner at the bottom right, a bright one at the top left."""
    from skimage.data import coins
    from skimage.filters import threshold_local

    pixels = coins()
    mask = ndimage.binary_opening(pixels > threshold_local(pixels, 151) + 10, iterations=3)
    labels, _ = ndimage.label(ndimage.binary_fill_holes(mask))
    labels[np.isin(labels, np.flatnonzero(np.bincount(labels.ravel()) < 500))] = 0
    assert "shaded" in kinds(pixels[..., None], labels)


def read(shared_data: Path, name: str, number: int) -> tuple[np.ndarray, np.ndarray]:
    from teasel.images import open_image
    from teasel.labels import read_labels

    path = sorted((shared_data / name / "images").iterdir())[number]
    (truth,) = (shared_data / name / "labels").glob(f"{path.stem}.*")
    return open_image(path).read()[..., None], np.asarray(read_labels(truth)).astype(np.int64)


@pytest.mark.parametrize("number", [0, 20, 80])
def test_real_nuclei(shared_data, number):
    pixels, labels = read(shared_data, "bbbc039", number)
    assert kinds(pixels, labels) == set()
    for kind, degrade in DEGRADE.items():
        assert kind in kinds(degrade(pixels, labels), labels), kind


@pytest.mark.parametrize("number", [0, 12, 24, 36])
def test_real_nuclei_in_tissue(shared_data, number):
    pixels, labels = read(shared_data, "bitdepth_nucseg", number)
    assert kinds(pixels, labels) == set()
    for kind in ("blurred", "saturated"):
        assert kind in kinds(DEGRADE[kind](pixels, labels), labels), kind


@given(gain=st.floats(0.1, 10), offset=st.floats(0, 1000), seed=st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_gain_and_offset_change_nothing(gain, offset, seed):
    pixels, labels = drawn(seed)
    one, other = (judge_quality(p, labels, 20.0) for p in (pixels.astype(float), gain * pixels.astype(float) + offset))
    assert other.blur == pytest.approx(one.blur, rel=1e-3, abs=1e-4)
    assert other.shading == pytest.approx(one.shading, rel=1e-2, abs=1e-3)
    assert other.saturated == pytest.approx(one.saturated, abs=1e-6)


@pytest.mark.parametrize("factor", [2, 3])
def test_focus_is_judged_at_the_scale_of_objects(factor):
    pixels, labels = drawn(1)
    large = ndimage.zoom(pixels[..., 0].astype(float), factor, order=1)[..., None]
    blur = judge_quality(large, labels.repeat(factor, 0).repeat(factor, 1), 20.0 * factor).blur
    assert blur == pytest.approx(judge_quality(pixels, labels, 20.0).blur, abs=0.035)


def test_blur_is_measured_in_diameters():
    labels = discs((300, 300), 25, 20, 0)
    for share in (0.1, 0.15):
        picture = ndimage.gaussian_filter(np.where(labels > 0, 1000.0, 100.0), 40 * share)
        assert judge_quality(picture[..., None], labels, 40.0).blur == pytest.approx(share, rel=0.25)


@pytest.mark.parametrize("labels", [np.zeros((32, 32), int), np.ones((32, 32), int), np.eye(32, dtype=int)])
def test_images_that_say_nothing(labels):
    for pixels in (np.zeros((32, 32, 1)), np.full((32, 32, 3), np.nan), np.ones((32, 32, 1), np.uint8)):
        found = judge_quality(pixels, labels, 5.0 if labels.any() else None)
        assert not found.saturated
        assert not found.shading


def test_input_is_left_alone():
    pixels, labels = drawn(0)
    before = pixels.copy(), labels.copy()
    judge_quality(pixels, labels, 20.0)
    assert np.array_equal(pixels, before[0])
    assert np.array_equal(labels, before[1])
