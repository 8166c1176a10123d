"""Stacks with labels in all planes: a model that finds objects in stacks, from the first file to the last."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from teasel import load_model, segment
from teasel.apps.cli.app import app
from teasel.apps.cli.volume import is_volume_model
from teasel.errors import DataError, ParameterError
from teasel.labels.metrics.matching import average_precision
from teasel.training import TrainingConfig, train
from teasel.training.data import find_pairs, median_diameter, read_items
from teasel.training.folders import read_sets
from teasel.training.planes import whole_stacks
from tests.synthetic import discs, render
from tests.training.test_loop import TINY

STACKS = replace(
    TINY, representation="star", ndim=3, in_channels=1, crop_px=32, object_diameter_px=12.0, validate_every=0
)
EVERY = 2


def write_stack(folder, name, seed, **metadata):
    labels = discs((40, 48, 52), 12, 6, seed)[::EVERY]
    image = (1000 * render(labels, seed)).clip(0).astype(np.uint16)
    for part, array in (("images", image), ("labels", labels.astype(np.uint16))):
        (folder / part).mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(folder / part / f"{name}.tif", array, imagej=True, metadata={"axes": "ZYX"} | metadata)
    return labels


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stacks")
    for i in range(4):
        write_stack(folder / "data", str(i), i)
    (folder / "data/split.csv").write_text("id,split\n0,train\n1,train\n2,train\n3,val\n")
    config = replace(STACKS, anisotropy=EVERY, learning_rate=5e-3, warmup_steps=10, steps=100)
    return train(config, [folder / "data"], folder / "balls"), folder / "data"


def test_stacks_become_a_model_that_segments_stacks(trained):
    folder, data = trained
    model = load_model(folder)
    assert (model.spec.ndim, model.spec.representation.name, model.spec.representation.stride) == (3, "star", 2)
    assert model.spec.training["sets"] == {"data": {"training_images": 3, "validation_images": 1}}
    assert {"ap50", "objects"} <= set(model.spec.scores["data"])
    assert "teasel segment STACK" in (folder / "README.md").read_text()
    truth = tifffile.imread(data / "labels/3.tif").astype(int)
    found = segment(data / "images/3.tif", model, anisotropy=EVERY, diameter_px=12)
    assert found.labels.shape == truth.shape
    assert found.parameters["tile_px"] == 192
    assert average_precision([truth], [found.labels], [0.3])[0] > 0.6
    assert "centroid_z_px" in found.objects.columns


def test_the_command_line_takes_the_model_as_any_other(trained, tmp_path):
    folder, data = trained
    assert not is_volume_model(str(folder))

    def run(*arguments):
        return CliRunner().invoke(app, ["segment", *map(str, arguments), "-o", str(tmp_path), "--model", str(folder)])

    done = run(data / "images/3.tif", "--anisotropy", EVERY, "--diameter", 12)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "3.labels.tif").exists()
    assert "centroid_z_px" in (tmp_path / "3.objects.csv").read_text()
    for extra, message in (((), "how far apart they are"), (("--z", 2), "this is one plane")):
        failed = run(data / "images/3.tif", "--overwrite", *extra)
        assert failed.exit_code != 0
        assert message in failed.output + failed.stderr


def test_pictures_are_refused_by_a_model_of_stacks(trained):
    with pytest.raises(ParameterError, match="give the whole stack"):
        segment(np.zeros((40, 40), np.uint8), load_model(trained[0]))


def test_how_far_planes_lie_apart_comes_from_image_labels_or_option(tmp_path):
    labels = write_stack(tmp_path, "a", 0)
    with pytest.raises(ParameterError, match=r"a\.tif does not say how far apart .* give --anisotropy"):
        list(read_items(find_pairs(tmp_path), "set", ndim=3))
    (given,) = read_items(find_pairs(tmp_path), "set", ndim=3, anisotropy=2.0)
    assert (given.anisotropy, given.scales(0.5)) == (2.0, (1.0, 0.5, 0.5))
    assert given.diameter_px == pytest.approx(median_diameter(labels) * 2 ** (1 / 3))
    image = tifffile.imread(tmp_path / "images/a.tif")
    for part in ("labels", "images"):
        sized = {"imagej": True, "resolution": (4, 4), "metadata": {"axes": "ZYX", "spacing": 0.75, "unit": "um"}}
        array = image if part == "images" else labels.astype(np.uint16)
        tifffile.imwrite(tmp_path / part / "a.tif", array, **sized)
        (read,) = read_items(find_pairs(tmp_path), "set", ndim=3)
        assert read.anisotropy == pytest.approx(3)


def test_stacks_with_few_labelled_planes_and_pictures_are_no_whole_stacks(tmp_path):
    labels = write_stack(tmp_path / "set", "a", 0).astype(np.int16)
    labels[3:] = -1
    (tmp_path / "set/labels/a.tif").unlink()
    np.save(tmp_path / "set/labels/a.npy", labels)
    (tmp_path / "set/split.csv").write_text("id,split\na,train\n")
    items, _ = read_sets([tmp_path / "set"], ndim=3, anisotropy=2.0)
    with pytest.raises(DataError, match="3 of 20 planes have labels"):
        list(whole_stacks(items))
    with pytest.raises(DataError, match="is a picture"):
        list(whole_stacks([replace(items[0], image=items[0].image[:, 0], labels=items[0].labels[0])]))


def test_settings_say_what_whole_stacks_need():
    assert TrainingConfig(ndim=3, representation="star").crop_px == 64
    assert TrainingConfig().crop_px == 256
    with pytest.raises(ParameterError, match="representations star, affinity and semantic"):
        TrainingConfig(ndim=3)
    with pytest.raises(ParameterError, match="expected 2"):
        TrainingConfig(ndim=4)
