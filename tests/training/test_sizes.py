"""The sizes of objects that a model card records."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.training.data import Item, median_diameter
from teasel.training.sizes import object_sizes
from tests.synthetic import discs


def item(radius: float, seed: int = 0, n: int = 12) -> Item:
    labels = discs((300, 300), n, radius, seed).astype(np.int32)
    return Item(f"set/{seed}", labels[None].astype(np.float32), labels, median_diameter(labels))


def test_typical_diameters_are_those_of_the_images():
    sizes = object_sizes([item(6, 1), item(9, 2), item(12, 3)], 24.0)
    typical = sizes["typical_diameter_px"]
    assert typical == sorted(typical)
    assert 10 < typical[0] < typical[2] < typical[-1] < 26


def test_what_the_network_sees_does_not_depend_on_the_pixel_size():
    small, large = object_sizes([item(6)], 24.0), object_sizes([item(12)], 24.0)
    assert small["seen_diameter_px"][2] == pytest.approx(24, rel=0.1)
    assert large["seen_diameter_px"] == pytest.approx(small["seen_diameter_px"], rel=0.25)
    low, high = small["seen_diameter_px"][0], small["seen_diameter_px"][-1]
    assert 24 * 2**-1.7 < low < 24 * 2**-0.6 < 24 * 2**0.6 < high < 24 * 2**2  # scales vary by 1.6 octaves at most


def test_images_without_objects_count_for_nothing():
    empty = Item("set/e", np.zeros((1, 8, 8), np.float32), np.zeros((8, 8), np.int32), float("nan"))
    assert object_sizes([empty], 24.0) == {}
    assert object_sizes([empty, item(6)], 24.0) == object_sizes([item(6)], 24.0)


def test_the_shipped_models_record_them():
    from teasel.models import list_models

    for spec in list_models():
        if spec.training.get("sets"):
            assert len(spec.training["sizes"]["seen_diameter_px"]) == 5
