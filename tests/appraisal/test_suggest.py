import csv

import numpy as np
import pytest

from teasel.appraisal import suggest, write_suggestions
from teasel.appraisal.suggestions import _pick
from teasel.errors import DataError, ParameterError
from teasel.images import open_image
from teasel.labels import read_labels, write_labels
from teasel.models import load_model
from teasel.training.adapt import read_corrections
from teasel.training.data import normalise
from teasel.training.simulation.nuclei_scenes import simulate_nuclei


@pytest.fixture(scope="module")
def proposed(tmp_path_factory):
    from teasel.images import save_image

    folder = tmp_path_factory.mktemp("images")
    for seed, style in enumerate(("tissue", "culture")):
        image, _ = simulate_nuclei(style, size_px=400, seed=seed)
        pixels = (200 + 3000 * normalise(image)[0].clip(0, 3)).astype(np.uint16)
        save_image(folder / f"{style}.tif", pixels, axes="yx")
    steps = []
    found = suggest(
        sorted(folder.glob("*.tif")),
        load_model("nuclei-fast", threads=1),
        4,
        progress=lambda done, total: steps.append((done, total)),
    )
    return found, folder, steps


def test_crops_differ_and_lie_where_they_say(proposed):
    found, folder, steps = proposed
    assert steps == [(1, 2), (2, 2)]
    assert len({one.name for one in found}) == len(found) == 4
    for one in found:
        image = open_image(folder / f"{one.name.split('_')[0]}.tif").read()
        assert np.array_equal(one.pixels[0], image[one.window])
        assert one.pixels.dtype == np.uint16
        assert one.labels.shape == (256, 256)
        assert 0 <= one.disagreement <= 1
        assert 0 <= one.inconsistency <= 1
    assert {one.name.split("_")[0] for one in found[:2]} == {"tissue", "culture"}  # the second is unlike the first


def test_the_folder_is_ready_to_annotate_and_says_nothing_until_it_is(proposed, tmp_path):
    found, _, _ = proposed
    index = write_suggestions(found, tmp_path)
    rows = list(csv.DictReader(index.read_text().splitlines()))
    assert [row["name"] for row in rows] == [one.name for one in found]
    assert [int(row["rank"]) for row in rows] == [1, 2, 3, 4]
    for one in found:
        assert np.array_equal(open_image(tmp_path / "images" / f"{one.name}.tif").read(), one.pixels[0])
        assert np.array_equal(read_labels(tmp_path / "predicted" / f"{one.name}.tif"), one.labels)
    with pytest.raises(DataError, match="nothing is said"):
        read_corrections(tmp_path)
    write_labels(tmp_path / "labels" / f"{found[0].name}.tif", found[0].labels)
    (correction,) = read_corrections(tmp_path)
    assert correction.name == found[0].name
    assert correction.source == found[0].source
    whole = open_image(found[0].source).read()  # smaller than the surroundings may be
    assert np.array_equal(correction.image[0], whole)
    known = correction.known()
    assert np.array_equal(known[found[0].window], found[0].labels)
    assert (known >= 0).sum() == 256 * 256


def test_use_and_rarity_decide(proposed):
    found, _, _ = proposed
    from dataclasses import replace

    base = found[0]
    same = [replace(base, name=f"same {k}", score=0.5, style=np.zeros(14)) for k in range(3)]
    other = replace(base, name="other", score=0.3, style=np.full(14, 3.0))
    best = replace(base, name="best", score=0.9, style=np.zeros(14))
    assert [one.name for one in _pick([*same, other, best], 3)][:2] == ["best", "other"]


def test_wrong_numbers_and_empty_images(proposed):
    model = load_model("nuclei-fast", threads=1)
    with pytest.raises(ParameterError, match="256 to 384"):
        suggest([np.zeros((64, 64))], model, crop_px=100)
    with pytest.raises(ParameterError, match="0 images"):
        suggest([], model)
    with pytest.raises(DataError, match="finds no object"):
        suggest([np.zeros((64, 64), np.uint8)], model)
