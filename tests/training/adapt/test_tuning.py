from dataclasses import replace

import pytest
import torch

from teasel.errors import Cancelled, ModelError
from teasel.models import read_package, revise
from teasel.training.adapt import AdaptConfig
from teasel.training.adapt.crops import AdaptCrops
from teasel.training.adapt.network import blend, free_weights, open_network
from teasel.training.adapt.tuning import CHECKPOINT, fingerprint, tune
from tests.training.adapt.test_lessons import lesson
from tests.training.test_crops import item

CONFIG = AdaptConfig(steps=5, batch_size=2, crop_px=64, workers=0, checkpoint_every=2, learning_rate=1e-2)
LESSONS, REPLAY = [lesson(0), lesson(1)], [item(0)]


def run(model, folder, config=CONFIG, **options):
    network, package = open_network(model)
    crops = AdaptCrops.build(LESSONS, REPLAY, package.spec, config)
    mark = fingerprint(package.spec, "digest", config, LESSONS)
    return tune(network, crops, folder / CHECKPOINT.format(0), mark, **options)


def test_only_free_weights_move_and_no_statistics(tiny_model, tmp_path):
    before, _ = open_network(tiny_model)
    free = set(free_weights(before))
    after = run(tiny_model, tmp_path).network
    moved = {name for name, value in after.state_dict().items() if not torch.equal(value, before.state_dict()[name])}
    assert moved
    assert moved <= free
    fine = {name: weight for name, weight in before.named_parameters() if name.startswith(("stem", "encoder.0"))}
    assert {name for name in fine if name in free} == {name for name, weight in fine.items() if weight.ndim == 1}
    assert {name for name, _ in before.named_parameters() if name.startswith(("encoder.1", "down"))} <= free
    assert any(name.startswith("heads") for name in moved)


def test_a_cancelled_run_goes_on_to_the_same_weights(tiny_model, tmp_path):
    straight = run(tiny_model, tmp_path)
    stopped = tmp_path / "stopped"
    stopped.mkdir()
    answers = iter([False, False, False, False, True])
    with pytest.raises(Cancelled, match="step 4 of 5"):
        run(tiny_model, stopped, cancelled=lambda: next(answers))
    assert (stopped / CHECKPOINT.format(0)).exists()
    steps = []
    resumed = run(tiny_model, stopped, progress=lambda done, total: steps.append(done))
    assert steps == [5]
    for name, value in straight.end.items():
        assert torch.equal(value, resumed.end[name])


def test_what_comes_out_is_the_mean_of_the_last_weights(tiny_model, tmp_path):
    network, package = open_network(tiny_model)
    crops = AdaptCrops.build(LESSONS, REPLAY, package.spec, CONFIG)
    free, seen = free_weights(network), []

    def note(step, steps):
        seen.append({name: weight.detach().clone() for name, weight in free.items()})

    tuned = tune(network, crops, tmp_path / "checkpoint.pt", "mark", progress=note)
    for name, weight in tuned.end.items():  # the last 40 % of 5 steps
        assert torch.allclose(weight, (seen[3][name] + seen[4][name]) / 2, atol=1e-6)
        assert torch.equal(dict(tuned.network.named_parameters())[name], weight)


def test_who_allows_more_forgetting_does_not_train_again(tiny_model, tmp_path):
    run(tiny_model, tmp_path)
    steps = []
    lenient = replace(CONFIG, replay_tolerance=0.1)
    run(tiny_model, tmp_path, lenient, progress=lambda done, total: steps.append(done))
    assert steps == []


def test_other_settings_start_anew(tiny_model, tmp_path):
    run(tiny_model, tmp_path)
    steps = []
    run(tiny_model, tmp_path, replace(CONFIG, seed=1), progress=lambda done, total: steps.append(done))
    assert steps == [1, 2, 3, 4, 5]


def test_the_pull_keeps_weights_near(tiny_model, tmp_path):
    def way(pull):
        folder = tmp_path / str(pull)
        folder.mkdir()
        tuned = run(tiny_model, folder, replace(CONFIG, pull=pull))
        return sum(float((tuned.end[k] - tuned.start[k]).square().sum()) for k in tuned.start)

    assert way(100.0) < way(0.0)


def test_weights_in_between(tiny_model, tmp_path):
    tuned = run(tiny_model, tmp_path)
    for share, expected in ((0.0, tuned.start), (1.0, tuned.end)):
        state = blend(tuned.network, tuned.start, tuned.end, share).state_dict()
        assert all(torch.allclose(state[name], value) for name, value in expected.items())


def test_an_adapted_model_is_not_adapted_again(tiny_model, tmp_path):
    import shutil

    copy = tmp_path / "nuclei-tiny"
    shutil.copytree(tiny_model, copy)
    spec = read_package(copy).spec
    revise(copy, replace(spec, training=spec.training | {"adapted_from": "nuclei"}))
    with pytest.raises(ModelError, match="start from 'nuclei' again"):
        open_network(copy)
