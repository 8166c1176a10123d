import numpy as np
import pytest
from scipy import ndimage

from teasel.agglomeration import (
    UNIT_OFFSETS,
    Agglomeration,
    Walls,
    affinities_of_boundaries,
    region_graph,
    supervoxels,
    walls,
)
from teasel.errors import ParameterError, ShapeError
from teasel.labels.metrics import variation_of_information


@pytest.fixture(scope="module")
def tissue():
    """Box-shaped cells between walls of unequal brightness, blurred and noisy; and which cell is where."""
    rng = np.random.default_rng(1)
    cell = np.stack(np.indices((48, 60, 60)) // np.array([24, 20, 20]).reshape(3, 1, 1, 1))
    labels = (cell[0] * 9 + cell[1] * 3 + cell[2] + 1).astype(np.int64)
    wall = np.zeros(labels.shape)
    for axis, edge in enumerate((24, 20, 20)):
        wall = np.maximum(wall, np.isin(np.indices(labels.shape)[axis] % edge, (0, edge - 1)))
    bright = np.linspace(20, 200, 60)[None, None] * wall
    return rng.poisson(ndimage.gaussian_filter(bright, 1) + 5), labels


def test_walls_of_unequal_brightness_part_cells(tissue):
    image, labels = tissue
    before = image.copy()
    found = Walls().find(image)
    np.testing.assert_array_equal(image, before)
    affinities = affinities_of_boundaries(found)
    pieces = supervoxels(affinities)
    graph = region_graph(pieces, affinities, UNIT_OFFSETS)
    method = Agglomeration(min_voxels=100)
    numbers = method.segments(graph, method.build(graph), 0.45)
    cells = numbers[np.searchsorted(graph.ids, pieces)]
    assert variation_of_information(labels, cells).total < 0.6
    assert abs(len(np.unique(cells)) - 18) <= 2


def test_slabs_leave_no_trace(tissue, monkeypatch):
    image, _ = tissue
    whole = Walls().find(image)
    monkeypatch.setattr(walls, "_SLAB_VOXELS", 60 * 60 * 70)  # 20 planes or so beside the margins
    ticks = []
    np.testing.assert_array_equal(Walls().find(image, progress=lambda *args: ticks.append(args)), whole)
    assert ticks[-1] == (48, 48)
    assert len(ticks) > 1


def test_planes_far_apart_count_as_far_apart(tissue):
    image, _ = tissue
    thinned = Walls(anisotropy=3).find(image[1::3])
    full = Walls().find(image)[1::3]
    assert np.corrcoef(thinned.ravel(), full.ravel())[0, 1] > 0.8


def test_the_closed_form_is_the_smallest_eigenvalue():
    entries = np.random.default_rng(0).normal(size=(6, 500)).astype(np.float32)
    zz, yy, xx, zy, zx, yx = entries
    matrices = np.stack([np.stack([zz, zy, zx]), np.stack([zy, yy, yx]), np.stack([zx, yx, xx])]).transpose(2, 0, 1)
    np.testing.assert_allclose(walls.lowest_eigenvalue(*entries), np.linalg.eigvalsh(matrices)[:, 0], atol=2e-5)
    assert walls.lowest_eigenvalue(*np.zeros((6, 1), np.float32))[0] == 0


def test_even_stacks_have_no_walls_and_bad_values_are_refused():
    assert Walls().find(np.full((8, 9, 9), 7.0)).max() == 0
    with pytest.raises(ShapeError, match=r"\(z, y, x\)"):
        Walls().find(np.zeros((5, 5)))
    for wrong in ({"scales_px": ()}, {"contrast_px": 0}, {"anisotropy": 100}):
        with pytest.raises(ParameterError):
            Walls(**wrong)
