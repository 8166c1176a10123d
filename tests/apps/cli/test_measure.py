"""``teasel measure``: as it is typed."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.geometry import VoxelSize
from teasel.images import save_image
from teasel.labels import write_labels
from teasel.measurement.tables import read_table
from tests.synthetic import render, touching


@pytest.fixture
def folder(tmp_path):
    size = VoxelSize(y=0.5, x=0.5)
    (tmp_path / "results").mkdir()
    for i, name in enumerate(("a", "b")):
        labels = touching((60, 70), seed=i, n=6)
        picture = (np.clip(render(labels, i), 0, 1.5) * 150).astype(np.uint8)
        save_image(tmp_path / f"{name}.tif", picture, axes="yx", voxel_size_um=size)
        write_labels(tmp_path / "results" / f"{name}.labels.tif", labels, size)
    return tmp_path


def test_one_image(teasel, folder):
    out = folder / "a.csv"
    done = teasel("measure", str(folder / "results/a.labels.tif"), str(folder / "a.tif"), "-o", str(out))
    assert done.exit_code == 0, done.output
    table = read_table(out)
    labels = touching((60, 70), seed=0, n=6)
    ids, areas = np.unique(labels[labels > 0], return_counts=True)
    assert table.column("label").tolist() == ids.tolist()
    np.testing.assert_allclose(table.column("AreaShape_Area"), areas * 0.25)
    again = teasel("measure", str(folder / "results/a.labels.tif"), str(folder / "a.tif"), "-o", str(out))
    assert again.exit_code != 0
    assert "--overwrite" in again.output


def test_a_folder_of_labels(teasel, folder):
    out = folder / "all.csv"
    command = ["measure", str(folder / "results"), str(folder / "*.tif"), "-o", str(out), "--families", "shape"]
    done = teasel(*command)
    assert done.exit_code == 0, done.output
    assert set(read_table(out).column("image").tolist()) == {"a.tif", "b.tif"}
    (folder / "results/b.labels.tif").unlink()
    missing = teasel(*command, "--overwrite")
    assert missing.exit_code != 0
    assert "no b.labels.tif" in missing.output


def test_labels_of_another_image(teasel, folder):
    write_labels(folder / "small.tif", np.ones((5, 5), int))
    done = teasel("measure", str(folder / "small.tif"), str(folder / "a.tif"), "-o", str(folder / "x.csv"))
    assert done.exit_code != 0
    assert "labels have shape (5, 5), the image (60, 70)" in done.output
    assert not (folder / "x.csv").exists()


def test_the_range_of_grey_values_for_texture(teasel, folder):
    command = ["measure", str(folder / "results/a.labels.tif"), str(folder / "a.tif"), "--families", "texture"]
    for out, more in (("a.csv", []), ("b.csv", ["--grey-range", "0,60"])):
        assert teasel(*command, "-o", str(folder / out), *more).exit_code == 0
    name = "Texture_SumAverage_channel0_1_00_256"
    assert (read_table(folder / "b.csv").column(name) > 1.5 * read_table(folder / "a.csv").column(name)).all()
    wrong = teasel(*command, "-o", str(folder / "c.csv"), "--grey-range", "60")
    assert "expected two numbers, such as 0,4095" in wrong.output
