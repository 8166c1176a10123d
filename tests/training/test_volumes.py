"""Volumes with a few labelled planes: a model of a foreground that segments volumes block by block."""

import numpy as np
import pytest
import tifffile
import zarr
from typer.testing import CliRunner

from teasel.apps.cli.app import app
from teasel.labels.metrics.matching import average_precision
from teasel.models import load_model
from teasel.representations.affinity import Affinity
from tests.synthetic import discs, render

SETTINGS = {"ndim": 3, "representation": "semantic", "widths": "8,16", "blocks": "1,1", "in-channels": 1, "crop": 32}
SETTINGS |= {"batch-size": 2, "workers": 0, "warmup-steps": 10, "learning-rate": 0.005, "steps": 90, "threads": 1}
WORDS = [word for name, value in SETTINGS.items() for word in (f"--{name}", str(value))]


def write_volume(folder, name, seed):
    """Balls of which every third plane was labelled; the others are -1."""
    labels = discs((40, 48, 52), 12, 6, seed).astype(np.int16)
    known = np.full_like(labels, -1)
    known[1::3] = labels[1::3]
    for part, array in (("images", (1000 * render(labels, seed)).clip(0).astype(np.uint16)), ("labels", known)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(folder / part / f"{name}.tif", array, metadata={"axes": "ZYX"})
    return labels


def test_a_few_planes_teach_a_model_of_volumes(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("numba")
    truths = [write_volume(tmp_path / "data", str(i), i) for i in range(3)]
    (tmp_path / "data/split.csv").write_text("id,split\n0,train\n1,train\n2,val\n")
    run = CliRunner().invoke
    result = run(app, ["train", str(tmp_path / "data"), "-o", str(tmp_path / "balls"), *WORDS, "-q"])
    assert result.exit_code == 0, result.output
    folder = tmp_path / "balls" / "balls"
    spec = load_model(folder).spec
    assert (spec.ndim, spec.representation.name, spec.by_block) == (3, "semantic", True)
    assert spec.scores["data"]["ap50"] > 0.5
    assert "own voxel size" in (folder / "README.md").read_text()
    out = tmp_path / "out.ome.zarr"
    words = ["segment", str(tmp_path / "data/images/2.tif"), "-o", str(out), "--model", str(folder)]
    result = run(app, [*words, "--scheduler", "none"])
    assert result.exit_code == 0, result.output
    found = zarr.open_group(out, mode="r")["0"][...]
    assert found.shape == truths[2].shape
    assert average_precision([truths[2]], [found], [0.3])[0] > 0.5
    assert "another threshold" not in result.output


def test_affinities_are_learnt_across_borders_without_room_and_the_threshold_is_chosen(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("numba")
    from teasel.training.scores import MERGE_THRESHOLDS

    rng = np.random.default_rng(0)
    for i in range(2):
        labels = np.zeros((24, 40, 40), np.int32)
        for axis in range(3):
            cut = rng.integers(10, 14)
            labels += (np.arange(labels.shape[axis]) >= cut).reshape([-1 if a == axis else 1 for a in range(3)]) << axis
        labels += 1
        walls = Affinity().encode_crop(labels)["foreground"][0] == 0
        assert 0 < walls.mean() < 0.4
        image = np.where(walls, 40, 160) + rng.normal(0, 10, labels.shape)
        for part, array in (("images", image.astype(np.float32)), ("labels", labels)):
            (tmp_path / "data" / part).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(tmp_path / "data" / part / f"{i}.tif", array, metadata={"axes": "ZYX"})
    (tmp_path / "data/split.csv").write_text("id,split\n0,train\n1,val\n")
    words = [w.replace("semantic", "affinity").replace("90", "60") for w in WORDS]
    result = CliRunner().invoke(app, ["train", str(tmp_path / "data"), "-o", str(tmp_path / "walls"), *words])
    assert result.exit_code == 0, result.output
    assert "teasel segment VOLUME -o out.ome.zarr --model" in result.output
    spec = load_model(tmp_path / "walls" / "walls").spec
    assert spec.representation.merge_threshold in MERGE_THRESHOLDS
    assert spec.scores["data"]["objects"] == 8
    assert spec.by_block


def test_a_volume_without_labels_is_refused():
    from teasel.errors import DataError
    from teasel.training.data import Item
    from teasel.training.planes import volumes

    nothing = np.full((3, 4, 4), -1, np.int32)
    with pytest.raises(DataError, match="no label above -1"):
        list(volumes([Item("a", np.zeros((1, 3, 4, 4), np.float32), nothing, 5.0)], 24.0))
    with pytest.raises(DataError, match="is a picture"):
        list(volumes([Item("a", np.zeros((1, 4, 4), np.float32), nothing[0] + 1, 5.0)], 24.0))
