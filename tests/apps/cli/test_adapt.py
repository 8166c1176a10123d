"""`teasel adapt`: options are the fields of the configuration; a model that is not better is an exit code of 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from teasel.training.adapt.result import Adapted


@pytest.fixture
def adapting(monkeypatch, tmp_path):
    """The calls of an adaptation that does nothing, and the outcome it gives."""
    pytest.importorskip("torch")
    import teasel.training.adapt as room

    calls = []
    outcome = {"accepted": True}

    def result(**arguments):
        calls.append(arguments)
        arguments["progress"](1, 2)
        folder = tmp_path / "mine" if outcome["accepted"] else None
        reason = "not handed over, it is not better: 0.600 -> 0.590"
        table = {"held-out crops, AP@0.5": [0.6, 0.7]}
        return Adapted(outcome["accepted"], folder, reason, {"table": table}, tmp_path / "before_after.png", 75.0)

    monkeypatch.setattr(
        room, "adapt", lambda corrections, output, **more: result(corrections=corrections, output=output, **more)
    )
    monkeypatch.setattr(
        room, "adapt_unlabelled", lambda images, output, **more: result(images=images, output=output, **more)
    )
    return calls, outcome


def corrections(folder: Path) -> Path:
    for part, value in (("images", 7), ("labels", 1)):
        (folder / part).mkdir(parents=True)
        tifffile.imwrite(folder / part / "a.tif", np.full((16, 16), value, np.uint16))
    return folder


def test_everything_typed_arrives(teasel, adapting, tmp_path):
    calls, _ = adapting
    folder = corrections(tmp_path / "data")
    result = teasel(
        "adapt",
        folder,
        "-o",
        tmp_path / "out",
        "--model",
        "nuclei-fast",
        "--steps",
        9,
        "--replay",
        "old",
        "--name",
        "n",
    )
    assert result.exit_code == 0, result.output
    (call,) = calls
    assert [one.name for one in call["corrections"]] == ["a"]
    assert (call["model"], call["name"], call["config"].steps) == ("nuclei-fast", "n", 9)
    assert [str(one) for one in call["replay"]] == ["old"]
    assert "0.600 -> 0.700" in result.stdout
    assert f"teasel segment IMAGE -o results --model {tmp_path / 'mine'}" in result.stdout
    assert "1 min 15 s" in result.stdout


def test_the_old_model_stays_and_the_exit_code_says_so(teasel, adapting, tmp_path):
    _, outcome = adapting
    outcome["accepted"] = False
    result = teasel("adapt", corrections(tmp_path / "data"), "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "0.600 -> 0.700" in result.stdout
    assert result.stderr.strip() == (
        "teasel: not handed over, it is not better: 0.600 -> 0.590; model 'nuclei' stays as it is"
    )


def test_bare_images(teasel, adapting, write_image, tmp_path):
    calls, _ = adapting
    for name in ("a.tif", "b.tif"):
        write_image(tmp_path / "images" / name)
    result = teasel("adapt", "--unlabelled", tmp_path / "images", "-o", tmp_path / "out", "--channel", "0")
    assert result.exit_code == 0, result.output
    (call,) = calls
    assert [path.name for path in call["images"]] == ["a.tif", "b.tif"]
    assert call["channels"] == ["0"]


def test_a_folder_without_corrections_is_said_in_one_line(teasel, adapting, tmp_path):
    (tmp_path / "images").mkdir()
    result = teasel("adapt", tmp_path, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr.startswith("teasel: DataError: nothing is said about the images")
    assert len(result.stderr.splitlines()) == 1


def test_a_wrong_setting_is_wrong_usage(teasel, adapting, tmp_path):
    result = teasel("adapt", tmp_path, "-o", tmp_path / "out", "--objects", "plants")
    assert result.exit_code == 2
    assert "objects 'plants'; expected auto, nuclei or cells" in result.stderr
