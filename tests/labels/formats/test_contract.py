"""What every format for labels promises; those for outlines and runs are also judged by somebody else's reader."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from teasel.errors import DataError, FormatError, InputNotFound, ParameterError, ShapeError
from teasel.labels import contours, fill_polygons, read_labels, write_labels
from teasel.labels.formats import geojson
from tests.synthetic import random_labels

SUFFIXES = (".zip", ".geojson", ".geojson.gz", ".coco.json")
SIMPLE = ("_cp_outlines.txt", ".stardist.npz", ".stardist.json")  # one piece without holes, numbered 1 .. n
PIXELS = (".tif", ".npy", ".zarr", "_RES")


def nested() -> np.ndarray:
    """A ring with an island of the same object and one of another in its hole, and pieces that meet at a corner."""
    labels = np.zeros((20, 24), np.uint16)
    labels[1:14, 1:14] = 300
    labels[3:12, 3:12] = 0
    labels[5:8, 5:8] = 300
    labels[9:11, 9:11] = 5
    labels[15, 20] = labels[16, 21] = 7
    labels[19, 23] = 8  # one pixel, in the corner of the image
    return labels


CASES = {
    "nested": nested(),
    "noise": random_labels((33, 41), 9, 0),
    "empty": np.zeros((5, 6), np.uint8),
    "full": np.full((4, 5), 2, np.uint8),
    "one pixel": np.ones((1, 1), np.uint8),
}


@pytest.fixture(params=CASES, ids=str)
def labels(request):
    return CASES[request.param]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_round_trip(tmp_path, suffix, labels):
    kept = labels.copy()
    write_labels(tmp_path / f"a{suffix}", labels)
    back = read_labels(tmp_path / f"a{suffix}", shape=labels.shape)
    np.testing.assert_array_equal(back, labels)
    np.testing.assert_array_equal(labels, kept)
    first = (tmp_path / f"a{suffix}").read_bytes()
    write_labels(tmp_path / f"a{suffix}", labels)
    assert (tmp_path / f"a{suffix}").read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]


def many() -> np.ndarray:
    labels = np.zeros((511, 514), np.uint32)
    labels[::2, ::2] = np.arange(1, 256 * 257 + 1).reshape(256, 257)
    return labels


def simple() -> np.ndarray:
    """A disc, a one-pixel object, one in the corner of the image and one along its border, none with holes."""
    labels = np.zeros((30, 34), np.uint8)
    y, x = np.indices(labels.shape)
    labels[np.hypot(y - 14, x - 15) < 7] = 1
    labels[4, 4] = 2
    labels[29, 33] = 3
    labels[:3, 10:22] = 4
    return labels


def for_format(labels: np.ndarray, suffix: str) -> np.ndarray:
    """Return labels as a format takes them: the Cell Tracking Challenge wants frames."""
    return labels[None] if suffix == "_RES" else labels


@pytest.mark.parametrize("suffix", [*SUFFIXES, *SIMPLE, *PIXELS, ".png"])
@pytest.mark.parametrize("case", ["simple", "empty", "one pixel", "full"])
def test_every_format_keeps_simple_objects(tmp_path, suffix, case):
    labels = simple() if case == "simple" else np.minimum(CASES[case], 1)
    write_labels(tmp_path / f"a{suffix}", for_format(labels, suffix))
    back = read_labels(tmp_path / f"a{suffix}", shape=labels.shape)
    np.testing.assert_array_equal(back.reshape(labels.shape) > 0, labels > 0)
    np.testing.assert_array_equal(back.reshape(labels.shape), labels)
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("suffix", [*SUFFIXES, *SIMPLE, *PIXELS, ".png"])
def test_more_than_65535_objects(tmp_path, suffix):
    labels = many()
    if suffix in (
        "_RES",
        ".png",
        ".geojson",
    ):  # no room: an error that says what to write instead
        words = {"_RES": "relabel", ".png": r"\.tif", ".geojson": r"\.geojson\.gz"}[suffix]
        with pytest.raises(DataError, match=words):
            write_labels(tmp_path / f"a{suffix}", for_format(labels, suffix))
        assert not list(tmp_path.iterdir())
        return
    write_labels(tmp_path / f"a{suffix}", labels)
    np.testing.assert_array_equal(read_labels(tmp_path / f"a{suffix}", shape=labels.shape), labels)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".stardist.npz", ".stardist.json", "_seg.npy"])
@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04broken", b"\x1f\x8bbroken"])
def test_broken_files_are_named(tmp_path, suffix, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="cannot be read"):
        read_labels(path, shape=(5, 5))
    with pytest.raises(InputNotFound):
        read_labels(tmp_path / f"b{suffix}")


@pytest.mark.parametrize("suffix", [*SUFFIXES, *SIMPLE])
def test_a_stack_is_refused(tmp_path, suffix):
    with pytest.raises(ShapeError, match="one plane"):
        write_labels(tmp_path / f"a{suffix}", np.ones((2, 3, 4), int))
    assert not list(tmp_path.iterdir())


def test_the_size_of_the_image_must_be_known(tmp_path):
    write_labels(tmp_path / "a.zip", CASES["full"])
    with pytest.raises(FormatError, match="height and width"):
        read_labels(tmp_path / "a.zip")
    write_labels(tmp_path / "a.geojson", CASES["full"])
    np.testing.assert_array_equal(read_labels(tmp_path / "a.geojson"), CASES["full"])
    data = json.loads((tmp_path / "a.geojson").read_text())
    (tmp_path / "b.geojson").write_text(json.dumps(data["features"]))  # as other programs write it
    with pytest.raises(FormatError, match="height and width"):
        read_labels(tmp_path / "b.geojson")
    assert read_labels(tmp_path / "b.geojson", shape=(6, 6)).sum() == 40
    write_labels(tmp_path / "a.coco.json", CASES["full"])
    with pytest.raises(FormatError, match=r"\(4, 5\) pixels"):
        read_labels(tmp_path / "a.coco.json", shape=(5, 5))


@pytest.mark.parametrize(
    ("suffix", "given"),
    [
        (".tif", {"nuclei": [[1]]}),
        (".zip", {"scores": [1.0]}),
        (".geojson", {"parents": {}}),
        (".npy", {"version": "0.4"}),
    ],
)
def test_what_a_format_has_no_place_for_is_an_error(tmp_path, suffix, given):
    with pytest.raises(ParameterError, match=f"no place for {next(iter(given))}"):
        write_labels(tmp_path / f"a{suffix}", [[1]], **given)


def test_rois_end_at_32767(tmp_path):
    with pytest.raises(DataError, match="32767"):
        write_labels(tmp_path / "a.zip", np.zeros((1, 32768), np.uint8))


def test_polygons_between_pixels(tmp_path):
    ring = np.array([[0.6, 0.6], [0.6, 3.4], [3.4, 3.4], [3.4, 0.6]])
    from teasel.labels import Polygon

    drawn = fill_polygons({1: [Polygon(ring, ())]}, (5, 5))
    assert (drawn[1:3, 1:3] == 1).all()
    assert drawn.sum() == 4
    outside = fill_polygons({1: [Polygon(ring - 10, ())]}, (5, 5))
    assert not outside.any()
    with pytest.raises(ParameterError, match="label 0"):
        fill_polygons({0: [Polygon(ring, ())]}, (5, 5))


def test_shapely_finds_every_polygon_valid_and_of_the_right_area(tmp_path, labels):
    geometry = pytest.importorskip("shapely.geometry")
    write_labels(tmp_path / "a.geojson.gz", labels)
    data = json.loads(gzip.decompress((tmp_path / "a.geojson.gz").read_bytes()))
    assert data["type"] == "FeatureCollection"
    assert len({feature["id"] for feature in data["features"]}) == len(contours(labels))
    for feature in data["features"]:
        shape = geometry.shape(feature["geometry"])
        assert shape.is_valid
        assert shape.area == (labels == feature["properties"]["label"]).sum()


def test_nuclei_lie_in_their_cells(tmp_path):
    geometry = pytest.importorskip("shapely.geometry")
    cells = np.zeros((20, 30), np.uint16)
    cells[2:12, 2:12], cells[2:12, 12:25], cells[14:18, 3:9] = 4, 9, 11
    nuclei = np.zeros_like(cells)
    nuclei[4:8, 4:8] = 1
    nuclei[4:8, 9:16] = 2  # mostly in cell 9, a part in 4
    nuclei[9:11, 18:20] = 3  # a second one in 9
    nuclei[0:2, 0:2] = 4  # in no cell
    write_labels(tmp_path / "a.geojson", cells, nuclei=nuclei)
    features = {one["properties"]["label"]: one for one in json.loads((tmp_path / "a.geojson").read_text())["features"]}
    assert {one["properties"]["objectType"] for one in features.values()} == {"cell"}
    assert "nucleusGeometry" not in features[11]
    expected = np.zeros_like(cells)
    expected[4:8, 4:8], expected[4:8, 12:16], expected[9:11, 18:20] = 4, 9, 9
    for label in (4, 9):
        cell, nucleus = (geometry.shape(features[label][key]) for key in ("geometry", "nucleusGeometry"))
        assert nucleus.is_valid
        assert cell.contains(nucleus) or cell.covers(nucleus)
        assert nucleus.area == (expected == label).sum()
    np.testing.assert_array_equal(geojson.read_nuclei(tmp_path / "a.geojson"), expected)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.geojson"), cells)
    with pytest.raises(ShapeError, match="the same image"):
        write_labels(tmp_path / "b.geojson", cells, nuclei=nuclei[:10])


def test_coco_of_other_programs(tmp_path):
    mask = pytest.importorskip("pycocotools.mask")
    labels = np.where(nested() == 300, 1, 0).astype(np.uint8)
    packed = mask.encode(np.asfortranarray(labels))
    square = [2.0, 16.0, 6.0, 16.0, 6.0, 19.0, 2.0, 19.0]
    data = {
        "images": [{"id": 5, "height": 20, "width": 24}],
        "annotations": [
            {"id": 1, "segmentation": {"size": packed["size"], "counts": packed["counts"].decode()}},
            {"id": 2, "segmentation": [square]},
        ],
    }
    (tmp_path / "a.coco.json").write_text(json.dumps(data))
    labels[16:19, 2:6] = 2
    np.testing.assert_array_equal(read_labels(tmp_path / "a.coco.json"), labels)
    data["images"].append(dict(data["images"][0], id=6))
    (tmp_path / "a.coco.json").write_text(json.dumps(data))
    with pytest.raises(FormatError, match="2 images"):
        read_labels(tmp_path / "a.coco.json")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools under numpy 2
def test_pycocotools_reads_the_same_pixels(tmp_path, labels, capsys):
    coco = pytest.importorskip("pycocotools.coco")
    write_labels(tmp_path / "a.coco.json", labels)
    data = coco.COCO(str(tmp_path / "a.coco.json"))
    assert sorted(data.getAnnIds()) == sorted(set(labels.ravel().tolist()) - {0})
    for one in data.loadAnns(data.getAnnIds()):
        mask = labels == one["id"]
        np.testing.assert_array_equal(data.annToMask(one), mask)
        y, x = np.nonzero(mask)
        assert one["area"] == mask.sum()
        assert one["bbox"] == [x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]
