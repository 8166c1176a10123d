from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import EntryPoint
from typing import ClassVar

import pytest

from teasel.errors import ParameterError
from teasel.representations import _registry, build, find, names
from teasel.representations.star import Star


@dataclass(frozen=True)
class Outside(Star):
    """A member of another package."""

    name: ClassVar[str] = "outside"


def test_every_member_is_found_by_its_name():
    assert {"affinity", "distance", "star"} <= set(names())
    assert all(find(name).name == name for name in names())


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(ParameterError, match="no representation 'sta'; did you mean 'star'"):
        find("sta")


def test_unknown_parameter_suggests_the_nearest():
    with pytest.raises(ParameterError, match="no parameter 'n_ray'; did you mean 'n_rays'"):
        build("star", {"n_ray": 16})


@pytest.mark.parametrize("value", ["16", 16.5, True, None])
def test_wrong_type_is_refused(value):
    with pytest.raises(ParameterError, match=r"star\.n_rays is"):
        build("star", {"n_rays": value})


@pytest.mark.parametrize("name", names())
def test_parameters_survive_json(name):
    made = build(name)
    assert build(name, json.loads(json.dumps(asdict(made)))) == made


def test_nested_parameters_are_checked():
    made = build("star", {"calibration": {"knots": [[0, 0], [0.5, 1.0]]}})
    assert made.calibration.knots == ((0, 0), (0.5, 1.0))
    with pytest.raises(ParameterError, match="did you mean 'knots'"):
        build("star", {"calibration": {"knot": []}})


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("star", {"n_rays": 2}),
        ("star", {"prob_threshold": 0.0}),
        ("star", {"nms_threshold": 2.0}),
        ("distance", {"centre": "middle"}),
        ("distance", {"seed_depth": 0.0}),
        ("affinity", {"method": "cut"}),
        ("affinity", {"offsets_plane": [[1, 0], [0, 4]]}),
        ("affinity", {"offsets_volume": [[1, 0], [0, 1]]}),
    ],
)
def test_values_out_of_range_are_refused(name, params):
    with pytest.raises(ParameterError, match="expected"):
        build(name, params)


class TestEntryPoints:
    def test_member_of_another_package(self, monkeypatch):
        point = EntryPoint("outside", "outside_package:Outside", _registry.GROUP)
        monkeypatch.setattr(_registry, "entry_points", lambda group: [point])
        monkeypatch.setattr(EntryPoint, "load", lambda self: Outside)
        assert "outside" in names()
        assert find("outside") is Outside

    def test_name_of_a_builtin_is_refused(self, monkeypatch):
        point = EntryPoint("star", "outside_package:Star", _registry.GROUP)
        monkeypatch.setattr(_registry, "entry_points", lambda group: [point])
        with pytest.raises(ParameterError, match="rename it"):
            find("star")

    def test_anything_else_is_refused(self, monkeypatch):
        point = EntryPoint("outside", "json:dumps", _registry.GROUP)
        monkeypatch.setattr(_registry, "entry_points", lambda group: [point])
        with pytest.raises(ParameterError, match="subclass of Representation"):
            find("outside")


def test_importing_the_room_is_light():
    code = (
        "import sys, teasel.representations as r; r.names(); print([m for m in ('numba', 'torch') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_missing_numba_says_what_to_install():
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import numpy as np\n"
        "from teasel.errors import MissingDependency\n"
        "from teasel.representations import build\n"
        "for name in ('star', 'distance', 'affinity'):\n"
        "    member = build(name)\n"
        "    fields = {h.name: np.zeros((h.channels, 8, 8), np.float32) for h in member.heads(2)}\n"
        "    try:\n"
        "        member.decode(fields)\n"
        "    except MissingDependency as error:\n"
        "        print('teasel[kernels]' in str(error))\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["True"] * 3
