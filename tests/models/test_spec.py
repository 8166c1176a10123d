"""The specification survives plain values, and refuses what it does not know."""

from __future__ import annotations

import json

import pytest

from teasel.errors import ModelError
from teasel.models import ModelSpec
from teasel.representations import build


def make(**changes: object) -> ModelSpec:
    values = {
        "name": "tiny",
        "description": "For tests.",
        "representation": build("hybrid", {"n_rays": 8}),
        "network": {"name": "unet", "params": {"widths": (8, 16)}},
    }
    return ModelSpec(**values | changes)


def test_plain_values_through_json_give_the_same_specification() -> None:
    spec = make(tags=("nuclei",), scores={"ap": 0.5}, normalisation=(0.5, 99.9))
    back = ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert back.representation == spec.representation
    assert back.to_dict() == spec.to_dict()
    assert (back.tags, back.normalisation) == (("nuclei",), (0.5, 99.9))


def test_an_unknown_key_is_refused_with_the_nearest() -> None:
    values = make().to_dict() | {"divisr": 8}
    with pytest.raises(ModelError, match="'divisr'; did you mean 'divisor'"):
        ModelSpec.from_dict(values)


def test_a_missing_key_is_named() -> None:
    values = make().to_dict()
    del values["network"]
    with pytest.raises(ModelError, match="lacks network"):
        ModelSpec.from_dict(values)


@pytest.mark.parametrize(
    "entry",
    ["hybrid", {"name": "hybrid"}, {"name": "hybird", "params": {}}, {"name": "hybrid", "params": {"x": 1}}],
)
def test_a_representation_that_cannot_be_built_is_a_model_error(entry: object) -> None:
    with pytest.raises(ModelError, match="representation"):
        ModelSpec.from_dict(make().to_dict() | {"representation": entry})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "Nuclei!"),
        ("network", {"name": "unet"}),
        ("ndim", 4),
        ("in_channels", 0),
        ("object_diameter_px", 0.0),
        ("divisor", 0),
        ("halo_px", -1),
        ("normalisation", (99.0, 1.0)),
    ],
)
def test_values_out_of_range_are_refused(key: str, value: object) -> None:
    with pytest.raises(ModelError, match=key):
        make(**{key: value})


def test_heads_are_the_representations() -> None:
    spec = make()
    assert spec.heads == spec.representation.heads(2)
