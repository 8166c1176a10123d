"""Two fields that overlap give what one large field gives."""

from __future__ import annotations

import anndata
import numpy as np
import pytest
import tifffile
from scipy.spatial import cKDTree

from teasel.errors import FormatError, InputNotFound, ParameterError
from teasel.labels import read_labels
from teasel.spatial.chain import read_recipe, run_recipe
from teasel.spatial.chain.stitch import keep_cells, read_places, same_cells, same_molecules
from teasel.spatial.codebook_files import write_codebook
from teasel.spatial.simulation.codes import random_codebook
from teasel.spatial.simulation.rounds import RoundsScene, simulate_rounds
from teasel.spatial.spots import Spots

CUTS = {"left": (0, 150), "right": (96, 250)}
RECIPE = """
[images]
pattern = "images/{{field}}_{{round}}.tif"
axes = "cyx"
align = 2
nuclei = 3
bits = {bits}
pixel_size_um = 0.2

[decode]
codebook = "codebook.csv"

[assign]
labels = "nuclei/{{field}}.tif"

[assign.refinement]
radius_px = 24

[stitch]
positions = "positions.csv"
"""


@pytest.fixture(scope="module")
def stitched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fields")
    book = random_codebook(40, 40)
    made = simulate_rounds(book, RoundsScene(height_px=160, width_px=250, photons=600, clutter=15))
    for name in ("images", "nuclei"):
        (folder / name).mkdir()
    for field, (low, high) in CUTS.items():
        for number, image in enumerate(made.images):
            cut = np.ascontiguousarray(image[..., low:high])
            tifffile.imwrite(folder / "images" / f"{field}_{number}.tif", cut, photometric="minisblack")
        labels = np.unique(made.tissue.nuclei[:, low:high], return_inverse=True)[1].reshape(160, high - low)
        tifffile.imwrite(folder / "nuclei" / f"{field}.tif", labels.astype(np.uint16))
    write_codebook(folder / "codebook.csv", book)
    (folder / "positions.csv").write_text("field,y_um,x_um\nright,-3,119.2\nleft,-3,100\n")  # 96 px apart
    bits = [[int(r), int(c)] for r, c in zip(book.rounds, book.channels, strict=True)]
    (folder / "recipe.toml").write_text(RECIPE.format(bits=bits))
    summary = run_recipe(read_recipe(folder / "recipe.toml"), folder / "out")
    return folder, made, summary


def test_every_cell_and_molecule_is_there_once(stitched):
    folder, made, summary = stitched
    table = anndata.read_h5ad(folder / "out" / "cells.h5ad")
    nuclei = made.tissue.nuclei
    ids = np.unique(nuclei[nuclei > 0])
    assert table.n_obs == len(ids)
    twice = summary["stitched"]
    assert twice["cells_seen_twice"] == sum(int(read_labels(folder / f"nuclei/{f}.tif").max()) for f in CUTS) - len(ids)
    assert twice["molecules_seen_twice"] > 20
    assert np.abs(twice["overlaps"][0]["apart_px"]).max() < 0.3
    parts = [Spots.open(folder / "out" / "stitched" / f"{field}.csv") for field in CUTS]
    for gene in np.unique(np.concatenate([part["gene"] for part in parts])):
        one, other = (part.positions_px[part["gene"] == gene] for part in parts)
        if len(one) and len(other):
            assert cKDTree(one).query(other)[0].min() > 2.0
    found = sum(len(part) for part in parts)
    assert (
        found
        == sum(len(Spots.open(folder / "out" / "transcripts" / f"{f}.csv")) for f in CUTS)
        - twice["molecules_seen_twice"]
    )


def test_places_are_those_of_the_whole(stitched):
    folder, made, _ = stitched
    table = anndata.read_h5ad(folder / "out" / "cells.h5ad")
    centres = np.array([np.argwhere(made.tissue.nuclei == k).mean(0) for k in range(1, made.tissue.nuclei.max() + 1)])
    away = cKDTree(table.obsm["spatial"][:, ::-1] / 0.2).query(centres)[0]
    assert np.quantile(away, 0.95) < 0.01  # a cut cell is dropped for the whole one
    parts = [Spots.open(folder / "out" / "stitched" / f"{field}.csv") for field in CUTS]
    positions = np.concatenate([part.positions_px for part in parts])
    assert np.median(cKDTree(made.tissue.positions_px).query(positions)[0]) < 0.5
    total = int(table.X.sum()) + table.uns["unassigned"]["spots"]
    assert total == sum(int((~part["blank"].astype(bool)).sum()) for part in parts)
    assert table.obs["n_counts"].sum() == table.X.sum()


def test_the_largest_of_several_is_kept():
    sizes = {(0, 1): 10, (1, 5): 30, (2, 2): 30, (0, 9): 5, (1, 6): 5}
    pairs = [((0, 1), (1, 5)), ((1, 5), (2, 2)), ((0, 9), (1, 6))]
    expected = {(0, 1): (1, 5), (2, 2): (1, 5), (1, 6): (0, 9)}
    assert keep_cells(pairs, sizes) == expected
    assert keep_cells(pairs[::-1], sizes) == expected


def test_same_cells_and_molecules_are_one_to_one():
    one, other = np.zeros((6, 8), int), np.zeros((6, 8), int)
    one[1:5, 4:8], other[1:5, 0:3], other[1:5, 3] = 3, 1, 2
    assert same_cells(one, other, (0, 4)) == [(3, 1)]
    assert same_cells(one, other, (0, 8)) == []
    a, b = np.array([[0.0, 0], [0, 1.5], [9, 9]]), np.array([[0.0, 1], [9, 9]])
    assert same_molecules(a, b, np.array([1, 1, 1]), np.array([1, 2]), 2.0).rows.tolist() == [[1, 0]]
    assert len(same_molecules(a, b[:0], np.ones(3, int), np.ones(0, int), 2.0).rows) == 0


def test_positions_that_are_missing_are_named(tmp_path):
    path = tmp_path / "positions.csv"
    with pytest.raises(InputNotFound, match="no file of positions"):
        read_places(path, ("a",), 0.1)
    path.write_text("field,y,x\na,0,0\n")
    with pytest.raises(FormatError, match="expected field, y_px, x_px"):
        read_places(path, ("a",), 0.1)
    path.write_text("field,y_um,x_um\na,0,0\n")
    with pytest.raises(ParameterError, match="pixel_size_um"):
        read_places(path, ("a",), None)
    with pytest.raises(FormatError, match="no position of field 'b'"):
        read_places(path, ("a", "b"), 0.5)
