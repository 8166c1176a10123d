"""The shipped model `cells` on scenes it was not trained on."""

import numpy as np
import pytest

from teasel import load_model, segment
from teasel.labels.metrics.matching import average_precision
from teasel.models import find_model
from teasel.training.simulation import simulate


@pytest.fixture(scope="module")
def cells():
    return load_model("cells")


@pytest.mark.parametrize(
    ("style", "least"),
    [("phase-round", 0.6), ("dic-round", 0.6), ("cytoplasm-sheet", 0.6), ("membrane-sheet", 0.7), ("tissue", 0.5)],
)
def test_cells_are_found_with_nothing_set(cells, style, least):
    scenes = [simulate(style, size_px=224, seed=1_000_003 + k) for k in range(2)]
    found = [segment(scene.image[:1], cells, axes="cyx").labels for scene in scenes]
    assert average_precision([scene.labels for scene in scenes], found, (0.5,))[0] > least


def test_an_empty_image_holds_no_cell(cells):
    noise = np.random.default_rng(0).poisson(20, (200, 240)).astype(np.uint8)
    assert segment(noise, cells).labels.max() <= 2


def test_the_folder_is_small():
    assert sum(file.stat().st_size for file in find_model("cells").iterdir()) < 12e6
