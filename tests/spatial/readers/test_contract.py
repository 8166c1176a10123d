"""Every reader, on files in the layout that its vendor or program documents."""

from __future__ import annotations

import gzip
import json
import tracemalloc

import numpy as np
import pandas
import pytest

from teasel.errors import FormatError, InputNotFound, ParameterError
from teasel.geometry import VoxelSize
from teasel.spatial.readers import read_molecules, read_spots, readers, stream_spots

Y, X = np.array([10.5, 20.25, 31.0]), np.array([5.0, 7.5, 64.125])  # pixels
GENES = ["Actb", "Gad1", "NegControlProbe_00042"]


def xenium(folder, suffix=".parquet"):
    """Columns of Xenium Onboard Analysis 2 and 3."""
    table = pandas.DataFrame(
        {
            "transcript_id": np.array([281474976710657, 281474976710658, 281474976710659], np.uint64),
            "cell_id": ["aaaaficg-1", "UNASSIGNED", "aaabbaka-1"],
            "overlaps_nucleus": np.array([1, 0, 0], np.uint8),
            "feature_name": GENES,
            "x_location": (X * 0.2125).astype(np.float32),
            "y_location": (Y * 0.2125).astype(np.float32),
            "z_location": np.array([12.5, 13.0, 14.0], np.float32),
            "qv": np.array([40, 20.5, 31], np.float32),
            "fov_name": ["A1", "A1", "B2"],
            "nucleus_distance": np.array([0, 3.5, 1.25], np.float32),
            "codeword_index": np.array([1, 2, 3], np.int32),
            "codeword_category": ["predesigned_gene", "predesigned_gene", "negative_control_probe"],
            "is_gene": [True, True, False],
        }
    )
    (folder / "experiment.xenium").write_text(json.dumps({"major_version": 5, "pixel_size": 0.2125}))
    path = folder / f"transcripts{suffix}"
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
        table.assign(feature_name=[gene.encode() for gene in GENES]).to_parquet(path)  # bytes, as version 1 wrote
    else:
        table.to_csv(path, index=False)
    return path


def merscope(folder):
    (folder / "images").mkdir()
    (folder / "images" / "micron_to_mosaic_pixel_transform.csv").write_text(
        "9.25926 0 100.5\n0 9.25926 200.25\n0 0 1\n"
    )
    table = pandas.DataFrame(
        {
            "barcode_id": [4, 9, 200],
            "global_x": (X - 100.5) / 9.25926,
            "global_y": (Y - 200.25) / 9.25926,
            "global_z": [0.0, 3.0, 6.0],
            "x": [1.0, 2.0, 3.0],
            "y": [4.0, 5.0, 6.0],
            "fov": [0, 0, 1],
            "gene": ["Actb", "Gad1", "Blank-7"],
            "transcript_id": ["ENSMUST1", "ENSMUST2", "Blank-7"],
            "cell_id": [-1, 12345, 6789],
        }
    )
    table.to_csv(folder / "detected_transcripts.csv")  # with the unnamed first column
    return folder / "detected_transcripts.csv"


def cosmx(folder):
    table = pandas.DataFrame(
        {
            "fov": [1, 1, 2],
            "cell_ID": [0, 17, 3],
            "cell": ["c_1_1_0", "c_1_1_17", "c_1_2_3"],
            "x_local_px": [5, 7, 64],
            "y_local_px": [10, 20, 31],
            "x_global_px": X,
            "y_global_px": Y,
            "z": [0, 1, 4],
            "target": ["Actb", "Gad1", "SystemControl12"],
            "CellComp": ["None", "Nuclear", "Cytoplasm"],
        }
    )
    with gzip.open(folder / "Lung_tx_file.csv.gz", "wt") as file:
        table.to_csv(file, index=False)
    return folder / "Lung_tx_file.csv.gz"


