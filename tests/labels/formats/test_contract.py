"""What every format for outlines and runs promises, judged by its own reader and by somebody else's."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from teasel.errors import DataError, FormatError, InputNotFound, ParameterError, ShapeError
from teasel.labels import contours, fill_polygons, read_labels, write_labels
from tests.synthetic import random_labels

SUFFIXES = (".zip", ".geojson", ".geojson.gz", ".coco.json")


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


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_more_than_65535_objects(tmp_path, suffix):
    labels = np.zeros((520, 530), np.uint32)
    labels[::2, ::2] = np.arange(1, 260 * 265 + 1).reshape(260, 265)
    write_labels(tmp_path / f"a{suffix}", labels)
    np.testing.assert_array_equal(read_labels(tmp_path / f"a{suffix}", shape=labels.shape), labels)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04broken", b"\x1f\x8bbroken"])
def test_broken_files_are_named(tmp_path, suffix, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="cannot be read"):
        read_labels(path, shape=(5, 5))
    with pytest.raises(InputNotFound):
        read_labels(tmp_path / f"b{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
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


MEASURE = """
import ij.gui.Roi; import ij.io.RoiDecoder; import ij.process.*; import java.util.zip.*;
public class Measure {
  public static void main(String[] a) throws Exception {
    ZipInputStream zip = new ZipInputStream(new java.io.FileInputStream(a[0]));
    for (ZipEntry e; (e = zip.getNextEntry()) != null;) {
      java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
      byte[] part = new byte[4096];
      for (int n; (n = zip.read(part)) > 0;) out.write(part, 0, n);
      Roi roi = new RoiDecoder(out.toByteArray(), e.getName()).getRoi();
      ImageProcessor image = new ByteProcessor(Integer.parseInt(a[1]), Integer.parseInt(a[2]));
      image.setRoi(roi);
      System.out.println(roi.getName() + " " + ImageStatistics.getStatistics(image, 1, null).pixelCount);
    }
  }
}
"""


def test_imagej_measures_the_number_of_pixels(tmp_path, labels):
    jar = Path("/usr/share/java/ij.jar")
    if not jar.exists() or not shutil.which("javac"):
        pytest.skip("needs ImageJ (Debian package libij-java) and a Java compiler")
    if not labels.any():
        pytest.skip("ImageJ has nothing to measure")
    write_labels(tmp_path / "a.zip", labels)
    (tmp_path / "Measure.java").write_text(MEASURE)
    subprocess.run(["javac", "-cp", jar, "Measure.java"], cwd=tmp_path, check=True)
    command = ["java", "-Djava.awt.headless=true", "-cp", f"{jar}:.", "Measure", "a.zip"]
    height, width = map(str, labels.shape)
    said = subprocess.run([*command, width, height], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    areas = {int(name): int(area) for name, area in (line.split() for line in said.splitlines())}
    assert areas == {label: int((labels == label).sum()) for label in sorted(set(labels.ravel().tolist()) - {0})}
