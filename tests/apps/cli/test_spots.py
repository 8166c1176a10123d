"""``teasel spots``: files in, tables and pictures out."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from teasel.spatial import Spots
from teasel.spatial.matching import match_spots
from teasel.spatial.simulation import Scene, simulate


@pytest.fixture
def made(tmp_path):
    scene = Scene(sigma_px=1.5, density=0.002, detectability=40, texture=0.05, cells=2)
    result = simulate((150, 170), scene, seed=8)
    tifffile.imwrite(tmp_path / "cells.tif", result.image.astype(np.uint16))
    return result


def test_find_writes_a_table_and_a_picture(teasel, made, tmp_path):
    arguments = ["spots", "find", str(tmp_path / "cells.tif"), "-o", str(tmp_path / "out"), "--detector", "log"]
    result = teasel(*arguments, "--pixel-size", "0.1")
    assert result.exit_code == 0, result.output
    found = Spots.open(tmp_path / "out/cells.spots.csv")
    assert f"cells.tif: {len(found)} spots" in result.stdout
    assert match_spots(made.visible.positions_px, found.positions_px).f1 > 0.9
    assert found.voxel_size_um.x == 0.1
    picture = np.asarray(Image.open(tmp_path / "out/cells.spots.png"))
    assert picture.shape == (150 * 6, 170 * 6, 3)
    assert (picture[..., 1] > picture[..., 2]).any()
    again = teasel(*arguments)
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr
    assert teasel(*arguments, "--overwrite", "--quiet").stdout == ""


def test_a_bad_image_does_not_stop_the_others(teasel, made, tmp_path):
    (tmp_path / "broken.tif").write_bytes(b"no image")
    result = teasel(
        "spots", "find", str(tmp_path / "broken.tif"), str(tmp_path / "cells.tif"), "-o", str(tmp_path / "out"),
        "--detector", "dog", "--parquet",
    )  # fmt: skip
    assert result.exit_code == 1
    assert "broken.tif" in result.stderr
    assert len(Spots.open(tmp_path / "out/cells.spots.parquet")) > 10


def test_wrong_words_are_said(teasel, made, tmp_path):
    image = str(tmp_path / "cells.tif")
    for words, said in (
        (["--detector", "lgo"], "did you mean 'log'"),
        (["--detector", "spots", "--sigma", "1"], "no parameter"),
    ):
        result = teasel("spots", "find", image, "-o", str(tmp_path / "out"), *words)
        assert result.exit_code == 2
        assert said in result.stderr


def test_consensus_of_tables_and_of_folders(teasel, tmp_path):
    random = np.random.default_rng(0)
    truth, spurious = random.random((3000, 2)) * 2000, random.random((1500, 2)) * 2000
    rates = [(0.9, 0.2), (0.8, 0.1), (0.7, 0.3), (0.85, 0.25)]
    for number, (true, false) in enumerate(rates):
        seen = [truth[random.random(3000) < true], spurious[random.random(1500) < false]]
        (tmp_path / str(number)).mkdir()
        Spots(np.concatenate(seen)).save(tmp_path / f"{number}/a.spots.csv")
    tables = [str(tmp_path / f"{number}/a.spots.csv") for number in range(4)]
    result = teasel("spots", "consensus", *tables, "-o", str(tmp_path / "agreed.csv"))
    assert result.exit_code == 0, result.output
    agreed = Spots.open(tmp_path / "agreed.csv")
    likely = agreed.take(agreed["score"] > 0.5)
    assert match_spots(truth, likely.positions_px, distance_px=0.5).f1 > 0.9
    folders = [str(tmp_path / str(number)) for number in range(4)]
    result = teasel("spots", "consensus", *folders, "-o", str(tmp_path / "agreed"))
    assert result.exit_code == 0, result.output
    assert len(Spots.open(tmp_path / "agreed/a.spots.csv")) == len(agreed)
    alone = teasel("spots", "consensus", tables[0], "-o", str(tmp_path / "x.csv"))
    assert alone.exit_code == 2