def starfish_csv(folder):
    pandas.DataFrame(
        {
            "radius": [1.5, 1.5, 2.0],
            "z": [0, 0, 0],
            "y": Y,
            "x": X,
            "features": [0, 1, 2],
            "zc": [0.0, 0.0, 0.0],
            "yc": Y * 0.25,
            "xc": X * 0.5,
            "target": ["Actb", "Gad1", "Blank-7"],
            "distance": [0.1, 0.2, 0.6],
            "passes_thresholds": [True, True, False],
        }
    ).to_csv(folder / "decoded.csv")
    return folder / "decoded.csv"


def starfish_netcdf(folder):
    """The layout that xarray gives a DecodedIntensityTable in netCDF4."""
    import h5py

    path = folder / "decoded.nc"
    with h5py.File(path, "w") as file:
        values = np.zeros((3, 2, 2), np.float32)
        values[:, 0, 0] = [1, 2, 3]
        file["__xarray_dataarray_variable__"] = values
        for name, column in {"x": X, "y": Y, "z": np.zeros(3), "xc": X * 0.5, "yc": Y * 0.25}.items():
            file[name] = column
        file["distance"] = [0.1, 0.2, 0.6]
        file["passes_thresholds"] = np.array([1, 1, 0], np.int8)
        file.create_dataset("target", data=["Actb", "Gad1", "Blank-7"], dtype=h5py.string_dtype())
        file["r"], file["c"], file["features"] = [0, 1], [0, 1], [0, 1, 2]
    return path


def merlin(folder):
    pandas.DataFrame(
        {
            "barcode_id": [0, 5, 70],
            "fov": [0, 0, 1],
            "mean_intensity": [3.5, 2.0, 1.0],
            "max_intensity": [5.0, 3.0, 1.5],
            "area": [4, 6, 2],
            "mean_distance": [0.3, 0.2, 0.5],
            "min_distance": [0.1, 0.1, 0.4],
            "x": X,
            "y": Y,
            "z": [0, 0, 0],
            "global_x": X * 0.108,
            "global_y": Y * 0.108,
            "global_z": [0, 0, 0],
            "cell_index": [-1, -1, -1],
        }
    ).to_csv(folder / "barcodes.csv", index=False)
    return folder / "barcodes.csv"


def iss(folder):
    pandas.DataFrame({"Gene": ["Actb", "NA", "Blank-7"], "x": X, "y": Y}).to_csv(folder / "spots.csv", index=False)
    return folder / "spots.csv"


def trackmate_csv(folder):
    """Version 7: the header, then names, short names and units."""
    (folder / "spots.csv").write_text(
        "LABEL,ID,TRACK_ID,QUALITY,POSITION_X,POSITION_Y,POSITION_Z,POSITION_T,FRAME,RADIUS,VISIBILITY\n"
        "Label,Spot ID,Track ID,Quality,X,Y,Z,T,Frame,Radius,Visibility\n"
        "Label,Spot ID,Track ID,Quality,X,Y,Z,T,Frame,R,Visibility\n"
        ",,,(quality),(micron),(micron),(micron),(sec),,(micron),\n"
        + "".join(
            f"ID{k},{k},,{4.5 + k},{x},{y},0,0,0,0.25,1\n"
            for k, (y, x) in enumerate(zip(Y * 0.5, X * 0.5, strict=True))
        )
    )
    return folder / "spots.csv"


def trackmate_xml(folder):
    spots = "".join(
        f'<Spot ID="{k}" name="ID{k}" QUALITY="{4.5 + k}" POSITION_X="{x}" POSITION_Y="{y}" POSITION_Z="0.0" '
        f'POSITION_T="0.0" FRAME="0" RADIUS="0.25" VISIBILITY="1" />'
        for k, (y, x) in enumerate(zip(Y * 0.5, X * 0.5, strict=True))
    )
    (folder / "session.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<TrackMate version="7.11.1"><Model spatialunits="micron" '
        f'timeunits="sec"><AllSpots nspots="3"><SpotsInFrame frame="0">{spots}</SpotsInFrame></AllSpots></Model>'
        '<Settings><ImageData filename="a.tif" width="512" height="512" pixelwidth="0.5" pixelheight="0.5" '
        'voxeldepth="1.0" /></Settings></TrackMate>'
    )
    return folder / "session.xml"


