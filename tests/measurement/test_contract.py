"""What holds for every family of features, found by themselves."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from teasel.geometry import VoxelSize
from teasel.images import Image
from teasel.measurement import Measurements, measure
from teasel.measurement.features import find, names
from tests.synthetic import random_labels, render, touching

FAMILIES = names()
SHAPES = {2: (90, 100), 3: (14, 36, 40)}
EDGES = {2: VoxelSize(y=0.5, x=0.5), 3: VoxelSize(z=2.0, y=0.5, x=0.5)}


def scene(ndim, seed=0, kind="ragged", dtype=np.uint16):
    """Labels with gaps in their numbers, some objects cut by the border, and a picture of two channels."""
    shape = SHAPES[ndim]
    labels = random_labels(shape, 12, seed) if kind == "ragged" else touching(shape, seed, n=12)
    picture = np.stack([render(labels, seed + i) for i in range(2)])
    picture = np.clip(picture, 0, 1.6) / 1.6
    if np.dtype(dtype).kind in "iu":
        picture = (picture * np.iinfo(dtype).max).astype(dtype)
    return labels, Image(picture.astype(dtype), "c" + "zyx"[3 - ndim :], channel_names=("A", "B"))


def run(labels, image, family, **options):
    """Measure one family; the one of nuclei needs nuclei, here the middles of the cells."""
    options.setdefault("threads", 1)
    if family == "nuclei":
        options["nuclei"] = middles(labels)
    return measure(labels, image, families=(family,), **options)


def middles(labels):
    """The parts of the objects away from their edges, numbered otherwise."""
    inner = labels.copy()
    for axis in range(labels.ndim):
        for shift in (-1, 1):
            inner[np.roll(labels, shift, axis) != labels] = 0
    rank = np.unique(inner, return_inverse=True)[1]
    return np.where(inner > 0, 3 * rank.reshape(inner.shape), 0)


def equal(one: Measurements, other: Measurements, *, but: str = ""):
    """Say that two tables hold the same numbers to the last bit."""
    assert one.features == other.features
    keep = [f.unit != but for f in one.features]
    np.testing.assert_array_equal(one.values[:, keep], other.values[:, keep])
    np.testing.assert_array_equal(one.spatial_um, other.spatial_um)


@pytest.fixture(params=[2, 3])
def ndim(request):
    return request.param


@pytest.mark.parametrize("family", FAMILIES)
def test_every_feature_says_what_it_is(family, ndim):
    table = run(*scene(ndim), family)
    assert len(table.features) == len(set(table.names))
    for feature in table.features:
        assert feature.family == family
        assert feature.definition.endswith(".")
        assert len(feature.definition.split()) >= 3
        assert feature.channel in ("", "A", "B", "A_B")
        assert feature.unit
        assert feature.compartment == ("cell" if family == "nuclei" else "object")
    if family != "zernike" or ndim == 2:
        assert np.isfinite(table.values).any(axis=0).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_are_documented(family):
    doc = find(family).__doc__
    assert all(f"    {field.name} : " in doc for field in fields(find(family)))


@pytest.mark.parametrize("family", FAMILIES)
def test_an_empty_image_gives_an_empty_table_with_all_columns(family, ndim):
    labels, image = scene(ndim)
    empty = run(np.zeros_like(labels), image, family)
    assert len(empty) == 0
    assert empty.features == run(labels, image, family).features


@pytest.mark.parametrize("kind", ["ragged", "touching"])
@pytest.mark.parametrize("family", FAMILIES)
def test_tiles_give_the_numbers_of_the_whole_to_the_last_bit(family, ndim, kind):
    labels, image = scene(ndim, 1, kind)
    whole = run(labels, image, family)
    for tile in (7, 23):
        tiled = run(labels, image, family, tile_px=tile, threads=2)
        equal(whole, tiled)
        assert whole.settings == tiled.settings


@pytest.mark.parametrize("family", FAMILIES)
def test_numbers_of_objects_do_not_matter(family, ndim):
    labels, image = scene(ndim, 2)
    table = run(labels, image, family)
    ids = np.unique(labels[labels > 0])
    other = np.random.default_rng(5).permutation(ids * 7 + 3)
    lookup = np.zeros(labels.max() + 1, labels.dtype)
    lookup[ids] = other
    renumbered = run(lookup[labels], image, family)
    order = np.searchsorted(renumbered.column("label"), other)
    keep = [f.unit != "label" for f in table.features]
    np.testing.assert_array_equal(table.values[:, keep], renumbered.values[order][:, keep])


@pytest.mark.parametrize("family", [f for f in FAMILIES if f not in ("neighbours",)])
def test_an_object_alone_measures_as_among_others(family, ndim):
    labels, image = scene(ndim, 3, "touching")
    table = run(labels, image, family)
    label = int(np.unique(labels)[4])
    alone = run(np.where(labels == label, labels, 0), image, family)
    np.testing.assert_array_equal(table.values[table.column("label") == label], alone.values)


@pytest.mark.parametrize("family", FAMILIES)
def test_inputs_are_left_alone(family, ndim):
    labels, image = scene(ndim)
    before = labels.copy(), image.read()
    run(labels, image, family)
    np.testing.assert_array_equal(labels, before[0])
    np.testing.assert_array_equal(image.read(), before[1])


@pytest.mark.parametrize("family", FAMILIES)
def test_one_pixel_and_objects_in_every_corner(family, ndim):
    shape = SHAPES[ndim]
    labels = np.zeros(shape, np.int32)
    labels[tuple(n // 2 for n in shape)] = 9
    labels[(0,) * ndim] = 2
    labels[tuple(n - 1 for n in shape)] = 5
    labels[(slice(0, 3),) * (ndim - 1) + (slice(-3, None),)] = 70000
    _, image = scene(ndim)
    table = run(labels, image, family)
    assert table.column("label").tolist() == [2, 5, 9, 70000]
    assert table.column("touches_border").tolist() == [True, True, False, True]
    assert not np.isinf(table.values).any()
    equal(table, run(labels, image, family, tile_px=5))


@pytest.mark.parametrize("family", FAMILIES)
def test_an_image_that_is_one_object(family, ndim):
    _, image = scene(ndim)
    table = run(np.ones(SHAPES[ndim], np.uint8), image, family)
    assert len(table) == 1
    assert not np.isinf(table.values).any()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_voxel_size_scales_lengths_and_nothing_else(family, ndim):
    labels, image = scene(ndim, 4)
    sizes = VoxelSize(**dict.fromkeys("zyx"[3 - ndim :], 0.25))
    pixels, micrometres = run(labels, image, family), run(labels, image, family, voxel_size_um=sizes)
    for one, other in zip(pixels.features, micrometres.features, strict=True):
        power = {"px": 1, "px2": 2, "px3": 3}.get(one.unit, 0)
        assert other.unit == one.unit.replace("px", "um")
        np.testing.assert_allclose(
            pixels.column(one.name) * 0.25**power, micrometres.column(other.name), rtol=1e-9, err_msg=one.name
        )


@pytest.mark.parametrize("family", FAMILIES)
def test_long_voxels_measure_as_the_small_ones_they_are_made_of(family):
    """A volume of voxels twice as tall against the same volume with every plane twice: sizes agree."""
    labels, image = scene(3, 6, "touching")
    tall = run(labels, image, family, voxel_size_um=VoxelSize(z=1.0, y=0.5, x=0.5))
    twice = Image(np.repeat(image.read(), 2, axis=1), "czyx", channel_names=("A", "B"))
    cubes = run(np.repeat(labels, 2, axis=0), twice, family, voxel_size_um=VoxelSize(z=0.5, y=0.5, x=0.5))
    same = {
        *("AreaShape_Volume", "AreaShape_BoundingBoxVolume", "AreaShape_Extent", "AreaShape_EquivalentDiameter"),
        *("Intensity_MeanIntensity_A", "Intensity_MaxIntensity_A", "Correlation_Correlation_A_B"),
        *("Correlation_Manders_A_B", "Neighbors_FirstClosestDistance_Adjacent"),
    }
    near = {"AreaShape_SurfaceArea": 0.15, "AreaShape_MaximumRadius": 0.35, "AreaShape_MajorAxisLength": 0.1}
    for name in same & {*tall.names}:
        np.testing.assert_allclose(tall.column(name), cubes.column(name), rtol=1e-9, err_msg=name)
    for name in {*near} & {*tall.names}:
        np.testing.assert_allclose(tall.column(name), cubes.column(name), rtol=near[name], err_msg=name)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64, np.uint32])
def test_any_type_of_image(family, dtype):
    labels, image = scene(2, 7, dtype=dtype)
    table = run(labels, image, family)
    assert np.isfinite(table.values).any()
    equal(table, run(labels, image, family, tile_px=31))
