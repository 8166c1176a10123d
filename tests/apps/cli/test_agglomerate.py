"""`teasel agglomerate` as it is typed."""

from __future__ import annotations

import numpy as np
import pytest
import zarr


@pytest.fixture(scope="module")
def boundaries(tmp_path_factory):
    rng = np.random.default_rng(0)
    values = np.zeros((12, 40, 60), np.float32)
    values[:, 19:21] = 0.9
    values[:, :, 29:31] = 0.45
    values += 0.05 * rng.random(values.shape, np.float32)
    path = tmp_path_factory.mktemp("boundaries") / "walls.npy"
    np.save(path, values)
    return path


def test_a_boundary_map_becomes_labels_and_another_threshold_is_a_lookup(teasel, boundaries, tmp_path):
    out = tmp_path / "out.ome.zarr"
    words = ["agglomerate", "--boundaries", str(boundaries), "-o", str(out), "--scheduler", "none"]
    result = teasel(*words, "--threshold", "0.7")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{out}: 4 segments\n"
    result = teasel("agglomerate", str(out), "--threshold", "0.3")
    assert result.exit_code == 0, result.stderr
    cut = zarr.open_group(tmp_path / "out-0.3.ome.zarr", mode="r")["0"][...]
    assert cut.max() == 2
    assert cut[0, 5, 5] == cut[0, 5, 50] != cut[0, 35, 5]
    again = teasel(*words)
    assert again.exit_code == 2
    assert "is there already" in again.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing given; give one"),
        (["--affinities", "a.zarr", "--boundaries", "b.npy"], "--affinities and --boundaries given"),
        (["--boundaries", "b.npy"], "no --output"),
        (["--affinities", "a.zarr", "-o", "o.ome.zarr", "--offsets", "1,0"], "--offsets is '1,0'"),
        (["--boundaries", "b.npy", "-o", "o.ome.zarr", "--voxel-size", "1"], "--voxel-size is '1'"),
        (["r.ome.zarr"], "no --threshold"),
        (["r.ome.zarr", "--threshold", "0.5"], "keeps no supervoxels"),
    ],
)
def test_what_is_typed_wrongly_is_one_line(teasel, words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = teasel("agglomerate", *words)
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_bad_amount_of_memory_is_refused(teasel, boundaries, tmp_path):
    out = str(tmp_path / "o.ome.zarr")
    words = ["agglomerate", "--boundaries", str(boundaries), "-o", out, "--scheduler", "none", "--memory"]
    assert "expected an amount such as 6GB" in teasel(*words, "lots").stderr
    assert "or more" in teasel(*words, "100MB").stderr


def test_options_of_volumes_need_a_model_of_volumes(teasel, tmp_path):
    result = teasel("segment", "a.tif", "-o", str(tmp_path), "--threshold", "0.5")
    assert result.exit_code == 2
    assert "for models of volumes" in result.stderr


def test_connected_pieces_need_no_supervoxels(teasel, boundaries, tmp_path):
    out = tmp_path / "out.ome.zarr"
    words = ["agglomerate", "--boundaries", str(boundaries), "-o", str(out), "--scheduler", "none"]
    result = teasel(*words, "--score", "connected", "--threshold", "0.7")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{out}: 4 segments\n"
    group = zarr.open_group(out, mode="r")
    assert (group["0"][:, 19:21] == 0).all()
    assert "agglomeration" not in group
    wrong = teasel(*words[:3], "-o", str(tmp_path / "b.ome.zarr"), "--scheduler", "none", "--score", "conected")
    assert "expected mean, quantile, mutex or connected" in wrong.stderr
