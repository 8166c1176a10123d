import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from teasel import load_model, segment
from teasel.errors import Cancelled, DataError, ParameterError
from teasel.models import read_package
from teasel.training.adapt import AdaptConfig, Correction, adapt, adapt_unlabelled
from teasel.training.adapt.network import open_network
from teasel.training.adapt.replay import kind_of, replay_scenes
from teasel.training.adapt.result import hand_over
from teasel.training.simulation.nuclei_scenes import simulate_nuclei
from tests.training.adapt.test_lessons import lesson

TINY = AdaptConfig(steps=2, folds=2, batch_size=2, crop_px=64, workers=0, replay_scenes=15)


def corrections(count=4, **more):
    made = [simulate_nuclei("tissue", size_px=128, diameter_px=30, seed=seed) for seed in range(count)]
    return [Correction(f"image {k}", image, labels, **more) for k, (image, labels) in enumerate(made)]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """The shipped fast model adapted for a handful of steps."""
    folder = tmp_path_factory.mktemp("adapted")
    seen = []
    config = AdaptConfig(steps=3, folds=2, batch_size=4, crop_px=128, workers=0, replay_scenes=15, replay_tolerance=1.0)
    result = adapt(
        corrections(), folder, model="nuclei-fast", config=config, progress=lambda done, total: seen.append(done)
    )
    return result, folder, seen


def test_progress_never_falls_and_ends(outcome):
    _, _, seen = outcome
    assert seen == sorted(seen)
    assert seen[-1] == 1000


def test_the_report_says_both_numbers(outcome):
    result, folder, _ = outcome
    report = json.loads((folder / "report.json").read_text())
    assert report["accepted"] is result.accepted
    assert report["reason"] == result.reason
    for numbers in report["scores"]["table"].values():
        assert len(numbers) == 2
    assert report["scores"]["objects"] == sum(len(np.unique(one.labels)) - 1 for one in corrections())
    assert set(report["scores"]["candidates"]) == {"0.0", "0.25", "0.5", "0.75", "1.0"}


def test_one_network_per_fold_and_a_longer_one_on_everything(outcome):
    _, folder, _ = outcome
    steps = {path.name: torch.load(path, weights_only=True)["step"] for path in sorted(folder.glob("adapting-*.pt"))}
    assert steps == {"adapting-0.pt": 3, "adapting-1.pt": 3, "adapting-2.pt": 6}


def test_the_last_network_goes_through_the_corrections_as_often_as_those_of_folds():
    assert AdaptConfig(steps=100).last_steps(3) == 150
    assert AdaptConfig(steps=100).last_steps(1) == 100


def test_one_outlined_part_judges_what_was_learned_from_points(tmp_path):
    (outlined,) = corrections(1)
    few = np.where(np.isin(outlined.labels, np.unique(outlined.labels)[:3]), outlined.labels, 0)
    nothing_found = Correction("points", np.zeros_like(outlined.image), points=np.array([[40.0, 40.0], [80.0, 90.0]]))
    given = [replace(outlined, labels=few), nothing_found]
    result = adapt(given, tmp_path / "out", model="nuclei-fast", config=TINY)
    assert result.scores["folds"] == 1


def test_there_is_a_picture_of_before_and_after(outcome):
    from PIL import Image

    result, _, _ = outcome
    assert np.asarray(Image.open(result.picture)).std() > 10


def test_a_model_is_handed_over_exactly_if_it_is_accepted(outcome):
    result, folder, _ = outcome
    assert (result.folder is not None) is result.accepted
    assert (folder / folder.name / "rdf.yaml").exists() is result.accepted


def test_a_model_that_is_not_better_stays_away(tiny_model, tmp_path):
    still = AdaptConfig(**(TINY.__dict__ | {"learning_rate": 0.0}))
    result = adapt(corrections(), tmp_path / "out", model=tiny_model, config=still)
    assert not result.accepted
    assert result.folder is None
    assert "it is not surely better" in result.reason
    assert not (tmp_path / "out/out").exists()


