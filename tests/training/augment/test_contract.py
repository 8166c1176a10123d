"""What every augmentation promises, met by each one found in the folder."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

from teasel.errors import ParameterError, ShapeError
from teasel.training import augment
from teasel.training.augment import Augmentation, Compose, Gamma, Sample, serial_sections, standard


def _members() -> list[type[Augmentation]]:
    """Return every augmentation class, one per file of the folder."""
    found = []
    for module in pkgutil.iter_modules(augment.__path__):
        if not module.name.startswith("_"):
            names = vars(importlib.import_module(f"{augment.__name__}.{module.name}"))
            found += [c for c in names.values() if isinstance(c, type) and issubclass(c, Augmentation)]
    return sorted(set(found) - {Augmentation}, key=lambda c: c.__name__)


def _sample(channels: int, ndim: int, *, size: int = 64) -> Sample:
    """Return discs of several brightnesses on a dark ground, with an unknown corner."""
    shape = (size - 8, size) if ndim == 2 else (5, size - 8, size)
    y, x = np.indices(shape[-2:])
    plane = np.zeros(shape[-2:], np.int32)
    for i, (cy, cx, r) in enumerate([(12, 14, 7), (30, 40, 9), (46, 18, 6), (30, 54, 4), (10, 60, 8)], 1):
        plane[(y - cy) ** 2 + (x - cx) ** 2 <= r * r] = i
    plane[-6:, -6:] = -1
    labels = np.broadcast_to(plane, shape).copy()
    rng = np.random.default_rng(5)
    image = (labels > 0) * (0.4 + 0.1 * labels) + 0.05 * rng.random((channels, *shape))
    return Sample(image.astype(np.float32), labels)


def _frozen(sample: Sample) -> Sample:
    """Return the sample with arrays that cannot be written to."""
    sample.image.setflags(write=False)
    sample.labels.setflags(write=False)
    return sample


MEMBERS = _members()
LAYOUTS = [(1, 2), (3, 2), (2, 2), (1, 3), (3, 3)]


@pytest.fixture(params=MEMBERS, ids=lambda c: c.__name__)
def always(request) -> Augmentation:
    return request.param(probability=1.0)


def test_every_file_holds_one_member_and_is_exported():
    files = [m.name for m in pkgutil.iter_modules(augment.__path__) if not m.name.startswith("_")]
    assert len(MEMBERS) == len(files) - 2  # mosaic joins two samples, section changes the channels: functions
    assert {c.__name__ for c in MEMBERS} <= set(augment.__all__)
    assert augment.__all__ == sorted(augment.__all__)
    used = {type(a) for a in (*standard().augmentations, *serial_sections().augmentations)}
    assert used == set(MEMBERS)


@pytest.mark.parametrize(("channels", "ndim"), LAYOUTS)
def test_keeps_shape_type_and_input(always, channels, ndim):
    sample = _frozen(_sample(channels, ndim))
    for seed in range(12):
        result = always(sample, np.random.default_rng(seed))
        assert result.image.shape == sample.image.shape
        assert result.labels.shape == sample.labels.shape
        assert result.image.dtype == np.float32
        assert result.labels.dtype == np.int32
        assert np.isfinite(result.image).all()
        assert np.abs(result.image).max() < 10
        if not always.changes_labels:
            np.testing.assert_array_equal(result.labels, sample.labels)


def test_keeps_colour_pictures_whole(always):
    sample = Sample(_sample(3, 2).image, _sample(3, 2).labels, colour=True)
    for seed in range(12):
        result = always(_frozen(sample), np.random.default_rng(seed))
        assert result.colour
        assert np.isfinite(result.image).all()


def test_same_seed_same_result(always):
    sample = _sample(3, 2)
    first, again = (always(sample, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.labels, again.labels)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_constant_image_without_objects(always, value):
    sample = Sample(np.full((2, 48, 40), value, np.float32), np.zeros((48, 40), np.int32))
    for seed in range(12):
        result = always(sample, np.random.default_rng(seed))
        assert np.isfinite(result.image).all()
        assert not result.labels.any()


def test_wholly_unknown_labels(always):
    sample = Sample(np.full((1, 48, 40), 0.3, np.float32), np.full((48, 40), -1, np.int32))
    result = always(sample, np.random.default_rng(0))
    assert (result.labels == -1).all()
    assert np.isfinite(result.image).all()


def test_labels_stay_valid(always):
    sample = _sample(1, 2)
    for seed in range(30):
        result = always(sample, np.random.default_rng(seed))
        assert result.labels.min() >= -1
        assert result.labels.max() < 100


def test_never_at_probability_0(always):
    sample = _sample(1, 2)
    assert type(always)(probability=0.0)(sample, np.random.default_rng(0)) is sample


def test_probability_out_of_range_is_an_error():
    with pytest.raises(ParameterError, match="probability"):
        Gamma(probability=1.5)


def test_samples_that_do_not_fit_are_errors():
    image, labels = np.zeros((1, 8, 8), np.float32), np.zeros((8, 8), np.int32)
    with pytest.raises(ShapeError, match="belong together"):
        Sample(image, labels[1:])
    with pytest.raises(ShapeError, match="float64"):
        Sample(image.astype(float), labels)
    with pytest.raises(ShapeError, match="colour"):
        Sample(image, labels, colour=True)


def test_compose_is_in_order():
    sample = _sample(1, 2)
    rng = np.random.default_rng(0)
    both = Compose((Gamma(1.0, (2.0, 2.0)), Gamma(1.0, (0.5, 0.5))))(sample, rng)
    np.testing.assert_allclose(both.image, sample.image, atol=1e-6)


@pytest.mark.parametrize(("channels", "ndim"), LAYOUTS)
def test_standard_with_references(channels, ndim):
    sample = _frozen(_sample(channels, ndim))
    chain = standard(references=(sample.image, 1 - sample.image))
    for seed in range(20):
        result = chain(sample, np.random.default_rng(seed))
        assert np.isfinite(result.image).all()
        assert result.labels.shape == sample.labels.shape


def test_the_room_does_not_import_torch():
    code = "import sys, teasel.training.augment; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
