"""`teasel train`: options are the fields of the configuration."""

from __future__ import annotations

import pytest


@pytest.fixture
def training(monkeypatch):
    """The calls of a training that does nothing."""
    pytest.importorskip("torch")
    import teasel.training

    calls = []

    def train(config, data, folder, *, name=None, progress=None):
        calls.append((config, data, folder, name))
        progress(1, 1)
        return folder / "model"

    monkeypatch.setattr(teasel.training, "train", train)
    return calls


def test_everything_typed_arrives(teasel, training, tmp_path):
    result = teasel(
        "train", "a", "b", "-o", tmp_path, "--steps", 7, "--widths", "8,16", "--blocks", "1,1", "--name", "n"
    )
    assert result.exit_code == 0, result.output
    ((config, data, folder, name),) = training
    assert (config.steps, config.widths, config.blocks) == (7, (8, 16), (1, 1))
    assert ([str(one) for one in data], folder, name) == (["a", "b"], tmp_path, "n")
    assert f"teasel segment IMAGE -o results --model {tmp_path / 'model'}" in result.stdout


def test_a_wrong_setting_is_wrong_usage(teasel, training, tmp_path):
    result = teasel("train", "a", "-o", tmp_path, "--crop", 100)
    assert result.exit_code == 2
    assert result.stderr.startswith("teasel: ParameterError: crop_px is 100")
    assert training == []
