"""`teasel info`."""

from __future__ import annotations


def test_says_what_was_understood(teasel, write_image, tmp_path):
    result = teasel("info", write_image(tmp_path / "a.png"))
    assert result.exit_code == 0
    assert "y 64, x 64" in result.stdout
    assert "uint8" in result.stdout


def test_goes_on_after_a_bad_file(teasel, write_image, tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0 cut off")
    write_image(tmp_path / "b.png")
    result = teasel("info", tmp_path)
    assert result.exit_code == 1
    assert "a.tif: FormatError" in result.stderr
    assert "b.png" in result.stdout


def test_axes_are_taken(teasel, tmp_path):
    import numpy as np

    np.save(tmp_path / "a.npy", np.zeros((5, 20, 30), np.uint16))
    result = teasel("info", tmp_path / "a.npy", "--axes", "zyx")
    assert "z 5, y 20, x 30" in result.stdout
