"""Connected components of affinities: what scipy finds on a map of voxels and bonds, and exact by block."""

from __future__ import annotations

import numpy as np
import pytest
import zarr
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from teasel.agglomeration import Connected
from teasel.errors import ParameterError


def components(affinities, least):
    """Label by scipy's graph of voxels; single voxels are 0, labels in the order of first voxels."""
    shape = affinities.shape[1:]
    number = np.arange(np.prod(shape)).reshape(shape)
    rows, columns = [], []
    for axis in range(3):
        here, there = [slice(None)] * 3, [slice(None)] * 3
        here[axis], there[axis] = slice(None, -1), slice(1, None)
        open_ = affinities[axis][tuple(here)] >= least
        rows.append(number[tuple(here)][open_])
        columns.append(number[tuple(there)][open_])
    ends = np.concatenate(rows), np.concatenate(columns)
    graph = coo_matrix((np.ones(len(ends[0])), ends), (number.size, number.size))
    found = connected_components(graph, directed=False)[1]
    found = np.where(np.bincount(found)[found] > 1, found + 1, 0)
    values, first = np.unique(found, return_index=True)
    lookup = np.zeros(values.max() + 1, np.int64)
    lookup[values[values > 0][np.argsort(first[values > 0])]] = np.arange(1, (values > 0).sum() + 1)
    return lookup[found].reshape(shape)


@pytest.mark.parametrize("threshold", [0.0, 0.6, 0.85])
def test_components_are_those_of_the_graph_of_voxels(threshold):
    affinities = np.random.default_rng(0).integers(0, 256, (3, 9, 10, 11), dtype=np.uint8)
    expected = components(affinities, max(1, np.ceil(255 * threshold)))
    np.testing.assert_array_equal(Connected(threshold).label(affinities), expected)
    assert expected.max() >= 1


def test_small_components_are_dropped():
    affinities = np.zeros((3, 1, 1, 7), np.uint8)
    affinities[2, 0, 0] = [255, 0, 0, 255, 255, 0, 0]
    assert Connected(0.5, min_voxels=3).label(affinities).ravel().tolist() == [0, 0, 0, 1, 1, 1, 0]


@pytest.mark.parametrize("values", [{"threshold": 1.2}, {"min_voxels": -1}])
def test_values_out_of_range_are_refused(values):
    with pytest.raises(ParameterError, match="expected"):
        Connected(**values)


@pytest.mark.parametrize("min_voxels", [0, 12])
def test_blocks_leave_no_trace(tmp_path, min_voxels):
    from teasel.inference.volume import AffinitySource, Recipe, agglomerate_volume, cut_result

    affinities = np.random.default_rng(1).integers(0, 256, (3, 21, 30, 26), dtype=np.uint8)
    zarr.create_array(tmp_path / "a.zarr", shape=affinities.shape, dtype="u1", chunks=(3, 8, 8, 8))[...] = affinities
    method = Connected(0.76, min_voxels)
    expected = method.label(affinities)
    assert expected.max() > 30
    assert np.bincount(expected.ravel())[1:].max() > 100
    for i, block in enumerate([(21, 30, 26), (7, 30, 13), (5, 11, 26), (8, 8, 8)]):
        recipe = Recipe(AffinitySource(str(tmp_path / "a.zarr")), method=method)
        out = agglomerate_volume(recipe, tmp_path / f"{i}.ome.zarr", block=block)
        np.testing.assert_array_equal(zarr.open_group(out, mode="r")["0"][...], expected)
        with pytest.raises(Exception, match="keeps no supervoxels"):
            cut_result(out, tmp_path / "b.ome.zarr", 0.5)