def imagej(folder):
    """Measured points: ImageJ counts from the corner."""
    rows = "".join(f"{k + 1},{100 + k},{x + 0.5},{y + 0.5},1\n" for k, (y, x) in enumerate(zip(Y, X, strict=True)))
    (folder / "Results.csv").write_text(" ,Mean,X,Y,Slice\n" + rows)
    return folder / "Results.csv"


FILES = {
    "xenium": (xenium, None, VoxelSize(y=0.2125, x=0.2125)),
    "xenium_csv": (lambda folder: xenium(folder, ".csv"), None, VoxelSize(y=0.2125, x=0.2125)),
    "merscope": (merscope, None, VoxelSize(y=1 / 9.25926, x=1 / 9.25926)),
    "cosmx": (cosmx, None, VoxelSize(y=0.12028, x=0.12028)),
    "starfish": (starfish_csv, None, VoxelSize(y=0.25, x=0.5)),
    "starfish_netcdf": (starfish_netcdf, None, VoxelSize(y=0.25, x=0.5)),
    "merlin": (merlin, None, VoxelSize()),
    "iss": (iss, None, VoxelSize()),
    "trackmate_csv": (trackmate_csv, VoxelSize(y=0.5, x=0.5), VoxelSize(y=0.5, x=0.5)),
    "trackmate": (trackmate_xml, None, VoxelSize(y=0.5, x=0.5)),
    "imagej": (imagej, None, VoxelSize()),
}


@pytest.mark.parametrize("kind", FILES)
def test_positions_genes_and_pixel_size(tmp_path, kind):
    write, given, size = FILES[kind]
    spots = read_spots(write(tmp_path), voxel_size_um=given)
    assert np.allclose(spots.positions_px, np.stack([Y, X], axis=1), atol=1e-3)
    for axis in "yx":
        expected = getattr(size, axis)
        found = getattr(spots.voxel_size_um, axis)
        assert found is None if expected is None else abs(found - expected) < 1e-6
    if kind not in ("merlin", "imagej", "trackmate", "trackmate_csv"):
        assert spots["gene"][0] == "Actb"
        assert spots["blank"].tolist() == [False, False, True]


@pytest.mark.parametrize("kind", FILES)
def test_the_content_says_which_reader(tmp_path, kind):
    path = FILES[kind][0](tmp_path)
    known = readers()
    fitting = [one for one in known.values() if path.name.lower().endswith(one.suffixes) and one.sniff(path)]
    assert max(fitting, key=lambda one: one.priority).name == kind.split("_")[0]


@pytest.mark.parametrize("kind", ["merscope", "iss", "merlin", "starfish", "trackmate_csv", "imagej"])
def test_a_table_without_rows_is_no_spots(tmp_path, kind):
    path = FILES[kind][0](tmp_path)
    lines = path.read_text().splitlines()
    path.write_text(lines[0] + "\n")
    assert len(read_spots(path)) == 0


def test_details_that_are_easily_lost(tmp_path):
    for name in ("a", "b", "c", "d", "e"):
        (tmp_path / name).mkdir()
    cells = read_spots(xenium(tmp_path / "a"))
    assert cells["vendor_cell"].tolist() == ["aaaaficg-1", "", "aaabbaka-1"]
    assert "experiment.xenium" in cells.notes[0]
    assert read_spots(cosmx(tmp_path / "b"))["vendor_cell"].tolist() == [0, 17, 3]
    assert read_spots(starfish_csv(tmp_path / "c"))["passes"].tolist() == [True, True, False]
    assert read_spots(starfish_netcdf(tmp_path / "d"))["intensity"].tolist() == [1, 2, 3]
    assert read_spots(iss(tmp_path / "e"))["gene"].tolist() == ["Actb", "NA", "Blank-7"]  # a gene called NA is no gap


