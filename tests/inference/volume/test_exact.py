"""The same bytes for every size of blocks, every order, and every number of workers; and those of the whole volume."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import zarr

from teasel.agglomeration import (
    UNIT_OFFSETS,
    Agglomeration,
    Height,
    MutexWatershed,
    region_graph,
    supervoxels,
)
from teasel.inference.volume import (
    AffinitySource,
    Recipe,
    Serial,
    agglomerate_volume,
    open_runner,
    read_merge_tree,
    read_region_graph,
)

BLOCKS = [(64, 56, 72), (31, 31, 31), (64, 28, 24), (20, 56, 40), (33, 17, 72), (48, 48, 48)]
ORDERS = {
    "as listed": list,
    "reversed": lambda keys: keys[::-1],
    "shuffled": lambda keys: random.Random(5).sample(keys, len(keys)),
}


@pytest.fixture(scope="module")
def recipe(affinity_file) -> Recipe:
    method = Agglomeration(score="quantile", quantile=0.5, min_voxels=30)
    return Recipe(AffinitySource(str(affinity_file)), Height(reach_px=5), method, threshold=0.6, background=0.2)


@pytest.fixture(scope="module")
def expected(recipe, hash_files, tmp_path_factory) -> str:
    """The files of a run in one block, after checking its arrays against the whole volume in memory."""
    out = agglomerate_volume(recipe, tmp_path_factory.mktemp("whole") / "a.ome.zarr", block=BLOCKS[0])
    affinities = np.asarray(zarr.open_array(recipe.source.path, mode="r")[...])
    labels = supervoxels(affinities, recipe.height, background=51)
    graph = region_graph(labels, affinities, UNIT_OFFSETS, histogram=True)
    tree = recipe.method.build(graph)
    segments = np.concatenate([[0], recipe.method.segments(graph, tree, 0.6)])
    found = zarr.open_group(out, mode="r")
    every = np.concatenate([np.zeros(1, np.uint64), graph.ids])
    np.testing.assert_array_equal(found["agglomeration/supervoxels"][...], labels)
    np.testing.assert_array_equal(found["0"][...], segments[np.searchsorted(every, labels)])
    for name in ("ids", "sizes", "edges", "count", "total", "histogram"):
        np.testing.assert_array_equal(getattr(read_region_graph(out), name), getattr(graph, name))
    np.testing.assert_array_equal(read_merge_tree(out).pairs, tree.pairs)
    np.testing.assert_array_equal(read_merge_tree(out).scores, tree.scores)
    assert 20 < segments.max() < len(graph.ids) / 3
    assert (labels == 0).any()
    return hash_files(out)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_blocks_and_their_order_leave_no_trace(recipe, expected, hash_files, tmp_path, block, order):
    out = agglomerate_volume(recipe, tmp_path / "a.ome.zarr", block=block, order=ORDERS[order])
    assert hash_files(out) == expected
    assert not Path(f"{out}.work").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_leave_no_trace(recipe, expected, hash_files, tmp_path, workers):
    with open_runner(workers=workers, memory=1 << 30) as runner:
        assert runner.n_workers == workers
        for block in BLOCKS[1:]:
            for name, order in ORDERS.items():
                if name == "as listed" or block == BLOCKS[3]:
                    out = tmp_path / f"{'x'.join(map(str, block))}-{name.split()[0]}.ome.zarr"
                    assert (
                        hash_files(agglomerate_volume(recipe, out, block=block, runner=runner, order=order)) == expected
                    )


def test_long_steps_that_cross_several_blocks_are_exact(hash_files, tmp_path):
    rng = np.random.default_rng(3)
    offsets = (*UNIT_OFFSETS, (0, -9, 4), (3, 0, 0), (0, 0, 9))
    affinities = rng.integers(0, 256, (6, 30, 31, 33), dtype=np.uint8)
    target = zarr.create_array(tmp_path / "aff.zarr", shape=affinities.shape, dtype="u1", chunks=(6, 8, 8, 8))
    target[...] = affinities
    recipe = Recipe(AffinitySource(str(tmp_path / "aff.zarr"), offsets=offsets), Height(smooth_px=2), MutexWatershed())
    found = {
        hash_files(agglomerate_volume(recipe, tmp_path / f"{i}.ome.zarr", block=block))
        for i, block in enumerate([(30, 31, 33), (7, 31, 16), (30, 5, 33)])
    }
    assert len(found) == 1
    graph = region_graph(supervoxels(affinities[:3], recipe.height), affinities, offsets)
    kept = read_region_graph(tmp_path / "2.ome.zarr")
    np.testing.assert_array_equal(kept.far_total, graph.far_total)
    np.testing.assert_array_equal(kept.edges, graph.edges)
    segments = zarr.open_group(tmp_path / "2.ome.zarr", mode="r")["0"]
    assert segments[...].max() == recipe.method.segments(graph).max()


def test_a_flat_and_a_long_volume_have_a_pyramid_that_is_exact_too(hash_files, tmp_path):
    from teasel.images import open_image

    rng = np.random.default_rng(0)
    boundaries = (255 * (rng.random((1, 24, 600)) < 0.4)).astype(np.uint8)
    np.save(tmp_path / "b.npy", boundaries)
    source = AffinitySource(str(tmp_path / "b.npy"), "boundaries", voxel_size=(0.03, 0.006, 0.006))
    recipe = Recipe(source, Height(spacing=(0.03, 0.006, 0.006)), threshold=0.3)
    outs = [
        agglomerate_volume(recipe, tmp_path / f"{i}.ome.zarr", block=block)
        for i, block in enumerate([(1, 24, 600), (1, 7, 67), (64, 64, 64)])
    ]
    assert len({hash_files(out) for out in outs}) == 1
    image = open_image(outs[0])
    assert image.levels == ((24, 600), (12, 300), (6, 150))
    assert image.voxel_size_um.along("yx") == (0.006, 0.006)
    np.testing.assert_array_equal(open_image(outs[0], level=1).read(), image.read()[::2, ::2])


def test_the_folder_of_a_volume_leaves_no_trace(hash_files, tmp_path):
    boundaries = np.random.default_rng(0).integers(0, 256, (6, 20, 20), dtype=np.uint8)
    found = set()
    for name in ("here", "there/and/further"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        np.save(folder / "b.npy", boundaries)
        recipe = Recipe(AffinitySource(str(folder / "b.npy"), "boundaries"))
        found.add(hash_files(agglomerate_volume(recipe, folder / "a.ome.zarr")))
        kept = zarr.open_group(folder / "a.ome.zarr", mode="r").attrs["teasel"]
        assert kept["recipe"]["source"]["path"] == "b.npy"
    assert len(found) == 1


def test_a_volume_without_any_supervoxel_is_all_background(tmp_path):
    np.save(tmp_path / "b.npy", np.full((5, 6, 7), 255, np.uint8))
    recipe = Recipe(AffinitySource(str(tmp_path / "b.npy"), "boundaries"), background=0.1)
    out = agglomerate_volume(recipe, tmp_path / "a.ome.zarr", block=(3, 4, 5))
    assert not zarr.open_group(out, mode="r")["0"][...].any()


def test_affinities_to_the_voxel_before_are_those_to_the_voxel_after_moved(affinity_file, tmp_path):
    after = np.asarray(zarr.open_array(affinity_file, mode="r")[...])
    before = np.zeros_like(after)
    for axis in range(3):
        before[axis] = np.roll(after[axis], 1, axis)
    target = zarr.create_array(tmp_path / "b.zarr", shape=before.shape, dtype="u1", chunks=(3, 20, 20, 20))
    target[...] = before
    box = ((3, 64), (0, 30), (10, 72))
    one = AffinitySource(str(affinity_file)).read(box)
    other = AffinitySource(str(tmp_path / "b.zarr"), previous=True).read(box)
    np.testing.assert_array_equal(one, other)


def test_the_runner_without_a_cluster_is_this_process():
    with open_runner("none", memory=123) as runner:
        assert isinstance(runner, Serial)
        assert runner.memory == 123
