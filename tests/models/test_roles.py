import numpy as np
import pytest

from teasel.errors import ModelError, ShapeError
from teasel.models import ModelSpec
from teasel.models.roles import arrange, distinct
from teasel.representations import build

ROLES = ("cell", "nucleus", "cell")


def planes(n):
    return np.arange(n, dtype=np.float32)[:, None, None] * np.ones((n, 2, 3), np.float32)


def test_channels_stand_where_the_network_takes_them():
    assert distinct(ROLES) == ("cell", "nucleus")
    assert arrange(planes(2), ROLES, 3)[:, 0, 0].tolist() == [0, 1, 0]
    assert arrange(planes(1), ROLES, 3)[:, 0, 0].tolist() == [0, 0, 0]
    assert arrange(planes(3), (), 3)[:, 0, 0].tolist() == [0, 1, 2]
    assert arrange(planes(1), (), 3).shape == (3, 2, 3)


def test_a_missing_role_repeats_the_first():
    assert arrange(planes(2), ("a", "b", "c", "b"), 4)[:, 0, 0].tolist() == [0, 1, 0, 1]


def test_channels_that_fit_nowhere_are_refused():
    with pytest.raises(ShapeError, match="4 channels"):
        arrange(planes(4), ROLES, 3)
    with pytest.raises(ShapeError, match="takes 1, 3"):
        arrange(planes(2), (), 3)


def spec(**changes):
    values = {"representation": build("hybrid", {}), "network": {"name": "unet", "params": {}}, "roles": ROLES}
    return ModelSpec(name="two", description="Two.", **values | changes)


def test_roles_are_kept_and_checked():
    assert ModelSpec.from_dict(spec().to_dict()).roles == ROLES
    with pytest.raises(ModelError, match="roles"):
        spec(roles=("cell",))


def test_the_description_normalises_each_channel_on_its_own():
    from teasel.models.description import _input

    tensor = {"source": "x", "sha256": "0"}
    apart, together = _input(spec(), tensor), _input(spec(roles=()), tensor)
    assert apart["preprocessing"][0]["kwargs"]["axes"] == ["y", "x"]
    assert together["preprocessing"][0]["kwargs"]["axes"] == ["channel", "y", "x"]
    names = apart["axes"][1]["channel_names"]
    assert len(set(names)) == 3
    assert names[:2] == ["cell", "nucleus"]
