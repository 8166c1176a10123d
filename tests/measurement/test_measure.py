"""`measure` as it is called: what goes in, what comes out, and what it says of bad input."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import teasel
from teasel.errors import DataError, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.images import Image, open_image, write_multiscale
from teasel.images.lazy import LazyArray
from teasel.measurement import describe, measure
from tests.synthetic import render, touching

ROOT = Path(__file__).resolve().parents[2]
LABELS = touching((80, 90), seed=1, n=9)
PICTURE = (np.clip(render(LABELS, 2), 0, 1.5) * 40000).astype(np.uint16)


def test_labels_and_image_of_different_shape():
    with pytest.raises(ShapeError, match=r"labels have shape \(80, 90\), the image \(80, 89\) along yx"):
        measure(LABELS, PICTURE[:, 1:])


def test_labels_that_are_no_labels():
    with pytest.raises(DataError, match="labels is float32; expected whole numbers"):
        measure(LABELS.astype(np.float32), PICTURE)
    with pytest.raises(DataError, match="labels is a mask"):
        measure(LABELS > 0, PICTURE)
    with pytest.raises(DataError, match="has the label -7; expected 0 for background"):
        measure(np.where(LABELS == 3, -7, LABELS), PICTURE)
    with pytest.raises(DataError, match="renumber it first"):
        measure(LABELS.astype(np.int64) * 2**31, PICTURE)


def test_pixels_that_nobody_judged_are_background():
    marked = np.where(LABELS == 0, -1, LABELS)
    np.testing.assert_array_equal(
        measure(marked, PICTURE, families=["intensity"]).values, measure(LABELS, PICTURE, families=["intensity"]).values
    )


def test_missing_channels_and_families():
    image = Image(np.stack([PICTURE, PICTURE]), "cyx", channel_names=("DAPI", "GFP"))
    with pytest.raises(ParameterError, match=r"no channel 'Cy5' to measure; the image has 0 \(DAPI\), 1 \(GFP\)"):
        measure(LABELS, image, channels=["Cy5"])
    with pytest.raises(ParameterError, match="no family of features 'intensty'; did you mean 'intensity'"):
        measure(LABELS, image, families=["intensty"])
    with pytest.raises(ParameterError, match="no image to measure in"):
        measure(LABELS)
    with pytest.raises(ParameterError, match="threads is '0'"):
        measure(LABELS, image, threads=0)
    table = measure(LABELS, image, channels=["GFP"], families=["intensity"])
    assert {feature.channel for feature in table.features} == {"GFP"}


def test_an_image_with_nan():
    picture = PICTURE.astype(np.float32)
    picture[40, 40] = np.nan
    with pytest.raises(DataError, match="channel channel0 holds NaN"):
        measure(LABELS, picture, families=["intensity"])


def test_planes_of_stacks():
    stack = Image(np.stack([PICTURE, PICTURE[::-1]]), "zyx")
    with pytest.raises(ParameterError, match="a stack of 2; say which plane"):
        measure(LABELS, stack)
    for z, plane in ((1, PICTURE[::-1]), ("max", np.maximum(PICTURE, PICTURE[::-1]))):
        found, expected = (measure(LABELS, i, z=k, families=["intensity"]) for i, k in ((stack, z), (plane, None)))
        np.testing.assert_array_equal(found.values, expected.values)


def test_frames():
    labels, image = np.stack([LABELS, LABELS[::-1]]), Image(np.stack([PICTURE, PICTURE[::-1]]), "tyx")
    table = measure(labels, image, families=["shape", "intensity"])
    n = len(np.unique(LABELS)) - 1
    assert table.column("frame").tolist() == [0] * n + [1] * n
    first = measure(LABELS, PICTURE, families=["shape", "intensity"])
    np.testing.assert_array_equal(table.values[:n], first.values)


def test_a_segmentation_brings_image_scores_plane_and_nuclei():
    ids = np.unique(LABELS)[1:]
    scores = np.linspace(0.1, 1, LABELS.max()).astype(np.float32)
    nuclei = np.where(np.roll(LABELS, 2, 0) == LABELS, LABELS, 0)
    found = SimpleNamespace(
        labels=LABELS, scores=scores, image=Image(PICTURE[None], "zyx"), parameters={"z": 0}, nuclei=nuclei
    )
    table = measure(found, families=["shape"])
    np.testing.assert_array_equal(table.column("score"), scores[ids - 1])
    assert {feature.compartment for feature in table.features} == {"cell", "nucleus", "cytoplasm"}


def test_nuclei_in_cells():
    cells = np.zeros((40, 60), int)
    cells[5:25, 5:25], cells[5:25, 30:50] = 4, 9
    nuclei = np.zeros_like(cells)
    nuclei[10:14, 10:14], nuclei[18:20, 18:20] = 7, 2  # two in cell 4
    nuclei[30:35, 30:35] = 5  # in none
    image = np.where(nuclei > 0, 60, 20).astype(np.uint8)
    table = measure(cells, image, nuclei=nuclei, voxel_size_um=VoxelSize(y=0.5, x=0.5))
    column = table.column
    assert column("label").tolist() == [4, 9]
    assert column("Cells_Children_Nuclei_Count").tolist() == [2, 0]
    assert column("Cells_Nuclei_AreaFraction").tolist() == [20 / 400, 0]
    assert column("Cells_Nuclei_MeanIntensityRatio_channel0").tolist()[0] == 3
    assert column("Nuclei_AreaShape_Area").tolist()[0] == 20 * 0.25
    assert column("Cytoplasm_AreaShape_Area").tolist() == [380 * 0.25, 400 * 0.25]
    assert np.isnan(column("Nuclei_AreaShape_Area")[1])
    centre = (16 * 11.5 + 4 * 18.5) / 20
    assert column("Cells_Nuclei_Distance_Centroid")[0] == pytest.approx(0.5 * np.sqrt(2) * (14.5 - centre))
    assert table.relations[0].pairs.tolist() == [[4, 2], [4, 7]]
    with pytest.raises(ShapeError, match="nuclei"):
        measure(cells, image, nuclei=nuclei[1:])


def test_several_files_are_channels_of_one_field(tmp_path):
    from teasel.images import save_image

    for name, picture in (("DAPI.tif", PICTURE), ("GFP.tif", PICTURE[::-1].copy())):
        save_image(tmp_path / name, picture, axes="yx")
    table = measure(LABELS, [tmp_path / "DAPI.tif", tmp_path / "GFP.tif"], families=["intensity"])
    np.testing.assert_array_equal(
        table.column("Intensity_MeanIntensity_GFP"),
        measure(LABELS, PICTURE[::-1], families=["intensity"]).column("Intensity_MeanIntensity_channel0"),
    )


class Counting(LazyArray):
    """An array that remembers the largest block anybody read."""

    def __init__(self, array):
        super().__init__(array.shape, array.dtype)
        self.array, self.largest = array, 0

    def read_block(self, block):
        values = self.array[block]
        self.largest = max(self.largest, values.size)
        return values


def test_no_more_is_read_at_a_time_than_a_tile_and_its_objects():
    labels = np.tile(LABELS, (6, 6)).astype(np.int32)
    labels = np.where(labels > 0, labels + 20 * np.kron(np.arange(36).reshape(6, 6), np.ones(LABELS.shape, int)), 0)
    sources = Counting(labels), Counting(np.tile(PICTURE, (6, 6)))
    table = measure(sources[0], Image(sources[1], "yx"), tile_px=64, families=["shape", "intensity", "texture"])
    assert len(table) == 36 * (len(np.unique(LABELS)) - 1)
    high = table.column("AreaShape_BoundingBoxMaximum_Y") - table.column("AreaShape_BoundingBoxMinimum_Y")
    wide = table.column("AreaShape_BoundingBoxMaximum_X") - table.column("AreaShape_BoundingBoxMinimum_X")
    assert sources[0].largest <= (64 + high.max() + 10) * (64 + wide.max() + 10)


def test_ome_zarr_is_measured_as_the_array(tmp_path):
    write_multiscale(tmp_path / "a.ome.zarr", PICTURE, axes="yx")
    found = measure(LABELS, open_image(tmp_path / "a.ome.zarr"), families=["intensity"], tile_px=32)
    np.testing.assert_array_equal(found.values, measure(LABELS, PICTURE, families=["intensity"]).values)


def test_progress_stops_the_work():
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(LABELS, PICTURE, families=["shape"], progress=stop)


@pytest.mark.parametrize("nuclei", [False, True])
def test_describe_lists_what_is_measured(nuclei):
    image = Image(np.stack([PICTURE, PICTURE]), "cyx", channel_names=("A", "B"))
    table = teasel.measure(LABELS, image, nuclei=LABELS if nuclei else None)
    assert table.features == describe(channels=("A", "B"), nuclei=nuclei, unit="px")


def test_the_page_lists_every_feature():
    spec = importlib.util.spec_from_file_location("write_measurements", ROOT / "scripts/write_measurements.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    message = "run: python scripts/write_measurements.py"
    assert script.PAGE.read_text("utf-8") == script.page(), message
