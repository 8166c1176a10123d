"""Cell Tracking Challenge folders, judged by the rules of the challenge and by py-ctcmetrics where it is installed."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tifffile

from teasel.errors import DataError, FormatError, ShapeError
from teasel.labels import read_labels, write_labels
from teasel.labels.formats import ctc


def dividing() -> np.ndarray:
    """A cell that moves and divides in frame 2, one that stays, one that leaves, two pixels that come late."""
    labels = np.zeros((5, 24, 30), np.uint16)
    for t in range(5):
        if t < 2:
            labels[t, 4:10, 3 + t : 9 + t] = 7
        else:
            labels[t, 4:7, 3:9], labels[t, 8:11, 3:9] = 8, 9
        labels[t, 14:20, 20:26] = 3
        if t < 3:
            labels[t, 0:2, 28:30] = 5
        if t > 3:
            labels[t, 12, 12] = labels[t, 13, 13] = 65535
    return labels


PARENTS = {8: 7, 9: 7}


@pytest.mark.parametrize("name", ["01_RES", "01_GT"])
@pytest.mark.parametrize("ndim", [3, 4])
def test_round_trip(tmp_path, name, ndim):
    labels = dividing() if ndim == 3 else np.stack([dividing(), np.zeros_like(dividing())], axis=1)
    write_labels(tmp_path / name, labels, parents=PARENTS)
    np.testing.assert_array_equal(read_labels(tmp_path / name), labels)
    expected = [[3, 0, 4, 0], [5, 0, 2, 0], [7, 0, 1, 0], [8, 2, 4, 7], [9, 2, 4, 7], [65535, 4, 4, 0]]
    assert ctc.read_tracks(tmp_path / name).tolist() == expected


def test_names_and_types_follow_the_rules(tmp_path):
    write_labels(tmp_path / "02_RES", dividing(), parents=PARENTS)
    names = sorted(path.name for path in (tmp_path / "02_RES").iterdir())
    assert names == [*(f"mask00{t}.tif" for t in range(5)), "res_track.txt"]
    for t in range(5):
        frame = tifffile.imread(tmp_path / f"02_RES/mask00{t}.tif")
        assert frame.dtype == np.uint16
        assert frame.shape == (24, 30)
    for line in (tmp_path / "02_RES/res_track.txt").read_text().splitlines():
        assert re.fullmatch(r"\d+ \d+ \d+ \d+", line)
    write_labels(tmp_path / "02_GT", dividing())
    assert {path.name for path in (tmp_path / "02_GT/TRA").iterdir()} >= {"man_track.txt", "man_track004.tif"}
    write_labels(tmp_path / "03_RES", np.ones((1001, 1, 2, 2), np.uint8))
    assert (tmp_path / "03_RES/mask1000.tif").exists()
    assert read_labels(tmp_path / "03_RES").shape == (1001, 2, 2)


def test_a_folder_of_any_name_is_known_by_its_table(tmp_path):
    write_labels(tmp_path / "01_RES", dividing())
    (tmp_path / "01_RES").rename(tmp_path / "mine")
    np.testing.assert_array_equal(read_labels(tmp_path / "mine"), dividing())
    (tmp_path / "other").mkdir()
    with pytest.raises(FormatError, match="folder"):
        read_labels(tmp_path / "other")


def test_no_objects_and_objects_in_pieces_and_at_the_border(tmp_path):
    write_labels(tmp_path / "01_RES", np.zeros((3, 4, 5), np.uint8))
    assert (tmp_path / "01_RES/res_track.txt").read_text() == ""
    assert not read_labels(tmp_path / "01_RES").any()
    pieces = np.zeros((2, 6, 6), np.uint8)
    pieces[:, 0, 0] = pieces[:, 5, 5] = 2
    write_labels(tmp_path / "02_RES", pieces)
    np.testing.assert_array_equal(read_labels(tmp_path / "02_RES"), pieces)


def test_what_the_rules_forbid_is_not_written(tmp_path):
    gap = dividing()
    gap[1][gap[1] == 3] = 0
    with pytest.raises(DataError, match="label 3 is missing from frame 1"):
        write_labels(tmp_path / "01_RES", gap)
    with pytest.raises(DataError, match="65535"):
        write_labels(tmp_path / "01_RES", np.full((2, 2, 2), 65536))
    with pytest.raises(DataError, match="parent 3 does not end before"):
        write_labels(tmp_path / "01_RES", dividing(), parents={8: 3})
    with pytest.raises(DataError, match="track 77"):
        write_labels(tmp_path / "01_RES", dividing(), parents={8: 77})
    with pytest.raises(ShapeError, match="z"):
        write_labels(tmp_path / "01_RES", dividing()[0])
    assert not list(tmp_path.iterdir())


def spoil_table(folder, text):
    (folder / "res_track.txt").write_text(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3 0 4\n", "four whole numbers"),
        ("3 0 9 0\n", "within|in 5 frames"),
        ("3 0 4 0\n3 0 4 0\n", "two lines"),
        ("3 0 4 0\n", "knows nothing"),
        ("3 0 4 0\n5 0 3 0\n7 0 1 0\n8 2 4 7\n9 2 4 7\n65535 4 4 0\n", "label 5 is missing from frame 3"),
        ("3 0 4 8\n5 0 2 0\n7 0 1 0\n8 2 4 7\n9 2 4 7\n65535 4 4 0\n", "parent 8"),
    ],
)
def test_tables_that_do_not_fit_are_named(tmp_path, text, words):
    write_labels(tmp_path / "01_RES", dividing())
    spoil_table(tmp_path / "01_RES", text)
    with pytest.raises(FormatError, match=words):
        read_labels(tmp_path / "01_RES")


def test_frames_that_are_missing_or_broken_are_named(tmp_path):
    write_labels(tmp_path / "01_RES", dividing())
    (tmp_path / "01_RES/mask002.tif").unlink()
    with pytest.raises(FormatError, match="frame 2"):
        read_labels(tmp_path / "01_RES")
    (tmp_path / "01_RES/mask002.tif").write_bytes(b"II*\0")
    with pytest.raises(FormatError, match="mask002"):
        read_labels(tmp_path / "01_RES")
    tifffile.imwrite(tmp_path / "01_RES/mask002.tif", np.zeros((24, 31), np.uint16))
    with pytest.raises(FormatError, match=r"mask002.*shape"):
        read_labels(tmp_path / "01_RES")


def test_py_ctcmetrics_finds_the_folder_valid(tmp_path):
    pytest.importorskip("ctc_metrics", reason="needs py-ctcmetrics, as a judge")
    from ctc_metrics.scripts.evaluate import evaluate_sequence
    from ctc_metrics.scripts.validate import validate_sequence

    labels = dividing()
    labels[labels == 65535] = 12  # py-ctcmetrics adds 1 to labels, in 16 bits
    write_labels(tmp_path / "01_RES", labels, parents=PARENTS)
    write_labels(tmp_path / "01_GT", labels, parents=PARENTS)
    assert validate_sequence(str(tmp_path / "01_RES"), threads=1)["Valid"] == 1
    asked = ["Valid", "DET", "TRA"]
    scores = evaluate_sequence(str(tmp_path / "01_RES"), str(tmp_path / "01_GT"), metrics=asked, threads=1)
    assert [scores[key] for key in asked] == [1, 1, 1]
