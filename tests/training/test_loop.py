from dataclasses import replace

import numpy as np
import pytest
import torch

from teasel.errors import ModelError, ParameterError
from teasel.training.config import TrainingConfig
from teasel.training.loop import CHECKPOINT, fit, fit_sampler
from tests.training.test_crops import item

TINY = TrainingConfig(
    widths=(8, 12),
    blocks=(1, 1),
    steps=6,
    batch_size=2,
    crop_px=64,
    warmup_steps=2,
    checkpoint_every=2,
    validate_every=3,
    workers=0,
)


class Killed(BaseException):
    """Stands for the end of the process."""


def test_a_run_that_was_killed_gives_the_same_network(tmp_path):
    items, validation = [item(0), item(1)], [item(2)]
    straight = fit(items, validation, tmp_path / "a", TINY)

    def die(step, steps):
        if step == 5:
            raise Killed

    with pytest.raises(Killed):
        fit(items, validation, tmp_path / "b", TINY, progress=die)
    resumed = fit(items, validation, tmp_path / "b", TINY)
    for a, b in zip(straight.network.state_dict().values(), resumed.network.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert [row["step"] for row in resumed.history] == [3, 6]
    assert {"loss", "ap50", "ap75", "ap90"} <= set(resumed.history[-1])


def test_a_finished_run_is_not_trained_again(tmp_path):
    done = fit([item(0)], [], tmp_path, TINY)
    seen = []
    again = fit([item(0)], [], tmp_path, TINY, progress=lambda step, steps: seen.append(step))
    assert not seen
    assert torch.equal(next(done.network.parameters()), next(again.network.parameters()))


def test_other_settings_do_not_go_on_from_a_checkpoint(tmp_path):
    fit([item(0)], [], tmp_path, TINY)
    with pytest.raises(ModelError, match="other settings"):
        fit([item(0)], [], tmp_path, replace(TINY, learning_rate=1e-2))
    assert (tmp_path / CHECKPOINT).exists()


def test_training_learns(tmp_path):
    config = replace(TINY, steps=40, validate_every=20, learning_rate=5e-3)
    history = fit([item(0), item(1)], [], tmp_path, config).history
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]


def test_nothing_to_train_on_is_an_error(tmp_path):
    with pytest.raises(ParameterError, match="no training images"):
        fit([], [], tmp_path, TINY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"precision": "f16"}, "bf16"),
        ({"crop_px": 100}, "multiple of 16"),
        ({"steps": 0}, "1 or more"),
        ({"learning_rate": -1.0}, "0 or more"),
        ({"widths": (8, 8)}, "as many"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    with pytest.raises(ParameterError, match=message):
        TrainingConfig(**change)


def test_the_checkpoint_holds_plain_values(tmp_path):
    fit([item(0)], [], tmp_path, TINY)
    saved = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert saved["step"] == 6
    assert saved["config"]["widths"] == [8, 12]
    assert np.isfinite(next(iter(saved["average"].values())).numpy()).all()


def test_any_network_with_the_heads_can_be_trained(tmp_path):
    from teasel.networks.anisotropic import Anisotropic
    from teasel.representations.affinity import Affinity

    representation = Affinity()
    labels = np.zeros((8, 32, 32), np.int32)
    labels[:, 4:28, 4:14], labels[:, 4:28, 17:28] = 1, 2
    targets = representation.encode(labels)
    heads = [{"name": h.name, "channels": h.channels, "stride": 1} for h in representation.heads(3)]

    def build():
        torch.manual_seed(0)
        return Anisotropic(1, heads, widths=(4, 6))

    config = replace(TINY, in_channels=1, batch_size=1, steps=12, learning_rate=1e-2)
    image = (labels > 0).astype(np.float32)[None]
    trained = fit_sampler(lambda number: (image, targets), representation, 3, tmp_path, config, build=build)
    assert isinstance(trained.network, Anisotropic)
    assert trained.history[-1]["loss"] < trained.history[0]["loss"]
