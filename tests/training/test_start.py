from dataclasses import replace

import numpy as np
import pytest
import torch

from teasel.errors import ModelNotFound, ParameterError
from teasel.models import read_package
from teasel.training.folders import package
from teasel.training.loop import fit
from teasel.training.start import starting_network
from tests.training.test_crops import item
from tests.training.test_loop import TINY


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parent")
    trained = fit([item(0)], [], folder / "run", TINY)
    return trained, package(trained, [item(0)], [], folder / "parent")


def test_the_weights_are_those_of_the_model(parent):
    trained, folder = parent
    network = starting_network(replace(TINY, start_from=str(folder), seed=9), trained.representation, 2)
    for a, b in zip(trained.network.state_dict().values(), network.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_another_network_is_an_error_that_names_the_difference(parent):
    trained, folder = parent
    config = replace(TINY, start_from=str(folder), widths=(8, 16))
    with pytest.raises(ParameterError, match=r"widths is \[8, 12\], not \[8, 16\]"):
        starting_network(config, trained.representation, 2)
    with pytest.raises(ModelNotFound, match="nucleii"):
        starting_network(replace(TINY, start_from="nucleii"), trained.representation, 2)


def test_the_card_names_the_model_before(parent, tmp_path):
    _, folder = parent
    config = replace(TINY, start_from=str(folder), steps=4, learning_rate=1e-4)
    child = package(fit([item(0)], [], tmp_path / "run", config), [item(0)], [], tmp_path / "child")
    spec = read_package(child).spec
    (before,) = spec.training["lineage"]
    assert before["name"] == "parent"
    assert before["sha256"] == read_package(folder).digests["weights.pt"]
    assert before["settings"]["steps"] == TINY.steps
    card = (child / "README.md").read_text()
    assert "4 steps of" in card
    assert f"Before that, as parent ({before['sha256'][:12]}): 6 steps of" in card
    assert np.isfinite(before["settings"]["learning_rate"])
