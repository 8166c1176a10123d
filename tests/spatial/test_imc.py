"""Imaging mass cytometry: raw files equal the authors' images and tables; files written here in the same layout."""

from __future__ import annotations

import csv
import dataclasses
import struct

import numpy as np
import pytest
import tifffile

from teasel.errors import DataError, FormatError, InputNotFound, ShapeError
from teasel.spatial.imc import measure_imc, read_imc, remove_hot_pixels

SETS = [(run, number) for run in (1, 3) for number in (1, 2, 3)]


def stem(run):
    return f"20210305_NE_mockData{run}"


@pytest.mark.parametrize(("run", "number"), SETS)
def test_raw_equals_the_authors_images(shared_data, run, number):
    folder = shared_data / "imc_testdata"
    mcd = read_imc(folder / "raw" / stem(run) / f"{stem(run)}.mcd")[number - 1]
    text = read_imc(next((folder / "raw" / stem(run)).glob(f"*_{number}.txt")))[0]
    image = mcd.image.read()
    assert np.array_equal(
        image, tifffile.imread(folder / "analysis/ometiff" / stem(run) / f"{stem(run)}_s0_a{number}_ac.ome.tiff")
    )
    assert np.allclose(image, text.image.read(), atol=0.00051)  # the text has three decimals
    assert mcd.metals == text.metals == ("Ag107", "Pr141", "Sm147", "Eu153", "Yb172")
    assert mcd.targets[4] == text.targets[4] == "H3K27Ac_1977((2242))Yb172"
    assert (mcd.image.voxel_size_um.y, mcd.image.voxel_size_um.x) == (1.0, 1.0)
    full = tifffile.imread(folder / "analysis/cpout/images" / f"{stem(run)}_s0_a{number}_ac_full.tiff")
    assert np.array_equal(np.floor(remove_hot_pixels(image)), full)


def test_the_table_equals_the_authors(shared_data):
    folder = shared_data / "imc_testdata"
    with (folder / "analysis/cpout/cell.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    images = sorted((folder / "analysis/cpout/images").glob("*_full.tiff"))
    compared = 0
    for run, number in SETS:
        name = f"{stem(run)}_s0_a{number}_ac"
        mine = [
            row for row in rows if int(row["ImageNumber"]) == images.index(images[0].with_name(f"{name}_full.tiff")) + 1
        ]
        acquisition = read_imc(folder / "raw" / stem(run) / f"{stem(run)}.mcd")[number - 1]
        clean = np.floor(remove_hot_pixels(acquisition.image.read()))
        acquisition = dataclasses.replace(acquisition, image=dataclasses.replace(acquisition.image, data=clean))
        labels = tifffile.imread(folder / "analysis/cpout/masks" / f"{name}_ilastik_s2_Probabilities_mask.tiff")
        if not mine and not labels.any():
            continue
        table = measure_imc(acquisition, labels)
        assert table.obs["label"].tolist() == [int(row["ObjectNumber"]) for row in mine]
        assert table.obs["area_px"].tolist() == [int(float(row["AreaShape_Area"])) for row in mine]
        theirs = [[float(row[f"Intensity_MeanIntensity_FullStack_c{c}"]) * 65535 for c in range(1, 6)] for row in mine]
        assert np.allclose(table.X, theirs, rtol=1e-4, atol=1e-3)
        places = [[float(row["AreaShape_Center_X"]), float(row["AreaShape_Center_Y"])] for row in mine]
        assert np.allclose(table.obsm["spatial"], places, atol=1e-3)
        compared += len(mine)
    assert compared > 50


TEXT = "Start_push\tEnd_push\tPushes_duration\tX\tY\tZ\t107Ag(Ag107Di)\tDNA(Ir191Di)\n"


def write_text(path, width, height, missing=0):
    rows = [
        f"{k}\t{k + 1}\t1\t{k % width}\t{k // width}\t{k}\t{k}.5\t{2 * k}.0\n" for k in range(width * height - missing)
    ]
    path.write_text(TEXT + "".join(rows))
    return path


def write_mcd(path, table, *, width, height, end=None):
    """An MCD file in its documented layout: data blocks of floats, then the description in UTF-16."""
    start = 100
    data = table.astype("<f4").tobytes()
    names = ["X", "Y", "Z", "Ag(107)", "Ir(191)"]
    channels = "".join(
        f"<AcquisitionChannel><ID>{k}</ID><ChannelName>{name}</ChannelName><OrderNumber>{k}</OrderNumber>"
        f"<AcquisitionID>1</AcquisitionID><ChannelLabel>{name}</ChannelLabel></AcquisitionChannel>"
        for k, name in reversed(list(enumerate(names)))
    )
    schema = (
        '<MCDSchema xmlns="http://www.fluidigm.com/IMC/MCDSchema_V2_0.xsd"><Acquisition><ID>1</ID>'
        f"<Description>R 1</Description><MaxX>{width}</MaxX><MaxY>{height}</MaxY>"
        f"<DataStartOffset>{start}</DataStartOffset><DataEndOffset>{end or start + len(data)}</DataEndOffset>"
        "<SegmentDataFormat>Float</SegmentDataFormat><ValueBytes>4</ValueBytes>"
        "<AblationDistanceBetweenShotsX>2</AblationDistanceBetweenShotsX>"
        f"<AblationDistanceBetweenShotsY>1</AblationDistanceBetweenShotsY></Acquisition>{channels}</MCDSchema>"
    )
    path.write_bytes(struct.pack("<100x") + data + schema.encode("utf-16-le"))
    return path


def pixels(width, height):
    k = np.arange(width * height)
    return np.stack([k % width, k // width, k, k + 0.5, 2 * k], axis=1)


def test_files_in_the_documented_layout(tmp_path):
    text = read_imc(write_text(tmp_path / "roi.txt", 4, 3))[0]
    mcd = read_imc(write_mcd(tmp_path / "a.mcd", pixels(4, 3), width=4, height=3))[0]
    for one in (text, mcd):
        assert one.image.read()[0].tolist() == (np.arange(12).reshape(3, 4) + 0.5).tolist()
        assert one.metals == ("Ag107", "Ir191")
    assert mcd.name == "R 1"
    assert mcd.image.voxel_size_um.x == 2.0


def test_an_acquisition_that_was_stopped_keeps_its_complete_lines(tmp_path):
    text = read_imc(write_text(tmp_path / "roi.txt", 4, 3, missing=1))[0]
    assert text.image.shape == (2, 2, 4)
    assert text.notes == ("the last line has 3 of 4 pixels and is left out",)
    mcd = read_imc(write_mcd(tmp_path / "a.mcd", pixels(4, 3)[:8], width=4, height=5))[0]
    assert mcd.image.shape == (2, 2, 4)
    assert "the file says 4 x 5 pixels, the data are 4 x 2" in mcd.notes


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(InputNotFound):
        read_imc(tmp_path / "none.mcd")
    (tmp_path / "x.mcd").write_bytes(b"nothing of the kind")
    with pytest.raises(FormatError, match="no MCDSchema"):
        read_imc(tmp_path / "x.mcd")
    with pytest.raises(FormatError, match="get the file again"):
        read_imc(write_mcd(tmp_path / "cut.mcd", pixels(4, 3), width=4, height=3, end=10**9))
    one = read_imc(write_text(tmp_path / "roi.txt", 4, 3))[0]
    with pytest.raises(ShapeError, match=r"labels are \(3, 5\)"):
        measure_imc(one, np.ones((3, 5), int))
    with pytest.raises(DataError, match="no cell"):
        measure_imc(one, np.zeros((3, 4), int))
