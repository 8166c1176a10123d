"""The table of spots: what it refuses, and that files give it back."""

import numpy as np
import pytest

from teasel.errors import FormatError, InputNotFound, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.spatial import Spots


@pytest.fixture(params=[2, 3])
def spots(request):
    random = np.random.default_rng(request.param)
    n = 50
    columns = {
        "score": random.random(n),
        "round": random.integers(0, 8, n),
        "gene": random.choice(np.array(["Actb", "Gapdh", "", "NA"]), n),
    }
    size = VoxelSize(z=0.3, y=0.108, x=0.11)
    return Spots(random.uniform(-0.5, 2000, (n, request.param)), columns, size, ("a note",))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_gives_the_table_back(spots, suffix, tmp_path):
    again = Spots.open(spots.save(tmp_path / f"spots{suffix}"))
    np.testing.assert_array_equal(again.positions_px, spots.positions_px)
    assert list(again.columns) == list(spots.columns)
    np.testing.assert_array_equal(again["score"], spots["score"])
    np.testing.assert_array_equal(again["round"], spots["round"])
    np.testing.assert_array_equal(again["gene"], spots["gene"])
    assert again.voxel_size_um.along(spots.axes) == spots.voxel_size_um.along(spots.axes)


def test_parquet_keeps_notes(spots, tmp_path):
    assert Spots.open(spots.save(tmp_path / "spots.parquet")).notes == ("a note",)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_empty_table_is_a_table(suffix, tmp_path):
    empty = Spots(np.zeros((0, 3)), {"score": np.zeros(0)})
    again = Spots.open(empty.save(tmp_path / f"spots{suffix}"))
    assert (len(again), again.ndim, list(again.columns)) == (0, 3, ["score"])


def test_micrometres_are_pixels_times_voxel_size(spots):
    size = np.array(spots.voxel_size_um.along(spots.axes))
    np.testing.assert_array_equal(spots.positions_um, spots.positions_px * size)
    with pytest.raises(ParameterError, match="voxel size"):
        Spots(np.zeros((1, 2))).positions_um  # noqa: B018


def test_taking_and_joining_keep_every_column(spots):
    halves = [spots.take(spots["score"] < 0.5), spots.take(np.flatnonzero(spots["score"] >= 0.5))]
    joined = Spots.concatenate(halves)
    assert len(joined) == len(spots)
    order = np.lexsort(joined.positions_px.T), np.lexsort(spots.positions_px.T)
    np.testing.assert_array_equal(joined["gene"][order[0]], spots["gene"][order[1]])
    with pytest.raises(ParameterError, match="differ"):
        Spots.concatenate([spots, spots.with_columns(cell=np.zeros(len(spots)))])


@pytest.mark.parametrize(
    ("positions", "columns", "error"),
    [
        (np.zeros((3, 4)), {}, ShapeError),
        (np.zeros(3), {}, ShapeError),
        (np.zeros((3, 2)), {"score": np.zeros(2)}, ShapeError),
        (np.full((1, 2), np.nan), {}, ParameterError),
        (np.zeros((1, 2)), {"y_px": np.zeros(1)}, ParameterError),
    ],
)
def test_what_is_no_table_is_refused(positions, columns, error):
    with pytest.raises(error):
        Spots(positions, columns)


def test_files_that_are_no_table_are_refused(tmp_path):
    with pytest.raises(InputNotFound):
        Spots.open(tmp_path / "absent.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FormatError, match="y_px"):
        Spots.open(tmp_path / "other.csv")
    with pytest.raises(FormatError, match=r"\.csv or \.parquet"):
        Spots.open(tmp_path / "spots.txt")
