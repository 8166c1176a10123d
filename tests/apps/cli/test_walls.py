import numpy as np
import tifffile
from scipy import ndimage

from teasel.images import open_image


def test_writes_a_boundary_map_that_agglomerate_takes(teasel, tmp_path):
    stack = np.zeros((24, 32, 32), np.float32)
    stack[:, :, 15:17] = 100
    tifffile.imwrite(tmp_path / "tissue.tif", ndimage.gaussian_filter(stack, 1), imagej=True, metadata={"axes": "ZYX"})
    refused = teasel("walls", tmp_path / "tissue.tif", "-o", tmp_path / "walls.tif")
    assert refused.exit_code != 0
    assert "--anisotropy" in refused.stderr
    made = teasel("walls", tmp_path / "tissue.tif", "-o", tmp_path / "walls.tif", "--pixel-size", 0.2, "--z-step", 0.2)
    assert made.exit_code == 0, made.stderr
    found = open_image(tmp_path / "walls.tif").read()
    assert found[12, 16, 15] > 150 > found[12, 16, 5]
    result = teasel(
        "agglomerate", "--boundaries", tmp_path / "walls.tif", "-o", tmp_path / "cells.ome.zarr", "--threshold", 0.45,
        "--scheduler", "none",
    )  # fmt: skip
    assert "2 segments" in result.stdout, result.stderr
    again = teasel("walls", tmp_path / "tissue.tif", "-o", tmp_path / "walls.tif", "--anisotropy", 1)
    assert "is there already" in again.stderr
