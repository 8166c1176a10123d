"""``teasel segment IMAGE -o OUT.ome.zarr``: a plane of any size."""

from __future__ import annotations

import csv

import numpy as np
from skimage.io import imsave

from teasel.images import open_image
from tests.synthetic import discs, render


def test_a_plane_to_ome_zarr_and_its_table(tmp_path):
    from typer.testing import CliRunner

    from teasel.apps.cli.app import app

    labels = discs((160, 200), 14, 12, seed=1)
    imsave(tmp_path / "a.tif", (200 * np.clip(render(labels, 0), 0, 1)).astype(np.uint8), check_contrast=False)
    words = ["segment", tmp_path / "a.tif", "-o", tmp_path / "b.ome.zarr", "--model", "nuclei-fast"]
    more = ["--diameter", "24", "--scheduler", "none", "--pixel-size", "0.5"]
    result = CliRunner().invoke(app, [*map(str, words), *more])
    assert result.exit_code == 0, result.output
    found = open_image(tmp_path / "b.ome.zarr")
    assert found.shape == (160, 200)
    assert found.voxel_size_um.along("yx") == (0.5, 0.5)
    with (tmp_path / "b.objects.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found.read().max() > 8
    assert {"label", "centroid_y_px", "area_um2", "score"} <= set(rows[0])
    assert "objects" in result.stdout
    again = CliRunner().invoke(app, [*map(str, words), *more])
    assert again.exit_code == 2


def test_what_slides_do_not_know_is_said(teasel, write_image, tmp_path):
    path = write_image(tmp_path / "a.png")
    out = tmp_path / "b.ome.zarr"
    assert "not with -o b.ome.zarr" in teasel("segment", path, "-o", out, "--measure").stderr
    assert "a folder takes many" in teasel("segment", path, path, "-o", out).stderr
    assert "--backend" in teasel("segment", path, "-o", out, "--backend", "openvino").stderr
