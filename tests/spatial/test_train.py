"""Training on simulated spots and on posteriors of several detectors; the result is a model like any other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from teasel.errors import ModelError, ParameterError
from teasel.models import load_model
from teasel.representations.spot import Spot
from teasel.spatial import Spots, find_spots
from teasel.spatial.detectors import build
from teasel.spatial.simulation import Scene, SimulatedCrops, simulate
from teasel.spatial.train import SPOT_CONFIG, WeakCrops, fit_spots

TINY = replace(
    SPOT_CONFIG, widths=(8, 8), blocks=(1, 1), steps=6, batch_size=2, crop_px=32, workers=0, validate_every=3
)


@pytest.fixture(scope="module")
def made():
    return simulate((80, 90), Scene(density=0.004, detectability=40), seed=2)


def test_soft_targets_are_as_high_as_the_posterior(made):
    table = made.spots.with_columns(score=np.linspace(0.1, 1, len(made.spots)))
    crops = WeakCrops([made.image], [table], Spot(), crop_px=64)
    image, targets = crops(5)
    again, _ = crops(5)
    np.testing.assert_array_equal(image, again)
    assert image.shape == (1, 64, 64)
    assert image.dtype == np.float32
    whole = Spot().encode(table.positions_px, made.image.shape, table["score"])
    values = np.unique(whole["heat"].round(4))
    assert np.isin(targets["heat"].round(4), values).mean() > 0.97
    bright = targets["heat"][0] > 0.7
    assert image[0][bright].mean() > image[0][~bright].mean() + 0.1


def test_real_and_simulated_crops_take_turns(made):
    simulated = SimulatedCrops(Spot(), crop_px=32, pool=2)
    crops = WeakCrops([made.image], [made.spots.with_columns(score=np.ones(len(made.spots)))], Spot(), 32)
    mixed = replace(crops, simulated=simulated)
    np.testing.assert_array_equal(mixed(1)[0], simulated(1)[0])
    np.testing.assert_array_equal(mixed(2)[0], crops(2)[0])
    with pytest.raises(ParameterError):
        WeakCrops([made.image], [], Spot())
    with pytest.raises(ParameterError):
        WeakCrops([made.image], [Spots(np.zeros((0, 2)))], Spot(), crop_px=128)


@pytest.mark.filterwarnings("default::DeprecationWarning", "default::FutureWarning")
def test_a_run_goes_on_and_becomes_a_model_that_finds_spots(made, tmp_path):
    from teasel.spatial.export import package_spots

    crops = SimulatedCrops(Spot(), crop_px=32, pool=4)
    half = fit_spots(crops, tmp_path / "run", TINY, judged_on=replace(crops, seed=9))
    assert [row["step"] for row in half.history] == [3, 6]
    assert all(0 <= row["f1"] <= 1 for row in half.history)
    folder = package_spots(half, tmp_path / "tiny", trained_on="four images")
    model = load_model(folder)
    assert model.spec.representation == Spot()
    alone = fit_spots(crops, tmp_path / "alone", replace(TINY, validate_every=0))
    package_spots(alone, tmp_path / "alone-model", trained_on="four images")
    assert "without held-out crops" in (tmp_path / "alone-model" / "README.md").read_text("utf-8")
    assert "four images" in (folder / "README.md").read_text("utf-8")
    found = find_spots(made.image, build("spots", {"model": str(folder)}))
    assert set(found.columns) == {"score", "sigma_px", "intensity", "background", "snr"}


def test_models_of_labels_are_refused(made):
    with pytest.raises(ModelError, match="not spots"):
        find_spots(made.image, build("spots", {"model": "nuclei"}))
