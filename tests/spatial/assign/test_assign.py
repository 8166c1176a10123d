"""Spots to cells: exact against plain code, the same for all tiles, better than nearest, refused when too large."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teasel.errors import DataError, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.spatial.assign import (
    Refinement,
    cell_table,
    cells_at,
    count_parts,
    find_candidates,
    nearest_cells,
    needed_gb,
    refine_cells,
    write_spatialdata,
)
from teasel.spatial.simulation.tissue import simulate_tissue
from teasel.spatial.spots import Spots


def plain_candidates(positions, labels, radius, k):
    """Distance to every labelled pixel, one spot at a time."""
    places = np.argwhere(labels > 0)
    values = labels[labels > 0]
    cells = np.zeros((len(positions), k), np.uint32)
    distances = np.full((len(positions), k), np.inf)
    for row, position in enumerate(np.floor(np.asarray(positions) + 0.5).astype(int)):
        if (position < 0).any() or (position >= labels.shape).any():
            continue
        squared = ((places - position) ** 2).sum(axis=1)
        best = {}
        for d, value in zip(squared.tolist(), values.tolist(), strict=True):
            if d <= radius**2:
                best[value] = min(best.get(value, d), d)
        for rank, (cell, d) in enumerate(sorted(best.items(), key=lambda item: (item[1], item[0]))[:k]):
            cells[row, rank], distances[row, rank] = cell, np.sqrt(d)
    return cells, distances


@given(st.integers(0, 10_000), st.sampled_from([2, 3]), st.floats(0, 6), st.sampled_from([5, 9, 100]))
@settings(max_examples=30, deadline=None)
def test_candidates_are_those_of_plain_code_whatever_the_tiles(seed, ndim, radius, tile_px):
    rng = np.random.default_rng(seed)
    shape = (17, 23) if ndim == 2 else (6, 11, 13)
    labels = np.where(rng.random(shape) < 0.1, rng.integers(1, 7, shape), 0)
    positions = rng.uniform(-2, np.array(shape) + 1, (40, ndim))
    cells, distances = find_candidates(positions, labels, radius, 2, tile_px=tile_px)
    expected = plain_candidates(positions, labels, radius, 2)
    assert np.array_equal(cells, expected[0])
    assert np.allclose(distances, expected[1])


def test_labels_under_spots_in_two_and_three_dimensions():
    labels = np.zeros((3, 4, 5), np.int32)
    labels[1, 2, 3] = 9
    labels[0, 0, 0] = -1
    spots = [[1.4, 1.6, 3.49], [0, 0, 0], [-0.6, 0, 0], [2, 3, 4.51]]
    assert cells_at(spots, labels).tolist() == [9, 0, 0, 0]
    with pytest.raises(ShapeError, match=r"expected \(n, 3\)"):
        cells_at([[1, 2]], labels)
    with pytest.raises(DataError, match="whole numbers"):
        cells_at([[1, 2, 3]], labels.astype(float))


@pytest.fixture(scope="module")
def tissue():
    return simulate_tissue((300, 300), seed=2)


def test_refinement_is_the_same_for_all_tiles_and_every_time(tissue):
    whole = refine_cells(tissue.positions_px, tissue.gene, tissue.nuclei)
    for tile_px in (37, 128):
        assert np.array_equal(whole, refine_cells(tissue.positions_px, tissue.gene, tissue.nuclei, tile_px=tile_px))


def test_refinement_does_not_depend_on_the_order_of_spots(tissue):
    order = np.random.default_rng(0).permutation(len(tissue.gene))
    whole = refine_cells(tissue.positions_px, tissue.gene, tissue.nuclei)
    again = refine_cells(tissue.positions_px[order], tissue.gene[order], tissue.nuclei)
    assert np.array_equal(whole[order], again)


def test_refinement_is_better_than_the_nearest_cell(tissue):
    nearest = nearest_cells(tissue.positions_px, tissue.nuclei, 20)
    refined = refine_cells(tissue.positions_px, tissue.gene, tissue.nuclei, Refinement(radius_px=20))
    outside = cells_at(tissue.positions_px, tissue.nuclei) == 0
    wrong = [(found != tissue.cell)[outside & (tissue.cell > 0)].mean() for found in (nearest, refined)]
    assert wrong[1] < 0.9 * wrong[0]


def test_spots_in_nuclei_stay_there(tissue):
    inside = cells_at(tissue.positions_px, tissue.nuclei)
    refined = refine_cells(tissue.positions_px, tissue.gene, tissue.nuclei)
    assert np.array_equal(refined[inside > 0], inside[inside > 0])


def test_no_spots_no_cells_and_nothing_in_reach():
    nuclei = np.zeros((10, 10), np.uint16)
    assert refine_cells(np.zeros((0, 2)), np.zeros(0, int), nuclei).shape == (0,)
    assert refine_cells([[1, 1]], [0], nuclei).tolist() == [0]
    nuclei[0, 0] = 5
    assert refine_cells([[9, 9]], [0], nuclei, Refinement(radius_px=3)).tolist() == [0]


def test_what_does_not_fit_is_refused_with_what_is_needed():
    few = np.zeros((1000, 2))
    with pytest.raises(DataError, match=r"1,000 spots .* needs about 1\.0 GB, 0.5 GB are allowed"):
        refine_cells(few, np.zeros(1000, int), np.zeros((4, 4), int), Refinement(max_memory_gb=0.5))
    assert needed_gb(50_000_000, 3) < 8
    assert needed_gb(500_000_000, 3) > 50
    with pytest.raises(ParameterError, match="radius_px"):
        Refinement(radius_px=0)
    with pytest.raises(DataError, match="negative"):
        refine_cells([[1, 1]], [-1], np.zeros((4, 4), int))


def test_the_table_counts_every_spot_once(tissue):
    names = [f"g{k}" for k in range(60)]
    blank = np.arange(60) >= 55
    cells = nearest_cells(tissue.positions_px, tissue.nuclei, 10)
    table = cell_table(cells, tissue.gene, names, tissue.nuclei, blank=blank, voxel_size_um=VoxelSize(y=0.5, x=0.25))
    assert table.shape == (int(tissue.nuclei.max()), 55)
    total = int(table.X.sum()) + table.uns["unassigned"]["spots"] + int(table.obs["n_blank"].sum())
    assert total + table.uns["unassigned"]["blanks"] == len(cells)
    for label, gene in ((1, 3), (17, 40)):
        assert table[str(label)].X.toarray()[0, gene] == ((cells == label) & (tissue.gene == gene)).sum()
    yy, xx = np.nonzero(tissue.nuclei == 8)
    assert np.allclose(table["8"].obsm["spatial"][0], [xx.mean() * 0.25, yy.mean() * 0.5])
    assert table.var["n_unassigned"].tolist() == [int(((cells == 0) & (tissue.gene == k)).sum()) for k in range(55)]


def test_a_cell_that_is_not_in_the_labels_is_an_error(tissue):
    with pytest.raises(DataError, match="does not hold"):
        cell_table([10_000], [0], ["a"], tissue.nuclei)


def test_the_table_survives_a_file(tissue, tmp_path):
    import anndata

    cells = cells_at(tissue.positions_px, tissue.nuclei)
    table = cell_table(cells, tissue.gene, [f"g{k}" for k in range(60)], tissue.nuclei)
    table.write_h5ad(tmp_path / "cells.h5ad")
    again = anndata.read_h5ad(tmp_path / "cells.h5ad")
    assert (again.X != table.X).nnz == 0
    assert again.uns["unassigned"]["spots"] == table.uns["unassigned"]["spots"]


@pytest.mark.filterwarnings("ignore")  # of spatialdata's own dependencies
def test_spatialdata_opens_what_was_written(tissue, tmp_path):
    spatialdata = pytest.importorskip("spatialdata")
    cells = cells_at(tissue.positions_px, tissue.nuclei)
    names = np.array([f"g{k}" for k in range(60)])
    table = cell_table(cells, tissue.gene, names.tolist(), tissue.nuclei)
    spots = Spots(tissue.positions_px, {"gene": names[tissue.gene], "cell": cells}, VoxelSize(y=0.5, x=0.5))
    data = spatialdata.read_zarr(write_spatialdata(tmp_path / "out.zarr", table, tissue.nuclei, spots))
    assert np.array_equal(np.asarray(data.labels["cells"]), tissue.nuclei)
    assert len(data.points["transcripts"]) == len(cells)
    assert data.tables["table"].shape == table.shape
    element, rows = spatialdata.match_element_to_table(data, "cells", "table")
    assert rows.n_obs == table.n_obs
    assert "um" in data.coordinate_systems
    del element


def test_most_spots_of_the_hippocampus_lie_in_nuclei(shared_data):
    import pandas

    from teasel.labels import read_labels

    folder = shared_data / "pciseq_ca1"
    spots = pandas.read_csv(folder / "spots.csv", keep_default_na=False)
    labels = read_labels(folder / "labels" / "nuclei_labels.tif")
    inside = cells_at(spots[["y", "x"]].to_numpy(float), labels) > 0
    assert inside.mean() >= 0.61


@pytest.mark.parametrize("method", ["labels", "nearest"])
@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_parts_give_the_table_of_the_whole(method, rows):
    random = np.random.default_rng(5)
    labels = np.zeros((40, 50), np.uint16)
    labels[5:15, 5:15], labels[20:30, 20:40], labels[0, 0] = 3, 900, 7
    positions = random.random((200, 2)) * (40, 50)
    names = np.array(["Zic1", "Actb", "Blank-1"])[random.integers(0, 3, 200)]
    spots = Spots(positions, {"gene": names, "blank": names == "Blank-1"})
    parts = [spots.take(np.arange(k, min(k + rows, 200))) for k in range(0, 200, rows)]
    found = count_parts(parts, labels, method=method, radius_px=4)
    cells = cells_at(positions, labels) if method == "labels" else nearest_cells(positions, labels, 4)
    sorted_names, genes = np.unique(names, return_inverse=True)
    whole = cell_table(cells, genes, sorted_names.tolist(), labels, blank=sorted_names == "Blank-1")
    assert (found.X != whole.X).nnz == 0
    assert found.obs.equals(whole.obs)
    assert found.var.equals(whole.var)
    assert found.uns == whole.uns
    with pytest.raises(ParameterError, match="refine needs all spots"):
        count_parts(parts, labels, method="refine")