def test_what_is_handed_over_is_a_model_like_any_other(tiny_model, tmp_path):
    network, package = open_network(tiny_model)
    scores = {"share": 0.5, "table": {"held-out crops, AP@0.5": [0.4, 0.6]}}
    folder = hand_over(
        network,
        package,
        tmp_path / "mine",
        TINY,
        scores=scores,
        images=[lesson(0)],
        seconds=12.0,
        how="with labels",
    )
    spec = read_package(folder).spec
    assert spec.name == "mine"
    assert spec.training["adapted_from"] == "nuclei-tiny"
    assert spec.training["lineage"][0]["sha256"] == package.digests["weights.pt"]
    assert spec.scores == scores
    card = (folder / "README.md").read_text()
    assert "Adapted with labels from nuclei-tiny" in card
    assert "| held-out crops, AP@0.5 | 0.400 | 0.600 |" in card
    assert segment(np.zeros((64, 64), np.uint8), load_model(folder)).model_name == "mine"


def test_stopping_is_heard(tiny_model, tmp_path):
    with pytest.raises(Cancelled, match="goes on"):
        adapt(corrections(), tmp_path, model=tiny_model, config=TINY, cancelled=lambda: True)


def test_sparse_corrections_are_enough(tiny_model, tmp_path):
    verified = np.zeros((128, 128), bool)
    verified[:96, :96] = True
    some = corrections(3, verified=verified)
    points = [Correction("points", some[0].image, points=np.array([[40.0, 40.0], [90.0, 70.0]]))]
    result = adapt([*some, *points], tmp_path, model=tiny_model, config=TINY)
    assert result.scores["objects"] > 0


def test_nothing_to_learn_from_is_an_error(tiny_model, tmp_path):
    empty = [Correction("a", np.zeros((1, 128, 128)), np.zeros((128, 128), np.int32))]
    with pytest.raises(DataError, match="not one object"):
        adapt(empty, tmp_path, model=tiny_model, config=TINY)


def test_what_is_replayed_is_what_the_model_finds(tiny_model):
    spec = read_package(tiny_model).spec
    assert kind_of(spec, "auto") == "nuclei"
    assert kind_of(spec, "cells") == "cells"
    from dataclasses import replace

    with pytest.raises(ParameterError, match="--objects"):
        kind_of(replace(spec, name="mine", tags=()), "auto")


@pytest.mark.parametrize("kind", ["nuclei", "cells"])
def test_replayed_scenes_have_many_styles_and_depend_on_the_seed(kind):
    scenes = replay_scenes(kind, 5, seed=3)
    assert len({scene.name.split("/")[0] for scene in scenes}) == 5
    again, other = replay_scenes(kind, 1, seed=3)[0], replay_scenes(kind, 1, seed=4)[0]
    assert np.array_equal(scenes[0].image, again.image)
    assert not np.array_equal(again.image, other.image)
    assert all(np.isfinite(scene.image).all() and scene.labels.max() > 0 for scene in scenes)


def test_bare_images(tmp_path):
    import tifffile

    for seed in range(3):
        image, _ = simulate_nuclei("colonies", size_px=160, diameter_px=24, seed=seed)
        tifffile.imwrite(tmp_path / f"{seed}.tif", (1000 + 2000 * image[0].clip(0, 5)).astype(np.uint16))
    config = AdaptConfig(steps=2, batch_size=3, crop_px=64, workers=0, replay_scenes=15)
    result = adapt_unlabelled(sorted(tmp_path.glob("*.tif")), tmp_path / "out", model="nuclei-fast", config=config)
    table = result.scores["table"]
    before, after = table["consistency on the images"]
    assert 0 < before <= 1
    assert not result.accepted or after >= before + 0.002
    assert "consistency on 3 images" in result.reason
    assert result.picture.exists()


def test_bare_images_without_objects_give_nothing_to_go_by(tiny_model, tmp_path):
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", np.random.default_rng(0).integers(0, 9, (128, 128)).astype(np.uint8))
    with pytest.raises(DataError, match="is sure of"):
        adapt_unlabelled([tmp_path / "a.tif"], tmp_path / "out", model="nuclei-fast", config=TINY)
