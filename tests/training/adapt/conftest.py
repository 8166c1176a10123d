"""A tiny model, trained for a few steps, that adaptations can start from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from teasel.training.folders import package
from teasel.training.loop import fit
from tests.training.test_crops import item
from tests.training.test_loop import TINY


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """The folder of a model called `nuclei-tiny`."""
    folder = tmp_path_factory.mktemp("tiny")
    config = replace(TINY, steps=40, learning_rate=5e-3)
    return package(fit([item(0), item(1)], [], folder / "run", config), [item(0)], [], folder / "nuclei-tiny")
