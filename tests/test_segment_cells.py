"""Whole cells and nuclei together, with networks that threshold."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from teasel import segment
from teasel.errors import ParameterError
from tests.oracle import oracle
from tests.synthetic import discs

CELLS = discs((200, 260), 10, 14, seed=5)
CENTRES = [np.argwhere(i == CELLS).mean(0) for i in range(1, 11)]


def two():
    """The oracle, looking at the cell's channel of a model with roles."""
    model = oracle()
    return replace(model, name="cells", spec=replace(model.spec, name="cells", roles=("cell", "nucleus", "cell")))


def nuclei_of(cells, which):
    """A small disc in the middle of some cells, and one where there is no cell."""
    y, x = np.mgrid[: cells.shape[0], : cells.shape[1]]
    picture = np.zeros(cells.shape, bool)
    for i in which:
        picture |= np.hypot(y - CENTRES[i][0], x - CENTRES[i][1]) < 6
    distance = ndimage.distance_transform_edt(cells == 0)
    empty = np.unravel_index(np.argmax(np.pad(distance[20:-20, 20:-20], 20)), cells.shape)
    return picture | (np.hypot(y - empty[0], x - empty[1]) < 6)


@pytest.fixture
def pair():
    return (np.stack([CELLS > 0, nuclei_of(CELLS, range(7))]) * 200).astype(np.uint8)


def test_nuclei_and_cells_come_together(pair):
    found = segment(pair, two(), axes="cyx", cell=0, nucleus=1, nuclei_model=oracle())
    assert len(found.objects) == 10
    assert len(found.nuclei_objects) == 8
    assert found.nuclei.shape == found.labels.shape
    assert len(found.cells_without_nucleus) == 3
    assert len(found.nuclei_without_cell) == 1
    for row in range(8):
        cell = found.nuclei_objects["cell"][row]
        assert set(np.unique(found.labels[found.nuclei == row + 1])) == {cell}
        if cell:
            assert found.objects["nucleus"][cell - 1] == row + 1
    np.testing.assert_array_equal(found.objects["n_nuclei"], (found.objects["nucleus"] > 0).astype(int))
    assert found.parameters["nucleus"] == 1
    assert found.parameters["nuclei_model"] == "oracle"


def test_without_a_nuclear_channel_there_are_none(pair):
    found = segment(pair, two(), axes="cyx", cell=0)
    assert found.nuclei is None
    assert found.nuclei_objects is None
    assert "nucleus" not in found.objects.columns
    assert len(found.cells_without_nucleus) == len(found.nuclei_without_cell) == 0


def test_numbers_occur_once_in_a_series(pair):
    series = np.stack([pair, pair[:, ::-1]])
    done = []
    found = segment(
        series,
        two(),
        axes="tcyx",
        cell=0,
        nucleus=1,
        nuclei_model=oracle(),
        progress=lambda d, n: done.append(d / n),
    )
    assert found.labels.shape == found.nuclei.shape == (2, 200, 260)
    assert found.objects["label"].tolist() == list(range(1, 21))
    assert found.nuclei_objects["label"].tolist() == list(range(1, 17))
    assert found.objects["t"].tolist() == [0] * 10 + [1] * 10
    for nucleus, cell, t in zip(*(found.nuclei_objects[c] for c in ("label", "cell", "t")), strict=True):
        assert set(np.unique(found.labels[t][found.nuclei[t] == nucleus])) == {cell}
    assert done == sorted(done)
    assert done[-1] == 1


def test_each_channel_has_its_own_range(pair):
    """A nuclear stain a thousand times as bright changes nothing."""
    bright = pair.astype(np.float32) * np.array([1, 1000], np.float32)[:, None, None]
    found = segment(bright, two(), axes="cyx", cell=0, nucleus=1, nuclei_model=oracle())
    assert len(found.objects) == 10


def test_several_channels_and_none_named(pair):
    with pytest.raises(ParameterError, match="choose with --cell"):
        segment(pair, two(), axes="cyx")
    with pytest.raises(ParameterError, match="--nucleus are for models that tell channels apart"):
        segment(pair, oracle(), axes="cyx", nucleus=1)