def test_without_the_file_beside_it_units_are_said(tmp_path):
    path = xenium(tmp_path, ".csv")
    (tmp_path / "experiment.xenium").unlink()
    spots = read_spots(path)
    assert np.allclose(spots.positions_px[:, 0], Y * 0.2125, atol=1e-4)
    assert spots.voxel_size_um == VoxelSize(y=1.0, x=1.0)
    assert "pixels of 1 um" in spots.notes[0]


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(InputNotFound):
        read_spots(tmp_path / "none.csv")
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FormatError, match="of no known kind; known are: cosmx"):
        read_spots(tmp_path / "a.csv")
    with pytest.raises(ParameterError, match="no reader 'xenum'"):
        read_spots(tmp_path / "a.csv", reader="xenum")
    with pytest.raises(FormatError, match="no column 'feature_name'"):
        read_spots(tmp_path / "a.csv", reader="xenium")
    (tmp_path / "t.csv").write_text("POSITION_X,POSITION_Y\nX,Y\nX,Y\n,\n1,2\nbad,3\n")
    with pytest.raises(FormatError, match="POSITION_X is 'bad'"):
        read_spots(tmp_path / "t.csv")
    (tmp_path / "t.xml").write_text("<TrackMate version='7'><Model>")
    with pytest.raises(FormatError, match="cannot be read"):
        read_spots(tmp_path / "t.xml")


def test_rows_without_a_coordinate_are_noted(tmp_path):
    (tmp_path / "a.csv").write_text("gene,x,y\nActb,1,2\nGad1,,3\n")
    spots = read_spots(tmp_path / "a.csv")
    assert len(spots) == 1
    assert spots.notes == ("1 rows without a coordinate are left out",)


def test_the_hippocampus(shared_data):
    spots = read_spots(shared_data / "pciseq_ca1" / "spots.csv")
    assert len(spots) == 72_336
    assert len(np.unique(spots["gene"])) == 92
    assert "spots lie at negative coordinates" in spots.notes[0]


@pytest.mark.parametrize("kind", FILES)
def test_parts_are_the_whole(tmp_path, kind):
    path, size = FILES[kind][0](tmp_path), FILES[kind][1]
    whole = read_spots(path, voxel_size_um=size)
    parts = list(stream_spots(path, rows=2, voxel_size_um=size))
    assert [len(part) for part in parts] == [2, 1]
    np.testing.assert_array_equal(np.concatenate([part.positions_px for part in parts]), whole.positions_px)
    for name in ("gene", "blank"):
        if name in whole.columns:
            assert np.concatenate([part[name] for part in parts]).tolist() == whole[name].tolist()


def test_many_parts_share_the_numbers_of_genes(tmp_path):
    genes = np.array(["Zic1", "Actb", "Blank-3"])[np.random.default_rng(0).integers(0, 3, 1000)]
    table = pandas.DataFrame({"gene": genes, "x": np.arange(1000), "y": 0})
    table.loc[[3, 990], "x"] = np.nan
    table.to_csv(tmp_path / "a.csv", index=False)
    found = read_molecules(tmp_path / "a.csv", rows=64)
    kept = np.delete(genes, [3, 990])
    assert found.names == ("Actb", "Blank-3", "Zic1")
    assert found.blank.tolist() == [False, True, False]
    assert np.array(found.names)[found.genes].tolist() == kept.tolist()
    assert found.notes == ("2 rows without a coordinate are left out",)
    with pytest.raises(ParameterError, match="rows is 0"):
        list(stream_spots(tmp_path / "a.csv", rows=0))


def test_memory_does_not_grow_with_the_file(tmp_path):
    lines = "".join(f"Gene{k % 50},{k % 997},{k % 991},note {k}\n" for k in range(100_000))
    peaks = []
    for times in (1, 4):
        path = tmp_path / f"{times}.csv"
        path.write_text("gene,x,y,score\n" + lines * times)
        tracemalloc.start()
        assert sum(len(part) for part in stream_spots(path, rows=20_000)) == times * 100_000
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
